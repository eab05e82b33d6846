"""Tables of answers by label, and of the labels' probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lawqa.amounts import percent
from lawqa.choices import LABELS, Label
from lawqa.report.content import Report, ReportRun
from lawqa.report.phrase import Phrase
from lawqa.report.run_tables import RUN
from lawqa.report.table import Cell, Share, Table
from lawqa.report.text_tables import texts_table
from lawqa.report.words import WORDS
from lawqa.scoring import LOW_MASS, calibration_of


def label_tables(report: Report) -> tuple[Table, ...]:
    """Return the histogram of answers against gold, a confusion matrix for each run, label
    masses, and texts.
    """
    runs = report.runs
    one_gold = len({tuple(run.summary.gold.values()) for run in runs}) == 1
    columns: list[tuple[Phrase, Mapping[Label, int]]] = []
    for number, run in enumerate(runs):
        if not one_gold or number == 0:
            whose = "" if one_gold else f"{run.id} "
            columns.append((Phrase(f"{whose}gold", f"{whose}正解"), run.summary.gold))
        columns.append((Phrase(f"{run.id} answers", f"{run.id} 回答"), run.summary.predicted))
    histogram = Table(
        id="histogram",
        title=Phrase("Answers by label, and right labels", "回答した記号の数と正解の数"),
        columns=(Phrase("label", "記号"), *(heading for heading, _ in columns)),
        rows=tuple((label, *(str(counts[label]) for _, counts in columns)) for label in LABELS),
    )
    more = [table for table in (mass_table(runs), texts_table(runs)) if table is not None]
    return (histogram, *(_confusion(run) for run in runs), *more)


def calibration_table(runs: Sequence[ReportRun]) -> Table | None:
    """Return how far label probabilities can be believed; None where no run has any."""
    rows: list[tuple[Cell, ...]] = []
    for run in runs:
        calibration = calibration_of(run.answers)
        if calibration is not None:
            rows.append(
                (
                    run.title,
                    str(calibration.prompts),
                    f"{calibration.ece:.3f}",
                    f"{calibration.brier:.3f}",
                    percent(calibration.confidence),
                    calibration.accuracy,
                )
            )
    if not rows:
        return None
    return Table(
        id="calibration",
        title=Phrase("Calibration of the label probabilities", "記号の確率の較正"),
        columns=(
            RUN,
            Phrase("answers", "回答数"),
            Phrase("ECE", "ECE"),
            Phrase("Brier score", "ブライアスコア"),
            Phrase("mean confidence", "確信度の平均"),
            Phrase("accuracy", "正答率"),
        ),
        rows=tuple(rows),
        note=Phrase(
            "ECE: mean distance of accuracy from confidence over 10 bins; 0 is best, and few answers make "
            "it too large by chance.",
            "ECE：10 区間での正答率と確信度のずれの平均（0 が最良。回答が少ないと偶然だけで大きくなる）。",
        ),
    )


def mass_table(runs: Sequence[ReportRun]) -> Table | None:
    """Return how much of the next token's probability the labels had; None where no run stored it."""
    known = [(run, run.label_mass) for run in runs if run.label_mass is not None]
    if not known:
        return None
    rows: list[tuple[Cell, ...]] = [
        (
            run.title,
            str(mass.scored),
            f"{mass.median:.2g}",
            f"{mass.lowest:.2g}",
            f"{mass.low} ({percent(mass.share)})",
        )
        for run, mass in known
        if mass is not None
    ]
    below = f"{LOW_MASS:g}"
    return Table(
        id="label-mass",
        title=Phrase("Probability that a label comes next", "次が記号である確率"),
        columns=(
            RUN,
            Phrase("answers", "回答数"),
            Phrase("median", "中央値"),
            Phrase("lowest", "最小"),
            Phrase(f"below {below}", f"{below} 未満"),
        ),
        rows=tuple(rows),
        note=Phrase(
            "Where it is low the model was about to write something other than a label.",
            "低い場合、モデルは記号以外を書こうとしていた。",
        ),
    )


def _confusion(run: ReportRun) -> Table:
    columns = (*LABELS, None)
    rows: list[tuple[Cell, ...]] = []
    for gold in LABELS:
        of = [answer for answer in run.answers if answer.gold == gold]
        counts = [sum(answer.predicted == label for answer in of) for label in columns]
        rows.append(
            (
                Phrase(f"gold {gold}", f"正解 {gold}"),
                *(
                    Share(n, n / len(of) if of else 0.0, label == gold)
                    for n, label in zip(counts, columns, strict=True)
                ),
            )
        )
    return Table(
        id=f"confusion-{run.id}",
        title=Phrase(
            f"Right label (rows) against answer (columns): {run.title}",
            f"正解（行）と回答（列）：{run.title}",
        ),
        columns=(WORDS["gold"], *LABELS, WORDS["unparsed"]),
        rows=tuple(rows),
    )
