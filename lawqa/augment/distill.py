"""Reasoning worth learning from, chosen among a model's own answers (rejection sampling).

Kept are answers that commit to the right choice after real reasoning: short ones first, different from each
other, no loops, nothing that ran into its limit (STaR, Zelikman et al. 2022, arXiv:2203.14465; rejection
sampling fine-tuning, Yuan et al. 2023, arXiv:2308.01825). No sentence is ever made up here.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lawqa.answers import parse
from lawqa.prompting import PromptSpec
from lawqa.questions import Question
from lawqa.thinking import FAMILIES

Verdict = Literal[
    "kept", "failed", "cut off", "no answer", "wrong", "no reasoning", "loop", "similar", "enough"
]
"""What became of a sample."""

MIN_REASONING = 20
"""Characters: less is a remark, not reasoning."""
MAX_REPEATS = 3
"""A line that stands so often is a loop."""
MIN_COMPRESSED = 0.2
"""Compressed to a smaller share of its bytes than this, a text repeats itself; prose stays above 0.35."""
MAX_SIMILARITY = 0.7
"""Shared character trigrams (Jaccard) above which two pieces of reasoning are the same."""

_OPENINGS = "|".join(re.escape(marks.opening) for marks in FAMILIES)
_CLOSINGS = "|".join(re.escape(marks.closing + marks.reply.strip()) for marks in FAMILIES)
# The opening mark is in the prompt where the template opens the block.
_THOUGHT = re.compile(
    rf"\s*(?:{_OPENINGS})?\s*(?P<thought>.*?)\s*(?:{_CLOSINGS})\s*(?P<rest>.*)", re.DOTALL
)


@dataclass(frozen=True)
class Sample:
    """One sampled answer."""

    number: int
    """Which of the question's samples, from 0."""
    text: str
    """The raw text."""
    hit_limit: bool
    """Whether it ran into its token limit."""
    error: str | None = None
    """Why the backend failed; None where it did not."""
    in_thought: bool = False
    """Whether it begins inside a think block that its prompt opened."""


@dataclass(frozen=True)
class Judged:
    """A sample with what became of it."""

    sample: Sample
    """The sample."""
    verdict: Verdict
    """Whether it is kept, or why not."""
    reasoning: str = ""
    """What is learnt, where it is kept."""


def choose(
    question: Question, samples: Sequence[Sample], spec: PromptSpec, cap: int
) -> tuple[Judged, ...]:
    """Judge all samples of a question and keep at most `cap` of them, the shortest first.

    Args:
        question: the question, in the order that was asked.
        samples: what the model answered.
        spec: how it was asked; with thinking, the reasoning is what stands in the think block.
        cap: the most to keep.

    Returns:
        Every sample with its verdict, in the order of `samples`.
    """
    judged = {sample.number: _judge(question, sample, spec) for sample in samples}
    kept: list[str] = []
    for found in sorted(judged.values(), key=lambda j: (len(j.reasoning), j.sample.number)):
        if found.verdict != "kept":
            continue
        verdict: Verdict = "kept"
        if any(_similarity(found.reasoning, other) > MAX_SIMILARITY for other in kept):
            verdict = "similar"
        elif len(kept) >= cap:
            verdict = "enough"
        else:
            kept.append(found.reasoning)
        judged[found.sample.number] = Judged(found.sample, verdict, found.reasoning)
    return tuple(judged[sample.number] for sample in samples)


def _judge(question: Question, sample: Sample, spec: PromptSpec) -> Judged:
    if sample.error is not None:
        return Judged(sample, "failed")
    if sample.hit_limit:
        return Judged(sample, "cut off")
    answer = parse(sample.text, question.choices, in_thought=sample.in_thought)
    if answer.label is None or answer.span is None:
        return Judged(sample, "no answer")
    if answer.label != question.gold:
        return Judged(sample, "wrong")
    reasoning = _reasoning(sample.text, answer.span[0], spec)
    if len(reasoning) < MIN_REASONING:
        return Judged(sample, "no reasoning")
    return Judged(sample, "loop" if _loops(reasoning) else "kept", reasoning)


def _reasoning(text: str, answer_at: int, spec: PromptSpec) -> str:
    """The think block's text, or what stands before the line of the answer."""
    thought = _THOUGHT.fullmatch(text)
    if spec.thinking:
        return thought["thought"] if thought else ""
    before = text[: text.rfind("\n", 0, answer_at) + 1]
    return before[thought.start("rest") :].strip() if thought else before.strip()


def _loops(text: str) -> bool:
    lines = Counter(line.strip() for line in text.split("\n") if line.strip())
    if max(lines.values()) >= MAX_REPEATS:
        return True
    raw = text.encode("utf-8", "surrogatepass")
    return len(raw) > 300 and len(zlib.compress(raw)) < MIN_COMPRESSED * len(raw)


def _similarity(one: str, other: str) -> float:
    left, right = _trigrams(one), _trigrams(other)
    return len(left & right) / max(len(left | right), 1)


def _trigrams(text: str) -> set[str]:
    folded = "".join(text.split())
    return {folded[i : i + 3] for i in range(len(folded) - 2)}
