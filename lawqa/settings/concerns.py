"""All the concerns, for questions that are asked of a flag or a field by its name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from lawqa.settings.corpus import (
    IndexSettings,
    ParseSettings,
    ReadingSettings,
    RecordFileSettings,
    SplitSettings,
    StatuteQuestionSettings,
)
from lawqa.settings.declared import change_of, counts_by_content, declared, flags_of
from lawqa.settings.evaluation import (
    AskedSettings,
    BackendSettings,
    GenerationChoices,
    RunSettings,
    ServerSettings,
    ThinkingSettings,
    WordingSettings,
)
from lawqa.settings.experiments import (
    AverageSettings,
    DifficultySettings,
    FoldSettings,
    FoldTrainingSettings,
    FromPoolSettings,
    GridSettings,
    HeldOutSettings,
    MergeSettings,
    ProbeSettings,
    RecordSettings,
    SampleSettings,
    SelectSettings,
)
from lawqa.settings.model import ModelSettings
from lawqa.settings.planning import PlanSettings, PowerSettings
from lawqa.settings.preference import (
    PairSettings,
    PolicyRun,
    PolicySettings,
    PreferenceRun,
    PreferenceSettings,
)
from lawqa.settings.retrieval import (
    IndexMeasureSettings,
    QuerySettings,
    RaftSettings,
    RetrievalSettings,
)
from lawqa.settings.training import Hyperparameters
from lawqa.settings.training_run import StageSettings, TrackerSettings, TrainingFiles, TrainingRun

CONCERNS: tuple[type, ...] = (
    ModelSettings,
    AskedSettings,
    BackendSettings,
    ThinkingSettings,
    WordingSettings,
    GenerationChoices,
    RunSettings,
    RetrievalSettings,
    ServerSettings,
    Hyperparameters,
    TrackerSettings,
    StageSettings,
    TrainingFiles,
    FoldSettings,
    FoldTrainingSettings,
    RecordSettings,
    HeldOutSettings,
    GridSettings,
    SampleSettings,
    SelectSettings,
    FromPoolSettings,
    DifficultySettings,
    ProbeSettings,
    AverageSettings,
    MergeSettings,
    TrainingRun,
    ParseSettings,
    IndexSettings,
    QuerySettings,
    IndexMeasureSettings,
    SplitSettings,
    RecordFileSettings,
    RaftSettings,
    StatuteQuestionSettings,
    ReadingSettings,
    PlanSettings,
    PowerSettings,
    PreferenceSettings,
    PairSettings,
    PreferenceRun,
    PolicySettings,
    PolicyRun,
)


@cache
def same_flags(flag: str) -> frozenset[str]:
    """Return every name of the setting that a flag names, this one among them."""
    for kind in CONCERNS:
        for field in declared(kind):
            names = flags_of(field)
            if flag in names:
                return frozenset(names)
    return frozenset({flag})


def decides_result(path: Sequence[str]) -> bool:
    """Return whether a setting decides answers or weights by itself, not by what a file that it names holds.

    Args:
        path: its name below those of the objects that it is in, as in a manifest.
    """
    name = path[-1] if path else ""
    for kind in CONCERNS:
        for field in declared(kind):
            if field.name == name:
                return change_of(field) == "result" and not counts_by_content(field)
    return True
