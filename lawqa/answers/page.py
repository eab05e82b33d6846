"""The text as the rules see it: folded to plain forms, thinking left out, a looping tail shortened.

Folding keeps every character in its place, and what is left out is remembered, so that a span read here
can be traced back to the original. Nothing here knows what an answer looks like.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass

_FOLDED_RANGES = (
    (0x2460, 0x24FF),  # circled and bracketed digits and letters
    (0x32D0, 0x32FE),  # circled katakana
    (0xFF01, 0xFF9D),  # full-width Latin, half-width katakana
    (0x1D400, 0x1D7FF),  # mathematical letters and digits (LaTeX-minded models)
    (0x1F110, 0x1F149),  # bracketed and squared letters
)
# Circled digits keep a form of their own: they are labels far more surely than plain digits are.
_CIRCLED = {"①": "①⑴⒈❶➀➊⓵", "②": "②⑵⒉❷➁➋⓶", "③": "③⑶⒊❸➂➌⓷", "④": "④⑷⒋❹➃➍⓸"}
_ALIKE = {
    "a": "🅐🅰",
    "b": "🅑🅱",
    "c": "🅒🅲",
    "d": "🅓🅳",
    "(": "「『【《〈〔〖｟｢",
    ")": "」』】》〉〕〗｠｣",
    ",": "，﹐",
    "、": "､",
    "。": "｡",
    ":": "：﹕꞉∶",
    "~": "〜～∼",
    "-": "–—―−‐‑‒",
    "→": "⇒➡⟶⟹➔➜➤▶►👉∴←",
    '"': "“”„‟",
    "'": "‘’",
    "\n": "\u2028\u2029\x85\x0b\x0c",
    # Emphasis, bullets and marks that say nothing about the answer. NUL and zero-width signs as well.
    " ": "*`\t\r\xa0\u3000\u2002\u2003\u2009\u200b\u200c\u200d\u2060\ufeff\ufe0e\ufe0f\u20e3\x00"
    "•●○◎■□◆◇★☆✅✔☑✓✨🔹🔸📌🎯",
}


def _fold_table() -> dict[int, str]:
    table: dict[int, str] = {}
    for first, last in _FOLDED_RANGES:
        for code in range(first, last + 1):
            folded = unicodedata.normalize("NFKC", chr(code)).lower()
            if len(folded) == 3 and folded[0] == "(":
                folded = folded[1]
            if len(folded) == 1:
                table[code] = " " if folded in _ALIKE[" "] else folded
    for forms in (_CIRCLED, _ALIKE):
        table.update({ord(char): plain for plain, chars in forms.items() for char in chars})
    table.update({code: chr(code).lower() for code in range(ord("A"), ord("Z") + 1)})
    return table


_FOLD = _fold_table()
_SPECIAL = frozenset(map(chr, _FOLD))
_THINK_TAG = re.compile(
    r"[<＜](?P<closing>[/／]?) {0,2}[tT][hH][iI][nN][kK](?:[iI][nN][gG])? {0,2}[>＞]"
)
_CHAT_TOKEN = re.compile(r"<(?:\|(?:im_start|im_end|endoftext|eot_id|end)\|>(?:assistant\b)?|/s>)")
_LOOP_SAMPLE = 48
_LOOP_KEPT = 3

MOST_CHARACTERS = 120_000
"""Of a longer text, loops left out, the first and the last half of so many are read.

No completion is so long: 32,768 tokens, all that Qwen3 writes, are about 60,000 Japanese characters.
"""


@dataclass(frozen=True)
class Page:
    """One completion, ready to be read.

    Args:
        raw: what the model said outside of think blocks, in this turn, a loop shortened; a gap is a line end.
        text: the same, folded, and equally long.
        choices: the choice texts as given; empty where they are not known.
        unclosed_think: the text ends inside a think block.
        pieces: pairs of offsets, in `text` and in the text given to `parse`, where each piece begins.
    """

    raw: str
    text: str
    choices: tuple[str, ...] = ()
    unclosed_think: bool = False
    pieces: tuple[tuple[int, int], ...] = ((0, 0),)

    def original_span(self, span: tuple[int, int]) -> tuple[int, int]:
        """Where a span of `text` stands in the text given to `parse`."""
        return self._original(span[0]), self._original(span[1] - 1) + 1

    def _original(self, at: int) -> int:
        here, there = self.pieces[max(0, bisect_right(self.pieces, (at, sys.maxsize)) - 1)]
        return there + at - here


def fold(text: str) -> str:
    """The text in plain forms (ASCII letters in lower case, plain brackets), character by character."""
    special = _SPECIAL.intersection(text)
    if len(special) > 64:
        return text.translate(_FOLD)
    for char in special:  # several times faster than `translate` for a text in few special signs
        text = text.replace(char, _FOLD[ord(char)])
    return text


def read_page(raw: str, choices: tuple[str, ...] = (), *, in_thought: bool = False) -> Page:
    """Prepare a completion: leave out thinking, other turns and the length of a loop; fold the rest.

    Args:
        raw: the completion.
        choices: the choice texts; empty where they are not known.
        in_thought: it begins inside a think block that its prompt opened.
    """
    spoken, unclosed = _spoken(raw, opened=in_thought)
    text = _join(raw, spoken)
    first, last = _turn(text)
    last = first + _without_loop(text[first:last])
    if last - first > MOST_CHARACTERS:
        half = MOST_CHARACTERS // 2
        spoken = _narrow(spoken, first, first + half) + _narrow(spoken, last - half, last)
    else:
        spoken = _narrow(spoken, first, last)
    said = _join(raw, spoken)
    pieces, here = [], 0
    for begin, end in spoken:
        pieces.append((here, begin))
        here += end - begin + 1
    return Page(said, fold(said), choices, unclosed, tuple(pieces))


def _join(raw: str, ranges: list[tuple[int, int]]) -> str:
    return "\n".join([raw[first:last] for first, last in ranges])


def _narrow(ranges: list[tuple[int, int]], first: int, last: int) -> list[tuple[int, int]]:
    """The ranges that make up this stretch of the joined text."""
    kept, here = [], 0
    for begin, end in ranges:
        shift = begin - here
        if max(begin, first + shift) < min(end, last + shift):
            kept.append((max(begin, first + shift), min(end, last + shift)))
        here += end - begin + 1
    return kept


def _spoken(raw: str, *, opened: bool) -> tuple[list[tuple[int, int]], bool]:
    """The stretches outside of think blocks, and whether a block stays open.

    An unopened `</think>` closes a block that the prompt opened: all before it was thought.
    """
    spoken: list[tuple[int, int]] = []
    begin = 0
    for tag in _THINK_TAG.finditer(raw):
        if tag["closing"]:
            if not opened:
                spoken = []
            begin, opened = tag.end(), False
        elif not opened:
            if begin < tag.start():
                spoken.append((begin, tag.start()))
            opened = True
    if not opened:
        spoken.append((begin, len(raw)))
    return spoken, opened


def _turn(text: str) -> tuple[int, int]:
    """The stretch of the assistant's turn, without space around it; what follows answers another prompt."""
    first, last = 0, len(text)
    for token in _CHAT_TOKEN.finditer(text):
        if text[first : token.start()].strip():
            last = token.start()
            break
        first = token.end()
    said = text[first:last]
    return first + len(said) - len(said.lstrip()), first + len(said.rstrip())


def _without_loop(text: str) -> int:
    """How much of the text to read where its tail repeats itself: a loop of any length costs the same.

    Whole periods are dropped, so that what is left still ends where the model was cut off.
    """
    size = len(text)
    if size < 1000:
        return size
    before = text.rfind(text[size - _LOOP_SAMPLE :], 0, size - 1)
    if before < 0:
        return size
    period = size - _LOOP_SAMPLE - before
    start, failed = size - _LOOP_SAMPLE, 0
    while start - failed > 1:  # binary search for where the tail begins to repeat
        middle = (start + failed) // 2
        if middle >= period and text[middle:] == text[middle - period : size - period]:
            start = middle
        else:
            failed = middle
    periods = (size - start) // period - _LOOP_KEPT
    return size - max(0, periods) * period
