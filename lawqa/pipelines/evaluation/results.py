"""What a backend answered becomes a result that can be stored: parsed, with its outcome."""

from __future__ import annotations

from dataclasses import replace

from lawqa.answers import parse
from lawqa.backends.base import ChoiceScores, Completion, Failure
from lawqa.pipelines.evaluation.contexts import RetrievedContext
from lawqa.prompting import PromptSpec
from lawqa.questions import Question
from lawqa.runs.result import Result
from lawqa.scoring import likeliest_label, outcome_of
from lawqa.settings import AnswerBy

Answer = ChoiceScores | Completion | Failure


def result_of(
    question: Question,
    spec: PromptSpec,
    answer_by: AnswerBy,
    answer: Answer,
    retrieved: RetrievedContext | None = None,
    *,
    forces: bool = False,
) -> Result:
    """Return the result of one question.

    For `logits` the response is the likeliest label itself: no text was generated.

    Args:
        question: what was asked.
        spec: how it was put.
        answer_by: `logits` or `generate`.
        answer: what came back.
        retrieved: its context, for the condition `rag`.
        forces: whether a text without an answer gets a forced one.
    """
    asked = replace(
        asked_result(question, spec.id, answer_by, repeat_of(answer)),
        retrieved_count=len(retrieved.sources) if retrieved else 0,
        context=retrieved.stored() if retrieved else None,
    )
    if isinstance(answer, Failure):
        return replace(asked, error=answer.reason)
    measured = replace(
        asked,
        prompt=answer.prompt_text,
        prompt_tokens=answer.prompt_tokens,
        seconds=round(answer.seconds, 4),
    )
    if isinstance(answer, Completion):
        return _of_text(measured, answer, forces=forces)
    return _of_scores(measured, answer)


def asked_result(question: Question, spec_id: str, answer_by: AnswerBy, repeat: int) -> Result:
    """Return the result of a question that was asked and has no answer yet.

    Args:
        question: what was asked.
        spec_id: the id of the prompt's spec.
        answer_by: `logits` or `generate`.
        repeat: which of the prompt's samples it is.
    """
    return Result(
        question_id=question.id,
        question=question.text,
        choices=question.choices,
        gold=question.gold,
        label=None,
        outcome="failed",
        response="",
        answer_by=answer_by,
        prompt_spec=spec_id,
        order_number=question.order,
        order=question.permutation,
        repeat=repeat,
        law=question.law,
        references=tuple(question.references),
    )


def repeat_of(answer: Answer) -> int:
    """Return which of a prompt's samples this is; scored labels are always the first."""
    return 0 if isinstance(answer, ChoiceScores) else answer.repeat


def _of_text(asked: Result, answer: Completion, *, forces: bool) -> Result:
    parsed = parse(
        answer.text, asked.choices, hit_limit=answer.hit_limit, in_thought=answer.in_thought
    )
    read = replace(
        asked,
        response=answer.text,
        label=parsed.label,
        outcome=outcome_of(asked.gold, parsed.label, parsed.status),
        status=parsed.status,
        rule=parsed.rule,
        span=parsed.span,
        hit_limit=answer.hit_limit,
        stopped=answer.stopped,
        thinking_closed=answer.thinking_closed,
        in_thought=answer.in_thought,
        completion_tokens=answer.completion_tokens,
        label_logprobs=answer.label_logprobs,
        label_mass=answer.label_mass,
        label_at=answer.label_at,
        label_after=answer.label_after,
    )
    if not forces or parsed.label is not None or answer.label_at != len(answer.text):
        return read
    # Scored behind the whole text: what a forced answer would be is known already.
    if answer.label_logprobs is None or answer.label_mass is None:
        return read
    return read.with_forced(answer.label_after or "", answer.label_logprobs, answer.label_mass)


def _of_scores(asked: Result, answer: ChoiceScores) -> Result:
    label = likeliest_label(answer.logprobs, asked.question_id, asked.order)
    return replace(
        asked,
        response=label,
        label=label,
        outcome=outcome_of(asked.gold, label, "answered"),
        status="answered",
        rule="likeliest-label",
        label_logprobs=answer.logprobs,
        label_mass=answer.label_mass,
    )
