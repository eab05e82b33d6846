"""What the engine is asked, what it answers, and a sequence on its way from one to the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch

from lawqa.backends.base import StopReason
from lawqa.backends.hf.engine.labels import Continuation, TextLabels
from lawqa.backends.hf.engine.steps import Rows


@dataclass(frozen=True)
class Request:
    """One completion to be written."""

    number: int
    """What the caller knows it by."""
    ids: tuple[int, ...]
    """The prompt's tokens."""
    key: int
    """`sampling_key`."""
    limit: int
    """The most tokens of the completion."""
    thinking: bool = False
    """Whether it begins in a think block."""


@dataclass(frozen=True)
class Finished:
    """A completion."""

    number: int
    """`Request.number`."""
    tokens: tuple[int, ...]
    """Its tokens, without an end token."""
    stopped: StopReason
    """Why it ended."""
    thinking_closed: bool
    """Whether its think block was closed for it."""
    seconds: float
    """Its share of the time in which it ran."""
    labels: TextLabels | None = None
    """The labels after it; None where they were not scored."""


@dataclass(frozen=True)
class Unfit:
    """A request without a completion: it fills the memory even alone, or its logits are NaN or infinite."""

    number: int
    """`Request.number`."""
    reason: str
    """What went wrong: of the memory what it needed and what there is."""


@dataclass(frozen=True)
class ThinkBlocks:
    """How think blocks end."""

    end: int
    """The token that closes a block, such as `</think>`; -1 where the tokenizer has none."""
    closing: tuple[int, ...]
    """What closes a block for the model."""
    budget: int | None
    """The most tokens of a block; None for no limit."""


@dataclass(eq=False)
class Running:
    """A completion that is being written; equal to itself only, whatever another one has written."""

    request: Request
    """What is asked."""
    tokens: list[int] = field(default_factory=list)
    """What has been written."""
    pages: list[int] = field(default_factory=list)
    """Its pages of the cache."""
    shared: int = 0
    """Tokens of the prompt in the first of these pages, which other completions of the prompt hold too."""
    cached: int = 0
    """Tokens of prompt and completion whose keys and values are stored."""
    answer_from: int | None = 0
    """Where its think block has ended; None while it has not."""
    closed: bool = False
    """Whether the block was closed for it."""
    seconds: float = 0.0
    """Its share of the time so far."""
    finished: Finished | None = None
    """The completion, once it is written and only its labels are scored."""

    @property
    def length(self) -> int:
        """Tokens of prompt and completion."""
        return len(self.request.ids) + len(self.tokens)

    @property
    def known(self) -> list[int]:
        """The tokens of prompt and completion."""
        return [*self.request.ids, *self.tokens]

    def reach(self, steps: int) -> int:
        """Return how many tokens it has after `steps` steps; what a step writes beyond the
        limit is nobody's.
        """
        return max(
            self.length, min(self.length + steps, len(self.request.ids) + self.request.limit)
        )

    def continue_to_labels(self, finished: Finished, continuation: Continuation) -> None:
        """Keep a written completion and feed what leads from its text to its label.

        Keys and values behind the tokens that are kept are overwritten; the last token is fed again where
        nothing follows it, for what comes next is what is asked.
        """
        self.finished = finished
        self.tokens = [*finished.tokens[: continuation.kept], *continuation.added]
        known = len(self.request.ids) + continuation.kept
        self.cached = min(self.cached, known, self.length - 1)

    def ended(self, labels: TextLabels | None) -> Finished:
        """Return the completion, which was written before, with its labels.

        Raises:
            ValueError: it is still being written.
        """
        if self.finished is None:
            raise ValueError(f"completion {self.request.number} is still being written")
        return replace(self.finished, labels=labels, seconds=self.seconds)

    def pending(self, most: int) -> list[int]:
        """Return the known tokens that are still to be fed."""
        prompt = len(self.request.ids)
        if self.cached >= prompt:
            return self.tokens[self.cached - prompt : self.cached - prompt + most]
        return self.known[self.cached : self.cached + most]


def fill_rows(state: Rows, running: Sequence[Running], pending: Sequence[Sequence[int]]) -> None:
    """Put the sequences into the first rows; the other rows get none."""
    rows, most = len(state.ids), state.forced.shape[1]
    empty = rows - len(running)
    width = state.tables.shape[1]

    def put(target: torch.Tensor, values: list[int]) -> None:
        target.copy_(torch.tensor(values + [0] * empty, dtype=target.dtype))

    put(state.ids, [known[0] for known in pending])
    put(state.positions, [sequence.cached for sequence in running])
    put(state.keys, [sequence.request.key for sequence in running])
    put(state.forced_counts, [len(known) - 1 for known in pending])
    tables = [s.pages[:width] + [0] * (width - len(s.pages)) for s in running]
    tables += [[0] * width] * empty
    state.tables.copy_(torch.tensor(tables, dtype=state.tables.dtype))
    forced = [list(known[1:]) + [0] * (most + 1 - len(known)) for known in pending]
    forced += [[0] * most] * empty
    state.forced.copy_(torch.tensor(forced))
    state.whole.zero_()
    state.step.zero_()
