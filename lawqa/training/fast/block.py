"""One decoder block over packed tokens, its forward and its backward pass written out.

A block is attention and a gated MLP, each after an RMSNorm and each added to the residual stream. What the
architectures add to that is switched on by what the layer has: norms on the heads (Qwen3, Gemma 3), biases
(Qwen2), norms after attention and MLP (Gemma 2 and 3), windows and caps of the scores. Layers that an
architecture joins (Phi-3) are joined here anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from lawqa.models.attention.packed import PackedAttention
from lawqa.models.attention.records import Reach, RecordSpans
from lawqa.models.kernels.elementwise import Elementwise
from lawqa.training.fast.layers import LayerParts
from lawqa.training.fast.linears import LinearGroup, Workspace, dropout_seeds


@dataclass(frozen=True)
class PassSetting:
    """What all blocks share in one pass."""

    rotary: Mapping[str | None, tuple[Tensor, Tensor]]
    """Cosines and sines of the rotary embedding by kind of layer, each [tokens, head_dim / 2]."""
    records: RecordSpans
    """Which tokens belong together."""
    workspace: Workspace
    """For dequantised weights."""
    kernels: Elementwise
    """Norms, rotations and activations."""
    attention: PackedAttention
    """How attention is computed."""
    training: bool = True
    """Whether LoRA's inputs are dropped out."""


@dataclass(frozen=True)
class Kept:
    """What the backward pass of a block needs; the parts of one forward pass."""

    qkv: Tensor
    """Queries, keys and values before norm and rotation, [tokens, (heads + 2 * kv heads) * head_dim]."""
    attended: Tensor
    """What attention gave, [tokens, heads, head_dim]."""
    attention: tuple[Tensor, ...]
    """What attention keeps besides."""
    projected: Tensor | None
    """Attention's output before the norm after it, [tokens, hidden]; None without such a norm."""
    middle: Tensor
    """The residual stream between attention and MLP, [tokens, hidden]."""
    gate_up: Tensor
    """Gate and up, [tokens, 2 * intermediate]."""
    lows: tuple[Tensor, Tensor, Tensor]
    """x Aᵀ of query-key-value, output and gate-up, [tokens, rank]."""


@dataclass(frozen=True)
class Ending:
    """What a block keeps of its last product, also where the rest is computed again."""

    low: Tensor
    """x Aᵀ of the down projection, [tokens, rank]."""
    out: Tensor | None
    """The MLP's output before the norm after it, [tokens, hidden]; None without such a norm."""


class Block:
    """The weights of one decoder block and the arithmetic over them.

    Args:
        layer: transformers' decoder layer of an architecture that `layers.read_layer` knows, with PEFT's
            layers in it.
        adapter: the adapter's name in PEFT.
        dtype: of products.
        dropout: of LoRA's inputs; one mask serves all layers of a group.
    """

    def __init__(
        self, layer: torch.nn.Module, adapter: str, dtype: torch.dtype, dropout: float
    ) -> None:
        attention, mlp = layer.self_attn, layer.mlp

        def group(*layers: torch.nn.Module) -> LinearGroup:
            return LinearGroup(layers, adapter, dtype, dropout)

        self.qkv = group(*_layers(attention, "qkv_proj", ("q_proj", "k_proj", "v_proj")))
        self.output = group(attention.o_proj)
        self.gate_up = group(*_layers(mlp, "gate_up_proj", ("gate_proj", "up_proj")))
        self.down = group(mlp.down_proj)
        self.parts = LayerParts.of(layer)
        self.heads = self.output.inputs // self.parts.head_dim
        self.kv_heads = (sum(self.qkv.outs) // self.parts.head_dim - self.heads) // 2

    @property
    def groups(self) -> tuple[LinearGroup, ...]:
        """All linear layers, in the order of `parameters`."""
        return (self.qkv, self.output, self.gate_up, self.down)

    @property
    def parameters(self) -> list[torch.nn.Parameter]:
        """The LoRA weights."""
        return [parameter for group in self.groups for parameter in group.parameters]

    @property
    def reach(self) -> Reach:
        """How this layer's tokens see each other."""
        return self.parts.reach

    def run(self, x: Tensor, setting: PassSetting, seeds: tuple[int, ...]) -> Kept:
        """Return everything but the last product.

        Args:
            x: the residual stream, [tokens, hidden].
            setting: what all blocks share.
            seeds: of dropout, one for each group.
        """
        kernels, workspace, parts = setting.kernels, setting.workspace, self.parts
        wide = self._normed(x, parts.attention_norm, self.qkv, kernels)
        qkv, low_qkv = self.qkv.forward(wide, workspace, kernels, seeds[0])
        q, k, v = self._rotated(qkv, setting)
        attended, attention = setting.attention.forward(q, k, v, setting.records, self.reach)
        del wide, q, k, v
        wide = self.output.widened(attended.flatten(1))
        middle, low_output = self.output.forward(wide, workspace, kernels, seeds[1])
        projected = None
        if parts.after_attention is not None:
            projected = middle
            middle, _ = kernels.norm(projected, parts.after_attention, parts.eps)
        middle += x
        wide = self._normed(middle, parts.mlp_norm, self.gate_up, kernels)
        gate_up, low_gate_up = self.gate_up.forward(wide, workspace, kernels, seeds[2])
        lows = (low_qkv, low_output, low_gate_up)
        return Kept(qkv, attended, attention, projected, middle, gate_up, lows)

    def finish(
        self, kept: Kept, setting: PassSetting, seeds: tuple[int, ...]
    ) -> tuple[Tensor, Ending]:
        """Return the residual stream after the block, and what is kept of the last product."""
        kernels, parts = setting.kernels, self.parts
        wide = self.down.room(len(kept.gate_up))
        kernels.glu_joined(kept.gate_up, parts.activation, wide[:, : self.down.inputs])
        out, low_down = self.down.forward(wide, setting.workspace, kernels, seeds[3])
        del wide
        if parts.after_mlp is None:
            return out.add_(kept.middle), Ending(low_down, None)
        normed, _ = kernels.norm(out, parts.after_mlp, parts.eps)
        return normed.add_(kept.middle), Ending(low_down, out)

    def backward(
        self, grad: Tensor, x: Tensor, kept: Kept, ending: Ending, setting: PassSetting,
        seeds: tuple[int, ...], *, input_grad: bool,
    ) -> tuple[Tensor | None, list[Tensor]]:  # fmt: skip
        """Return the gradients of the residual stream before the block and of `parameters`; uses up `kept`.

        Args:
            grad: of the residual stream after the block.
            x: the residual stream before it.
            kept: from `run`.
            ending: from `finish`.
            setting: what all blocks share.
            seeds: those of the forward pass.
            input_grad: whether the gradient before the block is wanted.
        """
        kernels, workspace, parts = setting.kernels, setting.workspace, self.parts
        # Down projection: its input is computed again, in the place of its input's gradient.
        middle_grad, down_grads = self._mlp_backward(grad, kept, ending, setting, seeds)
        projected_grad = self._before_norm(
            middle_grad, kept.projected, parts.after_attention, kernels
        )
        output_grad, output_grads = self.output.backward(
            projected_grad, kept.attended.flatten(1), kept.lows[1], workspace, kernels, seeds[1]
        )
        assert output_grad is not None  # noqa: S101 - for the type checker
        q, k, v = self._rotated(kept.qkv, setting)
        q_grad, k_grad, v_grad = setting.attention.backward(
            output_grad.view_as(kept.attended), q, k, v, kept.attended, kept.attention,
            setting.records, self.reach,
        )  # fmt: skip
        del q, k, v, output_grad, projected_grad
        qkv_grad = torch.empty_like(kept.qkv)
        self._unrotate(q_grad, k_grad, v_grad, kept.qkv, qkv_grad, setting)
        del q_grad, k_grad, v_grad
        normed, inverse = kernels.norm(x, parts.attention_norm, parts.eps)
        normed_grad, qkv_grads = self.qkv.backward(
            qkv_grad, normed, kept.lows[0], workspace, kernels, seeds[0], input_grad=input_grad
        )
        if normed_grad is None:
            return None, [*qkv_grads, *output_grads, *down_grads]
        x_grad = kernels.norm_backward(normed_grad, x, parts.attention_norm, inverse, middle_grad)
        return x_grad, [*qkv_grads, *output_grads, *down_grads]

    def _mlp_backward(
        self, grad: Tensor, kept: Kept, ending: Ending, setting: PassSetting, seeds: tuple[int, ...]
    ) -> tuple[Tensor, list[Tensor]]:
        kernels, workspace, parts = setting.kernels, setting.workspace, self.parts
        out_grad = self._before_norm(grad, ending.out, parts.after_mlp, kernels)
        activated = kernels.glu_joined(kept.gate_up, parts.activation)
        activated_grad, down_grads = self.down.backward(
            out_grad, activated, ending.low, workspace, kernels, seeds[3]
        )
        assert activated_grad is not None  # noqa: S101 - for the type checker
        del activated, out_grad
        kernels.glu_backward(kept.gate_up, activated_grad, parts.activation)
        del activated_grad
        normed, inverse = kernels.norm(kept.middle, parts.mlp_norm, parts.eps)
        normed_grad, gate_up_grads = self.gate_up.backward(
            kept.gate_up, normed, kept.lows[2], workspace, kernels, seeds[2]
        )
        assert normed_grad is not None  # noqa: S101 - for the type checker
        middle_grad = kernels.norm_backward(normed_grad, kept.middle, parts.mlp_norm, inverse, grad)
        return middle_grad, [*gate_up_grads, *down_grads]

    def _normed(
        self, x: Tensor, weight: Tensor, group: LinearGroup, kernels: Elementwise
    ) -> Tensor:
        """Apply RMSNorm to [tokens, hidden], into what is the input of a group."""
        wide = group.room(len(x))
        kernels.norm(x, weight, self.parts.eps, wide[:, : group.inputs])
        return wide

    def _before_norm(
        self, grad: Tensor, x: Tensor | None, weight: Tensor | None, kernels: Elementwise
    ) -> Tensor:
        """Return the gradient before a norm that follows a sublayer; the same where there is none."""
        if x is None or weight is None:
            return grad
        _, inverse = kernels.norm(x, weight, self.parts.eps)
        return kernels.norm_backward(grad, x, weight, inverse, None)

    def _split(self, qkv: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values as [tokens, heads, head_dim], in place."""
        heads = qkv.unflatten(1, (-1, self.parts.head_dim))
        q, k, v = heads.split((self.heads, self.kv_heads, self.kv_heads), dim=1)
        return q, k, v

    def _rotated(self, qkv: Tensor, setting: PassSetting) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = self._split(qkv)
        rotate, parts = setting.kernels.norm_rotate_once, self.parts
        cos, sin = setting.rotary[parts.kind]
        return (
            rotate(q, parts.q_norm, cos, sin, parts.eps),
            rotate(k, parts.k_norm, cos, sin, parts.eps),
            v,
        )

    def _unrotate(
        self, q_grad: Tensor, k_grad: Tensor, v_grad: Tensor, qkv: Tensor, out: Tensor,
        setting: PassSetting,
    ) -> None:  # fmt: skip
        q, k, _ = self._split(qkv)
        q_out, k_out, v_out = self._split(out)
        back, parts = setting.kernels.norm_rotate_backward, self.parts
        cos, sin = setting.rotary[parts.kind]
        back(q_grad, q, parts.q_norm, cos, sin, parts.eps, q_out)
        back(k_grad, k, parts.k_norm, cos, sin, parts.eps, k_out)
        v_out.copy_(v_grad)


def _layers(module: torch.nn.Module, joined: str, apart: tuple[str, ...]) -> list[torch.nn.Module]:
    """Return the linear layers of a name that joins them, where a module has it, else those apart."""
    return [getattr(module, name) for name in ((joined,) if hasattr(module, joined) else apart)]


class BlockFunction(torch.autograd.Function):  # type: ignore[misc]  # torch is not checked
    """A block as autograd sees it: residual stream and LoRA weights in, residual stream out."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        x: Tensor,
        block: Block,
        setting: PassSetting,
        keep: bool,
        *parameters: Tensor,
    ) -> Tensor:
        """Return the residual stream after the block, [tokens, hidden].

        Args:
            ctx: autograd's.
            x: the residual stream before it.
            block: the block.
            setting: what all blocks share.
            keep: keep what the backward pass needs; otherwise it is computed again.
            parameters: `block.parameters`, so that autograd knows them.
        """
        del parameters
        dropping = setting.training and any(group.dropout for group in block.groups)
        seeds = dropout_seeds(4, wanted=dropping)
        kept = block.run(x, setting, seeds)
        out, ending = block.finish(kept, setting, seeds)
        ctx.block, ctx.setting, ctx.seeds = block, setting, seeds
        ctx.kept = kept if keep else None
        ctx.ending = ending
        ctx.save_for_backward(x)
        return out

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, *grads: Tensor
    ) -> tuple[Tensor | None, ...]:
        """Return the gradients of the residual stream and of the LoRA weights."""
        (x,) = ctx.saved_tensors
        block = cast("Block", ctx.block)
        with torch.no_grad():
            kept = ctx.kept or block.run(x, ctx.setting, ctx.seeds)
            ctx.kept = None
            x_grad, parameter_grads = block.backward(
                grads[0].contiguous(), x, kept, ctx.ending, ctx.setting, ctx.seeds,
                input_grad=ctx.needs_input_grad[0],
            )  # fmt: skip
        return (x_grad, None, None, None, *parameter_grads)
