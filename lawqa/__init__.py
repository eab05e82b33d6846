"""lawqa: train and honestly evaluate language models on Japanese-law four-choice questions.

    evaluate, train, crossval                 one configuration object each, as the commands
    split, make_records                       a question file -> parts, training records
    compare_runs, rescore, write_report       stored runs -> differences, new readings, a page
    plot                                      stored runs -> a matplotlib figure
    export_run                                a stored run -> CSV, Parquet, a log of lm-eval or inspect_ai
    import_run                                a log of lm-eval or inspect_ai -> a run directory
    publish                                   an adapter -> a copy without texts, host and folders
    retrieve                                  a question or a few words -> articles of an index

Paths may be texts. A mistake raises `LawqaError` with a message and a hint. Nothing is printed; what a reader
must know is in the `notes` of each result, and warnings go to the logger `lawqa`. The names of `__all__` are
imported when they are first asked for, so `import lawqa` costs next to nothing, and none of them needs torch
before a model is loaded.
"""

import logging
from importlib import import_module
from typing import TYPE_CHECKING

from lawqa._version import __version__ as __version__
from lawqa.offered import imported_when_asked
from lawqa.shown import show_by

if TYPE_CHECKING:
    from lawqa.answers import ParsedAnswer, parse
    from lawqa.errors import LawqaError
    from lawqa.pipelines.comparing.comparison import compare_runs
    from lawqa.pipelines.comparing.plot import plot
    from lawqa.pipelines.comparing.report_file import write_report
    from lawqa.pipelines.comparing.rescore import rescore
    from lawqa.pipelines.corpus.indexes.search import retrieve
    from lawqa.pipelines.corpus.split import split
    from lawqa.pipelines.corpus.training_records import make_records
    from lawqa.pipelines.evaluation.contexts import RagConfig
    from lawqa.pipelines.evaluation.evaluate import EvaluationConfig, evaluate
    from lawqa.pipelines.experiments.crossval_config import CrossvalConfig
    from lawqa.pipelines.experiments.crossval_result import crossval
    from lawqa.pipelines.interchange.export import export_run
    from lawqa.pipelines.interchange.importing import import_run
    from lawqa.pipelines.interchange.lm_eval_task import export_task
    from lawqa.pipelines.interchange.publish import publish
    from lawqa.pipelines.training.train import train
    from lawqa.prompting import PromptSpec, build_prompt
    from lawqa.questions import Question, read_questions, write_questions
    from lawqa.runs.stored import read_stored_run
    from lawqa.scoring import ScoredAnswer, Summary, calibration_of, summarise
    from lawqa.scoring.comparisons import compare
    from lawqa.settings import Hyperparameters, TrainingRun

__all__ = [
    "CrossvalConfig",
    "EvaluationConfig",
    "Hyperparameters",
    "LawqaError",
    "ParsedAnswer",
    "PromptSpec",
    "Question",
    "RagConfig",
    "ScoredAnswer",
    "Summary",
    "TrainingRun",
    "build_prompt",
    "calibration_of",
    "compare",
    "compare_runs",
    "crossval",
    "evaluate",
    "export_run",
    "export_task",
    "import_run",
    "make_records",
    "parse",
    "plot",
    "publish",
    "read_questions",
    "read_stored_run",
    "rescore",
    "retrieve",
    "split",
    "summarise",
    "train",
    "write_questions",
    "write_report",
]

_ROOMS = {
    "lawqa.answers": ("ParsedAnswer", "parse"),
    "lawqa.errors": ("LawqaError",),
    "lawqa.pipelines.comparing.comparison": ("compare_runs",),
    "lawqa.pipelines.comparing.plot": ("plot",),
    "lawqa.pipelines.comparing.report_file": ("write_report",),
    "lawqa.pipelines.comparing.rescore": ("rescore",),
    "lawqa.pipelines.corpus.indexes.search": ("retrieve",),
    "lawqa.pipelines.corpus.split": ("split",),
    "lawqa.pipelines.corpus.training_records": ("make_records",),
    "lawqa.pipelines.evaluation.contexts": ("RagConfig",),
    "lawqa.pipelines.evaluation.evaluate": ("EvaluationConfig", "evaluate"),
    "lawqa.pipelines.experiments.crossval_config": ("CrossvalConfig",),
    "lawqa.pipelines.experiments.crossval_result": ("crossval",),
    "lawqa.pipelines.interchange.export": ("export_run",),
    "lawqa.pipelines.interchange.importing": ("import_run",),
    "lawqa.pipelines.interchange.lm_eval_task": ("export_task",),
    "lawqa.pipelines.interchange.publish": ("publish",),
    "lawqa.pipelines.training.train": ("train",),
    "lawqa.prompting": ("PromptSpec", "build_prompt"),
    "lawqa.questions": ("Question", "read_questions", "write_questions"),
    "lawqa.runs.stored": ("read_stored_run",),
    "lawqa.scoring": ("ScoredAnswer", "Summary", "calibration_of", "summarise"),
    "lawqa.scoring.comparisons": ("compare",),
    "lawqa.settings": ("Hyperparameters", "TrainingRun"),
}


def _html_of(result: object) -> str:
    html: str = import_module("lawqa.report.notebook").html_of(result)
    return html


show_by(_html_of)

# A library is silent unless its user sets logging up; the command line does.
logging.getLogger("lawqa").addHandler(logging.NullHandler())

__getattr__ = imported_when_asked(__name__, _ROOMS)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
