"""`lawqa import` of logs that lm_eval 0.4.13 and inspect_ai 0.3.285 wrote, and of our own exports."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

import lawqa
from lawqa.cli import main
from lawqa.runs.manifest import Manifest

LM_EVAL = "samples_lawqa_jp_direct_closed_v1_2026-11-29T01-13-30.019124.jsonl"
RUNS = ("plain", "samples", "orders1", "rag", "half", "pooled")


@pytest.fixture(scope="session")
def logs(checkout: Path) -> Path:
    return checkout / "tests" / "pipelines" / "interchange" / "recorded"


@pytest.fixture(scope="session")
def runs(checkout: Path) -> Path:
    return checkout / "tests" / "runs" / "recorded"


def test_lm_evals_samples_become_a_run_that_compares(
    logs: Path, tmp_path: Path, embedded_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "lm"
    assert main(["import", str(logs / LM_EVAL), "--output-dir", str(run)]) == 0
    out = capsys.readouterr().out
    assert "! IMPORTED: samples_lawqa_jp_direct_closed_v1" in out
    assert "of lm-eval 0.4.13" in out
    assert "READ DIFFERENTLY" not in out
    manifest = Manifest.read_evaluation(run)
    assert manifest.status == "done"
    assert manifest.model == {"backend": "lm-eval", "name": "tiny"}
    assert manifest.config["label_forms"] == "letter"
    assert [*manifest.prompt_specs] == ["direct-closed-v1"]
    samples = [json.loads(line) for line in (logs / LM_EVAL).read_text().splitlines()]
    stored = lawqa.read_stored_run(run)
    for sample, result in zip(samples, stored.results, strict=True):
        values = [float(reply[0][0]) for reply in sample["resps"]]
        assert "abcd"[values.index(max(values))] == result.label
        assert result.label_mass is None, "the prompt ends in white space, which lm-eval scores too"
        assert (sample["acc"] == 1) == (result.outcome == "correct")
    script = tmp_path / "script.json"
    script.write_text('{"*": "c"}')
    mine = tmp_path / "mine"
    lawqa.evaluate(
        lawqa.EvaluationConfig(embedded_file, backend="scripted", script=script, run_dir=mine)
    )
    (comparison,) = lawqa.compare_runs(run, mine).comparisons.values()
    assert comparison.questions == len(samples)
    assert main(["import", str(logs / LM_EVAL), "--output-dir", str(run)]) == 2
    assert "already holds a run" in capsys.readouterr().err
    assert main(["runs", "show", str(run)]) == 0


def test_inspects_log_is_read_by_our_parser_and_differences_are_counted(
    logs: Path, tmp_path: Path
) -> None:
    made = lawqa.import_run(logs / "inspect.json", tmp_path / "run")
    results = lawqa.read_stored_run(tmp_path / "run").results
    assert [result.label for result in results] == ["b", None, "c", None]
    outcomes = [result.outcome for result in results]
    assert outcomes == ["correct", "unparsed", "correct", "truncated"]
    assert results[0].question == "期間の計算について、正しいものはどれですか。" * 6
    assert results[2].response == "<think>\nbかもしれない\n</think>\n\nANSWER: C"
    assert results[0].completion_tokens == 4
    assert any("UNKNOWN PROMPT: 4 of 4" in note for note in made.notes)
    assert not any("READ DIFFERENTLY" in note for note in made.notes)
    assert made.figures.summary.accuracy.correct == 2


def test_an_archive_of_zstandard_is_read_or_says_how_to_convert_it(
    logs: Path, tmp_path: Path
) -> None:
    reads = sys.version_info >= (3, 14) or importlib.util.find_spec("inspect_ai")
    if reads:
        made = lawqa.import_run(logs / "zstandard.eval", tmp_path / "run")
        assert made.figures.summary.accuracy.correct == 2
        return
    with pytest.raises(lawqa.LawqaError, match="compressed with Zstandard") as refused:
        lawqa.import_run(logs / "zstandard.eval", tmp_path / "run")
    assert "inspect log convert" in refused.value.hint
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", RUNS)
def test_what_is_exported_and_imported_again_has_the_same_answers(
    name: str, runs: Path, tmp_path: Path
) -> None:
    before = lawqa.read_stored_run(runs / name)
    for form in ("inspect", "lm-eval"):
        target = tmp_path / ("a.eval" if form == "inspect" else "lm")
        log = lawqa.export_run(runs / name, form, target).files[-1]  # type: ignore[arg-type]
        lawqa.import_run(log, tmp_path / form)
        after = lawqa.read_stored_run(tmp_path / form)
        read = {b.key: b.parsed.label if b.is_text else b.label for b in before.results}
        assert {a.key: a.label for a in after.results} == read
        assert {a.key: a.order for a in after.results} == {b.key: b.order for b in before.results}
        assert {a.key: a.is_failed for a in after.results} == {
            b.key: b.is_failed for b in before.results
        }
        (compared,) = lawqa.compare_runs(runs / name, tmp_path / form).comparisons.values()
        assert compared.difference == 0
        unfinished = any("UNFINISHED" in note for note in after.notes)
        assert unfinished == (name == "half")


def test_questions_are_found_in_a_file_by_their_words(
    logs: Path, tmp_path: Path, embedded_questions: Any
) -> None:
    log = tmp_path / "samples_x_1.jsonl"
    rows = [json.loads(line) for line in (logs / LM_EVAL).read_text().splitlines()]
    for number, row in enumerate(rows):
        row["doc"]["id"] = str(number)
    log.write_text("\n".join(json.dumps(row) for row in rows))
    data = tmp_path / "q.json"
    lawqa.write_questions(data, embedded_questions)
    lawqa.import_run(log, tmp_path / "run", data=data)
    ids = [result.question_id for result in lawqa.read_stored_run(tmp_path / "run").results]
    assert ids == [question.id for question in embedded_questions[: len(rows)]]
    lawqa.write_questions(data, embedded_questions[1:])
    with pytest.raises(lawqa.LawqaError, match=r"1 of 4 answers are to questions that are not in"):
        lawqa.import_run(log, tmp_path / "other", data=data)
    assert not (tmp_path / "other").exists()


def _sample(**changes: object) -> dict[str, object]:
    doc = {"id": "1", "question": "問", "choices": ["一", "二", "三", "四"], "gold": "a"}
    return {"doc": doc, "target": "0", "resps": [["a"]], **changes}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ([1], "is not a sample of lm-eval"),
        (_sample(doc={"text": "x"}), "the document has no id, question, choices"),
        (_sample(doc=3), "the document is not an object"),
        (_sample(resps=[]), "resps is not a list of replies"),
        (_sample(resps=[[["-1", "x"]], [["-1", "x"]]]), "has 2 replies, expected four"),
        (_sample(resps=[[["x", "x"]]] * 4), "a loglikelihood is not a number"),
        (_sample(resps=[[3]]), "resps is not text but int"),
        (_sample(doc={"id": "1", "question": "q", "choices": ["a"], "gold": "a"}), "has 1 choice"),
        (
            _sample(doc={"id": "1", "question": "q", "choices": list("abcd"), "gold": "z"}),
            "the right answer is 'z'",
        ),
    ],
)
def test_a_line_that_is_no_sample_is_named_and_nothing_is_made(
    row: object, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "samples_x_1.jsonl"
    log.write_text(json.dumps(_sample()) + "\n" + json.dumps(row, ensure_ascii=False) + "\n")
    assert main(["import", str(log), "--output-dir", str(tmp_path / "run")]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "line 2" in err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", "{}", "is not a log of inspect_ai"),
        ("a.json", '{"eval": {}, "samples": []}', "holds no samples"),
        ("a.json", '{"eval": {}, "samples": [3]}', "sample 1: is not an object"),
        ("a.json", '{"eval": {}, "samples": [{"id": 1, "choices": ["x"]}]}', "has 1 choice"),
        ("a.eval", "not a zip", "is not a whole .eval archive"),
        ("samples_x.jsonl", "", "is empty"),
        ("twice.jsonl", "\n".join([json.dumps(_sample())] * 2), "is answered 2 times"),
    ],
)
def test_a_file_that_is_no_log_is_refused(
    name: str, content: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text(content)
    assert main(["import", str(tmp_path / name), "--output-dir", str(tmp_path / "run")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
