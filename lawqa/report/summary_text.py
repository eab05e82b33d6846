"""The figures of runs as plain text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lawqa.amounts import counted, percent
from lawqa.report.figures import (
    constant_floor,
    interval_text,
    label_counts,
    lost_answers,
    ties_text,
    votes_curve_text,
)
from lawqa.report.table import Table, render_text
from lawqa.runs.text_figures import TextFigures
from lawqa.scoring import Accuracy, LabelMass, PermutationSummary, Summary, VoteSummary

_RETRIEVAL = {"hit": "gold article retrieved", "miss": "gold article not retrieved"}


def summary_table(runs: Mapping[str, Summary]) -> str:
    """Return the figures of runs as text.

    Args:
        runs: summaries by column title.
    """
    return render_text(summary_figures(runs))


def summary_figures(runs: Mapping[str, Summary]) -> Table:
    """Return the accuracy of the final answers first, with everything that must travel with it, a column a
    run.

    Args:
        runs: summaries by column title.
    """
    single_prompts = all(s.final.by == "plain" and s.n == s.questions for s in runs.values())
    rows: list[tuple[str, Callable[[Summary], str]]] = [
        ("accuracy", lambda s: percent(s.final.accuracy.value)),
        ("95% interval (Wilson)", lambda s: interval_text(s.final.accuracy.interval)),
        ("correct / asked", lambda s: _of(s.final.accuracy)),
    ]
    if not single_prompts:
        rows.insert(0, ("final answer", lambda s: s.final.name))
        rows += [
            ("single prompts", lambda s: percent(s.accuracy.value)),
            ("95% interval (clustered)", lambda s: interval_text(s.accuracy.interval)),
            ("correct / prompts", lambda s: _of(s.accuracy)),
        ]
    if any(s.final.ties for s in runs.values()):
        rows.append(("ties (accuracy if shared)", ties_text))
    if any(s.final.votes for s in runs.values()):
        rows.append(("vote of k prompts", lambda s: votes_curve_text(s.final.votes) or "-"))
    rows += [
        ("unparsed / truncated / failed", lost_answers),
        ("answers a b c d", lambda s: label_counts(s.predicted)),
        ("gold a b c d", lambda s: label_counts(s.gold)),
        ("floor: guessing", lambda s: percent(s.floors.chance)),
        ("floor: one letter always", constant_floor),
    ]
    if any(summary.soft for summary in runs.values()):
        rows.insert(5, ("of them soft (only called likely)", lambda s: str(s.soft)))
    cells = [(name, *(show(summary) for summary in runs.values())) for name, show in rows]
    return Table(("", *runs), cells)


def law_table(summary: Summary) -> str:
    """Return the accuracy by law with its interval, as text."""
    return render_text(law_figures(summary))


def law_figures(summary: Summary) -> Table:
    """Return the accuracy by law with its interval."""
    return _by(
        _heading("law", summary), {law or "(unknown)": a for law, a in summary.by_law.items()}
    )


def retrieval_table(summary: Summary) -> str:
    """Return the accuracy where a gold article was retrieved, and where none was, as text."""
    return render_text(retrieval_figures(summary))


def retrieval_figures(summary: Summary) -> Table:
    """Return the accuracy where a gold article was retrieved, and where none was."""
    return _by(
        _heading("retrieval", summary),
        {_RETRIEVAL[key]: a for key, a in summary.by_retrieval.items()},
    )


def orders_text(orders: PermutationSummary) -> str:
    """Return the accuracy by choice order, the consistency, and the accuracy of the averaged answer."""
    rows = dict(orders.by_order)
    if orders.averaged is not None:
        rows["averaged answer"] = orders.averaged
    lines = [render_text(_by("order", rows))]
    if orders.consistency is not None:
        lines.append(
            f"same choice in every order: {orders.consistent:,} of {counted(orders.questions, 'question')} "
            f"({percent(orders.consistency)})"
        )
    if orders.left_out:
        lines.append(f"asked in some orders only: {counted(orders.left_out, 'question')}")
    return "\n".join(lines)


def votes_text(votes: VoteSummary) -> str:
    """Return the accuracy of the majority beside that of each sample."""
    a = votes.accuracy
    lines = [
        f"majority of {votes.samples}: {_accuracy(a)}; samples agree to {percent(votes.agreement)}",
        f"single samples: {', '.join(percent(sample.value) for sample in votes.by_sample)}",
    ]
    if votes.undecided:
        lines.append(f"no sample gave an answer: {counted(votes.undecided, 'question')}")
    return "\n".join(lines)


def forced_text(accuracy: Accuracy, *, unanswered: int, forced: int, failed: int) -> str:
    """Return the accuracy with forced answers, which is not the accuracy of the run.

    Args:
        accuracy: with forced answers counted like others.
        unanswered: texts that gave no answer.
        forced: of them, those with a forced one.
        failed: of them, those for which the backend broke.
    """
    text = (
        f"with forced answers: {_accuracy(accuracy)}; an answer was forced for {forced:,} of "
        f"{counted(unanswered, 'text')} without one"
    )
    return f"{text}, {failed} failed" if failed else text


def mass_text(mass: LabelMass, *what: str) -> str:
    """Return how much of the next token's probability the labels had.

    Args:
        mass: the figures.
        what: what one of the answers is called, and several where that is not the same with an s.
    """
    return (
        f"label mass of {counted(mass.scored, *what)}: median {mass.median:.2g}, lowest {mass.lowest:.2g}; "
        f"below {mass.threshold:g} in {mass.low:,} ({percent(mass.share)})"
    )


def texts_text(texts: TextFigures, run: str = "") -> str:
    """Return how texts ended, how long they were, what limits cost, and what label probabilities say beside
    them.

    Args:
        texts: the figures.
        run: the run's name, where there are several.
    """
    ends = ", ".join(f"{count:,} {reason}" for reason, count in texts.stopped.items())
    closed = texts.thinking_closed
    lines = [
        (f"{run}: " if run else "")
        + f"texts ended by: {ends}"
        + (f"; {closed} think blocks closed" if closed else ""),
        f"tokens a text: median {texts.median_tokens:,.0f}, 90% have at most {texts.p90_tokens:,.0f}; "
        f"{texts.completion_tokens:,} in all",
    ]
    if texts.budget is not None:
        lines.append(f"closed at the thinking budget (budget): {_accuracy(texts.budget)}")
    if texts.limits is not None:
        limits = texts.limits
        lines += [
            f"ran into a limit: {limits.answers} ({percent(limits.share)}), {limits.cut} of them cut off: "
            f"{_accuracy(limits.accuracy)}"
            + (f"; the others: {_accuracy(limits.others)}" if limits.others else ""),
            limits.sentence,
        ]
    if texts.by_probability is not None:
        lines.append(
            f"label probabilities after {counted(texts.scored, 'text')}: the likeliest label is right for "
            f"{_accuracy(texts.by_probability)}; text and likeliest label disagree in {texts.disagree:,} "
            f"of {texts.named:,} that name a label"
        )
    return "\n".join(lines)


def _heading(name: str, summary: Summary) -> str:
    """Return what a column of groups is called: where a question has several prompts, they are counted."""
    return name if summary.n == summary.questions else f"{name} (single prompts)"


def _of(a: Accuracy) -> str:
    """Return the right among those asked."""
    return f"{a.correct:,} / {a.asked:,}"


def _by(heading: str, groups: Mapping[str, Accuracy]) -> Table:
    rows = [
        (name, percent(a.value), interval_text(a.interval), f"{a.asked:,}")
        for name, a in groups.items()
    ]
    return Table((heading, "accuracy", "95% interval", "n"), rows)


def _accuracy(a: Accuracy) -> str:
    return f"{percent(a.value)} ({interval_text(a.interval)}), {_of(a)}"
