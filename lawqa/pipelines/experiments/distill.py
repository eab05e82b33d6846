"""Distillation: sample reasoned answers to training questions and write records of the good ones."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lawqa.augment.distill import Judged, Sample, choose
from lawqa.backends.base import Backend, Failure
from lawqa.bars import Bar
from lawqa.errors import ConfigError
from lawqa.files import json_lines
from lawqa.pipelines.evaluation.rag import Retrieval, retrieve_contexts
from lawqa.pipelines.experiments.distill_config import DistillConfig, DistillManifest
from lawqa.prompting import build_prompt
from lawqa.questions import Question, read_question_file
from lawqa.records import TrainingRecord, make_record, write_records
from lawqa.runs.directory import claim_output
from lawqa.runs.environment import describe_environment
from lawqa.runs.manifest import now
from lawqa.runs.result_log import JsonLog
from lawqa.settings.ranges import require_in_range
from lawqa.templates import sentences

SOURCE = "distill"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DistillResult:
    """What was sampled and kept."""

    records: tuple[TrainingRecord, ...]
    """The kept answers as records."""
    verdicts: dict[str, int]
    """How many samples met which end."""
    acceptance: dict[str, float]
    """The share of right answers among all samples, by law."""
    questions: int
    """How many questions were asked."""
    covered: int
    """How many have at least one record."""


def distill(
    config: DistillConfig, backend: Backend, say: Callable[[str], object] = str
) -> DistillResult:
    """Sample, judge, and write records; a call with the same options resumes where one stopped.

    Args:
        config: what to do.
        backend: who answers; any backend that generates.
        say: told how far it is, a line for each pass over the questions.

    Raises:
        ConfigError: the mode has no reasoning, options are out of range, or the files hold other samples.
        DataError: the questions cannot be read.
    """
    _check(config)
    file = read_question_file(config.data)
    questions = file.questions
    claim_output(config.output_path, "--output-path", fresh=config.fresh, sources=(config.data,))
    samples_file, provenance_file = _side_files(config.output_path)
    retrieval = retrieve_contexts(config.rag, questions, quiet=config.quiet) if config.rag else None
    # Settings without a sample are those of a start that failed: nothing would be mixed with them.
    begun = provenance_file.is_file() and samples_file.is_file() and samples_file.stat().st_size
    earlier = DistillManifest.read(provenance_file) if begun and not config.fresh else None
    if earlier is not None:
        config = earlier.begun(config)
    drawn = DistillManifest.of(config, backend, retrieval, file.sha256)
    if earlier is None:
        samples_file.unlink(missing_ok=True)
        drawn.write(provenance_file, {"started": now()})
    else:
        differ = earlier.differences(drawn)
        if differ:
            raise ConfigError(
                f"{samples_file}: holds samples drawn with other options ({', '.join(differ)})",
                "give the same options to resume, or --fresh to start over",
            )
    for note in (*config.notes(), *sentences(backend.describe())):
        say(f"note: {note}")
    # A sample that failed is drawn again, as a question that failed is asked again.
    taken = {key for key, sample in _read_samples(samples_file).items() if sample.error is None}
    logger.debug("settings: %s; %d samples are there already", drawn, len(taken))
    wanted = len({q.key for q in questions}) * config.samples_per_question
    known = sum(
        (q.key, number) in taken for q in questions for number in range(config.samples_per_question)
    )
    with Bar("sampling", "answers", wanted, done=known, quiet=config.quiet) as bar:
        for number in range(config.samples_per_question):
            waiting = [q for q in questions if (q.key, number) not in taken]
            if waiting:
                say(
                    f"sample {number + 1} of {config.samples_per_question}: {len(waiting)} questions"
                )
                _sample(config, backend, waiting, number, samples_file, retrieval, bar)
    result = _select(config, questions, _read_samples(samples_file), retrieval)
    write_records(config.output_path, result.records)
    drawn.write(
        provenance_file,
        {
            "environment": describe_environment(backend.describe().get("device")),
            "ended": now(),
            "sampling_from": config.sampling_sources(),
            "verdicts": result.verdicts,
            "acceptance_by_law": result.acceptance,
            "questions": result.questions,
            "questions_with_records": result.covered,
        },
    )
    return result


def _check(config: DistillConfig) -> None:
    if not config.spec.reasons:
        raise ConfigError(
            "a direct answer is one letter: there is no reasoning to learn from",
            "--mode cot, or --thinking",
        )
    require_in_range(config, "lawqa distill --help  explains every option")
    if config.temperature == 0:
        raise ConfigError(
            "--temperature is 0, expected above 0: greedy samples are all the same",
            "lawqa distill --help  explains every option",
        )


def _side_files(output: Path) -> tuple[Path, Path]:
    return (
        output.with_name(f"{output.stem}.samples.jsonl"),
        output.with_name(f"{output.stem}.provenance.json"),
    )


def _sample(
    config: DistillConfig,
    backend: Backend,
    questions: Sequence[Question],
    number: int,
    file: Path,
    retrieval: Retrieval | None,
    bar: Bar,
) -> None:
    prompts = [
        build_prompt(q, config.spec, retrieved=retrieval.text(q) if retrieval else "")
        for q in questions
    ]
    settings = config.generation(number)
    with closing(JsonLog(file)) as log:
        for answer in bar.over(backend.generate(prompts, settings)):
            row: dict[str, Any] = {"key": answer.key, "number": number}
            if isinstance(answer, Failure):
                row |= {"text": "", "hit_limit": False, "error": answer.reason}
            else:
                row |= {
                    "text": answer.text, "hit_limit": answer.hit_limit, "error": None,
                    "in_thought": answer.in_thought,
                }  # fmt: skip
            log.append(row)


def _read_samples(path: Path) -> dict[tuple[str, int], Sample]:
    if not path.is_file() or path.stat().st_size == 0:
        return {}
    _drop_torn_line(path)
    found = {}
    for _, row in json_lines(path):
        sample = Sample(
            row["number"], row["text"], row["hit_limit"], row["error"],
            in_thought=bool(row.get("in_thought")),
        )  # fmt: skip
        found[row["key"], row["number"]] = sample
    return found


def _drop_torn_line(path: Path) -> None:
    """A killed process may have left half a line at the end; that sample is drawn again."""
    whole = path.read_bytes()
    if not whole.endswith(b"\n"):
        path.write_bytes(whole[: whole.rfind(b"\n") + 1] or b"\n")


def _select(
    config: DistillConfig,
    questions: Sequence[Question],
    samples: dict[tuple[str, int], Sample],
    retrieval: Retrieval | None,
) -> DistillResult:
    records: list[TrainingRecord] = []
    judged: list[tuple[Question, Judged]] = []
    for question in questions:
        own = [samples[question.key, i] for i in range(config.samples_per_question)]
        judged += [(question, found) for found in choose(question, own, config.spec, config.keep)]
    for question, found in judged:
        if found.verdict == "kept":
            records.append(
                make_record(
                    question,
                    config.spec,
                    reasoning=found.reasoning,
                    source=SOURCE,
                    retrieved=retrieval.text(question) if retrieval else "",
                )
            )
    asked = Counter(question.law for question, _ in judged)
    unusable = ("failed", "cut off", "no answer", "wrong")
    right = Counter(q.law for q, found in judged if found.verdict not in unusable)
    return DistillResult(
        records=tuple(records),
        verdicts=dict(Counter(found.verdict for _, found in judged)),
        acceptance={law: round(right[law] / count, 4) for law, count in asked.items()},
        questions=len(questions),
        covered=len({record.question_id for record in records}),
    )
