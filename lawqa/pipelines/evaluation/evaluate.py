"""Evaluation: questions -> prompts -> backend -> parsed answers -> outcomes -> summary."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

from lawqa import stopwatch
from lawqa.amounts import counted
from lawqa.backends.base import Backend
from lawqa.bars import Bar, Say
from lawqa.errors import ConfigError
from lawqa.files import JsonObject, write_json
from lawqa.made import where
from lawqa.pipelines.evaluation.asked import question_of
from lawqa.pipelines.evaluation.asking import ask, force
from lawqa.pipelines.evaluation.config import EvaluationConfig, check_config
from lawqa.pipelines.evaluation.gathering import gather, is_whole, tidy
from lawqa.pipelines.evaluation.interrupts import signals_interrupt
from lawqa.pipelines.evaluation.job import Job, new_run_dir, prepare_evaluation, with_base_notes
from lawqa.pipelines.evaluation.opening import BackendFactory, base_of, open_backend
from lawqa.pipelines.evaluation.progress import Progress
from lawqa.pipelines.evaluation.ranks import Ranks
from lawqa.pipelines.evaluation.resume import (
    as_begun,
    begun_otherwise,
    continued_manifest,
    earlier_run,
    require_same_model,
)
from lawqa.runs.directory import RESULTS, SUMMARY, RunDirectory
from lawqa.runs.figures import Figures, figures_of
from lawqa.runs.manifest import SCHEMA_VERSION, Manifest, ending, now
from lawqa.runs.result_log import ResultLog, StoredResults, read_results
from lawqa.runs.rows import Asked
from lawqa.runs.upkeep.lock import LOCK, locked_directory, require_free
from lawqa.scoring import ScoredAnswer, Summary
from lawqa.settings import checks_arguments

__all__ = [
    "EvaluationConfig",
    "EvaluationResult",
    "evaluate",
    "evaluate_job",
    "evaluate_with_base",
    "new_run_dir",
    "open_backend",
]


class PartAsked(KeyboardInterrupt):
    """The part of the questions that was to be asked is answered; the run can be resumed."""


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EvaluationResult:
    """A finished evaluation."""

    figures: Figures
    notes: tuple[str, ...]
    """What a reader must know first."""
    run_dir: Path
    """Where everything is."""

    @property
    def summary(self) -> Summary:
        """Accuracy with everything that must travel with it."""
        return self.figures.summary

    @property
    def answers(self) -> tuple[ScoredAnswer, ...]:
        """What the figures were made from, in the sequence of the questions."""
        return self.figures.answers

    def _repr_html_(self) -> str:
        from lawqa.report.notebook import summary_html  # for notebooks only

        return summary_html({"this run": self.summary}, self.notes, str(self.run_dir))


@checks_arguments
def evaluate(
    config: EvaluationConfig, backend_factory: BackendFactory | None = None, say: Say = str
) -> EvaluationResult:
    """Ask all questions, or those that an earlier run left, and score the answers.

    Everything that can be wrong with the options and files is checked before a model is loaded.

    Example:
        >>> import lawqa
        >>> lawqa.evaluate(lawqa.EvaluationConfig("none.json", backend="scripted", script="script.json"))
        Traceback (most recent call last):
        lawqa.errors.DataError: none.json: no such file

    Args:
        config: what to do.
        backend_factory: makes the backend; for callers that hold a loaded model already.
        say: receives what is done on the way, a line each; nothing is printed without it.

    Returns:
        All figures, the notes that a reader must know first, and the run directory.

    Raises:
        LawqaError: a file, option, model or policy does not allow it.
        Interrupted: the process was asked to end; `config.resume` resumes it.
    """
    with signals_interrupt():
        return evaluate_job(_prepared(config), backend_factory, say)


def evaluate_job(
    job: Job,
    backend_factory: BackendFactory | None = None,
    say: Say = str,
    part: Collection[str] | None = None,
) -> EvaluationResult:
    """Do an evaluation of which `prepare` has checked everything already; else as `evaluate`.

    Args:
        job: what is asked.
        backend_factory: makes the backend.
        say: receives what is done on the way, a line each.
        part: ids of the only questions that are asked now; None for all.

    Raises:
        PartAsked: a part was asked for and is answered; the run is left as an interrupt leaves it.
    """
    with signals_interrupt():
        factory = backend_factory or open_backend
        return _run(job, lambda: factory(job.config, job.adapter), say, part)


def evaluate_with_base(
    config: EvaluationConfig, backend_factory: BackendFactory | None = None, say: Say = str
) -> tuple[EvaluationResult, EvaluationResult]:
    """Score an adapter, and the base model alone, on the same loaded weights.

    Args:
        config: what to do; the base's run goes beside the adapter's with `-base` added to its name.
        backend_factory: makes the backend with the adapter.
        say: prints what is found and done on the way, a line each.

    Returns:
        The adapter's result and the base model's.

    Raises:
        ConfigError: there is no adapter, or the backend cannot switch it off.
        LawqaError: as for `evaluate`.
    """
    if config.adapter is None:
        raise ConfigError("--with-base needs --hf-lora-path: which adapter is compared?")
    with signals_interrupt():
        adapted = _prepared(replace(config, run_dir=config.run_dir or new_run_dir(config)))
        base = _prepared(_base_config(adapted))
        loaded: list[Backend] = []

        def opened() -> Backend:
            if not loaded:
                loaded.append((backend_factory or open_backend)(adapted.config, adapted.adapter))
            return loaded[0]

        earlier_run(base)  # what it refuses is better known before the first of the two is asked
        result = _run(adapted, opened, say)
        return result, _run(base, lambda: base_of(opened()), say)


def _prepared(config: EvaluationConfig) -> Job:
    ranks = Ranks.of(os.environ)
    if ranks.several and config.run_dir is None:
        raise ConfigError("several processes need --run-dir: they must write into one directory")
    return prepare_evaluation(config, claims=ranks.rank == 0)


def _base_config(adapted: Job) -> EvaluationConfig:
    config, run_dir = adapted.config, adapted.run_dir
    output = config.output
    return replace(
        config,
        adapter=None,
        run_dir=run_dir.with_name(f"{run_dir.name}-base"),
        output=output.with_name(f"{output.stem}-base{output.suffix}") if output else None,
    )


def _run(
    job: Job, opened: Callable[[], Backend], say: Say, part: Collection[str] | None = None
) -> EvaluationResult:
    ranks = Ranks.of(os.environ)
    logger.debug("settings: %s", job.config.to_json())
    if ranks.rank > 0:
        return _take_part(job, opened(), ranks)
    earlier = earlier_run(job)
    job = as_begun(job, earlier)
    if otherwise := begun_otherwise(job):
        say(f"{job.run_dir}: resumed as it was begun: {', '.join(otherwise)}")
    if not earlier:
        check_config(replace(job.config, resume=False))
    if job.config.resume and not earlier:
        say(f"{job.run_dir}: holds no run to resume: a new one begins")
    with ExitStack() as held:
        known = StoredResults()
        if earlier:
            # Held from before the results are read: they are read once, and nobody adds to them meanwhile.
            held.enter_context(locked_directory(job.run_dir))
            read_results(job.run_dir, asked=Asked.of(earlier), into=known)
            if earlier.status == "done" and is_whole(job, known) and not ranks.several:
                say(
                    f"{job.run_dir}: {counted(len(job.keys), 'answer is', 'answers are')} known, "
                    "nothing is asked"
                )
                result = _result(job, earlier, known)
                _write(job, RunDirectory(job.run_dir), earlier, result, known)
                return result
        else:
            require_free(job.run_dir / LOCK)
        backend = opened()
        job = with_base_notes(job, backend)
        manifest = continued_manifest(job.manifest(backend), earlier)
        if earlier:
            require_same_model(job.run_dir, earlier, manifest)
            run = RunDirectory(job.run_dir)
        else:
            held.enter_context(locked_directory(job.run_dir))
            run = RunDirectory.create(job.run_dir, fresh=job.config.fresh)
        run.sweep()
        if earlier:
            tidy(job, known, say)
        return _lead(job, backend, run, manifest, known, ranks, part)


def _lead(
    job: Job,
    backend: Backend,
    run: RunDirectory,
    manifest: Manifest,
    known: StoredResults,
    ranks: Ranks,
    part: Collection[str] | None,
) -> EvaluationResult:
    """Ask, bring together and score, in process 0 or the only one."""
    (run.path / SUMMARY).unlink(missing_ok=True)  # of the time before it was resumed
    manifest.write(run.path)
    before, started = manifest.figures.get("seconds", 0.0), time.perf_counter()

    def figures() -> JsonObject:
        seconds = before + time.perf_counter() - started
        return {**manifest.figures, "seconds": round(seconds, 3), "processes": ranks.size}

    notes = list(manifest.notes)
    try:
        if ranks.several:
            ranks.announce(run.path)
        with stopwatch.part("asking"):
            _ask(job, backend, known, ranks, notes, part)
        _end_after(part)
        if ranks.several:
            ranks.wait_for_others(run.path)
            read_results(run.path, ranks.other_parts(run.path), into=known)
        gather(job, known)
        manifest = replace(manifest, notes=notes, figures=figures())
        result = _result(job, manifest, known)
        _write(job, run, manifest, result, known)
    except BaseException as problem:
        replace(manifest, figures=figures(), ended=now(), status=ending(problem)).write(run.path)
        raise
    replace(manifest, model=backend.describe(), ended=now(), status="done").write(run.path)
    return result


def _end_after(part: Collection[str] | None) -> None:
    if part is not None:
        raise PartAsked


def _take_part(job: Job, backend: Backend, ranks: Ranks) -> EvaluationResult:
    """Ask this process's share, in another process than 0; the result is that of all."""
    ranks.wait_until_ready(job.run_dir)
    if job.config.resume:
        job = as_begun(job, Manifest.read_evaluation(job.run_dir))
    with ranks.taking_part(job.run_dir):
        known = read_results(job.run_dir, [job.run_dir / RESULTS])
        _ask(job, backend, known, ranks, [])
    ranks.wait_until_whole(job.run_dir)
    whole = read_results(job.run_dir)
    return _result(job, Manifest.read_evaluation(job.run_dir), whole)


def _ask(
    job: Job,
    backend: Backend,
    known: StoredResults,
    ranks: Ranks,
    notes: list[str],
    part: Collection[str] | None = None,
) -> None:
    """Ask what is missing of this process's share, then force answers out of texts without one.

    What is stored is added to what is known, so that nothing has to be read again.
    """
    share = ranks.share(job.asked.ids, job.keys)
    if part is not None:
        share = where(share, lambda key: question_of(key) in part)
    missing = where(share, lambda key: key not in known.results)
    beside = ranks.part(job.run_dir)
    log = beside if ranks.several else job.run_dir / RESULTS
    logger.debug(
        "%d of %s asked for%s, written to %s", len(missing), counted(len(job.keys), "answer"),
        f" by process {ranks.rank} of {ranks.size}" if ranks.several else "", log,
    )  # fmt: skip
    quiet = job.config.quiet or ranks.rank > 0
    with (
        closing(ResultLog(log)) as results,
        closing(
            Progress(
                len(missing),
                work=job.work,
                all_work=sum(job.work(key) for key, _ in missing),
                quiet=quiet,
            )
        ) as progress,
    ):
        for result in ask(job, backend, missing):
            known.add(result, results.append(result))
            progress.add(result)
    if not job.config.forces_answers:
        return
    waiting = where(share, lambda key: known.results.state(key) == "open")
    if waiting:
        bar = Bar("forcing answers", "answers", len(waiting), quiet=quiet)
        with closing(ResultLog(beside)) as results, bar:
            for result in bar.over(force(job, backend, known.known(waiting), notes.append)):
                known.add(result, results.append(result))


def _result(job: Job, manifest: Manifest, known: StoredResults) -> EvaluationResult:
    figures = figures_of(known.known(job.keys))
    record = figures.record([*manifest.notes, *known.notes], manifest.figures["seconds"])
    return EvaluationResult(figures, tuple(record["notes"]), job.run_dir)


def _write(
    job: Job,
    run: RunDirectory,
    manifest: Manifest,
    result: EvaluationResult,
    known: StoredResults,
) -> None:
    notes = [*manifest.notes, *known.notes]
    record = result.figures.record(notes, manifest.figures["seconds"])
    run.write_summary(record)
    if job.config.output is not None:
        whole = {"schema_version": SCHEMA_VERSION, "config": job.config.to_json()}
        rows = (result.to_json() for result in known.known(job.keys))
        write_json(job.config.output, {**whole, "summary": record, "results": rows})
