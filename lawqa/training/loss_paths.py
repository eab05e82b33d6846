"""The three ways in which a batch becomes a loss; `path_choice` picks one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from lawqa.errors import TrainingError
from lawqa.records import IGNORED
from lawqa.training.data.collate import micro_batches
from lawqa.training.fast import FastPath, HookedPath, fullest_part, pack, packed_parts

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_REHEARSED = 10
"""One weight in ten, the last ones: those whose gradients a rehearsal computes."""

PLAIN_TOKEN_BUDGET = 8192
"""Padded tokens of a micro-batch where nothing is known of the memory."""

Batch = dict[str, Tensor]
"""Rows padded to one length: `input_ids`, `labels` and `attention_mask` of shape [records, tokens], and what
there is one of for each record, [records]: its number (`record`), and how its loss counts (`weight`) where
not all count alike."""


class LossPath(Protocol):
    """Cuts a step's records into micro-batches and computes their losses."""

    @property
    def token_budget(self) -> int:
        """The most tokens of a micro-batch of several records."""

    @property
    def bypasses_wrapper(self) -> bool:
        """Whether the loss is not computed through the model's own forward, where wrappers listen."""

    def parts(self, batch: Batch) -> list[Batch]:
        """Return micro-batches that hold every record once: the weights change only when all are through."""

    def fullest(self, batch: Batch) -> Batch:
        """Return the micro-batch with the most tokens that a batch could have; the weights as for `parts`."""

    def loss(self, model: torch.nn.Module, part: Batch) -> Tensor:
        """Sum the cross entropy of a part over answer tokens, each record by its weight, in nats."""

    def losses(self, model: torch.nn.Module, part: Batch) -> Tensor:
        """Return the cross entropy of each record's answer, summed over its tokens, in nats, [records]."""

    def tokens(self, part: Batch) -> int:
        """Return what the token budget counts of a micro-batch."""

    def smaller(self, tokens: int) -> LossPath:
        """Return the same with a budget of three quarters of the tokens that did not fit."""


@dataclass(frozen=True)
class PlainPath:
    """transformers' own forward pass over padded records: the reference, for any model and device."""

    token_budget: int = PLAIN_TOKEN_BUDGET
    """Padded tokens of one micro-batch."""

    bypasses_wrapper = False

    def parts(self, batch: Batch) -> list[Batch]:
        """See `LossPath.parts`."""
        return list(micro_batches(batch, self.token_budget))

    def fullest(self, batch: Batch) -> Batch:
        """See `LossPath.fullest`."""
        return max(self.parts(batch), key=lambda part: int(part["attention_mask"].sum()))

    def loss(self, model: torch.nn.Module, part: Batch) -> Tensor:
        """See `LossPath.loss`."""
        return (
            weighed(self.losses(model, part), part)
            if "weight" in part
            else answer_loss(model, part)
        )

    def losses(self, model: torch.nn.Module, part: Batch) -> Tensor:
        """See `LossPath.losses`."""
        return answer_losses(model, part)

    def tokens(self, part: Batch) -> int:
        """See `LossPath.tokens`."""
        return int(part["input_ids"].numel())

    def smaller(self, tokens: int) -> PlainPath:
        """See `LossPath.smaller`."""
        return replace(self, token_budget=_fewer(tokens))


@dataclass(frozen=True)
class PackedPath:
    """The written-out blocks over packed records."""

    fast: FastPath
    """The model's weights and the arithmetic over them."""
    token_budget: int
    """Tokens of one micro-batch; there is no padding."""

    bypasses_wrapper = True

    def parts(self, batch: Batch) -> list[Batch]:
        """See `LossPath.parts`."""
        self.fast.begin_step()
        return list(packed_parts(batch, self.token_budget))

    def fullest(self, batch: Batch) -> Batch:
        """See `LossPath.fullest`."""
        self.fast.begin_step()
        return fullest_part(batch, self.token_budget)

    def loss(self, model: torch.nn.Module, part: Batch) -> Tensor:
        """See `LossPath.loss`."""
        if "weight" in part:
            return weighed(self.losses(model, part), part)
        return self.fast.loss(pack(part))

    def losses(self, model: torch.nn.Module, part: Batch) -> Tensor:
        """See `LossPath.losses`."""
        del model
        packed = pack(part)
        return packed.by_record(self.fast.token_losses(packed))

    def tokens(self, part: Batch) -> int:
        """See `LossPath.tokens`."""
        return int(part["attention_mask"].sum())

    def smaller(self, tokens: int) -> PackedPath:
        """See `LossPath.smaller`."""
        return replace(self, token_budget=_fewer(tokens))


@dataclass(frozen=True)
class PackedModelPath:
    """transformers' own layers over packed records: for architectures whose blocks are not written out."""

    hooked: HookedPath
    """Attention and LoRA under the model's own forward pass."""
    token_budget: int
    """Tokens of one micro-batch; there is no padding."""

    bypasses_wrapper = False

    def parts(self, batch: Batch) -> list[Batch]:
        """See `LossPath.parts`."""
        self.hooked.begin_step()
        return list(packed_parts(batch, self.token_budget))

    def fullest(self, batch: Batch) -> Batch:
        """See `LossPath.fullest`."""
        self.hooked.begin_step()
        return fullest_part(batch, self.token_budget)

    def loss(self, model: torch.nn.Module, part: Batch) -> Tensor:
        """See `LossPath.loss`."""
        if "weight" in part:
            return weighed(self.losses(model, part), part)
        return self.hooked.loss(model, pack(part))

    def losses(self, model: torch.nn.Module, part: Batch) -> Tensor:
        """See `LossPath.losses`."""
        packed = pack(part)
        return packed.by_record(self.hooked.token_losses(model, packed))

    def tokens(self, part: Batch) -> int:
        """See `LossPath.tokens`."""
        return int(part["attention_mask"].sum())

    def smaller(self, tokens: int) -> PackedModelPath:
        """See `LossPath.smaller`."""
        return replace(self, token_budget=_fewer(tokens))


def smaller_path(path: LossPath, tokens: int, longest: int, processes: int) -> LossPath:
    """Return a path with a lower token budget.

    Args:
        path: on which memory ran out.
        tokens: of the largest micro-batch that was tried.
        longest: tokens of the longest record in it.
        processes: that train together.

    Raises:
        TrainingError: there was one record in a micro-batch, or there are several processes, of which the
            others would wait.
    """
    if tokens <= longest or processes > 1:
        raise TrainingError(
            f"out of memory with micro-batches of {tokens} tokens (the longest record has {longest})",
            "lower --token-budget" if tokens > longest else
            "lower --max-seq-length or --lora-r, or train a smaller model",
        )  # fmt: skip
    return path.smaller(min(tokens, path.token_budget))


def _fewer(tokens: int) -> int:
    return max(1, tokens * 3 // 4)


def rehearse(
    path: LossPath, model: torch.nn.Module, batch: Batch,
    precision: AbstractContextManager[object], *, whole: bool = False,
) -> None:  # fmt: skip
    """Run the heaviest micro-batch of a step until its memory is fullest, and forget it.

    So a step that does not fit is met in the first seconds. Room is taken for the optimiser, and for the
    gradients that the micro-batches before it leave. The memory is fullest where the backward pass begins; it
    ends with the last tenth of the adapter's weights, as from then on more is freed than taken. Random
    numbers stay as they were.

    Args:
        path: how losses are computed.
        model: PEFT's wrapper.
        batch: the longest records that a step can have, on the model's device.
        precision: the context in which losses are computed.
        whole: whether the backward pass must run to its end, as over weights that are shared out.

    Raises:
        torch.OutOfMemoryError: it does not fit.
    """
    device = batch["input_ids"].device
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        taken = [torch.empty((3, *p.shape), dtype=torch.float32, device=device) for p in trained]
        part = path.fullest(batch)
        with precision:
            loss = path.loss(model, part)
        if whole:
            loss.backward()
        else:
            first = len(trained) * (_REHEARSED - 1) // _REHEARSED
            last = torch.autograd.grad(loss, trained[first:], allow_unused=True)
            if all(grad is None for grad in last):  # of a part that reads no text: nothing was run
                loss.backward()
            del last
        del taken, loss
    model.zero_grad(set_to_none=True)


def weighed(losses: Tensor, batch: Batch) -> Tensor:
    """Sum records' losses, each times its weight."""
    return (losses * batch["weight"]).sum()


def answer_loss(model: torch.nn.Module, batch: Batch) -> Tensor:
    """Return the sum of the cross entropy of all answer tokens, in nats; see `answer_losses`."""
    return answer_losses(model, batch).sum()


def answer_losses(model: torch.nn.Module, batch: Batch) -> Tensor:
    """Return the cross entropy of each record's answer, summed over its tokens, in nats, [records].

    Only the last positions go through `lm_head`: padding is on the left, so every answer ends at the
    last position. On 100 closed-book questions that is 2 positions of 270 in a row.

    Args:
        model: called through its own forward, so that a wrapper for several processes sees it.
        batch: `input_ids`, `labels`, `attention_mask` of shape [records, tokens].
    """
    longest_answer = int((batch["labels"] != IGNORED).sum(dim=1).max())
    mask = batch["attention_mask"]
    logits = model(
        input_ids=batch["input_ids"],
        attention_mask=mask,
        position_ids=(mask.cumsum(dim=1) - 1).clamp(min=0),
        logits_to_keep=longest_answer + 1,
        use_cache=False,
    ).logits
    # The logits at one position predict the next token.
    predictions, targets = logits[:, :-1].float(), batch["labels"][:, -longest_answer:]
    losses = cross_entropy(
        predictions.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="none"
    )
    return losses.view_as(targets).sum(dim=1)
