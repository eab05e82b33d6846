"""What a user reads after an evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lawqa.pipelines.evaluation.evaluate import EvaluationResult


def result_text(result: EvaluationResult) -> str:
    """Return the figures of one run; what must be known first comes first."""
    from lawqa.report.summary_text import (
        forced_text,
        law_table,
        mass_text,
        orders_text,
        retrieval_table,
        summary_table,
        texts_text,
        votes_text,
    )

    figures, summary = result.figures, result.summary
    blocks = [summary_table({"this run": summary}), law_table(summary)]
    if summary.by_retrieval:
        blocks.append(retrieval_table(summary))
    if figures.permutations:
        blocks.append(orders_text(figures.permutations))
    if figures.votes:
        blocks.append(votes_text(figures.votes))
    if figures.forced:
        counts = {
            name: getattr(figures.forced, name) for name in ("unanswered", "forced", "failed")
        }
        blocks.append(forced_text(figures.forced.accuracy, **counts))
    if figures.label_mass:
        blocks.append(mass_text(figures.label_mass, "scored answer"))
    if figures.forced_mass:
        blocks.append(mass_text(figures.forced_mass, "forced answer"))
    if figures.texts:
        blocks.append(texts_text(figures.texts))
        if figures.texts.label_mass:
            blocks.append(
                mass_text(figures.texts.label_mass, "place after texts", "places after texts")
            )
    notes = "".join(f"! {note}\n" for note in result.notes)
    return notes + "\n\n".join([*blocks, f"run: {result.run_dir}"])


def base_text(adapted: EvaluationResult, base: EvaluationResult) -> str:
    """Return the base model beside its adapter, and what `lawqa compare` says of them."""
    from lawqa.report.comparisons import comparison_text, difference_lines
    from lawqa.report.summary_text import summary_table
    from lawqa.scoring.comparisons import compare, judge_by_holm

    names = base.run_dir.name, adapted.run_dir.name
    notes = "".join(f"! {names[0]}: {note}\n" for note in base.notes)
    table = summary_table({names[0]: base.summary, names[1]: adapted.summary})
    text = f"{notes}{table}\n\nrun: {base.run_dir}"
    if base.summary.questions < 2:
        return text  # one question cannot be compared
    compared = {names[1]: compare(base.answers, adapted.answers)}
    said = "\n".join(difference_lines(names[0], judge_by_holm(compared)))
    return f"{said}\n{text}\n\n{comparison_text(names[0], compared)}"
