"""A report from stored runs: read, put in order, compared."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lawqa._version import __version__
from lawqa.choices import inverse, permute
from lawqa.errors import ConfigError, DataError
from lawqa.pipelines.comparing.comparison import orders_as_in
from lawqa.pipelines.comparing.repeats import repeats
from lawqa.pipelines.comparing.report_gold import with_gold_marked
from lawqa.pipelines.comparing.report_runs import read_report_run, read_training
from lawqa.pipelines.comparing.report_shown import shown_questions
from lawqa.questions import Question, file_sha256, read_question_file
from lawqa.report.content import (
    Entry,
    Report,
    ReportQuestion,
    ReportRun,
    RunPair,
)
from lawqa.runs.diff import causes, question_differences
from lawqa.runs.manifest import Manifest, now
from lawqa.runs.stored import (
    read_stored_run,
    require_different,
    short_names,
)
from lawqa.scoring import ScoredAnswer
from lawqa.scoring.comparisons import PairedComparison, by_gold_text, compare_repeats, judge_by_holm
from lawqa.settings import By, Settings

_NAMED = 4
"""Runs that a title names at most."""


@dataclass(frozen=True)
class ReportConfig(Settings):
    """What a report is about."""

    runs: tuple[Path, ...]
    """Run directories and result files; adapters for their training curves."""
    base: Path | None = None
    """The run that all others are compared with. None: an adapter's run with one that differs in the adapter
    alone, all else with the first run without an adapter."""
    data: tuple[Path, ...] = ()
    """Question files for contexts, besides those that the runs name."""
    recorded: bool = False
    """Labels as they were recorded; else as today's parser reads them."""
    title: str = ""
    """The title; empty for one made of the runs' names."""
    by: By = "own"
    """How the prompts of a question become its final answer."""


def make_report(config: ReportConfig) -> Report:
    """Read the runs and compare them.

    Raises:
        ConfigError: there is no evaluation, or the base is not among the runs.
        DataError: a run or question file cannot be read.
    """
    require_different(config.runs, "name every run once")
    manifests = {path: Manifest.read_if_there(path) for path in config.runs}
    trainings = [path for path, one in manifests.items() if one and one.kind == "train"]
    paths = _base_first([path for path in config.runs if path not in trainings], config.base)
    names = short_names(paths)
    runs = [
        read_report_run(
            read_stored_run(path, manifests[path]),
            f"R{number}",
            names[path],
            recorded=config.recorded,
            by=config.by,
        )
        for number, path in enumerate(paths, start=1)
    ]
    if config.base is None:
        runs = _base_model_first(runs)
    shown = shown_questions(runs)
    questions = _known_questions(runs, config.data, shown)
    runs = with_gold_marked(runs, questions)
    return Report(
        title=config.title or _title(runs),
        made=now(),
        version=__version__,
        runs=tuple(runs),
        pairs=_pairs(runs, matched=config.base is None, by=config.by),
        questions=_questions(runs, questions, shown),
        asked=len({answer.question_id for run in runs for answer in run.answers}),
        trainings=tuple(read_training(path, manifest=manifests[path]) for path in trainings),
        recorded=config.recorded,
    )


def _title(runs: Sequence[ReportRun]) -> str:
    """Return the runs' names; of many runs the first and their number."""
    names = [run.name for run in runs]
    if len(names) <= _NAMED:
        return " / ".join(names)
    return f"{names[0]} / … ({len(names)})"


def _base_first(paths: list[Path], base: Path | None) -> list[Path]:
    if not paths:
        raise ConfigError("no evaluation was given", "lawqa report RUN... -o report.html")
    if base is None:
        return paths
    same = [path for path in paths if path.resolve() == base.resolve()]
    if not same:
        raise ConfigError(f"--base {base}: is not among the runs", f"lawqa report {base} RUN...")
    return [same[0], *(path for path in paths if path != same[0])]


def _base_model_first(runs: list[ReportRun]) -> list[ReportRun]:
    """Return the first run without an adapter goes first, if another has one; ids follow."""
    bare = [run for run in runs if not run.adapter]
    if not bare or len(bare) == len(runs):
        return runs
    ordered = [bare[0], *(run for run in runs if run is not bare[0])]
    return [replace(run, id=f"R{number}") for number, run in enumerate(ordered, start=1)]


def _known_questions(
    runs: Sequence[ReportRun], more: Sequence[Path], shown: Collection[str]
) -> dict[str, Question]:
    """Return questions by id from every data file that is still what a run was asked from, and from those
    given.
    """
    known: dict[str, Question] = {}
    files: dict[Path, str | None] = dict.fromkeys(more)
    for run in runs:
        for path, sha256 in run.manifest.question_files if run.manifest else []:
            files.setdefault(path, sha256)
    for path, sha256 in files.items():
        if sha256 is not None and (not path.is_file() or file_sha256(path) != sha256):
            continue  # the page says that the context is not at hand
        for question in read_question_file(path).questions:
            if question.order == 1 and question.id in shown:
                known.setdefault(question.id, question)
    return known


def _questions(
    runs: Sequence[ReportRun], known: Mapping[str, Question], shown: Collection[str]
) -> tuple[ReportQuestion, ...]:
    """Return every question that was asked, in the order in which the runs met them."""
    made: dict[str, ReportQuestion] = {}
    for run in runs:
        for entry in run.entries_of(shown):
            answer, result = entry.answer, entry.result
            if answer.question_id not in made:
                question = known.get(answer.question_id)
                same = question is not None and question.text == result.question
                made[answer.question_id] = ReportQuestion(
                    id=answer.question_id,
                    law=answer.law,
                    text=result.question,
                    choices=_original_choices(entry),
                    gold=answer.original_gold,
                    context=question.context if question is not None and same else "",
                    references=result.references,
                )
    return tuple(made.values())


def _original_choices(entry: Entry) -> tuple[str, ...]:
    choices = entry.result.choices
    return permute(choices, inverse(entry.result.order)) if choices else ()


def _pairs(runs: Sequence[ReportRun], *, matched: bool, by: By) -> tuple[RunPair, ...]:
    base_side, *sides = _sides(runs)
    made = []
    for side in sides:
        base = _like(side[0], runs) if matched else base_side[0]
        among = next(one for one in (base_side, *sides) if base in one)
        bases = among if among is not side else (base,)
        made.append(_pair(bases, side, by))
    judged = judge_by_holm({pair.other: c for pair, c in made if c is not None})
    return tuple(replace(pair, judged=judged.get(pair.other)) for pair, _ in made)


def _sides(runs: Sequence[ReportRun]) -> list[tuple[ReportRun, ...]]:
    """Return runs that differ in the seed alone are one side; the first one's comes first."""
    repeated = repeats([(Path(run.path), run.manifest) for run in runs])
    if len(repeated) == 1:  # seeds of one run beside each other
        return [(run,) for run in runs]
    return [tuple(runs[number] for number in side) for side in repeated]


def _like(run: ReportRun, runs: Sequence[ReportRun]) -> ReportRun:
    """Return the first run that differs from this one in the adapter alone; the first of all
    where none does.
    """
    if run.adapter and run.manifest:
        for other in runs:
            known = other.manifest
            if not other.adapter and known and not causes(known, run.manifest):
                return other
    return runs[0]


def _pair(
    bases: Sequence[ReportRun], others: Sequence[ReportRun], by: By
) -> tuple[RunPair, PairedComparison | None]:
    base, other = bases[0], others[0]
    if base.manifest and other.manifest:
        differs = causes(base.manifest, other.manifest)
        reworded = question_differences(base.manifest, other.manifest).reworded
    else:
        unknown = [run.id for run in (base, other) if not run.manifest]
        differs = (
            f"what is not known: {' and '.join(unknown)} is a result file without a manifest",
        )
        reworded = 0
    pair = RunPair(
        base.id, other.id, None, "", differs, reworded,
        tuple(run.id for run in others[1:]), tuple(run.id for run in bases[1:]),
    )  # fmt: skip
    ones, twos = ([_aligned(base, run) for run in side] for side in (bases, others))
    try:
        comparison = compare_repeats(ones, twos, by=by)
    except DataError as problem:
        return replace(pair, problem=problem.message), None
    single = len(ones) == len(twos) == 1
    return replace(pair, gold_text=by_gold_text(ones[0], twos[0], by) if single else ()), comparison


def _aligned(base: ReportRun, run: ReportRun) -> tuple[ScoredAnswer, ...]:
    """Return the answers of a run with its choice orders named as in the base."""
    order_of = orders_as_in(entry.result for entry in base.entries)
    return tuple(
        replace(answer, order=order_of(entry.result))
        for answer, entry in zip(run.answers, run.entries, strict=True)
    )
