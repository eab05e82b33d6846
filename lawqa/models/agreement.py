"""Whether two ways of computing the same next-token probabilities agree, and how far they may differ.

Half precision rounds every product, and another order of the same sums rounds otherwise: transformers'
own forward pass differs from itself by a tenth of a nat between a batch and one prompt at a time. A
wrong kernel, mask or position differs by nats.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

LIKELIEST = 16
"""How many of the likeliest tokens of each prompt are compared; the tail decides nothing."""


@dataclass(frozen=True)
class Tolerance:
    """How far log-probabilities of the likeliest tokens may differ, in nats."""

    largest: float
    """For any of them."""
    mean: float
    """For their mean."""


HALF, FULL = Tolerance(0.5, 0.1), Tolerance(5e-3, 1e-3)


def tolerance_of(dtype: torch.dtype) -> Tolerance:
    """Return the tolerance for products in a dtype."""
    return FULL if dtype == torch.float32 else HALF


@dataclass(frozen=True)
class Agreement:
    """The result of a comparison; differences in nats, over the reference's likeliest tokens."""

    largest: float
    """The largest difference."""
    mean: float
    """The mean difference."""
    same: int
    """Rows whose likeliest token is the same."""
    rows: int
    """Rows compared."""
    margin: float
    """Of the rows whose likeliest tokens differ, how much likelier the reference finds its own, at most."""

    def within(self, tolerance: Tolerance) -> bool:
        """Return whether it is near enough; where the likeliest token differs, the two must have been near.

        Two log-probabilities that each move by the largest difference can swap over twice that margin.
        """
        return (
            self.largest <= tolerance.largest
            and self.mean <= tolerance.mean
            and self.margin <= 2 * tolerance.largest
        )

    def __str__(self) -> str:
        """Return the text for messages."""
        return f"differences up to {self.largest:.3g} nats, {self.mean:.2g} on average"


def compare_logits(reference: torch.Tensor, found: torch.Tensor) -> Agreement:
    """Compare next-token logits, each of shape [rows, vocabulary]; not a number differs infinitely."""
    expected, other = reference.float().log_softmax(-1), found.float().log_softmax(-1)
    top = expected.topk(min(LIKELIEST, expected.shape[-1]), dim=-1)
    apart = (top.values - other.gather(-1, top.indices)).abs()
    apart = apart.nan_to_num(nan=torch.inf, posinf=torch.inf)
    chosen = other.argmax(-1, keepdim=True)
    margins = top.values[:, :1] - expected.gather(-1, chosen)
    return Agreement(
        largest=float(apart.max()),
        mean=float(apart.mean()),
        same=int((margins == 0).sum()),
        rows=len(expected),
        margin=float(margins.max()),
    )


def judge_tokens(reference: torch.Tensor, tokens: torch.Tensor) -> Agreement:
    """Return greedy tokens under the reference's probabilities of each, which followed the same tokens.

    Unlike the comparison of two texts, which part for good at the first near tie, this looks at every
    token. It has no differences of log-probabilities, for the writer's are not known.

    Args:
        reference: next-token logits, shape [tokens, vocabulary].
        tokens: what was written, int64, shape [tokens].
    """
    logprobs = reference.float().log_softmax(-1)
    margins = logprobs.amax(-1) - logprobs.gather(-1, tokens[:, None])[:, 0]
    same = int((margins == 0).sum())
    return Agreement(0.0, 0.0, same, len(tokens), float(margins.max()))
