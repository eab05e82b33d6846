"""The lane for every other architecture: transformers' own layers over packed records.

Attention goes through `models.attention.hooked`, which keeps the records apart; LoRA's layers, gated MLPs and
norms compute through `taken_over`; only the positions that are learnt go through `lm_head`. Blocks keep what
their backward pass needs where the memory holds it, and are computed again where it does not. Whether records
really stay apart is tried, not assumed: a model may mix its tokens in other places than attention.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers.modeling_layers import GradientCheckpointingLayer

from lawqa.models.attention.hooked import is_hooked, packed
from lawqa.models.attention.records import RecordSpans
from lawqa.models.kernels.triton_probe import fastest_elementwise
from lawqa.training.fast.linears import Copies
from lawqa.training.fast.packing import PackedBatch
from lawqa.training.fast.taken_over import Takeover, let_go

if TYPE_CHECKING:
    from peft import PeftModel

_ADAPTER = "default"
_PROBED = (6, 9)
"""Tokens of the two records that are packed to see whether they stay apart."""
_CLOSE = {torch.float32: 1e-3, torch.bfloat16: 5e-2, torch.float16: 1e-2}
"""How far the logits of a packed record may be from those it has alone, relative to their size…"""
_MOVED, _FAR = 3.0, 0.3
"""…or this many times as far as they move when embeddings change by one rounding: 32 layers of random weights
are 4% from themselves in float32. Never this far: with wrong positions the logits are others altogether."""


class HookedPath:
    """The loss of packed records through a model's own forward pass.

    Args:
        model: PEFT's wrapper, its adapter trainable; see `hooked_path_obstacle`.
    """

    def __init__(self, model: PeftModel) -> None:
        causal = model.get_base_model()
        weight = causal.get_output_embeddings().weight
        dropout = float(model.peft_config[_ADAPTER].lora_dropout)
        kernels = fastest_elementwise(weight.device)
        self._copies = Copies(Takeover(causal, weight.dtype, dropout, kernels).groups)
        self._blocks = [
            module for module in causal.modules()
            if isinstance(module, GradientCheckpointingLayer) and module.gradient_checkpointing
        ]  # fmt: skip
        self.kept_blocks: Callable[[int], int] = lambda _: 0
        """For a number of tokens, how many blocks keep what their backward pass needs; the others compute it
        again."""

    @property
    def blocks(self) -> int:
        """How many blocks can be computed again, or not."""
        return len(self._blocks)

    def begin_step(self) -> None:
        """See `Copies.begin_step`."""
        self._copies.begin_step()

    def loss(self, model: torch.nn.Module, batch: PackedBatch) -> Tensor:
        """Return the sum of the cross entropy of all answer tokens, in nats; see `token_losses`."""
        return self.token_losses(model, batch).sum()

    def token_losses(self, model: torch.nn.Module, batch: PackedBatch) -> Tensor:
        """Return the cross entropy of every answer token, in nats, [answer tokens].

        Args:
            model: called through its own forward, so that a wrapper for several processes sees it.
            batch: the records.
        """
        self._copies.refresh()
        with self._keeping(self.kept_blocks(len(batch.input_ids))):
            logits = _packed_logits(
                model, batch.input_ids, batch.positions, batch.records, batch.predicting
            )
        return cross_entropy(logits.float(), batch.targets, reduction="none")

    @contextmanager
    def _keeping(self, blocks: int) -> Iterator[None]:
        """Let the last blocks keep what their backward pass needs: they are the first to go backward."""
        keeping = self._blocks[max(0, len(self._blocks) - blocks) :]
        for block in keeping:
            block.gradient_checkpointing = False
        try:
            yield
        finally:
            for block in keeping:
                block.gradient_checkpointing = True


def hooked_path_obstacle(model: PeftModel) -> str | None:
    """Return why a model cannot train over packed records here; None where it can, which is tried."""
    causal = model.get_base_model()
    if not is_hooked(causal):
        return "its attention cannot be replaced"
    devices = {parameter.device for parameter in model.parameters()}
    if len(devices) > 1:
        return "the model lies on several devices"
    let_go(causal)  # an earlier training's copies of the adapter are as old as its last step
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            return _mixing(model, devices.pop())
    # Whatever an architecture's own code raises over a packed row, the plain path takes it, with this reason.
    except Exception as problem:  # noqa: BLE001
        return f"it takes no packed records ({type(problem).__name__}: {str(problem)[:120]})"
    finally:
        model.train(was_training)


def _mixing(model: PeftModel, device: torch.device) -> str | None:
    """Return how records in a row change each other; None where they do not."""
    first, second = _PROBED
    vocabulary = int(model.get_base_model().get_input_embeddings().weight.shape[0])
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randint(vocabulary, (2 * first + second,), generator=generator).to(device)
    positions = torch.cat([torch.arange(first), torch.arange(second)]).to(device)
    last = torch.tensor([first + second - 1], device=device)
    records = RecordSpans.of(_PROBED, device)
    before, other, own = drawn[:first], drawn[first : 2 * first], drawn[2 * first :]
    one, two = (
        _packed_logits(model, torch.cat([start, own]), positions, records, last)[0].float()
        for start in (before, other)
    )
    if not torch.allclose(one, two, rtol=1e-4, atol=1e-4 * float(one.abs().max())):
        return "a packed record changes the one after it"
    alone = _logits_alone(model, own)
    off = float((one - alone).norm() / alone.norm().clamp(min=1e-9))
    if not off < _limit(model, own, alone):
        return f"a packed record's logits are {off:.1%} from those it has alone"
    return None


def _logits_alone(model: torch.nn.Module, ids: Tensor) -> Tensor:
    """Return the logits at the end of a record, [vocabulary]."""
    logits: Tensor = model(input_ids=ids[None], use_cache=False).logits[0, -1]
    return logits.float()


def _limit(model: PeftModel, ids: Tensor, alone: Tensor) -> float:
    """Return how far a packed record's logits may be from those it has alone, as rounding goes."""
    causal = model.get_base_model()
    # Not the logits' own dtype: accelerate makes those of a model that it has prepared float32.
    dtype = causal.get_output_embeddings().weight.dtype
    generator = torch.Generator().manual_seed(0)

    def round_otherwise(_: torch.nn.Module, __: object, output: Tensor) -> Tensor:
        signs = torch.randint(2, output.shape, generator=generator).to(output.device) * 2 - 1
        return (output * (1 + signs * torch.finfo(dtype).eps)).to(output.dtype)

    hook = causal.get_input_embeddings().register_forward_hook(round_otherwise)
    try:
        other = _logits_alone(model, ids)
    finally:
        hook.remove()
    moved = float((other - alone).norm() / alone.norm().clamp(min=1e-9))
    return max(_CLOSE[dtype], min(_MOVED * moved, _FAR))


def _packed_logits(
    model: torch.nn.Module, ids: Tensor, positions: Tensor, records: RecordSpans, wanted: Tensor
) -> Tensor:
    """Return the logits at the wanted positions of a row of records, [wanted, vocabulary]."""
    with packed(records):
        output = model(
            input_ids=ids[None],
            position_ids=positions[None],
            logits_to_keep=wanted,
            use_cache=False,
        )
    logits: Tensor = output.logits[0]
    return logits
