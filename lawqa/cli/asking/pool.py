"""`lawqa pool`: answers sampled once, selected from as often as wanted."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, arg, subcommand

from lawqa.amounts import counted
from lawqa.cli import EXIT_SOME_FAILED
from lawqa.cli.asking.pool_text import pairing_text, selection_text
from lawqa.cli.asking.sampler_flags import KEPT, SamplerFlags
from lawqa.cli.command_table import CommandGroup
from lawqa.cli.console import ConsoleFlags, resume_hint_on_interrupt
from lawqa.settings import (
    FromPoolSettings,
    PairSettings,
    PoolSettings,
    SelectSettings,
    declaration,
    values_of,
)

if TYPE_CHECKING:
    from lawqa.pipelines.experiments.pool.sampling import SampledPool

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class PoolSample(SamplerFlags):
    """Sample reasoned answers to questions into a pool; resumes where it stopped.

    All samples stay in the pool, wrong ones too, each with its prompt's hash, the probabilities of the
    labels and what every filter says. The same command with more --samples-per-question adds to it.
    """

    pool: Path = field(metadata=declaration(PoolSettings, "pool"))
    """The JSONL file of samples; its prompts (STEM.asked.jsonl) and STEM.provenance.json go beside it."""

    def run(self) -> int:
        from lawqa.pipelines.experiments.pool.sampling import sample_pool

        config = self.pool_config(self.pool)
        with resume_hint_on_interrupt(KEPT + (", without --fresh" if self.fresh else "")):
            sampled = sample_pool(config, say=logger.info)
        print(
            f"{counted(sampled.samples, 'sample')} of {counted(sampled.questions, 'question')} in {self.pool}"
        )
        print(
            f"lawqa pool select --pool {self.pool} --output-path RECORDS.jsonl  makes records of them"
        )
        again = "the same command" + (" without --fresh" if self.fresh else "")
        return failures_reported(sampled, again)


@dataclass(frozen=True, kw_only=True)
class PoolSelect(FromPoolSettings, SelectSettings):
    """Make training records of a pool: what passes the filters, hard questions first; needs no model.

    RECORDS.selection.json beside the records counts what every filter left out.
    """

    output_path: Path = field(metadata=declaration(FromPoolSettings, "output_path"))
    """The JSONL file of records to write."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.experiments.pool.selecting import PoolSelectConfig, select_from_pool

        selection = select_from_pool(PoolSelectConfig(**values_of(PoolSelectConfig, self)))
        print(selection_text(selection, self.output_path))
        return 0


@dataclass(frozen=True, kw_only=True)
class PoolPairs(FromPoolSettings, PairSettings):
    """Pair right and wrong samples of one prompt, for `lawqa prefer`; needs no model.

    The right one passes all filters; the wrong one commits to a wrong choice after reasoning. What was left
    out is counted in PAIRS.pairing.json beside the pairs.
    """

    output_path: Path = field(metadata=declaration(FromPoolSettings, "output_path"))
    """The JSONL file of pairs to write."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.experiments.pool.pairs import PoolPairsConfig, pairs_from_pool

        pairing = pairs_from_pool(PoolPairsConfig(**values_of(PoolPairsConfig, self)))
        print(pairing_text(pairing, self.output_path))
        return 0


@dataclass(frozen=True)
class Pool(CommandGroup):
    """Sample reasoned answers once, and select training records from them as often as wanted."""

    command: Annotated[
        Annotated[PoolSample, subcommand("sample")]
        | Annotated[PoolSelect, subcommand("select")]
        | Annotated[PoolPairs, subcommand("pairs")],
        arg(name=""),
    ]


def failures_reported(sampled: SampledPool, again: str) -> int:
    """Say what failed and how it is asked again; the exit code.

    Args:
        sampled: the pool.
        again: what asks again, in words.
    """
    if not sampled.failed:
        return 0
    of_all = f"{sampled.failed} of {counted(sampled.samples, 'sample')}"
    count = "every sample" if sampled.failed == sampled.samples else of_all
    logger.warning("%s failed: see error in %s", count, sampled.files.samples)
    logger.warning("hint: once fixed, %s asks them again and keeps the others", again)
    return EXIT_SOME_FAILED
