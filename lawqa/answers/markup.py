"""Signs that carry no words: markup, zero-width characters, marks of direction, long runs of space."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lawqa.answers.mapping import Edit

_UNSEEN = (
    "\x00\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff"
)
_NAME = (
    r"(?:final[_ -]?|correct[_ -]?|selected[_ -]?|chosen[_ -]?|predicted[_ -]?)?"
    r"(?:answer|choice|option|selection|selected|letter|label|response|result|回答|解答|答え|正解)"
    r"(?:[_ -]?(?:letter|label|option|choice|key|id|value))?"
)
_STYLE = r"(?:strong|em|span|font|mark|code|center|small|big|ins|sup|sub|p|div|h[1-6]|td|th|li)"
_EDITS = re.compile(
    rf"(?P<unseen>[{_UNSEEN}]+)"
    # what is struck out; _c_
    r"|(?P<struck>~~[^~\n]{1,80}~~|<(?P<cut>del|s|strike)>[^<\n]{1,80}</(?P=cut)>)"
    r"|(?P<under>(?<!\w)_{1,3}(?=[a-dA-D]_)|(?<=_[a-dA-D])_{1,3}(?!\w))"
    r"|(?P<run>(?<=[^\S\n\r]{3})[^\S\n\r]+)"
    # <b>c</b>: as a pair it is bold print; alone it may be a label in brackets
    r"|(?P<bold><(?P<tag>[biuBIU])>(?=[^<\n]{0,300}</(?P=tag)>)|</[biuBIU]>)"
    rf"|(?P<style></?(?i:{_STYLE})(?:\s[^<>\n]{{0,200}})?>)"
    r"|(?P<line><(?i:br|hr|tr|/tr|table|/table|ul|/ul|ol|/ol)(?:\s[^<>\n]{0,200})? ?/?>)"
    # <answer>b</answer>, <parameter name="choice">b</parameter>, <arg_key>answer</arg_key><arg_value>b
    rf"|(?P<element><(?i:{_NAME})(?:\s[^<>\n]{{0,100}})?>"
    rf"|<(?:\w{{1,12}}:)?parameter(?:=| name=)[\"']?(?i:{_NAME})[\"']?>"
    rf"|<arg_key>\s{{0,4}}(?i:{_NAME})\s{{0,4}}</arg_key>\s{{0,4}}<arg_value>)"
    rf"|(?P<closing></(?i:{_NAME}|(?:\w{{1,12}}:)?parameter|arg_value)>)"
)
_ANY = re.compile(rf"[<{_UNSEEN}]|~~|_[a-dA-D]_|[^\S\n\r]{{4}}")
CUE = "\nAnswer: "
"""What an element named as the answer reads like."""


def markup_edits(text: str) -> Iterator[Edit]:
    """The edits that take such signs out, and turn an element named as the answer into an answer line."""
    if not _ANY.search(text):
        return
    for found in _EDITS.finditer(text):
        kind = found.lastgroup
        if kind == "element":
            yield Edit(found.start(), found.end(), text=CUE)
        elif kind in ("line", "closing"):
            yield Edit(found.start(), found.end(), text="\n")
        else:
            yield Edit(found.start(), found.end())
