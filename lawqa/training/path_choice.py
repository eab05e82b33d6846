"""Which of the ways to a loss a model takes on this device, and with how many tokens at a time."""

from __future__ import annotations

from collections.abc import Callable

import torch

from lawqa.errors import ConfigError
from lawqa.models.device import free_bytes
from lawqa.models.load import LoadedModel
from lawqa.models.shapes import ModelShape
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
from lawqa.training.planning.memory import GIB, MemorySetting, training_memory
from lawqa.training.planning.plan import TrainingPlan, plan_training
from lawqa.training.processes.sharding import elsewhere_bytes


def choose_path(
    loaded: LoadedModel,
    model: torch.nn.Module,
    config: Hyperparameters,
    longest: int,
    say: Callable[[str], None],
) -> LossPath:
    """Return the fastest path that this model and device have, with a token budget that fits the memory.

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
    obstacle = _common_obstacle(loaded, config)
    not_written = obstacle or fast_path_obstacle(model)
    not_packed = obstacle or (hooked_path_obstacle(model) if not_written else None)
    plan, unplanned = _plan(loaded, model, config, longest, fast=not_written is None)
    budget = config.token_budget or (
        plan.token_budget if plan else max(PLAIN_TOKEN_BUDGET, longest)
    )
    if not_written is None and plan is not None:
        kept = plan.kept_blocks(budget)
        expected = training_memory(plan.shape, plan.setting, tokens=budget, kept_blocks=kept).total
        layers = plan.shape.layers
        say(
            f"fast path: micro-batches of {budget} tokens, {layers - kept} of {layers} blocks computed "
            f"again when full; {expected / GIB:.1f} of {plan.memory_bytes / GIB:.1f} GiB expected at most"
        )
        hold = plan.holds_weights and budget <= plan.token_budget
        return PackedPath(FastPath(model, plan.kept_blocks, hold=hold), budget)
    if not_packed is None:
        say(
            f"packed path: micro-batches of {budget} tokens through transformers' own layers "
            f"({not_written or unplanned})"
        )
        return PackedModelPath(HookedPath(model), budget)
    why = not_written if not_written == not_packed else f"{not_written}; {not_packed}"
    say(f"plain path: {why}; micro-batches of {budget} padded tokens")
    return PlainPath(budget)


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
    memory = torch.cuda.memory_allocated(loaded.device) + free_bytes(loaded.device)
    memory += elsewhere_bytes(model)  # the plan counts the whole model
    return plan_training(shape, setting, memory=memory, longest=longest), ""
