"""Putting the fast path onto a model, and finding out whether it can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lawqa.models.attention.choice import attention_kind
from lawqa.models.attention.packed import packed_attention
from lawqa.models.kernels.triton_probe import fastest_elementwise
from lawqa.training.fast.block import Block, BlockFunction, PassSetting
from lawqa.training.fast.layers import rotary_by_kind, unknown_part
from lawqa.training.fast.linears import Copies, Workspace
from lawqa.training.fast.loss import AnswerLoss
from lawqa.training.fast.packing import PackedBatch

if TYPE_CHECKING:
    from peft import PeftModel

_ADAPTER = "default"
_LINEAR = (
    "q_proj", "k_proj", "v_proj", "qkv_proj", "o_proj", "gate_proj", "up_proj", "gate_up_proj", "down_proj",
)  # fmt: skip
"""What the linear layers of the blocks are called."""


class FastPath:
    """The loss of packed records over a PEFT model's own weights.

    Args:
        model: PEFT's wrapper around a model of transformers, its adapter trainable; see `fast_path_obstacle`.
        kept_blocks: for a number of tokens, how many blocks keep what their backward pass needs; the
            others compute it again. None for all.
        hold: whether to keep the weights dequantised.
    """

    def __init__(
        self,
        model: PeftModel,
        kept_blocks: Callable[[int], int] | None = None,
        *,
        hold: bool = False,
    ) -> None:
        causal = model.get_base_model()
        self._decoder, self._head = causal.model, causal.lm_head.weight
        device, dtype = self._head.device, self._head.dtype
        config = causal.config
        dropout = model.peft_config[_ADAPTER].lora_dropout
        self._blocks = [Block(layer, _ADAPTER, dtype, dropout) for layer in self._decoder.layers]
        self._kept_blocks = kept_blocks or (lambda _: len(self._blocks))
        self._workspace = Workspace(device, dtype)
        self._kernels = fastest_elementwise(device)
        capped = any(block.reach.softcap is not None for block in self._blocks)
        kind = attention_kind(
            device, dtype, self._blocks[0].parts.head_dim, softcap=capped, gradients=True
        )
        self._attention = packed_attention(kind)
        self._softcap = getattr(config, "final_logit_softcapping", None)
        self._rotary_by_kind = rotary_by_kind(config)
        groups = [group for block in self._blocks for group in block.groups]
        if hold:
            for group in groups:
                group.hold()
        self._copies = Copies(groups)

    def begin_step(self) -> None:
        """See `Copies.begin_step`."""
        self._copies.begin_step()

    def loss(self, batch: PackedBatch) -> Tensor:
        """Return the sum of the cross entropy of all answer tokens, in nats."""
        return self.token_losses(batch).sum()

    def token_losses(self, batch: PackedBatch) -> Tensor:
        """Return the cross entropy of every answer token, in nats, [answer tokens]."""
        with torch.no_grad(), torch.autocast(self._head.device.type, enabled=False):
            self._copies.refresh()
            x = self._decoder.embed_tokens(batch.input_ids)
            rotary = {kind: self._rotary(x, batch.positions, kind) for kind in self._kinds()}
        setting = PassSetting(
            rotary, batch.records, self._workspace, self._kernels, self._attention,
            training=self._decoder.training,
        )  # fmt: skip
        with torch.autocast(self._head.device.type, enabled=False):
            recomputed = len(self._blocks) - self._kept_blocks(len(batch.input_ids))
            for number, block in enumerate(self._blocks):
                # The last blocks are the first to go backward: what they keep is freed the soonest.
                keep = number >= recomputed
                x = BlockFunction.apply(x, block, setting, keep, *block.parameters)
            hidden = self._decoder.norm(x[batch.predicting])
            losses: Tensor = AnswerLoss.apply(hidden, self._head, batch.targets, self._softcap)
        return losses

    def _kinds(self) -> set[str | None]:
        return {block.parts.kind for block in self._blocks}

    def _rotary(self, x: Tensor, positions: Tensor, kind: str | None) -> tuple[Tensor, Tensor]:
        """Return the cosines and sines of a kind of layer, [tokens, head_dim / 2]."""
        chosen = (kind,) if self._rotary_by_kind else ()
        cos, sin = self._decoder.rotary_emb(x[None], positions[None], *chosen)
        half = cos.shape[-1] // 2  # transformers gives every angle twice
        return cos[0, :, :half].contiguous(), sin[0, :, :half].contiguous()


def fast_path_obstacle(model: PeftModel) -> str | None:
    """Return why a model cannot train on the fast path here; None where it can."""
    device = model.get_base_model().lm_head.weight.device
    return unsupported_part(model) or (
        None if device.type == "cuda" else f"no CUDA device (the model is on {device.type})"
    )


def unsupported_part(model: PeftModel) -> str | None:
    """Return what about a model's shape or adapter the written-out blocks do not know; None where all is
    known.
    """
    causal = model.get_base_model()
    config, lora = causal.config, model.peft_config[_ADAPTER]
    if (reason := unknown_part(config)) is not None:
        return reason
    if lora.use_dora:
        return "DoRA scales the merged weights"
    if lora.bias != "none" or lora.modules_to_save:
        return "more than LoRA weights train"
    others = {name.rsplit(".", 1)[-1] for name in _adapted(causal)} - set(_LINEAR)
    if others:
        return f"an adapter is on {', '.join(sorted(others))}"
    if any(parameter.device != causal.lm_head.weight.device for parameter in model.parameters()):
        return "the model lies on several devices"
    return None


def _adapted(causal: torch.nn.Module) -> list[str]:
    return [name for name, module in causal.named_modules() if hasattr(module, "lora_A")]
