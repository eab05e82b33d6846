"""A report of more answers than a page holds: figures of all, details of the most telling ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="reports need lawqa[report]")

from lawqa.cli import main
from lawqa.pipelines.comparing.report import ReportConfig, make_report
from lawqa.questions import Question, write_questions
from lawqa.report.content import Report
from lawqa.report.markdown import report_markdown
from lawqa.report.page.browser import browser_data
from lawqa.report.page.html import report_html

# By question: what is right, and what the two runs answer.
ANSWERS = {"民法_1": "aaa", "民法_2": "aab", "民法_3": "abb", "民法_4": "aaa", "民法_5": "aba"}


@pytest.fixture
def runs(
    tmp_path: Path, question: Callable[..., Question], monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, ...]:
    monkeypatch.chdir(tmp_path)
    write_questions("q.json", [question(id=name, gold=right[0]) for name, right in ANSWERS.items()])
    for number, name in enumerate(("one", "two"), start=1):
        script = {question_id: labels[number] for question_id, labels in ANSWERS.items()}
        Path("s.json").write_text(json.dumps(script), encoding="utf-8")
        flags = [
            "--data",
            "q.json",
            "--llm-backend",
            "scripted",
            "--script",
            "s.json",
            "--run-dir",
            name,
        ]
        assert main(["evaluate", *flags, "--quiet"]) == 0
    return Path("one"), Path("two")


def limited(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(
        "lawqa.pipelines.comparing.report_shown.shown_questions.__defaults__", (most,)
    )


def shown(report: Report) -> list[str]:
    return [question.id for question in report.questions]


def test_all_questions_are_shown_where_they_fit(runs: tuple[Path, ...]) -> None:
    report = make_report(ReportConfig(runs))
    assert (shown(report), report.asked) == ([*ANSWERS], 5)
    assert "shown one by one" not in report_html(report)


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (9, ["民法_1", "民法_2", "民法_3", "民法_5"]),
        (6, ["民法_2", "民法_3", "民法_5"]),
        (4, ["民法_2", "民法_5"]),
        (1, ["民法_2"]),
    ],
)
def test_differing_answers_come_first_then_wrong_ones(
    runs: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch, most: int, expected: list[str]
) -> None:
    limited(monkeypatch, most)
    report = make_report(ReportConfig(runs))
    assert (shown(report), report.asked) == (expected, 5)


def test_figures_are_of_all_and_the_page_says_what_it_leaves_out(
    runs: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make_report(ReportConfig(runs))
    limited(monkeypatch, 4)
    report = make_report(ReportConfig(runs))
    assert [run.summary for run in report.runs] == [run.summary for run in whole.runs]
    assert [pair.judged for pair in report.pairs] == [pair.judged for pair in whole.pairs]
    assert [one["id"] for one in browser_data(report)["questions"]] == ["民法_2", "民法_5"]  # type: ignore[attr-defined]
    page = report_html(report)
    assert "2 questions of 5 are shown one by one: first those on which runs differ" in page
    assert "全 5 問のうち 2 問を 1 問ずつ表示" in page
    assert '"id":"民法_4"' not in page


def test_long_lists_of_changed_answers_are_cut_and_say_so(
    runs: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lawqa.report.page.html.MOST_CHANGED", 0)
    monkeypatch.setattr("lawqa.report.markdown.MOST_CHANGED", 0)
    report = make_report(ReportConfig(runs))
    assert "… and 1 more" in report_html(report)
    assert "- … and 1 more" in report_markdown(report)
