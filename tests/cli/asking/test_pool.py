"""`lawqa pool`: sampled once and whole, selected from as often as wanted, killed wherever it may be."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lawqa.backends.scripted import ScriptedBackend
from lawqa.choices import LABELS, cyclic_orders, permute_label
from lawqa.cli import main
from lawqa.questions import Question, write_questions
from lawqa.records import load_records
from lawqa.runs.upkeep.lock import run_lock

REASONS = (
    "条文の文言に照らして各選択肢を検討すると、これに反しないのは一つだけである。",
    "問題文が尋ねる要件を順に当てはめると、効果が生じるのはこの場合に限られることが分かる。",
)
SCORES = [-0.1, -3.0, -3.5, -4.0]
ORDERS = {
    1: cyclic_orders()[0],
    10: cyclic_orders()[1],
    17: cyclic_orders()[2],
    19: cyclic_orders()[3],
}


@pytest.fixture
def here(
    tmp_path: Path, embedded_questions: tuple[Question, ...], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Six questions: the first is always wrong, the second right in one order of four, the others always."""
    monkeypatch.chdir(tmp_path)
    asked = embedded_questions[:6]
    write_questions(tmp_path / "train.json", asked)
    script: dict[str, Any] = {}
    for place, question in enumerate(asked):
        for number, order in ORDERS.items():
            gold = permute_label(question.gold, order)
            wrong = LABELS[(LABELS.index(gold) + 1) % 4]
            label = wrong if place == 0 or (place == 1 and number != 1) else gold
            texts = [
                f"{reason}{question.id}について{number}。\n最終回答：{label}" for reason in REASONS
            ]
            script[f"{question.id}#{number}"] = {"text": texts, "logprobs": SCORES}
    (tmp_path / "script.json").write_text(json.dumps(script, ensure_ascii=False), encoding="utf-8")
    return tmp_path


def sample(*more: str) -> int:
    return main(
        ["pool", "sample", "--pool", "pool.jsonl", "--data", "train.json", "--llm-backend", "scripted",
         "--script", "script.json", *more]
    )  # fmt: skip


def select(*more: str, output: str = "records.jsonl") -> int:
    return main(["pool", "select", "--pool", "pool.jsonl", "--output-path", output, *more])


def rows(here: Path) -> list[dict[str, Any]]:
    text = (here / "pool.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def counts(here: Path, name: str = "records") -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        (here / f"{name}.selection.json").read_text(encoding="utf-8")
    )
    return content


def test_every_sample_is_in_the_pool_once_with_probabilities_and_verdicts(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sample() == 0
    assert "48 samples of 6 questions in pool.jsonl" in capsys.readouterr().out
    lines = rows(here)
    keys = [(line["question_id"], line["order"], line["sample"]) for line in lines]
    assert len(set(keys)) == len(keys) == 48
    assert {order for _, order, _ in keys} == set(ORDERS)
    first = lines[0]
    assert (first["verdict"], first["checks"]["right"], first["checks"]["agreed"]) == (
        "wrong",
        False,
        False,
    )
    assert len(first["label_logprobs"]) == 4
    assert len(first["prompt_sha256"]) == 64
    by_prompt = Counter(line["prompt_sha256"] for line in lines)
    assert set(by_prompt.values()) == {2}
    provenance = json.loads((here / "pool.provenance.json").read_text(encoding="utf-8"))
    assert provenance["settings"]["permutations"] == 4
    assert provenance["sampling_from"]["temperature"] == "recommended without thinking"


def test_records_are_selected_again_and_again_without_questions_or_model(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sample() == 0
    pool = (here / "pool.jsonl").read_bytes()
    for name in ("train.json", "script.json"):
        (here / name).unlink()
    capsys.readouterr()
    assert select() == 0
    out = capsys.readouterr().out
    assert "agreed       32      16      0" in out
    records = load_records(here / "records.jsonl").records
    labels = Counter(record.origin.gold for record in records if record.origin)
    assert max(labels.values()) - min(labels[label] for label in LABELS) <= 1
    assert max(Counter(record.question_id for record in records).values()) == 2
    assert counts(here)["labels"] == dict(sorted(labels.items()))
    assert select("--keep", "1", "--without", "agreed", output="other.jsonl") == 0
    assert len(load_records(here / "other.jsonl").records) == 5
    assert counts(here, "other")["hard_questions"] == 1
    assert select("--limit", "1", "--without", "agreed", output="one.jsonl") == 0
    (hardest,) = load_records(here / "one.jsonl").records
    assert hardest.question_id == rows(here)[8]["question_id"]
    assert (here / "pool.jsonl").read_bytes() == pool
    assert select() == 2
    assert "--output-path records.jsonl: exists already" in capsys.readouterr().err


def test_a_pool_killed_anywhere_is_the_pool_that_was_never_killed(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sample() == 0
    whole = (here / "pool.jsonl").read_bytes()
    asked = (here / "pool.asked.jsonl").read_bytes()
    generate = ScriptedBackend.generate
    for stop in (0, 1, 7, 30, 47):
        for name in ("pool.jsonl", "pool.asked.jsonl", "pool.provenance.json"):
            (here / name).unlink()

        def killed(*given: Any, stop: int = stop) -> Iterator[Any]:
            for number, answer in enumerate(generate(*given)):
                if number == stop:
                    raise KeyboardInterrupt
                yield answer

        with monkeypatch.context() as patched:
            patched.setattr(ScriptedBackend, "generate", killed)
            assert sample() == 130
        with (here / "pool.jsonl").open("ab") as file:
            file.write(b'{"question_id": "torn')
        assert sample() == 0
        assert (here / "pool.jsonl").read_bytes() == whole
        assert (here / "pool.asked.jsonl").read_bytes() == asked


def test_more_samples_are_added_to_those_that_are_there(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sample("--samples-per-question", "3") == 0
    assert len(rows(here)) == 18
    capsys.readouterr()
    assert sample("--samples-per-question", "8") == 0
    assert "30 of 48 samples to draw" in capsys.readouterr().err
    assert sample("--samples-per-question", "4") == 0  # fewer are wanted: nothing is lost
    assert len(rows(here)) == 48


def test_two_processes_do_not_write_one_pool(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sample("--samples-per-question", "1") == 0
    before = (here / "pool.jsonl").read_bytes()
    with run_lock(here / ".pool.jsonl.lock"):
        assert sample() == 2
    assert "another process" in capsys.readouterr().err
    assert (here / "pool.jsonl").read_bytes() == before
    assert sample() == 0


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("--temperature", "0.9"), "(--temperature)"),
        (("--permutations", "1"), "(--permutations)"),
        (("--seed", "3"), "(--seed)"),
        (("--condition", "gold"), "the prompt"),
    ],
)
def test_samples_of_other_options_are_not_mixed(
    here: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], named: str
) -> None:
    assert sample() == 0
    before = (here / "pool.jsonl").read_bytes()
    assert sample(*flags) == 2
    err = capsys.readouterr().err
    assert "pool.jsonl: holds samples drawn with other options" in err
    assert named in err
    assert (here / "pool.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda here: (here / "pool.asked.jsonl").unlink(), "pool.asked.jsonl: no such file"),
        (lambda here: (here / "pool.provenance.json").unlink(), "pool.provenance.json: no such file"),
        (lambda here: (here / "pool.jsonl").unlink(), "pool.jsonl: no such file"),
        (lambda here: (here / "pool.jsonl").write_text('{"a": 1}\n', encoding="utf-8"),
         "pool.jsonl: line 1 is not a sample of a pool: key 'question_id' is missing"),
        (lambda here: (here / "pool.jsonl").write_text("[]\n", encoding="utf-8"),
         "pool.jsonl: line 1 is not a sample of a pool"),
        (lambda here: (here / "pool.asked.jsonl").write_text(
            (here / "pool.asked.jsonl").read_text(encoding="utf-8").replace("最終回答", "結論"),
            encoding="utf-8"), "is worded otherwise than cot-closed-v1 is today"),
    ],
)  # fmt: skip
def test_a_pool_without_a_part_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], break_it: Any, message: str
) -> None:
    assert sample() == 0
    break_it(here)
    capsys.readouterr()
    assert select() == 2
    assert message in capsys.readouterr().err
    assert not (here / "records.jsonl").exists()


def test_a_file_that_is_no_pool_is_not_written_into(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "pool.jsonl").write_text('{"some": "file"}\n', encoding="utf-8")
    assert sample() == 2
    assert "pool.provenance.json is not beside it" in capsys.readouterr().err
    assert (here / "pool.jsonl").read_text(encoding="utf-8") == '{"some": "file"}\n'


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--mode", "direct"), "there is no reasoning to learn from"),
        (("--temperature", "0"), "--temperature is 0"),
        (("--samples-per-question", "0"), "--samples-per-question is 0"),
        (("--hf-lora-path", "a"), "--hf-lora-path is for --llm-backend hf"),
        (("--thinking-budget", "9"), "--thinking-budget needs --thinking"),
        (("--place", "heart01", "--llm-backend", "ollama"), "--llm-backend"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    here: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], message: str
) -> None:
    assert sample(*flags) == 2
    assert message in capsys.readouterr().err
    assert sorted(path.name for path in here.iterdir()) == ["script.json", "train.json"]


@pytest.mark.usefixtures("here")
def test_quantiles_must_be_a_range(capsys: pytest.CaptureFixture[str]) -> None:
    assert sample() == 0
    assert select("--length-quantiles", "0.9", "0.1") == 2
    assert "--length-quantiles is 0.9 0.1" in capsys.readouterr().err
    assert select("--length-quantiles", "0", "7") == 2


def test_samples_of_distill_are_a_pool(here: Path) -> None:
    argv = ["distill", "--data", "train.json", "--output-path", "d.jsonl", "--llm-backend", "scripted",
            "--script", "script.json"]  # fmt: skip
    assert main(argv) == 0
    again = ["pool", "select", "--pool", "d.samples.jsonl", "--output-path", "again.jsonl"]
    assert main(again) == 0
    assert (here / "again.jsonl").read_bytes() == (here / "d.jsonl").read_bytes()
    assert sample() == 0
    assert (here / "pool.jsonl").read_bytes() == (here / "d.samples.jsonl").read_bytes()
