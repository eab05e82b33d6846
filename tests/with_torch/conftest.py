"""Fixtures for what needs torch: a tiny model on disk, tokenizers, and a skip where torch is missing."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HAS_TORCH = all(importlib.util.find_spec(name) for name in ("torch", "transformers", "peft"))


class WithoutTorch(pytest.Module):
    """A module that is skipped whole, with a reason, instead of failing at its imports."""

    def collect(self) -> Iterator[Any]:
        pytest.skip("torch, transformers or peft is not installed", allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: Any) -> pytest.Module | None:
    if HAS_TORCH:
        return None
    if os.environ.get("LAWQA_REQUIRE_TORCH"):
        raise RuntimeError("this run is to test everything, but torch is not installed")
    module: pytest.Module = WithoutTorch.from_parent(parent, path=module_path)
    return module


@pytest.fixture(autouse=True, scope="session")
def _on_the_cpu() -> Iterator[None]:
    """These tests compare to the last digits; tests/gpu is for what a GPU computes."""
    import torch

    # The tiny model gains nothing from threads, and on a busy machine they wait for each other.
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("lawqa.backends.hf.load.pick_device", lambda: torch.device("cpu"))
        yield


@pytest.fixture(scope="session")
def questions() -> Any:
    from lawqa.demo import embedded_questions

    return embedded_questions()


@pytest.fixture(scope="session")
def tiny_tokenizer(questions: Any) -> Any:
    from lawqa.backends.hf.tiny import train_tiny_tokenizer

    return train_tiny_tokenizer(
        f"{q.context}\n{q.text}\n" + "\n".join(q.choices) for q in questions
    )


@pytest.fixture(scope="session")
def tiny_dir(tmp_path_factory: pytest.TempPathFactory, tiny_tokenizer: Any) -> Path:
    from lawqa.backends.hf.tiny import write_tiny_model

    directory = tmp_path_factory.mktemp("models") / "tiny"
    write_tiny_model(directory, tiny_tokenizer)
    return directory


@pytest.fixture(scope="session")
def stored_in_4bit(tmp_path_factory: pytest.TempPathFactory, tiny_dir: Path) -> Path:
    """The tiny model quantised by somebody else: FP4, single quantisation, held as bfloat16 for FSDP."""
    import torch
    import transformers

    options = transformers.BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_storage=torch.bfloat16
    )
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_dir, quantization_config=options)
    directory = tmp_path_factory.mktemp("stored") / "tiny-4bit"
    model.save_pretrained(directory)
    transformers.AutoTokenizer.from_pretrained(tiny_dir).save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def qwen_tokenizer() -> Any:
    path = Path(__file__).parents[2].parent / "shared" / "data" / "qwen3-tokenizer"
    if not path.is_dir():
        pytest.skip("the real Qwen3 tokenizer is not beside the checkout")
    from lawqa.backends.hf.pretrained import load_tokenizer

    return load_tokenizer(str(path))


@pytest.fixture(params=["tiny", "qwen3"])
def tokenizer(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(
        "tiny_tokenizer" if request.param == "tiny" else "qwen_tokenizer"
    )
