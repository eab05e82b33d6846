"""Labels after reasoning, from the pages of the answer: the same as from a forward pass over all of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from lawqa.backends.base import ChoiceScores, Completion, GenerationSettings
from lawqa.backends.hf.backend import HFBackend
from lawqa.backends.hf.encoded import encode
from lawqa.backends.hf.engine import opening
from lawqa.backends.hf.engine.labels import continued, labels_after_text, place_in, text_labels
from lawqa.models.load import LoadedModel, load_model
from lawqa.prompting import Prompt, PromptSpec, build_prompt
from lawqa.settings import ModelSettings

pytestmark = pytest.mark.torch

COT = PromptSpec("cot")
SETTINGS = GenerationSettings(24, temperature=0.9, repeats=3, seed=1, score_labels=True)


@pytest.fixture(scope="module")
def loaded(tiny_dir: Path) -> LoadedModel:
    return load_model(ModelSettings(model_name=str(tiny_dir)))


@pytest.fixture(scope="module")
def prompts(questions: Any) -> list[Prompt]:
    return [build_prompt(question, COT) for question in questions[:3]]


def completions(
    backend: HFBackend, prompts: list[Prompt], settings: GenerationSettings
) -> dict[Any, Completion]:
    found = list(backend.generate(prompts, settings))
    assert all(isinstance(item, Completion) for item in found)
    return {(item.key, item.repeat): item for item in found if isinstance(item, Completion)}


@pytest.mark.slow
@pytest.mark.parametrize("spec", [COT, PromptSpec("direct", thinking=True)], ids=lambda s: s.id)
def test_the_labels_are_those_of_a_forward_pass_over_prompt_and_text(
    loaded: LoadedModel, questions: Any, spec: PromptSpec
) -> None:
    prompts = [build_prompt(question, spec) for question in questions[:3]]
    settings = replace(SETTINGS, thinking_budget=9 if spec.thinking else None)
    fast = completions(HFBackend(loaded), prompts, settings)
    plain = completions(HFBackend(loaded, path="plain"), prompts, settings)
    assert len(fast) == 9
    for key, item in fast.items():
        assert item.text == plain[key].text
        assert (item.label_at, item.label_after) == (plain[key].label_at, plain[key].label_after)
        assert item.label_logprobs == pytest.approx(plain[key].label_logprobs, abs=1e-3)
        assert item.label_mass == pytest.approx(plain[key].label_mass, abs=1e-3)
    assert len({item.label_logprobs for item in fast.values()}) > 1


def test_the_numbers_are_those_of_labels_scored_by_themselves(
    loaded: LoadedModel, prompts: list[Prompt]
) -> None:
    cue = "理由。\n最終回答："
    encoded = [encode(prompt, loaded.tokenizer, cue) for prompt in prompts]
    labels = labels_after_text(encoded, loaded.tokenizer, loaded.device)
    assert labels is not None
    with torch.no_grad():
        logits = torch.stack(
            [
                loaded.model(input_ids=torch.tensor([item.ids])).logits[0, -1].float()
                for item in encoded
            ]
        )
    by_key = dict(zip([prompt.key for prompt in prompts], labels.weights(logits), strict=True))
    for scored in HFBackend(loaded).score_after(prompts, [cue] * 3):
        assert isinstance(scored, ChoiceScores)
        found = text_labels(by_key[scored.key])
        assert found is not None
        assert found.logprobs == pytest.approx(scored.logprobs, abs=1e-3)
        assert found.mass == pytest.approx(scored.label_mass, abs=1e-3)


@pytest.mark.slow
def test_texts_are_the_same_with_and_without_labels(
    loaded: LoadedModel, prompts: list[Prompt]
) -> None:
    with_labels = completions(HFBackend(loaded), prompts, SETTINGS)
    without = completions(HFBackend(loaded), prompts, replace(SETTINGS, score_labels=False))
    assert {key: item.text for key, item in with_labels.items()} == {
        key: item.text for key, item in without.items()
    }
    assert {key: item.stopped for key, item in with_labels.items()} == {
        key: item.stopped for key, item in without.items()
    }
    assert {item.label_logprobs for item in without.values()} == {None}


@pytest.mark.slow
def test_sequences_that_lose_their_pages_get_the_same_labels(
    loaded: LoadedModel, prompts: list[Prompt], monkeypatch: pytest.MonkeyPatch
) -> None:
    plenty = completions(HFBackend(loaded), prompts, SETTINGS)
    longest = max(len(encode(prompt, loaded.tokenizer).ids) for prompt in prompts)
    made: list[Any] = []
    cache = opening.PagedCache

    def scarce(shape: Any, dtype: Any, device: Any, pages: int, **how: Any) -> Any:
        made.append(cache(shape, dtype, device, min(pages, -(-(longest + 60) // 64) + 2), **how))
        return made[-1]

    monkeypatch.setattr(opening, "PagedCache", scarce)
    few = completions(HFBackend(loaded), prompts, SETTINGS)
    assert {key: item.text for key, item in few.items()} == {
        key: item.text for key, item in plenty.items()
    }
    for key, item in few.items():
        assert item.label_logprobs == pytest.approx(plenty[key].label_logprobs, abs=1e-3)


def test_a_direct_answer_has_none(loaded: LoadedModel, questions: Any) -> None:
    prompts = [build_prompt(question, PromptSpec()) for question in questions[:2]]
    written = completions(HFBackend(loaded), prompts, replace(SETTINGS, repeats=1))
    assert {item.label_logprobs for item in written.values()} == {None}


@pytest.mark.parametrize(
    "text", ["aは誤り。最終回答：", "理由。\n最終回答：c", "<think>\nb\n</think>\n\n最終回答：d\n"]
)
def test_a_text_keeps_its_own_tokens_up_to_the_place_of_its_label(
    loaded: LoadedModel, prompts: list[Prompt], text: str
) -> None:
    item = encode(prompts[0], loaded.tokenizer)
    tokens = loaded.tokenizer.encode(text, add_special_tokens=False)
    where = continued(loaded.tokenizer, item, tokens)
    whole = loaded.tokenizer.decode([*tokens[: where.kept], *where.added])
    assert whole == place_in(item, text).text(text)
    assert len(tokens) - where.kept <= 4, "only what crosses the place is spelled again"


def test_logits_that_are_nan_where_the_label_belongs_leave_the_text(
    loaded: LoadedModel, prompts: list[Prompt], monkeypatch: pytest.MonkeyPatch
) -> None:
    from lawqa.backends.hf.engine.labels import LabelsAfterText

    monkeypatch.setattr(
        LabelsAfterText,
        "weights",
        lambda _self, logits: torch.full((len(logits), 5), torch.nan, device=logits.device),
    )
    written = completions(HFBackend(loaded), prompts, SETTINGS)
    assert len(written) == 9
    assert {item.label_logprobs for item in written.values()} == {None}
