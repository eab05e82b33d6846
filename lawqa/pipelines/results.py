"""One question's result as it is stored, and back: raw text, parsed answer and outcome side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lawqa.answers import ParsedAnswer, parse
from lawqa.backends.base import ChoiceScores, Completion, Failure
from lawqa.choices import LABELS
from lawqa.prompting import PromptSpec
from lawqa.questions import Question, choices_text
from lawqa.scoring import ScoredAnswer, Summary, outcome_of, summarise

Answer = ChoiceScores | Completion | Failure

RESULT_SCHEMA_VERSION = 1


def result_row(
    question: Question, spec: PromptSpec, answer_by: str, answer: Answer
) -> dict[str, Any]:
    """The stored result of one question: the lab's nine keys first, then lawqa's.

    For `logits` the response is the likeliest label itself: no text was generated.
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
        "permutation": list(question.permutation),
        "law": question.law,
        "prompt_spec": spec.id,
        "answer_by": answer_by,
        "outcome": outcome,
        "status": None if failed else parsed.status,
        "rule": None if failed else parsed.rule,
        "span": list(parsed.span) if parsed.span else None,
        **_measured(answer),
    }


def scored_answer(row: dict[str, Any]) -> ScoredAnswer:
    """What the statistics need of a stored result."""
    first, second, third, fourth = row["permutation"]
    logprobs = row["label_logprobs"]
    return ScoredAnswer(
        question_id=row["file_name"],
        gold=row["correct_answer"],
        predicted=row["predicted_answer"],
        outcome=row["outcome"],
        law=row["law"],
        order=(first, second, third, fourth),
        has_context=PromptSpec.from_id(row["prompt_spec"]).condition != "closed",
        label_logprobs=(logprobs[0], logprobs[1], logprobs[2], logprobs[3]) if logprobs else None,
    )


def summary_of(
    rows: Sequence[dict[str, Any]], notes: Sequence[str], seconds: float
) -> tuple[Summary, dict[str, Any]]:
    """The figures of stored results, and what `summary.json` says of them.

    Args:
        rows: all results of a run.
        notes: what a reader must know first; a collapse alarm is added.
        seconds: how long the asking took.
    """
    answers = [scored_answer(row) for row in rows]
    lengths = {row["file_name"]: _original_lengths(row) for row in rows}
    summary = summarise(answers, choice_lengths=lengths)
    alarms = [summary.collapse.sentence] if summary.collapse else []
    record = {
        "notes": [*notes, *alarms],
        "accuracy": summary.accuracy.value,
        "correct_count": summary.accuracy.correct,
        "total_count": summary.n,
        "seconds": round(seconds, 3),
        "statistics": summary.to_json(),
    }
    return summary, record


def _original_lengths(row: dict[str, Any]) -> tuple[int, ...]:
    """Choice lengths in the original order, whatever order was shown."""
    shown = [len(line) - len("a ") for line in row["choices"].split("\n")]
    lengths = dict(zip(row["permutation"], shown, strict=True))
    return tuple(lengths[i] for i in range(len(LABELS)))


def _parsed(question: Question, answer: Answer) -> tuple[ParsedAnswer, str]:
    if isinstance(answer, Failure):
        return ParsedAnswer(None, "unanswered", "failed", None), ""
    if isinstance(answer, Completion):
        parsed = parse(answer.text, question.choices, hit_limit=answer.hit_limit)
        return parsed, answer.text
    # max() keeps the first of equals, so ties go to the earlier label.
    best = max(range(len(LABELS)), key=lambda i: answer.logprobs[i])
    return ParsedAnswer(LABELS[best], "answered", "likeliest-label", None), LABELS[best]


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
        own = {"hit_limit": answer.hit_limit, "completion_tokens": answer.completion_tokens}
    else:
        own = {"label_logprobs": list(answer.logprobs), "label_mass": answer.label_mass}
    return {**dict.fromkeys(_MEASURED), **shared, **own}


_MEASURED = (
    "label_logprobs", "label_mass", "hit_limit", "completion_tokens",
    "prompt", "prompt_tokens", "seconds", "error",
)  # fmt: skip
