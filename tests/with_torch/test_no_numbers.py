"""A model whose logits are no numbers: its answers fail with a reason, and the run goes on to its end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from lawqa.backends.base import Completion, Failure, GenerationSettings
from lawqa.backends.hf.backend import HFBackend
from lawqa.backends.hf.decoder import Decoder
from lawqa.backends.hf.load import ModelConfig, load_model
from lawqa.cli import main
from lawqa.prompting import PromptSpec, build_prompt
from lawqa.questions import write_questions

SETTINGS = GenerationSettings(max_new_tokens=6)


@pytest.fixture
def damaged(tiny_dir: Path, tmp_path: Path) -> Path:
    """The tiny model with one number of its last norm lost."""
    copy = tmp_path / "damaged"
    shutil.copytree(tiny_dir, copy)
    weights = load_file(copy / "model.safetensors")
    weights["model.norm.weight"][3] = torch.nan
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    return copy


@pytest.mark.parametrize("answer_by", ["logits", "generate"])
def test_every_answer_fails_with_the_reason(
    damaged: Path,
    tmp_path: Path,
    questions: Any,
    answer_by: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_questions(tmp_path / "q.json", questions[:3])
    run = tmp_path / "run"
    assert main(["evaluate", "--data", str(tmp_path / "q.json"), "--hf-model-name", str(damaged),
                 "--answer-by", answer_by, "--run-dir", str(run)]) == 3  # fmt: skip
    rows = [json.loads(line) for line in (run / "results.jsonl").read_text().splitlines()]
    assert [row["outcome"] for row in rows] == ["failed"] * 3
    assert all("the model gave no numbers" in row["error"] for row in rows)
    assert "3 questions failed" in capsys.readouterr().err


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("budget", [None, 3])
def test_transformers_own_generate_fails_as_well(
    damaged: Path, questions: Any, temperature: float, budget: int | None
) -> None:
    settings = GenerationSettings(6, temperature=temperature, thinking_budget=budget)
    prompts = [build_prompt(q, PromptSpec(thinking=budget is not None)) for q in questions[:2]]
    backend = HFBackend(load_model(ModelConfig(str(damaged))), path="plain")
    for answer in backend.generate(prompts, settings):
        assert isinstance(answer, Failure)
        assert "the model gave no numbers" in answer.reason


def test_a_row_that_breaks_on_the_way_fails_alone(
    tiny_dir: Path, questions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts = [build_prompt(question, PromptSpec()) for question in questions[:3]]
    backend = HFBackend(load_model(ModelConfig(str(tiny_dir))))
    whole = {c.key: c for c in backend.generate(prompts, SETTINGS) if isinstance(c, Completion)}
    assert all(answer.completion_tokens > 3 for answer in whole.values())
    logits, calls = Decoder.logits, 0

    def breaks(decoder: Decoder, stream: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        found, calls = logits(decoder, stream), calls + 1
        if calls == 3:  # the first is the prefill's
            found[0] = torch.nan
        return found

    monkeypatch.setattr(Decoder, "logits", breaks)
    answers = list(backend.generate(prompts, SETTINGS))
    failed = [answer.key for answer in answers if isinstance(answer, Failure)]
    assert len(failed) == 1
    for answer in answers:
        if isinstance(answer, Completion):
            assert answer.text == whole[answer.key].text


@pytest.mark.parametrize(
    "words",
    [
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`",
        "CUDA error: out of memory",
    ],
)
def test_a_full_memory_told_in_other_words_halves_the_batch_too(
    tiny_dir: Path, questions: Any, words: str, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    forward: Callable[..., torch.Tensor] = Decoder.forward
    prompts = [build_prompt(question, PromptSpec()) for question in questions[:4]]
    backend = HFBackend(load_model(ModelConfig(str(tiny_dir))))
    expected = sorted(backend.score_choices(prompts), key=lambda scores: scores.key)
    calls = 0

    def full_at_first(*given: Any) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise RuntimeError(words)
        return forward(*given)

    monkeypatch.setattr(Decoder, "forward", full_at_first)
    found = sorted(backend.score_choices(prompts), key=lambda scores: scores.key)
    assert "out of memory with 4 prompts" in caplog.text
    for one, other in zip(found, expected, strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-5)  # type: ignore[union-attr]


def test_other_runtime_errors_are_not_taken_for_a_full_memory(
    tiny_dir: Path, questions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_given: Any) -> torch.Tensor:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(Decoder, "forward", broken)
    backend = HFBackend(load_model(ModelConfig(str(tiny_dir))))
    with pytest.raises(RuntimeError, match="illegal memory access"):
        list(backend.score_choices([build_prompt(questions[0], PromptSpec())]))
