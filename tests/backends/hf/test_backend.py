"""Scoring and generating on the tiny model agree with transformers asked one prompt at a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from lawqa.backends.base import ChoiceScores, Completion, GenerationSettings
from lawqa.backends.hf.backend import HFBackend, label_token_ids
from lawqa.errors import BackendError
from lawqa.models.load import LoadedModel, load_model
from lawqa.prompting import Prompt, PromptSpec, build_prompt
from lawqa.settings import ModelSettings

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def loaded(tiny_dir: Path) -> LoadedModel:
    return load_model(ModelSettings(model_name=str(tiny_dir), load_in_4bit=True))


@pytest.fixture(scope="module")
def prompts(questions: Any) -> list[Prompt]:
    return [build_prompt(question, PromptSpec()) for question in questions[:12]]


def scores(backend: HFBackend, prompts: list[Prompt]) -> dict[str, ChoiceScores]:
    found = list(backend.score_choices(prompts))
    assert all(isinstance(item, ChoiceScores) for item in found)
    assert sorted(item.key for item in found) == sorted(prompt.key for prompt in prompts)
    return {item.key: item for item in found if isinstance(item, ChoiceScores)}


def completions(
    backend: HFBackend, prompts: list[Prompt], settings: GenerationSettings
) -> dict[str, Completion]:
    found = list(backend.generate(prompts, settings))
    assert len(found) == len(prompts)
    return {item.key: item for item in found if isinstance(item, Completion)}


@pytest.mark.slow
def test_label_scores_are_those_of_a_plain_forward_pass(
    loaded: LoadedModel, prompts: list[Prompt]
) -> None:
    for key, item in scores(HFBackend(loaded), prompts).items():
        ids = loaded.tokenizer(item.prompt_text, add_special_tokens=False, return_tensors="pt")
        with torch.no_grad():
            logits = loaded.model(**ids).logits[0, -1].double()
        labels = label_token_ids(loaded.tokenizer, item.prompt_text)
        mass = torch.stack([logits.softmax(dim=0)[tokens].sum() for tokens in labels])
        assert item.logprobs == pytest.approx((mass / mass.sum()).log().tolist(), abs=1e-4), key
        assert item.label_mass == pytest.approx(float(mass.sum()), rel=1e-3)
        assert item.prompt_tokens == ids["input_ids"].shape[1]


@pytest.mark.parametrize("token_budget", [1, 700, 100_000])
def test_batching_does_not_change_the_scores(
    loaded: LoadedModel, prompts: list[Prompt], token_budget: int
) -> None:
    expected = scores(HFBackend(loaded), prompts)
    for key, item in scores(HFBackend(loaded, token_budget), prompts).items():
        assert item.logprobs == pytest.approx(expected[key].logprobs, abs=1e-5)


def test_no_prompts_give_no_answers(loaded: LoadedModel) -> None:
    assert list(HFBackend(loaded).score_choices([])) == []


@pytest.mark.slow
def test_greedy_text_is_what_transformers_generates_alone(
    loaded: LoadedModel, prompts: list[Prompt]
) -> None:
    found = completions(HFBackend(loaded), prompts, GenerationSettings(max_new_tokens=12))
    for prompt in prompts:
        item = found[prompt.key]
        ids = loaded.tokenizer(item.prompt_text, add_special_tokens=False, return_tensors="pt")
        output = loaded.model.generate(
            **ids, max_new_tokens=12, do_sample=False, eos_token_id=list(loaded.stop_token_ids)
        )
        alone = output[0, ids["input_ids"].shape[1] :].tolist()
        stopped = alone[-1] in loaded.stop_token_ids
        assert item.text == loaded.tokenizer.decode(alone[:-1] if stopped else alone)
        assert item.hit_limit is not stopped


def test_generation_stops_at_every_end_token(loaded: LoadedModel, prompts: list[Prompt]) -> None:
    settings = GenerationSettings(max_new_tokens=6)
    free = completions(HFBackend(loaded), prompts[:1], settings)[prompts[0].key]
    ids = loaded.tokenizer(free.prompt_text, add_special_tokens=False, return_tensors="pt")
    output = loaded.model.generate(**ids, max_new_tokens=6, do_sample=False, eos_token_id=None)
    tokens = output[0, ids["input_ids"].shape[1] :].tolist()
    assert free.hit_limit
    for stop in {tokens[0], tokens[-1]}:
        stopping = replace(loaded, stop_token_ids=(*loaded.stop_token_ids, stop))
        item = completions(HFBackend(stopping), prompts[:1], settings)[prompts[0].key]
        assert not item.hit_limit
        assert item.completion_tokens == tokens.index(stop)
        assert item.text == loaded.tokenizer.decode(tokens[: tokens.index(stop)])


@pytest.mark.slow
def test_a_seed_repeats_what_is_sampled(loaded: LoadedModel, prompts: list[Prompt]) -> None:
    def texts(seed: int) -> list[str]:
        settings = GenerationSettings(max_new_tokens=8, temperature=1.0, seed=seed)
        found = completions(HFBackend(loaded), prompts[:4], settings)
        return [found[prompt.key].text for prompt in prompts[:4]]

    assert texts(1) == texts(1)
    assert texts(1) != texts(2)


def test_a_tokenizer_without_single_letter_tokens_is_refused() -> None:
    class Syllables:
        def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
            assert not add_special_tokens
            return [ord(char) for char in text for _ in range(2)]

    with pytest.raises(BackendError, match="label 'a' is not a single token"):
        label_token_ids(Syllables(), "問")  # type: ignore[arg-type]


def test_the_manifest_learns_what_was_loaded(loaded: LoadedModel, tiny_dir: Path) -> None:
    described = HFBackend(loaded).describe()
    assert described["name"] == str(tiny_dir)
    assert described["quantisation"] == "nf4"
    assert described["architecture"] == "qwen3"
    assert len(described["directory_sha256"]) == 16
