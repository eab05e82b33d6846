"""Distillation: a pool beside the records, sampled and selected from in one go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lawqa.pipelines.evaluation.opening import BackendFactory
from lawqa.pipelines.experiments.pool.config import PoolConfig
from lawqa.pipelines.experiments.pool.files import PoolFiles
from lawqa.pipelines.experiments.pool.sampling import SampledPool, sample_pool
from lawqa.pipelines.experiments.pool.selecting import (
    Selection,
    check_rules,
    selected,
    write_selection,
)
from lawqa.runs.directory import claim_output
from lawqa.settings import FromPoolSettings, SelectSettings, declaration, part_of, values_of


@dataclass(frozen=True, kw_only=True)
class DistillConfig(PoolConfig, SelectSettings):
    """What is sampled, and what is kept."""

    output_path: Path = field(metadata=declaration(FromPoolSettings, "output_path"))
    """The JSONL file of records to write."""
    pool: Path = field(default=Path(), metadata=declaration(FromPoolSettings, "pool"))
    """The samples. Without it: `NAME.samples.jsonl` beside the records of that name."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pool == Path():
            object.__setattr__(self, "pool", pool_beside(self.output_path))


def pool_beside(records: Path) -> Path:
    """Return where the samples of a file of records are kept where nothing else is said."""
    return records.with_name(f"{records.stem}.samples.jsonl")


@dataclass(frozen=True)
class DistillResult:
    """What was sampled and kept."""

    sampled: SampledPool
    selection: Selection


def distill(
    config: DistillConfig,
    backend_factory: BackendFactory | None = None,
    say: Callable[[str], object] = str,
) -> DistillResult:
    """Sample, judge, and write records; a call with the same options resumes where one stopped.

    Args:
        config: what to do.
        backend_factory: makes the backend; for callers that hold a loaded model.
        say: receives what is done on the way, a line each.

    Raises:
        ConfigError: the mode has no reasoning, options are out of range, or the files hold other samples.
        DataError: the questions cannot be read.
    """
    config.check()
    rules = part_of(SelectSettings, config)
    check_rules(rules)
    claim_output(config.output_path, "--output-path", fresh=config.fresh, sources=(config.data,))
    pool = PoolConfig(**values_of(PoolConfig, config))
    sampled = sample_pool(pool, backend_factory, say)
    files = PoolFiles(pool.pool)
    selection = selected(files, rules)
    write_selection(config.output_path, selection, files, rules)
    return DistillResult(sampled, selection)
