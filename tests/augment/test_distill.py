"""Which of a model's own answers are worth learning from."""

from __future__ import annotations

import pytest

from lawqa.augment.distill import Sample, choose
from lawqa.prompting import PromptSpec
from lawqa.questions import Question

pytestmark = pytest.mark.every_python

QUESTION = Question(
    id="民法_1",
    text="期間の計算について正しいものはどれですか。",
    choices=("初日を算入する", "初日を算入しない", "月の日数による", "年の日数による"),
    gold="b",
)
COT = PromptSpec("cot")
GOOD = "第140条は、日、週、月又は年によって期間を定めたときは、初日を算入しないと定める。"
OTHER = "午前零時から始まる場合を除き、期間の初日は数に入れない。これが民法の原則である。"


def verdicts(*texts: str, spec: PromptSpec = COT, cap: int = 4) -> list[str]:
    samples = [Sample(i, text, hit_limit=False) for i, text in enumerate(texts)]
    return [judged.verdict for judged in choose(QUESTION, samples, spec, cap)]


def test_right_and_reasoned_answers_are_kept_without_their_answer_line() -> None:
    (judged,) = choose(QUESTION, [Sample(0, f"{GOOD}\n最終回答：b", hit_limit=False)], COT, 1)
    assert (judged.verdict, judged.reasoning) == ("kept", GOOD)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (f"{GOOD}\n最終回答：a", "wrong"),
        ("期間の計算についての規定を、順に検討していく必要がある。", "no answer"),
        ("最終回答：b", "no reasoning"),
        ("はい。\n最終回答：b", "no reasoning"),
        (f"{GOOD}\n" * 3 + "最終回答：b", "loop"),
        ("初日を算入しない、" * 60 + "\n最終回答：b", "loop"),
        ("", "no answer"),
    ],
)
def test_everything_else_is_named(text: str, verdict: str) -> None:
    assert verdicts(text) == [verdict]


def test_cut_off_and_failed_samples_are_never_kept() -> None:
    text = f"{GOOD}\n最終回答：b"
    samples = [Sample(0, text, hit_limit=True), Sample(1, "", hit_limit=False, error="broke")]
    assert [j.verdict for j in choose(QUESTION, samples, COT, 4)] == ["cut off", "failed"]


def test_short_and_different_ones_win() -> None:
    long = f"{GOOD}{OTHER}したがって、正しいのは初日を算入しないとする選択肢である。"
    texts = [f"{text}\n最終回答：b" for text in (long, GOOD, GOOD + "よって。", OTHER)]
    assert verdicts(*texts, cap=2) == ["enough", "kept", "similar", "kept"]


def test_with_thinking_the_think_block_is_the_reasoning() -> None:
    spec = PromptSpec("direct", thinking=True)
    text = f"<think>\n{GOOD}\n</think>\n\nb"
    (judged,) = choose(QUESTION, [Sample(0, text, hit_limit=False)], spec, 1)
    assert (judged.verdict, judged.reasoning) == ("kept", GOOD)
    assert verdicts("b", spec=spec) == ["no reasoning"]
