"""What the ladder has left to ask, and the lines that forecast it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lawqa.amounts import counted
from lawqa.bars import duration
from lawqa.made import where
from lawqa.pipelines.evaluation.asked import question_of
from lawqa.pipelines.evaluation.gathering import is_whole
from lawqa.pipelines.evaluation.job import Job
from lawqa.pipelines.evaluation.resume import earlier_run
from lawqa.pipelines.experiments.ladder.pace import (
    NO_TIME,
    SHORT_TEXTS,
    SLOWEST,
    Load,
    Pace,
    Span,
)
from lawqa.pipelines.experiments.ladder.rungs import Rung
from lawqa.runs.result_log import StoredResults, read_results
from lawqa.runs.rows import Asked


@dataclass(frozen=True)
class Waiting:
    """A rung, or a part of it, with what is left to ask."""

    rung: Rung
    job: Job
    part: frozenset[str] | None
    """Ids of the only questions that are asked; None for all."""
    asked: int
    """How many answers it asks for."""
    known: int
    """How many of them are known."""
    whole: bool
    """Whether nothing is left to do, its summary included."""

    @classmethod
    def of(cls, rung: Rung, job: Job, part: frozenset[str] | None = None) -> Waiting:
        """Look into the rung's run directory.

        Raises:
            ConfigError: it holds another run.
            DataError: it cannot be read.
        """
        keys = job.keys
        if part is not None:
            keys = where(keys, lambda key: question_of(key) in part)
        earlier = earlier_run(job)
        if earlier is None:
            return cls(rung, job, part, len(keys), 0, whole=False)
        asked = Asked.of(earlier)
        stored = read_results(job.run_dir, asked=asked, into=StoredResults())
        known = sum(stored.results.state(key) != "failed" for key in keys)
        done = earlier.status == "done" and is_whole(job, stored)
        return cls(rung, job, part, len(keys), known, known == len(keys) if part else done)

    @property
    def load(self) -> Load:
        """What is left to read and to write."""
        return Load.of(self.job, self.known, self.asked)

    @property
    def left(self) -> str:
        """What is known of it, in words."""
        among = "" if self.part is None else " of the tuning half"
        return f"{self.rung.name} ({self.known} of {counted(self.asked, 'answer')}{among} known)"


def forecast(waiting: Iterable[Waiting], pace: Pace) -> Span:
    """Return how long these take together, as far as the pace is known."""
    return sum((pace.seconds(one.load) or NO_TIME for one in waiting), NO_TIME)


def plan_lines(waiting: Sequence[Waiting], pace: Pace, seconds_left: float | None) -> list[str]:
    """Return what is asked, in which sequence, how long it takes, by what that is judged, and what of it
    fits.

    Args:
        waiting: in the sequence in which it is asked.
        pace: how fast the model was in a short trial.
        seconds_left: of the time budget; None where there is none.
    """
    lines = [
        f"{counted(len(waiting), 'rung')} to ask, the cheapest first; {_basis(pace, waiting)}:"
    ]
    width = max(len(one.rung.name) for one in waiting)
    passed = NO_TIME
    for one in waiting:
        need = pace.seconds(one.load)
        passed += need or NO_TIME
        known = f", {one.known} known" if one.known else ""
        half = ", tuning half" if one.part is not None else ""
        lines.append(
            f"  {one.rung.name:<{width}} {one.asked:>6} answer{'s' if one.asked != 1 else ''}{half}{known}, "
            + (f"{need}{_fits(passed, seconds_left)}" if need else "time not known")
        )
    if seconds_left is None:
        return [*lines, f"in all {passed}"]
    return [
        *lines,
        f"in all {passed}; {duration(max(0.0, seconds_left))} of the time budget are left, then it stops "
        "between two answers and the same command resumes",
    ]


def _basis(pace: Pace, waiting: Sequence[Waiting]) -> str:
    trial = pace.trial
    if trial is None:
        return "nothing is known of the time"
    read = f"{counted(trial.prompts, 'prompt')} read"
    if not any(one.job.config.generates for one in waiting):
        return (
            f"times by a trial of {duration(trial.seconds)} ({read}): at its speed, to {SLOWEST} times that, "
            "as under other load"
        )
    written = f"{counted(trial.tokens, 'token')} written"
    return (
        f"times by a trial of {duration(trial.seconds)} ({read}, {written}): from texts "
        f"{SHORT_TEXTS:.0%} as long as they may get, to {SLOWEST} times the time of full length, as under "
        "other load"
    )


def _fits(passed: Span, seconds_left: float | None) -> str:
    if seconds_left is None:
        return ""
    if passed.most <= seconds_left:
        return "  fits"
    return "  may fit" if passed.least <= seconds_left else "  does not fit"
