"""Which stretches of a completion lie outside of the model's thinking, in the marks of every known family."""

from __future__ import annotations

import re
from typing import NamedTuple

from lawqa.thinking import FAMILIES

_CONSTRAINT = r"[^<\n]{0,60}(?:<\|constrain\|>[^<\n]{0,20})?"
# gpt-oss writes more than the two channels of the table: every one but `final` is thinking.
_CHANNELS = {
    "opening": rf"<\|channel\|> ?(?!final)[a-z]{{1,20}}{_CONSTRAINT}(?:<\|message\|>)?",
    "closing": r"<\|(?:end|call)\|>",
    "reply": rf"<\|channel\|> ?final{_CONSTRAINT}(?:<\|message\|>)?",
}
_CHANNELS_MARK = "<|channel|>"
# The same, decoded without its special tokens: analysisWe need to … assistantfinalb
_BARE = re.compile(r"\s{0,4}analysis(?=[A-Z\u3040-\u9fff])")
_BARE_REPLY = "assistantfinal"


def _forms(mark: str) -> tuple[str, ...]:
    """Return the patterns of a mark, each beginning with a literal sign: a tag is also written full width."""
    tag = re.fullmatch(r"<(/?)([a-z_:]+)>", mark)
    if not tag:
        return (re.escape(mark),)
    slash, name = "[/／]" if tag[1] else "", re.escape(tag[2])
    inside = rf"{slash} {{0,2}}(?i:{name}) {{0,2}}[>＞]"
    return f"<{inside}", f"＜{inside}"


def _patterns() -> list[tuple[str, str, str]]:
    """Return the family, kind and pattern of every mark."""
    rows = [("channels", kind, pattern) for kind, pattern in _CHANNELS.items()]
    for marks in FAMILIES:
        if _CHANNELS_MARK in marks.opening:
            continue
        # Models mix <think> and <thinking>: tags are one family.
        family = "tag" if _forms(marks.opening)[1:] else marks.opening
        for kind, mark in (
            ("opening", marks.opening),
            ("closing", marks.closing),
            ("reply", marks.reply.strip()),
        ):
            rows += [(family, kind, pattern) for pattern in _forms(mark) if mark]
    return rows


def _one_search() -> tuple[re.Pattern[str], dict[str, tuple[str, str]]]:
    """Return one pattern for all marks, and the family and kind of each of its groups."""
    by_sign: dict[str, list[str]] = {}
    meaning: dict[str, tuple[str, str]] = {}
    for family, kind, pattern in _patterns():
        name = f"m{len(meaning)}"
        meaning[name] = family, kind
        sign = pattern[: 2 if pattern[0] == "\\" else 1]
        by_sign.setdefault(sign, []).append(f"(?P<{name}>{pattern[len(sign) :]})")
    # The signs are literal, so that the search skips ahead to them.
    branches = (
        rf"{sign}(?=[/／ |]{{0,3}}\w)(?:{'|'.join(rest)})" for sign, rest in by_sign.items()
    )
    return re.compile("|".join(branches)), meaning


_MARK, _MEANING = _one_search()

_NOUN = (
    r"[ `」』”\"')）]{0,3}(?:タグ|ブロック|トークン|記号|マーク|标签|标记"
    r"|(?:tags?|tokens?|blocks?|markers?)\b)"
)
_NAMED = re.compile(_NOUN)
_NAMED_IN_LINE = re.compile(
    rf"{_NOUN}|[ `」』”\"')）]{{0,3}}(?:(?:と|や|を|の|は|が|で|に|から|まで)(?![a-dA-D])"
    r"|(?:and|or|to|is|are|then|之间|和)\b)"
)
_LINE_HEAD = re.compile(r"(?:\A|[\n\r>\]▷])[ \t]{0,8}\Z")
_NEAR = 200


class Spoken(NamedTuple):
    """What a text says outside of its thoughts.

    Args:
        ranges: half-open stretches of the text, in order.
        open: the text ends inside a thought.
    """

    ranges: list[tuple[int, int]]
    open: bool


def spoken(text: str, *, inside: bool = False) -> Spoken:
    """Find the stretches of a text that lie outside of thoughts, in time linear in the text.

    A closing mark without an opening one closes a thought that the prompt opened: all before it was
    thought. A mark that is only named in prose (`<think> タグ`) marks nothing.

    Args:
        text: any text.
        inside: the text begins inside a thought, because its prompt ended in an open one.
    """
    marked = (
        "<" in text or "[" in text or "＜" in text or "◁" in text
    )  # with one of these each mark begins
    if not inside and not marked and "analysis" not in text[:12]:
        return Spoken([(0, len(text))], open=False)
    bare = _BARE.match(text)
    if bare:
        reply = text.find(_BARE_REPLY)
        end = reply + len(_BARE_REPLY)
        return Spoken([], open=True) if reply < 0 else Spoken([(end, len(text))], open=False)
    ranges: list[tuple[int, int]] = []
    begin, named = 0, -_NEAR
    open_family = "?" if inside else ""
    for mark in _MARK.finditer(text):
        family, kind = _MEANING[mark.lastgroup or ""]
        start, end = mark.span()
        if kind == "opening":
            if open_family:
                continue
            if _only_named(text, start, end):
                named = end
                continue
            if begin < start:
                ranges.append((begin, start))
            open_family = family
        elif kind == "reply" or open_family in (family, "?"):
            ranges = ranges if kind == "closing" and open_family != "?" else []
            begin, open_family = end, ""
        elif not open_family and family != "channels":  # <|end|> ends turns as well
            if start - named < _NEAR or _NAMED.match(text, end):
                named = end
                continue
            ranges, begin = [], end
    if not open_family:
        ranges.append((begin, len(text)))
    return Spoken(ranges, bool(open_family))


def _only_named(text: str, start: int, end: int) -> bool:
    """Return whether prose names the opening mark here, instead of the model beginning to think."""
    if _LINE_HEAD.search(text, max(0, start - 12), start):
        return _NAMED.match(text, end) is not None
    return _NAMED_IN_LINE.match(text, end) is not None
