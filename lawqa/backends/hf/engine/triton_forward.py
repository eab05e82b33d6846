"""A decoding step of a 4-bit model in some ten kernels a layer."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from lawqa.backends.hf.engine.cache import PagedCache
from lawqa.backends.hf.engine.steps import Rows
from lawqa.models.decoder import Decoder
from lawqa.models.kernels.triton_attention import attend_pages, pick_splits, rotate_and_store
from lawqa.models.kernels.triton_elementwise import add_norm_halved, swiglu_halved
from lawqa.models.kernels.triton_nf4 import BLOCK_SIZE, FusedLinear, four_bit_obstacle


@dataclass(frozen=True)
class _Products:
    qkv: FusedLinear
    out: FusedLinear
    gate_up: FusedLinear
    down: FusedLinear


def fused_step_obstacle(decoder: Decoder) -> str | None:
    """Return why the fused step does not know this model, or None where it does."""
    dim, group = decoder.shape.head_dim, decoder.shape.heads // decoder.shape.kv_heads
    if dim & (dim - 1) or dim < 16 or group > 128:
        return f"heads of {dim} in groups of {group}"
    for layer in decoder.layers:
        reason = four_bit_obstacle(
            [*layer.qkv, layer.out, *layer.gate_up, layer.down], decoder.dtype
        )
        if reason is not None:
            return f"the fused step does not know {reason}"
    return None


def extra_bytes(decoder: Decoder) -> int:
    """Return the bytes that the fused step keeps beside the model: block maxima, and a copy of the LoRA
    weights.
    """
    total = 0
    for layer in decoder.layers:
        for projection in (*layer.qkv, layer.out, *layer.gate_up, layer.down):
            outputs, inputs = projection.base.weight.quant_state.shape
            total += outputs * inputs // BLOCK_SIZE * 4
            if projection.lora is not None:
                rank = max(16, 2 * projection.lora.a.shape[0])
                total += rank * (outputs + inputs) * int(decoder.dtype.itemsize)
    return total


class TritonForward:
    """Decoding with fused kernels; each row reads only its own tokens' keys and values.

    Args:
        decoder: a model for which `fused_step_obstacle` is None.
        cache: its pages.
    """

    fixed_length = True

    def __init__(self, decoder: Decoder, cache: PagedCache) -> None:
        self._decoder = decoder
        self._cache = cache
        dtype = decoder.dtype
        self._products = [
            _Products(
                FusedLinear(layer.qkv, dtype), FusedLinear([layer.out], dtype),
                FusedLinear(layer.gate_up, dtype), FusedLinear([layer.down], dtype),
            )
            for layer in decoder.layers
        ]  # fmt: skip
        self._multiprocessors = (
            torch.cuda.get_device_properties(decoder.device).multi_processor_count
            if decoder.device.type == "cuda"
            else 1
        )

    def __call__(self, rows: Rows, longest: int) -> torch.Tensor:
        """Do the same as `Forward`; lengths are read from the positions."""
        del longest
        decoder, cache, shape = self._decoder, self._cache, self._decoder.shape
        rotary = decoder.rotary(rows.positions)
        splits = pick_splits(len(rows.ids), shape.kv_heads, self._multiprocessors)
        stream = decoder.embedding[rows.ids]
        delta: torch.Tensor | None = None
        for number, (layer, products) in enumerate(
            zip(decoder.layers, self._products, strict=True)
        ):
            pages = cache.layer(number)
            x = add_norm_halved(stream, delta, layer.attention_norm, shape.eps)
            q = rotate_and_store(
                products.qkv(x), layer.q_norm, layer.k_norm, rotary, pages, rows.tables,
                rows.positions, heads=shape.heads, page=cache.page, eps=shape.eps,
            )  # fmt: skip
            mixed = attend_pages(
                q, pages, rows.tables, rows.positions, page=cache.page, splits=splits
            )
            delta = products.out(mixed)
            x = add_norm_halved(stream, delta, layer.mlp_norm, shape.eps)
            delta = products.down(swiglu_halved(products.gate_up(x), decoder.dtype))
        add_norm_halved(stream, delta, decoder.norm, shape.eps)  # adds to the stream, in place
        return stream
