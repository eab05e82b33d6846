"""Runs that repeat one another with another seed, and are one side of a comparison."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from lawqa.errors import ConfigError
from lawqa.pipelines.runs_diff import causes
from lawqa.runs import MANIFEST, read_manifest

_SEED = re.compile(r"(?i)(?<![a-z])(seed|s)([-_]?)[0-9]+")


def sides_of(
    runs: Sequence[tuple[str, Path]], seeds: Literal["auto", "together", "apart"] = "auto"
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Which runs are the base, and which make up each of the others.

    Args:
        runs: name and place of each, the base first.
        seeds: `auto` puts runs together that differ in the seed alone; `together` all but the base;
            `apart` none.

    Returns:
        The names of the base's runs, and of the runs of each other.

    Raises:
        ConfigError: there is nothing to put together.
    """
    (base, _), *rest = runs
    if seeds == "together":
        if len(rest) < 2:
            raise ConfigError(
                "--seeds together: only one run is held against the base", "name its other seeds"
            )
        return (base,), (tuple(name for name, _ in rest),)
    if seeds == "apart":
        return (base,), tuple((name,) for name, _ in rest)
    sides = repeats([_manifest(path) for _, path in runs])
    if len(sides) == 1:  # seeds of one run held against each other
        return (base,), tuple((name,) for name, _ in rest)
    named = [tuple(runs[number][0] for number in side) for side in sides]
    return named[0], tuple(named[1:])


def repeats(manifests: Sequence[Mapping[str, Any] | None]) -> list[list[int]]:
    """Runs that differ in the seed alone, together.

    Args:
        manifests: of each run; None for a result file, which repeats nothing.

    Returns:
        The places of the runs of each side, in the sequence given.
    """
    sides: list[list[int]] = []
    for number, manifest in enumerate(manifests):
        side = next((s for s in sides if all(_repeat(manifests[n], manifest) for n in s)), None)
        if side is None:
            sides.append([number])
        else:
            side.append(number)
    return sides


def _manifest(path: Path) -> Mapping[str, Any] | None:
    return read_manifest(path) if (path / MANIFEST).is_file() else None


def _repeat(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> bool:
    """Whether two runs differ in the seed of training or sampling, and in nothing that matters besides."""
    if one is None or other is None or _seeds(one) == _seeds(other):
        return False
    if _recipe(one) != _recipe(other):
        return False
    return not causes(_without_seed(one), _without_seed(other))


def _seeds(manifest: Mapping[str, Any]) -> tuple[Any, ...]:
    return (manifest.get("seed"), *(_SEED.search(path) and path for path in _adapters(manifest)))


def _recipe(manifest: Mapping[str, Any]) -> tuple[object, ...]:
    """What its adapters are called but for the seed's number, and how they were trained if that is known."""
    return tuple((_SEED.sub(r"\1", path), _training(Path(path))) for path in _adapters(manifest))


def _training(adapter: Path) -> object:
    if not (adapter / MANIFEST).is_file():
        return None
    settings = read_manifest(adapter).get("config", {}).get("training")
    return {**settings, "seed": None} if isinstance(settings, dict) else None


def _adapters(manifest: Mapping[str, Any]) -> list[str]:
    found = manifest.get("adapter") or {}
    return [str(one["path"]) for one in found.get("folds", [found]) if one and one.get("path")]


def _without_seed(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**manifest, "config": {**manifest["config"], "seed": None}}
