"""A Qwen3, Qwen2 or Llama model taken apart for forward passes over flat tokens, without padding.

The weights are those of transformers' modules; attention is left to the caller, who knows which tokens
belong together. The arithmetic follows transformers' own modules step by step, roundings included.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from lawqa.models.kernels.elementwise import Elementwise, TorchElementwise
from lawqa.models.projections import (
    Projection,
    UnsupportedModelError,
    frozen,
    is_adapter_layer,
    read_projection,
)
from lawqa.models.shapes import ModelShape

Attend = Callable[[int, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""(layer, queries [tokens, heads, dim], keys and values [tokens, kv_heads, dim]) -> [tokens, heads * dim]."""

_KNOWN = ("Qwen3ForCausalLM", "Qwen2ForCausalLM", "LlamaForCausalLM")


@dataclass(frozen=True)
class DecoderShape(ModelShape):
    """The sizes of a loaded model, and what its norms add."""

    eps: float
    """What RMSNorm adds to the mean square."""

    def cache_bytes(self, dtype: torch.dtype, *, eight_bit: bool = False) -> int:
        """Return the bytes of keys and values for one token, in a dtype or in 8 bits with their scales."""
        head = self.head_dim + 4 if eight_bit else self.head_dim * int(dtype.itemsize)
        return 2 * self.layers * self.kv_heads * head


@dataclass(frozen=True)
class Layer:
    """One decoder layer."""

    attention_norm: torch.Tensor
    """RMSNorm weight before attention, shape [hidden]."""
    mlp_norm: torch.Tensor
    """RMSNorm weight before the MLP, shape [hidden]."""
    q_norm: torch.Tensor | None
    """RMSNorm weight on each query head, shape [head_dim]; Qwen3 only."""
    k_norm: torch.Tensor | None
    """RMSNorm weight on each key head, shape [head_dim]; Qwen3 only."""
    qkv: tuple[Projection, Projection, Projection]
    """Queries, keys, values."""
    out: Projection
    """Attention's output."""
    gate_up: tuple[Projection, Projection]
    """The two halves of SwiGLU."""
    down: Projection
    """The MLP's output."""


@dataclass(frozen=True)
class Decoder:
    """A model's weights, and what is computed with them."""

    shape: DecoderShape
    """Its sizes."""
    dtype: torch.dtype
    """The dtype of products."""
    device: torch.device
    """Where it lives."""
    embedding: torch.Tensor
    """Token embeddings, shape [vocabulary, hidden]."""
    layers: tuple[Layer, ...]
    """From the first to the last."""
    norm: torch.Tensor
    """The last RMSNorm's weight, shape [hidden]."""
    lm_head: torch.nn.Module
    """The module that gives logits."""
    inverse_frequencies: torch.Tensor
    """Rotary embedding, float32, shape [head_dim / 2]."""
    rotary_scale: float
    """What cosines and sines are multiplied by."""
    elementwise: Elementwise
    """Norms, rotations and activations."""

    def rotary(self, positions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the cosines and sines, each of shape [tokens, head_dim / 2], in the dtype of products."""
        angles = positions[:, None].float() * self.inverse_frequencies[None, :]
        cos, sin = angles.cos() * self.rotary_scale, angles.sin() * self.rotary_scale
        return cos.to(self.dtype), sin.to(self.dtype)

    def forward(self, ids: torch.Tensor, positions: torch.Tensor, attend: Attend) -> torch.Tensor:
        """Return the residual stream after the last layer, shape [tokens, hidden].

        Args:
            ids: token ids, shape [tokens].
            positions: their positions in their sequences, shape [tokens].
            attend: attention of one layer.
        """
        ops, eps, dim = self.elementwise, self.shape.eps, self.shape.head_dim
        cos, sin = self.rotary(positions)
        stream = self.embedding[ids]
        delta: torch.Tensor | None = None
        for number, layer in enumerate(self.layers):
            stream, x = ops.add_norm(stream, delta, layer.attention_norm, eps)
            q, k, v = (projection(x).unflatten(-1, (-1, dim)) for projection in layer.qkv)
            q = ops.norm_rotate(q, layer.q_norm, cos, sin, eps)
            k = ops.norm_rotate(k, layer.k_norm, cos, sin, eps)
            mixed = attend(number, q, k, v)
            # What a name still holds lies beside all that follows: of the widest tensors, a third more.
            del q, k, v
            delta = layer.out(mixed)
            del mixed
            stream, x = ops.add_norm(stream, delta, layer.mlp_norm, eps)
            gate, up = (projection(x) for projection in layer.gate_up)
            activated = ops.swiglu(gate, up)
            del gate, up, x
            delta = layer.down(activated)
            del activated
        return stream if delta is None else stream + delta

    def logits(self, stream: torch.Tensor) -> torch.Tensor:
        """Return next-token logits in float32, shape [rows, vocabulary], of rows of the residual stream."""
        _, x = self.elementwise.add_norm(stream, None, self.norm, self.shape.eps)
        logits: torch.Tensor = self.lm_head(x)
        return logits.float()


def read_decoder(
    model: torch.nn.Module,
    dtype: torch.dtype,
    *,
    adapter: bool = True,
    elementwise: Elementwise | None = None,
) -> Decoder:
    """Take a model apart.

    Args:
        model: a transformers model, or PEFT's wrapper around one.
        dtype: the dtype of products.
        adapter: whether LoRA weights count; without them every module is read below its adapter.
        elementwise: norms, rotations and activations; None for plain torch.

    Raises:
        UnsupportedModelError: the model has something that this forward pass does not know.
    """
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    _check_known(causal)
    if adapter:
        _check_places(causal)
    config, body = causal.config, frozen(causal.model)
    lm_head, embed_tokens = frozen(causal.lm_head), frozen(body.embed_tokens)
    sizes = vars(ModelShape.from_config(config.to_dict(), config.name_or_path))
    # What is loaded decides, whatever the config says.
    loaded = {"layers": len(body.layers), "vocabulary": lm_head.weight.shape[0]}
    shape = DecoderShape(**{**sizes, **loaded}, eps=config.rms_norm_eps)
    embedding = embed_tokens.weight.detach()
    return Decoder(
        shape=shape,
        dtype=dtype,
        device=embedding.device,
        embedding=embedding,
        layers=tuple(_layer(layer, dtype, adapter=adapter) for layer in body.layers),
        norm=frozen(body.norm).weight.detach(),
        lm_head=lm_head,
        inverse_frequencies=body.rotary_emb.inv_freq.float().to(embedding.device),
        rotary_scale=float(body.rotary_emb.attention_scaling),
        elementwise=elementwise or TorchElementwise(),
    )


def _layer(layer: torch.nn.Module, dtype: torch.dtype, *, adapter: bool) -> Layer:
    layer = frozen(layer)
    attention, mlp = frozen(layer.self_attn), frozen(layer.mlp)

    def read(module: torch.nn.Module) -> Projection:
        return read_projection(module, dtype, adapter=adapter)

    def head_norm(name: str) -> torch.Tensor | None:
        norm = getattr(attention, name, None)
        return None if norm is None else frozen(norm).weight.detach()

    return Layer(
        attention_norm=frozen(layer.input_layernorm).weight.detach(),
        mlp_norm=frozen(layer.post_attention_layernorm).weight.detach(),
        q_norm=head_norm("q_norm"),
        k_norm=head_norm("k_norm"),
        qkv=(read(attention.q_proj), read(attention.k_proj), read(attention.v_proj)),
        out=read(attention.o_proj),
        gate_up=(read(mlp.gate_proj), read(mlp.up_proj)),
        down=read(mlp.down_proj),
    )


def _check_known(model: torch.nn.Module) -> None:
    name, config = type(model).__name__, model.config
    if name not in _KNOWN:
        raise UnsupportedModelError(f"{name} is not among {', '.join(_KNOWN)}")
    kinds = set(getattr(config, "layer_types", None) or ()) - {"full_attention"}
    if kinds:
        raise UnsupportedModelError(f"layers with {', '.join(sorted(kinds))}")
    if config.hidden_act != "silu":
        raise UnsupportedModelError(f"the activation {config.hidden_act}")
    rope = getattr(model.model.rotary_emb, "rope_type", "default")
    if rope not in ("default", "linear", "llama3"):  # the others change with the length
        raise UnsupportedModelError(f"rotary embeddings of type {rope}")
    if len({parameter.device for parameter in model.parameters()}) > 1:
        raise UnsupportedModelError("weights on several devices")


_WITH_LORA = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


def _check_places(model: torch.nn.Module) -> None:
    """Refuse an adapter on anything but the seven linear layers of a block, where it is looked for."""
    for name, module in model.named_modules():
        if is_adapter_layer(module) and name.rpartition(".")[2] not in _WITH_LORA:
            raise UnsupportedModelError(f"an adapter on {name}")
