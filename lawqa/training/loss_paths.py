"""The two ways in which a batch becomes a loss, and which of them a model takes here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from lawqa.errors import ConfigError
from lawqa.models.device import free_bytes
from lawqa.models.load import LoadedModel
from lawqa.models.shapes import ModelShape
from lawqa.records import IGNORED
from lawqa.settings import Hyperparameters
from lawqa.training.data.collate import micro_batches
from lawqa.training.fast import FastPath, fast_path_obstacle, pack, packed_parts
from lawqa.training.planning.memory import GIB, MemorySetting, training_memory
from lawqa.training.planning.plan import plan_training
from lawqa.training.processes.sharding import elsewhere_bytes

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

PLAIN_TOKEN_BUDGET = 8192
"""Padded tokens of a micro-batch where nothing is known of the memory."""

Batch = dict[str, Tensor]


class LossPath(Protocol):
    """Cuts a step's records into micro-batches and computes their losses."""

    @property
    def token_budget(self) -> int:
        """The most tokens of a micro-batch of several records."""

    @property
    def bypasses_wrapper(self) -> bool:
        """Whether the loss is not computed through the model's own forward, where wrappers listen."""

    def parts(self, batch: Batch) -> list[Batch]:
        """Micro-batches that hold every record once."""

    def loss(self, model: torch.nn.Module, part: Batch) -> Tensor:
        """Sum of the cross entropy of all answer tokens of a micro-batch, in nats."""

    def halved(self) -> LossPath:
        """The same with half the token budget."""


@dataclass(frozen=True)
class PlainPath:
    """transformers' own forward pass over padded records: the reference, for any model and device."""

    token_budget: int = PLAIN_TOKEN_BUDGET
    """Padded tokens of one micro-batch."""

    bypasses_wrapper = False

    def parts(self, batch: Batch) -> list[Batch]:
        """See `LossPath.parts`."""
        return list(micro_batches(batch, self.token_budget))

    def loss(self, model: torch.nn.Module, part: Batch) -> Tensor:
        """See `LossPath.loss`."""
        return answer_loss(model, part)

    def halved(self) -> PlainPath:
        """See `LossPath.halved`."""
        return replace(self, token_budget=max(1, self.token_budget // 2))


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
        return list(packed_parts(batch, self.token_budget))

    def loss(self, model: torch.nn.Module, part: Batch) -> Tensor:
        """See `LossPath.loss`."""
        del model
        return self.fast.loss(pack(part))

    def halved(self) -> PackedPath:
        """See `LossPath.halved`."""
        return replace(self, token_budget=max(1, self.token_budget // 2))


def choose_path(
    loaded: LoadedModel,
    model: torch.nn.Module,
    config: Hyperparameters,
    longest: int,
    say: Callable[[str], None],
) -> LossPath:
    """The fastest path that this model and device have, with a token budget that fits the memory.

    Args:
        loaded: where the model came from, and its device.
        model: PEFT's wrapper, its adapter trainable.
        config: how it is trained.
        longest: tokens of the longest record.
        say: prints what was chosen, and why.

    Raises:
        ConfigError: the longest record does not fit the memory.
    """
    if loaded.device.type != "cuda":
        say("plain path: no CUDA device")
        return PlainPath(config.token_budget or PLAIN_TOKEN_BUDGET)
    reason = "no fast path over sharded weights" if loaded.sharded else fast_path_obstacle(model)
    if config.neftune_alpha:
        reason = "NEFTune's noise is made for padded records"
    base = model.get_base_model()
    try:
        shape = ModelShape.from_config(base.config.to_dict(), loaded.config.model_name)
    except ConfigError:
        budget = config.token_budget or PLAIN_TOKEN_BUDGET
        say(
            f"plain path ({reason}), micro-batches of {budget} tokens: no plan for this architecture"
        )
        return PlainPath(budget)
    setting = MemorySetting(
        four_bit=loaded.config.load_in_4bit, dtype_bytes=loaded.dtype.itemsize,
        lora_r=config.lora_r, lora_dropout=config.lora_dropout,
        target_modules=config.target_modules, fast=reason is None,
    )  # fmt: skip
    memory = torch.cuda.memory_allocated(loaded.device) + free_bytes(loaded.device)
    memory += elsewhere_bytes(model)  # the plan counts the whole model
    plan = plan_training(shape, setting, memory=memory, longest=longest)
    budget = config.token_budget or plan.token_budget
    if reason is not None:
        say(f"plain path: {reason}; micro-batches of {budget} padded tokens")
        return PlainPath(budget)
    kept = plan.kept_blocks(budget)
    expected = training_memory(shape, setting, tokens=budget, kept_blocks=kept).total
    say(
        f"fast path: micro-batches of {budget} tokens, {shape.layers - kept} of {shape.layers} blocks "
        f"computed again when full; {expected / GIB:.1f} of {memory / GIB:.1f} GiB expected at most"
    )
    return PackedPath(FastPath(model, plan.kept_blocks), budget)


def rehearse(
    path: LossPath, model: torch.nn.Module, batch: Batch, precision: AbstractContextManager[object]
) -> None:
    """Run the heaviest micro-batch of a step once, with room taken for the optimiser, and forget it.

    So a step that does not fit is met in the first seconds. Random numbers stay as they were.

    Args:
        path: how losses are computed.
        model: PEFT's wrapper.
        batch: the longest records that a step can have, on the model's device.
        precision: the context in which losses are computed.

    Raises:
        torch.OutOfMemoryError: it does not fit.
    """
    device = batch["input_ids"].device
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    with torch.random.fork_rng(devices=[device]):
        moments = [torch.empty((2, *p.shape), dtype=torch.float32, device=device) for p in trained]
        part = max(path.parts(batch), key=lambda part: int(part["attention_mask"].sum()))
        with precision:
            loss = path.loss(model, part)
        loss.backward()
        del moments, loss
    model.zero_grad(set_to_none=True)


def answer_loss(model: torch.nn.Module, batch: Batch) -> Tensor:
    """Sum of the cross entropy of all answer tokens, in nats.

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
    return cross_entropy(
        predictions.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum"
    )
