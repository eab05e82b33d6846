"""`lawqa rescore --explain`: the evidence in a stored answer or any text, and why one piece of it won."""

from __future__ import annotations

from pathlib import Path

import pytest

from lawqa.choices import Label
from lawqa.errors import DataError
from lawqa.pipelines.comparing.explanation import explain_stored
from lawqa.pipelines.comparing.rescore import rescore, to_json
from lawqa.runs.result import Result
from lawqa.runs.stored import StoredRun

pytestmark = pytest.mark.every_python


def _stored(
    response: str, *, order: int = 1, repeat: int = 0, forced: Label | None = None
) -> Result:
    return Result(
        question_id="民法_1",
        question="",
        choices=(),
        gold="b",
        label=None,
        outcome="unparsed",
        response=response,
        answer_by="generate",
        prompt_spec="cot-closed-v1",
        order_number=order,
        repeat=repeat,
        law="民法",
        forced_answer=forced,
    )


def test_one_of_several_answers_is_named_by_its_sample_or_order() -> None:
    samples = StoredRun(Path("run"), (_stored("a"), _stored("正解は b です。", repeat=1)))
    assert explain_stored(samples, "民法_1#1").explanation.answer.label == "b"
    with pytest.raises(DataError) as caught:
        explain_stored(samples, "民法_1")
    assert "has 2 answers" in caught.value.message
    assert "民法_1#0, 民法_1#1" in caught.value.hint
    orders = StoredRun(Path("run"), (_stored("a"), _stored("c", order=3)))
    assert explain_stored(orders, "民法_1#3").explanation.answer.label == "c"


def test_soft_answers_are_counted_and_probabilities_after_a_text_are_shown_apart() -> None:
    run = StoredRun(
        Path("run"),
        (
            _stored("正解は b かもしれません。"),
            _stored("条文を検討する。", repeat=1, forced="b"),
            _stored("判断できません。", repeat=2, forced="d"),
            _stored("正解は b です。", repeat=3, forced="a"),
        ),
    )
    found = rescore(run)
    assert (found.reparsed.soft, found.reparsed.accuracy.correct) == (1, 2)
    assert found.after_text is not None
    assert (found.after_text.texts, found.after_text.correct) == (2, 1)
    assert to_json(found)["after_text"]["labels"] == {"a": 0, "b": 1, "c": 0, "d": 1}
