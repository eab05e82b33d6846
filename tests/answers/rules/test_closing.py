"""The closing sentence: soft words that no list holds, and what looks like them and commits to nothing."""

from __future__ import annotations

import pytest

from lawqa.answers import SOFT, parse

CHOICES = (
    "届出をしなければならない",
    "許可を受けなければならない",
    "登録を要しない",
    "三十日以内に報告する",
)

SOFTLY = (
    "どちらかといえばc寄りです。",
    "cが無難かと。",
    "cとしておきます。",
    "cが妥当な線でしょう。",
    "cで良いのではないでしょうか。",
    "あえて言うならcが近い。",
    "cの公算が大きい。",
    "cの蓋然性が高いと考える。",
    "cに軍配が上がる。",
    "cを選ばざるを得ない。",
    "cが答えと見てよさそうだ。",
    "cに落ち着くと思います。",
    "cとするほかない。",
    "cとするしかない。",
    "cが比較的適切です。",
    "cが相対的に最も適切といえる。",
    "cが正解とみられる。",
    "cに該当するのではないか。",
    "cが正しいのではないかと思料する。",
    "cと思料します。",
    "cで問題ないでしょう。",
    "cと見て差し支えない。",
    "cが正解に違いない。",
    "cに違いありません。",
    "cで決まりでしょう。",
    "cを選ぶのが妥当と判断します。",
    "cを選択することになります。",
    "cを回答とします。",
    "cを答えとしたい。",
    "cを第一候補とします。",
    "完全な確信はないものの、cを選択します。",
    "根拠は弱いがcとする。",
    "やや自信はありませんがcで。",
    "確度は低いですがcです。",
    "正直なところ自信はないがcと答える。",
    "ここはcで行きます。",
    "cにしておきます。",
    "cを選んでおきたい。",
    "cではないかな。",
    "cなんじゃないでしょうか。",
    "cであろうと思う。",
    "cが正解だったはず。",
    "cと判断するのが相当である。",
    "cと解するのが相当。",
    "cと考えるのが自然だろう。",
    "cとみるべきだろう。",
    "I'd lean to c.",
    "c, though I'm not certain.",
    "I'll say c.",
    "My money is on c.",
    "c feels right.",
    "It would have to be c.",
    "c is the most defensible answer.",
    "c is the least bad option.",
    "c would be the safest answer.",
    "I'd settle on c.",
    "Settling on c.",
    "Tentative choice: c",
    "On balance, c.",
    "On balance, option c is preferable.",
    "c is arguably the best answer.",
    "c is presumably the answer.",
    "Most probably c.",
    "The answer is probably (c).",
    "c likely.",
    "Likely c.",
    "Without more context, I'd pick c.",
    "Not sure, going with c.",
    "c by elimination.",
    "想来应是C。",
    "恐怕是C。",
    "应当是C。",
    "我偏向C。",
    "较合理的是C。",
    "C比较靠谱。",
    "C更接近正确答案。",
    "权衡之下选C。",
    "只能选C。",
    "暂定C。",
    "大致可以判断是C。",
    "不敢肯定，但我选C。",
    "我的猜测是C。",
    "C最有可能。",
    "C的概率最大。",
    "若必须作答，则选C。",
    "答案倾向于C。",
    "答案或为C。",
    "个人认为C正确。",
    "综合判断为C。",
    "初步判断为C。",
    "bかcで迷うがcにします。",
    "bも捨てがたいが、cを選ぶ。",
    "bとcで迷いますが、どちらかといえばcです。",
)
"""One choice is judged to be the answer, in words written before the rule was."""

NOTHING = (
    "cかどうかは分からない。",
    "cとは限らない。",
    "cとまではいえない。",
    "cを選ぶのは早計だ。",
    "cという考えもある。",
    "cとする学説もある。",
    "cに違いないとは言い切れない。",
    "cを選ぶ理由は乏しい。",
    "cが妥当とは思えない。",
    "cの可能性は否定できない。",
    "cの可能性も残る。",
    "cもあり得る。",
    "cを選びたいところだが、条文上は無理がある。",
    "cと断定するには情報が足りない。",
    "bとcのどちらとも言えない。",
    "b寄りのcかもしれない、いや分からない。",
    "cが正解なら、30日以内となる。",
    "cを選んだ場合、どうなるか。",
    "仮にcだとすれば、矛盾が生じる。",
    "cだろうか。",
    "cと答える人が多いが誤りだ。",
    "cと思いきや、違う。",
    "I can't say whether it's c.",
    "c may or may not be right.",
    "c can't be ruled out.",
    "It isn't c.",
    "c is tempting but wrong.",
    "I would not choose c.",
    "c? Hard to say.",
    "If c were correct, the deadline would be 30 days.",
    "C不一定正确。",
    "不能确定是不是C。",
    "如果是C，则矛盾。",
    "C看似正确，实则错误。",
    "有人认为是C。",
    "C未必对。",
    "难以判断是B还是C。",
    "bかcか決めがたい。",
    "強いていえばbとcです。",
    "b寄りとも言えるしc寄りとも言える。",
)
"""The choice is denied, supposed, asked about, reported, or one of two."""


@pytest.mark.parametrize("text", SOFTLY)
def test_a_closing_sentence_that_judges_one_choice_has_chosen_it(text: str) -> None:
    for choices in (CHOICES, None):
        assert parse(text, choices).label == "c"


@pytest.mark.parametrize("text", NOTHING)
def test_a_closing_sentence_that_denies_or_supposes_has_not(text: str) -> None:
    for choices in (CHOICES, None):
        assert parse(text, choices).label is None


@pytest.mark.parametrize(
    "text",
    [
        "1. 選択肢cは条文の要件に合致する。",
        "- 選択肢dは義務に該当し、正しい。",
        "届出を要する。bが最も適切だという声もある。",
        "Here's my analysis of the four options. I'd be happy to help.",
        "選択肢cの届出は",
    ],
)
def test_a_point_of_an_analysis_is_no_closing_sentence(text: str) -> None:
    assert parse(text, CHOICES).label is None


def test_what_the_closing_sentence_chose_is_reported_as_soft() -> None:
    parsed = parse("条文を検討する。\nしたがって、cの公算が大きい。")
    assert (parsed.label, parsed.rule, parsed.soft) == ("c", "soft-closing", True)
    assert parsed.rule in SOFT
    assert parse("cの公算が大きい。\n正解：a").label == "a", "a firm commitment wins"
