"""Stored runs beside each other: which prompts pair up, what each run gave, and what must be known first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lawqa.choices import inverse, order_of, permute
from lawqa.errors import ConfigError
from lawqa.pipelines.stored import StoredResult, StoredRun, names_of, read_stored_run
from lawqa.scoring import PairedComparison, Summary, compare, label_mass_of, summarise


@dataclass(frozen=True)
class Compared:
    """Runs compared with one base."""

    base: str
    """The base run's name."""
    summaries: Mapping[str, Summary]
    """Each run's own figures by its name, the base first."""
    comparisons: Mapping[str, PairedComparison]
    """By the other run's name."""
    notes: tuple[str, ...]
    """What a reader must know first, a sentence each."""


def compare_runs(base: Path, others: Sequence[Path], *, recorded: bool = False) -> Compared:
    """Hold runs against a base on the prompts that both were asked.

    Args:
        base: a run directory or result file.
        others: more of them.
        recorded: take labels as they were recorded instead of reading the stored texts again.

    Raises:
        ConfigError: a run is given twice.
        DataError: one of them is no run, or shares too few questions with the base.
    """
    paths = [base, *others]
    given: set[Path] = set()
    for path in paths:
        if path.resolve() in given:
            raise ConfigError(
                f"{path}: is given twice", "each run counts once in Holm's correction"
            )
        given.add(path.resolve())
    names = names_of(paths)
    first, *rest = (read_stored_run(path) for path in paths)
    answers = first.answers(recorded=recorded)
    notes = [f"{names[run.path]}: {note}" for run in (first, *rest) for note in run.notes]
    summaries, comparisons = {names[base]: summarise(answers)}, {}
    for run in rest:
        name = names[run.path]
        reworded = _reworded(first, run)
        if reworded:
            notes.append(
                f"DIFFERENT DATA: {reworded} questions of {name} are not worded as in {names[base]}"
            )
        theirs = _aligned(first, run).answers(recorded=recorded)
        summaries[name], comparisons[name] = summarise(theirs), compare(answers, theirs)
    notes += [
        f"{name}: {summary.collapse.sentence}"
        for name, summary in summaries.items()
        if summary.collapse
    ]
    for run in (first, *rest):
        mass = label_mass_of(result.label_mass for result in run.results)
        if mass is not None and mass.sentence:
            notes.append(f"{names[run.path]}: {mass.sentence}")
    return Compared(names[base], summaries, comparisons, tuple(notes))


def _reworded(base: StoredRun, other: StoredRun) -> int:
    """How many shared questions have another text or other choices."""
    one, two = ({r.question_id: r for r in run.results} for run in (base, other))
    return sum(_asked(one[key]) != _asked(two[key]) for key in one.keys() & two.keys())


def _asked(result: StoredResult) -> tuple[str, list[str]]:
    return result.question, sorted(result.choices)


def _aligned(base: StoredRun, other: StoredRun) -> StoredRun:
    """The other run with its choice orders named as in the base.

    A data file without a question's first order names the others after the lowest that it has.
    """
    originals = {
        result.question_id: permute(result.choices, inverse(result.order))
        for result in base.results
        if result.choices
    }
    results = [
        replace(result, order=order_of(originals[result.question_id], result.choices))
        if result.choices
        and sorted(originals.get(result.question_id, ())) == sorted(result.choices)
        else result
        for result in other.results
    ]
    return replace(other, results=tuple(results))
