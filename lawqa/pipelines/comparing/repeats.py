"""Runs that repeat one another with another seed, and are one side of a comparison."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lawqa.errors import ConfigError
from lawqa.runs.diff import causes
from lawqa.runs.manifest import Manifest
from lawqa.runs.stored import StoredRun
from lawqa.settings import Seeds

_SEED = re.compile(r"(?i)(?<![a-z])(seed)[-_]?[0-9]+")


def sides_of(
    runs: Sequence[tuple[str, StoredRun]],
    seeds: Seeds = "auto",
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return which runs are the base, and which make up each of the others.

    Args:
        runs: name and run of each, the base first.
        seeds: `auto` puts runs together that differ in the seed alone; `together` and
            `ensemble` all but the base; `apart` none.

    Returns:
        The names of the base's runs, and of the runs of each other.

    Raises:
        ConfigError: there is nothing to put together.
    """
    (base, _), *rest = runs
    if seeds in ("together", "ensemble"):
        if len(rest) < 2:
            raise ConfigError(
                f"--seeds {seeds}: only one run is held against the base", "name its other seeds"
            )
        return (base,), (tuple(name for name, _ in rest),)
    if seeds == "apart":
        return (base,), tuple((name,) for name, _ in rest)
    sides = repeats([(run.path, run.manifest) for _, run in runs])
    if len(sides) == 1:  # seeds of one run held against each other
        return (base,), tuple((name,) for name, _ in rest)
    named = [tuple(runs[number][0] for number in side) for side in sides]
    return named[0], tuple(named[1:])


def repeats(runs: Sequence[tuple[Path, Manifest | None]]) -> list[list[int]]:
    """Return runs that differ in the seed alone, together.

    Args:
        runs: place and manifest of each; no manifest for a result file, which repeats nothing.

    Returns:
        The places of the runs of each side, in the sequence given.
    """
    sides: list[list[int]] = []
    for number, run in enumerate(runs):
        side = next((s for s in sides if all(_repeat(runs[n], run) for n in s)), None)
        if side is None:
            sides.append([number])
        else:
            side.append(number)
    return sides


def _repeat(one: tuple[Path, Manifest | None], other: tuple[Path, Manifest | None]) -> bool:
    """Return whether two runs differ in the seed of training or sampling, and in nothing that matters
    besides.
    """
    (path, first), (its_path, second) = one, other
    if first is None or second is None:
        return False
    if not (_has_a_seed(path, first) and _has_a_seed(its_path, second)):
        return False
    if _seeds(path, first) == _seeds(its_path, second) or _recipe(first) != _recipe(second):
        return False
    return not causes(_without_seed(first), _without_seed(second))


def _has_a_seed(path: Path, manifest: Manifest) -> bool:
    """Return whether a seed had a part in it: an adapter was trained, texts were sampled, or its name says
    so.
    """
    config = manifest.config
    sampled = config.get("answer_by") == "generate" and bool(config.get("temperature"))
    return bool(manifest.adapters) or sampled or _SEED.search(path.name) is not None


def _seeds(path: Path, manifest: Manifest) -> tuple[object, ...]:
    named = [path.name, *_adapters(manifest)]
    seeds = [match[0] if match else None for match in map(_SEED.search, named)]
    return (manifest.seed, *seeds)


def _recipe(manifest: Manifest) -> tuple[object, ...]:
    """Return what its adapters are called but for the seed's number, and how they were trained if that is
    known.
    """
    return tuple((_SEED.sub(r"\1", path), _training(Path(path))) for path in _adapters(manifest))


def _training(adapter: Path) -> object:
    manifest = Manifest.read_if_there(adapter)
    settings = manifest.config.get("training") if manifest else None
    return {**settings, "seed": None} if isinstance(settings, dict) else None


def _adapters(manifest: Manifest) -> list[str]:
    return [str(one["path"]) for one in manifest.adapters]


def _without_seed(manifest: Manifest) -> Manifest:
    return replace(manifest, config={**manifest.config, "seed": None})
