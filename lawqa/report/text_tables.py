"""The table of generated texts: their length, what limits cost, what label probabilities say beside them."""

from __future__ import annotations

from collections.abc import Sequence

from lawqa.amounts import percent
from lawqa.report.content import ReportRun
from lawqa.report.phrase import Phrase
from lawqa.report.run_tables import NOTHING, RUN
from lawqa.report.table import Cell, Table
from lawqa.runs.text_figures import TextCounts, TextFigures


def texts_table(runs: Sequence[ReportRun]) -> Table | None:
    """Return tokens, limits, budget and disagreements by run; None where no run generated texts."""
    rows = [(run, figures) for run in runs if (figures := _figures(run)) is not None]
    if not rows:
        return None
    return Table(
        id="texts",
        title=Phrase("Generated texts and their limits", "出力文と上限"),
        columns=(
            RUN,
            Phrase("tokens: median / 90%", "トークン数（中央値／90%）"),
            Phrase("ran into a limit", "上限に達した"),
            Phrase("accuracy of these", "その正答率"),
            Phrase("all right at most", "すべて正解なら"),
            Phrase("budget", "思考予算で終了"),
            Phrase("accuracy of these", "その正答率"),
            Phrase("label probabilities", "記号の確率あり"),
            Phrase("likeliest label right", "最も確率の高い記号の正答率"),
            Phrase("text and likeliest label disagree", "出力文と不一致"),
        ),
        rows=tuple(_row(run, figures) for run, figures in rows),
        note=Phrase(
            "A limit is the most tokens, the memory, or the thinking budget; “all right at most” is the "
            "accuracy of all texts if those were all right, which no larger limit can exceed. Label "
            "probabilities are of the place where the answer's label belongs.",
            "上限は出力トークン数・メモリ・思考予算。「すべて正解なら」は、上限に達した回答がすべて正解だった場合の"
            "全体の正答率で、上限を増やしても超えられない。記号の確率は、出力文で回答の記号が入る位置のもの。",
        ),
    )


def _figures(run: ReportRun) -> TextFigures | None:
    counts = TextCounts()
    for entry in run.entries:
        counts.add(entry.result, entry.answer)
    return counts.figures()


def _row(run: ReportRun, figures: TextFigures) -> tuple[Cell, ...]:
    limits, budget = figures.limits, figures.budget
    return (
        run.title,
        f"{figures.median_tokens:,.0f} / {figures.p90_tokens:,.0f}",
        f"{limits.answers} ({percent(limits.share)})" if limits else "0",
        limits.accuracy if limits else NOTHING,
        percent(limits.if_all_right) if limits else NOTHING,
        str(figures.thinking_closed),
        budget or NOTHING,
        str(figures.scored),
        figures.by_probability or NOTHING,
        f"{figures.disagree} / {figures.named}" if figures.scored else NOTHING,
    )
