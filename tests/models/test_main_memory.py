"""Keys and values in main memory: no more than is free, and taken only as they are written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from lawqa.backends.base import Completion, GenerationSettings
from lawqa.backends.hf.backend import HFBackend
from lawqa.backends.hf.engine.cache import PAGE, PagedCache, workspace_bytes
from lawqa.errors import BackendError
from lawqa.models import main_memory
from lawqa.models.decoder import read_decoder
from lawqa.models.kernels.elementwise import TorchElementwise
from lawqa.models.load import load_model
from lawqa.models.main_memory import free_main_memory
from lawqa.prompting import PromptSpec, build_prompt
from lawqa.settings import ModelSettings

pytestmark = pytest.mark.torch

GIB = 1 << 30


@pytest.mark.parametrize(
    ("limit", "expected"), [("5000000", 4000000), ("max", None), ("9223372036854771712", None)]
)
@pytest.mark.parametrize(
    ("allowed", "used"),
    [
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ],
)
def test_a_containers_limit_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, expected: int | None,
    allowed: str, used: str,
) -> None:  # fmt: skip
    (tmp_path / "memory").mkdir()
    (tmp_path / allowed).write_text(f"{limit}\n", encoding="ascii")
    (tmp_path / used).write_text("3000000\n", encoding="ascii")
    cached = (
        "anon 7\ninactive_file 2000000\ntotal_inactive_file 2000000\n"  # gives way where it must
    )
    (tmp_path / allowed).with_name("memory.stat").write_text(cached, encoding="ascii")
    monkeypatch.setattr(main_memory, "_GROUP", tmp_path)
    free = free_main_memory()
    assert free == expected if expected else free > 5000000


def test_a_cache_takes_memory_only_as_it_fills(tiny_dir: Path) -> None:
    loaded = load_model(ModelSettings(model_name=str(tiny_dir)))
    shape = read_decoder(
        loaded.model, loaded.dtype, adapter=False, elementwise=TorchElementwise()
    ).shape
    pages = 2 * GIB // (shape.cache_bytes(torch.bfloat16) * PAGE)
    before = psutil.Process().memory_info().rss
    cache = PagedCache(shape, torch.bfloat16, torch.device("cpu"), pages)
    assert cache.keys.nbytes + cache.values.nbytes > 2 * GIB
    assert not cache.keys[:, -PAGE:].any()
    assert psutil.Process().memory_info().rss - before < GIB // 4


@pytest.mark.slow
def test_a_cache_is_no_larger_than_half_of_what_is_free(
    tiny_dir: Path, questions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_model(ModelSettings(model_name=str(tiny_dir)))
    prompts = [build_prompt(question, PromptSpec()) for question in questions[:6]]
    settings = GenerationSettings(40)

    def texts() -> dict[str, str]:
        answers = HFBackend(loaded).generate(prompts, settings)
        return {answer.key: answer.text for answer in answers if isinstance(answer, Completion)}

    expected = texts()
    assert len(expected) == 6
    decoder = read_decoder(
        loaded.model, loaded.dtype, adapter=False, elementwise=TorchElementwise()
    )
    beside = workspace_bytes(decoder, 2048, 6)
    longest = max(len(loaded.tokenizer.encode(m.content)) for p in prompts for m in p.messages)
    room = decoder.shape.cache_bytes(decoder.dtype) * (2 * longest + 8 * PAGE)
    monkeypatch.setattr(
        "lawqa.backends.hf.engine.opening.free_bytes",
        lambda _device, **_: 2 * (beside + room),
    )
    assert texts() == expected
    monkeypatch.setattr("lawqa.backends.hf.engine.opening.free_bytes", lambda _device, **_: beside)
    with pytest.raises(BackendError, match="GiB of main memory are free: too little"):
        texts()
