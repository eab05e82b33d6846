"""Questions that a model gets wrong or is unsure of: the hard negatives among synthetic ones.

All questions are scored in one pass of direct answers (an ordinary evaluation by label probabilities, so
that it resumes and keeps its manifest); what is kept of them is decided afterwards, as often as wanted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lawqa.amounts import counted
from lawqa.augment.question_types import source_of
from lawqa.bars import Say
from lawqa.choices import LABELS, Label
from lawqa.digests import sha256_of
from lawqa.errors import ConfigError
from lawqa.files import JsonObject, read_json, write_json
from lawqa.pipelines.corpus.records_provenance import provenance_path
from lawqa.pipelines.evaluation.config import EvaluationConfig
from lawqa.pipelines.evaluation.evaluate import evaluate
from lawqa.pipelines.evaluation.opening import BackendFactory
from lawqa.prompting import PromptSpec
from lawqa.questions import Question, read_questions, write_questions
from lawqa.runs.directory import claim_output
from lawqa.runs.manifest import MANIFEST
from lawqa.runs.result_log import read_results
from lawqa.settings import (
    RESULT,
    DifficultySettings,
    LocalAnswererSettings,
    ModelSettings,
    PlaceSettings,
    QuietSettings,
    RunSettings,
    SampleSettings,
    declaration,
    values_of,
)
from lawqa.settings.ranges import require_in_range

_SCHEMA_VERSION = 1
_HELP = "lawqa augment hard --help  explains every option"


@dataclass(frozen=True, kw_only=True)
class HardConfig(
    DifficultySettings, QuietSettings, LocalAnswererSettings, ModelSettings, PlaceSettings
):
    """Which questions are scored by which model, and what is kept."""

    data: Path = field(metadata=declaration(SampleSettings, "data"))
    """The questions, in lawqa_jp's schema."""
    output: Path = field(metadata=declaration(RunSettings, "output"))
    """The question file to write."""
    gold_context: bool = field(default=True, metadata=RESULT)
    """Whether prompts show the questions' own context."""
    wording: str = field(default="standard", metadata=RESULT)
    """The id of the wording of prompts."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Replace an earlier output; answers that are known are not asked again."""


@dataclass(frozen=True)
class Scored:
    """A question with how hard it is."""

    question: Question
    right_probability: float
    """Of the right choice, the mean over the orders asked."""
    right: bool
    """Whether no other choice is as likely."""

    @property
    def difficulty(self) -> float:
        """1 less the probability of the right choice."""
        return 1 - self.right_probability

    @property
    def kind(self) -> str:
        """What the question was made of, such as `statute:judged`; its law where it was not made."""
        return source_of(self.question.id) or self.question.law


@dataclass(frozen=True)
class HardQuestions:
    """What was scored, and what was kept of it."""

    scored: tuple[Scored, ...]
    kept: tuple[Scored, ...]
    """In the order of the file."""
    unscored: int
    """Questions that the model failed to score in some order."""
    run_dir: Path

    @property
    def labels(self) -> dict[Label, int]:
        """How many of the kept questions have each right answer."""
        gold = [one.question.gold for one in self.kept]
        return {label: gold.count(label) for label in LABELS}


def keep_hard(
    config: HardConfig, backend_factory: BackendFactory | None = None, say: Say = str
) -> HardQuestions:
    """Score questions and write those that are hard, with their difficulties beside them.

    Args:
        config: what to do.
        backend_factory: makes the backend; for callers that hold a loaded model.
        say: receives what is done on the way, a line each.

    Raises:
        ConfigError: an option is out of range, an output exists, no question is hard enough, or the run
            directory holds another run.
        LawqaError: as of `evaluate`.
    """
    require_in_range(config, _HELP)
    beside = provenance_path(config.output)
    sources = (config.data, config.script, provenance_path(config.data))
    claim_output(config.output, "--output", fresh=config.fresh, sources=sources)
    claim_output(beside, "--output", fresh=config.fresh, sources=sources)
    if config.output.suffix != ".json":
        raise ConfigError(f"{config.output}: lawqa_jp's question files are JSON", "name it *.json")
    run_dir = config.run_dir or config.output.with_name(f"{config.output.stem}.run")
    result = _evaluated(config, run_dir, backend_factory, say)
    questions = read_questions(config.data)
    scored = _scored(questions, run_dir)
    kept = [one for one in scored if one.difficulty >= config.difficulty]
    if config.limit is not None:
        hardest = sorted(kept, key=lambda one: (-one.difficulty, one.question.key))
        chosen = {one.question.key for one in hardest[: config.limit]}
        kept = [one for one in kept if one.question.key in chosen]
    if not kept:
        raise ConfigError(
            f"none of {counted(len(scored), 'question')} has a difficulty of {config.difficulty} "
            "or more; the hardest "
            f"has {max((one.difficulty for one in scored), default=0):.2f}",
            f"--difficulty with a lower number; the answers are kept in {result}",
        )
    hard = HardQuestions(tuple(scored), tuple(kept), len(questions) - len(scored), run_dir)
    write_json(beside, _provenance(config, hard))
    write_questions(config.output, (one.question for one in kept))
    return hard


def _evaluated(
    config: HardConfig, run_dir: Path, backend_factory: BackendFactory | None, say: Say
) -> Path:
    asked = EvaluationConfig(
        **{
            **values_of(EvaluationConfig, config),
            "spec": PromptSpec(
                "direct", "gold" if config.gold_context else "closed", wording=config.wording
            ),
            "answer_by": "logits",
            "model_name": config.model_name if config.backend == "hf" else "",
            "run_dir": run_dir,
            "output": None,
            "resume": (run_dir / MANIFEST).is_file(),
            "fresh": False,
        }
    )
    try:
        return evaluate(asked, backend_factory, say).run_dir
    except ConfigError as problem:
        if "is not the same run" not in problem.message:
            raise
        hint = f"give the options it was begun with, name another --run-dir, or remove {run_dir}"
        raise ConfigError(problem.message, hint) from None


def _scored(questions: tuple[Question, ...], run_dir: Path) -> list[Scored]:
    """Return questions that were scored in every order, in the order of the file."""
    sums: dict[str, list[float]] = {}
    counts: dict[str, int] = {}
    failed: set[str] = set()
    for result in read_results(run_dir).results.values():
        name = result.question_id
        if result.label_logprobs is None:
            failed.add(name)
            continue
        own = sums.setdefault(name, [0.0] * len(LABELS))
        for place, logprob in zip(result.order, result.label_logprobs, strict=True):
            own[place] += math.exp(logprob)
        counts[name] = counts.get(name, 0) + 1
    scored = []
    for question in questions:
        if question.id in failed or question.id not in sums:
            continue
        means = [total / counts[question.id] for total in sums[question.id]]
        right = question.permutation[LABELS.index(question.gold)]
        others = [mean for place, mean in enumerate(means) if place != right]
        scored.append(Scored(question, means[right], means[right] > max(others)))
    return scored


def _provenance(config: HardConfig, hard: HardQuestions) -> JsonObject:
    """Return where each kept question comes from, as beside the file that it was taken from, and how hard it
    is.
    """
    beside = provenance_path(config.data)
    source: Mapping[str, object] = read_json(beside) if beside.is_file() else {}
    entries = source.get("questions") if isinstance(source, Mapping) else None
    known = {
        str(entry["id"]): entry
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, Mapping) and "id" in entry
    }
    return {
        "schema_version": _SCHEMA_VERSION,
        "from": {"path": str(config.data), "sha256": sha256_of(config.data)},
        "difficulty": config.difficulty,
        "limit": config.limit,
        "run": str(hard.run_dir),
        "scored": len(hard.scored),
        "questions": [
            {
                **known.get(one.question.id, {"id": one.question.id}),
                "difficulty": round(one.difficulty, 4),
                "answered_right": one.right,
            }
            for one in hard.kept
        ],
    }
