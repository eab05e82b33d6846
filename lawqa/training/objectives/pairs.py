"""Preferences between a right and a wrong answer to one question.

Direct preference optimisation (Rafailov et al. 2023, arXiv:2305.18290, equation 7): with the reward of an
answer r = beta * (log p(answer) - log p_reference(answer)), the loss of a pair is
-log sigmoid(r_right - r_wrong).

Its gradient (there, section 4) is that of the two answers' cross entropy, weighted by
beta * sigmoid(r_wrong - r_right), the wrong one negatively. So a step is a pass without gradients, which
finds the weights, and one weighted pass over rows that need not lie in one micro-batch: a pair takes the
memory of its longer answer. The reference is the model before the first step, whose log-probabilities are
taken once; no second model is in memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from lawqa.records import IGNORED
from lawqa.settings import PreferenceSettings
from lawqa.training.data.collate import check_mask
from lawqa.training.loss_paths import Batch
from lawqa.training.objectives.base import Score, StepRows


@dataclass(frozen=True)
class PairLoss:
    """Losses and rewards of pairs, and how they change with each answer's log-probability."""

    losses: Tensor
    """[pairs]"""
    margins: Tensor
    """Reward of the right answer less that of the wrong one, [pairs]."""
    weights: Tensor
    """Minus the derivative of the loss by each answer's log-probability, [pairs, right and wrong]."""
    rewards: Tensor
    """[pairs, right and wrong]"""


def pair_loss(
    logprobs: Tensor, reference: Tensor, tokens: Tensor, settings: PreferenceSettings
) -> PairLoss:
    """Return the loss of pairs.

    With `length_normalised` the rewards are per token (Lambert et al. 2024, arXiv:2411.15124, equation 6), so
    that length alone earns nothing; a beta of 2 to 10 is usual there. `sft_weight` adds the right answer's
    cross entropy per token (Pang et al. 2024, arXiv:2404.19733, equation 1), which keeps its probability from
    falling together with that of the wrong one.

    Args:
        logprobs: of the answers, summed over their tokens, in nats, [pairs, right and wrong].
        reference: the same under the reference.
        tokens: of the answers, [pairs, right and wrong].
        settings: beta and what is added.
    """
    scale = settings.beta / (tokens if settings.length_normalised else torch.ones_like(tokens))
    rewards = scale * (logprobs - reference)
    margins = rewards[:, 0] - rewards[:, 1]
    sign = torch.tensor([1.0, -1.0], device=logprobs.device)
    weights = scale * torch.sigmoid(-margins)[:, None] * sign
    weights[:, 0] += settings.sft_weight / tokens[:, 0]
    losses = -logsigmoid(margins) - settings.sft_weight * logprobs[:, 0] / tokens[:, 0]
    return PairLoss(losses, margins, weights, rewards)


class Pairs:
    """The mean loss of a step's pairs; rows 2 i and 2 i + 1 are the answers of pair i, the right one first.

    Args:
        settings: beta and what is added.
        end_token_id: the token that ends a turn.
    """

    def __init__(self, settings: PreferenceSettings, end_token_id: int) -> None:
        self._settings = settings
        self._end_token_id = end_token_id
        self.reference = torch.empty(0)
        """The reference's log-probabilities of all rows, [rows]; set before the first step."""

    def step(self, batch: Batch, score: Score, number: int) -> StepRows:
        """See `Objective.step`."""
        del number
        check_mask(batch, self._end_token_id)
        tokens = (batch["labels"] != IGNORED).sum(dim=1).float().view(-1, 2)
        reference = self.reference.to(tokens.device)[batch["record"]].view(-1, 2)
        logprobs = score(batch).view(-1, 2)
        found = pair_loss(logprobs, reference, tokens, self._settings)
        return StepRows(
            rows={**batch, "weight": found.weights.flatten()},
            count=torch.tensor(len(tokens), device=tokens.device),
            loss=found.losses.sum(),
            figures=_figures(found, (reference - logprobs) / tokens),
        )


def _figures(found: PairLoss, drift: Tensor) -> dict[str, float]:
    """Return what is logged of a step's pairs, by name.

    Args:
        found: their losses.
        drift: how much less likely than under the reference each answer is, in nats a token, [pairs, 2].
            Where the reference wrote the answers, its mean estimates KL(reference || model) per token.
    """
    margins = found.margins
    values = {
        "reward_margin": margins.mean(),
        # A margin of 0, as before the first step, is right by half.
        "margin_accuracy": (margins.sign().mean() + 1) / 2,
        "right_reward": found.rewards[:, 0].mean(),
        "wrong_reward": found.rewards[:, 1].mean(),
        "drift": drift.mean(),
    }
    names, stacked = list(values), torch.stack(list(values.values())).tolist()
    return dict(zip(names, stacked, strict=True))
