"""A layer's weight and the B of its adapter, side by side in rows of a larger matrix."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from lawqa.models.kernels.unpacking import unpacking, write_plainly  # noqa: E402

pytestmark = pytest.mark.torch

ROWS, COLUMNS, EXTRA, RANK = 6, 128, 48, 16


@pytest.mark.parametrize("at", [0, 16, 32, None])
@pytest.mark.parametrize("packed", [True, False], ids=["nf4", "plain weights"])
def test_b_is_behind_the_weight_with_zeros_beside_it(packed: bool, at: int | None) -> None:
    bnb = pytest.importorskip("bitsandbytes")
    torch.manual_seed(0)
    whole = torch.randn(ROWS, COLUMNS, dtype=torch.bfloat16)
    weight, expected = whole, whole
    if packed:
        weight = bnb.nn.Params4bit(whole, requires_grad=False, quant_type="nf4").to("cpu")
        expected = bnb.functional.dequantize_4bit(weight.data, weight.quant_state)
    b = None if at is None else torch.randn(ROWS, RANK, dtype=torch.bfloat16)
    # Rows lie apart, and hold what no product survives.
    out = torch.full((ROWS, COLUMNS + EXTRA + 8), float("nan"), dtype=torch.bfloat16)
    unpacking(torch.device("cpu")).write(weight, out[:, : COLUMNS + EXTRA], b, at or 0)
    behind = torch.zeros(ROWS, EXTRA, dtype=torch.bfloat16)
    if b is not None:
        behind[:, at : at + RANK] = b
    assert torch.equal(out[:, :COLUMNS], expected)
    assert torch.equal(out[:, COLUMNS : COLUMNS + EXTRA], behind)
    assert out[:, COLUMNS + EXTRA :].isnan().all()


def test_a_weight_without_an_adapter_fills_its_rows() -> None:
    weight = torch.randn(ROWS, COLUMNS)
    out = torch.full((ROWS, COLUMNS), float("nan"), dtype=torch.bfloat16)
    write_plainly(weight, out, None, 0)
    assert torch.equal(out, weight.bfloat16())
