"""A model whose logits are NaN: its answers fail with a reason, and the run finishes."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from lawqa.backends.base import Completion, Failure, GenerationSettings
from lawqa.backends.hf.backend import HFBackend
from lawqa.backends.hf.encoded import encode
from lawqa.backends.hf.engine.cache import PagedCache
from lawqa.backends.hf.engine.loop import Engine, EngineOptions
from lawqa.backends.hf.engine.sequence import Finished, Request
from lawqa.backends.hf.engine.steps import TorchForward
from lawqa.backends.hf.engine.stops import StopRules
from lawqa.backends.hf.plain_generation import TokenChoice
from lawqa.cli import main
from lawqa.models.decoder import Decoder, read_decoder
from lawqa.models.kernels.elementwise import TorchElementwise
from lawqa.models.load import LoadedModel, load_model
from lawqa.prompting import PromptSpec, build_prompt
from lawqa.questions import write_questions
from lawqa.settings import ModelSettings

pytestmark = pytest.mark.torch

SETTINGS = GenerationSettings(max_new_tokens=6)


def lose_embedding(loaded: LoadedModel, token: int) -> None:
    """From here on whoever feeds this token gets no numbers; `lm_head`, which is tied, keeps its own."""
    embedding, head = loaded.model.get_input_embeddings(), loaded.model.lm_head
    head.weight = torch.nn.Parameter(embedding.weight.detach().clone())
    embedding.weight.data[token] = torch.nan


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
    assert main(["evaluate", "--data", str(tmp_path / "q.json"), "--no-4bit", "--hf-model-name", str(damaged),
                 "--answer-by", answer_by, "--run-dir", str(run)]) == 3  # fmt: skip
    rows = [json.loads(line) for line in (run / "results.jsonl").read_text().splitlines()]
    assert [row["outcome"] for row in rows] == ["failed"] * 3
    assert all("the logits are NaN or infinite" in row["error"] for row in rows)
    assert "3 questions failed" in capsys.readouterr().err


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("budget", [None, 3])
def test_transformers_own_generate_fails_as_well(
    damaged: Path, questions: Any, temperature: float, budget: int | None
) -> None:
    settings = GenerationSettings(6, temperature=temperature, thinking_budget=budget)
    prompts = [build_prompt(q, PromptSpec(thinking=budget is not None)) for q in questions[:2]]
    backend = HFBackend(load_model(ModelSettings(model_name=str(damaged))), path="plain")
    for answer in backend.generate(prompts, settings):
        assert isinstance(answer, Failure)
        assert "the logits are NaN or infinite" in answer.reason


def test_a_row_that_breaks_on_the_way_fails_alone(
    tiny_dir: Path, questions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts = [build_prompt(question, PromptSpec()) for question in questions[:3]]
    backend = HFBackend(load_model(ModelSettings(model_name=str(tiny_dir))))
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


@pytest.mark.slow
def test_what_is_no_number_is_not_left_for_those_who_come_later(
    tiny_dir: Path, questions: Any
) -> None:
    """Pages go from hand to hand, and 0 times NaN is NaN: a masked slot would break whoever gets it."""
    loaded = load_model(ModelSettings(model_name=str(tiny_dir)))
    prompts = [build_prompt(question, PromptSpec()) for question in questions[:40]]
    backend = HFBackend(loaded)
    whole = {c.key: c for c in backend.generate(prompts, SETTINGS) if isinstance(c, Completion)}
    used = Counter(
        token
        for item in whole.values()
        for token in set(loaded.tokenizer.encode(item.prompt_text, add_special_tokens=False))
    )
    rare = next(token for token, prompts_with_it in used.items() if prompts_with_it == 1)
    lose_embedding(loaded, rare)
    answers = list(backend.generate(prompts, SETTINGS))
    assert sum(isinstance(answer, Failure) for answer in answers) == 1
    for answer in answers:
        if isinstance(answer, Completion):
            assert answer.text == whole[answer.key].text


def test_what_comes_after_the_end_of_a_text_does_not_matter(tiny_dir: Path, questions: Any) -> None:
    loaded = load_model(ModelSettings(model_name=str(tiny_dir)))
    ids = encode(build_prompt(questions[0], PromptSpec()), loaded.tokenizer).ids

    def written(stop_ids: tuple[int, ...]) -> tuple[Any, PagedCache]:
        decoder = read_decoder(
            loaded.model, loaded.dtype, adapter=False, elementwise=TorchElementwise()
        )
        cache = PagedCache(decoder.shape, decoder.dtype, decoder.device, pages=40)
        engine = Engine(
            decoder, cache, TorchForward(decoder, cache), SETTINGS,
            StopRules(SETTINGS, stop_ids, loaded.tokenizer), None,
            EngineOptions(max_rows=1, prefill_tokens=4096, steps=4, graphs=False),
        )  # fmt: skip
        (done,) = engine.run([Request(0, tuple(ids), key=0, limit=6)])
        return done, cache

    first, end, *_ = written(())[0].tokens
    # Feeding the end token, which only steps do that nobody reads, gives no numbers.
    lose_embedding(loaded, end)
    done, cache = written((end,))
    assert isinstance(done, Finished)
    assert (done.tokens, done.stopped) == ((first,), "end")
    assert cache.keys.isfinite().all()
    assert cache.values.isfinite().all()


def test_transformers_padding_behind_a_text_does_not_matter() -> None:
    choice = TokenChoice([[1, 2], [3]], SETTINGS, [0, 0], [9], torch.device("cpu"))
    scores = torch.zeros(2, 10)
    scores[0] = torch.nan
    choice(torch.tensor([[1, 2, 5, 9], [0, 3, 5, 5]]), scores)
    assert choice.broken.tolist() == [False, False]
    choice(torch.tensor([[1, 2, 5, 5], [0, 3, 9, 0]]), scores)
    assert choice.broken.tolist() == [True, False]


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
    backend = HFBackend(load_model(ModelSettings(model_name=str(tiny_dir))))
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
    backend = HFBackend(load_model(ModelSettings(model_name=str(tiny_dir))))
    with pytest.raises(RuntimeError, match="illegal memory access"):
        list(backend.score_choices([build_prompt(questions[0], PromptSpec())]))
