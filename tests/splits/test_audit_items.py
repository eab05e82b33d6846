"""What a question or a training text holds, as leaks are looked for."""

from __future__ import annotations

from lawqa.questions import Question, fingerprint
from lawqa.splits.audit_items import item_of_question, item_of_text
from lawqa.statutes.normalise import canonical

QUESTION = Question(
    "民法_1", "時効は何年か。", ("五年", "十年", "二十年", "三年"), "b",
    context="## 民法\n### 第166条\n債権は、権利を行使することができる時から十年間行使しないとき。",
)  # fmt: skip


def test_a_question_is_its_stem_its_choices_in_any_order_and_its_articles() -> None:
    item = item_of_question(QUESTION)
    assert item.fingerprint == fingerprint(QUESTION)
    assert item.right == canonical("十年")
    assert item.choices == tuple(sorted(map(canonical, QUESTION.choices)))
    assert item.asked == (canonical(QUESTION.text), *item.choices)
    assert not item.loose


def test_a_training_text_is_loose_and_keeps_its_short_lines_without_letters() -> None:
    item = item_of_text("record 1", "時効は何年か。\na 五年\nb 十年", question_id="民法_1")
    assert item.loose
    assert item.id == "民法_1"
    assert {canonical("五年"), canonical("十年")} <= set(item.choices)
    assert item_of_text("empty", "").choices == ()
