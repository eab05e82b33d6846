"""Gaps between weights on a card are given back, and the weights compute what they did."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

WIDTH = 1024
LAYERS = 96


def with_gaps() -> torch.nn.Sequential:
    """Weights of 2 MiB, each made beside larger tensors that are let go, as loading does that quantises."""
    torch.manual_seed(0)
    torch.cuda.empty_cache()
    let_go, layers = [], []
    for _ in range(LAYERS):
        let_go.append(torch.empty(6 << 20, dtype=torch.uint8, device="cuda"))
        layers.append(
            torch.nn.Linear(WIDTH, WIDTH, bias=False, dtype=torch.bfloat16, device="cuda")
        )
        let_go.append(torch.empty(6 << 20, dtype=torch.uint8, device="cuda"))
    return torch.nn.Sequential(*layers)


def test_gaps_between_weights_are_given_back() -> None:
    from lawqa.models.defragment import defragment

    device = torch.device("cuda")
    model = with_gaps()
    asked = torch.randn(4, WIDTH, dtype=torch.bfloat16, device=device)
    with torch.no_grad():
        before = model(asked)
    torch.cuda.empty_cache()
    gaps = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
    freed = defragment(model, device)
    left = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
    print(f"gaps {gaps / 2**20:.0f} -> {left / 2**20:.0f} MiB, {freed / 2**20:.0f} MiB given back")
    assert gaps >= 128 << 20
    assert freed >= 0.8 * gaps
    with torch.no_grad():
        assert torch.equal(model(asked), before)
    assert defragment(model, device) == 0
