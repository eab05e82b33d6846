"""The tiny NF4 model trains and scores on a CUDA device, and agrees with the CPU."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HAS_TORCH = importlib.util.find_spec("torch") is not None
if HAS_TORCH:
    import torch

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        not HAS_TORCH or not torch.cuda.is_available(), reason="no CUDA device (or no torch)"
    ),
]

FLOAT32_TOLERANCE = 2e-3
"""Nats. The same products in another order; measured 9e-4 on an H200."""

HALF_TOLERANCE = 0.15
"""Nats. bfloat16 keeps 8 bits of a product; measured 0.07 on an H200."""


@pytest.fixture(scope="module")
def questions() -> Any:
    from lawqa.demo import embedded_questions

    return embedded_questions()


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory, questions: Any) -> Path:
    from lawqa.models.tiny import train_tiny_tokenizer, write_tiny_model

    directory = tmp_path_factory.mktemp("models") / "tiny"
    texts = [f"{q.context}\n{q.text}\n" + "\n".join(q.choices) for q in questions]
    write_tiny_model(directory, train_tiny_tokenizer(texts))
    return directory


@contextmanager
def on_cpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setattr("lawqa.models.load.pick_device", lambda: torch.device("cpu"))
        yield


def scored(
    model_dir: Path, questions: Any, dtype: Any, adapter: Path | None = None
) -> dict[str, Any]:
    from lawqa.backends.hf.backend import HFBackend
    from lawqa.models.load import load_model
    from lawqa.prompting import PromptSpec, build_prompt
    from lawqa.settings import ModelSettings

    loaded = load_model(
        ModelSettings(model_name=str(model_dir), load_in_4bit=True, dtype=dtype), adapter
    )
    prompts = [build_prompt(question, PromptSpec()) for question in questions]
    found = list(HFBackend(loaded).score_choices(prompts))
    assert len(found) == len(prompts)
    return {item.key: item for item in found}


def largest_difference(one: dict[str, Any], other: dict[str, Any]) -> float:
    assert one.keys() == other.keys()
    return max(
        abs(a - b)
        for key in one
        for a, b in zip(one[key].logprobs, other[key].logprobs, strict=True)
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, model_dir: Path, questions: Any) -> Any:
    """An adapter trained on the GPU in the dtype that the card chooses, with its figures."""
    from lawqa.pipelines.training.prepare import prepare_training
    from lawqa.pipelines.training.train import train
    from lawqa.questions import write_questions
    from lawqa.settings import Hyperparameters, TrainingRun

    directory = tmp_path_factory.mktemp("trained")
    write_questions(directory / "train.json", questions[:32])
    config = TrainingRun(
        train_file=directory / "train.json", output_dir=directory / "adapter",
        model_name=str(model_dir), load_in_4bit=True,
        training=Hyperparameters(num_epochs=2, batch_size=8, gradient_accumulation_steps=1,
                                learning_rate=5e-3),
        quiet=True,
    )  # fmt: skip
    prepared = prepare_training(config)
    before = {name: p.detach().clone() for name, p in prepared.model.named_parameters()}
    figures = train(prepared).figures
    return directory / "adapter", figures, before, prepared.model


def test_the_loss_falls_lora_moves_and_nothing_else(trained: Any) -> None:
    _, figures, before, model = trained
    assert figures.steps == 8
    assert math.isfinite(figures.last_loss)
    assert figures.last_loss < 0.7 * figures.first_loss
    for name, parameter in model.named_parameters():
        assert parameter.device.type == "cuda", name
        assert (not torch.equal(parameter.detach(), before[name])) is ("lora_" in name), name
        if "lora_" in name:
            assert parameter.dtype == torch.float32


def test_float32_scores_agree_with_the_cpu(
    model_dir: Path, questions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_gpu = scored(model_dir, questions, "float32")
    with on_cpu(monkeypatch):
        expected = scored(model_dir, questions, "float32")
    difference = largest_difference(on_gpu, expected)
    print(f"largest difference of a log-probability, float32: {difference:.1e} nats")
    assert difference < FLOAT32_TOLERANCE


def test_half_precision_scores_agree_with_the_cpu_also_with_the_adapter(
    model_dir: Path, questions: Any, trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = trained[0]
    on_gpu = scored(model_dir, questions, "auto", adapter)
    with on_cpu(monkeypatch):
        expected = scored(model_dir, questions, "float32", adapter)
    difference = largest_difference(on_gpu, expected)
    print(f"largest difference of a log-probability, half precision: {difference:.1e} nats")
    assert difference < HALF_TOLERANCE


def test_gradients_after_scoring_equal_those_before(model_dir: Path, questions: Any) -> None:
    from lawqa.backends.hf.backend import HFBackend
    from lawqa.models.load import load_model
    from lawqa.prompting import PromptSpec, build_prompt
    from lawqa.records import make_record, tokenize_records
    from lawqa.settings import Hyperparameters, ModelSettings
    from lawqa.training.adapter import add_adapter
    from lawqa.training.data.collate import LeftPadCollator
    from lawqa.training.loss_paths import answer_loss
    from lawqa.training.trainer import as_dataset

    loaded = load_model(
        ModelSettings(model_name=str(model_dir), load_in_4bit=True, dtype="float32")
    )
    loaded.model = add_adapter(loaded, Hyperparameters(lora_dropout=0.0))
    records = tokenize_records(
        [make_record(question, PromptSpec()) for question in questions[:4]], loaded.tokenizer, 2048
    )
    batch = {k: v.cuda() for k, v in LeftPadCollator(0)(list(as_dataset(records))).items()}

    def gradients() -> dict[str, Any]:
        loaded.model.zero_grad()
        answer_loss(loaded.model, batch).backward()
        return {n: p.grad.clone() for n, p in loaded.model.named_parameters() if p.grad is not None}

    before = gradients()
    list(HFBackend(loaded).score_choices([build_prompt(q, PromptSpec()) for q in questions]))
    after = gradients()
    assert before.keys() == after.keys()
    for name, gradient in before.items():
        assert torch.allclose(gradient, after[name], rtol=1e-4, atol=1e-6), name


def test_out_of_memory_halves_the_batch_and_answers_everything(
    model_dir: Path, questions: Any
) -> None:
    from lawqa.backends.base import ChoiceScores
    from lawqa.backends.hf.backend import HFBackend
    from lawqa.models.load import load_model
    from lawqa.prompting import PromptSpec, build_prompt
    from lawqa.settings import ModelSettings

    loaded = load_model(ModelSettings(model_name=str(model_dir), load_in_4bit=True))
    prompts = [build_prompt(question, PromptSpec()) for question in questions]
    total = torch.cuda.get_device_properties(loaded.device).total_memory
    torch.cuda.empty_cache()
    room = torch.cuda.memory_reserved(loaded.device) + 24 * 2**20
    torch.cuda.set_per_process_memory_fraction(room / total)
    try:
        found = list(HFBackend(loaded, token_budget=1_000_000).score_choices(prompts))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert all(isinstance(item, ChoiceScores) for item in found)
    assert len(found) == len(prompts)


def test_the_manifest_describes_the_card(trained: Any) -> None:
    from lawqa.runs.manifest import Manifest

    manifest = Manifest.read(trained[0])
    accelerator = manifest.environment["accelerator"]
    assert accelerator["name"] == torch.cuda.get_device_name()
    assert accelerator["memory_gib"] > 1
    assert manifest.figures["peak_memory_gib"] >= 0
