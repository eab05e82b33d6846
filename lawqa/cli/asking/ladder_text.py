"""What `lawqa ladder` prints when it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lawqa.bars import duration
from lawqa.report.figures import interval_text, percent
from lawqa.report.table import Table, render_text
from lawqa.scoring import Accuracy, difference_line, judge_by_holm

if TYPE_CHECKING:
    from lawqa.pipelines.experiments.ladder.result import LadderResult, RungResult

_COLUMNS = ("rung", "all", "95 % interval", "right", "tuning half", "other half", "time")


def ladder_text(result: LadderResult, again: str) -> str:
    """The table, what was chosen on the tuning half with what it is worth on the other, and where all is.

    Args:
        result: the ladder as far as it was asked.
        again: how to ask the rest.
    """
    lines = [
        f"! {one.rung.name}: {note}" for one in result.rungs for note in dict.fromkeys(one.notes)
    ]
    if result.rungs:
        lines.append(render_text(Table(_COLUMNS, [_row(one) for one in result.rungs])))
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
