"""Weights laid side by side in memory, so that what is free between them becomes room for something else.

A model that is quantised while it loads leaves gaps: every weight is there whole for a moment, and the small
ones that follow settle where it was. torch's allocator keeps such gaps for tensors that fit into them, and
keys and values, which want one piece, do not (2.9 GiB of them were seen with Qwen3-8B).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import torch

logger = logging.getLogger(__name__)

_WORTH = 64 << 20
"""Bytes of gaps that are left as they are."""
_BLOCK = 256 << 20
"""Bytes that are moved at once: they must be free in one piece, and are held twice meanwhile."""
_ALIGNMENT = 512
"""Bytes at multiples of which torch's own allocator puts tensors, and kernels expect them."""


def defragment(model: torch.nn.Module, device: torch.device) -> int:
    """Lay a model's weights side by side, where gaps between them are worth it; they keep their values.

    Where the memory has no room to move them in, they stay where they are.

    Args:
        model: with all of its parameters and buffers on the device.
        device: where it lives; nothing is done on a CPU.

    Returns:
        The bytes of the device's memory that were given back.
    """
    if device.type != "cuda":
        return 0
    torch.cuda.empty_cache()
    before = torch.cuda.memory_reserved(device)
    if before - torch.cuda.memory_allocated(device) < _WORTH:
        return 0
    try:
        lay_together(tensors_of(model))
    except torch.OutOfMemoryError as problem:
        logger.debug("weights stay where they are: %s", problem)
    torch.cuda.empty_cache()
    freed: int = before - torch.cuda.memory_reserved(device)
    logger.debug("weights laid together: %.2f GiB are free again", freed / 2**30)
    return freed


def tensors_of(model: torch.nn.Module) -> Iterator[torch.Tensor]:
    """Return a model's parameters and buffers, and what its 4-bit weights are scaled by.

    Args:
        model: any module; a tensor that it has in two places comes twice.
    """
    for tensor in (*model.parameters(), *model.buffers()):
        yield tensor
        state = getattr(tensor, "quant_state", None)
        while state is not None:  # the scales of a weight may be quantised themselves
            yield from (part for part in vars(state).values() if isinstance(part, torch.Tensor))
            state = getattr(state, "state2", None)


def lay_together(tensors: Iterator[torch.Tensor], block: int = _BLOCK) -> None:
    """Move tensors into blocks of memory of their own, one after the other.

    The objects stay the same, and those that share memory still do.

    Args:
        tensors: all on one device; one that comes twice is moved once.
        block: the most bytes of a block; a larger tensor has one to itself.

    Raises:
        torch.OutOfMemoryError: there is no room for a block; tensors of blocks before it have moved.
    """
    sharing: dict[int, dict[int, torch.Tensor]] = {}
    for tensor in tensors:
        if tensor.untyped_storage().nbytes():
            # By identity: one that comes twice and moved twice would be a view of somebody else's bytes.
            same = sharing.setdefault(tensor.untyped_storage().data_ptr(), {})
            same[id(tensor)] = tensor
    group: list[list[torch.Tensor]] = []
    size = 0
    for key in list(sharing):
        following = [*sharing.pop(key).values()]
        if group and size + _aligned(following[0]) > block:
            _move(group, size)
            group, size = [], 0
        group.append(following)
        size += _aligned(following[0])
    if group:
        _move(group, size)


def _move(group: Sequence[Sequence[torch.Tensor]], size: int) -> None:
    """Move tensors, those that share memory in one list, into one new block of that many bytes."""
    target = torch.empty(size, dtype=torch.uint8, device=group[0][0].device)
    start = 0
    for sharing in group:
        storage = sharing[0].untyped_storage()
        target[start : start + storage.nbytes()].copy_(_bytes(storage))
        step = _aligned(sharing[0])
        for tensor in sharing:
            offset = start // tensor.itemsize + tensor.storage_offset()
            moved = torch.empty(0, dtype=tensor.dtype, device=tensor.device)
            moved.set_(target.untyped_storage(), offset, tensor.shape, tensor.stride())
            tensor.data = moved
        start += step


def _bytes(storage: torch.UntypedStorage) -> torch.Tensor:
    """Return what is stored, byte by byte."""
    return torch.empty(0, dtype=torch.uint8, device=storage.device).set_(storage)


def _aligned(tensor: torch.Tensor) -> int:
    """Return the bytes of what a tensor is a view of, up to where the next one may begin."""
    size: int = tensor.untyped_storage().nbytes()
    return -(-size // _ALIGNMENT) * _ALIGNMENT
