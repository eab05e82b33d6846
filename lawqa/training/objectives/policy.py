"""Rewards of samples that the model draws itself, in groups of one question (RLOO).

REINFORCE with a leave-one-out baseline (Ahmadian et al. 2024, arXiv:2402.14740, section 2.3): a text's
advantage is its reward less the mean reward of the question's other texts, and the text as a whole is one
action, so that the gradient of a step is that of the texts' cross entropy, weighted by their advantages. The
divergence from the base model is part of the reward.

Not GRPO (Shao et al. 2024, arXiv:2402.03300): its division by the group's standard deviation and by each
text's length biases the gradient towards questions that are nearly always right or wrong and towards long
wrong texts (Liu et al. 2025, arXiv:2503.20783), and its clipped ratio is 1 where, as here, every group is
learnt from once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from lawqa.records import IGNORED
from lawqa.settings import PolicySettings
from lawqa.training.data.collate import LeftPadCollator
from lawqa.training.loss_paths import Batch
from lawqa.training.objectives.base import Score, StepRows


@dataclass(frozen=True)
class DrawnText:
    """A text that the model wrote."""

    prompt: Sequence[int]
    """Token ids before it."""
    text: Sequence[int]
    """Its token ids as they were drawn, the end token among them where it ended by itself."""
    reward: float
    right: bool
    """Whether it gives the right answer, whatever its form."""


class Draws(Protocol):
    """Draws and judges texts; see `lawqa.pipelines.training.policy`."""

    def __call__(self, numbers: Sequence[int], step: int) -> list[list[DrawnText]]:
        """Return for each of these prompts its texts, as many for each.

        Args:
            numbers: which prompts.
            step: decides, with the prompt and the seed of the training, what is drawn.
        """


class Policy:
    """The mean reward of a step's texts, each less what its divergence costs.

    Args:
        settings: how texts are judged.
        draws: draws them from the model as it is.
        without_adapter: the context in which the model is the base model.
        pad_token_id: fills up rows.
    """

    def __init__(
        self,
        settings: PolicySettings,
        draws: Draws,
        without_adapter: Callable[[], AbstractContextManager[object]],
        pad_token_id: int,
    ) -> None:
        self._settings = settings
        self._draws = draws
        self._without_adapter = without_adapter
        self._collate = LeftPadCollator(pad_token_id)

    def step(self, batch: Batch, score: Score, number: int) -> StepRows:
        """See `Objective.step`."""
        device = batch["input_ids"].device
        prompts = batch["record"].tolist()
        groups = self._draws(prompts, number)
        texts = [text for group in groups for text in group]
        owners = [one for one, group in zip(prompts, groups, strict=True) for _ in group]
        rows = {key: value.to(device) for key, value in self._rows(texts, owners).items()}
        rewards = torch.tensor([text.reward for text in texts], device=device)
        tokens = (rows["labels"] != IGNORED).sum(dim=1)
        divergence = torch.zeros_like(rewards)
        if self._settings.kl_weight:
            divergence = score(rows)
            with self._without_adapter():
                divergence = divergence - score(rows)
        judged = rewards - self._settings.kl_weight * divergence
        weights = advantages(judged.view(len(groups), -1)).flatten()
        kept = weights != 0
        # Where all texts of every group earn alike nothing is learnt, but a step needs a row.
        kept[0] |= ~kept.any()
        figures = {
            "reward": float(rewards.mean()),
            "right": sum(text.right for text in texts) / len(texts),
            "text_tokens": float(tokens.float().mean()),
            "kl": float((divergence / tokens).mean()),
        }
        return StepRows(
            rows={key: value[kept] for key, value in {**rows, "weight": weights}.items()},
            count=torch.tensor(len(texts), device=device),
            loss=-judged.sum(),
            figures=figures,
        )

    def _rows(self, texts: Sequence[DrawnText], owners: Sequence[int]) -> Batch:
        return self._collate(
            [
                {
                    "input_ids": [*text.prompt, *text.text],
                    "labels": [IGNORED] * len(text.prompt) + list(text.text),
                    "record": owner,
                    "reading": False,
                }
                for owner, text in zip(owners, texts, strict=True)
            ]
        )


def advantages(rewards: Tensor) -> Tensor:
    """Return each text's reward less the mean of the others of its group, [groups, texts]."""
    others = rewards.shape[1] - 1
    return rewards - (rewards.sum(dim=1, keepdim=True) - rewards) / others


@contextmanager
def without_adapter(model: torch.nn.Module) -> Iterator[None]:
    """Make the model its base model, for every path: B = 0 takes a LoRA's update away.

    Args:
        model: PEFT's wrapper, its adapter without DoRA.
    """
    trained = [parameter for name, parameter in model.named_parameters() if "lora_B" in name]
    kept = [parameter.detach().clone() for parameter in trained]
    with torch.no_grad():
        torch._foreach_zero_(trained)
    try:
        yield
    finally:
        with torch.no_grad():
            torch._foreach_copy_(trained, kept)
