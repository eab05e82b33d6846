"""Low label mass from the command line to summary, files and report; texts that begin in a thought."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.pipelines.comparing.report import ReportConfig, make_report
from lawqa.questions import Question, write_questions
from lawqa.report.markdown import report_markdown

MakeQuestion = Callable[..., Question]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: MakeQuestion) -> Path:
    monkeypatch.chdir(tmp_path)
    asked = [question(id=f"民法_{n}", text=f"問{n}はどれですか。") for n in range(4)]
    write_questions(tmp_path / "q.json", asked)
    return tmp_path


def evaluated(here: Path, script: dict[str, Any], *more: str) -> Path:
    (here / "s.json").write_text(json.dumps(script), encoding="utf-8")
    code = main([
        "evaluate", "--data", "q.json", "--llm-backend", "scripted", "--script", "s.json",
        "--run-dir", "run", *more,
    ])  # fmt: skip
    assert code == 0
    return here / "run"


def summary(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    return found


def rows(run: Path) -> list[dict[str, Any]]:
    text = (run / "results.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


LOW = {"民法_0": {"text": "a", "label_mass": 0.0002}, "*": {"text": "b", "label_mass": 0.98}}


@pytest.mark.parametrize(("more", "low", "scored"), [((), 1, 4), (("--permutations", "4"), 4, 16)])
def test_low_mass_is_said_first_and_stored(
    here: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], low: int, scored: int
) -> None:
    run = evaluated(here, LOW, *more)
    out = capsys.readouterr().out
    said = f"LOW LABEL MASS: in {low} of {scored} scored answers (25%)"
    assert f"! {said}" in out
    assert f"label mass of {scored} scored answers: median 0.98, lowest 0.0002" in out
    found = summary(run)
    assert any(note.startswith(said) for note in found["notes"])
    assert found["label_mass"] == {
        "scored": scored, "low": low, "median": 0.98, "lowest": 0.0002, "threshold": 0.1,
        "share": 0.25,
    }  # fmt: skip
    assert sorted({row["label_mass"] for row in rows(run)}) == [0.0002, 0.98]


def test_the_report_warns_of_low_mass(here: Path) -> None:
    run = evaluated(here, LOW)
    text = report_markdown(make_report(ReportConfig((run,))))
    assert "LOW LABEL MASS: in 1 of 4 scored answers" in text
    assert "### Probability that a label comes next" in text
    assert "| 4 | 0.98 | 0.0002 | 1 (25.0%) |" in text


def test_old_runs_without_masses_have_none(here: Path) -> None:
    run = evaluated(here, LOW)
    without = [
        {key: value for key, value in row.items() if key != "label_mass"} for row in rows(run)
    ]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in without)
    (run / "results.jsonl").write_text(text, encoding="utf-8")
    page = report_markdown(make_report(ReportConfig((run,))))
    assert "LABEL MASS" not in page
    assert "Probability that a label comes next" not in page


def test_generated_answers_have_no_mass(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = evaluated(here, {"*": "b"}, "--answer-by", "generate")
    assert summary(run)["label_mass"] is None
    assert "label mass" not in capsys.readouterr().out


# --- texts that begin inside a thought


def test_a_text_cut_inside_the_thought_of_its_prompt_is_truncated_also_when_read_again(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = {"text": "検討する。\n最終回答：b\n", "in_thought": True}
    closed = {"text": "検討する。最終回答：c\n</think>\n\n最終回答：b", "in_thought": True}
    run = evaluated(here, {"民法_0": cut, "*": closed}, "--answer-by", "generate")
    stored = {row["file_name"]: row for row in rows(run)}
    assert stored["民法_0"]["outcome"] == "truncated"
    assert stored["民法_0"]["in_thought"] is True
    assert {stored[f"民法_{n}"]["outcome"] for n in (1, 2, 3)} == {"correct"}
    capsys.readouterr()
    assert main(["rescore", "run", "--write"]) == 0
    again = json.loads((run / "rescored.json").read_text(encoding="utf-8"))
    assert again["flips"] == []
    assert again["reparsed"]["outcomes"]["truncated"] == 1


def test_of_an_old_row_the_stored_prompt_says_where_its_text_begins(here: Path) -> None:
    run = evaluated(here, {"*": "検討する。\n最終回答：b\n"}, "--answer-by", "generate")
    old = rows(run)
    for row in old:
        del row["in_thought"]
        row["prompt"] += "\n<|im_start|>assistant\n<think>\n"
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in old)
    (run / "results.jsonl").write_text(text, encoding="utf-8")
    assert main(["rescore", "run", "--write"]) == 0
    again = json.loads((run / "rescored.json").read_text(encoding="utf-8"))
    assert again["recorded"]["outcomes"]["correct"] == 4
    assert again["reparsed"]["outcomes"]["truncated"] == 4


def test_a_forced_answer_comes_behind_the_closed_thought(here: Path) -> None:
    cut = {"text": "検討する。", "in_thought": True, "forced": "b", "label_mass": 0.03}
    run = evaluated(here, {"*": cut}, "--answer-by", "generate", "--force-answers")
    assert {row["forced_after"] for row in rows(run)} == {"\n</think>\n\n最終回答："}
    assert summary(run)["forced_label_mass"]["low"] == 4


def test_a_comparison_warns_of_low_mass(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluated(here, LOW)
    (here / "run").rename(here / "low")
    evaluated(here, {"*": "b"})
    capsys.readouterr()
    assert main(["compare", "run", "low"]) == 0
    assert "low: LOW LABEL MASS: in 1 of 4 scored answers" in capsys.readouterr().out
