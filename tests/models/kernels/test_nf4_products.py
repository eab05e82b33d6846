"""How 4-bit products are divided, in which order they read, and what the plain kernel computes."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
triton = pytest.importorskip("triton")

from lawqa.models.kernels.nf4_products import (  # noqa: E402
    CardLimits,
    Tile,
    block_maxima,
    padded_rank,
    pick_tile,
)
from lawqa.models.kernels.triton_planes import DEPTH, in_planes  # noqa: E402

pytestmark = pytest.mark.torch

H200 = CardLimits.of((9, 0), 132)
QKV, OUT, GATE_UP, DOWN = (6144, 4096), (4096, 4096), (24576, 4096), (4096, 12288)
"""Outputs and inputs of the products of Qwen3-8B."""


@pytest.mark.parametrize(
    ("rows", "shape", "splits"),
    [
        (1, Tile(16, 64, 256, 3, 128), (4, 4, 1, 6)), (16, Tile(16, 64, 256, 3, 128), (4, 4, 1, 6)),
        (64, Tile(64, 128, 256, 4, warpgroups=True), (2, 4, 2, 4)),
        (128, Tile(128, 128, 128, 3, warpgroups=True), (2, 4, 2, 4)),
    ],
)  # fmt: skip
def test_the_fastest_divisions_measured_on_an_h200_are_those_of_the_rule(
    rows: int, shape: Tile, splits: tuple[int, ...]
) -> None:
    for (outputs, inputs), best in zip((QKV, OUT, GATE_UP, DOWN), splits, strict=True):
        assert pick_tile(rows, outputs, inputs, 16, H200) == replace(shape, splits=best)


@pytest.mark.parametrize("capability", [(8, 0), (8, 6), (8, 9), (9, 0), (10, 0), (12, 0)])
@pytest.mark.parametrize("multiprocessors", [14, 42, 68, 132])
@pytest.mark.parametrize("gluon", [True, False])
def test_a_division_fits_card_and_layer(
    capability: tuple[int, int], multiprocessors: int, *, gluon: bool
) -> None:
    card = CardLimits.of(capability, multiprocessors)
    for rows in (1, 16, 17, 64, 65, 128, 192):
        for outputs, inputs in (QKV, OUT, GATE_UP, DOWN, (1024, 256), (128, 640 * 4)):
            for rank in (0, 16, 256):
                tile = pick_tile(rows, outputs, inputs, rank, card, gluon=gluon)
                assert tile.rows >= min(rows, 64 if rank < 256 else 16)
                assert outputs % tile.outputs == 0
                assert 1 <= tile.splits <= inputs // tile.depth
                assert DEPTH % tile.depth == 0
                assert tile.shared(rank, gluon=gluon) <= card.shared
                if gluon:
                    # A slot is asked for while another is read and a third is full.
                    assert tile.stages - tile.slack >= 3
                    assert tile.warpgroups <= card.warpgroups


@pytest.mark.parametrize("multiprocessors", [14, 16, 26, 30, 42])
@pytest.mark.parametrize("rows", [1, 16, 64, 128])
def test_slices_of_a_card_are_kept_busy(multiprocessors: int, rows: int) -> None:
    """The multiprocessor with the most programs multiplies less than half more than its share."""
    card = CardLimits.of((9, 0), multiprocessors)
    for outputs, inputs in (QKV, OUT, GATE_UP, DOWN):
        tile = pick_tile(rows, outputs, inputs, 16, card)
        programs = outputs // tile.outputs * tile.splits
        rounds = inputs // tile.depth
        most = -(-programs // multiprocessors) * -(-rounds // tile.splits)
        assert most < 1.5 * outputs // tile.outputs * rounds / multiprocessors
        assert tile.splits <= pick_tile(rows, outputs, inputs, 16, H200).splits


def test_columns_are_ordered_by_their_place_in_a_word() -> None:
    x = torch.arange(2 * DEPTH)
    found = in_planes(x[None].expand(3, -1))[1]
    words = DEPTH // 8
    for place in (0, 1, words - 1, words, DEPTH - 1, DEPTH, DEPTH + words):
        block, inner = divmod(place, DEPTH)
        assert found[place] == DEPTH * block + inner % words * 8 + inner // words


def test_planes_of_words_are_the_weights_of_bitsandbytes() -> None:
    """The arithmetic of both kernels, written with torch: bits of words, codebook, maxima, one rounding."""
    functional = pytest.importorskip("bitsandbytes.functional")
    torch.manual_seed(0)
    weight = torch.randn(16, 2 * DEPTH)
    packed, state = functional.quantize_4bit(weight, quant_type="nf4", compress_statistics=True)
    dense = functional.dequantize_4bit(packed, state).to(torch.bfloat16)
    words = packed.reshape(16, -1).contiguous().view(torch.int32)
    maxima = block_maxima(state).repeat_interleave(8, dim=1)
    planes = []
    for plane in range(8):
        index = (words >> (8 * (plane // 2) + 4 - 4 * (plane % 2))) & 15
        planes.append((state.code[index.long()] * maxima).to(torch.bfloat16))
    found = torch.stack(planes, dim=1)  # [outputs, plane, word]
    by_round = found.unflatten(-1, (-1, DEPTH // 8)).transpose(1, 2).reshape(dense.shape)
    assert torch.equal(by_round, in_planes(dense))


def test_ranks_are_padded_to_what_tensor_cores_take() -> None:
    assert [padded_rank(r) for r in ([0, 0], [1, 0], [16], [17, 3], [64])] == [0, 16, 16, 32, 64]


INTERPRETED = """
import torch
from lawqa.models.kernels.nf4_products import CardLimits, FusedLinear, Tile
from lawqa.models.kernels.triton_elementwise import add_norm_in_planes, swiglu_in_planes
from lawqa.models.kernels.triton_planes import in_planes

torch.manual_seed(0)
inputs, ends, code = 512, [0, 128, 256, 384], torch.randn(16)
packed = [torch.randint(0, 256, (64 * inputs, 1), dtype=torch.uint8) for _ in range(3)]
maxima, bias = torch.rand(384, inputs // 64), torch.randn(384)
a, b = 0.02 * torch.randn(48, inputs).half(), torch.randn(384, 16).half()
pairs = torch.cat(packed).reshape(384, -1).long()
dense = torch.stack((code[pairs >> 4], code[pairs & 15]), dim=-1).reshape(384, inputs)
dense = (dense * maxima.repeat_interleave(64, dim=1)).half().double()
for rows, splits, rank, biased in ((3, 1, 16, True), (16, 2, 0, False), (20, 2, 16, False)):
    linear = object.__new__(FusedLinear)
    vars(linear).update(
        _weights=packed, _ends=ends, outputs=384, inputs=inputs, _maxima=maxima, _code=code,
        _bias=bias if biased else None, _a=in_planes(a), _b=b, _rank=rank,
        _card=CardLimits.of((8, 0), 4), _gluon=False,
    )
    x = torch.randn(rows, inputs).half()
    found = linear(in_planes(x), Tile(16, 64, 256, 2, splits=splits))
    assert len(found) == splits
    expected = x.double() @ dense.t() + (bias.double() if biased else 0)
    if rank:
        low = (x @ a.t()).double().chunk(3, dim=-1)
        expected += torch.cat([p @ q.t() for p, q in zip(low, b.double().chunk(3))], dim=-1)
    assert (found.double().sum(0) - expected).abs().max() < 1e-3 * expected.abs().max()
for inputs in (512, 18 * 256):  # 18 rounds are 9 shares of two
    linear = object.__new__(FusedLinear)
    a, x = torch.randn(48, inputs).half(), torch.randn(20, inputs).half()
    vars(linear).update(inputs=inputs, _a=in_planes(a), _rank=16)
    low = linear._low(in_planes(x))
    assert len(low) == (2 if inputs == 512 else 9)
    expected = x.double() @ a.double().t()
    assert (low.double().sum(0) - expected).abs().max() < 1e-5 * expected.abs().max()
stream, parts = torch.randn(3, 768).half(), torch.randn(3, 3, 768)
summed = (stream + parts.sum(0).half()).float()
found = add_norm_in_planes(stream, parts, torch.ones(768).half(), 1e-6)
normed = summed * torch.rsqrt(summed.square().mean(dim=-1, keepdim=True) + 1e-6)
assert (found - in_planes(normed)).abs().max() < 1e-2
gate, up = parts.sum(0).half().split((512, 256), dim=-1)[0].chunk(2, dim=-1)
found = swiglu_in_planes(parts[..., :512].contiguous(), torch.float16)
assert (found - in_planes(torch.nn.functional.silu(gate) * up)).abs().max() < 1e-2
print("the same")
"""


def test_the_plain_kernel_and_what_feeds_it_interpreted() -> None:
    """In a process of its own: Triton decides when it is imported whether it compiles or interprets."""
    numpy = pytest.importorskip("numpy")
    if tuple(map(int, numpy.__version__.split(".")[:2])) >= (2, 4):
        pytest.skip("Triton's interpreter does not know loops with this NumPy")
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", INTERPRETED], env=os.environ | {"TRITON_INTERPRET": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "the same\n", done.stderr
