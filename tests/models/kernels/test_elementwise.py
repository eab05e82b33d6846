"""Norms, rotations and activations on a CPU: the reference's numbers to the last bit."""

from __future__ import annotations

import pytest
import torch

from lawqa.models.kernels import elementwise
from lawqa.models.kernels.elementwise import CpuElementwise, TorchElementwise

pytestmark = pytest.mark.torch


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 4 tokens of 3 heads of 8, so that 10 tokens are two and a half blocks."""
    monkeypatch.setattr(elementwise, "_BLOCK", 4 * 3 * 8)


def random(*shape: int, dtype: torch.dtype) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(len(shape))).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("tokens", [1, 4, 10])
@pytest.mark.parametrize("normed", [True, False])
def test_heads_are_normed_and_rotated_alike_block_by_block(
    dtype: torch.dtype, tokens: int, normed: bool
) -> None:
    heads = random(tokens, 3, 8, dtype=dtype)
    weight = random(8, dtype=dtype) if normed else None
    cos, sin = random(tokens, 4, dtype=dtype), random(tokens, 4, dtype=dtype).neg()
    expected = TorchElementwise().norm_rotate(heads.clone(), weight, cos, sin, 1e-6)
    assert torch.equal(CpuElementwise().norm_rotate(heads, weight, cos, sin, 1e-6), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_stream_and_activations_are_alike(dtype: torch.dtype) -> None:
    stream, delta = random(10, 24, dtype=dtype), random(10, 24, dtype=dtype).flip(0)
    weight = random(24, dtype=dtype)
    for added in (None, delta):
        expected = TorchElementwise().add_norm(stream.clone(), added, weight, 1e-6)
        found = CpuElementwise().add_norm(stream.clone(), added, weight, 1e-6)
        assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    expected_gate = TorchElementwise().swiglu(stream.clone(), delta.clone())
    assert torch.equal(CpuElementwise().swiglu(stream.clone(), delta.clone()), expected_gate)
