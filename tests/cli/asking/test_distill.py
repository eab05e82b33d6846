"""`lawqa distill` on the scripted backend: records, provenance, and going on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lawqa.backends.scripted import ScriptedBackend
from lawqa.cli import main
from lawqa.questions import Question, write_questions
from lawqa.records import load_records

REASON = "条文の文言に照らして各選択肢を検討すると、これに反しないのは一つだけである。"


@pytest.fixture
def here(
    tmp_path: Path, embedded_questions: tuple[Question, ...], monkeypatch: pytest.MonkeyPatch
) -> Path:
    monkeypatch.chdir(tmp_path)
    asked = embedded_questions[:6]
    write_questions(tmp_path / "train.json", asked)
    script: dict[str, Any] = {q.id: f"{REASON}{q.id}について。\n最終回答：{q.gold}" for q in asked}
    script[asked[0].id] = f"{REASON}\n最終回答：{'a' if asked[0].gold != 'a' else 'b'}"
    script[asked[1].id] = {"error": "broke"}
    (tmp_path / "script.json").write_text(json.dumps(script, ensure_ascii=False), encoding="utf-8")
    return tmp_path


def distill(*more: str) -> int:
    return main(
        ["distill", "--data", "train.json", "--output-path", "out.jsonl", "--llm-backend", "scripted",
         "--script", "script.json", "--samples-per-question", "2", "--permutations", "1", "--no-even-labels",
         *more]
    )  # fmt: skip


def test_right_answers_become_records_and_everything_is_accounted_for(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert distill() == 3
    out, err = capsys.readouterr()
    assert "samples: 2 failed, 4 kept, 4 similar, 2 wrong" in out
    assert "2 of 12 samples failed: see error in out.samples.jsonl" in err
    assert "wrote 4 cot-closed-v1 records on 4 of 6 questions to out.jsonl" in out
    records = load_records(here / "out.jsonl").records
    assert {record.source for record in records} == {"distill"}
    for record in records:
        reasoning, _, line = record.answer.rpartition("\n")
        assert reasoning.startswith(REASON)
        assert record.origin is not None
        assert line == f"最終回答：{record.origin.gold}"
    provenance = json.loads((here / "out.provenance.json").read_text(encoding="utf-8"))
    assert provenance["settings"]["temperature"] == 0.7
    counts = json.loads((here / "out.selection.json").read_text(encoding="utf-8"))
    assert counts["verdicts"] == {"wrong": 2, "failed": 2, "kept": 4, "similar": 4}
    assert counts["filters"]["right"] == {"passed": 8, "failed": 2, "not_checked": 2}
    assert sum(counts["acceptance_by_law"].values()) > 0


def test_half_a_surrogate_pair_is_stored_and_read_back(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "script.json").write_text(json.dumps({"*": "\ud800最終回答：a"}), encoding="utf-8")
    assert distill() == 0
    told = capsys.readouterr().out
    (here / "out.jsonl").unlink()
    assert distill() == 0
    assert capsys.readouterr().out == told


def test_an_interrupt_keeps_the_samples_and_says_how_to_go_on(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ScriptedBackend.generate

    def interrupted(*given: Any) -> Iterator[Any]:
        yield next(whole(*given))
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(ScriptedBackend, "generate", interrupted)
        assert distill("--fresh") == 130
    assert capsys.readouterr().err.endswith(
        "samples so far are kept; run the same command again to resume, without --fresh\ninterrupted\n"
    )
    assert len((here / "out.samples.jsonl").read_text(encoding="utf-8").splitlines()) == 1
    assert distill() == 3
    assert "11 of 12 samples to draw, of 6 questions" in capsys.readouterr().err


def test_it_resumes_where_it_stopped_and_asks_what_failed_again(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert distill() == 3
    whole = (here / "out.jsonl").read_bytes()
    samples = here / "out.samples.jsonl"
    lines = samples.read_bytes().splitlines(keepends=True)
    assert len(lines) == 12
    samples.write_bytes(b"".join(lines[:7]) + lines[7][:20])  # killed in the middle of a line
    (here / "out.jsonl").unlink()
    capsys.readouterr()
    assert distill() == 3
    err = capsys.readouterr().err
    assert "7 of 12 samples to draw, of 4 questions" in err
    assert (here / "out.jsonl").read_bytes() == whole
    script = json.loads((here / "script.json").read_text(encoding="utf-8"))
    good = {name: text for name, text in script.items() if isinstance(text, str)}
    (here / "script.json").write_text(json.dumps(good | {"*": REASON}), encoding="utf-8")
    (here / "out.jsonl").unlink()
    assert distill() == 0
    assert "samples: 4 kept, 2 no answer, 4 similar, 2 wrong" in capsys.readouterr().out


def test_other_options_do_not_go_on_silently(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert distill() == 3
    (here / "out.jsonl").unlink()
    assert distill("--temperature", "0.9") == 2
    assert "holds samples drawn with other options (--temperature)" in capsys.readouterr().err
    assert distill("--temperature", "0.9", "--fresh") == 3
    (here / "out.jsonl").unlink()
    script = json.loads((here / "script.json").read_text(encoding="utf-8"))
    (here / "script.json").write_text(json.dumps(dict.fromkeys(script, "c")), encoding="utf-8")
    capsys.readouterr()
    assert distill("--seed", "1") == 2
    err = capsys.readouterr().err
    assert "drawn with other options (--seed, the script)" in err


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"temperature": "hot"}, "key 'settings.temperature' is 'hot', expected a number"),
        ({"max_new_tokens": 0}, "key 'settings.max_new_tokens' is 0, expected 1 or more"),
        ({"model": []}, "key 'settings.model' is [], expected an object"),
        ({"data_sha256": None}, "key 'settings.data_sha256' is None, expected a text"),
    ],
)
def test_a_damaged_provenance_is_refused_with_what_is_wrong(
    here: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any], problem: str
) -> None:
    assert distill() == 3
    (here / "out.jsonl").unlink()
    path = here / "out.provenance.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["settings"] |= change
    path.write_text(json.dumps(content), encoding="utf-8")
    samples = (here / "out.samples.jsonl").read_bytes()
    capsys.readouterr()
    assert distill() == 2
    err = capsys.readouterr().err
    assert f"out.provenance.json: {problem}" in err
    assert "hint: --fresh starts over" in err
    assert (here / "out.samples.jsonl").read_bytes() == samples


@pytest.mark.parametrize(("flags", "tokens"), [((), 1024), (("--thinking",), 4096)])
def test_an_answer_may_be_as_long_as_one_of_lawqa_evaluate(
    here: Path, flags: tuple[str, ...], tokens: int
) -> None:
    distill(*flags)
    provenance = json.loads((here / "out.provenance.json").read_text(encoding="utf-8"))
    assert provenance["settings"]["max_new_tokens"] == tokens


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--mode", "direct"), "there is no reasoning to learn from"),
        (("--keep", "0"), "--keep is 0"),
        (("--temperature", "0"), "--temperature is 0"),
        (("--condition", "rag"), "needs --index DIR"),
    ],
)
def test_what_cannot_be_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], message: str
) -> None:
    assert distill(*flags) == 2
    assert message in capsys.readouterr().err
    assert sorted(path.name for path in here.iterdir()) == ["script.json", "train.json"]


def test_where_every_sample_failed_the_command_fails(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "script.json").write_text('{"*": {"error": "broke"}}', encoding="utf-8")
    assert distill() == 3
    shown = capsys.readouterr()
    assert "samples: 12 failed" in shown.out
    assert "every sample failed: see error in out.samples.jsonl" in shown.err


def test_samples_are_drawn_as_makers_say_and_older_ones_resumed_as_they_were(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert distill() == 3
    path = here / "out.provenance.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    settings = stored["settings"]
    drawn = [settings[name] for name in ("temperature", "top_p", "top_k_sampling", "min_p")]
    assert drawn == [0.7, 0.8, 20, 0.0]
    for name in ("top_p", "top_k_sampling", "min_p"):
        del settings[name]
    path.write_text(json.dumps(stored), encoding="utf-8")
    samples = here / "out.samples.jsonl"
    lines = samples.read_text(encoding="utf-8").splitlines(keepends=True)
    samples.write_text("".join(lines[:6]), encoding="utf-8")
    (here / "out.jsonl").unlink()
    capsys.readouterr()
    assert distill("--top-p", "0.8") == 2
    assert "drawn with other options (--top-p)" in capsys.readouterr().err
    assert distill() == 3
    said = "resumed as it was begun: top_p 1.0 (today 0.8), top_k_sampling 0 (today 20)"
    assert said in capsys.readouterr().err
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert (kept["settings"]["top_p"], kept["sampling_from"]["top_p"]) == (
        1.0,
        "as the run was begun",
    )
