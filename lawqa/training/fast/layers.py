"""What a decoder layer of a known architecture is made of, besides its linear layers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lawqa.models.attention.records import Reach
from lawqa.models.kernels.elementwise import Activation
from lawqa.models.shapes import WRITTEN_OUT

_ACTIVATIONS: dict[str, Activation] = {
    "silu": "silu",
    "swish": "silu",
    "gelu_pytorch_tanh": "gelu_tanh",
}


@dataclass(frozen=True)
class LayerParts:
    """Norms, activation and attention of one layer."""

    attention_norm: Tensor
    """RMSNorm weight before attention, [hidden]."""
    after_attention: Tensor | None
    """RMSNorm weight after attention, before it is added to the stream; Gemma 2 and 3 only."""
    mlp_norm: Tensor
    """RMSNorm weight before the MLP, [hidden]."""
    after_mlp: Tensor | None
    """RMSNorm weight after the MLP; Gemma 2 and 3 only."""
    q_norm: Tensor | None
    """RMSNorm weight on each query head, [head_dim]; Qwen3 and Gemma 3 only."""
    k_norm: Tensor | None
    """The same on each key head."""
    eps: float
    """What RMSNorm adds to the mean square."""
    head_dim: int
    """Numbers of a head."""
    activation: Activation
    """Of the MLP's gate."""
    kind: str | None
    """Which rotary embedding the layer has, where an architecture has several; None for the only one."""
    reach: Reach
    """How tokens see each other."""

    @classmethod
    def of(cls, layer: torch.nn.Module) -> LayerParts:
        """Read a layer of one of the architectures that are `WRITTEN_OUT`."""
        attention, config = layer.self_attn, layer.self_attn.config
        gemma = config.model_type.startswith("gemma")
        if gemma:
            mlp_norm, after_attention = (
                layer.pre_feedforward_layernorm, layer.post_attention_layernorm,
            )  # fmt: skip
            after_mlp = layer.post_feedforward_layernorm
        else:
            mlp_norm, after_attention, after_mlp = layer.post_attention_layernorm, None, None
        window = _window(attention)
        return cls(
            attention_norm=_weight(layer.input_layernorm, gemma=gemma),
            after_attention=None if after_attention is None else _weight(after_attention, gemma=gemma),
            mlp_norm=_weight(mlp_norm, gemma=gemma),
            after_mlp=None if after_mlp is None else _weight(after_mlp, gemma=gemma),
            q_norm=_head_norm(attention, "q_norm", gemma=gemma),
            k_norm=_head_norm(attention, "k_norm", gemma=gemma),
            eps=float(config.rms_norm_eps),
            head_dim=int(attention.head_dim),
            activation=_ACTIVATIONS[activation_name(config)],
            kind=config.layer_types[attention.layer_idx] if rotary_by_kind(config) else None,
            reach=Reach(
                float(attention.scaling), window, getattr(config, "attn_logit_softcapping", None)
            ),
        )  # fmt: skip


def unknown_part(config: object) -> str | None:
    """Return what a config has that the written-out blocks do not know; None where all is known.

    Args:
        config: transformers' config of a text model.
    """
    model_type = getattr(config, "model_type", None)
    if model_type not in WRITTEN_OUT:
        return f"the architecture is {model_type}, the fast path knows {', '.join(WRITTEN_OUT)}"
    kinds = set(getattr(config, "layer_types", None) or ())
    if other := kinds - {"full_attention", "sliding_attention"}:
        return f"it has layers with {', '.join(sorted(other))}"
    if getattr(config, "use_bidirectional_attention", False):
        return "its attention looks ahead"
    if getattr(config, "attention_dropout", 0.0):
        return "its attention has dropout"
    if getattr(config, "resid_pdrop", 0.0):
        return "its residual stream has dropout"
    if _turned_share(config) != 1.0:
        return "its rotary embedding turns a part of each head"
    if activation_name(config) not in _ACTIVATIONS:
        known = ", ".join(_ACTIVATIONS)
        return f"its activation is {activation_name(config)}, the fast path knows {known}"
    return None


def known_activation(config: object) -> Activation | None:
    """Return the activation of a config's MLPs; None for one without a kernel."""
    return _ACTIVATIONS.get(activation_name(config))


def activation_name(config: object) -> str:
    """Return what the MLP's activation is called."""
    name = getattr(config, "hidden_activation", None) or getattr(config, "hidden_act", None)
    return str(name)


def _turned_share(config: object) -> float:
    """Return the share of a head's numbers that the rotary embedding turns (Phi-4-mini: 3 in 4)."""
    rotary = getattr(config, "rope_parameters", None) or {}
    own = getattr(config, "partial_rotary_factor", None)
    return float(rotary.get("partial_rotary_factor") or own or 1.0)


def rotary_by_kind(config: object) -> bool:
    """Return whether each kind of layer has a rotary embedding of its own, as in Gemma 3."""
    return getattr(config, "model_type", None) == "gemma3_text"


def _window(attention: torch.nn.Module) -> int | None:
    """Return the most tokens that one sees, as the layer itself passes it on; Mistral's is in its config."""
    config = attention.config
    default = (
        None if getattr(config, "layer_types", None) else getattr(config, "sliding_window", None)
    )
    window = getattr(attention, "sliding_window", default)
    return None if window is None else int(window)


def _head_norm(attention: torch.nn.Module, name: str, *, gemma: bool) -> Tensor | None:
    norm = getattr(attention, name, None)
    return None if norm is None else _weight(norm, gemma=gemma)


def _weight(norm: torch.nn.Module, *, gemma: bool) -> Tensor:
    """Return a norm's weight; Gemma's is 1 + w in float32, which says that it is multiplied before the
    rounding.
    """
    weight: Tensor = norm.weight.detach()
    return 1.0 + weight.float() if gemma else weight
