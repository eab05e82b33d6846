"""The shape of a model, from its config alone: what memory and speed follow from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from lawqa.errors import ConfigError
from lawqa.files import JsonDict, JsonObject
from lawqa.hub import cache_directory, download_line
from lawqa.models.files.model_folder import MODEL_CONFIG, check_folder, read_config

_NEEDED = (
    "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size",
)  # fmt: skip

_OPTIONAL = ("num_key_value_heads", "head_dim")
_LARGEST = 10_000_000

WRITTEN_OUT = ("qwen3", "qwen2", "llama", "mistral", "phi3", "gemma2", "gemma3_text")
"""`model_type` of the architectures whose blocks the fast path of training has written out."""
_JOINED = ("phi3",)
"""Those of them in which query, key and value are one linear layer, and gate and up another."""
_CAUSAL = "ForCausalLM"
_OTHER_NAMES = {
    "hidden_size": ("n_embd", "d_model"), "num_hidden_layers": ("n_layer", "n_layers"),
    "num_attention_heads": ("n_head", "n_heads"), "intermediate_size": ("n_inner", "ffn_dim"),
}  # fmt: skip
"""What older architectures call the same numbers."""
_DEFAULTS: dict[str, JsonDict] = {
    "gemma2": {"head_dim": 256, "tie_word_embeddings": True, "attn_logit_softcapping": 50.0},
    "gemma3_text": {
        "head_dim": 256, "num_attention_heads": 8, "num_key_value_heads": 4, "vocab_size": 262208,
        "tie_word_embeddings": True,
    },
}  # fmt: skip
"""What published configs leave out, because it is transformers' default."""


@dataclass(frozen=True)
class ModelShape:
    """A decoder with gated MLPs and grouped-query attention.

    Known exactly of Qwen3, Qwen2, Llama, Mistral, Phi-3, Gemma 2 and Gemma 3; of other causal models as far
    as their config says, and rather too large than too small where their MLP has no gate.
    """

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
    kv_heads: int
    """Heads of keys and values."""
    head_dim: int
    """Width of one head."""
    vocabulary: int
    """Rows of the embedding."""
    tied: bool
    """Whether `lm_head` is the embedding."""

    norms_after: bool
    """Whether norms follow attention and MLP, whose inputs are kept too (Gemma 2 and 3)."""
    capped_scores: bool
    """Whether attention's scores are capped, so that they are written out (Gemma 2)."""

    @property
    def written_out(self) -> bool:
        """Whether the fast path of training knows this architecture."""
        return self.architecture in WRITTEN_OUT

    @property
    def joined(self) -> bool:
        """Whether query, key and value are one linear layer, and gate and up another (Phi-3)."""
        return self.architecture in _JOINED

    @property
    def linears(self) -> dict[str, tuple[int, int]]:
        """(in, out) of each linear layer of a block, by name."""
        queries, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        if self.joined:
            return {
                "qkv_proj": (self.hidden, queries + 2 * keys),
                "o_proj": (queries, self.hidden),
                "gate_up_proj": (self.hidden, 2 * self.intermediate),
                "down_proj": (self.intermediate, self.hidden),
            }
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
    def from_config(cls, config: JsonObject, name: str) -> ModelShape:
        """Read it from a `config.json` of transformers.

        Raises:
            ConfigError: another architecture than these, or a number is missing.
        """
        config = _text_config(config, name)
        numbers: JsonDict = {key: config.get(key) for key in _NEEDED}
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
        grouped = "num_key_value_heads" in numbers
        kv_heads = numbers["num_key_value_heads"] if grouped else heads
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
            norms_after=config.get("model_type") in ("gemma2", "gemma3_text"),
            capped_scores=config.get("attn_logit_softcapping") is not None,
        )


def _text_config(config: JsonObject, name: str) -> JsonDict:
    """Return the part of a config that describes the decoder, with one name for each number.

    Raises:
        ConfigError: it is not a causal decoder without experts.
    """
    architectures = config.get("architectures") or ()
    inner = config.get("text_config")
    text = dict(inner if isinstance(inner, Mapping) else config)
    kind = str(text.get("model_type"))
    experts = [key for key, value in text.items() if "experts" in key and value]
    causal = any(
        str(each).endswith((_CAUSAL, "ForConditionalGeneration")) for each in architectures
    )
    if kind not in WRITTEN_OUT and (experts or not causal):
        raise ConfigError(
            f"{name}: its architecture is {kind}"
            + (f", with {experts[0]} {text[experts[0]]}" if experts else ""),
            f"memory is known of {', '.join(WRITTEN_OUT)}, and of other causal models without experts",
        )
    if kind not in WRITTEN_OUT and not _known_to_transformers(kind):
        raise ConfigError(
            f"{name}: its architecture is {kind}, which the installed transformers does not know",
            "lawqa runs no code that comes with a model; a newer transformers may know it",
        )
    for key, value in _DEFAULTS.get(kind, {}).items():
        text.setdefault(key, value)
    for wanted, others in _OTHER_NAMES.items():
        given = (text[other] for other in others if text.get(other) is not None)
        if text.get(wanted) is None and (number := next(given, None)) is not None:
            text[wanted] = number
    hidden = text.get("hidden_size")
    if kind not in WRITTEN_OUT and text.get("intermediate_size") is None and type(hidden) is int:
        text["intermediate_size"] = 4 * hidden  # what GPT-2 and its kin mean by leaving it out
    return text


def _known_to_transformers(kind: str) -> bool:
    """Return whether the library has code for an architecture; where it is not installed nobody can say, so
    yes.
    """
    if find_spec("transformers") is None:
        return True
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    return kind in CONFIG_MAPPING_NAMES


def _qwen3(*numbers: int, tied: bool) -> JsonDict:
    hidden, intermediate, layers, heads = numbers
    return {
        "model_type": "qwen3", "hidden_size": hidden, "intermediate_size": intermediate,
        "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": 8,
        "head_dim": 128, "vocab_size": 151936, "tie_word_embeddings": tied,
    }  # fmt: skip


KNOWN: dict[str, JsonDict] = {
    "Qwen/Qwen3-0.6B": _qwen3(1024, 3072, 28, 16, tied=True),
    "Qwen/Qwen3-1.7B": _qwen3(2048, 6144, 28, 16, tied=True),
    "Qwen/Qwen3-4B": _qwen3(2560, 9728, 36, 32, tied=True),
    "Qwen/Qwen3-8B": _qwen3(4096, 12288, 36, 32, tied=False),
    "Qwen/Qwen3-14B": _qwen3(5120, 17408, 40, 40, tied=False),
    "Qwen/Qwen3-32B": _qwen3(5120, 25600, 64, 64, tied=False),
}
"""Configs of the published Qwen3 models, so that a plan needs no download."""


def read_shape(model: str) -> ModelShape:
    """Return the shape of a model directory, a config file, a model in the Hugging Face cache, or a known
    name.

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
        f"check the path, or where there is a network: {download_line(model, 'config.json')}",
    )


def _places(model: str) -> Iterator[Path]:
    path = Path(model)
    yield path if path.suffix == ".json" else path / MODEL_CONFIG
    snapshots = cache_directory() / f"models--{model.replace('/', '--')}" / "snapshots"
    if snapshots.is_dir():
        yield from sorted(snapshot / "config.json" for snapshot in snapshots.iterdir())
