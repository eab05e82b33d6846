"""What a training run needs once it is loaded and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lawqa.augment.reading import ReadingRecord
from lawqa.files import JsonObject
from lawqa.pipelines.adapters.stages import Start
from lawqa.pipelines.training.dev import DevQuestions
from lawqa.pipelines.training.mixing import ExtraRecords, is_synthetic
from lawqa.records import TokenizedRecord, TrainingRecord, shortened_note
from lawqa.runs.manifest import Manifest
from lawqa.settings import (
    PolicyRun,
    PolicySettings,
    PreferenceRun,
    PreferenceSettings,
    TrainingRun,
)
from lawqa.templates import template_description, template_warnings

if TYPE_CHECKING:
    from lawqa.models.load import LoadedModel


@dataclass(frozen=True)
class TrainingSource:
    """What a training file holds."""

    records: tuple[TrainingRecord, ...] = ()
    """Prompts with their answers."""
    readings: tuple[ReadingRecord, ...] = ()
    """Articles to read."""
    warnings: tuple[str, ...] = ()
    """What is lost or unknown, a sentence each."""
    sha256: str = ""
    """Of the file, taken when it was read."""
    extra: tuple[ExtraRecords, ...] = ()
    """What was added to the file's records, as it was taken."""
    wrong: tuple[TrainingRecord, ...] = ()
    """Of each record, where it is the right one of a pair, the other; empty where answers are learnt."""
    synthetic_left_out: int = 0
    """Synthetic records that are left out, as there would be too many."""
    retrieval: JsonObject | None = None
    """What its retrieved contexts were made with; None where there are none, or nothing says so."""

    def describe_mixture(self) -> JsonObject:
        """Return what a manifest keeps of further records and synthetic ones."""
        synthetic = sum(map(is_synthetic, self.records))
        return {
            "extra": [extra.to_json() for extra in self.extra],
            "synthetic": {"records": synthetic, "left_out": self.synthetic_left_out},
        }


@dataclass(frozen=True)
class Prepared:
    """Everything that training needs, checked."""

    config: TrainingRun
    """What was asked for."""
    loaded: LoadedModel
    """The base model."""
    model: Any  # this package imports no deep-learning library
    """PEFT's wrapper with the new adapter."""
    source: TrainingSource
    """The records, with warnings."""
    records: tuple[TokenizedRecord, ...]
    """The records as token ids and labels; of pairs both, one after the other."""
    dev: DevQuestions | None
    """The dev questions; None without any."""
    earlier: Manifest | None
    """The manifest of the training that is resumed; None for a new one."""
    start: Start | None = None
    """The adapter that it starts from; None for new weights."""
    start_notes: tuple[str, ...] = ()
    """What a user must know of that, a sentence each."""

    @property
    def preference(self) -> PreferenceSettings | None:
        """How pairs are learnt from; None where answers are learnt."""
        return self.config.preference if isinstance(self.config, PreferenceRun) else None

    @property
    def policy(self) -> PolicySettings | None:
        """How a model's own samples are learnt from; None where other texts are."""
        return self.config.policy if isinstance(self.config, PolicyRun) else None

    @property
    def units(self) -> int:
        """How many things the steps of an epoch share out: records, or pairs of them."""
        return len(self.records) // (1 if self.preference is None else 2)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user must know of the records and their prompts, a sentence each."""
        shortened = shortened_note(self.records, self.config.training.max_seq_length)
        return (
            *self.source.warnings,
            *self.start_notes,
            *([shortened] if shortened else []),
            *(
                template_warnings(template_description(self.loaded.tokenizer))
                if self.source.records
                else ()
            ),
        )
