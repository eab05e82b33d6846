"""How much GPU memory training and evaluation take, from a model's shape alone.

Every term is a tensor that exists at the moment of the peak: at the start of the backward pass of the
longest micro-batch. docs/training.md compares predictions with measured peaks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lawqa.models.shapes import ModelShape
from lawqa.settings import ALL_LINEAR

GIB = 2**30

_QUANT_BLOCK = 64
"""bitsandbytes keeps one 8-bit scale for 64 weights (double quantisation)…"""
_NESTED_BLOCK = 256
"""…and one float32 scale for 256 of those."""

_LOGITS_AT_ONCE = 512
"""Answer positions whose logits exist at once on the fast path."""

SCORED_TOKENS = 16384
"""Tokens of a batch whose labels are scored, at most: as in `backends.hf.scoring`."""
PREFILL_TOKENS = 4096
"""Prompt tokens that generating computes at once where room is short: as in `backends.hf.engine.opening`."""

_SCORES_AT_ONCE = 1 << 25
"""As in `models.attention.packed`."""

_LOW_STEP = 64
"""On the fast path the columns of x Aᵀ of layers with one input are a multiple of this, as in
`training.fast.linears`."""

_PLAIN_FACTOR = 1.6
"""How many times more autograd and PEFT keep of a block than the fast path (fitted to 4 measured peaks)."""


@dataclass(frozen=True)
class MemorySetting:
    """What besides the model's shape decides memory."""

    four_bit: bool = True
    """Whether linear layers are quantised to 4 bits."""
    dtype_bytes: int = 2
    """Bytes of a number in the compute dtype: 2 for bfloat16 and float16."""
    lora_r: int = 16
    """Rank of the adapter."""
    lora_dropout: float = 0.0
    """Dropout of the adapter's inputs: above 0 a copy of the widest input exists."""
    target_modules: Sequence[str] = ALL_LINEAR
    """Layers with an adapter."""
    fast: bool = True
    """Whether training runs on the fast path."""


@dataclass(frozen=True)
class TrainingMemory:
    """Predicted bytes at the peak of training, by what they hold."""

    weights: int
    """The frozen model."""
    adapter: int
    """LoRA's float32 masters and their copies for products."""
    gradients: int
    """Of the masters, float32."""
    optimiser: int
    """AdamW's two moments, float32."""
    streams: int
    """The residual stream before every block."""
    kept: int
    """What blocks keep for their backward pass instead of computing it again."""
    passing: int
    """What one block's backward pass needs besides, dequantised weights included."""
    logits: int
    """Logits of the answer positions, with their softmax and gradient."""

    @property
    def total(self) -> int:
        """All of it."""
        return sum(vars(self).values())


def weight_bytes(shape: ModelShape, setting: MemorySetting) -> int:
    """Return the frozen model: 4.13 bits a linear weight with NF4 and double quantisation, else
    the dtype's.
    """
    scales = shape.linear_parameters / _QUANT_BLOCK
    linear = (
        shape.linear_parameters / 2 + scales + scales / _NESTED_BLOCK * 4
        if setting.four_bit
        else shape.linear_parameters * setting.dtype_bytes
    )
    return int(linear) + shape.other_parameters * setting.dtype_bytes


def lora_parameters(shape: ModelShape, setting: MemorySetting) -> int:
    """Return the trainable weights of the adapter."""
    everything = tuple(setting.target_modules) == ALL_LINEAR
    return shape.layers * sum(
        setting.lora_r * (rows + columns)
        for name, (rows, columns) in shape.linears.items()
        if everything or name in setting.target_modules
    )


def training_memory(
    shape: ModelShape,
    setting: MemorySetting,
    *,
    tokens: int,
    kept_blocks: int,
    answer_tokens: int = 64,
) -> TrainingMemory:
    """Predict the peak of training.

    Args:
        shape: the model's.
        setting: quantisation, adapter, path.
        tokens: of the longest micro-batch (padded ones on the plain path).
        kept_blocks: blocks that keep what their backward pass needs; the others compute it again.
        answer_tokens: tokens with loss in that micro-batch.
    """
    size, adapter = setting.dtype_bytes, lora_parameters(shape, setting)
    # A block that is computed again keeps as much, but only once those after it have let go of theirs.
    kept = tokens * max(kept_blocks, 1) * kept_per_token(shape, setting)
    passing = tokens * passing_per_token(shape, setting)
    positions = min(answer_tokens, _LOGITS_AT_ONCE) if setting.fast else answer_tokens
    return TrainingMemory(
        weights=weight_bytes(shape, setting)
        + (0 if setting.four_bit else behind_bytes(shape, setting)),
        adapter=adapter * (4 + size),
        gradients=adapter * 4,
        optimiser=adapter * 8,
        streams=tokens * streams_per_token(shape, setting),
        kept=kept,
        passing=passing + dequantised_bytes(shape, setting) + scores_bytes(shape, tokens),
        logits=positions * shape.vocabulary * (size + 8),
    )


def streams_per_token(shape: ModelShape, setting: MemorySetting) -> int:
    """Return the bytes a token of the residual streams that are kept before each block."""
    # Where a norm follows the MLP, what it read is kept beside each.
    streams = 2 * shape.layers + 1 if shape.norms_after and setting.fast else shape.layers + 1
    return streams * shape.hidden * setting.dtype_bytes


def kept_per_token(shape: ModelShape, setting: MemorySetting) -> int:
    """Return the bytes a token of what one block keeps: projections, attention, middle stream,
    gate and up.
    """
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    wide = 2 * queries + 2 * keys + shape.hidden + 2 * shape.intermediate
    wide += shape.hidden if shape.norms_after else 0
    own = (wide + sum(_low_columns(shape, setting))) * setting.dtype_bytes + 4 * shape.heads
    if setting.fast:
        return own
    # PEFT keeps every linear layer's input after dropout, and the mask.
    dropped = (5 * shape.hidden + queries + shape.intermediate) * (setting.dtype_bytes + 1)
    return math.ceil(own * _PLAIN_FACTOR) + (dropped if setting.lora_dropout else 0)


def _groups(shape: ModelShape) -> tuple[int, ...]:
    """Return the numbers of layers with one input: query, key and value, output, gate and up, down."""
    return (1, 1, 1, 1) if shape.joined else (3, 1, 2, 1)


def _low_columns(shape: ModelShape, setting: MemorySetting) -> list[int]:
    """Return the numbers a token of x Aᵀ of the adapters of a block, by what layers read."""
    step = _LOW_STEP if setting.fast else 1
    return [-(-layers * setting.lora_r // step) * step for layers in _groups(shape)]


def behind_bytes(shape: ModelShape, setting: MemorySetting) -> int:
    """Return the columns for B behind all weights of the fast path that are whole or held dequantised."""
    if not setting.fast:
        return 0
    outs, numbers = [outs for _, outs in shape.linears.values()], 0
    for layers, columns in zip(_groups(shape), _low_columns(shape, setting), strict=True):
        numbers += columns * sum(outs[:layers])
        outs = outs[layers:]
    return shape.layers * numbers * setting.dtype_bytes


def passing_per_token(shape: ModelShape, setting: MemorySetting) -> int:
    """Return the bytes a token of one block's backward pass besides: the larger of its MLP's and its
    attention's.
    """
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    mlp = 2 * shape.intermediate + 2 * shape.hidden
    mlp += shape.intermediate if setting.lora_dropout else 0
    # FlashAttention's backward has a float32 gradient of the queries and expands those of keys and values.
    attention = 2 * shape.hidden + 3 * queries + 3 * keys + 2 * queries + 2 * queries
    own = max(mlp, attention) * setting.dtype_bytes
    return own if setting.fast else math.ceil(own * _PLAIN_FACTOR)


def dequantised_bytes(shape: ModelShape, setting: MemorySetting) -> int:
    """Return the dequantised weights of the widest group of linear layers: gate and up."""
    return 2 * shape.intermediate * shape.hidden * setting.dtype_bytes


def scores_bytes(shape: ModelShape, tokens: int) -> int:
    """Return scores that are written out, where they are capped: float32, six of them in the
    backward pass.
    """
    if not shape.capped_scores:
        return 0
    return min(_SCORES_AT_ONCE, shape.heads * tokens * tokens) * 4 * 6


def scoring_memory(shape: ModelShape, setting: MemorySetting, *, tokens: int) -> int:
    """Predict the peak of scoring labels in batches of `tokens` tokens: nothing is kept but one block."""
    # Gate and up; the residual stream, what is added to it, its norm, and as much again for the rest.
    wide = 2 * shape.intermediate + 4 * shape.hidden
    return (
        weight_bytes(shape, setting)
        + tokens * wide * setting.dtype_bytes
        + dequantised_bytes(shape, setting)
    )


def _maxima_bytes(shape: ModelShape, setting: MemorySetting) -> int:
    """Return the maxima of 4-bit blocks, in float32, which decoding's kernels read: as they are kept
    beside the weights.
    """
    return 4 * shape.linear_parameters // _QUANT_BLOCK if setting.four_bit else 0


def cache_per_token(shape: ModelShape, setting: MemorySetting, *, eight_bit: bool = False) -> int:
    """Return the bytes a token of the keys and values of all blocks, as generating keeps them,
    or in 8 bits.
    """
    # A head in 8 bits has a float32 scale besides.
    head = shape.head_dim + 4 if eight_bit else shape.head_dim * setting.dtype_bytes
    return 2 * shape.layers * shape.kv_heads * head


def generating_memory(
    shape: ModelShape, setting: MemorySetting, *, cached_tokens: int, longest_prompt: int = 0
) -> int:
    """Predict the peak of generating, which is while prompts are computed.

    Args:
        shape: the model's.
        setting: quantisation and number type.
        cached_tokens: tokens in the cache, all sequences together.
        longest_prompt: tokens of the longest prompt; it is computed in one piece.
    """
    return (
        scoring_memory(shape, setting, tokens=max(PREFILL_TOKENS, longest_prompt))
        + _maxima_bytes(shape, setting)
        + cached_tokens * cache_per_token(shape, setting)
    )
