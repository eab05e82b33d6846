"""From the likeliest next tokens, as servers list them, to the log-probabilities of the four labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from lawqa.backends.base import ChoiceScores
from lawqa.backends.remote.request_error import RequestError
from lawqa.backends.remote.text import sent_text
from lawqa.choices import LABELS, Label, label_forms
from lawqa.errors import BackendError
from lawqa.prompting import Prompt

TOP_LOGPROBS = 20
"""How many tokens are asked for: the most that every server gives."""

_ANSWERS_TO_TELL = 5
_ROUNDING = 1e-6  # servers compute probabilities in single precision
_BEHIND = 1e-9  # between equals a label that was seen must win


@dataclass(frozen=True)
class LabelScores:
    """What a list of likeliest tokens says about the labels."""

    logprobs: tuple[float, float, float, float]
    """Natural log-probabilities of a-d, normalised over the four."""
    mass: float
    """The probability of all tokens on the list that spell a label."""
    unlisted: tuple[Label, ...]
    """Labels without a token on the list; their log-probabilities are upper bounds."""


def label_scores(listed: Sequence[tuple[str, float]]) -> LabelScores | None:
    """Return the labels' log-probabilities; None where no label is on the list.

    Every written form of a label counts (either case, full width, a space before it), summed. A label
    that is not on the list gets the most that the list leaves for it. Which label is the likeliest
    does not depend on that; how unlikely the others are does.

    Args:
        listed: tokens and their natural log-probabilities over the whole vocabulary.
    """
    finite = [(token, logprob) for token, logprob in listed if math.isfinite(logprob)]
    by_label: dict[Label, list[float]] = {}
    for token, logprob in finite:
        label = label_of_token(token)
        if label is not None:
            by_label.setdefault(label, []).append(logprob)
    if not by_label:
        return None
    sums = {label: _log_sum(logprobs) for label, logprobs in by_label.items()}
    # All unlisted tokens share what the list leaves, and none is likelier than the last one on it.
    left = max(1.0 - math.exp(_log_sum([logprob for _, logprob in finite])), _ROUNDING)
    bound = min(math.log(left), *(logprob for _, logprob in finite)) - _BEHIND
    raw = [sums.get(label, bound) for label in LABELS]
    total = _log_sum(raw)
    first, second, third, fourth = (value - total for value in raw)
    mass = min(math.exp(_log_sum(list(sums.values()))), 1.0)
    unlisted = tuple(label for label in LABELS if label not in sums)
    return LabelScores((first, second, third, fourth), mass, unlisted)


def scores_with_bounds(
    prompt: Prompt, listed: Sequence[tuple[str, float]], *, prompt_tokens: int, seconds: float
) -> tuple[ChoiceScores, tuple[Label, ...]]:
    """Return a prompt's scores, and the labels whose log-probability is only a bound.

    Args:
        prompt: the prompt.
        listed: the likeliest first tokens and their natural log-probabilities.
        prompt_tokens: its length as the server counted it.
        seconds: how long the request took.

    Raises:
        RequestError: no label is among the tokens.
    """
    scores = label_scores(listed)
    if scores is None:
        likeliest = ", ".join(repr(token) for token, _ in listed[:3])
        raise RequestError(f"no label is among the {len(listed)} likeliest tokens: {likeliest}")
    answer = ChoiceScores(
        key=prompt.key,
        logprobs=scores.logprobs,
        label_mass=scores.mass,
        prompt_text=sent_text(prompt.messages),
        prompt_tokens=prompt_tokens,
        seconds=seconds,
    )
    return answer, scores.unlisted


class ListsTokens:
    """Whether a server lists likeliest tokens at all, learnt from its answers.

    One answer without them fails its question. Where the first answers all lack them the server cannot give
    them, and the other questions are not asked.

    Args:
        prompts: how many are asked.
        unable: what is raised then.
    """

    def __init__(self, prompts: int, unable: BackendError) -> None:
        self._unable = unable
        self._left: int | None = min(prompts, _ANSWERS_TO_TELL)

    def given(self) -> None:
        """Note that an answer lists tokens."""
        self._left = None

    def missing(self) -> NoReturn:
        """Refuse an answer that has a text and lists no tokens.

        Raises:
            RequestError: others may list them.
            BackendError: none does.
        """
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                raise self._unable
        raise RequestError(f"{self._unable.message}: {self._unable.hint}")


def label_of_token(token: str) -> Label | None:
    """Return the label that a token spells, or None; the forms are those of the Hugging Face backend."""
    return next((label for label in LABELS if token in label_forms(label)), None)


def _log_sum(logprobs: Sequence[float]) -> float:
    highest = max(logprobs)
    return highest + math.log(math.fsum(math.exp(value - highest) for value in logprobs))
