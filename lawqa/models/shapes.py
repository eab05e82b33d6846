"""The shape of a model, from its config alone: what memory and speed follow from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lawqa.errors import ConfigError
from lawqa.hub import cache_directory
from lawqa.models.files.model_folder import MODEL_CONFIG, check_folder, read_config

_NEEDED = (
    "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size",
)  # fmt: skip

_OPTIONAL = ("num_key_value_heads", "head_dim")
_LARGEST = 10_000_000

_KNOWN_TYPES = ("qwen3", "qwen2", "llama", "mistral")


@dataclass(frozen=True)
class ModelShape:
    """A decoder with gated MLPs and grouped-query attention, as Qwen3, Qwen2, Llama and Mistral have it."""

    name: str
    """What it was asked for by."""
    architecture: str
    """`model_type` of the config."""
    hidden: int
    """Width of the residual stream."""
    intermediate: int
    """Width of the MLP."""
    layers: int
    """Decoder blocks."""
    heads: int
    """Attention heads."""
    kv_heads: int
    """Heads of keys and values."""
    head_dim: int
    """Width of one head."""
    vocabulary: int
    """Rows of the embedding."""
    tied: bool
    """Whether `lm_head` is the embedding."""

    @property
    def linears(self) -> dict[str, tuple[int, int]]:
        """(in, out) of each linear layer of a block, by name."""
        queries, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        return {
            "q_proj": (self.hidden, queries),
            "k_proj": (self.hidden, keys),
            "v_proj": (self.hidden, keys),
            "o_proj": (queries, self.hidden),
            "gate_proj": (self.hidden, self.intermediate),
            "up_proj": (self.hidden, self.intermediate),
            "down_proj": (self.intermediate, self.hidden),
        }

    @property
    def linear_parameters(self) -> int:
        """Weights of all linear layers of all blocks: what is quantised."""
        return self.layers * sum(rows * columns for rows, columns in self.linears.values())

    @property
    def other_parameters(self) -> int:
        """Embedding, `lm_head` and norms: what stays in half precision."""
        embeddings = self.vocabulary * self.hidden * (1 if self.tied else 2)
        return embeddings + (2 * self.layers + 1) * self.hidden + 2 * self.layers * self.head_dim

    @classmethod
    def from_config(cls, config: Mapping[str, Any], name: str) -> ModelShape:
        """Read it from a `config.json` of transformers.

        Raises:
            ConfigError: another architecture than these, or a number is missing.
        """
        if config.get("model_type") not in _KNOWN_TYPES:
            raise ConfigError(
                f"{name}: its architecture is {config.get('model_type')}",
                f"memory is known of {', '.join(_KNOWN_TYPES)}",
            )
        numbers: dict[str, Any] = {key: config.get(key) for key in _NEEDED}
        # These two may be absent, or null.
        numbers.update({key: config[key] for key in _OPTIONAL if config.get(key) is not None})
        missing = [key for key, value in numbers.items() if type(value) is not int or value < 1]
        if missing:
            raise ConfigError(f"{name}: its config has no positive {', '.join(missing)}")
        huge = [key for key, value in numbers.items() if value > _LARGEST]
        if huge:
            raise ConfigError(
                f"{name}: {huge[0]} in its config is {numbers[huge[0]]:,}, expected at "
                f"most {_LARGEST:,}"
            )
        heads, hidden = config["num_attention_heads"], config["hidden_size"]
        if "head_dim" not in numbers and hidden % heads:
            raise ConfigError(
                f"{name}: hidden_size {hidden} in its config is not a multiple of num_attention_heads "
                f"{heads}, and there is no head_dim"
            )
        kv_heads = numbers.get("num_key_value_heads", heads)
        if heads % kv_heads:
            raise ConfigError(
                f"{name}: num_attention_heads {heads} in its config is not a multiple of "
                f"num_key_value_heads {kv_heads}"
            )
        return cls(
            name=name,
            architecture=str(config.get("model_type", "")),
            hidden=config["hidden_size"],
            intermediate=config["intermediate_size"],
            layers=config["num_hidden_layers"],
            heads=heads,
            kv_heads=kv_heads,
            head_dim=numbers.get("head_dim", hidden // heads),
            vocabulary=config["vocab_size"],
            tied=bool(config.get("tie_word_embeddings", False)),
        )


def _qwen3(*numbers: int, tied: bool) -> dict[str, Any]:
    hidden, intermediate, layers, heads = numbers
    return {
        "model_type": "qwen3", "hidden_size": hidden, "intermediate_size": intermediate,
        "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": 8,
        "head_dim": 128, "vocab_size": 151936, "tie_word_embeddings": tied,
    }  # fmt: skip


KNOWN: dict[str, dict[str, Any]] = {
    "Qwen/Qwen3-0.6B": _qwen3(1024, 3072, 28, 16, tied=True),
    "Qwen/Qwen3-1.7B": _qwen3(2048, 6144, 28, 16, tied=True),
    "Qwen/Qwen3-4B": _qwen3(2560, 9728, 36, 32, tied=True),
    "Qwen/Qwen3-8B": _qwen3(4096, 12288, 36, 32, tied=False),
    "Qwen/Qwen3-14B": _qwen3(5120, 17408, 40, 40, tied=False),
    "Qwen/Qwen3-32B": _qwen3(5120, 25600, 64, 64, tied=False),
}
"""Configs of the published Qwen3 models, so that a plan needs no download."""


def read_shape(model: str) -> ModelShape:
    """The shape of a model directory, a config file, a model in the Hugging Face cache, or a known name.

    Raises:
        ConfigError: there is no such model, or it is not one whose memory is known.
        BackendError: its config cannot be read, or its folder is not that of a base model alone.
    """
    for path in _places(model):
        if path.is_file():
            in_folder = path.name == MODEL_CONFIG
            config = check_folder(path.parent) if in_folder else read_config(path)
            return ModelShape.from_config(config, model)
    if model in KNOWN:
        return ModelShape.from_config(KNOWN[model], model)
    raise ConfigError(
        f"{model}: no model directory, no config file, not in the Hugging Face cache, and none of "
        f"{', '.join(KNOWN)}",
        f"check the path, or where there is a network: hf download {model} config.json",
    )


def _places(model: str) -> Iterator[Path]:
    path = Path(model)
    yield path if path.suffix == ".json" else path / MODEL_CONFIG
    snapshots = cache_directory() / f"models--{model.replace('/', '--')}" / "snapshots"
    if snapshots.is_dir():
        yield from sorted(snapshot / "config.json" for snapshot in snapshots.iterdir())
