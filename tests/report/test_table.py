"""One table, as text on a terminal and as Markdown."""

from __future__ import annotations

from lawqa.report.phrase import Phrase
from lawqa.report.table import Share, Table, markdown_text, render_markdown, render_text
from lawqa.scoring.accuracy import Accuracy, wilson

TABLE = Table(
    ["run", Phrase("accuracy", "正答率"), "read"],
    [
        ["base|1", Accuracy(3, 4, 0.75, wilson(3, 4)), Share(2, 0.5)],
        ["長い名前", "-", Share(10, 1.0)],
    ],
    title=Phrase("Runs", "実験"),
    note=Phrase("n is small", "n が小さい"),
)


def test_columns_line_up_whatever_the_width_of_a_character() -> None:
    head, rule, first, second = render_text(TABLE).splitlines()
    assert head.split() == ["run", "accuracy", "read"]
    assert set(rule) == {"-", " "}
    assert first.startswith("base|1    75.0% (")
    # 長い名前 takes eight columns in four characters.
    assert second.index("-") == first.index("75.0%") - 4


def test_markdown_has_title_rule_note_and_escaped_cells() -> None:
    lines = render_markdown(TABLE, "ja").splitlines()
    assert lines[0] == "### 実験"
    assert "| run | 正答率 | read |" in lines
    assert "|---|---|---|" in lines
    assert any(line.startswith(r"| base\|1 | 75.0% ") for line in lines)
    assert lines[-1] == "n が小さい"


def test_text_cannot_become_markup() -> None:
    assert markdown_text("a|b *c*\nd") == r"a\|b \*c\* d"
