"""Every setting, declared once: what it means, its default, what it changes, the lab's names of its flag.

One frozen dataclass a concern. The command line, the pipelines and the Python API use them as they are. The
ranges of numbers are in `ranges`, by the names of the fields.
"""

from lawqa.settings.concerns import CONCERNS, same_flags
from lawqa.settings.declared import (
    PLACE,
    RESULT,
    SPEED,
    Change,
    by_content,
    change_of,
    declared,
    flag_of,
    flags_of,
    named,
    plain,
    values_of,
)
from lawqa.settings.model import DEFAULT_MODEL, Dtype, ModelSettings, QuantType
from lawqa.settings.training import (
    ALL_LINEAR,
    DevSettings,
    Hyperparameters,
    OptimiserSettings,
    Schedule,
)
from lawqa.settings.training_run import Tracker, TrackerSettings, TrainingFiles, TrainingRun

__all__ = [
    "ALL_LINEAR",
    "CONCERNS",
    "DEFAULT_MODEL",
    "PLACE",
    "RESULT",
    "SPEED",
    "Change",
    "DevSettings",
    "Dtype",
    "Hyperparameters",
    "ModelSettings",
    "OptimiserSettings",
    "QuantType",
    "Schedule",
    "Tracker",
    "TrackerSettings",
    "TrainingFiles",
    "TrainingRun",
    "by_content",
    "change_of",
    "declared",
    "flag_of",
    "flags_of",
    "named",
    "plain",
    "same_flags",
    "values_of",
]
