"""Every setting, declared once: what it means, its default, what it changes, the lab's names of its flag.

One frozen dataclass a concern. The command line, the pipelines and the Python API use them as they are. The
ranges of numbers are in `ranges`, by the names of the fields.
"""

from lawqa.settings.accepted import Settings, StrPath, as_path, as_paths, checks_arguments
from lawqa.settings.concerns import CONCERNS, decides_result, same_flags
from lawqa.settings.declared import (
    PLACE,
    RESULT,
    SPEED,
    Change,
    Declaration,
    by_content,
    called,
    change_of,
    declaration,
    declared,
    flag_of,
    flags_of,
    inner_of,
    name_of,
    named,
    part_of,
    plain,
    values_of,
    within,
)
from lawqa.settings.defaults import (
    AnswerBy,
    Resolved,
    Sampling,
    Way,
    defaults_of,
    resolved,
    sources_of,
    way_of,
)
from lawqa.settings.differences import differences
from lawqa.settings.evaluation import (
    AnswererSettings,
    AskedSettings,
    BackendName,
    GenerationChoices,
    PlaceSettings,
    RunSettings,
)
from lawqa.settings.experiments import (
    DistillSettings,
    FoldSettings,
    GridSettings,
    HeldOutSettings,
    LearnFrom,
    MergeSettings,
    RecordSettings,
)
from lawqa.settings.model import DEFAULT_MODEL, Dtype, ModelSettings, QuantType, with_quant_type
from lawqa.settings.retrieval import RankingSettings, RetrievalSettings, RetrievedSettings
from lawqa.settings.server import RequestLimits, ServerSettings
from lawqa.settings.stored import stored_problems
from lawqa.settings.training import (
    ALL_LINEAR,
    DevSettings,
    Hyperparameters,
    OptimiserSettings,
    Schedule,
)
from lawqa.settings.training_run import Tracker, TrackerSettings, TrainingFiles, TrainingRun
from lawqa.settings.wording import STANDARD_PROMPT, WordingSettings

__all__ = [
    "ALL_LINEAR",
    "CONCERNS",
    "DEFAULT_MODEL",
    "PLACE",
    "RESULT",
    "SPEED",
    "STANDARD_PROMPT",
    "AnswerBy",
    "AnswererSettings",
    "AskedSettings",
    "BackendName",
    "Change",
    "Declaration",
    "DevSettings",
    "DistillSettings",
    "Dtype",
    "FoldSettings",
    "GenerationChoices",
    "GridSettings",
    "HeldOutSettings",
    "Hyperparameters",
    "LearnFrom",
    "MergeSettings",
    "ModelSettings",
    "OptimiserSettings",
    "PlaceSettings",
    "QuantType",
    "RankingSettings",
    "RecordSettings",
    "RequestLimits",
    "Resolved",
    "RetrievalSettings",
    "RetrievedSettings",
    "RunSettings",
    "Sampling",
    "Schedule",
    "ServerSettings",
    "Settings",
    "StrPath",
    "Tracker",
    "TrackerSettings",
    "TrainingFiles",
    "TrainingRun",
    "Way",
    "WordingSettings",
    "as_path",
    "as_paths",
    "by_content",
    "called",
    "change_of",
    "checks_arguments",
    "decides_result",
    "declaration",
    "declared",
    "defaults_of",
    "differences",
    "flag_of",
    "flags_of",
    "inner_of",
    "name_of",
    "named",
    "part_of",
    "plain",
    "resolved",
    "same_flags",
    "sources_of",
    "stored_problems",
    "values_of",
    "way_of",
    "with_quant_type",
    "within",
]
