"""Several runs that answer one question: cross-validation, and what is tried in a sweep."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lawqa.settings.accepted import Settings
from lawqa.settings.declared import PLACE, RESULT, by_content


@dataclass(frozen=True, kw_only=True)
class FoldSettings(Settings):
    """What is split."""

    input: Path = field(metadata=by_content(RESULT))
    """The questions: lawqa_jp JSON, or JSONL."""
    output_dir: Path = field(metadata=PLACE)
    """Where split, folds and the pooled run go."""
    folds: int = field(default=5, metadata=RESULT)
    """How many folds."""
    fold: int | None = field(default=None, metadata=PLACE)
    """Only this fold, from 1; `lawqa crossval pool` joins them later."""
    seeds: int = field(default=1, metadata=PLACE)
    """Train each fold N times, with --seed, --seed + 1, and so on."""
    fresh: bool = field(default=False, metadata=PLACE)
    """Remove what an earlier one left in the directory (with --fold: of that fold), and start over."""


@dataclass(frozen=True, kw_only=True)
class RecordSettings(Settings):
    """What is learnt from."""

    permutations: Literal[1, 4, 24] = field(default=1, metadata=RESULT)
    """Train on each question in N orders of its choices."""


@dataclass(frozen=True)
class GridSettings(Settings):
    """What is tried: every combination. Each is a cross-validation of its own, so that a sweep may grow."""

    learning_rates: tuple[float, ...] = field(default=(1e-4, 2e-4, 4e-4), metadata=PLACE)
    """Highest learning rates."""
    ranks: tuple[int, ...] = field(default=(16,), metadata=PLACE)
    """Ranks of the adapter; --lora-r and --lora-alpha count by their ratio only, which stays."""
    epochs: tuple[float, ...] = field(default=(2.0, 4.0), metadata=PLACE)
    """Passes over the records."""
