"""The samples of a dev question become one answer, which counts once."""

from __future__ import annotations

from typing import Any

from lawqa.scoring import ScoredAnswer
from lawqa.training.dev import DevResult
from lawqa.training.dev_answer import DevAnswer, voted


def sample(question: str, repeat: int, predicted: Any, outcome: Any = "") -> ScoredAnswer:
    told = outcome or ("correct" if predicted == "b" else "wrong")
    return ScoredAnswer(question, "b", predicted, told, repeat=repeat)


def test_the_majority_of_a_prompts_samples_is_its_answer() -> None:
    answers = [
        sample("q1", 0, "a"), sample("q1", 1, "b"), sample("q1", 2, "b"),
        sample("q2", 0, "c"), sample("q2", 1, None, "unparsed"), sample("q2", 2, None, "truncated"),
        sample("q3", 0, None, "unparsed"), sample("q3", 1, None, "truncated"),
        sample("q3", 2, None, "failed"),
        sample("q4", 0, None, "failed"), sample("q4", 1, None, "failed"), sample("q4", 2, None, "failed"),
    ]  # fmt: skip
    outcomes = [(answer.question_id, answer.outcome) for answer in voted(reversed(answers))]
    assert outcomes == [("q1", "correct"), ("q2", "wrong"), ("q3", "truncated"), ("q4", "failed")]


def test_a_scoring_by_text_counts_questions_and_says_how_its_texts_ended() -> None:
    given = [
        DevAnswer(sample("q1", 0, "b"), 10), DevAnswer(sample("q1", 1, "b"), 20),
        DevAnswer(sample("q2", 0, None, "truncated"), 30, cut=True),
        DevAnswer(sample("q2", 1, None, "unparsed"), 20),
    ]  # fmt: skip
    result = DevResult.of(5, given, seconds=7.04)
    assert (result.correct, result.asked, result.unanswered, result.failed) == (1, 2, 1, 0)
    assert result.sentence == (
        "dev accuracy 50.0% (1/2; a 0 b 1 c 0 d 0, 1 without an answer); "
        "25% of 4 texts cut by the limit, 20 tokens each, 7 s"
    )
    assert "dev_seconds" not in result.to_json()
    letters = DevResult.of(5, [DevAnswer(sample("q1", 0, "b"))])
    assert letters.sentence == "dev accuracy 100.0% (1/1; a 0 b 1 c 0 d 0)"
