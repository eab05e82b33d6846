"""A decoding step of a 4-bit model in some ten kernels a layer."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from lawqa.backends.hf.engine.cache import PagedCache
from lawqa.backends.hf.engine.steps import Rows
from lawqa.models.decoder import Decoder
from lawqa.models.kernels.nf4_products import (
    BLOCK_SIZE,
    FusedLinear,
    four_bit_obstacle,
    padded_rank,
)
from lawqa.models.kernels.triton_attention import attend_pages, pick_splits, rotate_and_store
from lawqa.models.kernels.triton_elementwise import add_norm_in_planes, swiglu_in_planes


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
    """Return the bytes that the fused step keeps beside the model: block maxima, and copies of biases and of
    LoRA's weights.
    """
    total = 0
    for layer in decoder.layers:
        for joined in (layer.qkv, [layer.out], layer.gate_up, [layer.down]):
            # One layer with LoRA gives those beside it a share of zeros.
            rank = padded_rank([0 if p.lora is None else p.lora.a.shape[0] for p in joined])
            biased = any(getattr(p.base, "bias", None) is not None for p in joined)
            for projection in joined:
                outputs, inputs = projection.base.weight.quant_state.shape
                total += outputs * inputs // BLOCK_SIZE * 4 + 4 * outputs * biased
                total += rank * (outputs + inputs) * int(decoder.dtype.itemsize)
    return total


class TritonForward:
    """Decoding with fused kernels; each row reads only its own tokens' keys and values.

    Args:
        decoder: a model for which `fused_step_obstacle` is None.
        cache: its pages.
    """

    fixed_length = True
    gluon = False

    def __init__(self, decoder: Decoder, cache: PagedCache) -> None:
        self._decoder = decoder
        self._cache = cache
        dtype = decoder.dtype
        self._products = [
            _Products(
                FusedLinear(layer.qkv, dtype, gluon=self.gluon),
                FusedLinear([layer.out], dtype, gluon=self.gluon),
                FusedLinear(layer.gate_up, dtype, gluon=self.gluon),
                FusedLinear([layer.down], dtype, gluon=self.gluon),
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
            x = add_norm_in_planes(stream, delta, layer.attention_norm, shape.eps)
            q = rotate_and_store(
                products.qkv(x), layer.q_norm, layer.k_norm, rotary, pages, rows.tables,
                rows.positions, heads=shape.heads, page=cache.page, eps=shape.eps,
            )  # fmt: skip
            mixed = attend_pages(
                q, pages, rows.tables, rows.positions, page=cache.page, splits=splits
            )
            delta = products.out(mixed)
            x = add_norm_in_planes(stream, delta, layer.mlp_norm, shape.eps)
            delta = products.down(swiglu_in_planes(products.gate_up(x), decoder.dtype))
        add_norm_in_planes(stream, delta, decoder.norm, shape.eps)  # adds to the stream, in place
        return stream


class GluonForward(TritonForward):
    """The same with the 4-bit products of `gluon_nf4`."""

    gluon = True
