"""`lawqa crossval`: every question is held out once."""

from __future__ import annotations

import logging
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, Positional, UseAppendAction, arg, subcommand

from lawqa.amounts import counted
from lawqa.cli.asking.generation_flags import GenerationFlags
from lawqa.cli.asking.prompt_options import FewShotFlag, resolve_condition, resolve_prompt
from lawqa.cli.asking.retrieval_flags import RetrievalFlags
from lawqa.cli.command_table import CommandGroup
from lawqa.cli.console import resume_hint_on_interrupt
from lawqa.cli.training.held_out_flags import HeldOutFlags
from lawqa.cli.training.records import parse_mix
from lawqa.cli.training.training_flags import FoldTrainingFlags
from lawqa.errors import ConfigError
from lawqa.prompting import Condition, PromptSpec
from lawqa.settings import (
    FoldSettings,
    FoldTrainingSettings,
    HeldOutSettings,
    Hyperparameters,
    ModelSettings,
    PlaceSettings,
    RecordFileSettings,
    RecordSettings,
    WordingSettings,
    declaration,
    part_of,
    values_of,
)

if TYPE_CHECKING:
    from lawqa.pipelines.evaluation.contexts import RagConfig
    from lawqa.pipelines.experiments.crossval_config import CrossvalConfig
    from lawqa.pipelines.experiments.crossval_pool import Pooled

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RecordFlags(RecordSettings, WordingSettings, FewShotFlag):
    """What is learnt from, and the words of its prompts and of those that are evaluated."""

    mix: str | None = field(default=None, metadata=declaration(RecordFileSettings, "mix"))
    """Train on several conditions by ratio, such as closed=1,gold=2; --condition is evaluated."""
    extra: UseAppendAction[tuple[tuple[str, ...], ...]] = ()
    """FILE=WEIGHT: learn also from these records, each WEIGHT times; none may be of a held-out group."""


@dataclass(frozen=True, kw_only=True)
class EvaluationFlags(HeldOutFlags, PlaceSettings):
    """How the held-out questions are asked."""


@dataclass(frozen=True, kw_only=True)
class CrossvalRun:
    """Split into folds, train and evaluate each, and pool the held-out answers; resumes where it stopped."""

    split: OmitArgPrefixes[FoldSettings]
    records: OmitArgPrefixes[RecordFlags]
    training: OmitArgPrefixes[FoldTrainingFlags]
    evaluation: OmitArgPrefixes[EvaluationFlags]
    generation: OmitArgPrefixes[GenerationFlags]
    retrieval: OmitArgPrefixes[RetrievalFlags]

    def run(self) -> int:
        config = self._config()
        from lawqa.pipelines.experiments.crossval import run_crossval
        from lawqa.pipelines.experiments.crossval_asking import asked_of

        with resume_hint_on_interrupt(
            "finished work is kept; run the same command again to resume"
        ):
            self.generation.warn_unused(asked_of(config).resolved())
            pooled = run_crossval(config, logger.info)
        if pooled:
            print(pooled_text(pooled))
        return 0

    def _config(self) -> CrossvalConfig:
        """Return what the flags ask for; notes on them are logged."""
        condition, remarks = resolve_condition(
            self.evaluation.condition,
            no_rag=self.evaluation.no_rag,
            retrieval_flags={} if self.records.mix else self.retrieval.given(),
        )
        for remark in remarks:
            logger.warning("note: %s", remark)
        mix = parse_mix(self.records.mix) if self.records.mix else []
        rag = self._rag((condition, *(trained for trained, _ in mix)))
        training = part_of(Hyperparameters, self.training)
        wording = resolve_prompt(self.records.prompt)
        few_shot = self.records.few_shot
        from lawqa.commands.placefile import current_place
        from lawqa.pipelines.experiments.crossval_config import CrossvalConfig
        from lawqa.pipelines.training.mixing import parse_extra

        return CrossvalConfig(
            **vars(self.split),
            seed=self.training.seed,
            spec=self.evaluation.spec(condition, few_shot=few_shot, wording=wording),
            trained=tuple(
                (PromptSpec("direct", name, few_shot=few_shot, wording=wording), weight)
                for name, weight in mix
            ),
            extra=parse_extra([word for words in self.records.extra for word in words]),
            generation=self.generation.choices(),
            **{
                **values_of(RecordSettings, self.records),
                **values_of(HeldOutSettings, self.evaluation),
                **values_of(FoldTrainingSettings, self.training),
            },
            **{
                **values_of(ModelSettings, self.training),
                "dtype": self.training.chosen_dtype(),
                "load_in_4bit": self.training.quantises(self._stored_4bit),
            },
            training=training,
            place=current_place(self.evaluation.place),
            rag=rag,
            report_to=self.training.report_to,
            quiet=self.training.console.quiet,
        )

    def _rag(self, conditions: tuple[Condition, ...]) -> RagConfig | None:
        """Return how these conditions retrieve; flags that none of a mix reads are noted."""
        rag = self.retrieval.config(conditions, self.training.model_name, self.training.revision)
        if self.records.mix:
            for remark in self.retrieval.unused(rag):
                logger.warning("note: %s", remark)
        return rag

    def _stored_4bit(self) -> bool | None:
        """Return what the cross-validation in the directory used, which the same command resumes."""
        from lawqa.pipelines.experiments.crossval_manifest import SETTINGS, CrossvalManifest

        directory = self.split.output_dir
        if not (directory / SETTINGS).is_file():
            return None
        return bool(CrossvalManifest.read(directory).settings.get("load_in_4bit"))


@dataclass(frozen=True)
class CrossvalPool:
    """Join folds that ran apart into one run."""

    directories: Positional[tuple[Path, ...]]
    """The output directories of `lawqa crossval run`."""
    output_dir: Path | None = field(default=None, metadata=declaration(FoldSettings, "output_dir"))
    """Where the pooled run goes. Without it: `pooled` in the first directory."""

    def run(self) -> int:
        from lawqa.pipelines.experiments.crossval_pool import pool

        if not self.directories:
            raise ConfigError("no directory was given", "lawqa crossval pool DIR...")
        output_dir = self.output_dir or self.directories[0] / "pooled"
        print(pooled_text(pool(self.directories, output_dir)))
        return 0


@dataclass(frozen=True)
class Crossval(CommandGroup):
    """Hold every question out once: train and evaluate fold by fold."""

    command: Annotated[
        Annotated[CrossvalRun, subcommand("run")] | Annotated[CrossvalPool, subcommand("pool")],
        arg(name=""),
    ]


def pooled_text(pooled: tuple[Pooled, ...]) -> str:
    """Return the pooled runs side by side, the spread over training seeds, and what limits cost."""
    from lawqa.report.summary_text import summary_table, texts_text

    lines = [f"! {note}" for note in dict.fromkeys(note for run in pooled for note in run.notes)]
    lines.append(summary_table({run.directory.name: run.summary for run in pooled}))
    if len(pooled) > 1:
        values = [run.summary.final.accuracy.value for run in pooled]
        lines.append(
            f"\nover {counted(len(values), 'training seed')}: mean {statistics.mean(values):.1%}, "
            "standard deviation "
            f"{statistics.stdev(values):.1%}, {min(values):.1%} to {max(values):.1%}"
        )
    for run in pooled:
        if run.texts:
            lines.append(
                "\n" + texts_text(run.texts, run.directory.name if len(pooled) > 1 else "")
            )
    lines += [f"{run.directory.name}: {run.prior.sentence}" for run in pooled if run.prior]
    lines += ["", *(f"run: {run.directory}" for run in pooled)]
    return "\n".join(lines)
