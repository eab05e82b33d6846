"""One question's result as it is stored, and back: raw text, parsed answer and outcome side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lawqa.answers import SOFT, ParsedAnswer, parse
from lawqa.backends.base import ChoiceScores, Completion, Failure
from lawqa.choices import Label
from lawqa.pipelines.rag import RetrievedContext
from lawqa.prompting import PromptSpec
from lawqa.questions import Question, choices_text
from lawqa.runs.rows import RESULT_SCHEMA_VERSION
from lawqa.scoring import ScoredAnswer, likeliest_label, outcome_of, with_tie_drawn

Answer = ChoiceScores | Completion | Failure


def result_row(
    question: Question,
    spec: PromptSpec,
    answer_by: str,
    answer: Answer,
    retrieved: RetrievedContext | None = None,
) -> dict[str, Any]:
    """The stored result of one question: the lab's nine keys first, then lawqa's.

    For `logits` the response is the likeliest label itself: no text was generated.

    Args:
        question: what was asked.
        spec: how it was put.
        answer_by: `logits` or `generate`.
        answer: what came back.
        retrieved: its context, for the condition `rag`.
    """
    parsed, response = _parsed(question, answer)
    failed = isinstance(answer, Failure)
    outcome = "failed" if failed else outcome_of(question.gold, parsed.label, parsed.status)
    return {
        "question": question.text,
        "choices": choices_text(question.choices),
        "correct_answer": question.gold,
        "predicted_answer": parsed.label,
        "is_correct": outcome == "correct",
        "response": response,
        "retrieved_docs_count": 0,
        "file_name": question.id,
        "references": list(question.references),
        "schema_version": RESULT_SCHEMA_VERSION,
        "order": question.order,
        "repeat": repeat_of(answer),
        "permutation": list(question.permutation),
        "law": question.law,
        "prompt_spec": spec.id,
        "answer_by": answer_by,
        "outcome": outcome,
        "status": None if failed else parsed.status,
        "rule": None if failed else parsed.rule,
        "span": list(parsed.span) if parsed.span else None,
        **(retrieved.to_row() if retrieved else {}),
        **_measured(answer),
    }


def scored_answer(row: Mapping[str, Any]) -> ScoredAnswer:
    """What the statistics need of a stored result; equal label scores are a draw, whatever was stored."""
    first, second, third, fourth = row["permutation"]
    logprobs = row["label_logprobs"]
    answer = ScoredAnswer(
        question_id=row["file_name"],
        gold=row["correct_answer"],
        predicted=row["predicted_answer"],
        outcome=row["outcome"],
        law=row["law"],
        order=(first, second, third, fourth),
        has_context=PromptSpec.from_id(row["prompt_spec"]).condition != "closed",
        gold_retrieved=row.get("gold_retrieved"),
        label_logprobs=(logprobs[0], logprobs[1], logprobs[2], logprobs[3]) if logprobs else None,
        repeat=row.get("repeat", 0),
        soft=row["predicted_answer"] is not None and row.get("rule") in SOFT,
    )
    return with_tie_drawn(answer) if row["answer_by"] == "logits" else answer


def with_forced(
    row: Mapping[str, Any], after: str, answer: ChoiceScores | Failure
) -> dict[str, Any]:
    """A stored result without an answer, and what the model answers when it must.

    Args:
        row: the stored result; its own fields stay as they are.
        after: what was put between the text and the label.
        answer: the labels scored there.
    """
    if isinstance(answer, Failure):
        return {**row, "forced_error": answer.reason}
    return {
        **row,
        "forced_answer": likeliest_label(
            answer.logprobs, row["file_name"], tuple(row["permutation"]), row.get("repeat", 0)
        ),
        "forced_logprobs": list(answer.logprobs),
        "forced_label_mass": answer.label_mass,
        "forced_after": after,
        "forced_error": None,
    }


def forced_answer(row: Mapping[str, Any]) -> ScoredAnswer:
    """The answer with its forced label, where it has one; else as it is."""
    answer = scored_answer(row)
    label: Label | None = row.get("forced_answer")
    if label is None or answer.predicted is not None:
        return answer
    outcome = outcome_of(answer.gold, label, "answered")
    return replace(answer, predicted=label, outcome=outcome)


def repeat_of(answer: Answer) -> int:
    """Which of a prompt's answers this is; scored labels are always the first."""
    return 0 if isinstance(answer, ChoiceScores) else answer.repeat


def _parsed(question: Question, answer: Answer) -> tuple[ParsedAnswer, str]:
    if isinstance(answer, Failure):
        return ParsedAnswer(None, "unanswered", "failed", None), ""
    if isinstance(answer, Completion):
        parsed = parse(
            answer.text,
            question.choices,
            hit_limit=answer.hit_limit,
            in_thought=answer.in_thought,
        )
        return parsed, answer.text
    best = likeliest_label(answer.logprobs, question.id, question.permutation)
    return ParsedAnswer(best, "answered", "likeliest-label", None), best


def _measured(answer: Answer) -> dict[str, Any]:
    if isinstance(answer, Failure):
        return {**dict.fromkeys(_MEASURED), "error": answer.reason}
    shared = {
        "error": None,
        "prompt": answer.prompt_text,
        "prompt_tokens": answer.prompt_tokens,
        "seconds": round(answer.seconds, 4),
    }
    own: dict[str, Any]
    if isinstance(answer, Completion):
        own = {
            "hit_limit": answer.hit_limit,
            "stopped": answer.stopped,
            "thinking_closed": answer.thinking_closed,
            "in_thought": answer.in_thought,
            "completion_tokens": answer.completion_tokens,
        }
    else:
        own = {"label_logprobs": list(answer.logprobs), "label_mass": answer.label_mass}
    return {**dict.fromkeys(_MEASURED), **shared, **own}


_MEASURED = (
    "label_logprobs", "label_mass", "hit_limit", "stopped", "thinking_closed", "in_thought",
    "completion_tokens",
    "prompt", "prompt_tokens", "seconds", "error",
    "forced_answer", "forced_logprobs", "forced_label_mass", "forced_after", "forced_error",
)  # fmt: skip
