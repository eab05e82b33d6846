"""How fast a model reads and writes: measured on a few prompts, corrected by every rung that is done."""

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
from lawqa.bars import duration
from lawqa.files import JsonObject
from lawqa.pipelines.evaluation.job import Job
from lawqa.prompting import Prompt

Answer = TypeVar("Answer", ChoiceScores | Failure, Completion | Failure)

Clock = Callable[[], float]

SHORT_TEXTS = 0.25
"""The share of their most tokens that texts are expected to have at least, until a rung has shown it."""
LONG_TEXTS = 2.0
"""How much longer than those of the last finished rung texts may be."""
SLOWEST = 2.5
"""How much longer than by a trial of seconds a rung is said to take at most: other load comes, long texts are
slower, files are written. On a busy CPU 43 s were taken where the trial alone gave 19."""
OF_A_RUNG = 2.0
"""Seconds that checks, files and figures of a rung may take beside its answers."""

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
    def of(cls, job: Job, known: int, asked: int) -> Load:
        """Return what is left of a job.

        Args:
            job: the job.
            known: how many of its answers are known.
            asked: how many are to be known.
        """
        left = asked - known
        config = job.config
        texts = left * config.generation().max_new_tokens if config.generates else 0
        return cls(left / len(job.keys) * sum(job.asked.sizes), texts)


@dataclass(frozen=True)
class Trial:
    """What a pace was learnt from."""

    prompts: int
    """Prompts that were read."""
    tokens: int
    """Tokens that were written."""
    seconds: float
    """What it took."""


@dataclass(frozen=True)
class Pace:
    """How fast a model reads and writes."""

    read: float | None = None
    """Bytes of prompts a second; None where that is not known."""
    written: float | None = None
    """Tokens a second of all texts together; None where that is not known."""
    filled: float | None = None
    """The share of their most tokens that texts of a finished rung had; None where none is finished."""
    trial: Trial | None = None
    """What it was learnt from first; None where nothing was tried."""

    def seconds(self, load: Load) -> Span | None:
        """Return how long a rung takes; None where its pace is not known."""
        if not (self.written if load.written else self.read):
            return None
        # What was written in the trial was read first: without a pace of reading, that of writing holds both.
        reading = load.read / self.read if self.read else 0.0
        writing = load.written / self.written if self.written else 0.0
        shortest, longest = SHORT_TEXTS, 1.0
        if self.filled is not None:
            shortest, longest = min(SHORT_TEXTS, self.filled), min(1.0, LONG_TEXTS * self.filled)
        most = SLOWEST * (reading + longest * writing) + OF_A_RUNG
        return Span(reading + shortest * writing, most)

    def after(self, load: Load, tokens: int, seconds: float) -> Pace:
        """Return the pace as a rung that was done shows it.

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
        if not tokens:
            return self
        return replace(self, written=tokens / writing, filled=tokens / load.written)


@dataclass(frozen=True)
class Span:
    """Seconds that something may take."""

    least: float
    most: float

    def __add__(self, other: Span) -> Span:
        return Span(self.least + other.least, self.most + other.most)

    def __str__(self) -> str:
        least, most = duration(self.least), duration(self.most)
        return most if least == most else f"{least} - {most}"


NO_TIME = Span(0.0, 0.0)


def prompt_bytes(prompt: Prompt) -> float:
    """Return the size of a prompt; about four bytes are one token in any script."""
    return float(sum(len(turn.content.encode()) for turn in prompt.messages))


def measured_pace(backend: Backend, jobs: Sequence[Job], clock: Clock = time.monotonic) -> Pace:
    """Score and write a little, as the jobs will.

    Args:
        backend: who is asked.
        jobs: what is to be asked; the first of each kind is tried.
        clock: seconds.
    """
    pace, started, read, tokens = Pace(), clock(), 0, 0
    scored = next((job for job in jobs if not job.config.generates), None)
    writing = next((job for job in jobs if job.config.generates), None)
    if scored is not None:
        prompts = scored.prompts[:_PROBED]
        list(backend.score_choices(prompts[:1]))  # what is done once is not part of the pace
        began = clock()
        list(backend.score_choices(prompts))
        read += len(prompts)
        pace = replace(pace, read=_rate(sum(map(prompt_bytes, prompts)), clock() - began))
    if writing is not None:
        prompts = writing.prompts[:_PROBED]
        asked = writing.config.generation()
        settings = replace(
            asked,
            max_new_tokens=min(_PROBED_TOKENS, asked.max_new_tokens),
            first_repeat=0,
            repeats=max(1, min(writing.config.samples_per_prompt, _PROBED_WIDTH // len(prompts))),
            thinking_budget=None,
        )
        list(backend.generate(prompts[:1], replace(settings, repeats=1)))
        began = clock()
        texts = list(backend.generate(prompts, settings))
        read += len(prompts)
        tokens = sum(text.completion_tokens for text in texts if isinstance(text, Completion))
        pace = replace(pace, written=_rate(tokens, clock() - began))
    return replace(pace, trial=Trial(read, tokens, clock() - started))


def timed(backend: Backend, deadline: float | None, clock: Clock = time.monotonic) -> Backend:
    """Return the backend, which raises `TimeUp` between two answers once the time is up."""
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

    def describe(self) -> JsonObject:
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

    _backend: Any  # any backend, whose other attributes are passed through

    def render(self, prompt: Prompt) -> str:
        text: str = self._backend.render(prompt)
        return text


def _rate(amount: float, seconds: float) -> float:
    return amount / max(seconds, 1e-6)
