"""What a cross-validation is to do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from lawqa.pipelines.evaluation.config import EvaluationConfig
from lawqa.pipelines.evaluation.contexts import RagConfig
from lawqa.prompting import PromptSpec
from lawqa.settings import (
    PLACE,
    RESULT,
    FoldSettings,
    FoldTrainingSettings,
    GenerationChoices,
    HeldOutSettings,
    Hyperparameters,
    ModelSettings,
    PlaceSettings,
    QuietSettings,
    RecordSettings,
    TrackerSettings,
    TrainingRun,
    by_content,
    declaration,
    within,
)


@dataclass(frozen=True, kw_only=True)
class CrossvalConfig(
    FoldSettings,
    RecordSettings,
    FoldTrainingSettings,
    HeldOutSettings,
    ModelSettings,
    TrackerSettings,
    PlaceSettings,
):
    """What is split, trained and evaluated."""

    seed: int = field(default=0, metadata=declaration(Hyperparameters, "seed"))
    """Decides the split; fold i of training seed s trains with seed + s."""
    spec: PromptSpec = field(
        default_factory=PromptSpec, metadata=declaration(EvaluationConfig, "spec")
    )
    """How held-out questions are put."""
    trained: tuple[tuple[PromptSpec, int], ...] = field(default=(), metadata=by_content(RESULT))
    """Prompt specs of letters trained on with their weights; empty for `spec` alone, put directly. That one
    must be among them."""
    extra: tuple[tuple[Path, float], ...] = field(
        default=(), metadata=declaration(TrainingRun, "extra")
    )
    """Files of further records that every fold learns from, each with how often a record is taken."""
    generation: GenerationChoices = field(
        default_factory=GenerationChoices, metadata=within(GenerationChoices)
    )
    """How text is generated, where held-out questions are answered by text."""
    training: Hyperparameters = field(
        default_factory=Hyperparameters, metadata=within(Hyperparameters)
    )
    """How; its seed is replaced."""
    rag: RagConfig | None = field(default=None, metadata=declaration(EvaluationConfig, "rag"))
    """Where contexts are retrieved, for the condition `rag` in training or evaluation."""
    quiet: bool = field(default=True, metadata=declaration(QuietSettings, "quiet"))
    """No progress bars."""
    samples_dir: Path | None = field(default=None, metadata=PLACE)
    """Where sampled answers are kept, for `distilled`; None for below the output directory."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rag is not None:
            # Contexts that are learnt from have the length of those that are asked with.
            object.__setattr__(self, "rag", self.rag.counted_by(self.model_name, self.revision))

    def trained_specs(self) -> tuple[tuple[PromptSpec, int], ...]:
        """Return the prompt specs trained on, with their weights."""
        return ((self.spec, 1),) if self.learn_from == "distilled" else self.letters_specs()

    def letters_specs(self) -> tuple[tuple[PromptSpec, int], ...]:
        """Return the prompt specs that letters are trained with, with their weights."""
        return self.trained or ((replace(self.spec, mode="direct", thinking=False), 1),)

    @property
    def learnt_as(self) -> PromptSpec:
        """The prompt spec under which what is evaluated was learnt: for letters the direct one."""
        if self.learn_from == "distilled":
            return self.spec
        return replace(self.spec, mode="direct", thinking=False)

    @property
    def samples_directory(self) -> Path:
        """Where sampled answers are kept."""
        return self.samples_dir or self.output_dir / "distilled"
