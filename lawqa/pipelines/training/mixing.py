"""What is learnt from besides the training file, each by its weight, and how much of all may be synthetic."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lawqa.amounts import counted
from lawqa.augment.question_types import ID_PREFIX
from lawqa.digests import hashed_while_read
from lawqa.errors import ConfigError
from lawqa.files import JsonObject
from lawqa.records import TrainingRecord, holds_records, load_records

_MOST_OFTEN = 1000
_SOURCE = "statute:"
"""What the sources of records begin with that were made of statutes."""


@dataclass(frozen=True)
class ExtraRecords:
    """The records that are taken from one further file."""

    path: Path
    weight: float
    """How often each is taken."""
    records: tuple[TrainingRecord, ...]
    """Those that are taken, as often as they are."""
    sha256: str
    """Of the file, taken when it was read."""
    warnings: tuple[str, ...] = ()
    """What is lost or unknown, a sentence each."""

    def to_json(self) -> JsonObject:
        """Return what a manifest keeps of them."""
        return {
            "path": str(self.path),
            "sha256": self.sha256,
            "weight": self.weight,
            "records": len(self.records),
        }


def parse_extra(words: Sequence[str]) -> tuple[tuple[Path, float], ...]:
    """Read `FILE=WEIGHT` words.

    Raises:
        ConfigError: one has another form, a weight out of range, or names a file without records, or twice.
    """
    extra: list[tuple[Path, float]] = []
    for word in words:
        name, _, number = word.rpartition("=")
        try:
            weight = float(number)
        except ValueError:
            weight = 0.0
        if not name or not 0 < weight <= _MOST_OFTEN:
            raise _no_weight(word)
        path = Path(name)
        if path in [known for known, _ in extra]:
            raise ConfigError(f"--extra {name}: is named twice", "give it one weight")
        if not path.is_file():
            raise ConfigError(f"--extra {name}: there is no such file")
        if not holds_records(path):
            raise _no_records(path)
        extra.append((path, weight))
    return tuple(extra)


def load_extra(
    extra: Sequence[tuple[Path, float]], wording: str, seed: int
) -> tuple[ExtraRecords, ...]:
    """Read further records, and take them by their weights.

    Args:
        extra: files and weights.
        wording: of the prompts, as `load_records` wants it.
        seed: decides which records a fraction takes.

    Raises:
        DataError: a file cannot be read.
        ConfigError: a file holds no records, or records in another wording.
    """
    taken = []
    for path, weight in extra:
        if not 0 < weight <= _MOST_OFTEN:
            raise _no_weight(f"{path}={weight:g}")
        with hashed_while_read(path) as sha256:
            if not holds_records(path):
                raise _no_records(path)
            loaded = load_records(path, wording=wording)
        records = tuple(weighted(loaded.records, weight, seed))
        taken.append(ExtraRecords(path, weight, records, sha256, loaded.warnings))
    return tuple(taken)


def weighted(records: Sequence[TrainingRecord], weight: float, seed: int) -> list[TrainingRecord]:
    """Take each record as often as the weight says; of a fraction as many as it makes, drawn by the seed."""
    whole = int(weight)
    drawn = round((weight - whole) * len(records))
    places = sorted(random.Random(seed).sample(range(len(records)), drawn))  # noqa: S311 - repeatable
    return [*list(records) * whole, *(records[place] for place in places)]


def capped(
    records: Sequence[TrainingRecord], share: float, seed: int
) -> tuple[list[TrainingRecord], int]:
    """Leave synthetic records out until they are no more than a share of all that is left.

    Args:
        records: what would be trained on.
        share: the most, from 0 to below 1.
        seed: decides which are left out.

    Returns:
        What is left, in order, and how many were left out.

    Raises:
        ConfigError: all records are synthetic, so that none would be left.
    """
    places = [place for place, record in enumerate(records) if is_synthetic(record)]
    real = len(records) - len(places)
    if places and not real:
        raise ConfigError(
            f"--max-synthetic-share {share:g}: "
            f"{counted(len(records), 'record is', 'records are')} given, all synthetic",
            "add records of real questions, or leave it out",
        )
    # real / (real + kept) >= 1 - share
    most = int(real * share / (1 - share) + 1e-9)
    if len(places) <= most:
        return list(records), 0
    kept = set(random.Random(seed).sample(places, most))  # noqa: S311 - repeatable
    dropped = set(places) - kept
    return [r for place, r in enumerate(records) if place not in dropped], len(dropped)


def is_synthetic(record: TrainingRecord) -> bool:
    """Return whether a record was made of a question that `lawqa augment` made of statutes."""
    return record.question_id.startswith(f"{ID_PREFIX}_") or record.source.startswith(_SOURCE)


def _no_weight(word: str) -> ConfigError:
    return ConfigError(
        f"--extra {word}: expected FILE=WEIGHT with a weight above 0 and at most {_MOST_OFTEN}",
        "--extra statutes.jsonl=1  takes each record once, =0.5 half of them, =2 each twice",
    )


def _no_records(path: Path) -> ConfigError:
    return ConfigError(
        f"--extra {path}: holds no training records",
        f"lawqa records --lawqa-path {path} --output-path RECORDS.jsonl  makes them of questions",
    )
