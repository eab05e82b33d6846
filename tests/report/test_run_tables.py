"""The tables of a report's runs: what is counted in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lawqa.pipelines.comparing.report import ReportConfig, make_report
from lawqa.questions import Question
from lawqa.report.run_tables import accuracy_tables
from lawqa.scoring import Accuracy

MakeRun = Callable[..., Path]


def test_laws_and_conditions_count_final_answers_as_the_headline_does(
    make_run: MakeRun, embedded_questions: tuple[Question, ...]
) -> None:
    wrong = {"a": "b", "b": "c", "c": "d", "d": "a"}
    texts = {
        q.id: [f"最終回答：{label}" for label in (q.gold, wrong[q.gold], q.gold)]
        for q in embedded_questions
    }
    flags = ("--mode", "cot", "--ensemble", "3", "--temperature", "0.7")
    report = make_report(ReportConfig((make_run("votes", texts, *flags),)))
    tables = {table.id: table for table in accuracy_tables(report)}
    for name in ("law", "condition"):
        cells = [row[1] for row in tables[name].rows]
        counts = [(cell.correct, cell.asked) for cell in cells if isinstance(cell, Accuracy)]
        assert sum(asked for _, asked in counts) == len(embedded_questions)
        assert all(correct == asked for correct, asked in counts), "two votes of three are right"
