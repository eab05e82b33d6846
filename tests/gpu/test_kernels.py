"""Triton kernels compute what plain torch and bitsandbytes compute, on the card."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from typing import Any

import pytest

HAS_TRITON = all(importlib.util.find_spec(name) for name in ("torch", "triton", "bitsandbytes"))
if HAS_TRITON:
    import torch

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        not HAS_TRITON or not torch.cuda.is_available(), reason="no CUDA device, torch or Triton"
    ),
]

ROUNDING = 2e-2
"""Relative to the largest value: a bfloat16 holds 8 bits, and sums are taken in another order."""


def distance(found: Any, expected: Any) -> float:
    largest = (found.float() - expected.float()).abs().max() / expected.float().abs().max()
    print(f"largest difference {float(largest):.1e} of the largest value")
    return float(largest)


def random(*size: int, dtype: Any = None) -> Any:
    dtype = dtype or torch.bfloat16
    return torch.randn(
        size, device="cuda", generator=torch.Generator("cuda").manual_seed(sum(size))
    ).to(dtype)


def four_bit(outputs: int, inputs: int, rank: int, *, bias: bool = False) -> Any:
    from bitsandbytes.nn import Linear4bit, Params4bit

    from lawqa.models.projections import Lora, Projection

    module = Linear4bit(inputs, outputs, bias=bias, compute_dtype=torch.bfloat16, quant_type="nf4")
    weight = random(outputs, inputs).cpu() * 0.02
    module.weight = Params4bit(
        weight, requires_grad=False, quant_type="nf4", compress_statistics=True
    )
    module = module.cuda()
    if bias:
        module.bias = torch.nn.Parameter(random(outputs), requires_grad=False)
    lora = Lora(random(rank, inputs) * 0.02, random(outputs, rank) * 0.2) if rank else None
    return Projection(module, lora)


def test_flash_attention_over_a_forest_is_that_of_the_padded_calls() -> None:
    from lawqa.backends.hf.forest_attention import FlashForestAttention, ForestAttention
    from lawqa.backends.hf.prefixes import plant

    common = list(range(300))
    sequences = [
        *([*common, *range(400, 440), i, *range(500 + 10 * i)] for i in range(4)),
        *([*common[:200], 7, i, 9] for i in range(3)),
        [*common, *range(400, 440)],
        [1000],
        list(range(2000, 2777)),
    ]
    forest = plant(sequences)
    assert max(len(node.path) for node in forest.nodes) > 1, "no shared prefix within another"
    tokens, device = len(forest.tokens), torch.device("cuda")
    q, k, v = random(tokens, 32, 128), random(tokens, 8, 128), random(tokens, 8, 128) * 0.5
    expected = ForestAttention(forest, device)(q, k, v)
    assert distance(FlashForestAttention(forest, device)(q, k, v), expected) < ROUNDING


def test_norms_rotations_and_activations_are_those_of_torch() -> None:
    from lawqa.models.kernels.elementwise import TorchElementwise
    from lawqa.models.kernels.triton_elementwise import TritonElementwise

    plain, kernels = TorchElementwise(), TritonElementwise()
    stream, delta, weight = random(33, 4096), random(33, 4096), random(4096)
    expected = plain.add_norm(stream, delta, weight, 1e-6)
    found = kernels.add_norm(stream.clone(), delta, weight, 1e-6)
    assert torch.equal(found[0], expected[0])
    assert distance(found[1], expected[1]) < ROUNDING
    heads, head_weight = random(33, 32, 128), random(128)
    cos, sin = random(33, 64), random(33, 64)
    for norm in (head_weight, None):
        turned = kernels.norm_rotate(heads.clone(), norm, cos, sin, 1e-6)
        assert distance(turned, plain.norm_rotate(heads, norm, cos, sin, 1e-6)) < ROUNDING
    gate, up = random(33, 12288), random(33, 12289)[:, 1:].contiguous()
    assert distance(kernels.swiglu(gate.clone(), up), plain.swiglu(gate, up)) < ROUNDING


def needs(kernel: str) -> bool:
    """Whether this is the kernel with layouts; skips where this Triton lacks what it is written in."""
    from lawqa.models.kernels.nf4_products import gluon_obstacle

    if kernel == "gluon" and (reason := gluon_obstacle()):
        pytest.skip(reason)
    return kernel == "gluon"


def assert_product(
    sizes: tuple[int, ...], inputs: int, rows: int, rank: int, *, bias: bool, gluon: bool,
    dtype: Any = None, tile: Any = None,
) -> None:  # fmt: skip
    """The second of several layers has neither LoRA nor a bias."""
    from bitsandbytes.functional import dequantize_4bit

    from lawqa.models.kernels.nf4_products import FusedLinear
    from lawqa.models.kernels.triton_planes import in_planes

    dtype = dtype or torch.bfloat16
    projections = [
        four_bit(size, inputs, 0 if n == 1 else rank, bias=bias and n != 1)
        for n, size in enumerate(sizes)
    ]
    x = random(rows, inputs, dtype=dtype)
    expected = []
    for projection in projections:
        weight = projection.base.weight
        dense = dequantize_4bit(weight.data, weight.quant_state).to(torch.bfloat16)
        product = x.float() @ dense.float().t()
        if projection.lora is not None:
            low = (x @ projection.lora.a.to(dtype).t()).float()
            product = product + low @ projection.lora.b.float().t()
        if projection.base.bias is not None:
            product = product + projection.base.bias.float()
        expected.append(product)
    product = FusedLinear(projections, dtype, gluon=gluon)
    found = product(in_planes(x), tile)
    assert found.dtype == (dtype if len(found) == 1 else torch.float32)
    assert distance(found.float().sum(0), torch.cat(expected, dim=-1)) < ROUNDING


@pytest.mark.parametrize("rows", [1, 16, 17, 33, 64, 96, 128, 192])
@pytest.mark.parametrize(("rank", "bias"), [(0, False), (8, True), (64, False)])
@pytest.mark.parametrize("kernel", ["gluon", "plain"])
def test_the_4bit_product_is_that_of_dequantised_weights(
    kernel: str, rank: int, rows: int, *, bias: bool
) -> None:
    assert_product((1024, 256, 256), 1024, rows, rank, bias=bias, gluon=needs(kernel))


@pytest.mark.parametrize("splits", range(1, 9))
@pytest.mark.parametrize("kernel", ["gluon", "plain"])
def test_any_number_of_programs_shares_the_inputs_of_an_output(kernel: str, splits: int) -> None:
    """Nine rounds, which most numbers of programs do not divide."""
    from lawqa.models.kernels.nf4_products import Tile

    tile = Tile(16, 64, 256, 3, 128, splits=splits)
    assert_product((256, 128), 2304, 7, 16, bias=True, gluon=needs(kernel), tile=tile)


@pytest.mark.parametrize(
    ("sizes", "inputs"), [((1536, 256, 256), 1536), ((8960, 8960), 1536), ((1536,), 8960)]
)
@pytest.mark.parametrize("rows", [4, 64])
@pytest.mark.parametrize("kernel", ["gluon", "plain"])
def test_products_of_qwen25_with_its_biases(
    kernel: str, rows: int, sizes: tuple[int, ...], inputs: int
) -> None:
    assert_product(sizes, inputs, rows, 16, bias=len(sizes) == 3, gluon=needs(kernel))


@pytest.mark.parametrize("kernel", ["gluon", "plain"])
def test_products_in_float16(kernel: str) -> None:
    """The LoRA weights and what is rounded to bfloat16 here are well within float16."""
    assert_product((256, 128), 512, 20, 0, bias=False, gluon=needs(kernel), dtype=torch.float16)


def all_tiles() -> list[Any]:
    """Every tile that the rule may give here, of each of the kernels, with its kernel."""
    from lawqa.models.kernels import nf4_products

    warpgroups = torch.cuda.get_device_capability() == (9, 0)
    usual = nf4_products._WARPGROUPS if warpgroups else ()
    shared = nf4_products._card(torch.device("cuda")).shared
    found = [(True, each) for each in (*usual, *nf4_products._WARPS)]
    found += [(False, each) for each in nf4_products._PLAIN]
    return [each for each in found if each[1].shared(0, gluon=each[0]) <= shared]


@pytest.mark.parametrize("kernel", ["gluon", "plain"])
def test_the_dequantised_weights_are_those_of_bitsandbytes_bit_for_bit(kernel: str) -> None:
    """Rows of the unit matrix pick out the weights; float32 partial sums do not round them again."""
    from bitsandbytes.functional import dequantize_4bit

    from lawqa.models.kernels.nf4_products import FusedLinear
    from lawqa.models.kernels.triton_planes import in_planes

    gluon, inputs = (
        needs(kernel),
        2304,
    )  # rounds for slots to be used again, and shares that are not even
    projection = four_bit(256, inputs, 0)
    weight = projection.base.weight
    dense = dequantize_4bit(weight.data, weight.quant_state).to(torch.bfloat16)
    unit = torch.eye(inputs, device="cuda", dtype=torch.bfloat16)
    product = FusedLinear([projection], torch.bfloat16, gluon=gluon)
    tiles = [replace(tile, splits=2) for own, tile in all_tiles() if own == gluon]
    assert tiles
    for tile in tiles:
        found = product(in_planes(unit), tile).sum(0)
        assert torch.equal(found.to(torch.bfloat16), dense.t()), tile


@pytest.mark.parametrize("parts", range(1, 9))
def test_what_reads_partial_sums_writes_the_order_of_products(parts: int) -> None:
    from lawqa.models.kernels.elementwise import TorchElementwise
    from lawqa.models.kernels.triton_elementwise import add_norm_in_planes, swiglu_in_planes
    from lawqa.models.kernels.triton_planes import in_planes

    plain, dtype = TorchElementwise(), torch.bfloat16 if parts == 1 else torch.float32
    stream, weight = random(33, 1536), random(1536)
    sums = random(parts, 33, 1536, dtype=dtype)
    added, normed = plain.add_norm(
        stream.clone(), sums.float().sum(0).to(torch.bfloat16), weight, 1e-6
    )
    found = add_norm_in_planes(stream, sums, weight, 1e-6)
    assert distance(stream, added) < ROUNDING
    assert distance(found, in_planes(normed)) < ROUNDING
    both = random(parts, 33, 2 * 8960, dtype=dtype)
    gate, up = both.float().sum(0).to(torch.bfloat16).chunk(2, dim=-1)
    expected = in_planes(plain.swiglu(gate.contiguous(), up.contiguous()))
    assert distance(swiglu_in_planes(both, torch.bfloat16), expected) < ROUNDING


@pytest.mark.parametrize("eight_bit", [False, True])
@pytest.mark.parametrize("splits", [1, 2, 4])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize(
    ("heads", "kv_heads", "dim"), [(32, 8, 128), (16, 8, 128), (8, 8, 64), (32, 8, 64), (8, 4, 256)]
)
def test_attention_over_pages_is_that_of_torch(
    splits: int, heads: int, kv_heads: int, dim: int, dtype: str, *, eight_bit: bool
) -> None:
    from torch.nn.functional import scaled_dot_product_attention

    from lawqa.models.kernels.elementwise import TorchElementwise
    from lawqa.models.kernels.pages import Pages
    from lawqa.models.kernels.pages import eight_bit as eight_bits
    from lawqa.models.kernels.triton_attention import attend_pages, rotate_and_store
    from lawqa.models.kernels.triton_planes import in_planes

    half = getattr(torch, dtype)
    page, lengths = 64, [1, 63, 64, 65, 700]
    tables = torch.zeros(len(lengths), 12, dtype=torch.int32, device="cuda")
    pages = iter((torch.randperm(40, generator=torch.Generator().manual_seed(0)) + 1).tolist())
    for row, length in enumerate(lengths):
        for number in range(-(-length // page)):
            tables[row, number] = next(pages)
    keys, values = (random(41 * page, kv_heads, dim, dtype=half) for _ in range(2))
    stored = Pages(keys, values)
    if eight_bit:
        (keys_8, key_scales), (values_8, value_scales) = eight_bits(keys), eight_bits(values)
        stored = Pages(keys_8, values_8, key_scales, value_scales)
    positions = torch.tensor(lengths, device="cuda") - 1
    parts = random(2, len(lengths), (heads + 2 * kv_heads) * dim, dtype=torch.float32)
    q_norm, k_norm = random(dim, dtype=half), random(dim, dtype=half)
    angles = len(lengths), dim // 2
    rotary = random(*angles, dtype=half), random(*angles, dtype=half)
    q = rotate_and_store(
        parts, q_norm, k_norm, rotary, stored, tables, positions,
        heads=heads, page=page, eps=1e-6,
    )  # fmt: skip
    summed = parts.sum(0).to(half).unflatten(-1, (-1, dim))
    turn = TorchElementwise().norm_rotate
    assert distance(q, turn(summed[:, :heads], q_norm, *rotary, 1e-6)) < ROUNDING
    new_keys = turn(summed[:, heads : heads + kv_heads], k_norm, *rotary, 1e-6)
    found = attend_pages(q, stored, tables, positions, page=page, splits=splits)
    every = torch.arange(len(keys), device="cuda")
    keys, values = stored.read(every, torch.float32)
    for row, length in enumerate(lengths):
        where = torch.arange(length, device="cuda")
        slots = tables[row][where // page].long() * page + where % page
        new_values = summed[row, heads + kv_heads :]
        assert distance(keys[slots[-1]], new_keys[row]) < ROUNDING
        if eight_bit:
            whole, scales = eight_bits(new_values)
            # Division on the card is rounded otherwise, which may move a number at a half to its neighbour.
            apart = stored.values[slots[-1]].int() - whole.int()
            assert apart.abs().max() <= 1
            assert (apart != 0).float().mean() < 0.02
            assert torch.allclose(value_scales[slots[-1]], scales, rtol=1e-6, atol=0)
        else:
            assert torch.equal(values[slots[-1]], new_values.float())
        expected = scaled_dot_product_attention(
            q[row][None, :, None].float(), keys[slots].transpose(0, 1)[None].float(),
            values[slots].transpose(0, 1)[None].float(), enable_gqa=True,
        )  # fmt: skip
        assert distance(found[row], in_planes(expected.flatten())) < ROUNDING
