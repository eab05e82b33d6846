"""Held-out answers of all folds of a cross-validation, pooled into one run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from lawqa.amounts import counted
from lawqa.errors import DataError
from lawqa.files import JsonObject, write_json
from lawqa.pipelines.evaluation.job import DECLARED
from lawqa.pipelines.experiments.crossval_manifest import CrossvalManifest
from lawqa.runs.directory import RESULTS, SUMMARY, RunDirectory
from lawqa.runs.figures import figures_of
from lawqa.runs.manifest import SCHEMA_VERSION, Manifest, now, samples_of
from lawqa.runs.result import Result
from lawqa.runs.result_log import ResultLog, read_results
from lawqa.runs.rows import Asked
from lawqa.runs.text_figures import TextFigures
from lawqa.scoring import PriorEffect, Summary, final_answers, prior_effect
from lawqa.scoring.comparisons import Spread, training_spread

ERRORS_UNSEEN = ((2, 3, 5), (4, 5, 13), (6, 8, 24))
"""By the standard deviation between trainings in points: how often, in per cent, exact McNemar at .05 errs on
one seed of five pooled folds; first where each fold moves by itself, then where all move together. From
docs/statistics.md, which benchmarks/rates.py makes."""


@dataclass(frozen=True)
class Pooled:
    """The pooled run of one training seed."""

    directory: Path
    """A run directory that `lawqa compare` reads."""
    summary: Summary
    notes: tuple[str, ...]
    """What a reader must know first."""
    record: JsonObject
    """What its `summary.json` says."""
    prior: PriorEffect | None = None
    """Its answers without each adapter's prior for the letters; None where no fold was asked for it."""
    texts: TextFigures | None = None
    """How its texts ended and what limits cost; None where none was written."""


def pool(directories: Sequence[Path], output_dir: Path) -> tuple[Pooled, ...]:
    """Join the held-out answers of all folds into one run for each training seed.

    Args:
        directories: the output directories of `run_crossval` with the same settings; folds that ran on
            other machines are given as further directories.
        output_dir: where the pooled runs go, `seedN` each; earlier ones are replaced.

    Raises:
        DataError: folds are missing or unfinished, or do not belong together.
    """
    first, *others = (CrossvalManifest.read(directory) for directory in directories)
    if any(first.differences(other) for other in others):
        raise DataError("the directories hold cross-validations with different settings")
    folds = first.folds
    runs: dict[int, dict[int, Path]] = {}
    for directory in directories:
        for run in sorted(directory.glob("fold*/seed*/run")):
            seed = int(run.parent.name.removeprefix("seed"))
            fold = int(run.parent.parent.name.removeprefix("fold"))
            runs.setdefault(seed, {}).setdefault(fold, run)
    if not runs:
        raise DataError(f"{directories[0]}: holds no evaluated fold", "lawqa crossval run  first")
    read = [_read_seed(runs[seed], seed, folds) for seed in sorted(runs)]
    note = pooled_note(folds, _spread([one.results for one in read]))
    pooled = tuple(_write_seed(one, note, output_dir) for one in read)
    _write_whole(pooled, output_dir)
    return pooled


def pooled_note(folds: int, spread: Spread | None) -> str:
    """Return what pooled answers can and cannot say about another training.

    Args:
        folds: how many were pooled.
        spread: between the training seeds; None where there is one.
    """
    about = (
        f"POOLED: {counted(folds, 'fold')}; each fold's adapter was trained on most of the other "
        "folds' questions, so "
        "the answers are not independent."
    )
    if spread is None:
        sizes = ", ".join(f"{points}: {low}-{high}%" for points, low, high in ERRORS_UNSEEN)
        return (
            f"{about} One training seed: neither interval nor p sees how far another training would fall. "
            f"By the standard deviation between trainings in points, a test at p = 0.05 errs in ({sizes}) of "
            "comparisons instead of at most 5%; --seeds 3 measures it"
        )
    return (
        f"{about} {counted(spread.seeds, 'training seed')}, which differ by "
        f"{100 * spread.deviation:.1f} points "
        "(standard deviation) beyond the luck of the questions; lawqa compare with all of them puts that "
        "into interval and p, with one of them it does not"
    )


def _spread(seeds: Sequence[Sequence[Result]]) -> Spread | None:
    """Return the spread between the seeds' final answers, on the questions that all of them were asked."""
    right = [
        {
            final.question_id: final.outcome == "correct"
            for final in final_answers([result.scored() for result in results])
        }
        for results in seeds
    ]
    shared = sorted(set.intersection(*(set(one) for one in right)))
    return training_spread([[one[question] for question in shared] for one in right])


@dataclass(frozen=True)
class _Seed:
    """The folds of one training seed."""

    seed: int
    manifests: Sequence[Manifest]
    results: Sequence[Result]
    other_notes: Sequence[str]
    prior: PriorEffect | None


def _read_seed(runs: dict[int, Path], seed: int, folds: int) -> _Seed:
    missing = [fold for fold in range(1, folds + 1) if fold not in runs]
    if missing:
        raise DataError(
            f"seed {seed}: fold {missing[0]} of {folds} is missing",
            f"lawqa crossval run --fold {missing[0]}  with the same options",
        )
    manifests = [Manifest.read_evaluation(runs[fold]) for fold in sorted(runs)]
    for fold, manifest in zip(sorted(runs), manifests, strict=True):
        if manifest.status != "done":
            raise DataError(
                f"{runs[fold]}: is {manifest.status}, not done",
                "run the same lawqa crossval run again: it resumes where it stopped",
            )
    indexes = {(manifest.retrieval or {}).get("index_sha256") for manifest in manifests}
    if len(indexes) > 1:
        raise DataError(
            f"seed {seed}: the folds were asked with contexts of different indexes",
            "lawqa crossval run --fresh  asks all of them with the one that is there now",
        )
    results, other_notes = list[Result](), list[str]()
    for fold, manifest in zip(sorted(runs), manifests, strict=True):
        stored = read_results(runs[fold], asked=Asked.of(manifest))
        of_fold = list(stored.results.values())
        other_notes += stored.notes
        given = (manifest.prompts or 0) * int(samples_of(manifest) or 1)
        if len(of_fold) != given:
            raise DataError(
                f"{runs[fold] / RESULTS}: holds {counted(len(of_fold), 'answer')}, and "
                f"{given} were given; was it cut off while it was copied?",
                f"copy it again; or remove {runs[fold]} and run the same lawqa crossval run again",
            )
        results += of_fold
    other_notes += _lost_modes(runs)
    prior = _prior([runs[fold] for fold in sorted(runs)], results)
    return _Seed(seed, manifests, results, other_notes, prior)


def _lost_modes(runs: Mapping[int, Path]) -> list[str]:
    """Return what a fold's training took from modes that it did not teach, where --probe-questions asked."""
    notes = []
    for fold, run in sorted(runs.items()):
        trained = Manifest.read_if_there(run.parent / "adapter")
        modes = (
            trained.figures.get("modes") or () if trained is not None and trained.figures else ()
        )
        notes += [
            f"MODE LOST in fold {fold}: {mode['warning']}" for mode in modes if mode["warning"]
        ]
    return notes


def _prior(runs: Sequence[Path], results: Sequence[Result]) -> PriorEffect | None:
    """Return what is left of the answers without each fold's prior, which its training
    questions alone show.
    """
    asked = [run.parent / "prior" for run in runs]
    manifests = [Manifest.read_if_there(path) for path in asked]
    if not all(manifest is not None and manifest.status == "done" for manifest in manifests):
        return None
    parts = []
    for run, path in zip(runs, asked, strict=True):
        held_out = {key for key, _ in read_results(run).results}
        fitting = [one.scored() for one in read_results(path).results.values()]
        parts.append(({key.rpartition("#")[0] for key in held_out}, fitting))
    return prior_effect([result.scored() for result in results], parts)


def _write_seed(read: _Seed, note: str, output_dir: Path) -> Pooled:
    seed, manifests, results = read.seed, read.manifests, read.results
    of_folds = sorted({note for manifest in manifests for note in manifest.notes})
    declared = [one for one in of_folds if one.startswith(DECLARED)]
    notes = [*declared, note, *(one for one in of_folds if one not in declared), *read.other_notes]
    run = RunDirectory.create(output_dir / f"seed{seed}", fresh=True)
    with closing(ResultLog(run.path / RESULTS)) as log:
        for result in results:
            log.append(result)
    seconds = sum(manifest.figures["seconds"] for manifest in manifests)
    figures = figures_of(results)
    prior = {} if read.prior is None else {"prior": read.prior.to_json()}
    record = {**figures.record(notes, seconds), **prior}
    run.write_summary(record)
    _pooled_manifest(manifests, seed, notes, seconds).write(run.path)
    said = tuple(record["notes"])
    return Pooled(run.path, figures.summary, said, record, read.prior, figures.texts)


def _write_whole(pooled: Sequence[Pooled], output_dir: Path) -> None:
    """Write the figures of all training seeds; those of the only one are its own."""
    finals = [one.summary.final.accuracy for one in pooled]
    whole: JsonObject = {
        "notes": list(dict.fromkeys(note for one in pooled for note in one.notes)),
        "accuracy": math.fsum(one.value for one in finals) / len(finals),
        "seeds": {one.directory.name: one.record for one in pooled},
    }
    if len(pooled) == 1:
        whole = {**pooled[0].record, "seeds": {pooled[0].directory.name: pooled[0].record}}
    write_json(output_dir / SUMMARY, {"schema_version": SCHEMA_VERSION, **whole})


def _pooled_manifest(
    manifests: Sequence[Manifest], seed: int, notes: list[str], seconds: float
) -> Manifest:
    first = manifests[0]
    questions = [entry for manifest in manifests for entry in manifest.questions]
    return Manifest(
        kind="evaluate",
        config={**first.config, "pooled_folds": len(manifests)},
        model=first.model,
        prompt_specs=first.prompt_specs,
        retrieval=first.retrieval,
        data={
            "folds": [m.data for m in manifests],
            "questions": len({one["id"] for one in questions}),
            "prompts": len(questions),
        },
        questions=questions,
        adapter={"folds": [m.adapter for m in manifests]},
        notes=notes,
        figures={"seconds": round(seconds, 3)},
        seed=seed,
        environment=first.environment,
        started=min(m.started for m in manifests),
        ended=now(),
        status="done",
    )
