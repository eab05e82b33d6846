"""Which kind of step the engine opens with, and how it divides the memory."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from lawqa.backends.hf.engine import opening
from lawqa.backends.hf.engine.cache import PAGE, workspace_bytes
from lawqa.backends.hf.engine.steps import TorchForward
from lawqa.models.decoder import Decoder, read_decoder
from lawqa.models.load import load_model
from lawqa.settings import ModelSettings

pytestmark = pytest.mark.torch


class Cache:
    """Pages, as far as they are touched here."""

    cleared = 0

    def clear(self) -> None:
        self.cleared += 1


class Fused:
    """Fused steps, as far as they are touched here."""

    def __init__(self, decoder: Any, cache: Any) -> None:
        del decoder, cache


def opened(monkeypatch: pytest.MonkeyPatch, problem: Exception, cache: Any) -> Any:
    def compared(decoder: Any, pages: Any, forward: Any, *_: Any) -> None:
        del decoder, pages
        if isinstance(forward, Fused):
            raise problem

    monkeypatch.setattr(opening, "decoding_disagreement", compared)
    expected: Any = torch.zeros(1, 4)
    decoder: Any = None
    return opening._trusted([Fused, TorchForward], decoder, cache, [[1]], expected, 1)


def test_fused_steps_that_do_not_run_give_way_to_plain_ones(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cache = Cache()
    with caplog.at_level(logging.WARNING):
        forward = opened(monkeypatch, RuntimeError("out of resource: shared memory"), cache)
    assert isinstance(forward, TorchForward)
    assert cache.cleared == 1
    assert caplog.messages == [
        "decoding without Fused: RuntimeError: out of resource: shared memory"
    ]


def test_of_two_kinds_of_fused_steps_the_second_does_the_work_of_the_first(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Slower(Fused):
        pass

    def compared(decoder: Any, pages: Any, forward: Any, *_: Any) -> str | None:
        del decoder, pages
        return None if isinstance(forward, Slower) else "PassManager::run failed"

    monkeypatch.setattr(opening, "decoding_disagreement", compared)
    cache: Any = Cache()
    kinds: Any = [Fused, Slower, TorchForward]
    with caplog.at_level(logging.WARNING):
        forward = opening._trusted(kinds, None, cache, [[1]], torch.zeros(1, 4), 1)  # type: ignore[arg-type]
    assert isinstance(forward, Slower)
    assert caplog.messages == ["decoding without Fused: PassManager::run failed"]


@pytest.mark.parametrize(
    "problem",
    [torch.OutOfMemoryError("full"), RuntimeError("CUDA error: an illegal memory access")],
)
def test_a_full_memory_and_a_broken_card_are_not_hidden(
    monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    with pytest.raises(type(problem)):
        opened(monkeypatch, problem, Cache())


@pytest.fixture(scope="module")
def decoder(tiny_dir: Path) -> Decoder:
    """On a GPU, as far as sizes are asked for."""
    loaded = load_model(ModelSettings(model_name=str(tiny_dir)))
    return replace(read_decoder(loaded.model, loaded.dtype), device=torch.device("cuda"))


def test_prefills_are_long_where_the_pages_of_all_rows_still_fit(decoder: Decoder) -> None:
    lengths, plenty = (4, 200, 100), 16 << 30
    pages, prefill = opening._divided(decoder, plenty, *lengths, eight_bit=False)
    assert (pages, prefill) == (16, 8192)
    page = decoder.shape.cache_bytes(decoder.dtype) * PAGE
    room = workspace_bytes(decoder, 4096, lengths[0])
    assert opening._divided(decoder, room + 17 * page, *lengths, eight_bit=False) == (16, 4096)
    assert opening._divided(decoder, room + 9 * page, *lengths, eight_bit=False) == (8, 4096)
    eight_bit, _ = opening._divided(decoder, room + 9 * page, *lengths, eight_bit=True)
    assert eight_bit > 8
    assert opening._divided(decoder, room, *lengths, eight_bit=False)[0] < 1
