"""Stored runs beside each other: whose final answers are held against whose, and what must be known first."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lawqa.amounts import counted
from lawqa.choices import Order, inverse, order_of, permute
from lawqa.errors import ConfigError
from lawqa.made import Made
from lawqa.pipelines.comparing.linked_runs import linked_groups
from lawqa.pipelines.comparing.repeats import sides_of
from lawqa.report.notebook import comparison_html
from lawqa.runs.result import Result
from lawqa.runs.stored import StoredRun, read_stored_run, require_different, short_names
from lawqa.scoring import Ensemble, ScoredAnswer, Summary, ensemble_of, label_mass_of, summarise
from lawqa.scoring.comparisons import (
    GoldTextPart,
    Judged,
    PairedComparison,
    by_gold_text,
    compare_repeats,
    judge_by_holm,
)
from lawqa.settings import By, Clusters, Seeds, StrPath, as_path, as_paths, checks_arguments


@dataclass(frozen=True)
class Compared:
    """Runs compared with one base."""

    base: str
    """The base's name; of several seeds all their names, joined by +."""
    summaries: Mapping[str, Summary]
    """Each run's own figures by its name, the base first; those of an ensemble last."""
    comparisons: Mapping[str, PairedComparison]
    """By the other's name; seeds of one run are one comparison."""
    judged: Mapping[str, Judged]
    """The same, at the level that Holm's correction asks of each."""
    gold_text: Mapping[str, tuple[GoldTextPart, ...]]
    """The comparisons split by whether the gold text was in the prompt; no parts without retrieval."""
    notes: tuple[str, ...]
    """What a reader must know first, a sentence each."""

    def _repr_html_(self) -> str:
        return comparison_html(self.base, self.judged, self.notes, self.summaries)


@checks_arguments
def compare_runs(
    base: StrPath,
    others: StrPath | Iterable[StrPath],
    *,
    recorded: bool = False,
    by: By = "own",
    clusters: Clusters = "question",
    seeds: Seeds = "auto",
    data: StrPath | Iterable[StrPath] = (),
) -> Compared:
    """Compare runs with a base on the questions that both were asked.

    Example:
        >>> import lawqa
        >>> lawqa.compare_runs("runs/base", [])
        Traceback (most recent call last):
        lawqa.errors.ConfigError: only one run was given

    Args:
        base: a run directory or result file.
        others: another one, or several.
        recorded: take labels as they were recorded instead of reading the stored texts again.
        by: how the prompts of a question become its final answer.
        clusters: the independent units.
        seeds: which runs are repeats of one.
        data: question files for groups, besides those that the runs name.

    Raises:
        ConfigError: a run is given twice, or a question file for the groups is missing.
        DataError: one of them is no run, shares too few questions with the base, or has no label
            probabilities where `soft` asks for them.
    """
    paths = [as_path(base, "base"), *as_paths(others, "others")]
    files = as_paths(data, "data")
    runs, names = _read_runs(paths, by), short_names(paths)
    answers = {names[run.path]: run.answers("recorded" if recorded else "today") for run in runs}
    bases, sides = sides_of([(names[run.path], run) for run in runs], seeds)
    groups = linked_groups(runs, files) if clusters == "group" else None
    members, ensemble = sides[0], None
    if seeds == "ensemble":
        ensemble = ensemble_of([answers[name] for name in members], by)
        together = f"ensemble of {'+'.join(members)}"
        answers[together], sides = ensemble.answers, ((together,),)
    joined = "+".join(bases)
    comparisons = {
        "+".join(side): compare_repeats(
            [answers[name] for name in bases],
            [answers[name] for name in side],
            by=by,
            groups=groups,
        )
        for side in sides
    }
    gold_text = {"+".join(side): _gold_text(answers, bases, side, by) for side in sides}
    summaries = {name: summarise(scored, by=by) for name, scored in answers.items()}
    if ensemble is not None:  # its answers look like single ones
        comparisons[together] = replace(comparisons[together], by_other=ensemble.name)
        final = replace(summaries[together].final, name=ensemble.name)
        summaries[together] = replace(summaries[together], final=final)
    notes = [
        *(f"{names[run.path]}: {note}" for run in runs for note in run.notes),
        *(_ensemble_notes(members, ensemble) if ensemble else _seeds_notes([bases, *sides])),
        *_reworded_notes(runs, names),
        *_left_out_notes(joined, comparisons, by_prompts=by == "prompts"),
        *_sampling_notes(joined, comparisons),
        *_collapse_notes(summaries),
        *_mass_notes(runs, names),
    ]
    return Compared(
        joined, summaries, comparisons, judge_by_holm(comparisons), gold_text, tuple(notes)
    )


def _read_runs(paths: Sequence[Path], by: By) -> list[StoredRun]:
    """Read runs that may be compared, the choice orders of the others named as in the base."""
    if len(paths) == 1:
        raise ConfigError("only one run was given", "lawqa compare BASE OTHER...")
    require_different(paths, "each run counts once in Holm's correction")
    first, *rest = (read_stored_run(path) for path in paths)
    runs = [first, *(aligned(first, run) for run in rest)]
    for run in runs:
        run.check_by(by)
    return runs


def _gold_text(
    answers: Mapping[str, Sequence[ScoredAnswer]],
    bases: Sequence[str],
    side: Sequence[str],
    by: By,
) -> tuple[GoldTextPart, ...]:
    """Split a comparison by gold text, for one run against one; seeds of one run retrieve alike, and are not
    split.
    """
    if len(bases) > 1 or len(side) > 1:
        return ()
    return by_gold_text(answers[bases[0]], answers[side[0]], by)


def _seeds_notes(sides: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"SEEDS: {', '.join(side)} are repeats of one run and are compared together "
        "(--seeds apart compares each by itself)"
        for side in sides
        if len(side) > 1
    ]


def _ensemble_notes(members: Sequence[str], ensemble: Ensemble) -> list[str]:
    notes = [
        f"ENSEMBLE: {', '.join(members)} answer as one, by {ensemble.name}; interval and p are about these "
        "runs: how much other trainings would differ is not in them"
    ]
    if ensemble.left_out:
        notes.append(
            f"OTHER ORDERS OR SAMPLES: {ensemble.left_out} prompts that not all of {', '.join(members)} were "
            "asked do not count in the ensemble"
        )
    return notes


def _reworded_notes(runs: Sequence[StoredRun], names: Mapping[Path, str]) -> list[str]:
    first, *rest = runs
    base = _wordings(first) if rest else {}
    reworded = [(run, _reworded(base, _wordings(run))) for run in rest]
    return [
        f"DIFFERENT DATA: {counted(number, 'question')} of {names[run.path]} not worded "
        f"as in {names[first.path]}"
        for run, number in reworded
        if number
    ]


def _what_differs(comparison: PairedComparison) -> str:
    return "DIFFERENT DATA" if comparison.left_out_questions else "OTHER ORDERS OR SAMPLES"


def _left_out_notes(
    base: str, comparisons: Mapping[str, PairedComparison], *, by_prompts: bool
) -> list[str]:
    unit = "prompts" if by_prompts else "questions"
    return [
        f"{_what_differs(c)}: {name} and {base} are compared on the "
        f"{c.prompts if by_prompts else c.questions} {unit} that both were asked; "
        f"{base} was asked {c.left_out_base} others, {name} {c.left_out_other}"
        for name, c in comparisons.items()
        if c.left_out_base or c.left_out_other
    ]


def _collapse_notes(summaries: Mapping[str, Summary]) -> list[str]:
    return [
        f"{name}: {summary.collapse.sentence}"
        for name, summary in summaries.items()
        if summary.collapse
    ]


def _mass_notes(runs: Sequence[StoredRun], names: Mapping[Path, str]) -> list[str]:
    masses = [
        (run, label_mass_of(r.label_mass for r in run.results if not r.is_text)) for run in runs
    ]
    return [
        f"{names[run.path]}: {mass.sentence}"
        for run, mass in masses
        if mass is not None and mass.sentence
    ]


def _sampling_notes(base: str, comparisons: Mapping[str, PairedComparison]) -> list[str]:
    return [
        f"SAMPLING DIFFERS: {name} is judged by {c.by_other}, {base} by {c.by_base}"
        for name, c in comparisons.items()
        if c.by_base != c.by_other
    ]


def _reworded(base: Mapping[str, bytes], other: Mapping[str, bytes]) -> int:
    """Return how many shared questions have another text or other choices."""
    return sum(base[key] != other[key] for key in base.keys() & other.keys())


def _wordings(run: StoredRun) -> dict[str, bytes]:
    """Return a digest of text and choices of each question, by its id."""
    return {
        result.question_id: _digest(result.question, *sorted(result.choices))
        for result in run.results
    }


def aligned(base: StoredRun, other: StoredRun) -> StoredRun:
    """Return the other run with its choice orders named as in the base.

    A data file without a question's first order names the others after the lowest that it has.
    """
    order_of = orders_as_in(base.results)

    def renamed(place: int) -> Result:
        result = other.results[place]
        order = order_of(result)
        return result if order == result.order else replace(result, order=order)

    return replace(other, results=Made(renamed, range(len(other.results))))


def orders_as_in(base: Iterable[Result]) -> Callable[[Result], Order]:
    """Return what names the order of a result as these results name theirs; its own for other choices."""
    originals = {
        result.question_id: permute(_marks(result), inverse(result.order))
        for result in base
        if result.choices
    }
    return lambda result: _named_order(
        originals.get(result.question_id, ()), _marks(result), result.order
    )


def _marks(result: Result) -> tuple[bytes, ...]:
    """Return a digest of each choice as displayed: as good as the texts to recognise them by, and shorter."""
    return tuple(_digest(choice) for choice in result.choices)


def _digest(*texts: str) -> bytes:
    """Return eight bytes that distinguish texts."""
    joined = "\0".join(texts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(joined, digest_size=8).digest()


def _named_order(original: Sequence[bytes], shown: Sequence[bytes], order: Order) -> Order:
    """Return the order that turns the original choices into those shown; as it is where the texts differ."""
    same = len(shown) > 0 and sorted(original) == sorted(shown)
    return order_of(original, shown) if same else order
