"""Import: another tool's log of four-choice questions becomes a run directory, which compares and reports."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from lawqa._version import __version__
from lawqa.answers import parse
from lawqa.choices import order_of
from lawqa.digests import sha256_of
from lawqa.errors import ConfigError, DataError
from lawqa.files import JsonObject
from lawqa.pipelines.evaluation.results import asked_result
from lawqa.pipelines.interchange.foreign import ForeignAnswer, ForeignLog, ForeignQuestion
from lawqa.pipelines.interchange.inspect_reading import read_inspect
from lawqa.pipelines.interchange.lm_eval_reading import read_lm_eval
from lawqa.prompting import PromptSpec, prompt_thought, spec_hash
from lawqa.questions import Question, fingerprint, read_question_file
from lawqa.runs.directory import RESULTS, RunDirectory
from lawqa.runs.figures import Figures, figures_of
from lawqa.runs.manifest import Manifest, ending, now, question_entries
from lawqa.runs.result import Result
from lawqa.runs.result_log import ResultLog
from lawqa.runs.upkeep.lock import locked_directory
from lawqa.scoring import likeliest_label, outcome_of
from lawqa.settings import AnswerBy, LogFormat, StrPath, as_path, checks_arguments

_SHOWN = 3


@dataclass(frozen=True)
class Imported:
    """A run that was made of a log."""

    run_dir: Path
    figures: Figures
    notes: tuple[str, ...]
    """What a reader must know first."""


@checks_arguments
def import_run(
    log: StrPath,
    output_dir: StrPath,
    *,
    format: LogFormat | None = None,  # noqa: A002 - as the flag is called
    data: StrPath | None = None,
    fresh: bool = False,
) -> Imported:
    """Make a run of a log of lm-evaluation-harness or inspect_ai; texts are read by lawqa's own parser.

    Example:
        >>> import lawqa
        >>> lawqa.import_run("samples_lawqa_jp.jsonl", "runs/lm-eval")
        Traceback (most recent call last):
        lawqa.errors.DataError: samples_lawqa_jp.jsonl: no such file

    Args:
        log: `samples_*.jsonl` of lm-eval, or a log of inspect_ai (.json or .eval).
        output_dir: the run directory.
        format: which of the two it is; None to tell by the name's ending.
        data: the question file that was asked: questions are found in it by their words, and get its ids.
        fresh: replace an earlier run.

    Raises:
        ConfigError: the directory holds a run already, or the form is unknown.
        DataError: the log is not one of four-choice questions, or a question is not in the question file.
    """
    source, target = as_path(log, "log"), as_path(output_dir, "output_dir")
    RunDirectory.check_free(target, fresh=fresh, kind="evaluate")
    read = read_lm_eval if (format or _format_of(source)) == "lm-eval" else read_inspect
    found = read(source)
    if not found.answers:
        raise DataError(f"{source}: holds no answer")
    known = None if data is None else as_path(data, "data")
    asked = _identified(source, found.answers, known)
    by = _answered_by(source, found.answers)
    results = [
        _result(one, question, by) for one, question in zip(found.answers, asked, strict=True)
    ]
    _require_once(source, results)
    manifest = _manifest(source, found, results, asked, known)
    with locked_directory(target):
        return _stored(RunDirectory.create(target, fresh=fresh), manifest, results)


def _format_of(path: Path) -> LogFormat:
    if path.suffix.lower() == ".jsonl":
        return "lm-eval"
    if path.suffix.lower() in (".json", ".eval"):
        if path.name.startswith("results_"):
            raise ConfigError(
                f"{path}: holds lm-eval's figures, not its answers",
                "give samples_*.jsonl beside it",
            )
        return "inspect"
    raise ConfigError(
        f"{path}: the name ends in {path.suffix or 'nothing'}, expected .jsonl, .json or .eval",
        "--format lm-eval or --format inspect says what it is",
    )


def _identified(
    source: Path, answers: Sequence[ForeignAnswer], data: Path | None
) -> list[Question]:
    """Return the questions of the answers, those of the question file where one is given."""
    if data is None:
        return _in_their_orders([answer.asked.question for answer in answers])
    questions = read_question_file(data).questions
    by_words = {(fingerprint(one), one.choices): one for one in questions}
    missing = [
        answer.asked.question.id for answer in answers if _words(answer.asked) not in by_words
    ]
    if missing:
        shown = ", ".join(dict.fromkeys(missing[:_SHOWN]))
        raise DataError(
            f"{source}: {len(missing)} of {len(answers)} answers are to questions that are not in {data}, "
            f"such as {shown}",
            "give the file that was asked; text and choices must be the same",
        )
    return [
        replace(by_words[_words(answer.asked)], context=answer.asked.question.context)
        for answer in answers
    ]


def _words(asked: ForeignQuestion) -> tuple[str, tuple[str, str, str, str]]:
    return fingerprint(asked.question), asked.question.choices


def _in_their_orders(questions: Sequence[Question]) -> list[Question]:
    """Return the questions, their permutations relative to the lowest order of the same id, where none is
    said.
    """
    lowest: dict[str, Question] = {}
    for question in sorted(questions, key=lambda one: one.order):
        lowest.setdefault(question.id, question)
    placed = []
    for question in questions:
        first = lowest[question.id]
        reordered = question.permutation != (0, 1, 2, 3) or question.order == first.order
        if reordered or sorted(first.choices) != sorted(question.choices):
            placed.append(question)
        else:
            permutation = order_of(first.choices, question.choices)
            placed.append(replace(question, permutation=permutation))
    return placed


def _answered_by(source: Path, answers: Sequence[ForeignAnswer]) -> AnswerBy:
    """Return how the answers of a log were taken.

    Raises:
        DataError: some are scored labels and some are texts.
    """
    ways = {answer.logprobs is not None for answer in answers if answer.error is None}
    if len(ways) > 1:
        raise DataError(
            f"{source}: some answers are scored labels and some are texts", "import them apart"
        )
    return "logits" if True in ways else "generate"


def _result(answer: ForeignAnswer, question: Question, by: AnswerBy) -> Result:
    spec = answer.asked.prompt_spec
    kept: Mapping[str, object] = answer.asked.measured or {}
    counted = answer.completion_tokens
    tokens = _whole(kept.get("completion_tokens")) if "completion_tokens" in kept else counted
    result = replace(
        asked_result(question, spec or "unknown", by, answer.repeat),
        prompt=answer.prompt,
        prompt_tokens=_whole(kept.get("prompt_tokens")) if kept else answer.prompt_tokens,
        completion_tokens=tokens,
        seconds=None if tokens is None and by == "generate" else answer.seconds,
        error=answer.error,
    )
    if answer.error is not None:
        return result
    if answer.logprobs is not None:
        label = likeliest_label(answer.logprobs, question.id, question.permutation, answer.repeat)
        return replace(
            result, label=label, response=label, status="answered", rule="logits",
            outcome=outcome_of(question.gold, label, "answered"), label_logprobs=answer.logprobs,
            label_mass=answer.mass,
        )  # fmt: skip
    inside = kept.get("in_thought") is True or (
        answer.prompt is not None and prompt_thought(answer.prompt) is not None
    )
    limited = bool(answer.hit_limit or kept.get("hit_limit"))
    parsed = parse(answer.text, question.choices, hit_limit=limited, in_thought=inside)
    return replace(
        result, label=parsed.label, response=answer.text, status=parsed.status, rule=parsed.rule,
        span=parsed.span, outcome=outcome_of(question.gold, parsed.label, parsed.status),
        hit_limit=limited, in_thought=inside,
    )  # fmt: skip


def _whole(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _require_once(source: Path, results: Sequence[Result]) -> None:
    counts = Counter(result.key for result in results)
    twice = [key for key, number in counts.items() if number > 1]
    if twice:
        raise DataError(
            f"{source}: {twice[0][0]} is answered {counts[twice[0]]} times as sample {twice[0][1] + 1}",
            "import one log at a time; lm-eval writes a line a filter: keep those of one",
        )


def _manifest(
    source: Path,
    log: ForeignLog,
    results: Sequence[Result],
    asked: Sequence[Question],
    data: Path | None,
) -> Manifest:
    specs = {result.prompt_spec for result in results}
    known = [PromptSpec.from_id(spec) for spec in sorted(specs - {"unknown"})]
    repeats = 1 + max(result.repeat for result in results)
    unique = {(question.id, question.order): question for question in asked}
    finished = len(results) == len(unique) * repeats
    return Manifest(
        kind="evaluate",
        config={
            "spec": vars(known[0]) if len(known) == 1 and len(specs) == 1 else {},
            "answer_by": results[0].answer_by,
            "samples_per_prompt": repeats,
            "ensemble": repeats,
            "label_forms": "letter",
            "imported": {**_origin(log), "file": source.name, "sha256": sha256_of(source)},
        },
        model={"backend": log.tool, "name": log.model},
        prompt_specs={
            **{spec.id: spec_hash(spec, "") for spec in known},
            **({"unknown": _task_hash(log)} if "unknown" in specs else {}),
        },
        data=_data(len(unique), data),
        questions=question_entries(tuple(unique.values())),
        notes=_notes(source, log, results, whole=finished and log.finished),
        environment={"lawqa": __version__, "packages": {log.tool: log.version or "unknown"}},
        argv=list(sys.argv),
        started=log.started or now(),
    )


def _origin(log: ForeignLog) -> JsonObject:
    return {"tool": log.tool, "version": log.version, "task": log.task}


def _task_hash(log: ForeignLog) -> str:
    return hashlib.sha256(f"{log.tool} {log.task}".encode()).hexdigest()[:16]


def _data(questions: int, data: Path | None) -> JsonObject:
    if data is None:
        return {"questions": questions, "prompts": questions}
    return {
        "questions": questions,
        "prompts": questions,
        "path": str(data),
        "sha256": sha256_of(data),
    }


def _notes(source: Path, log: ForeignLog, results: Sequence[Result], *, whole: bool) -> list[str]:
    tool = f"{log.tool} {log.version}" if log.version else log.tool
    notes = [
        f"IMPORTED: {source.name} of {tool}, task {log.task}: the model was asked by that tool, with its "
        "decoding"
    ]
    if not whole:
        notes.append("UNFINISHED: the log does not hold every answer of its run")
    unknown = sum(result.prompt_spec == "unknown" for result in results)
    if unknown:
        notes.append(
            f"UNKNOWN PROMPT: {unknown} of {len(results)} answers are to words that are not lawqa's"
        )
    counted = [
        (answer.right, result.outcome == "correct")
        for answer, result in zip(log.answers, results, strict=True)
        if answer.right is not None and not result.is_failed
    ]
    differing = sum(theirs != ours for theirs, ours in counted)
    if differing:
        notes.append(
            f"READ DIFFERENTLY: {differing} of {len(counted)} answers are counted otherwise than "
            f"{log.tool} counted them"
        )
    if any(answer.by_text for answer in log.answers):
        notes.append("SCORED BY TEXT: whole choices were scored, not their letters")
    return notes


def _stored(run: RunDirectory, manifest: Manifest, results: Sequence[Result]) -> Imported:
    manifest.write(run.path)
    try:
        with closing(ResultLog(run.path / RESULTS)) as log:
            for result in results:
                log.append(result)
        figures = figures_of(results)
        run.write_summary(figures.record(manifest.notes, 0.0))
    except BaseException as problem:
        replace(manifest, ended=now(), status=ending(problem)).write(run.path)
        raise
    whole = manifest.data["prompts"] * manifest.config["samples_per_prompt"] == len(results)
    replace(manifest, ended=now(), status="done" if whole else "interrupted").write(run.path)
    return Imported(run.path, figures, tuple(manifest.notes))
