"""lawqa: train and honestly evaluate language models on Japanese-law four-choice questions.

The names of `__all__` are imported when they are first asked for, so `import lawqa` costs next to nothing,
and none of them needs torch before a model is loaded.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lawqa._version import __version__ as __version__

if TYPE_CHECKING:
    from lawqa.answers import ParsedAnswer, parse
    from lawqa.errors import LawqaError
    from lawqa.pipelines.evaluation.evaluate import EvaluationConfig, evaluate
    from lawqa.pipelines.training.train import train
    from lawqa.prompting import PromptSpec, build_prompt
    from lawqa.questions import Question, read_questions, write_questions
    from lawqa.runs.stored import read_stored_run
    from lawqa.scoring import ScoredAnswer, Summary, compare, summarise
    from lawqa.settings import Hyperparameters, TrainingRun

__all__ = [
    "EvaluationConfig",
    "Hyperparameters",
    "LawqaError",
    "ParsedAnswer",
    "PromptSpec",
    "Question",
    "ScoredAnswer",
    "Summary",
    "TrainingRun",
    "build_prompt",
    "compare",
    "evaluate",
    "parse",
    "read_questions",
    "read_stored_run",
    "summarise",
    "train",
    "write_questions",
]

_ROOMS = {
    "lawqa.answers": ("ParsedAnswer", "parse"),
    "lawqa.errors": ("LawqaError",),
    "lawqa.pipelines.evaluation.evaluate": ("EvaluationConfig", "evaluate"),
    "lawqa.pipelines.training.train": ("train",),
    "lawqa.settings": ("Hyperparameters", "TrainingRun"),
    "lawqa.runs.stored": ("read_stored_run",),
    "lawqa.prompting": ("PromptSpec", "build_prompt"),
    "lawqa.questions": ("Question", "read_questions", "write_questions"),
    "lawqa.scoring": ("ScoredAnswer", "Summary", "compare", "summarise"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'lawqa' has no attribute {name!r}")
    return getattr(import_module(_ROOM_OF[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
