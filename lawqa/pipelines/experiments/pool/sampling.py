"""Sampling of a pool: what is missing is drawn, what is there stays."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import groupby

from lawqa.amounts import counted
from lawqa.augment.reasoning import check, verdict_of
from lawqa.augment.reasoning.selection import with_agreement
from lawqa.backends.base import Backend
from lawqa.bars import Bar, Say
from lawqa.errors import ConfigError, DataError
from lawqa.files.json_log import JsonLog
from lawqa.pipelines.evaluation.asking import ask
from lawqa.pipelines.evaluation.interrupts import signals_interrupt
from lawqa.pipelines.evaluation.job import Job, prepare_evaluation, with_base_notes
from lawqa.pipelines.evaluation.opening import BackendFactory, open_backend
from lawqa.pipelines.experiments.pool.config import (
    HELP,
    PoolConfig,
    PoolManifest,
    differs_from_defaults,
)
from lawqa.pipelines.experiments.pool.files import (
    PooledPrompt,
    PoolFiles,
    PoolRow,
    SampleKey,
    drop_torn_line,
    read_rows,
    write_asked,
    write_rows,
)
from lawqa.prompting import PromptSpec
from lawqa.questions import Question
from lawqa.runs.directory import claim_output
from lawqa.runs.environment import describe_environment
from lawqa.runs.manifest import now
from lawqa.runs.upkeep.lock import require_free, run_lock

logger = logging.getLogger(__name__)

_LEAK = "LEAK: "
_OF_FIGURES = "; this accuracy says nothing about new questions"


@dataclass(frozen=True)
class SampledPool:
    """A pool with all its samples."""

    files: PoolFiles
    questions: int
    """How many questions were asked."""
    samples: int
    """How many samples there are."""
    failed: int
    """How many of them the backend failed to give."""


def sample_pool(
    config: PoolConfig, backend_factory: BackendFactory | None = None, say: Say = str
) -> SampledPool:
    """Draw the samples that a pool lacks; a call with the same options resumes where one stopped.

    Everything that can be wrong with options and files is checked before a model is loaded. Sample n of a
    question is asked in order n modulo the number of orders; its text depends on the seed, its prompt and its
    number alone, so that a resumed pool has the samples of one that was never stopped.

    Args:
        config: what to sample.
        backend_factory: makes the backend; for callers that hold a loaded model.
        say: receives what is done on the way, a line each.

    Raises:
        ConfigError: options contradict each other, or the pool holds samples drawn with others.
        LawqaError: a file, model, adapter or policy does not allow it.
        Interrupted: the process was asked to end; the same call resumes.
    """
    config.check()
    files = PoolFiles(config.pool)
    claim_output(config.pool, "--pool", fresh=True, sources=(config.data, config.script))
    require_free(files.lock)
    earlier = _earlier(config, files)
    if earlier is not None:
        config = earlier.begun(config)
    job = _job(config)
    with signals_interrupt():
        backend = (backend_factory or open_backend)(job.config, job.adapter)
        job = with_base_notes(job, backend)
        drawn = PoolManifest.of(config, job, backend)
        files.samples.parent.mkdir(parents=True, exist_ok=True)
        with run_lock(files.lock):
            _begin(config, files, earlier, drawn)
            for note in (differs_from_defaults(config) if config.begun else "", *_notes(job)):
                if note:
                    say(f"note: {note}")
            write_asked(files.asked, _asked(job))
            _draw(config, job, backend, files, say)
            rows = _finish(config.spec, job, files)
            drawn.write(
                files.provenance,
                {
                    "environment": describe_environment(backend.describe().get("device")),
                    "ended": now(),
                    "sampling_from": job.config.sampling_sources(),
                    "adapter": job.adapter_json(),
                    "notes": list(_notes(job)),
                    "samples": len(rows),
                },
            )
    return SampledPool(
        files,
        len(job.questions) // config.permutations,
        len(rows),
        sum(row.error is not None for row in rows),
    )


def _begin(
    config: PoolConfig, files: PoolFiles, earlier: PoolManifest | None, drawn: PoolManifest
) -> None:
    """Make room for a new pool, or make sure that the one that is there was drawn alike."""
    if earlier is None:
        if not config.fresh and _rows(files):
            raise ConfigError(
                f"{config.pool}: another process has written it meanwhile",
                "the same command again resumes it",
            )
        files.remove()
        drawn.write(files.provenance, {"started": now()})
        return
    differ = earlier.differences(drawn)
    if differ:
        raise ConfigError(
            f"{config.pool}: holds samples drawn with other options ({', '.join(differ)})",
            "give the same options to resume, or --fresh to start over",
        )
    drop_torn_line(files.samples)


def _earlier(config: PoolConfig, files: PoolFiles) -> PoolManifest | None:
    """Return what the samples that are there were drawn with; None where none are, or none are to stay."""
    begun = files.samples.is_file() and files.samples.stat().st_size
    if config.fresh or not begun:
        # Provenance without a sample is that of a start that failed: nothing would be mixed with it.
        return None
    if not files.provenance.is_file():
        raise ConfigError(
            f"--pool {files.samples}: exists, and {files.provenance.name} is not beside it to say what its "
            "samples were drawn with",
            "name another file; --fresh replaces it",
        )
    _rows(files)  # what is damaged is better known before a model is loaded
    return PoolManifest.read(files.provenance)


def _job(config: PoolConfig) -> Job:
    try:
        return prepare_evaluation(config.asked(), claims=False)
    except ConfigError as problem:
        hint = problem.hint.replace("lawqa evaluate --help  explains every option", HELP)
        raise ConfigError(problem.message, hint) from None


def _notes(job: Job) -> Iterator[str]:
    for note in job.notes:
        if note.startswith(_LEAK):
            known = note.removeprefix(_LEAK).removesuffix(_OF_FIGURES)
            yield f"THE SAMPLER KNOWS THEM: {known}; what it remembers it need not reason"
        else:
            yield note


def _asked(job: Job) -> Iterator[PooledPrompt]:
    for question, prompt in zip(job.questions, job.prompts, strict=True):
        retrieved = job.retrieval.text(question) if job.retrieval else ""
        yield PooledPrompt(question, prompt.messages, retrieved)


def _draw(config: PoolConfig, job: Job, backend: Backend, files: PoolFiles, say: Say) -> None:
    """Ask for the samples that are not there; one that failed is drawn again, as a failed question is."""
    rows = _rows(files)
    wanted = _wanted(config, job)
    missing = [key for key in wanted if key not in rows or rows[key].error is not None]
    if not missing:
        say(
            f"{config.pool}: {counted(len(wanted), 'sample is', 'samples are')} there, nothing is asked"
        )
        return
    questions = len({key.rpartition("#")[0] for key, _ in missing})
    say(
        f"{len(missing)} of {counted(len(wanted), 'sample')} to draw, of {counted(questions, 'question')}"
    )
    bar = Bar(
        "sampling", "answers", len(wanted), done=len(wanted) - len(missing), quiet=config.quiet
    )
    with bar, closing(JsonLog(files.samples)) as log:
        for result in bar.over(ask(job, backend, missing)):
            log.append(PoolRow.of(result).to_json())


def _wanted(config: PoolConfig, job: Job) -> list[SampleKey]:
    """Return prompt by prompt: of each question as many samples as are wanted, dealt to its
    orders in turn.
    """
    orders = config.permutations
    return [
        (prompt.key, number)
        for place, prompt in enumerate(job.prompts)
        for number in range(len(range(place % orders, config.samples_per_question, orders)))
    ]


def _finish(spec: PromptSpec, job: Job, files: PoolFiles) -> list[PoolRow]:
    """Put the samples in the order of the questions, each with what the filters say."""
    rows = _rows(files)
    places = {question.key: place for place, question in enumerate(job.questions)}
    foreign = [key for key, _ in rows if key not in places]
    if foreign:
        raise DataError(
            f"{files.samples}: holds samples of {foreign[0]}, which is not among the questions",
            "restore the file, or --fresh starts over",
        )
    keys = sorted(rows, key=lambda key: (places[key[0]], key[1]))
    judged = [
        row
        for _, own in groupby(keys, key=lambda key: job.questions[places[key[0]]].id)
        for row in _judged(spec, job, [(job.questions[places[key[0]]], rows[key]) for key in own])
    ]
    write_rows(files.samples, judged)
    return judged


def _judged(
    spec: PromptSpec, job: Job, rows: Sequence[tuple[Question, PoolRow]]
) -> Iterator[PoolRow]:
    """Yield all samples of one question with their verdicts."""
    checked = with_agreement(
        [check(row.sample(question), spec, _context(job, question)) for question, row in rows]
    )
    for one, (_, row) in zip(checked, rows, strict=True):
        yield replace(
            row,
            checks={str(name): value for name, value in one.checks.items()},
            verdict=verdict_of(one),
        )


def _context(job: Job, question: Question) -> str:
    """Return the statute text that a question's prompts show."""
    if job.retrieval is not None:
        return job.retrieval.text(question)
    return question.context if job.config.spec.condition == "gold" else ""


def _rows(files: PoolFiles) -> dict[SampleKey, PoolRow]:
    if not files.samples.is_file() or not files.samples.stat().st_size:
        return {}
    return read_rows(files.samples)
