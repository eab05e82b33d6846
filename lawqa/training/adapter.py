"""Putting a trainable adapter onto a frozen model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from peft import LoraConfig, get_peft_model
from transformers import set_seed

from lawqa.errors import ConfigError
from lawqa.models.adapters.state import no_peft_warnings
from lawqa.models.attention.hooked import recompute_contexts
from lawqa.models.load import LoadedModel
from lawqa.settings import ALL_LINEAR, Hyperparameters

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel


def add_adapter(loaded: LoadedModel, config: Hyperparameters) -> PeftModel:
    """Freeze the model and give its linear layers LoRA weights in float32 (QLoRA, arXiv:2305.14314).

    `prepare_model_for_kbit_training` is not used: it casts everything that is not quantised to float32,
    which costs 2.5 GB on an 8B model and buys nothing. Every random generator is seeded first, so that the
    seed decides the first weights.

    Returns:
        PEFT's wrapper around the model, in which only LoRA weights are trainable.

    Raises:
        ConfigError: `--target-modules` names layers that the model does not have.
    """
    set_seed(config.seed)
    for parameter in loaded.model.parameters():
        parameter.requires_grad_(False)
    everything = config.target_modules == ALL_LINEAR
    if not everything:
        _require_layers(loaded.model, config.target_modules)
    lora = LoraConfig(
        r=config.lora_r,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        use_rslora=config.use_rslora,
        use_dora=config.use_dora,
        target_modules="all-linear" if everything else list(config.target_modules),
        task_type="CAUSAL_LM",
        revision=loaded.config.revision,
    )
    try:
        with no_peft_warnings():
            model = get_peft_model(loaded.model, lora, autocast_adapter_dtype=True)
    except ValueError as problem:
        raise ConfigError(
            f"--target-modules {' '.join(config.target_modules)}: {problem}",
            "leave it out to adapt all linear layers",
        ) from problem
    recompute_activations(loaded.model)
    model.config.use_cache = False
    _check_trainable(model)
    return model


def _require_layers(model: torch.nn.Module, names: Sequence[str]) -> None:
    linears = [
        name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)
    ]
    there = sorted({name.rpartition(".")[2] for name in linears} - {"lm_head"})
    missing = [
        name
        for name in names
        if not any(linear == name or linear.endswith(f".{name}") for linear in linears)
    ]
    if missing:
        raise ConfigError(
            f"--target-modules: the model has no linear layer called {', '.join(missing)}",
            f"it has {' '.join(there)}; leave it out to adapt all",
        )


def recompute_activations(model: PreTrainedModel) -> None:
    """Keep only each block's input for the backward pass and compute the rest again."""
    # transformers 5.23 renamed it and warns of the old name; 5.17 knows the old name only.
    enable = getattr(model, "activation_checkpointing_enable", None)
    enable = enable or model.gradient_checkpointing_enable
    enable({"use_reentrant": False, "context_fn": recompute_contexts})


def parameter_counts(model: PeftModel) -> tuple[int, int]:
    """Return the trainable parameters, and all of them (a 4-bit weight counts as one)."""
    trainable, total = model.get_nb_trainable_parameters()
    return int(trainable), int(total)


def _check_trainable(model: PeftModel) -> None:
    """Require that only LoRA weights train, and only in float32: small updates vanish in bfloat16."""
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and ("lora_" not in name or parameter.dtype != torch.float32):
            raise AssertionError(f"{name} would train in {parameter.dtype}")
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise AssertionError("no parameter would train")
