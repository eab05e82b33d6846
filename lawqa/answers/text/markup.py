"""Signs that carry no words: markup, zero-width characters, marks of direction, long runs of space."""

from __future__ import annotations

import re

from lawqa.answers.text.mapping import Edit

_UNSEEN = (
    "\x00\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff"
)
_NAME = (
    r"(?:final[_ -]?|correct[_ -]?|selected[_ -]?|chosen[_ -]?|predicted[_ -]?)?"
    r"(?:answer|choice|option|selection|selected|letter|label|response|result|output|solution|回答|解答|答え|正解)"
    r"(?:[_ -]?(?:letter|label|option|choice|key|id|value))?"
)
_STYLE = r"(?:strong|em|span|font|mark|code|center|small|big|ins|sup|sub|p|div|h[1-6]|td|th|li)"
_SPACE = " \t\u3000\xa0\u1680\u2000-\u200a\u202f\u205f"
_NOTHING = re.compile(rf"[{_UNSEEN}]+")
_BLANK = re.compile(rf"[{_SPACE}]")
_BLANKS = re.compile(rf"[{_SPACE}]{{9,}}")
_TAGS = re.compile(
    # what is struck out
    r"<(?:(?P<struck>(?P<cut>del|s|strike)>[^<\n]{1,80}</(?P=cut)>)"
    # <b>c</b>: as a pair it is bold print; alone it may be a label in brackets
    r"|(?P<bold>(?P<tag>[biuBIU])>(?=[^<\n]{0,300}</(?P=tag)>)|/[biuBIU]>)"
    rf"|(?P<style>/?(?i:{_STYLE})(?:\s[^<>\n]{{0,200}})?>)"
    r"|(?P<line>(?i:br|hr|tr|/tr|table|/table|ul|/ul|ol|/ol)(?:\s[^<>\n]{0,200})? ?/?>)"
    # <answer>b</answer>, <parameter name="choice">b</parameter>, <arg_key>answer</arg_key><arg_value>b
    rf"|(?P<element>(?i:{_NAME})(?:\s[^<>\n]{{0,100}})?>"
    rf"|(?:\w{{1,12}}:)?parameter(?:=| name=)[\"']?(?i:{_NAME})[\"']?>"
    rf"|arg_key>\s{{0,4}}(?i:{_NAME})\s{{0,4}}</arg_key>\s{{0,4}}<arg_value>)"
    rf"|(?P<closing>/(?i:{_NAME}|(?:\w{{1,12}}:)?parameter|arg_value)>))"
)
_STRUCK = re.compile(r"~~[^~\n]{1,80}~~")
_UNDERLINED = re.compile(r"_(?<!\w_)_{0,2}(?=[a-dA-D]_)|_(?<=_[a-dA-D]_)_{0,2}(?!\w)")
CUE = "\nAnswer: "
"""What an element named as the answer reads like."""


def markup_edits(text: str, odd: str) -> list[Edit]:
    """Return the edits that take such signs out, and turn an element named as the answer into an answer line.

    Args:
        text: any text.
        odd: signs of it, all those among them that are not seen, and all blanks but the space.
    """
    edits: list[Edit] = []
    if _NOTHING.search(odd):
        edits += [Edit(*match.span()) for match in _NOTHING.finditer(text)]
    if 9 * " " in text or _BLANK.search(odd):
        edits += [
            Edit(match.start() + 3, match.end(), kept=(0, 0)) for match in _BLANKS.finditer(text)
        ]
    if "<" in text:
        edits += [_tag_edit(match) for match in _TAGS.finditer(text)]
    if "~~" in text:
        edits += [Edit(*match.span()) for match in _STRUCK.finditer(text)]
    if "_" in text:
        edits += [Edit(*match.span()) for match in _UNDERLINED.finditer(text)]
    return sorted(edits, key=lambda edit: edit.start)


def _tag_edit(match: re.Match[str]) -> Edit:
    replacement = {"element": CUE, "line": "\n", "closing": "\n"}
    return Edit(*match.span(), text=replacement.get(match.lastgroup or "", ""))
