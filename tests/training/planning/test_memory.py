"""How much GPU memory training and evaluation take, from a model's shape alone."""

from __future__ import annotations

import pytest

from lawqa.models.shapes import KNOWN, ModelShape
from lawqa.training.planning.memory import (
    GIB,
    MemorySetting,
    lora_parameters,
    weight_bytes,
)

pytestmark = pytest.mark.every_python


QWEN3_8B = ModelShape.from_config(KNOWN["Qwen/Qwen3-8B"], "Qwen/Qwen3-8B")


NF4 = MemorySetting()


def test_the_shape_of_qwen3_8b() -> None:
    assert QWEN3_8B.linear_parameters + QWEN3_8B.other_parameters == pytest.approx(8.19e9, rel=1e-3)
    assert lora_parameters(QWEN3_8B, NF4) == 43_646_976
    half = MemorySetting(target_modules=("q_proj", "v_proj"))
    assert lora_parameters(QWEN3_8B, half) == 36 * 16 * (4096 + 4096 + 4096 + 1024)
    # Measured after loading: 5.67 GiB.
    assert weight_bytes(QWEN3_8B, NF4) / GIB == pytest.approx(5.67, rel=0.01)
