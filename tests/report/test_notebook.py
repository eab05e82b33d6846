"""What a notebook shows of results: the figures of the command line, escaped, in any theme."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

import lawqa
from lawqa.cli.asking.evaluate_text import result_text
from lawqa.report.comparisons import comparison_table, difference_lines
from lawqa.report.notebook import html_of, table_html
from lawqa.report.summary_text import law_figures, summary_figures
from lawqa.report.table import Table, cell_text

MakeRun = Callable[..., Path]

pytestmark = pytest.mark.slow


class Cells(HTMLParser):
    """The cells of all tables, row by row, and whatever opens without closing."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] in (["td"], ["th"]):
            self.rows[-1][-1] += data


def logs(*shares: float) -> tuple[float, ...]:
    return tuple(map(math.log, shares))


def cells_of(table: Table) -> list[list[str]]:
    return [
        list(map(str, table.columns)),
        *([cell_text(c, "en") for c in row] for row in table.rows),
    ]


def require_sound(html: str) -> Cells:
    cells = Cells(html)
    assert cells.open == []
    assert not re.search(r"colou?r|background|<script|<b>", html)
    return cells


def test_a_run_shows_the_figures_that_the_command_prints(make_run: MakeRun) -> None:
    run = lawqa.read_stored_run(make_run("one", 25, notes=("LEAK <b>&</b>",)))
    html = run._repr_html_()
    summary = lawqa.summarise(run.answers())
    assert require_sound(html).rows == [
        *cells_of(summary_figures({"one": summary})), *cells_of(law_figures(summary))
    ]  # fmt: skip
    assert "! LEAK &lt;b&gt;&amp;&lt;/b&gt;" in html
    assert "25.0" in html or "%" in html
    assert require_sound(summary._repr_html_()).rows[1:] == require_sound(html).rows[1:]


def test_a_comparison_shows_its_sentences_and_tables(make_run: MakeRun) -> None:
    compared = lawqa.compare_runs(make_run("base", 10), make_run("改良 <b>", 40))
    html = compared._repr_html_()
    assert require_sound(html).rows == [
        *cells_of(comparison_table(compared.judged)), *cells_of(summary_figures(compared.summaries))
    ]  # fmt: skip
    shown = unescape(re.sub(r"<[^>]*>", "\n", html))
    for line in difference_lines("base", compared.judged):
        assert line.strip() in shown


def test_an_evaluation_shows_every_table_of_its_text(tmp_path: Path, embedded_file: Path) -> None:
    (tmp_path / "script.json").write_text('{"*": "a"}', encoding="utf-8")
    result = lawqa.evaluate(
        lawqa.EvaluationConfig(
            embedded_file, backend="scripted", script=tmp_path / "script.json",
            run_dir=tmp_path / "run",
        )
    )  # fmt: skip
    printed = result_text(result)
    html = result._repr_html_()
    for row in require_sound(html).rows:
        assert all(cell in printed for cell in row)
    assert all(f"! {note}" in unescape(html) for note in result.notes)


def test_calibration_is_a_sentence_and_its_bins() -> None:
    answers = [
        lawqa.ScoredAnswer("q1", "a", "a", "correct", "民法", label_logprobs=logs(0.9, 0.05, 0.03, 0.02)),
        lawqa.ScoredAnswer("q2", "b", "a", "wrong", "民法", label_logprobs=logs(0.5, 0.3, 0.1, 0.1)),
    ]  # fmt: skip
    found = lawqa.calibration_of(answers)
    assert found is not None
    html = found._repr_html_()
    assert f"ECE {found.ece:.3f}" in html
    assert [row[-1] for row in require_sound(html).rows] == ["n", "1", "1"]


def test_cells_are_escaped_and_control_characters_shown() -> None:
    html = table_html(Table(("<i>", "b"), [("<script>alert(1)</script>", "\x1b[31m&\u202e")]))
    assert require_sound(html).rows == [
        ["<i>", "b"],
        ["<script>alert(1)</script>", "\\u001b[31m&\\u202e"],
    ]


def test_what_has_no_form_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="int has no form for notebooks"):
        html_of(3)
