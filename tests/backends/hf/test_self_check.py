"""The fast path is compared with transformers, and left, with a reason, where it is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from lawqa.backends.base import ChoiceScores, Completion, GenerationSettings
from lawqa.backends.hf.backend import HFBackend
from lawqa.backends.hf.encoded import encode
from lawqa.backends.hf.engine.cache import PagedCache
from lawqa.backends.hf.engine.steps import TorchForward
from lawqa.backends.hf.plain_model import PlainModel
from lawqa.backends.hf.self_check import checked_prompts, decoding_disagreement, step_logits
from lawqa.models.agreement import FULL, compare_logits
from lawqa.models.decoder import Decoder, read_decoder
from lawqa.models.kernels.elementwise import TorchElementwise
from lawqa.models.load import LoadedModel, load_model
from lawqa.prompting import Prompt, PromptSpec, build_prompt
from lawqa.settings import ModelSettings

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def loaded(tiny_dir: Path) -> LoadedModel:
    return load_model(ModelSettings(model_name=str(tiny_dir)))


@pytest.fixture(scope="module")
def prompts(questions: Any) -> list[Prompt]:
    return [build_prompt(question, PromptSpec()) for question in questions[:5]]


class Skewed(TorchElementwise):
    """Rotates a little too far, as a kernel with a mistake would."""

    def norm_rotate(self, heads: Any, weight: Any, cos: Any, sin: Any, eps: float) -> torch.Tensor:
        return super().norm_rotate(heads, weight, cos, 1.5 * sin, eps)


def skewed(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(model: Any, dtype: torch.dtype, **options: Any) -> Decoder:
        return read_decoder(model, dtype, **{**options, "elementwise": Skewed()})

    monkeypatch.setattr("lawqa.backends.hf.path_choice.read_decoder", read)


def scores(backend: HFBackend, prompts: list[Prompt]) -> dict[str, tuple[float, ...]]:
    return {
        item.key: item.logprobs
        for item in backend.score_choices(prompts)
        if isinstance(item, ChoiceScores)
    }


def test_scores_come_from_transformers_where_the_fast_path_is_wrong(
    loaded: LoadedModel,
    prompts: list[Prompt],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    right = scores(HFBackend(loaded, self_check=True), prompts)
    assert not caplog.text
    skewed(monkeypatch)
    wrong = scores(HFBackend(loaded), prompts)
    assert any(wrong[key] != pytest.approx(right[key], abs=1e-2) for key in right)
    backend = HFBackend(loaded, self_check=True)
    for key, logprobs in scores(backend, prompts).items():
        assert logprobs == pytest.approx(right[key], abs=1e-4)
    assert "log-probabilities other than transformers': differences up to" in caplog.text
    assert "other than transformers'" in str(backend.describe()["path"])


def test_texts_come_from_transformers_where_every_step_is_wrong(
    loaded: LoadedModel,
    prompts: list[Prompt],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = GenerationSettings(6)

    def texts(**options: Any) -> dict[str, str]:
        return {
            item.key: item.text
            for item in HFBackend(loaded, **options).generate(prompts, settings)
            if isinstance(item, Completion)
        }

    right = texts(self_check=True)
    assert not caplog.text
    skewed(monkeypatch)
    assert texts(self_check=True) == right
    assert "decoding without TorchForward: 1 rows" not in caplog.text  # two prompts make two rows
    assert "decoding without TorchForward: 2 rows: log-probabilities other than" in caplog.text


def test_a_step_is_looked_at_for_each_height_of_tiles_and_keeps_no_pages(
    loaded: LoadedModel, prompts: list[Prompt]
) -> None:
    decoder = read_decoder(loaded.model, loaded.dtype)
    cache = PagedCache(decoder.shape, decoder.dtype, decoder.device, 30)
    ids = checked_prompts([encode(prompt, loaded.tokenizer).ids for prompt in prompts])
    expected = PlainModel(loaded, adapter=False).last_logits(ids)
    assert len(ids) == 2
    tried: list[int] = []

    class Counting(TorchForward):
        def __call__(self, rows: Any, longest: int) -> torch.Tensor:
            tried.append(len(rows.ids))
            if len(rows.ids) > 40:
                raise RuntimeError("out of resource: shared memory")
            return super().__call__(rows, longest)

    forward = Counting(decoder, cache)
    reason = decoding_disagreement(decoder, cache, forward, ids, expected, 40)
    assert reason is None
    assert tried == [2, 17, 33]
    reason = decoding_disagreement(decoder, cache, forward, ids, expected, 140)
    assert reason == "65 rows: RuntimeError: out of resource: shared memory"
    assert cache.free == 30
    found = step_logits(decoder, cache, TorchForward(decoder, cache), ids, 3)
    assert compare_logits(expected[[0, 1, 0]], found).within(FULL)
