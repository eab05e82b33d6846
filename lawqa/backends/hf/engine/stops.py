"""When a completion is finished."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lawqa.backends.base import GenerationSettings, StopReason
from lawqa.choices import FINAL_ANSWER_CUE, label_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LOOP_TOKENS = 64
"""A loop is reported when this many tokens at the end repeat one period exactly."""
LOOP_REPEATS = 4
"""And when the period has come so often."""
_LONGEST_PERIOD = 256
_LOOP_EVERY = 16
_TAIL = 64

_FINISHED = re.compile(
    rf"^[\s*#>]*{re.escape(FINAL_ANSWER_CUE[:-1])}\s*[:：]\s*(\S[^\n]{{0,11}}?)\s*\n", re.MULTILINE
)


@dataclass(frozen=True)
class Stop:
    """Where and why a completion ends."""

    length: int
    """Tokens that belong to it."""
    reason: StopReason
    """Why it ends there."""


class StopRules:
    """The rules for all completions of one call.

    Args:
        settings: which rules apply.
        stop_ids: tokens that end a turn.
        tokenizer: turns tokens into text, for the final answer line.
    """

    def __init__(
        self,
        settings: GenerationSettings,
        stop_ids: Sequence[int],
        tokenizer: PreTrainedTokenizerBase,
    ) -> None:
        self._settings = settings
        self._stop_ids = frozenset(stop_ids)
        self._tokenizer = tokenizer
        self._ends_line: dict[int, bool] = {}

    def check(
        self, tokens: Sequence[int], start: int, limit: int, answer_from: int | None = 0
    ) -> Stop | None:
        """Return whether a completion ends among its tokens from `start` on, earlier ones having been
        checked.

        Args:
            tokens: the completion so far.
            start: how many of them have been checked before.
            limit: the most tokens that it may have.
            answer_from: where its think block has ended; None while it has not.
        """
        for at in range(start, min(len(tokens), limit)):
            token = tokens[at]
            if token in self._stop_ids:
                return Stop(at, "end")
            if (
                self._settings.stop_at_final_answer
                and answer_from is not None
                and self._line_ends(token)
            ):
                begin = max(answer_from, at + 1 - _TAIL)
                if has_final_answer(self._tokenizer.decode(list(tokens[begin : at + 1]))):
                    return Stop(at + 1, "final-answer")
            if (
                self._settings.stop_at_loops
                and (at + 1) % _LOOP_EVERY == 0
                and loop_period(tokens[max(0, at + 1 - LOOP_REPEATS * _LONGEST_PERIOD) : at + 1])
            ):
                return Stop(at + 1, "loop")
        return Stop(limit, "limit") if len(tokens) >= limit else None

    def _line_ends(self, token: int) -> bool:
        if token not in self._ends_line:
            self._ends_line[token] = "\n" in self._tokenizer.decode([token])
        return self._ends_line[token]


def has_final_answer(text: str) -> bool:
    """Return whether a text holds a finished line `最終回答：x` with one label and nothing else."""
    return any(label_of(line[1]) is not None for line in _FINISHED.finditer(text))


def loop_period(tokens: Sequence[int]) -> int | None:
    """Return the period with which the last tokens repeat exactly, or None.

    The last `max(LOOP_TOKENS, LOOP_REPEATS * period)` tokens must all equal those one period before.
    """
    row = np.asarray(tokens)
    size = len(row)
    if size < LOOP_TOKENS:
        return None
    longest = min(_LONGEST_PERIOD, size // LOOP_REPEATS)
    for period in np.flatnonzero(row[-1 - np.arange(1, longest + 1)] == row[-1]) + 1:
        covered = max(LOOP_TOKENS, LOOP_REPEATS * int(period))
        if covered <= size and np.array_equal(row[-covered + period :], row[-covered:-period]):
            return int(period)
    return None
