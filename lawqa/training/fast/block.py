"""One Qwen3 decoder block over packed tokens, its forward and its backward pass written out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from lawqa.models.kernels.elementwise import Elementwise
from lawqa.training.fast.attention import FlashAttention, PlainAttention
from lawqa.training.fast.linears import LinearGroup, Workspace


@dataclass(frozen=True)
class Setting:
    """What all blocks share in one pass."""

    cos: Tensor
    """Of the rotary embedding, [tokens, head_dim / 2]."""
    sin: Tensor
    """Of the rotary embedding, [tokens, head_dim / 2]."""
    starts: Tensor
    """Where each record starts, and the end of the last."""
    longest: int
    """Tokens of the longest record."""
    workspace: Workspace
    """For dequantised weights."""
    kernels: Elementwise
    """Norms, rotations and activations."""
    attention: type[FlashAttention | PlainAttention]
    """How attention is computed."""


@dataclass(frozen=True)
class Kept:
    """What the backward pass of a block needs; the parts of one forward pass."""

    qkv: Tensor
    """Queries, keys and values before norm and rotation, [tokens, (heads + 2 * kv heads) * head_dim]."""
    attended: Tensor
    """What attention gave, [tokens, heads, head_dim]."""
    attention: tuple[Tensor, ...]
    """What attention keeps besides."""
    middle: Tensor
    """The residual stream between attention and MLP, [tokens, hidden]."""
    gate_up: Tensor
    """Gate and up, [tokens, 2 * intermediate]."""
    lows: tuple[Tensor, Tensor, Tensor]
    """x Aᵀ of query-key-value, output and gate-up, [tokens, rank]."""


class Block:
    """The weights of one decoder block and the arithmetic over them.

    Args:
        layer: transformers' `Qwen3DecoderLayer`, with PEFT's layers in it.
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

        self.qkv = group(attention.q_proj, attention.k_proj, attention.v_proj)
        self.output = group(attention.o_proj)
        self.gate_up = group(mlp.gate_proj, mlp.up_proj)
        self.down = group(mlp.down_proj)
        self.norms = (layer.input_layernorm.weight, layer.post_attention_layernorm.weight)
        self.head_norms = (attention.q_norm.weight, attention.k_norm.weight)
        self.eps = float(layer.input_layernorm.variance_epsilon)
        self.head_dim = int(attention.head_dim)
        self.heads = self.qkv.outs[0] // self.head_dim
        self.kv_heads = self.qkv.outs[1] // self.head_dim
        self.scale = float(attention.scaling)

    @property
    def groups(self) -> tuple[LinearGroup, ...]:
        """All linear layers, in the order of `parameters`."""
        return (self.qkv, self.output, self.gate_up, self.down)

    @property
    def parameters(self) -> list[torch.nn.Parameter]:
        """The LoRA weights."""
        return [parameter for group in self.groups for parameter in group.parameters]

    def run(self, x: Tensor, setting: Setting, seeds: tuple[int, ...]) -> Kept:
        """Everything but the last product.

        Args:
            x: the residual stream, [tokens, hidden].
            setting: what all blocks share.
            seeds: of dropout, one for each group.
        """
        kernels, workspace = setting.kernels, setting.workspace
        normed, _ = kernels.norm(x, self.norms[0], self.eps)
        qkv, low_qkv = self.qkv.forward(normed, workspace, kernels, seeds[0])
        q, k, v = self._rotated(qkv, setting)
        attended, attention = setting.attention.forward(
            q, k, v, setting.starts, setting.longest, self.scale
        )
        del normed, q, k, v
        middle, low_output = self.output.forward(attended.flatten(1), workspace, kernels, seeds[1])
        middle += x
        normed, _ = kernels.norm(middle, self.norms[1], self.eps)
        gate_up, low_gate_up = self.gate_up.forward(normed, workspace, kernels, seeds[2])
        return Kept(qkv, attended, attention, middle, gate_up, (low_qkv, low_output, low_gate_up))

    def finish(self, kept: Kept, setting: Setting, seeds: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        """The residual stream after the block, and x Aᵀ of the down projection."""
        activated = setting.kernels.swiglu_joined(kept.gate_up)
        out, low_down = self.down.forward(activated, setting.workspace, setting.kernels, seeds[3])
        return out.add_(kept.middle), low_down

    def backward(
        self, grad: Tensor, x: Tensor, kept: Kept, low_down: Tensor, setting: Setting,
        seeds: tuple[int, ...], *, input_grad: bool,
    ) -> tuple[Tensor | None, list[Tensor]]:  # fmt: skip
        """Gradients of the residual stream before the block and of `parameters`; uses up `kept`.

        Args:
            grad: of the residual stream after the block.
            x: the residual stream before it.
            kept: from `run`.
            low_down: from `finish`.
            setting: what all blocks share.
            seeds: those of the forward pass.
            input_grad: whether the gradient before the block is wanted.
        """
        kernels, workspace = setting.kernels, setting.workspace
        # Down projection: its input is computed again, in the place of its input's gradient.
        middle_grad, down_grads = self._mlp_backward(grad, kept, low_down, setting, seeds)
        output_grad, output_grads = self.output.backward(
            middle_grad, kept.attended.flatten(1), kept.lows[1], workspace, kernels, seeds[1]
        )
        assert output_grad is not None  # noqa: S101 - for the type checker
        q, k, v = self._rotated(kept.qkv, setting)
        q_grad, k_grad, v_grad = setting.attention.backward(
            output_grad.view_as(kept.attended), q, k, v, kept.attended, kept.attention,
            setting.starts, setting.longest, self.scale,
        )  # fmt: skip
        del q, k, v, output_grad
        qkv_grad = torch.empty_like(kept.qkv)
        self._unrotate(q_grad, k_grad, v_grad, kept.qkv, qkv_grad, setting)
        del q_grad, k_grad, v_grad
        normed, inverse = kernels.norm(x, self.norms[0], self.eps)
        normed_grad, qkv_grads = self.qkv.backward(
            qkv_grad, normed, kept.lows[0], workspace, kernels, seeds[0], input_grad=input_grad
        )
        if normed_grad is None:
            return None, [*qkv_grads, *output_grads, *down_grads]
        x_grad = kernels.norm_backward(normed_grad, x, self.norms[0], inverse, middle_grad)
        return x_grad, [*qkv_grads, *output_grads, *down_grads]

    def _mlp_backward(
        self, grad: Tensor, kept: Kept, low_down: Tensor, setting: Setting, seeds: tuple[int, ...]
    ) -> tuple[Tensor, list[Tensor]]:
        kernels, workspace = setting.kernels, setting.workspace
        activated = kernels.swiglu_joined(kept.gate_up)
        activated_grad, down_grads = self.down.backward(
            grad, activated, low_down, workspace, kernels, seeds[3]
        )
        del activated
        kernels.swiglu_backward(kept.gate_up, activated_grad)
        del activated_grad
        normed, inverse = kernels.norm(kept.middle, self.norms[1], self.eps)
        normed_grad, gate_up_grads = self.gate_up.backward(
            kept.gate_up, normed, kept.lows[2], workspace, kernels, seeds[2]
        )
        middle_grad = kernels.norm_backward(normed_grad, kept.middle, self.norms[1], inverse, grad)
        return middle_grad, [*gate_up_grads, *down_grads]

    def _split(self, qkv: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values as [tokens, heads, head_dim], in place."""
        q, k, v = qkv.split(self.qkv.outs, dim=1)
        return (
            q.unflatten(1, (self.heads, self.head_dim)),
            k.unflatten(1, (self.kv_heads, self.head_dim)),
            v.unflatten(1, (self.kv_heads, self.head_dim)),
        )

    def _rotated(self, qkv: Tensor, setting: Setting) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = self._split(qkv)
        rotate, (q_norm, k_norm) = setting.kernels.norm_rotate_once, self.head_norms
        return (
            rotate(q, q_norm, setting.cos, setting.sin, self.eps),
            rotate(k, k_norm, setting.cos, setting.sin, self.eps),
            v,
        )

    def _unrotate(
        self, q_grad: Tensor, k_grad: Tensor, v_grad: Tensor, qkv: Tensor, out: Tensor,
        setting: Setting,
    ) -> None:  # fmt: skip
        q, k, _ = self._split(qkv)
        q_out, k_out, v_out = self._split(out)
        back, (q_norm, k_norm) = setting.kernels.norm_rotate_backward, self.head_norms
        back(q_grad, q, q_norm, setting.cos, setting.sin, self.eps, q_out)
        back(k_grad, k, k_norm, setting.cos, setting.sin, self.eps, k_out)
        v_out.copy_(v_grad)


class BlockFunction(torch.autograd.Function):  # type: ignore[misc]  # torch is not checked
    """A block as autograd sees it: residual stream and LoRA weights in, residual stream out."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        x: Tensor,
        block: Block,
        setting: Setting,
        keep: bool,
        *parameters: Tensor,
    ) -> Tensor:
        """The residual stream after the block, [tokens, hidden].

        Args:
            ctx: autograd's.
            x: the residual stream before it.
            block: the block.
            setting: what all blocks share.
            keep: keep what the backward pass needs; otherwise it is computed again.
            parameters: `block.parameters`, so that autograd knows them.
        """
        del parameters
        seeds = _seeds(block)
        kept = block.run(x, setting, seeds)
        out, low_down = block.finish(kept, setting, seeds)
        ctx.block, ctx.setting, ctx.seeds = block, setting, seeds
        ctx.kept = (kept, low_down) if keep else None
        ctx.low_down = low_down
        ctx.save_for_backward(x)
        return out

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, *grads: Tensor
    ) -> tuple[Tensor | None, ...]:
        """Gradients of the residual stream and of the LoRA weights."""
        (x,) = ctx.saved_tensors
        block = cast("Block", ctx.block)
        with torch.no_grad():
            kept = ctx.kept[0] if ctx.kept else block.run(x, ctx.setting, ctx.seeds)
            ctx.kept = None
            x_grad, parameter_grads = block.backward(
                grads[0].contiguous(), x, kept, ctx.low_down, ctx.setting, ctx.seeds,
                input_grad=ctx.needs_input_grad[0],
            )  # fmt: skip
        return (x_grad, None, None, None, *parameter_grads)


def _seeds(block: Block) -> tuple[int, ...]:
    """A seed of dropout for each group; from torch's generator of the CPU, which checkpoints keep."""
    if not any(group.dropout for group in block.groups):
        return (0, 0, 0, 0)
    drawn: list[int] = torch.randint(2**31 - 1, (4,)).tolist()
    return tuple(drawn)
