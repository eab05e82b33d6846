"""Held-out answers of all folds of a cross-validation, pooled into one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lawqa.errors import DataError
from lawqa.files import read_json
from lawqa.pipelines.figures import summary_of
from lawqa.pipelines.result_log import ResultLog, find_results
from lawqa.runs import RESULTS, Manifest, RunDirectory, now, read_manifest
from lawqa.scoring import Summary

SETTINGS = "crossval.json"
"""The file of a cross-validation's directory that says what it is."""


@dataclass(frozen=True)
class Pooled:
    """The pooled run of one training seed."""

    directory: Path
    """A run directory that `lawqa compare` reads."""
    summary: Summary
    """Its figures."""
    notes: tuple[str, ...]
    """What a reader must know first."""


def pool(directories: Sequence[Path], output_dir: Path) -> tuple[Pooled, ...]:
    """Join the held-out answers of all folds into one run for each training seed.

    Args:
        directories: the output directories of `run_crossval` with the same settings; folds that ran on
            other machines are given as further directories.
        output_dir: where the pooled runs go, `seedN` each; earlier ones are replaced.

    Raises:
        DataError: folds are missing or unfinished, or do not belong together.
    """
    settings = [read_settings(directory) for directory in directories]
    if any(differing(settings[0], other) for other in settings):
        raise DataError("the directories hold cross-validations with different settings")
    folds = int(settings[0]["folds"])
    found: dict[int, dict[int, Path]] = {}
    for directory in directories:
        for run in sorted(directory.glob("fold*/seed*/run")):
            seed = int(run.parent.name.removeprefix("seed"))
            fold = int(run.parent.parent.name.removeprefix("fold"))
            found.setdefault(seed, {}).setdefault(fold, run)
    if not found:
        raise DataError(f"{directories[0]}: holds no evaluated fold", "lawqa crossval run  first")
    return tuple(_pool_seed(found[seed], seed, folds, output_dir) for seed in sorted(found))


def _pool_seed(runs: dict[int, Path], seed: int, folds: int, output_dir: Path) -> Pooled:
    missing = [fold for fold in range(1, folds + 1) if fold not in runs]
    if missing:
        raise DataError(
            f"seed {seed}: fold {missing[0]} of {folds} is missing",
            f"lawqa crossval run --fold {missing[0]}  with the same options",
        )
    manifests = [read_manifest(runs[fold]) for fold in sorted(runs)]
    for fold, manifest in zip(sorted(runs), manifests, strict=True):
        if manifest["status"] != "done":
            raise DataError(
                f"{runs[fold]}: is {manifest['status']}, not done",
                "run the same lawqa crossval run again: it goes on where it stopped",
            )
    indexes = {(manifest.get("retrieval") or {}).get("index_sha256") for manifest in manifests}
    if len(indexes) > 1:
        raise DataError(
            f"seed {seed}: the folds were asked with contexts of different indexes",
            "lawqa crossval run --fresh  asks all of them with the one that is there now",
        )
    rows, damaged = [], list[str]()
    for fold, manifest in zip(sorted(runs), manifests, strict=True):
        found = find_results(runs[fold])
        of_fold = list(found.rows(found.places))
        damaged += found.notes
        if len(of_fold) != manifest["data"]["questions"]:
            raise DataError(
                f"{runs[fold] / RESULTS}: holds {len(of_fold)} answers, and "
                f"{manifest['data']['questions']} were given; was it cut off while it was copied?",
                f"copy it again; or remove {runs[fold]} and run the same lawqa crossval run again",
            )
        rows += of_fold
    notes = [
        f"POOLED: {folds} folds; each fold's adapter was trained on most of the other folds' questions, so "
        "the answers are not independent and the interval is somewhat too narrow",
        *sorted({note for manifest in manifests for note in manifest["notes"]}),
        *damaged,
    ]
    run = RunDirectory.create(output_dir / f"seed{seed}", fresh=True)
    with closing(ResultLog(run.path / RESULTS)) as log:
        for row in rows:
            log.append(row)
    seconds = sum(manifest["figures"]["seconds"] for manifest in manifests)
    summary, record = summary_of(rows, notes, seconds)
    run.write_summary(record)
    run.write_manifest(_pooled_manifest(manifests, seed, notes, seconds))
    return Pooled(run.path, summary, tuple(record["notes"]))


def _pooled_manifest(
    manifests: Sequence[dict[str, Any]], seed: int, notes: list[str], seconds: float
) -> Manifest:
    first = manifests[0]
    questions = [entry for manifest in manifests for entry in manifest["questions"]]
    return Manifest(
        kind="evaluate",
        config={**first["config"], "pooled_folds": len(manifests)},
        model=first["model"],
        prompt_specs=first["prompt_specs"],
        retrieval=first.get("retrieval"),
        data={"folds": [m["data"] for m in manifests], "questions": len(questions)},
        questions=questions,
        adapter={"folds": [m["adapter"] for m in manifests]},
        notes=notes,
        figures={"seconds": round(seconds, 3)},
        seed=seed,
        environment=first["environment"],
        started=min(m["started"] for m in manifests),
        ended=now(),
        status="done",
    )


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The settings that two cross-validations do not share.

    Old directories do not say their dtype, index and the model's content, nor one the content of a model that
    was not on its machine; the manifests of every fold do, and are compared.
    """
    silent = {"dtype", "index_sha256", "model_content"} - (one.keys() & other.keys())
    names = {**one, **other}.keys() - silent
    differ = [name for name in names if one.get(name) != other.get(name)]
    if not (one.get("model_content") and other.get("model_content")):
        differ = [name for name in differ if name != "model_content"]
    return sorted(differ)


def read_settings(directory: Path) -> dict[str, Any]:
    """The settings of the cross-validation that a directory holds.

    Raises:
        DataError: it describes none.
    """
    path = directory / SETTINGS
    content = read_json(path)
    if not isinstance(content, dict) or "settings" not in content:
        raise DataError(f"{path}: does not describe a cross-validation")
    settings: dict[str, Any] = content["settings"]
    return settings
