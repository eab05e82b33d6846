"""What `lawqa ladder` prints when it is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lawqa.amounts import percent
from lawqa.bars import duration
from lawqa.report.figures import interval_text
from lawqa.report.table import Table, render_text
from lawqa.scoring import Accuracy
from lawqa.scoring.comparisons import difference_line, judge_by_holm

if TYPE_CHECKING:
    from lawqa.pipelines.experiments.ladder.result import LadderResult, RungResult
    from lawqa.runs.text_figures import TextFigures

_COLUMNS = ("rung", "all", "95% interval", "right", "tuning half", "other half", "time")
_TEXT_COLUMNS = ("tokens: median / 90%", "at a limit")


def ladder_text(result: LadderResult, again: str) -> str:
    """Return the table, what was chosen on the tuning half with what it is worth on the other, and where all
    is.

    Args:
        result: the ladder as far as it was asked.
        again: how to ask the rest.
    """
    lines = [
        f"! {one.rung.name}: {note}" for one in result.rungs for note in dict.fromkeys(one.notes)
    ]
    if result.rungs:
        lines.append(render_text(_table(result.rungs)))
        lines += _limit_lines(result.rungs)
    if result.unfinished:
        lines.append(f"time is up; still to ask: {', '.join(result.unfinished)}; {again}")
    lines += result.left_out
    lines += _wording_lines(result)
    lines += [f"{name}: {effect.sentence}" for name, effect in result.priors]
    if result.choices:
        lines += ["", *_choice_lines(result)]
    elif result.rungs and result.halves is None:
        lines.append("the questions are of one group: no half of them can choose for the other")
    if result.report is not None:
        lines += ["", f"report: {result.report}", f"runs: {result.run_dir}"]
    return "\n".join(lines)


def _table(rungs: Sequence[RungResult]) -> Table:
    """Return the rungs, with the length of their texts where one of them wrote any."""
    if all(one.texts is None for one in rungs):
        return Table(_COLUMNS, [_row(one) for one in rungs])
    return Table(_COLUMNS + _TEXT_COLUMNS, [_row(one) + _text_cells(one.texts) for one in rungs])


def _text_cells(texts: TextFigures | None) -> tuple[str, ...]:
    if texts is None:
        return ("-", "-")
    return (
        f"{texts.median_tokens:,.0f} / {texts.p90_tokens:,.0f}",
        percent(texts.limits.share if texts.limits else 0.0),
    )


def _limit_lines(rungs: Sequence[RungResult]) -> list[str]:
    """Return what a larger limit would have changed, of single texts, not of final answers."""
    limited = {one.rung.name: one.texts.limits for one in rungs if one.texts and one.texts.limits}
    if not limited:
        return []
    return [
        "texts that ran into --max-new-tokens, --thinking-budget or the memory:",
        *(
            f"  {name}: {limits.answers}, {limits.cut} of them cut off, {percent(limits.accuracy.value)} of "
            f"them right; {limits.sentence}"
            for name, limits in limited.items()
        ),
    ]


def _row(one: RungResult) -> tuple[str, ...]:
    a = one.whole
    return (
        one.rung.name,
        percent(a.value),
        interval_text(a.interval),
        f"{a.correct} / {a.asked}",
        _of_half(one.tuning),
        _of_half(one.judged),
        duration(one.seconds),
    )


def _of_half(accuracy: Accuracy | None) -> str:
    return f"{percent(accuracy.value)} of {accuracy.asked}" if accuracy else "-"


def _wording_lines(result: LadderResult) -> list[str]:
    if not result.wordings:
        return []
    judged = judge_by_holm({t.rung.name: t.judged for t in result.wordings if t.judged is not None})
    lines = ["wordings, compared on the tuning half:"]
    for trial in result.wordings:
        kept = (
            f"{trial.rung.wording} is asked"
            if trial.chosen
            else f"no better than {trial.first_wording}"
        )
        lines.append(
            f"  {trial.rung.first.name}: {trial.rung.wording} {_of_half(trial.tuning)}, "
            f"{trial.first_wording} {_of_half(trial.first)}: {kept}"
        )
        if trial.rung.name in judged:
            other = difference_line(
                trial.rung.wording, trial.first_wording, judged[trial.rung.name]
            )
            lines.append(f"    on the other half {other}")
    return lines


def _choice_lines(result: LadderResult) -> list[str]:
    judged = judge_by_holm(
        {c.condition: c.comparison for c in result.choices if c.comparison is not None}
    )
    lines = ["chosen on the tuning half, judged on the other:"]
    for choice in result.choices:
        among = "of all" if choice.condition == "any" else choice.condition
        other = choice.judged
        lines.append(
            f"  {among}: {choice.name} ({percent(choice.tuning.value)}); on the other half "
            f"{percent(other.value)} ({interval_text(other.interval)}, {other.correct} / {other.asked})"
        )
        if choice.condition in judged:
            shown = difference_line(choice.name, choice.baseline, judged[choice.condition])
            lines.append(f"    {shown}")
    return lines
