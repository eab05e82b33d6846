"""Which of the ways to a loss a model takes on this device, and with how many tokens at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch

from lawqa.errors import ConfigError
from lawqa.models.device import free_bytes
from lawqa.models.load import LoadedModel
from lawqa.models.shapes import ModelShape
from lawqa.records import TokenizedRecord
from lawqa.settings import Hyperparameters
from lawqa.training.fast import (
    FastPath,
    HookedPath,
    fast_path_obstacle,
    hooked_path_obstacle,
)
from lawqa.training.loss_paths import (
    PLAIN_TOKEN_BUDGET,
    LossPath,
    PackedModelPath,
    PackedPath,
    PlainPath,
)
from lawqa.training.planning.measured import plan_measured
from lawqa.training.planning.memory import GIB, MemorySetting, training_memory
from lawqa.training.planning.plan import TrainingPlan, plan_training
from lawqa.training.processes.sharding import elsewhere_bytes


def choose_path(
    loaded: LoadedModel,
    model: torch.nn.Module,
    config: Hyperparameters,
    records: Sequence[TokenizedRecord],
    say: Callable[[str], None],
) -> LossPath:
    """Return the fastest path that this model and device have, with a token budget that fits the memory.

    Args:
        loaded: where the model came from, and its device.
        model: PEFT's wrapper, its adapter trainable.
        config: how it is trained.
        records: what is learnt.
        say: prints what was chosen, and why.

    Raises:
        ConfigError: the longest record does not fit the memory.
    """
    if loaded.device.type != "cuda":
        say("plain path: no CUDA device")
        return PlainPath(config.token_budget or PLAIN_TOKEN_BUDGET)
    longest = max(len(record.input_ids) for record in records)
    obstacle = _common_obstacle(loaded, config)
    not_written = obstacle or fast_path_obstacle(model)
    not_packed = obstacle or (hooked_path_obstacle(model) if not_written else None)
    if not_packed is None and not_written is not None:
        return _packed_model_path(loaded, model, config, records, not_written, say)
    plan, unplanned = _plan(loaded, model, config, longest, fast=not_written is None)
    budget = config.token_budget or (
        plan.token_budget if plan else max(PLAIN_TOKEN_BUDGET, longest)
    )
    if not_written is None and plan is not None:
        kept = plan.kept_blocks(budget)
        expected = training_memory(plan.shape, plan.setting, tokens=budget, kept_blocks=kept).total
        say(
            f"fast path: micro-batches of {budget} tokens, "
            + _memory_line(plan.shape.layers, kept, expected, plan.memory_bytes)
        )
        hold = plan.holds_weights and budget <= plan.token_budget
        return PackedPath(FastPath(model, plan.kept_blocks, hold=hold), budget)
    if not_packed is None:
        return _packed_model_path(loaded, model, config, records, unplanned, say)
    why = not_written if not_written == not_packed else f"{not_written}; {not_packed}"
    say(f"plain path: {why}; micro-batches of {budget} padded tokens")
    return PlainPath(budget)


def _packed_model_path(
    loaded: LoadedModel,
    model: torch.nn.Module,
    config: Hyperparameters,
    records: Sequence[TokenizedRecord],
    why: str,
    say: Callable[[str], None],
) -> LossPath:
    """Return the packed path, with what fits as measured."""
    path = HookedPath(model)
    half = loaded.dtype != torch.float32
    plan = plan_measured(
        path, model, records,
        partial(torch.autocast, loaded.device.type, dtype=loaded.dtype, enabled=half),
        name=loaded.config.model_name, there=_memory_there(loaded),
    )  # fmt: skip
    path.kept_blocks = plan.kept_blocks
    budget = config.token_budget or plan.token_budget
    kept = plan.kept_blocks(budget)
    expected = plan.memory.peak(budget, kept)
    say(
        f"packed path: micro-batches of {budget} tokens through transformers' own layers ({why}), "
        + _memory_line(path.blocks, kept, expected, plan.memory_bytes)
    )
    return PackedModelPath(path, budget)


def _memory_line(blocks: int, kept: int, expected: int, there: int) -> str:
    return (
        f"{blocks - kept} of {blocks} blocks computed again when full; {expected / GIB:.1f} of "
        f"{there / GIB:.1f} GiB expected at most"
    )


def _common_obstacle(loaded: LoadedModel, config: Hyperparameters) -> str | None:
    """Return what keeps a training from both packed ways."""
    if loaded.sharded:
        return "no fast path over sharded weights"
    if config.neftune_alpha:
        return "NEFTune's noise is made for padded records"
    return None


def _plan(
    loaded: LoadedModel,
    model: torch.nn.Module,
    config: Hyperparameters,
    longest: int,
    *,
    fast: bool,
) -> tuple[TrainingPlan | None, str]:
    """Return what fits, or None and why there is no plan: the model's config does not tell its shape."""
    base = model.get_base_model()
    described = {**base.config.to_dict(), "architectures": [type(base).__name__]}
    try:
        shape = ModelShape.from_config(described, loaded.config.model_name)
    except ConfigError as problem:
        return None, problem.message
    setting = MemorySetting(
        four_bit=loaded.config.load_in_4bit, dtype_bytes=loaded.dtype.itemsize,
        lora_r=config.lora_r, lora_dropout=config.lora_dropout,
        target_modules=config.target_modules, fast=fast,
    )  # fmt: skip
    memory = _memory_there(loaded)
    memory += elsewhere_bytes(model)  # the plan counts the whole model
    return plan_training(shape, setting, memory=memory, longest=longest), ""


def _memory_there(loaded: LoadedModel) -> int:
    """Return the bytes for tensors, those that there are included."""
    allocated: int = torch.cuda.memory_allocated(loaded.device)
    return allocated + free_bytes(loaded.device)
