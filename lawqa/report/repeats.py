"""What asking in several orders, asking several times and forcing answers show, as plain text."""

from __future__ import annotations

from lawqa.report.table import aligned
from lawqa.scoring import Accuracy, LabelMass, PermutationSummary, VoteSummary


def orders_text(found: PermutationSummary) -> str:
    """Accuracy by choice order, the consistency, and the accuracy of the averaged answer."""
    cells = [["order", "accuracy", "95 % interval", "n"]]
    cells += [
        [order, f"{a.value:.1%}", _interval(a), str(a.asked)] for order, a in found.by_order.items()
    ]
    if found.averaged is not None:
        a = found.averaged
        cells.append(["averaged answer", f"{a.value:.1%}", _interval(a), str(a.asked)])
    lines = [aligned(cells)]
    if found.consistency is not None:
        lines.append(
            f"same choice in every order: {found.consistent} of {found.questions} questions "
            f"({found.consistency:.1%})"
        )
    if found.left_out:
        lines.append(f"asked in some orders only: {found.left_out} questions")
    return "\n".join(lines)


def votes_text(found: VoteSummary) -> str:
    """The accuracy of the majority beside that of each sample."""
    a, singles = found.accuracy, [one.value for one in found.by_sample]
    lines = [
        f"majority of {found.samples}: {a.value:.1%} ({_interval(a)}), {a.correct} / {a.asked}; "
        f"samples agree to {found.agreement:.1%}",
        f"single samples: {', '.join(f'{value:.1%}' for value in singles)}",
    ]
    if found.undecided:
        lines.append(f"no sample gave an answer: {found.undecided} questions")
    return "\n".join(lines)


def forced_text(accuracy: Accuracy, *, unanswered: int, forced: int, failed: int) -> str:
    """The accuracy with forced answers, which is not the accuracy of the run.

    Args:
        accuracy: with forced answers counted like others.
        unanswered: texts that gave no answer.
        forced: of them, those with a forced one.
        failed: of them, those for which the backend broke.
    """
    text = (
        f"with forced answers: {accuracy.value:.1%} ({_interval(accuracy)}), {accuracy.correct} / "
        f"{accuracy.asked}; {forced} of {unanswered} texts without an answer were made to give one"
    )
    return f"{text}, {failed} failed" if failed else text


def mass_text(found: LabelMass, what: str) -> str:
    """How much of the next token's probability the labels had.

    Args:
        found: the figures.
        what: of which answers.
    """
    return (
        f"label mass of {found.scored} {what}: median {found.median:.2g}, lowest {found.lowest:.2g}; "
        f"below {found.threshold:g} in {found.low} ({found.share:.1%})"
    )


def _interval(accuracy: Accuracy) -> str:
    return f"{accuracy.interval.low:.1%} - {accuracy.interval.high:.1%}"
