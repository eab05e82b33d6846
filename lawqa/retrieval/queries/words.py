"""Words of a short query: cut by scripts and pairs of kanji, or by SudachiPy where that is asked for.

A person types 「借地借家法 正当事由」. Its bigram 当事 finds 当事者 everywhere, and the article says
正当の事由; so of such a query only the bigrams inside its words count. On 60 queries of our own
(tests/retrieval) the rules put a right article first for 36, all bigrams for 31; with the table of everyday
words, which was written with these queries in view, the rules and SudachiPy for 45 each. The rules give the
same results on every machine and are the default.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from lawqa.errors import MissingExtraError
from lawqa.retrieval.queries.everyday import STATUTORY

_SCRIPTS = re.compile("[一-龠々〆]+|[ァ-ヴー]+|[ぁ-ゖー]+|[0-9A-Za-z%/.]+")
_KANJI = re.compile("[一-龠々〆]+")
_HIRAGANA = re.compile("[ぁ-ゖー]+")
_OPENS_THREE = "不無未非再被要準"
"""Prefixes: 債務不履行 is 債務 and 不履行."""
_KANA = "いきしちりみえけせてめれげじびぎ"
_OKURIGANA = re.compile(f"(?<=[一-龠々])[{_KANA}](?=[一-龠々])|(?<=[一-龠々])[{_KANA}]$")
_CONTENT = ("名詞", "動詞", "形容詞", "形状詞")
_FUNCTION_WORDS = frozenset(
    (
        "する",
        "なる",
        "ある",
        "いる",
        "れる",
        "られる",
        "こと",
        "もの",
        "ため",
        "とき",
        "よう",
        "できる",
    )
)

Cut = Callable[[str], Sequence[str]]
"""From a text to its words."""


def words_of(text: str, cut: Cut | None = None) -> list[str]:
    """Return the words of a short query that carry meaning, each once, in order.

    Args:
        text: the query without names of statutes.
        cut: how a text is cut into words; the rules if None.
    """
    cut = cut or by_rules
    return list(dict.fromkeys(word for part in text.split() for word in cut(part)))


def other_spellings(text: str) -> list[str]:
    """Return what a statute may write instead: terms for everyday words, stems without kana
    (取り消し: 取消).
    """
    spellings: list[str] = []
    for everyday, statutory in STATUTORY.items():
        if everyday in text:
            spellings += statutory
    for part in re.findall("[一-龠々ぁ-ゖ]+", text):
        bare = _OKURIGANA.sub("", part)
        if bare != part:
            spellings += [run for run in _KANJI.findall(bare) if len(run) > 1 and run not in text]
    return list(dict.fromkeys(spellings))


@lru_cache(1)
def sudachi_cut() -> Cut:
    """Return SudachiPy in its shortest mode, with the normalised forms of its words.

    Raises:
        MissingExtraError: it, or its dictionary, is not installed.
    """
    try:
        sudachi = importlib.import_module("sudachipy")
        importlib.import_module("sudachidict_core")
    except ImportError as problem:
        raise MissingExtraError(str(problem.name or "sudachipy"), "words") from None
    tokenizer = sudachi.Dictionary(dict="core").create()
    mode: object = sudachi.SplitMode.A

    def by_sudachi(text: str) -> list[str]:
        words: list[str] = []
        for morpheme in tokenizer.tokenize(text, mode):
            word = morpheme.surface()
            if morpheme.part_of_speech()[0] in _CONTENT and word not in _FUNCTION_WORDS:
                words += dict.fromkeys((word, morpheme.normalized_form()))
        return words

    return by_sudachi


def by_rules(text: str) -> list[str]:
    """Return words by script: kanji in pairs, katakana and letters whole, hiragana where there is nothing
    else.
    """
    runs = _SCRIPTS.findall(text)
    others = [run for run in runs if not _HIRAGANA.fullmatch(run)]
    if not others:
        return [run for run in runs if len(run) > 1]
    words: list[str] = []
    for run in others:
        words += _pairs(run) if _KANJI.fullmatch(run) else [run]
    return words


def _pairs(run: str) -> list[str]:
    """Return a run of kanji as words: mostly two characters, three after a prefix or at the end."""
    words = []
    while len(run) > 3:
        size = 3 if run[0] in _OPENS_THREE or (len(run) == 5 and run[2] not in _OPENS_THREE) else 2
        words.append(run[:size])
        run = run[size:]
    return [*words, run] if run else words
