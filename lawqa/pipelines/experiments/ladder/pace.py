"""How long the rungs of the ladder take: measured on a few prompts, corrected by every rung that is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from lawqa.backends.base import (
    Backend,
    ChoiceScores,
    Completion,
    Failure,
    GenerationSettings,
    NeedsRoom,
    RendersPrompts,
)
from lawqa.pipelines.evaluation.job import Job
from lawqa.prompting import Prompt

Answer = TypeVar("Answer", ChoiceScores | Failure, Completion | Failure)

Clock = Callable[[], float]

_PROBED = 8
"""Prompts that are scored to learn the pace."""
_PROBED_WIDTH = 32
"""Texts that are written at the same time to learn the pace: a full batch is faster, never slower."""
_PROBED_TOKENS = 16


class TimeUp(KeyboardInterrupt):
    """The time budget is used up; what was answered is stored."""


@dataclass(frozen=True)
class Load:
    """What a rung has left to ask."""

    read: float
    """Bytes of its prompts, those of every order and once for all samples."""
    written: float
    """The most tokens of its texts; 0 where labels are scored."""

    @classmethod
    def of(cls, job: Job, known: int) -> Load:
        """What is left of a job of which this many answers are known."""
        left = 1 - known / len(job.keys)
        config = job.config
        texts = len(job.keys) * config.generation().max_new_tokens if config.generates else 0
        return cls(left * sum(map(prompt_bytes, job.prompts)), left * texts)


@dataclass(frozen=True)
class Pace:
    """How fast a model reads and writes."""

    read: float | None = None
    """Bytes of prompts a second; None where that is not known."""
    written: float | None = None
    """Tokens a second of all texts together; None where that is not known."""

    def seconds(self, load: Load) -> float | None:
        """What a load takes at most; None where the pace that it needs is not known."""
        if (load.read and not self.read) or (load.written and not self.written):
            return None
        reading = load.read / self.read if self.read else 0.0
        writing = load.written / self.written if self.written else 0.0
        return reading + writing

    def after(self, load: Load, tokens: int, seconds: float) -> Pace:
        """The pace as a rung that was done shows it.

        Args:
            load: what it had to ask.
            tokens: what it wrote.
            seconds: what it took.
        """
        if seconds <= 0:
            return self
        if not load.written:
            return replace(self, read=load.read / seconds)
        reading = load.read / self.read if self.read else 0.0
        writing = max(seconds - reading, seconds / 10)
        return replace(self, written=tokens / writing) if tokens else self


def prompt_bytes(prompt: Prompt) -> float:
    """The size of a prompt; about four bytes are one token in any script."""
    return float(sum(len(turn.content.encode()) for turn in prompt.messages))


def measured_pace(backend: Backend, jobs: Sequence[Job], clock: Clock = time.monotonic) -> Pace:
    """Score and write a little, as the jobs will.

    Args:
        backend: who is asked.
        jobs: what is to be asked; the first of each kind is tried.
        clock: seconds.
    """
    pace = Pace()
    scored = next((job for job in jobs if not job.config.generates), None)
    writing = next((job for job in jobs if job.config.generates), None)
    if scored is not None:
        prompts = scored.prompts[:_PROBED]
        list(backend.score_choices(prompts[:1]))  # what is done once is not part of the pace
        began = clock()
        list(backend.score_choices(prompts))
        pace = replace(pace, read=_rate(sum(map(prompt_bytes, prompts)), clock() - began))
    if writing is not None:
        prompts = writing.prompts[:_PROBED]
        asked = writing.config.generation()
        settings = replace(
            asked,
            max_new_tokens=min(_PROBED_TOKENS, asked.max_new_tokens),
            repeats=max(1, min(writing.config.ensemble, _PROBED_WIDTH // len(prompts))),
            thinking_budget=None,
        )
        list(backend.generate(prompts[:1], replace(settings, repeats=1)))
        began = clock()
        texts = list(backend.generate(prompts, settings))
        tokens = sum(text.completion_tokens for text in texts if isinstance(text, Completion))
        pace = replace(pace, written=_rate(tokens, clock() - began))
    return pace


def timed(backend: Backend, deadline: float | None, clock: Clock = time.monotonic) -> Backend:
    """The backend, which raises `TimeUp` between two answers once the time is up."""
    if deadline is None:
        return backend
    kind = _RenderingUntil if isinstance(backend, RendersPrompts) else _Until
    return kind(backend, deadline, clock)


class _Until:
    """Hands everything on, and stops when the time is up."""

    def __init__(self, backend: Backend, deadline: float, clock: Clock) -> None:
        self._backend, self._deadline, self._clock = backend, deadline, clock

    @property
    def chat_template(self) -> str:
        return self._backend.chat_template

    def describe(self) -> dict[str, Any]:  # as the protocol has it
        return self._backend.describe()

    def make_room(self, prompts: Sequence[Prompt], settings: GenerationSettings) -> None:
        if isinstance(self._backend, NeedsRoom):
            self._backend.make_room(prompts, settings)

    def score_choices(self, prompts: Sequence[Prompt]) -> Iterator[ChoiceScores | Failure]:
        return self._until(self._backend.score_choices(prompts))

    def generate(
        self, prompts: Sequence[Prompt], settings: GenerationSettings
    ) -> Iterator[Completion | Failure]:
        return self._until(self._backend.generate(prompts, settings))

    def score_after(
        self, prompts: Sequence[Prompt], texts: Sequence[str]
    ) -> Iterator[ChoiceScores | Failure]:
        return self._until(self._backend.score_after(prompts, texts))

    def _until(self, answers: Iterator[Answer]) -> Iterator[Answer]:
        for answer in answers:
            yield answer  # it is stored before the clock is looked at
            if self._clock() >= self._deadline:
                raise TimeUp


class _RenderingUntil(_Until):
    """The same for a backend that renders prompts itself."""

    _backend: Any

    def render(self, prompt: Prompt) -> str:
        text: str = self._backend.render(prompt)
        return text


def _rate(amount: float, seconds: float) -> float:
    return amount / max(seconds, 1e-6)
