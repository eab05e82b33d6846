"""The base ladder: one loaded model asked in every way, the cheapest first, each rung a run of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lawqa.amounts import counted
from lawqa.backends.base import Backend, RendersPrompts
from lawqa.bars import Say, duration
from lawqa.errors import ConfigError, DataError
from lawqa.files import read_json
from lawqa.pipelines.adapters.manifest import AdapterManifest
from lawqa.pipelines.evaluation.config import EvaluationConfig
from lawqa.pipelines.evaluation.evaluate import PartAsked, evaluate_job, open_backend
from lawqa.pipelines.evaluation.interrupts import signals_interrupt
from lawqa.pipelines.evaluation.job import Job, prepare_evaluation
from lawqa.pipelines.evaluation.opening import BackendFactory
from lawqa.pipelines.evaluation.ranks import Ranks
from lawqa.pipelines.experiments.ladder.halves import Halves, halves_of
from lawqa.pipelines.experiments.ladder.pace import Clock, Pace, TimeUp, measured_pace, timed
from lawqa.pipelines.experiments.ladder.result import LadderResult, ladder_result
from lawqa.pipelines.experiments.ladder.rungs import Rung
from lawqa.pipelines.experiments.ladder.waiting import Waiting, forecast, plan_lines
from lawqa.pipelines.experiments.ladder.wordings import chosen_wordings, tried_wordings
from lawqa.prompting import prompt_thought, require_outside
from lawqa.runs.directory import SUMMARY
from lawqa.runs.manifest import MANIFEST
from lawqa.runs.outputs import require_directory
from lawqa.settings import Settings


@dataclass(frozen=True)
class LadderConfig(Settings):
    """What is asked in which ways."""

    run_dir: Path
    """Where the rungs' run directories, the table and the report go."""
    rungs: tuple[tuple[Rung, EvaluationConfig], ...]
    """The rungs, and how each is asked; their run directories are named by the ladder. One in another wording
    asks the tuning half, and the rest only where it is the best wording there."""
    seed: int = 0
    """Decides which half of the questions settings are chosen on."""
    time_budget: float | None = None
    """Minutes after which nothing more is asked; None for as long as it takes."""
    prior_correction: bool = False
    """Show beside direct answers what they are without the prior of the letters."""
    fresh: bool = False
    """Replace the rungs that are there already."""
    left_out: tuple[str, ...] = ()
    """A sentence on each kind of rung that the caller did not ask for; they are reported."""
    notes: tuple[str, ...] = ()
    """What else is said before anything is asked."""


class _OneModel:
    """The model of all rungs, loaded when the first of them needs it."""

    def __init__(self, factory: BackendFactory, deadline: float | None, clock: Clock) -> None:
        self._factory, self._deadline, self._clock = factory, deadline, clock
        self._opened: Backend | None = None

    def __call__(self, config: EvaluationConfig, adapter: AdapterManifest | None = None) -> Backend:
        return timed(self.untimed(config, adapter), self._deadline, self._clock)

    def untimed(self, config: EvaluationConfig, adapter: AdapterManifest | None = None) -> Backend:
        """Return the backend itself."""
        if self._opened is None:
            self._opened = self._factory(config, adapter)
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
    _require_one_process()
    _require_directory(config.run_dir)
    deadline = None if config.time_budget is None else clock() + 60 * config.time_budget
    model = _OneModel(backend_factory or open_backend, deadline, clock)
    with signals_interrupt():
        jobs = [(rung, _job(config, rung, asked)) for rung, asked in config.rungs]
        halves = halves_of(jobs[0][1].questions, config.seed)
        rungs = [Waiting.of(rung, job, _part(rung, halves)) for rung, job in jobs]
        _summarise_whole(rungs, model, say)
        left_out = list(config.left_out)
        for line in (*config.notes, *left_out):
            say(line)
        if any(not one.whole for one in rungs):
            rungs, others = _askable(rungs, model)
            for line in others:
                say(line)
            left_out += others
            if not rungs:
                raise ConfigError(f"no rung can be asked: {'; '.join(others)}")
        asking = _Asking(model, deadline, say, clock)
        left = asking.ask(rungs)
        trials = tried_wordings(rungs, left, halves)
        winners = [_whole_of(one) for one in rungs if one.rung in chosen_wordings(trials)]
        left += [one for one in winners if not one.whole] if left else asking.ask(winners)
    return ladder_result(
        config.run_dir,
        _finished(config, [*rungs, *winners], left),
        jobs[0][1].questions,
        seed=config.seed,
        prior_correction=config.prior_correction,
        trials=trials,
        left_out=left_out,
        unfinished=[one.left for one in left],
    )


def _require_one_process() -> None:
    if Ranks.of(os.environ).several:
        raise ConfigError(
            "lawqa ladder runs in one process", "lawqa evaluate  can be split over several"
        )


def _summarise_whole(rungs: Sequence[Waiting], model: _OneModel, say: Say) -> None:
    """Write the summaries of rungs that are answered and have none; this asks the model nothing."""
    for one in rungs:
        if one.whole and one.part is None and not _has_summary(one.job.run_dir):
            evaluate_job(one.job, model, say)


def _finished(
    config: LadderConfig, asked: Sequence[Waiting], left: Sequence[Waiting]
) -> list[tuple[Rung, Path]]:
    """Return the rungs that are whole with their run directories, in the sequence of the ladder."""
    unfinished = {one.rung for one in left}
    sequence = [rung.first for rung, _ in config.rungs]
    finished = sorted(
        (one for one in asked if one.part is None and one.rung not in unfinished),
        key=lambda one: sequence.index(one.rung.first),
    )
    return [(one.rung, one.job.run_dir) for one in finished]


def _require_directory(path: Path) -> None:
    """Make sure, before a model is loaded, that rungs can be put there."""
    require_directory(path, "--run-dir")
    if (path / MANIFEST).exists():
        raise ConfigError(
            f"--run-dir {path}: holds a run of its own, and the ladder's runs go below it",
            "name another directory",
        )


def _has_summary(run_dir: Path) -> bool:
    try:
        return "notes" in read_json(run_dir / SUMMARY)
    except DataError:
        return False


def _job(config: LadderConfig, rung: Rung, asked: EvaluationConfig) -> Job:
    """Return a rung with everything checked that can be checked without a model."""
    run_dir = config.run_dir / rung.name
    resumes = not config.fresh and (run_dir / MANIFEST).is_file()
    return prepare_evaluation(replace(asked, run_dir=run_dir, resume=resumes, fresh=config.fresh))


def _part(rung: Rung, halves: Halves | None) -> frozenset[str] | None:
    """Return the questions that a rung asks at first: in another wording those of the tuning half."""
    if not rung.wording:
        return None
    if halves is None:
        raise ConfigError(
            "the questions are of one group: no half of them can choose a wording for the other",
            "give one --prompt, or more questions",
        )
    return halves.tuning


def _resumed(job: Job) -> Job:
    return replace(job, config=replace(job.config, resume=True, fresh=False))


def _whole_of(one: Waiting) -> Waiting:
    """Return all questions of a rung of which a part is asked."""
    return Waiting.of(one.rung, _resumed(one.job))


def _askable(rungs: Sequence[Waiting], model: _OneModel) -> tuple[list[Waiting], list[str]]:
    """Return the rungs that this model can be asked, and a line on the others."""
    kept: list[Waiting] = []
    why: dict[str, list[str]] = {}
    for one in rungs:
        problem = None if one.whole else _problem(one.job, model.untimed(one.job.config))
        if problem is None:
            kept.append(one)
        else:
            why.setdefault(problem, []).append(one.rung.name)
    return kept, [f"left out: {', '.join(names)}: {problem}" for problem, names in why.items()]


def _problem(job: Job, backend: Backend) -> str | None:
    """Return why this model cannot be asked so; None where it can."""
    if not isinstance(backend, RendersPrompts):
        return None
    try:
        text = backend.render(job.prompts[0])
        if not job.config.generates:
            require_outside(prompt_thought(text))
    except ConfigError as problem:
        return problem.message
    return None


@dataclass
class _Asking:
    """Asks rungs as long as there is time."""

    model: _OneModel
    deadline: float | None
    say: Say
    clock: Clock
    pace: Pace | None = None
    """How fast the model is; None before anything was asked."""

    def ask(self, rungs: Sequence[Waiting]) -> list[Waiting]:
        """Ask what is left of the rungs, and return those that the time budget did not reach."""
        waiting = [one for one in rungs if not one.whole]
        if done := len(rungs) - len(waiting):
            self.say(f"{done} of {counted(len(rungs), 'rung')} done already")
        if not waiting:
            return []
        try:
            pace = self._pace(waiting)
        except TimeUp:
            return waiting
        # The ladder itself before other wordings of it; of the same forecast the simpler rung comes first, as
        # they were given.
        waiting.sort(key=lambda one: (bool(one.rung.wording), forecast([one], pace).most))
        for line in plan_lines(waiting, pace, self._seconds_left()):
            self.say(line)
        while waiting:
            try:
                self._ask_next(waiting)
            except TimeUp:
                first = waiting[0]
                return [Waiting.of(first.rung, _resumed(first.job), first.part), *waiting[1:]]
            waiting = waiting[1:]
        return []

    def _pace(self, waiting: Sequence[Waiting]) -> Pace:
        if self.pace is None:
            backend = self.model(waiting[0].job.config)
            self.pace = measured_pace(backend, [one.job for one in waiting], self.clock)
        return self.pace

    def _seconds_left(self) -> float | None:
        return None if self.deadline is None else self.deadline - self.clock()

    def _ask_next(self, waiting: Sequence[Waiting]) -> None:
        """Ask the first of these, and say what it gave and what the others take.

        Raises:
            TimeUp: the time budget is used up.
        """
        one, others = waiting[0], waiting[1:]
        if self.deadline is not None and self.clock() >= self.deadline:
            raise TimeUp
        expected, began = forecast([one], self._pace(waiting)), self.clock()
        tokens, reached = 0, "the tuning half is asked"
        try:
            result = evaluate_job(one.job, self.model, self._indented, one.part)
        except PartAsked:
            pass
        else:
            tokens = result.figures.texts.completion_tokens if result.figures.texts else 0
            final = result.summary.final.accuracy
            reached = f"{final.value:.1%} of {counted(final.asked, 'question')}"
        seconds = self.clock() - began
        if not one.known and one.part is None:
            self.pace = self._pace(waiting).after(one.load, tokens, seconds)
        rest = forecast(others, self._pace(waiting))
        self.say(
            f"{one.rung.name}: {reached} in {duration(seconds)} (forecast {expected})"
            + (f"; the other {len(others)}: {rest}" if others else "")
        )

    def _indented(self, line: str) -> None:
        self.say(f"  {line}")
