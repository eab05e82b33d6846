"""Ways to name a choice x ways to call it the answer: families of wordings, not single texts."""

from __future__ import annotations

from itertools import product

import pytest

from lawqa.answers import parse
from lawqa.choices import LABELS, Label

CHOICES = ("承認による更新", "時効の援用", "催告の抗弁", "相殺の主張")
UPPER = {"a": "A", "b": "Ｂ", "c": "C", "d": "Ｄ"}
CIRCLED = {"a": "①", "b": "②", "c": "③", "d": "④"}
NUMBER = {"a": "1", "b": "2", "c": "3", "d": "4"}


def _cases(names: tuple[str, ...], frames: tuple[str, ...]) -> list[tuple[str, Label]]:
    """Every name in every frame, the labels taking turns; T is the choice's words, L its label."""
    cases = []
    for number, (name, frame) in enumerate(product(names, frames)):
        label = LABELS[number % 4]
        named = (
            name.replace("T", CHOICES[LABELS.index(label)])
            .replace("U", UPPER[label])
            .replace("N", NUMBER[label])
            .replace("O", CIRCLED[label])
            .replace("L", label)
        )
        cases.append((frame.replace("X", named), label))
    return cases


WITH_LABEL = (
    *(
        "L",
        "（L）",
        "「L」",
        "**L**",
        "【U】",
        "選択肢L",
        "選択肢「L」",
        "**選択肢U**",
        "U",
        "L.",
        "O",
    ),
    *("T（L）", "T（選択肢L）", "「T」（L）", "**T**（U）", "T(L)", "T（U選択肢）"),
    *("L. T", "L．T", "L: T", "選択肢L. T", "選択肢Lの「T」", "選択肢LのT", "L（T）", "L「T」"),
    *(
        "Lの選択肢",
        "L肢",
        "選択肢N",
        "N番",
        "Lという選択肢",
        "<b>L</b>",
        "<strong>U</strong>",
        "`L`",
        "$L$",
    ),
)
FRAMES = (
    *(
        "正解はXです。",
        "正解はXである。",
        "正しいのはXです。",
        "最も適切なのはXです。",
        "したがって、最も適切なものはXである。",
    ),
    *(
        "以上より、最も妥当な記述はXと考えられます。",
        "よって、Xが正解です。",
        "したがって、Xが最も適切である。",
    ),
    *(
        "以上から、Xが正しいと判断する。",
        "結論として、Xを選びます。",
        "よって、答えはXとなります。",
        "Xが正解と考えられます。",
    ),
    *(
        "従って、誤っているのはXです。",
        "以上により、Xが該当する。",
        "したがって、行うべき手続はXです。",
    ),
)


@pytest.mark.parametrize(("text", "label"), _cases(WITH_LABEL, FRAMES))
def test_every_name_in_every_frame(text: str, label: Label) -> None:
    assert parse(text, CHOICES).label == label
    assert parse(f"条文を検討する。{text}", CHOICES).label == label
    assert parse(f"# 検討\n\n条文を検討する。\n\n{text}\n", CHOICES).label == label


@pytest.mark.parametrize(
    ("text", "label"), _cases(tuple(n for n in WITH_LABEL if n != "選択肢LのT"), FRAMES)
)
def test_every_name_with_a_label_where_the_choices_are_not_known(text: str, label: Label) -> None:
    assert parse(text).label == label


BY_WORDS = ("T", "「T」", "**T**", "『T』")


@pytest.mark.parametrize(
    ("text", "label"), _cases(BY_WORDS, tuple(f for f in FRAMES if not f.startswith("X")))
)
def test_the_words_of_one_choice_name_it(text: str, label: Label) -> None:
    parsed = parse(text, CHOICES)
    assert parsed.label == label
    assert parse(text).label is None


SOFT_FRAMES = (
    *(
        "Xではないでしょうか。",
        "Xではないかと思います。",
        "正解はXかもしれません。",
        "正解はXではないでしょうか。",
    ),
    *(
        "おそらく正解はXではないかと考えます。",
        "強いて言えばXです。",
        "あえて選ぶならXです。",
        "Xの可能性が高いと考えられます。",
    ),
    *(
        "どちらかといえばXが正しいのではないか。",
        "最も適切なのはXではないでしょうか。",
        "正しいのはXかと思われます。",
    ),
    *("断定はできませんが、強いて言えばXです。", "自信はありませんが、正解はXだと推測されます。"),
)


@pytest.mark.parametrize(("text", "label"), _cases(("L", "選択肢L", "T（L）", "L. T"), SOFT_FRAMES))
def test_a_soft_commitment_that_is_the_last_word_counts_as_soft(text: str, label: Label) -> None:
    parsed = parse(text, CHOICES)
    assert (parsed.label, parsed.soft) == (label, True)
    assert parsed.rule.startswith("soft")


@pytest.mark.parametrize(("text", "label"), _cases(("L", "選択肢L", "T（L）"), SOFT_FRAMES))
def test_a_soft_commitment_taken_back_or_overruled_does_not_count(text: str, label: Label) -> None:
    other = LABELS[(LABELS.index(label) + 1) % 4]
    firm = parse(f"{text}しかし、条文を見直すと、正解は{other}です。", CHOICES)
    assert (firm.label, firm.soft) == (other, False)
    assert parse(f"{text}いや、{label}は誤りです。", CHOICES).label is None
    firm = parse(f"正解は{other}です。なお、{text}", CHOICES)
    assert firm.label in (other, None)


NEUTRAL = (
    *(
        "Xを検討する。",
        "Xの場合はどうか。",
        "Xかどうかを検討する。",
        "Xについては条文がない。",
        "Xではない。",
        "Xは誤りである。",
    ),
    *("Xが正解だとすると矛盾する。", "Xを選ぶべきではない。", "正解はXではない。"),
)


@pytest.mark.parametrize(
    ("text", "label"), _cases(("L", "選択肢L", "T（L）", "L. T", "選択肢Lの「T」"), NEUTRAL)
)
def test_a_name_without_a_commitment_is_none(text: str, label: Label) -> None:
    assert parse(text, CHOICES).label is None, label


PAIRS = (
    *(
        "XとY",
        "XおよびY",
        "X、Y",
        "X又はY",
        "XまたはY",
        "X・Y",
        "XとYの両方",
        "「X」と「Y」",
        "（X）と（Y）",
        "【X】と【Y】",
    ),
    *("X，Y", "X, Y", "XかY", "X及びY", "XとY、いずれか"),
)
PAIR_FRAMES = (
    "正解はZです。",
    "正しいのはZである。",
    "回答：Z",
    "したがって、最も適切なのはZです。",
    "答えはZと考えられます。",
)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("frame", PAIR_FRAMES)
@pytest.mark.parametrize(
    ("one", "two"), [("b", "d"), ("a", "e"), ("c", "e"), ("T（b）", "T（d）"), ("e", "b")]
)
def test_two_answers_are_none(pair: str, frame: str, one: str, two: str) -> None:
    text = frame.replace("Z", pair.replace("X", one).replace("Y", two)).replace("T", "時効の援用")
    assert parse(text).label is None, text


FIFTH = (
    "e",
    "E",
    "選択肢e",
    "（e）",
    "時効の援用（e）",
    "e. 時効の援用",
    "⑤",
    "オ",
    "f",
    "選択肢eの「時効の援用」",
)


@pytest.mark.parametrize("name", FIFTH)
@pytest.mark.parametrize("frame", FRAMES)
def test_a_fifth_choice_is_none(name: str, frame: str) -> None:
    text = frame.replace("X", name)
    assert parse(text).label is None
    assert parse(f"bが正しい可能性もある。しかし、{text}").label is None
