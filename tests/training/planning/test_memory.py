"""How much GPU memory training and evaluation take, from a model's shape alone."""

from __future__ import annotations

import pytest

from lawqa.models.shapes import KNOWN, ModelShape
from lawqa.training.planning.memory import (
    GIB,
    MemorySetting,
    behind_bytes,
    lora_parameters,
    training_memory,
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


def test_whole_weights_have_room_for_b_behind_them_on_the_fast_path() -> None:
    outs = (
        4096 + 2 * 1024,
        4096,
        2 * 12288,
        4096,
    )  # of 64 columns each: 48 of rank 16 and 32 are as many
    assert behind_bytes(QWEN3_8B, NF4) == 36 * 2 * 64 * sum(outs)
    assert behind_bytes(QWEN3_8B, MemorySetting(fast=False)) == 0
    for setting, behind in ((NF4, 0), (MemorySetting(four_bit=False), 36 * 2 * 64 * sum(outs))):
        memory = training_memory(QWEN3_8B, setting, tokens=256, kept_blocks=0)
        assert memory.weights == weight_bytes(QWEN3_8B, setting) + behind
