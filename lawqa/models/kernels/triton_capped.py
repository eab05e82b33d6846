"""Causal attention over packed records with capped scores, as Gemma 2 has it, forward and backward.

The tiling is FlashAttention-2's (arXiv:2307.08691): scores of one tile at a time, a running softmax, and a
backward pass that computes the scores again from the saved log-sums. Products are in the dtype of the
inputs, scores and sums in float32. Each program knows its record from a table of tiles, so that records of
any lengths lie side by side without padding.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from lawqa.models.attention.records import KeptTensors, Reach, RecordSpans

ROWS, COLUMNS = 64, 32
"""Tokens of a tile: those that look, and those that are seen at once. With 4 warps the fastest of 7 ways that
were tried on an H200."""
_ALL = 1 << 30
"""A window that no record outgrows."""


class CappedAttention:
    """`PackedAttention` with a cap, as Triton kernels.

    Args:
        capability: what the kernels are launched for; None for that of the tensors' card.
    """

    def __init__(self, capability: tuple[int, int] | None = None) -> None:
        self._capability = capability

    def forward(
        self, q: Tensor, k: Tensor, v: Tensor, records: RecordSpans, reach: Reach
    ) -> tuple[Tensor, KeptTensors]:
        """See `PackedAttention.forward`."""
        q, k, v = (tensor.contiguous() for tensor in (q, k, v))
        out = torch.empty_like(q)
        sums = torch.empty(q.shape[:2], dtype=torch.float32, device=q.device)
        tiles = records.tiles(ROWS)
        shape = self._shape(q, k)
        shape["num_stages"] = pick_forward_stages(q.shape[-1], self._capability_of(q))
        _forward[(len(tiles), q.shape[1])](
            q, k, v, out, sums, tiles, records.starts, *_numbers(reach), **shape
        )
        return out, (sums,)

    def backward(
        self, grad: Tensor, q: Tensor, k: Tensor, v: Tensor, out: Tensor, kept: KeptTensors,
        records: RecordSpans, reach: Reach,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        """See `PackedAttention.backward`."""
        (sums,) = kept
        grad, q, k, v = (tensor.contiguous() for tensor in (grad, q, k, v))
        q_grad, k_grad, v_grad = (torch.empty_like(tensor) for tensor in (q, k, v))
        along = (grad.float() * out.float()).sum(dim=-1)
        tiles = records.tiles(ROWS)
        _backward_queries[(len(tiles), q.shape[1])](
            grad, q, k, v, q_grad, sums, along, tiles, records.starts, *_numbers(reach),
            **self._shape(q, k),
        )  # fmt: skip
        _backward_keys[(len(tiles), k.shape[1])](
            grad, q, k, v, k_grad, v_grad, sums, along, tiles, records.starts, *_numbers(reach),
            **self._shape(q, k),
        )  # fmt: skip
        return q_grad, k_grad, v_grad

    def _shape(self, q: Tensor, k: Tensor) -> dict[str, int]:
        heads, dim = q.shape[1:]
        return {
            "HEADS": heads, "KV_HEADS": k.shape[1], "DIM": dim,
            "BLOCK": max(16, triton.next_power_of_2(dim)), "ROWS": ROWS, "COLUMNS": COLUMNS,
            "num_warps": pick_warps(dim, self._capability_of(q)), "num_stages": 1,
        }  # fmt: skip

    def _capability_of(self, q: Tensor) -> tuple[int, int]:
        return self._capability or torch.cuda.get_device_capability(q.device)


def _numbers(reach: Reach) -> tuple[float, float, int]:
    """Return the factor of the scores, the cap, and the window."""
    return reach.scale, float(reach.softcap or 0.0), reach.window or _ALL


def pick_warps(dim: int, capability: tuple[int, int]) -> int:
    """Return the warps of a program.

    With 4, the tiles of heads of 256 numbers fill the registers of compute capability 8.x and spill; shared
    memory has room for one or two programs of a multiprocessor, so that 8 leave it no fewer warps. The tensor
    cores of 9.0 take 4 at a time.
    """
    return 8 if dim > 128 and capability < (9, 0) else 4


def pick_forward_stages(dim: int, capability: tuple[int, int]) -> int:
    """Return the turns of the forward pass whose loads are in flight.

    With 2, heads of 256 numbers take 162 microseconds instead of 179 on an H200 (12 records of 700 tokens, 8
    heads, 4 of keys). The pass back to queries gets slower by it, 266 instead of 203.
    """
    return 2 if dim > 128 and capability == (9, 0) else 1


@triton.jit
def _capped(products, scale, cap):
    """Cap scores; also return tanh of what was capped, by a sigmoid, which Triton has."""
    bent = 2.0 * tl.sigmoid(2.0 * products * scale / cap) - 1.0
    return bent * cap, bent


@triton.jit
def _rows_of(
    tensor, tokens, head, HEADS: tl.constexpr, DIM: tl.constexpr, BLOCK: tl.constexpr, inside
):
    """Load a tile [tokens, BLOCK] of one head; 0 outside."""
    d = tl.arange(0, BLOCK)
    at = tensor + (tokens.to(tl.int64)[:, None] * HEADS + head) * DIM + d[None, :]
    return tl.load(at, mask=inside[:, None] & (d < DIM)[None, :], other=0.0)


@triton.jit
def _put_rows(
    tensor, tile, tokens, head, HEADS: tl.constexpr, DIM: tl.constexpr, BLOCK: tl.constexpr, inside
):
    d = tl.arange(0, BLOCK)
    at = tensor + (tokens.to(tl.int64)[:, None] * HEADS + head) * DIM + d[None, :]
    tl.store(at, tile.to(tensor.dtype.element_ty), mask=inside[:, None] & (d < DIM)[None, :])


@triton.jit
def _forward(
    q, k, v, out, sums, tiles, starts, scale, cap, window,
    HEADS: tl.constexpr, KV_HEADS: tl.constexpr, DIM: tl.constexpr, BLOCK: tl.constexpr,
    ROWS: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    tile = tl.program_id(0)
    head = tl.program_id(1)
    kv_head = head // (HEADS // KV_HEADS)
    record = tl.load(tiles + 2 * tile)
    first = tl.load(tiles + 2 * tile + 1)
    start = tl.load(starts + record)
    end = tl.load(starts + record + 1)
    row = first + tl.arange(0, ROWS)
    there = row < end
    query = _rows_of(q, row, head, HEADS, DIM, BLOCK, there)
    largest = tl.full([ROWS], float("-inf"), dtype=tl.float32)
    size = tl.zeros([ROWS], dtype=tl.float32)
    total = tl.zeros([ROWS, BLOCK], dtype=tl.float32)
    begin = tl.maximum(start, first - window + 1)
    for at in range(begin, tl.minimum(first + ROWS, end), COLUMNS):
        column = at + tl.arange(0, COLUMNS)
        known = column < end
        key = _rows_of(k, column, kv_head, KV_HEADS, DIM, BLOCK, known)
        scores, _ = _capped(tl.dot(query, tl.trans(key)), scale, cap)
        distance = row[:, None] - column[None, :]
        scores = tl.where((distance >= 0) & (distance < window), scores, float("-inf"))
        larger = tl.maximum(largest, tl.max(scores, axis=1))
        # A window's first tiles may hold nothing that a row sees.
        level = tl.where(larger == float("-inf"), 0.0, larger)
        weights = tl.exp(scores - level[:, None])
        shrink = tl.exp(largest - level)
        size = size * shrink + tl.sum(weights, axis=1)
        value = _rows_of(v, column, kv_head, KV_HEADS, DIM, BLOCK, known)
        total = total * shrink[:, None] + tl.dot(weights.to(value.dtype), value)
        largest = larger
    _put_rows(out, total / size[:, None], row, head, HEADS, DIM, BLOCK, there)
    tl.store(sums + row * HEADS + head, largest + tl.log(size), mask=there)


@triton.jit
def _backward_queries(
    grad, q, k, v, q_grad, sums, along, tiles, starts, scale, cap, window,
    HEADS: tl.constexpr, KV_HEADS: tl.constexpr, DIM: tl.constexpr, BLOCK: tl.constexpr,
    ROWS: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    tile = tl.program_id(0)
    head = tl.program_id(1)
    kv_head = head // (HEADS // KV_HEADS)
    record = tl.load(tiles + 2 * tile)
    first = tl.load(tiles + 2 * tile + 1)
    start = tl.load(starts + record)
    end = tl.load(starts + record + 1)
    row = first + tl.arange(0, ROWS)
    there = row < end
    query = _rows_of(q, row, head, HEADS, DIM, BLOCK, there)
    upper = _rows_of(grad, row, head, HEADS, DIM, BLOCK, there)
    sum_ = tl.load(sums + row * HEADS + head, mask=there, other=0.0)
    own = tl.load(along + row * HEADS + head, mask=there, other=0.0)
    total = tl.zeros([ROWS, BLOCK], dtype=tl.float32)
    begin = tl.maximum(start, first - window + 1)
    for at in range(begin, tl.minimum(first + ROWS, end), COLUMNS):
        column = at + tl.arange(0, COLUMNS)
        known = column < end
        key = _rows_of(k, column, kv_head, KV_HEADS, DIM, BLOCK, known)
        value = _rows_of(v, column, kv_head, KV_HEADS, DIM, BLOCK, known)
        scores, bent = _capped(tl.dot(query, tl.trans(key)), scale, cap)
        distance = row[:, None] - column[None, :]
        seen = (distance >= 0) & (distance < window) & there[:, None]
        weights = tl.where(seen, tl.exp(scores - sum_[:, None]), 0.0)
        slope = weights * (tl.dot(upper, tl.trans(value)) - own[:, None])
        slope = slope * (1.0 - bent * bent) * scale
        total += tl.dot(slope.to(key.dtype), key)
    _put_rows(q_grad, total, row, head, HEADS, DIM, BLOCK, there)


@triton.jit
def _backward_keys(
    grad, q, k, v, k_grad, v_grad, sums, along, tiles, starts, scale, cap, window,
    HEADS: tl.constexpr, KV_HEADS: tl.constexpr, DIM: tl.constexpr, BLOCK: tl.constexpr,
    ROWS: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    tile = tl.program_id(0)
    kv_head = tl.program_id(1)
    record = tl.load(tiles + 2 * tile)
    first = tl.load(tiles + 2 * tile + 1)
    end = tl.load(starts + record + 1)
    GROUP: tl.constexpr = HEADS // KV_HEADS  # noqa: N806
    # The tile of keys is taken in parts as wide as the tiles of queries are short: registers hold no more.
    for part in range(0, ROWS, COLUMNS):
        column = first + part + tl.arange(0, COLUMNS)
        known = column < end
        key = _rows_of(k, column, kv_head, KV_HEADS, DIM, BLOCK, known)
        value = _rows_of(v, column, kv_head, KV_HEADS, DIM, BLOCK, known)
        k_total = tl.zeros([COLUMNS, BLOCK], dtype=tl.float32)
        v_total = tl.zeros([COLUMNS, BLOCK], dtype=tl.float32)
        last = tl.minimum(end, first + part + COLUMNS - 1 + window)
        for member in range(GROUP):
            head = kv_head * GROUP + member
            for at in range(first + part, last, COLUMNS):
                row = at + tl.arange(0, COLUMNS)
                there = row < end
                query = _rows_of(q, row, head, HEADS, DIM, BLOCK, there)
                upper = _rows_of(grad, row, head, HEADS, DIM, BLOCK, there)
                sum_ = tl.load(sums + row * HEADS + head, mask=there, other=0.0)
                own = tl.load(along + row * HEADS + head, mask=there, other=0.0)
                scores, bent = _capped(tl.dot(key, tl.trans(query)), scale, cap)
                distance = row[None, :] - column[:, None]
                seen = (distance >= 0) & (distance < window) & there[None, :]
                weights = tl.where(seen, tl.exp(scores - sum_[None, :]), 0.0)
                v_total += tl.dot(weights.to(upper.dtype), upper)
                slope = weights * (tl.dot(value, tl.trans(upper)) - own[None, :])
                slope = slope * (1.0 - bent * bent) * scale
                k_total += tl.dot(slope.to(query.dtype), query)
        _put_rows(k_grad, k_total, column, kv_head, KV_HEADS, DIM, BLOCK, known)
        _put_rows(v_grad, v_total, column, kv_head, KV_HEADS, DIM, BLOCK, known)
