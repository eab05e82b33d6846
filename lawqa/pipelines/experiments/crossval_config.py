"""What a cross-validation is, and whether two are the same one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lawqa.pipelines.evaluation.rag import RagConfig
from lawqa.prompting import PromptSpec
from lawqa.settings import (
    PLACE,
    RESULT,
    Hyperparameters,
    ModelSettings,
    TrackerSettings,
    by_content,
    differences,
)

_CONTENTS = {
    "data_sha256": "the content of --input",
    "quantisation": "--use-4bit and --bnb-4bit-quant-type",
    "prompt_spec": "--condition",
    "trained": "--mix",
    "rag": "the retrieval",
    "index_sha256": "the retrieval's index",
    "model_content": "the model's files",
}
"""What the settings name, as the file of a cross-validation keeps it, by the name that a user knows."""

_UNKNOWN = {"dtype", "index_sha256", "model_content"}
"""What old directories do not say; the manifests of every fold do, and are compared."""


@dataclass(frozen=True, kw_only=True)
class CrossvalConfig(ModelSettings, TrackerSettings):
    """What is split, trained and evaluated."""

    input: Path = field(metadata=by_content(RESULT))
    """The questions."""
    output_dir: Path = field(metadata=PLACE)
    """Where split, folds and the pooled run go."""
    folds: int = field(default=5, metadata=RESULT)
    """How many."""
    fold: int | None = field(default=None, metadata=PLACE)
    """Only this one, from 1; None for all."""
    seed: int = field(default=0, metadata=RESULT)
    """Decides the split; fold i of training seed s trains with seed + s."""
    seeds: int = field(default=1, metadata=PLACE)
    """How often each fold is trained, each time with another seed."""
    spec: PromptSpec = field(default_factory=PromptSpec, metadata=by_content(RESULT))
    """How held-out questions are put."""
    trained: tuple[tuple[PromptSpec, int], ...] = field(default=(), metadata=by_content(RESULT))
    """Prompt specs trained on with their weights; empty for `spec` alone. `spec` must be among them."""
    permutations: Literal[1, 4, 24] = field(default=1, metadata=RESULT)
    """In how many orders a training question is put."""
    load_in_4bit: bool = field(default=False, metadata=by_content(RESULT))
    """Train and evaluate over 4-bit weights."""
    training: Hyperparameters = field(default_factory=Hyperparameters, metadata=by_content(RESULT))
    """How; its seed is replaced."""
    place: str = field(default="any", metadata=PLACE)
    """Where this runs."""
    rag: RagConfig | None = field(default=None, metadata=by_content(RESULT))
    """Where contexts are retrieved, for the condition `rag` in training or evaluation."""
    fresh: bool = field(default=False, metadata=PLACE)
    """Start over: what an earlier one left in the output directory is removed first."""
    quiet: bool = field(default=False, metadata=PLACE)
    """No progress bars."""


def crossval_differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return the settings that two cross-validations do not share, by the names of their flags.

    Args:
        one: what the file of a cross-validation says.
        other: what another says.
    """
    unknown = _UNKNOWN - (one.keys() & other.keys())
    if not (one.get("model_content") and other.get("model_content")):
        unknown.add("model_content")
    before, after = (
        {key: value for key, value in settings.items() if key not in unknown}
        for settings in (one, other)
    )
    beside = ("model_name", "revision") if "model_content" in unknown else ()
    changed = differences(CrossvalConfig, before, after, "train", beside=beside)
    learnt = before.get("training") or {}, after.get("training") or {}
    changed |= differences(Hyperparameters, learnt[0], learnt[1], "train")
    differ = [name for key, name in _CONTENTS.items() if before.get(key) != after.get(key)]
    return sorted([*changed, *differ])
