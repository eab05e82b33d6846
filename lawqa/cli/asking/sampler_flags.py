"""The flags of commands that sample reasoned answers: `lawqa pool sample` and `lawqa distill`."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import OmitArgPrefixes

from lawqa.cli.asking.prompt_options import resolve_condition, resolve_prompt
from lawqa.cli.asking.retrieval_flags import RetrievalFlags
from lawqa.cli.console import ConsoleFlags
from lawqa.cli.model_flags import ModelFlags, of_adapter
from lawqa.errors import ConfigError
from lawqa.prompting import PromptSpec
from lawqa.settings import (
    LocalAnswererSettings,
    Mode,
    PlaceSettings,
    SampleSettings,
    ThinkingSettings,
    WordingSettings,
    declaration,
    values_of,
)

if TYPE_CHECKING:
    from lawqa.pipelines.experiments.pool.config import PoolConfig

logger = logging.getLogger(__name__)

KEPT = "samples so far are kept; run the same command again to resume"
"""What is said after an interrupt."""


@dataclass(frozen=True, kw_only=True)
class SamplerFlags(
    LocalAnswererSettings,
    WordingSettings,
    ModelFlags,
    PlaceSettings,
    SampleSettings,
    ThinkingSettings,
):
    """Who is asked, how, and how answers are sampled."""

    mode: Mode = field(default="cot", metadata=declaration(ThinkingSettings, "mode"))
    """cot: reasoning and a final answer line; direct: one letter (with --thinking only)."""
    thinking: bool = field(default=False, metadata=declaration(ThinkingSettings, "thinking"))
    """Take the reasoning from the model's own think block."""
    retrieval: OmitArgPrefixes[RetrievalFlags] = field(default_factory=RetrievalFlags)
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def pool_config(self, pool: Path) -> PoolConfig:
        """Return what is sampled, as these flags say it.

        Args:
            pool: where the samples go.

        Raises:
            ConfigError: flags contradict each other.
        """
        from lawqa.commands.backends import require_backend
        from lawqa.commands.placefile import current_place
        from lawqa.pipelines.experiments.pool.config import PoolConfig

        require_backend(current_place(self.place), self.backend)
        condition, remarks = resolve_condition(
            self.condition, no_rag=False, retrieval_flags=self.retrieval.given()
        )
        for remark in remarks:
            logger.warning("note: %s", remark)
        if self.backend != "hf" and self.adapter is not None:
            raise ConfigError(
                "--hf-lora-path is for --llm-backend hf", "a table of answers has no adapter"
            )
        tokenizer = self.model_name if self.backend == "hf" else None
        return PoolConfig(
            **{
                **values_of(PoolConfig, self),
                "pool": pool,
                "load_in_4bit": self.backend == "hf" and self._quantises(pool),
                "spec": PromptSpec(
                    self.mode, condition, self.thinking, wording=resolve_prompt(self.prompt)
                ),
                "rag": self.retrieval.config((condition,), tokenizer, self.revision),
                "quiet": self.console.quiet,
            }
        )

    def _quantises(self, pool: Path) -> bool:
        from lawqa.pipelines.experiments.pool.config import PoolManifest
        from lawqa.pipelines.experiments.pool.files import PoolFiles

        def of_pool() -> bool | None:
            provenance = PoolFiles(pool).provenance
            if self.fresh or not provenance.is_file():
                return None
            return PoolManifest.read(provenance).contents.model.get("quantisation") is not None

        return self.in_4bit(of_pool, lambda: of_adapter(self.adapter))
