"""Whether a question's text says by itself which question it is.

「民法に関する次の記述のうち、正しいものを一つ選んでください」 is over many questions that have nothing in
common. So what counts is what is left of a text without such stock, and without statutes and articles named.
"""

from __future__ import annotations

import re

from lawqa.splits.containment import grams
from lawqa.statutes.abbreviations import ABBREVIATIONS
from lawqa.statutes.normalise import canonical

MIN_STEM = 40
"""A question's text shorter than this, in characters, is compared together with its choices only."""

MIN_OWN = 6
"""The fewest n-grams of its own by which a text is known: 13 letters without stock words and particles."""

_STOCK = (
    "次の 以下の 下記の 上記の 前記 後記 各号 各 うち 記述 記載 記号 説明 文章 事項 内容 選択肢 設問 "
    "設例 問題 問い もの こと 者 法令 法律 条文 条項 規定 定め 正しい 誤って 誤り いる ある 適切 適当 "
    "妥当 不 でない ではない 最も 組合せ 組み合わせ 組合わせ 一致 つ 全て すべて 選択 選び 選んで 選べ "
    "選ぶ 教えて 答え 解答 回答 挙げ 示し 示す なさい 下さい ください しなさい せよ どれ 何 いずれ "
    "として について に関する に関し における によれば によると により に基づ に照らし 判例 趣旨 場合 "
    "根拠 となる される された する した しない から まで その この 文中 空欄 空所 語句 下線部 "
    "当てはまる あてはまる 入る は の を が と に で も か て た く 、 。 ・ , . ? ! 「 」 [ ] ( ) 1 2 "
    "3 4 5"
)
_KNOWN_TITLES = sorted(
    {canonical(name) for row in ABBREVIATIONS.items() for name in (row[0], *row[1].split())},
    key=lambda name: (-len(name), name),
)
_KIND = "(?:施行令|施行規則|施行法)?"
_NOT_ITS_OWN = re.compile(
    "|".join(
        [
            rf"(?:{'|'.join(map(re.escape, _KNOWN_TITLES))}){_KIND}",
            rf"(?:^|(?<=[、。「]))[^、。「」]{{1,60}}?に関する(?:法律|政令|内閣府令|省令|規則){_KIND}",
            rf"[一-龠々ァ-ヴー]{{1,20}}(?<![方用])(?:法|法律|令|規則|条例|憲法){_KIND}",
            r"第?[0-9]+[条項号章](?:の[0-9]+)*",
            "[ア-オa-e](?:から|~)[ア-オa-e]",
            *map(re.escape, sorted(_STOCK.split(), key=lambda word: (-len(word), word))),
        ]
    )
)

_ARTICLE = re.compile("[0-9]条")


def own(text: str) -> str:
    """Return a canonical text without stock words, particles, titles of statutes and numbers of articles."""
    return _NOT_ITS_OWN.sub("", text)


def is_specific(stem: str) -> bool:
    """Return whether a question's canonical text is like no other's but by copying."""
    return len(stem) >= MIN_STEM and says_enough(stem)


def says_enough(*texts: str) -> bool:
    """Return whether canonical texts hold enough of their own, together, to be known by it."""
    return len(grams(map(own, texts))) >= MIN_OWN


def is_known_with(stem: str, right: str) -> bool:
    """Return whether a question's canonical text, of any length, is like no other's that has this right
    answer.
    """
    return _ARTICLE.search(stem) is not None or says_enough(stem, right)
