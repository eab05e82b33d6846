"""Which attention kernels are chosen, and that the choice can be forced."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lawqa.errors import ConfigError
from lawqa.models.attention import choice
from lawqa.models.attention.choice import (
    FORCED,
    attention_kind,
    flash_attention_obstacle,
    keep_to_safe_kernels,
)

pytestmark = pytest.mark.torch

CUDA = torch.device("cuda")
BF16, FP16 = torch.bfloat16, torch.float16


@pytest.mark.parametrize(
    ("capability", "dtype", "head_dim", "options", "kind"),
    [
        ((8, 0), BF16, 128, {}, "flash"),
        ((9, 0), FP16, 256, {"gradients": True}, "flash"),
        ((8, 6), BF16, 256, {"gradients": True}, "memory"),
        ((8, 9), BF16, 256, {"gradients": True}, "memory"),
        ((8, 6), BF16, 128, {"gradients": True}, "flash"),
        ((8, 6), BF16, 256, {}, "flash"),
        ((7, 5), FP16, 128, {}, "memory"),
        ((9, 0), torch.float32, 128, {}, "memory"),
        ((9, 0), BF16, 256, {"softcap": True}, "capped"),
        ((8, 6), FP16, 256, {"softcap": True, "gradients": True}, "capped"),
        ((9, 0), torch.float32, 256, {"softcap": True}, "plain"),
        ((7, 5), FP16, 256, {"softcap": True}, "plain"),
        ((9, 0), BF16, 100, {}, "memory"),
    ],
)
def test_each_card_gets_kernels_that_it_has(
    capability: tuple[int, int],
    dtype: torch.dtype,
    head_dim: int,
    options: dict[str, Any],
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    too_old = "an older card" if capability < (8, 0) else None
    monkeypatch.setattr(choice, "triton_obstacle", lambda _: too_old)
    assert attention_kind(CUDA, dtype, head_dim, **options) == kind


@pytest.mark.parametrize("kind", ["flash", "memory", "plain"])
def test_the_choice_can_be_forced(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (9, 0))
    monkeypatch.setenv(FORCED, kind)
    assert attention_kind(CUDA, BF16, 128) == kind


def test_another_word_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FORCED, "cudnn")
    with pytest.raises(ConfigError, match="LAWQA_ATTENTION is 'cudnn', expected one of flash"):
        attention_kind(CUDA, BF16, 128)


@pytest.mark.parametrize(
    ("capability", "dtype", "head_dim", "reason"),
    [
        ((8, 0), BF16, 128, None),
        ((9, 0), FP16, 256, None),
        ((7, 5), FP16, 128, "this GPU is older than FlashAttention's kernels"),
        ((8, 0), torch.float32, 128, "no kernels for float32"),
        ((8, 0), BF16, 288, "no kernels for heads of 288 numbers"),
        ((8, 0), BF16, 100, "no kernels for heads of 100 numbers"),
    ],
)
def test_it_is_known_where_flash_attention_runs(
    capability: tuple[int, int],
    dtype: torch.dtype,
    head_dim: int,
    reason: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    said = flash_attention_obstacle(CUDA, dtype, head_dim)
    assert said is None if reason is None else reason in str(said)


def test_loading_a_model_takes_cudnn_out() -> None:
    torch.backends.cuda.enable_cudnn_sdp(True)
    keep_to_safe_kernels()
    assert not torch.backends.cuda.cudnn_sdp_enabled()
