"""Frozen weights sharded over processes, for models that do not fit one GPU (FSDP-QLoRA).

Every process keeps a part of each block and collects the others' only while the block is computed. The
adapter is small and stays whole on every process; the trainer adds up its gradients.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import torch
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor

from lawqa.errors import ConfigError, TrainingError
from lawqa.models.device import full_memory_named
from lawqa.models.load import LoadedModel

_BLOCKS_AT_ONCE = 3
"""The block that is computed, the one that is fetched meanwhile, and the one that is not yet let go."""


def require_shardable(*, use_dora: bool) -> None:
    """Make sure that weights can be sharded.

    Raises:
        ConfigError: there is one process only, or DoRA, which needs the norms of whole weights.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        raise ConfigError(
            "--fsdp shards the weights over processes, and there is only one",
            "torchrun --nproc-per-node 2 -m lawqa train ... --fsdp; or leave --fsdp out",
        )
    if use_dora:
        raise ConfigError(
            "--use-dora needs the norms of whole weights, and --fsdp shards the weights",
            "leave one of them out",
        )


def share_out(loaded: LoadedModel, model: torch.nn.Module) -> str:
    """Put this process's part of the frozen weights, and the whole adapter, onto its device, in place.

    FSDP (arXiv:2304.11277) in torch's second version, one group for each block: it moves one block after
    another, so the device never holds more than its part and one block.

    Args:
        loaded: from `load_model(..., sharded=True)`.
        model: PEFT's wrapper around it, its adapter trainable.

    Returns:
        How much of the frozen weights this process keeps, in words; the scales of 4-bit weights, 3% of
        them, norms and biases stay whole and are not counted.

    Raises:
        TrainingError: the blocks of this architecture are not known.
    """
    device, base = loaded.device, model.get_base_model()
    blocks = getattr(getattr(base, "model", None), "layers", None)
    if not isinstance(blocks, nn.ModuleList):
        raise TrainingError(
            f"--fsdp: {type(base).__name__} has no list of blocks under model.layers",
            "leave --fsdp out, or train a model of another architecture",
        )
    adapter = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter in adapter:
        parameter.data = parameter.data.to(device)
        # Every process drew the same numbers on its own; a copy makes sure of it.
        torch.distributed.broadcast(parameter.data, src=0)
    _pack_plainly(base, device)
    # Norms and biases are small, and of another dtype than packed weights; weights of one dtype in a block
    # are what every version of torch shards.
    small = [p for p in base.parameters() if not p.requires_grad and p.dim() < 2]
    for parameter in small:
        parameter.data = parameter.data.to(device)
    kept_whole = {*adapter, *small}
    mesh = init_device_mesh(device.type, (torch.distributed.get_world_size(),))
    ends = [base.get_input_embeddings(), base.get_output_embeddings()]
    # Tied embeddings are needed at both ends, so they belong to the group that stays in between.
    tied = ends[1] is None or ends[0].weight is ends[1].weight
    for module in [*blocks, *([] if tied else ends)]:
        fully_shard(module, mesh=mesh, reshard_after_forward=True, ignored_params=kept_whole)
    fully_shard(base, mesh=mesh, ignored_params=kept_whole)
    # What it was loaded by says CPU; PEFT, transformers and accelerate would believe it.
    base.hf_device_map = {"": device}
    # accelerate would wrap the model for several processes once more.
    model._is_accelerate_prepared = True
    here, whole = held_bytes(model)
    return f"each process keeps {here / 2**20:,.2f} of {whole / 2**20:,.2f} MiB of frozen weights"


def held_bytes(model: torch.nn.Module) -> tuple[int, int]:
    """Return the bytes of the weights that are shared out: this process's part, and all of them."""
    sizes = [_bytes(p) for p in model.parameters() if isinstance(p, DTensor)]
    return sum(here for here, _ in sizes), sum(whole for _, whole in sizes)


def elsewhere_bytes(model: torch.nn.Module) -> int:
    """Return the bytes of the frozen weights that this process need not hold, what it collects at a time
    deducted.

    Args:
        model: after `share_out`; 0 for a model that is not shared out.
    """
    groups: dict[str, list[int]] = {}
    for name, parameter in model.named_parameters():
        if isinstance(parameter, DTensor):
            here, whole = _bytes(parameter)
            block = name.rpartition(".layers.")[2].partition(".")[0] if ".layers." in name else name
            groups.setdefault(block, []).append(whole - here)
    sizes = sorted(map(sum, groups.values()), reverse=True)
    return sum(sizes[_BLOCKS_AT_ONCE:])


def turns_of_all(parts: int, device: torch.device) -> int:
    """Return the most micro-batches that any process has in this step.

    Args:
        parts: this process's own.
        device: where messages between processes lie.
    """
    most = torch.tensor(parts, device=device)
    torch.distributed.all_reduce(most, torch.distributed.ReduceOp.MAX)
    return int(most)


def sum_gradients(model: torch.nn.Module) -> None:
    """Sum gradients over all processes, in one message; where no wrapper does it with the backward pass.

    Args:
        model: after the backward pass, with a gradient for the same parameters on every process.
    """
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    torch.distributed.all_reduce(flat)
    for gradient, summed in zip(
        gradients, flat.split([gradient.numel() for gradient in gradients]), strict=True
    ):
        gradient.copy_(summed.view_as(gradient))


def in_step(model: torch.nn.Module) -> Callable[..., object]:
    """Return the model's forward pass, in which running out of memory ends the training.

    A smaller batch on one process alone would leave the others waiting for its weights.

    Args:
        model: after `share_out`.
    """

    def forward(**inputs: object) -> object:
        try:
            with full_memory_named():
                return model(**inputs)
        except torch.OutOfMemoryError:
            raise TrainingError(
                "out of memory while dev questions were scored", "lower --token-budget"
            ) from None

    return forward


def _bytes(parameter: DTensor) -> tuple[int, int]:
    size: int = parameter.element_size()
    return parameter.to_local().numel() * size, parameter.numel() * size


def _pack_plainly(base: torch.nn.Module, device: torch.device) -> None:
    """Leave 4-bit weights as plain tensors, which FSDP can cut; their scales go to the device whole.

    bitsandbytes makes its own kind of parameter again, from the scales that the layer remembers, whenever
    the layer is computed.

    The packed bytes are called float32. As bfloat16, FSDP-QLoRA's usual way, one word in a thousand spells
    a NaN, and torch's copies on CUDA make one and the same NaN of them all (pytorch#159333): other weights,
    and no error. float32 is copied bit by bit. What they are, uint8, FSDP takes only in newer torch.
    """
    for module in base.modules():
        # Not `module.weight`: PEFT's wrappers pass the question on to the layer within.
        weight = dict(module.named_parameters(recurse=False)).get("weight")
        state = getattr(weight, "quant_state", None)
        if weight is not None and state is not None:
            state.to(device)
            module.quant_state = state
            module.quant_storage = torch.float32
            packed = weight.data.flatten().view(torch.float32)
            module.weight = nn.Parameter(packed[:, None], requires_grad=False)
