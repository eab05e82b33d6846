"""How a few questions are asked in every mode, and what is counted of the texts."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from lawqa.backends.base import Backend, Completion, Failure, GenerationSettings
from lawqa.pipelines.adapters.modes import ModeFigures
from lawqa.pipelines.evaluation.results import result_of
from lawqa.prompting import Condition, Mode, Prompt, PromptSpec
from lawqa.questions import Question
from lawqa.records import FOREIGN_SPECS
from lawqa.thinking import closes_thought, open_thought

_MODES: tuple[tuple[Mode, bool], ...] = (("direct", False), ("cot", False), ("direct", True))
"""Mode, and whether the model's own thinking is on."""


@dataclass(frozen=True)
class TextsOfMode:
    """What came of asking in one mode."""

    figures: ModeFigures
    """Counts; a text that failed counts as one without an answer."""
    failures: tuple[Failure, ...]
    """What the backend could not answer."""


def trained_specs(spec_ids: Iterable[str]) -> list[PromptSpec]:
    """Return the prompt specs among these names, sorted; records that are no questions have none."""
    return [PromptSpec.from_id(name) for name in sorted(set(spec_ids) - FOREIGN_SPECS)]


def specs_of_modes(
    trained: Iterable[PromptSpec], questions: Sequence[Question], condition: Condition | None = None
) -> list[PromptSpec]:
    """Return direct, cot and thinking, in the wording that was trained.

    Args:
        trained: the prompt specs that an adapter learnt; none for a base model.
        questions: those that are asked.
        condition: with which context. None for `gold` where some was trained and every question has one,
            else `closed`.
    """
    learnt = list(trained)
    wording = (learnt[0] if learnt else PromptSpec()).wording
    if condition is None:
        in_gold = any(spec.condition != "closed" for spec in learnt)
        condition = "gold" if in_gold and all(q.context for q in questions) else "closed"
    return [
        PromptSpec(mode, condition, thinking=thinking, wording=wording) for mode, thinking in _MODES
    ]


def is_trained(spec: PromptSpec, trained: Iterable[PromptSpec]) -> bool:
    """Return whether one of these specs answers in the same mode."""
    return (spec.mode, spec.thinking) in {(one.mode, one.thinking) for one in trained}


def unbudgeted(settings: GenerationSettings) -> GenerationSettings:
    """Return the settings without a thinking budget: it would close the blocks that are to be seen open."""
    return replace(settings, thinking_budget=None, score_labels=False)


def texts_of_mode(
    backend: Backend,
    questions: Sequence[Question],
    prompts: Sequence[Prompt],
    settings: GenerationSettings,
) -> TextsOfMode:
    """Ask the questions and count what the texts look like.

    Args:
        backend: who writes them.
        questions: what is asked.
        prompts: the same questions as they are put, all in one mode.
        settings: how the texts are written, one each.

    Raises:
        BackendError: the model cannot be asked.
    """
    asked, texts = {question.key: question for question in questions}, list[Completion]()
    failures = list[Failure]()
    correct = unparsed = 0
    for answer in backend.generate(prompts, settings):
        result = result_of(asked[answer.key], prompts[0].spec, "generate", answer)
        unparsed += result.label is None
        correct += result.outcome == "correct"
        if isinstance(answer, Completion):
            texts.append(answer)
        else:
            failures.append(answer)
    closed = [closes_thought(text.text) for text in texts]
    opened = [
        ends or text.in_thought or open_thought(text.text) is not None
        for text, ends in zip(texts, closed, strict=True)
    ]
    figures = ModeFigures(
        texts=len(prompts),
        opened=sum(opened),
        closed=sum(closed),
        unparsed=unparsed,
        cut=sum(text.hit_limit for text in texts),
        correct=correct,
        median_tokens=statistics.median([text.completion_tokens for text in texts] or [0]),
    )
    return TextsOfMode(figures, tuple(failures))
