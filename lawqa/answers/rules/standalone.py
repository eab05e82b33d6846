"""Rules that read a label standing by itself: on a line of its own, or opening the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from lawqa.answers.context import doubtful, questioned
from lawqa.answers.labels import (
    FORM,
    MARK,
    SCRIPTS,
    in_a_list,
    label_at,
    labels_at,
    next_heads_item,
    next_sign,
)
from lawqa.answers.marks import Mark, Strength
from lawqa.answers.negation import denied
from lawqa.answers.slots import Reading
from lawqa.answers.text.page import Page

_MOST = 2000
_CIRCLED = frozenset("○◯〇⭕✓✔✅☑◎")
"""A letter with one of these is a row of a table of verdicts."""
_NAMED = r"(?:(?:選択肢|option|choice) ?)?"
_LONE_LINE = re.compile(
    r"\n[ >→#]{0,8}(?:(?:選択肢|option|choice) ?)?[ (\[\"'$]{0,4}"
    rf"([{MARK}])[)\]\"'$]{{0,4}}[ .。、!]{{0,20}}(?:です|である)?[ 。.)]{{0,6}}(?=\n|\Z)"
)
_HEADED = re.compile(
    rf"[:→] {{0,3}}{_NAMED}[ (\[\"'$]{{0,4}}([{MARK}])"
    r"[ )\]\"'$.。]{0,8}(?:です|である)?[ 。.]{0,8}(?=\n|\Z)"
)
_HEAD = re.compile(r"[ >#\-]{0,6}([^\n:。、]{1,24}?)\)? {0,3}\Z")
_NO_HEAD = re.compile(
    rf"(?:\A|[ )→-])[{MARK}]\Z|例|理由|根拠|候補|比較|参考|除|以外|(?:正解|正答|答え)では?な|不正解|誤答"
    r"|incorrect|wrong|example|reason|excluded|discarded|format|role|task|output|input|goal"
    r"|constraint|instruction"
    r"|形式|書式|フォーマット|格式|サンプル|見本|イメージ|テンプレート|ひな形|sample|template|^如$|^比如$|^step|手順|注意"
)
_SUCCESSIONS = [script[i : i + 2] for script in SCRIPTS for i in range(3)]
_ITEM = re.compile(rf"\n[ >\-#(]{{0,6}}(?:選択肢|option |choice )? ?([{MARK}])[ )]{{0,4}}[.:、→]")
_HEADING = re.compile(r"\n[ >\-→]{0,8}#")
_OPENING = re.compile(
    rf"[\s?:。、)(\"'\[>\-]{{0,12}}(?:(?:たぶん|多分|おそらく|恐らく|きっと|はい)、?)?"
    rf"(?:選択肢|option |choice )? ?[(\"']{{0,2}}([{FORM}])[)\]\"']{{0,2}}"
    r"(?P<rest> {0,3}(?:[.:、。)→]|で(?:す|ある|しょう)|だ(?:。|と|ろう)"
    r"|が(?=、?[^。、\n]{0,10}?(?:正[し解答当]"
    r"|適[切当し]|妥当|該当|答|誤|間違|不適|良|よ[いさ]|望|近|有力|ふさわ|合致|一致|最|一番|唯一|無難"
    r"|濃厚))|と考え|と判断|\n|\Z|- "
    r"|, (?:i |because |since |as ))| {1,4}(?=[^\x00-\x7f])(?![はもをの])| {0,4}\()"
)
_SECOND = re.compile(rf"[)\]\"' ]{{1,3}}[(\[\"']{{1,2}}(?:選択肢)?[{MARK}e-h][)\]\"']")
_OTHER_ITEM = re.compile(
    rf"[)\]\"' ]{{0,3}}[.:、][^\n]{{1,200}}\n{{1,2}}[ >\-(]{{0,4}}[{MARK}e-h][)\]\"' ]{{0,3}}[.:、]"
)
_ONLY_NAMED = re.compile(
    r"[)\]\"'.:、 の]{1,5}[^。\n]{1,60}?(?:を(?:検討|考え|確認|見て)|の場合|かどうか|について"
    r"|で(?:は|も)?な[いか]"
    r"|は(?:誤|不適|間違|正しくな|該当し[なま])|が(?:誤り|正解)だと(?:する|仮定))"
)


def lone_line(reading: Reading) -> Iterator[Mark]:
    """A line that holds one letter and nothing else is an answer; a heading over an analysis is not."""
    page = reading.page
    text = "\n" + page.text
    for match in islice(_LONE_LINE.finditer(text), _MOST):
        at = match.start(1) - 1
        label = label_at(page, at)
        if label is None or _HEADING.match(text, match.start()) or _next_item(page, at):
            continue
        if _CIRCLED.isdisjoint(page.raw[match.start() : match.end() - 1]):
            yield Mark("claim", label, Strength.CLAIM, at, (at, at + 1), in_line=True)


def headed_line(reading: Reading) -> Iterator[Mark]:
    """A line such as `誤っているもの：c` or `Choice: b` hands in a letter under a heading of its own."""
    page = reading.page
    for match in islice(_HEADED.finditer(page.text), _MOST):
        line = page.text.rfind("\n", max(0, match.start() - 40), match.start()) + 1
        head = _HEAD.match(page.text, line, match.start())
        label = label_at(page, match.start(1))
        if head is None or label is None or in_a_list(page, match.start(1)):
            continue
        asked = head[1] == "a" and page.raw[head.start(1)] == "A"  # Q: … A: …
        if asked or not _NO_HEAD.search(head[1]):
            span = (head.start(1), match.end(1))
            yield Mark("claim", label, Strength.CLAIM, match.start(1), span, in_line=True)


def _next_item(page: Page, at: int) -> bool:
    """Return whether a letter at the very end continues a list (`a: … b: …`) that was cut off there."""
    if len(page.text) - at > 4:
        return False
    items = [match[1] for match in islice(_ITEM.finditer("\n" + page.text), _MOST)]
    return bool(items) and items[-1] + page.text[at] in _SUCCESSIONS


def opening_label(reading: Reading) -> Iterator[Mark]:
    """A prompt that ends in `回答：` is answered by the first sign of the text, whatever follows it."""
    page = reading.page
    match = _OPENING.match(page.text)
    labels = labels_at(page, match.start(1)) if match else None
    if match is None or labels is None or labels.only is None:
        return
    at, rest = match.start(1), match["rest"]
    if _SECOND.match(page.text, at + 1):
        return  # (b)(d)
    alone = "\n" in rest or match.end() == len(page.text)
    if not _CIRCLED.isdisjoint(page.raw[at : match.end()]):
        return
    if page.text[at] in "1234" and not alone:
        return  # a numbered list
    if denied(page.text, at + 1) or questioned(page.text, at + 1):
        return
    if not alone and _OTHER_ITEM.match(page.text, at + 1):
        return  # a: …, and on the next line e: …
    if not alone and _ONLY_NAMED.match(page.text, at + 1):
        return
    if (not alone or "-" in match[0][: at - match.start()]) and _begins_the_choices(page, at):
        return
    if doubtful(page.text, at + 1):
        soft = "soft-choice"
        yield Mark("claim", labels.only, Strength.FORCED, at, (at, at + 1), soft=soft)
        return
    yield Mark("claim", labels.only, Strength.CLAIM, at, (at, at + 1), in_line=True)


def _begins_the_choices(page: Page, at: int) -> bool:
    """Return whether the next label heads a later line or item: then the text goes through the choices."""
    if label_at(page, at) in (None, "d"):
        return False
    following = next_sign(page, at)
    line = rf"\n[ >\-#(]{{0,6}}(?:選択肢|option |choice )?{following}[ )]?[.:、,)→ は\n]"
    return re.search(line, page.text) is not None or next_heads_item(page, at, len(page.text))
