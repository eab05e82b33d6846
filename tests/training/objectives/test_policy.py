"""A policy step: each text against the others of its question, less its divergence from the base model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from lawqa.models.load import load_model
from lawqa.settings import Hyperparameters, ModelSettings, PolicySettings
from lawqa.training.adapter import add_adapter
from lawqa.training.objectives.policy import DrawnText, Policy, advantages, without_adapter

pytestmark = pytest.mark.torch

BATCH = {"record": torch.tensor([7, 3]), "input_ids": torch.zeros(2, 4, dtype=torch.long)}


def policy(rewards: Sequence[Sequence[float]], kl_weight: float, model: Any = None) -> Policy:
    """Two questions, numbers 7 and 3, whose texts earn these rewards."""

    def draws(numbers: Sequence[int], step: int) -> list[list[DrawnText]]:
        assert (list(numbers), step) == ([7, 3], 5)
        return [
            [
                DrawnText((1, 2), (3, 4, 5)[: place + 1], one, one > 0)
                for place, one in enumerate(group)
            ]
            for group in rewards
        ]

    model = model or torch.nn.ModuleDict({"lora_B": torch.nn.Linear(1, 1)})
    return Policy(PolicySettings(kl_weight=kl_weight), draws, partial(without_adapter, model), 0)


def test_an_advantage_is_the_reward_less_the_mean_of_the_others() -> None:
    found = advantages(torch.tensor([[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]]))
    assert found.tolist() == [[1.0, -0.5, -0.5], [0.0, 0.0, 0.0]]


def test_rows_are_weighed_by_advantage_and_those_without_are_left_out() -> None:
    step = policy([[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]], 0.0).step(BATCH, lambda _: torch.zeros(6), 5)
    assert step.rows["weight"].tolist() == [1.0, -0.5, -0.5]
    assert step.rows["record"].tolist() == [7, 7, 7], "by the number of their prompt, for messages"
    assert (step.rows["labels"] != -100).sum(1).tolist() == [1, 2, 3]
    assert float(step.count) == 6
    assert step.loss is not None
    assert float(step.loss) == -4.0
    assert step.figures["reward"] == pytest.approx(4 / 6)
    assert (step.figures["right"], step.figures["text_tokens"]) == (pytest.approx(4 / 6), 2.0)


def test_groups_of_texts_alike_teach_nothing() -> None:
    step = policy([[1.0, 1.0], [0.0, 0.0]], 0.0).step(BATCH, lambda _: torch.zeros(4), 5)
    assert step.rows["weight"].tolist() == [0.0], "a row, as a step without any has no gradient"


def test_divergence_from_the_base_model_costs_its_weight() -> None:
    asked = []

    def score(rows: dict[str, torch.Tensor]) -> torch.Tensor:
        asked.append(len(rows["record"]))
        return torch.tensor([-1.0, -2.0, -3.0, -4.0]) if len(asked) == 1 else torch.full((4,), -4.0)

    step = policy([[1.0, 0.0], [0.0, 0.0]], 0.1).step(BATCH, score, 5)
    # judged: 1 - .1 * 3, 0 - .1 * 2; 0 - .1 * 1, 0
    assert step.rows["weight"].tolist() == pytest.approx([0.9, -0.9, -0.1, 0.1])
    assert step.loss is not None
    assert float(step.loss) == pytest.approx(-0.4)
    assert step.figures["kl"] == pytest.approx((3 / 1 + 2 / 2 + 1 / 1 + 0) / 4)


def test_without_its_adapter_a_model_is_its_base_and_afterwards_itself(tiny_dir: Path) -> None:
    loaded = load_model(ModelSettings(model_name=str(tiny_dir)))
    ids = torch.arange(5)[None]
    with torch.no_grad():
        base = loaded.model(input_ids=ids).logits
        model = add_adapter(loaded, Hyperparameters()).eval()
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.constant_(parameter, 0.1)
        own = model(input_ids=ids).logits
        with without_adapter(model):
            assert torch.equal(model(input_ids=ids).logits, base)
        assert torch.equal(model(input_ids=ids).logits, own)
    assert not torch.equal(own, base)
