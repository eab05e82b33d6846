"""What is printed of a selection: what became of the samples, every filter's count, the labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lawqa.amounts import counted

if TYPE_CHECKING:
    from lawqa.pipelines.experiments.pool.pairs import Pairing
    from lawqa.pipelines.experiments.pool.selecting import Selection


def selection_text(selection: Selection, output: Path) -> str:
    """Return what a user sees of a selection, the records last."""
    from lawqa.report.table import Table, render_text

    verdicts = ", ".join(f"{n} {verdict}" for verdict, n in sorted(selection.verdicts.items()))
    rows = [[name, *map(str, counts)] for name, counts in selection.filters.items()]
    labels = "  ".join(f"{label} {count}" for label, count in selection.labels.items())
    uneven = selection.verdicts.get("uneven labels", 0)
    return "\n".join(
        [
            f"samples: {verdicts}",
            render_text(Table(["filter", "passed", "failed", "not checked"], rows)),
            *(f"right answers, {law}: {share:.1%}" for law, share in selection.acceptance.items()),
            f"hard questions (one sample to half of the samples right): {selection.hard} of "
            f"{selection.questions}",
            f"labels of the records: {labels}",
            *(
                [
                    f"{uneven} left out so that labels are even: --no-even-labels keeps them, and samples "
                    "over 4 orders of the choices (--permutations 4) lose fewer"
                ]
                if uneven
                else []
            ),
            f"wrote {counted(len(selection.records), f'{selection.spec.id} record')} on "
            f"{selection.covered} of "
            f"{counted(selection.questions, 'question')} to {output}",
        ]
    )


def pairing_text(pairing: Pairing, output: Path) -> str:
    """Return what a user sees of pairs, how many were written last."""
    verdicts = ", ".join(f"{n} {verdict}" for verdict, n in sorted(pairing.verdicts.items()))
    labels = "  ".join(f"{label} {count}" for label, count in pairing.labels.items())
    right, wrong = pairing.lengths
    return "\n".join(
        [
            f"samples: {verdicts}",
            f"to be paired: {pairing.right} right ones that pass the filters, {pairing.wrong} wrong ones "
            "that reason and commit to a choice",
            f"questions: {pairing.paired} of {pairing.questions} have pairs; {pairing.one_sided} have right "
            "or wrong ones alone in every order",
            f"labels of the right answers: {labels}; mean characters: right {right}, wrong {wrong}",
            f"wrote {counted(len(pairing.pairs), 'pair')} ({pairing.spec.id}) to {output}",
            f"lawqa prefer --pairs {output} --init-adapter DIR --output-dir DIR  learns from them",
        ]
    )
