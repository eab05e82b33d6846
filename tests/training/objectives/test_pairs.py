"""Preferences: the loss is DPO's, its weights are its gradient, and a model learns which answer is right."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import logsigmoid

from lawqa.models.load import load_model
from lawqa.prompting import PromptSpec
from lawqa.records import TokenizedRecord, make_record, tokenize_records
from lawqa.settings import Hyperparameters, ModelSettings, PreferenceSettings
from lawqa.training.adapter import add_adapter
from lawqa.training.data.collate import LeftPadCollator
from lawqa.training.fast import FastPath, HookedPath
from lawqa.training.fit import fit
from lawqa.training.loss_paths import PackedModelPath, PackedPath, PlainPath
from lawqa.training.objectives.pairs import Pairs, pair_loss
from lawqa.training.trainer import as_dataset

pytestmark = pytest.mark.torch

SETTINGS = [
    PreferenceSettings(sft_weight=0.0),
    PreferenceSettings(beta=0.5, sft_weight=1.0),
    PreferenceSettings(beta=5.0, length_normalised=True, sft_weight=0.2),
]
REASONS = ("条文の要件に当てはまる。", "条文の要件を満たさない場合に当たる。")


@pytest.fixture(scope="module")
def records(tiny_tokenizer: Any, questions: Any) -> list[TokenizedRecord]:
    """Eight pairs: the right answer gives one reason, the wrong one another."""
    spec = PromptSpec(mode="cot")
    right = [make_record(question, spec, reasoning=REASONS[0]) for question in questions[:8]]
    wrong = [
        make_record(replace(question, gold="bcda"["abcd".index(question.gold)]), spec, reasoning=REASONS[1])
        for question in questions[:8]
    ]  # fmt: skip
    both = [one for pair in zip(right, wrong, strict=True) for one in pair]
    return tokenize_records(both, tiny_tokenizer, 0)


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_weights_are_the_gradient_of_the_loss(settings: PreferenceSettings) -> None:
    logprobs = torch.tensor([[-20.0, -31.0], [-44.0, -12.0], [-9.0, -9.5]], requires_grad=True)
    reference = torch.tensor([[-22.0, -30.0], [-41.0, -14.0], [-9.0, -9.5]])
    tokens = torch.tensor([[10.0, 15.0], [30.0, 8.0], [5.0, 6.0]])
    found = pair_loss(logprobs, reference, tokens, settings)
    lengths = tokens if settings.length_normalised else torch.ones(3, 2)
    rewards = settings.beta * (logprobs - reference) / lengths
    expected = -logsigmoid(rewards[:, 0] - rewards[:, 1])
    expected = expected - settings.sft_weight * logprobs[:, 0] / tokens[:, 0]
    assert torch.allclose(found.losses, expected)
    (gradient,) = torch.autograd.grad(expected.sum(), logprobs)
    assert torch.allclose(found.weights, -gradient, atol=1e-6)


def test_a_step_has_the_gradient_of_dpo_on_every_path(
    tiny_dir: Path, records: list[TokenizedRecord]
) -> None:
    """Held against autograd through both answers' log-probabilities at once."""
    loaded = load_model(ModelSettings(model_name=str(tiny_dir)))
    model = add_adapter(loaded, Hyperparameters(lora_dropout=0.0)).eval()
    for name, parameter in model.named_parameters():
        if "lora_B" in name:  # B starts at zero, so that A would have no gradient
            torch.nn.init.constant_(parameter, 0.01)
    batch = LeftPadCollator(0)(list(as_dataset(records[:4])))
    settings, plain = PreferenceSettings(beta=0.3, sft_weight=0.5), PlainPath()
    objective = Pairs(settings, int(batch["labels"][0, -1]))
    with torch.no_grad():
        objective.reference = -plain.losses(model, batch) + torch.tensor([1.0, -2.0, 0.5, 0.0])

    def gradients(loss: torch.Tensor) -> list[torch.Tensor]:
        model.zero_grad()
        loss.backward()
        return [p.grad.clone() for p in model.parameters() if p.grad is not None]

    logprobs = -plain.losses(model, batch).view(2, 2)
    tokens = (batch["labels"] != -100).sum(1).view(2, 2)
    margins = (logprobs - objective.reference.view(2, 2)) @ torch.tensor([0.3, -0.3])
    own = 0.5 * (logprobs[:, 0] / tokens[:, 0])
    loss = (-logsigmoid(margins) - own).sum()
    expected = gradients(loss)
    for path in (
        plain,
        PackedPath(FastPath(model), 10**6),
        PackedModelPath(HookedPath(model), 10**6),
    ):

        def score(one: Any, path: Any = path) -> torch.Tensor:
            with torch.no_grad():
                found: torch.Tensor = -path.losses(model, one)
            return found

        step = objective.step(batch, score, 0)
        assert step.loss is not None
        assert float(step.loss) == pytest.approx(loss.item(), rel=1e-4)
        found = gradients(path.loss(model, step.rows))
        assert len(found) == len(expected) > 0
        for one, other in zip(found, expected, strict=True):
            assert torch.allclose(one, other, rtol=1e-3, atol=1e-5 * float(other.abs().max()))


@pytest.mark.slow
def test_the_right_answers_become_the_preferred_ones(
    tiny_dir: Path, records: list[TokenizedRecord], tmp_path: Path
) -> None:
    loaded = load_model(ModelSettings(model_name=str(tiny_dir), load_in_4bit=True))
    config = Hyperparameters(num_epochs=6, batch_size=4, gradient_accumulation_steps=1,
                             learning_rate=5e-3, lora_dropout=0.0)  # fmt: skip
    model = add_adapter(loaded, config)
    settings = PreferenceSettings(sft_weight=0.0)
    figures = fit(loaded, model, records, config, tmp_path, quiet=True, preference=settings)
    assert figures.steps == 12, "a step takes four pairs, not four answers"
    assert figures.first_loss == pytest.approx(0.6931, abs=1e-3)
    assert figures.last_loss < 0.4
    first, last = figures.objective["margin_accuracy"]
    assert first == pytest.approx(0.5, abs=0.2)
    assert last == 1.0
    assert figures.objective["reward_margin"][1] > 0.5
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert {"drift", "right_reward", "wrong_reward"} <= lines[-1].keys()
