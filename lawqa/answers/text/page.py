"""The text as the rules see it: folded to plain forms, thinking left out, a looping tail shortened.

Folding keeps every character in its place, and what is left out is remembered, so that a span read here
can be traced back to the original. Nothing here knows what an answer looks like.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from lawqa.answers.text.keys import keys_in, pairs_in
from lawqa.answers.text.lazy import lazy
from lawqa.answers.text.mapping import Pieces, back_span, edited
from lawqa.answers.text.markup import markup_edits
from lawqa.answers.text.thoughts import spoken

_FOLDED_RANGES = (
    (0x2102, 0x2134),  # letterlike symbols
    (0x2460, 0x24FF),  # circled and bracketed digits and letters
    (0x32D0, 0x32FE),  # circled katakana
    (0xFF01, 0xFF9D),  # full-width Latin, half-width katakana
    (0x1D400, 0x1D7FF),  # mathematical letters and digits (LaTeX-minded models)
    (0x1F110, 0x1F149),  # bracketed and squared letters
)
# Circled digits keep a form of their own: they are labels far more surely than plain digits are.
_CIRCLED = {"①": "①⑴⒈❶➀➊⓵", "②": "②⑵⒉❷➁➋⓶", "③": "③⑶⒊❸➂➌⓷", "④": "④⑷⒋❹➃➍⓸"}
_CIRCLED |= {"⑤": "⑤⑸⒌❺➄➎⓹", "⑥": "⑥⑹⒍❻➅➏⓺", "⑦": "⑦⑺⒎❼➆➐⓻", "⑧": "⑧⑻⒏❽➇➑⓼"}
_CIRCLED |= {"⑨": "⑨⑼⒐❾➈➒⓽", "⑩": "⑩⑽⒑❿➉➓⓾"}
_ALIKE = {
    # with the letters of other scripts that look the same
    "a": "🅐🅰аАΑ",
    "b": "🅑🅱ВΒ",
    "c": "🅒🅲сСϹϲ",
    "d": "🅓🅳ԁ",
    "Ⅰ": "ⅰ",
    "Ⅱ": "ⅱ",
    "Ⅲ": "ⅲ",
    "Ⅳ": "ⅳ",
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
_FOLDED = {chr(code): plain for code, plain in _FOLD.items()}
_SPECIAL = frozenset(_FOLDED)
_CAPITALS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_USUAL = frozenset("（）「」『』【】〈〉《》〔〕，：；？！．％＝／＋～〜“”‘’–—•→⇒①②③④⑤\u3000*`\t\r")
_ODD = re.compile(
    f"[{re.escape(''.join(sorted(_USUAL)))}"
    "\x00\x0b\x0c\x80-\xd6\xd8-\u2012\u2015-\u2017\u201a\u201b\u201e-\u2025\u2027-\u203a\u203c-\u2190"
    "\u2194-\u245f\u2465-\u2fff\u3003-\u3007\u3016-\u3040\u3130-\u318f\u3200-\u33ff\ua000-\uabff\ud800-\uffff"
    "\U00010000-\U0010ffff]"
)
"""Signs other than capital letters that are folded, have small letters of their own, or are not seen."""
_MANY = 64
"""Of more special signs than this each is looked up, instead of one replaced after another."""
# Special tokens of any family; those written like a tag of HTML only where no prose follows.
_CHAT_TOKEN = re.compile(
    r"<(?:[|｜](?![ /])[^<>|｜\n]{1,40}[|｜]>"
    r"|(?:/s|eo[ast]|(?:start|end)_of_turn|pad|unused[0-9]{1,3})>(?=[ \t]*(?:[\r\n<]|\Z)"
    r"|(?:model|user)\b)"
    r"|s>(?<=\A<s>))"
    r"(?:(?:assistant|model|user|system)(?=[\s<]|\Z))?"
    r"|\[/?INST\]"
)
_SHOWN = re.compile(r"(?:例如|比如|格式|之间|形式|例：|例:|e\.g\.)[^\n]{0,36}\Z")
_QUOTED = re.compile(r"[`「『“\"'（(][<\[]")
_LETTER = re.compile(r"[a-hj①-⑩ア-オカキ](?<![a-z0-9_\\][a-hj])(?![a-z0-9_])")
_WORDS = re.compile(r"[a-z][a-z](?:[,.:;]? |[:'])[a-z(\[\"']")
_MOST_LETTERS = 500
_BRACKETS = frozenset(" ()[]{}\"'<>$")
_CLOSING = re.compile(r"[ ()\[\]{}\"'<>$]{0,6}")
_IN_WORD = re.compile(r"[a-zA-Z\\](?=[a-zA-Z])")
_SHORTEST_LOOP = 200
_LOOP_SAMPLE = 48
_LOOP_KEPT = 3

_MOST_SCANNED = 150_000
"""Of a longer text the middle is not even searched for marks of thinking."""

MOST_CHARACTERS = 50_000
"""Of a longer text, loops left out, the first and the last half of this number are read.

No reply is so long: of 32,768 tokens, all that Qwen3 writes (60,000 Japanese characters), most are thinking.
"""


@dataclass(frozen=True)
class Page:
    """One completion, ready to be read.

    Args:
        raw: what the model said outside of think blocks, in this turn, a loop shortened; a gap is a line end.
        text: the same, folded, and equally long.
        choices: the choice texts as given; empty where they are not known.
        unclosed_think: the text ends inside a think block.
        maps: the pieces that lead from `text` to the text given to `parse`, the last edit first.
    """

    raw: str
    text: str
    choices: tuple[str, ...] = ()
    unclosed_think: bool = False
    maps: tuple[Pieces, ...] = ()

    @lazy
    def letters(self) -> list[int]:
        """Where a sign is that may be a label; of many the first and the last."""
        places = [match.start() for match in _LETTER.finditer(self.text)]
        return (
            places
            if len(places) <= 2 * _MOST_LETTERS
            else places[:_MOST_LETTERS] + places[-_MOST_LETTERS:]
        )

    @lazy
    def behind(self) -> dict[str, list[int]]:
        """Where the letters are, by the sign behind each, brackets that close on it left out."""
        places: dict[str, list[int]] = {}
        text, skip = self.text, _CLOSING.match
        for at in self.letters:
            sign = text[at + 1 : at + 2]
            if sign in _BRACKETS:
                closing = skip(text, at + 1)
                end = closing.end() if closing else at + 1
                sign = text[end : end + 1]
            places.setdefault(sign, []).append(at)
        return places

    @lazy
    def english(self) -> bool:
        """Whether anything may be English: a word with another or a letter behind it."""
        return _WORDS.search(self.text) is not None

    @lazy
    def pairs(self) -> set[str]:
        """The pairs of signs of `text` at which key words are looked for."""
        return pairs_in(self.text)

    @lazy
    def keys(self) -> frozenset[str]:
        """The key words of all wordings that `text` holds."""
        return keys_in(self.text, self.pairs, english=self.english)

    @lazy
    def early_keys(self) -> frozenset[str]:
        """Those of them that are looked for before it is known whether a rule has to read the text."""
        return keys_in(self.text, self.pairs, english=self.english, early=True)

    def holds(self, keys: frozenset[str]) -> bool:
        """Return whether `text` holds one of these early keys."""
        return not keys.isdisjoint(self.early_keys)

    def original_span(self, span: tuple[int, int]) -> tuple[int, int]:
        """Return where a span of `text` is in the text given to `parse`."""
        for pieces in self.maps:
            span = back_span(pieces, span)
        return span


def plain_characters(text: str) -> str:
    """Return the text in plain forms (ASCII letters in lower case, plain brackets), character by character.

    Args:
        text: any text.
    """
    return _fold(text, set(_ODD.findall(text)))


def _fold(text: str, odd: set[str]) -> str:
    """Return the folded text, given the odd ones of its signs; there may be others among them."""
    if _USUAL.issuperset(odd):  # then only ASCII letters have small forms
        text = text.lower()
    else:
        odd = odd | _CAPITALS
    special = _FOLDED.keys() & odd
    if len(special) > _MANY:
        return text.translate(_FOLD)
    for sign in special:  # several times faster than `translate` for a text in few special signs
        text = text.replace(sign, _FOLDED[sign])
    return text


@lru_cache(maxsize=4096)
def fold_choices(choices: tuple[str, ...]) -> tuple[str, ...]:
    """Return the choice texts in plain forms; many texts answer one question."""
    return tuple(plain_characters(choice) for choice in choices)


def read_page(raw: str, choices: tuple[str, ...] = (), *, in_thought: bool = False) -> Page:
    """Prepare a completion: leave out thinking, other turns and the length of a loop; fold the rest.

    Args:
        raw: the completion.
        choices: the choice texts, if known.
        in_thought: the completion begins inside a thought, because its prompt left one open.
    """
    scanned = _ends(raw, [(0, _without_loop(raw))], _MOST_SCANNED)
    heard = spoken(_join(raw, scanned), inside=in_thought)
    kept = _within(scanned, heard.ranges)
    text = _join(raw, kept)
    first, last = _turn(text)
    last = first + _without_loop(text[first:last])
    kept = _ends(raw, _within(kept, [(first, last)]), MOST_CHARACTERS)
    said, pieces, here = _join(raw, kept), [], 0
    for begin, end in kept:
        pieces.append((here, begin))
        here += end - begin + 1
    maps: tuple[Pieces, ...] = (pieces or [(0, 0)],)
    odd = set(_ODD.findall(said))
    edits = markup_edits(said, "".join(odd))
    if edits:
        (said,), unmarked = edited([said], edits)
        maps = (unmarked, *maps)
    return Page(said, _fold(said, odd), choices, heard.open, maps)


def _join(raw: str, ranges: list[tuple[int, int]]) -> str:
    return "\n".join([raw[first:last] for first, last in ranges])


def _within(
    ranges: list[tuple[int, int]], stretches: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Return the ranges that make up these stretches of the joined text; both in order."""
    kept: list[tuple[int, int]] = []
    number, here = 0, 0  # `here` is where the range of this number begins in the joined text
    for first, last in stretches:
        while number < len(ranges):
            begin, end = ranges[number]
            low, high = max(first, here), min(last, here + end - begin)
            if low < high:
                kept.append((begin + low - here, begin + high - here))
            if here + end - begin >= last:
                break  # the next stretch may lie in the same range
            here += end - begin + 1
            number += 1
    return kept


def _ends(raw: str, ranges: list[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Return the ranges, or the first and the last half of that many characters of them.

    No word of Latin letters is cut: the b of a box that was cut is not a label.
    """
    size = sum(end - begin + 1 for begin, end in ranges) - 1
    if size <= most:
        return ranges
    *head, (begin, end) = _within(ranges, [(0, most // 2)])
    while begin < end and _IN_WORD.match(raw, end - 1):
        end -= 1
    (first, last), *tail = _within(ranges, [(size - most // 2, size)])
    while first < last and _IN_WORD.match(raw, first - 1):
        first += 1
    return [*head, (begin, end), (first, last), *tail]


def _turn(text: str) -> tuple[int, int]:
    """Return the stretch of the assistant's turn, without space around it; what follows answers another
    prompt.
    """
    first, last = 0, len(text)
    for token in () if "<" not in text and "[" not in text else _CHAT_TOKEN.finditer(text):
        start = token.start()
        if _QUOTED.match(text, max(0, start - 1)) or _SHOWN.search(text, max(0, start - 40), start):
            continue  # named in prose, or in an example of the format
        if text[first:start].strip():
            last = start
            break
        first = token.end()
    said = text[first:last]
    return first + len(said) - len(said.lstrip()), first + len(said.rstrip())


def _without_loop(text: str) -> int:
    """Return how much of the text to read where its tail repeats itself: a loop of any length costs the same.

    Whole periods are dropped, so that what is left still ends where the model was cut off.
    """
    size = len(text)
    if size < _SHORTEST_LOOP:
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
