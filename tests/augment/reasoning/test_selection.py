"""Which of the answers that pass are taken: different ones, of middle length, hard questions first."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest

from lawqa.augment.reasoning import Sample, SelectionRules, select
from lawqa.augment.reasoning.selection import filter_counts
from lawqa.choices import LABELS, cyclic_orders
from lawqa.prompting import PromptSpec
from lawqa.questions import Question, reordered

pytestmark = pytest.mark.every_python

COT = PromptSpec("cot")
WORDS = (
    "期間",
    "代理",
    "時効",
    "占有",
    "相続",
    "債権",
    "物権",
    "契約",
    "婚姻",
    "遺言",
    "地上権",
    "質権",
)


def question(number: int) -> Question:
    choices = tuple(
        f"{WORDS[number % 12]}に関する{word}の記述" for word in ("一", "二", "三", "四")
    )
    first, second, third, fourth = choices
    return Question(
        id=f"法_{number}", text="正しいものを選べ。", choices=(first, second, third, fourth),
        gold=LABELS[number % 4],
    )  # fmt: skip


def reasoning(seed: int, length: int = 60) -> str:
    drawn = random.Random(seed)  # noqa: S311 - repeatable
    kana = "".join(
        drawn.choice("あいうえおかきくけこさしすせそたちつてとなにぬねの") for _ in range(length)
    )
    return f"{kana}である。"


def asked(number: int, right: int, wrong: int, *, orders: int = 1, seed: int = 0) -> list[Sample]:
    """Samples of one question, the right ones first, spread over orders."""
    original = question(number)
    shown = [original, *(reordered(original, one) for one in cyclic_orders()[1:orders])]
    samples = []
    for i in range(right + wrong):
        own = shown[i % orders]
        label = own.gold if i < right else LABELS[(LABELS.index(own.gold) + 1) % 4]
        text = f"{reasoning(seed + 100 * number + i)}\n最終回答：{label}"
        samples.append(Sample(own, i // orders, text))
    return samples


def verdicts(samples: Sequence[Sample], **rules: object) -> list[str]:
    return [one.verdict for one in select(samples, COT, {}, SelectionRules(**rules))]  # type: ignore[arg-type]


def test_a_question_keeps_the_most_different_ones_of_middle_length() -> None:
    one = question(0)
    lengths = (20, 60, 61, 200)
    texts = [reasoning(number, length) for number, length in enumerate(lengths)]
    texts.append(texts[1] + "以上")
    samples = [Sample(one, i, f"{text}\n最終回答：a") for i, text in enumerate(texts)]
    assert verdicts(samples, keep=2, even_labels=False) == [
        "enough",
        "kept",
        "kept",
        "enough",
        "similar",
    ]


def test_hard_questions_come_first_and_easy_ones_do_not_flood() -> None:
    easy = [sample for n in range(0, 40, 4) for sample in asked(n, 8, 0)]
    hard = [sample for n in range(40, 60, 4) for sample in asked(n, 4, 4)]
    judged = select([*easy, *hard], COT, {}, SelectionRules(limit=8, even_labels=False))
    kept = [one for one in judged if one.verdict == "kept"]
    assert {one.sample.question.id for one in kept} == {f"法_{n}" for n in range(40, 60, 4)}
    whole = select([*easy, *hard], COT, {}, SelectionRules(even_labels=False))
    per_question = Counter(one.sample.question.id for one in whole if one.verdict == "kept")
    assert set(per_question.values()) <= {1, 2}


def test_a_lucky_guess_is_outvoted_unless_that_is_not_asked() -> None:
    samples = asked(0, 1, 7)
    assert verdicts(samples)[0] == "outvoted"
    assert verdicts(samples, skipped=("agreed",))[0] == "kept"


def test_labels_are_even_within_one_where_questions_were_asked_in_one_order() -> None:
    samples = [one for n in (*range(20), 24, 28, 32) for one in asked(n, 8, 0)]
    judged = select(samples, COT, {}, SelectionRules(quantiles=(0.0, 1.0)))
    labels = Counter(one.sample.question.gold for one in judged if one.verdict == "kept")
    assert labels == {"a": 11, "b": 10, "c": 10, "d": 10}
    left = Counter(one.verdict for one in judged)
    assert left["uneven labels"] > 0


def test_orders_make_labels_even_without_loss() -> None:
    samples = [one for n in range(0, 40, 4) for one in asked(n, 8, 0, orders=4)]
    judged = select(samples, COT, {}, SelectionRules(quantiles=(0.0, 1.0)))
    labels = Counter(one.sample.question.gold for one in judged if one.verdict == "kept")
    assert sorted(labels.values()) == [5, 5, 5, 5]


def test_every_filter_has_its_count() -> None:
    samples = [*asked(0, 3, 1), Sample(question(0), 9, "", error="broke")]
    counts = filter_counts(select(samples, COT, {}, SelectionRules()))
    assert counts["right"] == (3, 1, 1)
    assert counts["agreed"] == (4, 0, 1)
    assert counts["grounded"] == (0, 0, 5)


def test_traces_of_unusual_length_are_left_out_where_there_are_many() -> None:
    samples = [one for n in range(40) for one in asked(n, 1, 0)]
    long = Sample(question(3), 5, f"{reasoning(7, 900)}\n最終回答：d")
    found = verdicts([*samples, long], even_labels=False)
    assert found[-1] == "too short or long"
