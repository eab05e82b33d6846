"""All the concerns, for questions that are asked of a flag or a field by its name."""

from __future__ import annotations

from functools import cache

from lawqa.settings.declared import declared, flags_of
from lawqa.settings.model import ModelSettings
from lawqa.settings.training import Hyperparameters
from lawqa.settings.training_run import TrackerSettings, TrainingFiles

CONCERNS: tuple[type, ...] = (ModelSettings, Hyperparameters, TrackerSettings, TrainingFiles)


@cache
def same_flags(flag: str) -> frozenset[str]:
    """Return every name of the setting that a flag names, this one among them."""
    for kind in CONCERNS:
        for field in declared(kind):
            names = flags_of(field)
            if flag in names:
                return frozenset(names)
    return frozenset({flag})
