"""A loaded model, and what it was loaded from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lawqa.models.adapters.effect import AdapterEffect
from lawqa.settings import ModelSettings, QuantType
from lawqa.templates import template_description

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass
class LoadedModel:
    """A model on its device, ready to be asked or trained."""

    model: PreTrainedModel | PeftModel
    """The transformers model, or PEFT's wrapper around it."""
    tokenizer: PreTrainedTokenizerBase
    config: ModelSettings
    """What it was loaded from; 4-bit also where the files hold 4-bit weights and nobody asked for them."""
    device: torch.device
    """Where it lives."""
    dtype: torch.dtype
    """The dtype of products and of weights that are not quantised."""
    stop_token_ids: tuple[int, ...]
    """Tokens that end a turn: those of the generation config, and the chat template's own."""
    adapter: Path | None = None
    """The adapter that is applied, unmerged."""
    effect: AdapterEffect | None = None
    """What that adapter did to a probe prompt when it was applied; None without one."""
    stored: QuantType | None = None
    """The 4-bit type in which its files hold the weights; None for whole ones."""
    sharded: bool = False
    """Whether its weights are on the CPU, to be divided among processes (`training.processes.sharding`)."""
    files: Mapping[str, object] = field(default_factory=dict)
    """What its files were when they were read; see `identity_json`."""

    def describe(self) -> dict[str, object]:
        """Return what a manifest says of the model."""
        return {
            "backend": "hf",
            **self.files,
            "stored": self.stored,
            "architecture": self.model.config.model_type,
            "quantisation": self.config.quant_type if self.config.load_in_4bit else None,
            "dtype": str(self.dtype).removeprefix("torch."),
            **template_description(self.tokenizer),
        }
