"""Stretches of the text that speak of another question: made-up prompts and worked examples."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from lawqa.answers.context import SAMPLE
from lawqa.answers.marks import Mark, Strength
from lawqa.answers.question_headings import (
    ASKED_AGAIN,
    ASKS,
    ASKS_KEYS,
    NEXT,
    QUESTION,
    SENTENCE_NEXT,
)
from lawqa.answers.text.keys import early_keys
from lawqa.answers.text.page import Page, fold_choices
from lawqa.answers.wording import word

_MOST = 50
_SHORT_PARAGRAPH = 200
_INLINE = re.compile(
    r"(?:[?:。]|か(?=[ 。(a])|は(?=[ (a:])|ください|なさい|せよ|选"
    r"|選)[ \n(\[]{0,4}a(?P<sign>[.):、,])[^\n]{1,400}?[ ;,。、.)(]b(?P=sign)"
    r"[^\n]{1,400}?[ ;,。、.)(]c(?P=sign)[^\n]{1,400}?[ ;,。、.)(]d(?P=sign)(?P<last>[^\n]{1,400})"
)
_ASKED = re.compile(
    r"\?|どれか|いずれか|どの|何か|選[びべ]|选|下列|次の(?:うち|中)|以下の?(?:うち|中|哪)|哪|何者"
    r"|which|what|who|correct|¿|cuál"
)
_LINE_ENDS = re.compile(r"[)\]\"'$ ]{0,4}(?:[.:、]|[.。]?[ ]?(?:\n|\Z))")
_VERDICT = re.compile(
    r"a[.):、,] {0,2}(?:[正誤×○不妥適对错]|(?:in)?correct|wrong|right|true|false)"
)
_CHOICES = re.compile(
    "".join(rf"\n[ >\-(]{{0,6}}{label}[ .):、][^\n]{{2,600}}(?=\n)\n{{0,1}}" for label in "abc")
    + r"\n[ >\-(]{0,6}d[ .):、][^\n]{2,600}"
)
_EXAMPLE = re.compile(
    r"\n {0,3}#{1,6} {0,3}(?:\d{1,2}\. {0,3})?(?:worked |concrete )?"
    r"(?P<section>examples?\b|sample\b|例|具体例)[^\n]{0,80}"
    rf"|\n[ >\-]{{0,4}}[(\[]?(?:参考例|{SAMPLE})[ \d)\]]{{0,4}}:?[ )\]]{{0,3}}(?=\n)"
    r"|\n[^\n.。:]{2,60}(?:look like this|in this format|as follows in form|in the following format"
    r"|in this form)[ .:]{0,3}(?=\n)"
)
_TOLD = re.compile(
    rf"(?:let's say|{word('suppose', 'imagine', 'assume')})(?: that)? (?:the|a"
    rf"|your)(?: \w{{1,20}})? "
    r"question (?:was|is|were|asks|reads|had)"
)
_GIVEN = re.compile(
    r"(?:下面|以下|如下)(?:是|为)?(?:一个|几个)?(?:例子|示例|样例)|(?:以下|次)(?:に|は)、?(?:回答"
    r"|解答|出力)?例(?:を|です|で)"
    r"|here(?:'s| is) an example(?: of|:)|the (?:following )?example below"
)
"""What hands over an example with question and answer, up to the words that put the real question."""
_GIVEN_END = re.compile(
    r"\n[ >#]{0,4}(?:请|现在|问题|题目|では|それでは|質問|問題|now|question|your turn)"
)
_EXAMPLE_KEYS = early_keys(
    "例|サンプル|見本|イメージ|テンプレート|ひな形|雛形|雛型|書き方|書きかた|形式|書式|フォーマット|期待|想定|望ましい|指定|求められ"
    "|格式|模板|范例|example|sample|format|template|expected|desired|required|this form|look like this"
    "|let's say|suppose|imagine|assume"
)
_GIVEN_KEYS = early_keys("例子|示例|样例|例を|例です|例で|an example|example below")
_SENTENCE_KEYS = early_keys("の問題|の質問|の設問|next question")
_SECTION_END = re.compile(r"\n {0,3}(?:#{1,6}[^#]|-{3,} {0,3}(?:\n|\Z))")
_PARAGRAPH_END = re.compile(r"(?<!\n)\n {0,8}\n")
_BLANK = re.compile(r"\s+")


def next_question_at(page: Page, marks: Sequence[Mark]) -> int | None:
    """Return where a prompt that the model makes up begins, if an answer comes before it; else None.

    A made-up prompt is headed as the next question, or lists four choices none of which is ours; where
    ours are not known, it is known by the heading of a question before its list.
    """
    claims = [m for m in marks if m.kind == "claim" and m.strength >= Strength.CLAIM]
    if not claims:
        return None
    cuts = (
        _headed_question_at(page, claims),
        _listed_choices_at(page, claims),
        _inline_choices_at(page, claims),
    )
    return min((cut for cut in cuts if cut is not None), default=None)


def speaks_of_others(page: Page) -> bool:
    """Return whether the text may speak of another question somewhere: an example, a heading, a list of
    choices.
    """
    text = page.text
    return (
        any(True for _ in example_stretches(page))
        or NEXT.search(text) is not None
        or QUESTION.search(text) is not None
        or _next_sentence_at(page, 0) is not None
        or (page.holds(ASKS_KEYS) and ASKS.search(text) is not None)
        or _CHOICES.search(text) is not None
        or (_may_list_inline(text) and _INLINE.search(text) is not None)
    )


_ITEMS = [("d" + sign, "c" + sign, "b" + sign) for sign in ".):、,"]


def _may_list_inline(text: str) -> bool:
    """Return whether all four choices may be listed in one line, each followed by the same sign."""
    return any(last in text and third in text and second in text for last, third, second in _ITEMS)


def _handed_in(page: Page, claims: list[Mark]) -> int | None:
    """Return the place behind the first answer line, answer sentence or lone letter; reasoning may come
    before all.
    """
    lone = ("lone-line", "headed-line")
    paragraph = page.text.find("\n\n")
    return min(
        (
            m.span[1]
            for m in claims
            if m.strength >= Strength.STATED
            or m.rule in lone
            or m.span[1] < paragraph <= _SHORT_PARAGRAPH
            or (m.rule == "opening-label" and _LINE_ENDS.match(page.text, m.span[1]))
        ),
        default=None,
    )


def _headed_question_at(page: Page, claims: list[Mark]) -> int | None:
    """Return where a heading announces another question behind an answer line; 次の問題：c is no such
    heading.
    """
    at = _handed_in(page, claims)
    if at is None:
        return None
    headings = (heading.span() for heading in NEXT.finditer(page.text, at))
    asks = ASKS.finditer(page.text, at) if page.holds(ASKS_KEYS) else ()
    asked = (_line_of(page.text, one.start(), at) for one in asks)
    cuts = [
        _first_of_others(page, headings),
        _first_of_others(page, (line for line in asked if line is not None)),
        _next_sentence_at(page, at),
    ]
    return min((cut for cut in cuts if cut is not None), default=None)


def _first_of_others(page: Page, questions: Iterator[tuple[int, int]]) -> int | None:
    """Return where the first of these questions begins that does not list our choices behind it."""
    for start, end in islice(questions, _MOST):
        if not (page.choices and _ours(page, page.text[end : end + 1500])):
            return start
    return None


def _line_of(text: str, at: int, low: int) -> tuple[int, int] | None:
    """Return the text from the line end before this place up to it; None where that line began before `low`
    or asks again.
    """
    start = text.rfind("\n", low, at)
    return None if start < 0 or ASKED_AGAIN.search(text, start, at) else (start, at)


def _next_sentence_at(page: Page, at: int) -> int | None:
    """Return where a sentence hands over another question, in the line of the answer."""
    handed = SENTENCE_NEXT.search(page.text, at) if page.holds(_SENTENCE_KEYS) else None
    return handed.start() if handed else None


def _inline_choices_at(page: Page, claims: list[Mark]) -> int | None:
    """Return where, behind an answer line, a question with its choices in one line begins
    (`…?A:…;B:…;C:…;D:…`).
    """
    at = _handed_in(page, claims)
    if at is None or not _may_list_inline(page.text):
        return None
    for listed in islice(_INLINE.finditer(page.text, at), _MOST):
        line = page.text.rfind("\n", at, listed.start()) + 1
        before = page.text[max(line, at) : listed.start() + 3]
        if _ASKED.search(before) and not _VERDICT.search(listed[0]):
            return max(line - 1, at)
    return None


def _listed_choices_at(page: Page, claims: list[Mark]) -> int | None:
    first = min(m.at for m in claims)
    heading = QUESTION.search(page.text, first)
    for choices in islice(_CHOICES.finditer(page.text, first), _MOST):
        headed = heading is not None and heading.start() <= choices.start()
        if headed if not page.choices else not _ours(page, choices[0]):
            return heading.start() if heading and headed else choices.start()
    return None


def _ours(page: Page, listed: str) -> bool:
    """Return whether one of the listed choices begins like one of the choices that were asked."""
    squeezed = "".join(filter(str.isalnum, listed))
    starts = ("".join(filter(str.isalnum, choice))[:60] for choice in fold_choices(page.choices))
    return any(start in squeezed for start in starts if start)


def example_stretches(page: Page) -> Iterator[tuple[int, int]]:
    """Yield where a worked example of another question is.

    A section headed as an example, or introduced by `let's say the question was`, lasts until the next
    heading or rule; a line that only says `例：` introduces one paragraph.
    """
    text = page.text
    if not page.holds(_EXAMPLE_KEYS):
        return
    given = page.holds(_GIVEN_KEYS)
    text = "\n" + text
    forms = islice(_TOLD.finditer(text), _MOST) if "question" in text else ()
    for match in islice(_GIVEN.finditer(text), _MOST) if given else ():
        end = _GIVEN_END.search(text, match.end())
        yield match.start() - 1, (end.start() if end else len(text)) - 1
    for match in (*islice(_EXAMPLE.finditer(text), _MOST), *forms):
        long = match.re is _TOLD or match["section"]
        blank = _BLANK.match(text, match.end())
        start = blank.end() if blank and not long else match.end()
        end = (_SECTION_END if long else _PARAGRAPH_END).search(text, start)
        yield match.start() - 1, (end.start() if end else len(text)) - 1
