"""What a cross-validation is to do."""

from __future__ import annotations

from dataclasses import dataclass, field

from lawqa.pipelines.evaluation.rag import RagConfig
from lawqa.prompting import PromptSpec
from lawqa.settings import (
    PLACE,
    RESULT,
    FoldSettings,
    Hyperparameters,
    ModelSettings,
    PlaceSettings,
    RecordSettings,
    TrackerSettings,
    by_content,
    within,
)


@dataclass(frozen=True, kw_only=True)
class CrossvalConfig(FoldSettings, RecordSettings, ModelSettings, TrackerSettings, PlaceSettings):
    """What is split, trained and evaluated."""

    seed: int = field(default=0, metadata=RESULT)
    """Decides the split; fold i of training seed s trains with seed + s."""
    spec: PromptSpec = field(default_factory=PromptSpec, metadata=by_content(RESULT))
    """How held-out questions are put."""
    trained: tuple[tuple[PromptSpec, int], ...] = field(default=(), metadata=by_content(RESULT))
    """Prompt specs trained on with their weights; empty for `spec` alone. `spec` must be among them."""
    training: Hyperparameters = field(
        default_factory=Hyperparameters, metadata=within(Hyperparameters)
    )
    """How; its seed is replaced."""
    rag: RagConfig | None = field(default=None, metadata=by_content(RESULT))
    """Where contexts are retrieved, for the condition `rag` in training or evaluation."""
    quiet: bool = field(default=True, metadata=PLACE)
    """No progress bars."""

    def trained_specs(self) -> tuple[tuple[PromptSpec, int], ...]:
        """Return the prompt specs trained on, with their weights."""
        return self.trained or ((self.spec, 1),)
