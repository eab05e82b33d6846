"""The base ladder: one loaded model asked in every way, the cheapest first, each rung a run of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lawqa.backends.base import Backend, RendersPrompts
from lawqa.bars import duration
from lawqa.errors import ConfigError
from lawqa.pipelines.adapters.manifest import AdapterManifest
from lawqa.pipelines.evaluation.config import EvaluationConfig
from lawqa.pipelines.evaluation.evaluate import evaluate_job, open_backend
from lawqa.pipelines.evaluation.gathering import is_whole
from lawqa.pipelines.evaluation.interrupts import signals_interrupt
from lawqa.pipelines.evaluation.job import Job, prepare
from lawqa.pipelines.evaluation.opening import BackendFactory
from lawqa.pipelines.evaluation.ranks import Ranks
from lawqa.pipelines.evaluation.resume import earlier_run
from lawqa.pipelines.experiments.ladder.pace import (
    Clock,
    Load,
    Pace,
    TimeUp,
    measured_pace,
    timed,
)
from lawqa.pipelines.experiments.ladder.result import LadderResult, ladder_result
from lawqa.pipelines.experiments.ladder.rungs import Rung
from lawqa.prompting import prompt_thought, require_outside
from lawqa.runs.manifest import MANIFEST
from lawqa.runs.result_log import StoredResults, read_results
from lawqa.runs.rows import Asked
from lawqa.settings import Settings

Say = Callable[[str], object]


@dataclass(frozen=True)
class LadderConfig(Settings):
    """What is asked in which ways."""

    run_dir: Path
    """Where the rungs' run directories, the table and the report go."""
    rungs: tuple[tuple[Rung, EvaluationConfig], ...]
    """The rungs, and how each is asked; their run directories are named by the ladder."""
    seed: int = 0
    """Decides which half of the questions settings are chosen on."""
    time_budget: float | None = None
    """Minutes after which nothing more is asked; None for as long as it takes."""
    prior_correction: bool = False
    """Show beside direct answers what they are without the prior of the letters."""
    fresh: bool = False
    """Replace the rungs that are there already."""


@dataclass(frozen=True)
class _Waiting:
    """A rung with what is left of it."""

    rung: Rung
    job: Job
    known: int
    whole: bool

    @property
    def load(self) -> Load:
        return Load.of(self.job, self.known)


class _OneModel:
    """The model of all rungs, loaded when the first of them needs it."""

    def __init__(self, factory: BackendFactory, deadline: float | None, clock: Clock) -> None:
        self._factory, self._deadline, self._clock = factory, deadline, clock
        self._opened: Backend | None = None

    def __call__(self, config: EvaluationConfig, adapter: AdapterManifest | None = None) -> Backend:
        if self._opened is None:
            self._opened = self._factory(config, adapter)
        return timed(self._opened, self._deadline, self._clock)

    def untimed(self, config: EvaluationConfig) -> Backend:
        """The backend itself."""
        if self._opened is None:
            self._opened = self._factory(config, None)
        return self._opened


def run_ladder(
    config: LadderConfig,
    backend_factory: BackendFactory | None = None,
    say: Say = str,
    clock: Clock = time.monotonic,
) -> LadderResult:
    """Ask every rung, the cheapest first; what is answered already is not asked again.

    Args:
        config: what to ask. The same call resumes where an earlier one stopped.
        backend_factory: makes the backend; for callers that hold a loaded model already.
        say: receives what is found and done on the way, a line each.
        clock: seconds; for tests.

    Raises:
        ConfigError: no rung can be asked, a directory holds another run, or several processes were launched.
        LawqaError: a file, option, model or policy does not allow it.
        Interrupted: the process was asked to end; the same call resumes it.
    """
    if Ranks.of(os.environ).several:
        raise ConfigError(
            "lawqa ladder runs in one process", "lawqa evaluate  can be split over several"
        )
    deadline = None if config.time_budget is None else clock() + 60 * config.time_budget
    model = _OneModel(backend_factory or open_backend, deadline, clock)
    with signals_interrupt():
        rungs = [_waiting(config, rung, asked) for rung, asked in config.rungs]
        left_out: list[str] = []
        if any(not one.whole for one in rungs):
            rungs, left_out = _askable(rungs, model)
            for line in left_out:
                say(line)
            if not rungs:
                raise ConfigError(f"no rung can be asked: {'; '.join(left_out)}")
        unfinished = _ask_all(rungs, model, deadline, say, clock)
    finished = [one for one in rungs if one.rung.name not in unfinished]
    return ladder_result(
        config.run_dir,
        [(one.rung, one.job.run_dir) for one in finished],
        rungs[0].job.questions,
        seed=config.seed,
        prior_correction=config.prior_correction,
        left_out=left_out,
        unfinished=unfinished,
    )


def _waiting(config: LadderConfig, rung: Rung, asked: EvaluationConfig) -> _Waiting:
    """A rung with everything checked that can be checked without a model."""
    run_dir = config.run_dir / rung.name
    resumes = not config.fresh and (run_dir / MANIFEST).is_file()
    job = prepare(replace(asked, run_dir=run_dir, resume=resumes, fresh=config.fresh))
    earlier = earlier_run(job)
    if earlier is None:
        return _Waiting(rung, job, 0, whole=False)
    stored = read_results(run_dir, asked=Asked.of(earlier), into=StoredResults(texts=False))
    known = sum(key in stored.results and not stored.results[key].is_failed for key in job.keys)
    whole = earlier.status == "done" and is_whole(job, stored)
    return _Waiting(rung, job, known, whole)


def _askable(rungs: Sequence[_Waiting], model: _OneModel) -> tuple[list[_Waiting], list[str]]:
    """The rungs that this model can be asked, and a line on the others."""
    kept: list[_Waiting] = []
    why: dict[str, list[str]] = {}
    for one in rungs:
        problem = None if one.whole else _problem(one.job, model.untimed(one.job.config))
        if problem is None:
            kept.append(one)
        else:
            why.setdefault(problem, []).append(one.rung.name)
    return kept, [f"left out: {', '.join(names)}: {problem}" for problem, names in why.items()]


def _problem(job: Job, backend: Backend) -> str | None:
    """Why this model cannot be asked so; None where it can."""
    if not isinstance(backend, RendersPrompts):
        return None
    try:
        text = backend.render(job.prompts[0])
        if not job.config.generates:
            require_outside(prompt_thought(text))
    except ConfigError as problem:
        return problem.message
    return None


def _ask_all(
    rungs: Sequence[_Waiting], model: _OneModel, deadline: float | None, say: Say, clock: Clock
) -> list[str]:
    """Ask what is left of the rungs; the names of those that the time budget did not reach."""
    waiting = [one for one in rungs if not one.whole]
    done = len(rungs) - len(waiting)
    if done:
        say(f"{done} of {len(rungs)} rungs are done already")
    if not waiting:
        return []
    backend = model.untimed(waiting[0].job.config)
    pace = measured_pace(backend, [one.job for one in waiting], clock)
    # Of the same forecast the simpler rung comes first, as they were given.
    waiting.sort(key=lambda one: pace.seconds(one.load) or 0.0)
    for line in plan_lines(waiting, pace, None if deadline is None else deadline - clock()):
        say(line)
    for number, one in enumerate(waiting):
        if deadline is not None and clock() >= deadline:
            return [late.rung.name for late in waiting[number:]]
        began = clock()
        try:
            result = evaluate_job(one.job, model, _indented(say))
        except TimeUp:
            return [late.rung.name for late in waiting[number:]]
        seconds = clock() - began
        tokens = result.figures.texts.completion_tokens if result.figures.texts else 0
        if not one.known:
            pace = pace.after(one.load, tokens, seconds)
        final = result.summary.final.accuracy
        rest = [pace.seconds(later.load) for later in waiting[number + 1 :]]
        left = sum(filter(None, rest))
        say(
            f"{one.rung.name}: {final.value:.1%} of {final.asked} questions in {duration(seconds)}"
            + (f"; the other {len(rest)}: at most {duration(left)}" if rest else "")
        )
    return []


def plan_lines(waiting: Sequence[_Waiting], pace: Pace, seconds_left: float | None) -> list[str]:
    """What is asked, in which sequence, how long it takes at most, and what of it fits the time.

    Args:
        waiting: rungs in the sequence in which they are asked.
        pace: how fast the model was in a short trial.
        seconds_left: of the time budget; None where there is none.
    """
    needs = [pace.seconds(one.load) or 0.0 for one in waiting]
    lines = [
        f"{len(waiting)} rungs to ask, the cheapest first; times by a short trial, every text as long as it "
        "may get:"
    ]
    passed = 0.0
    for one, need in zip(waiting, needs, strict=True):
        passed += need
        fits = ""
        if seconds_left is not None:
            fits = "  fits" if passed <= seconds_left else "  may not fit"
        known = f", {one.known} known" if one.known else ""
        lines.append(
            f"  {one.rung.name:<15} {len(one.job.keys):>6} answers{known}, {duration(need)}{fits}"
        )
    whole = f"in all at most {duration(sum(needs))}"
    if seconds_left is None:
        return [*lines, whole]
    return [
        *lines,
        f"{whole}; {duration(max(0.0, seconds_left))} of the time budget are left, then it stops and the "
        "same command resumes",
    ]


def _indented(say: Say) -> Say:
    return lambda line: say(f"  {line}")
