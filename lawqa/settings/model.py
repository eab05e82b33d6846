"""Which model is loaded, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lawqa.settings.accepted import Settings
from lawqa.settings.declared import PLACE, RESULT, by_content, flagged, named, only_with

DEFAULT_MODEL = "Qwen/Qwen3-8B"

Dtype = Literal["auto", "bfloat16", "float16", "float32"]
QuantType = Literal["nf4", "fp4"]


@dataclass(frozen=True, kw_only=True)
class ModelSettings(Settings):
    """Which model is loaded, and how."""

    model_name: str = field(
        default=DEFAULT_MODEL,
        metadata=named(by_content(RESULT), evaluate="--hf-model-name"),
    )
    """A local model directory, or a name in the Hugging Face cache."""
    revision: str | None = field(default=None, metadata=by_content(RESULT))
    """The branch, tag or commit of a cached model. Without it: its default."""
    load_in_4bit: bool = field(
        default=False,
        metadata=flagged(named(RESULT, evaluate="--hf-load-in-4bit", train="--use-4bit"), "--4bit"),
    )
    """Quantise the model to 4 bits while loading: what commands do unless --no-4bit is given."""
    no_4bit: bool = field(default=False, metadata=PLACE)
    """Load the weights whole, whatever an adapter was trained over. Without this and --4bit: as in the run
    that is resumed, else as in the adapter's training, else in 4 bits."""
    quant_type: QuantType | None = field(
        default=None,
        metadata=only_with(
            named(
                by_content(RESULT), evaluate="--bnb-4bit-quant-type", train="--bnb-4bit-quant-type"
            ),
            no_4bit=False,
        ),
    )
    """The 4-bit data type. Without it: that of the adapter's training or of the model's files, else nf4."""
    dtype: Dtype = field(default="auto", metadata=named(RESULT, train="--bnb-4bit-compute-dtype"))
    """The dtype of products; auto: half precision on a GPU, else float32 (with AMX, bfloat16 is faster)."""
    quantised_cache: Path | None = field(default=None, metadata=only_with(PLACE, no_4bit=False))
    """Keep the 4-bit weights in this directory (5.7 GB for 8B) and read them there the next time."""


def with_quant_type(settings: Mapping[str, object]) -> dict[str, object]:
    """Return stored settings with their 4-bit type: before a model's files could decide it, none was nf4."""
    return {**settings, "quant_type": settings.get("quant_type") or "nf4"}
