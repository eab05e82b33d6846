"""The plots of a report and of a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lawqa.pipelines.comparing.report import ReportConfig, make_report
from lawqa.report.phrase import Phrase
from lawqa.report.plots.drawing import RUN_COLOURS, mark_of
from lawqa.report.plots.grid_plots import interval_plot
from lawqa.report.plots.run_plots import difference_plot, histogram_plot, law_plot, votes_plot
from lawqa.report.plots.svg import svg_of

MakeRun = Callable[..., Path]

pytestmark = [pytest.mark.torch, pytest.mark.plots]


@pytest.mark.slow
def test_differences_are_drawn_with_names_in_any_script(make_run: MakeRun) -> None:
    report = make_report(
        ReportConfig(runs=(make_run("base", 25), make_run("改良 $x$ <b>", 40, adapter="a")))
    )
    drawing = difference_plot(report)
    assert drawing is not None
    drawn = svg_of(drawing)
    assert ">R2 改良 $x$ &lt;b&gt;</text>" in drawn
    assert ">R1 = 0</text>" in drawn
    assert difference_plot(replace(report, pairs=())) is None


@pytest.mark.slow
def test_laws_and_votes_are_drawn_where_there_are_several(make_run: MakeRun) -> None:
    run = make_run("base", 25)
    voting = make_run("votes", 30, "--answer-by", "generate", "--ensemble", "3")
    report = make_report(ReportConfig(runs=(run, voting)))
    drawing = law_plot(report.runs)
    assert drawing is not None
    laws = svg_of(drawing)
    assert all(f">{law}</text>" in laws for law in {q.law for q in report.questions})
    assert votes_plot(report.runs[:1]) is None
    assert votes_plot(report.runs) is not None


@pytest.mark.slow
def test_a_legend_names_the_right_labels_in_the_language_of_the_reader(make_run: MakeRun) -> None:
    report = make_report(ReportConfig(runs=(make_run("base", 25),)))
    drawn = svg_of(histogram_plot(report.runs))
    spans = (
        '<tspan class="en" lang="en">gold</tspan><tspan class="ja" lang="ja">正解</tspan></text>'
    )
    assert drawn.count(spans) == 1
    assert ">gold</text>" not in drawn


def test_a_cell_of_the_summary_is_called_in_both_languages_beside_its_marks() -> None:
    name = Phrase("cot-rag base", "cot・検索した条文 base")
    drawn = svg_of(interval_plot("one", [(name, 0.5, 0.4, 0.6)], dotted=0.25, unit="%"))
    assert '<tspan class="ja" lang="ja">cot・検索した条文 base</tspan>' in drawn


def test_runs_of_one_colour_have_different_marks() -> None:
    assert len({(number % RUN_COLOURS, mark_of(number)) for number in range(40)}) == 40
