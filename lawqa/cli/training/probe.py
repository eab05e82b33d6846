"""`lawqa probe`: which modes of a model still work."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tyro.conf import OmitArgPrefixes

from lawqa.cli import EXIT_SOME_FAILED
from lawqa.cli.console import ConsoleFlags, JsonFlag
from lawqa.cli.model_flags import ModelFlags, of_adapter
from lawqa.settings import (
    LocalAnswererSettings,
    OwnCondition,
    PlaceSettings,
    ProbeSettings,
    PromptSettings,
    declaration,
    values_of,
)

if TYPE_CHECKING:
    from lawqa.pipelines.training.probe import Probe

EXIT_LOST = 1

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ProbeCommand(ProbeSettings, LocalAnswererSettings, ModelFlags, PlaceSettings):
    """Ask a few questions in every mode, without and with an adapter: which modes still work?

    Direct, cot and thinking, a text a question: think blocks opened and closed, median length, texts without
    an answer, cut, right. With --hf-lora-path base and adapter are side by side, and MODE LOST names what a
    training took from a mode that it did not teach. Exit code 1 where a mode is lost. Nothing is written.
    """

    condition: OwnCondition | None = field(
        default=None, metadata=declaration(PromptSettings, "condition")
    )
    """Context: none (closed) or the questions' own (gold). Without it: gold where the adapter learnt with
    context and every question has one, else closed."""
    as_json: JsonFlag = False
    """Print JSON."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.training.probe import ProbeConfig, probe

        in_4bit = self.backend == "hf" and self.in_4bit(lambda: of_adapter(self.adapter))
        config = ProbeConfig(
            **{
                **values_of(ProbeConfig, self),
                "load_in_4bit": in_4bit,
            }
        )
        found = probe(config, say=logger.info)
        if self.as_json:
            print(json.dumps(found.to_json(), ensure_ascii=False, indent=1))
        else:
            print(probe_text(found))
        for spec, failures in found.failures.items():
            logger.warning(
                "%s: %d texts failed and count as unparsed: %s: %s",
                spec, len(failures), failures[0].key, failures[0].reason,
            )  # fmt: skip
        if found.failures:
            return EXIT_SOME_FAILED
        return EXIT_LOST if found.lost else 0


def probe_text(found: Probe) -> str:
    """Return what must be known first, the modes side by side, what was lost, and what was not asked."""
    from lawqa.pipelines.adapters.modes import modes_text

    notes = [f"! {note}" for note in found.notes]
    left_out = [f"{spec} was not asked: {why}" for spec, why in found.left_out.items()]
    return "\n".join([*notes, modes_text(found.modes), *left_out])
