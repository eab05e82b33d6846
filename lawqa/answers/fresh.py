"""Stretches of the text that speak of another question: made-up prompts and worked examples."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from lawqa.answers.marks import Mark, Strength
from lawqa.answers.page import Page, fold
from lawqa.answers.wording import word

_MOST = 50
_QUESTION = re.compile(
    r"\n[ #>\-]{0,6}(?:"
    r"\(?(?:質問|問題文?|設問|問い|例題|question|problem|user|human|ユーザー|法令条文|参考(?:条文|法令)|関連(?:条文|法令)|条文)"
    r" ?(?:(?:\d{1,3}|[:)])[^\n]{0,400}|(?=\n))"
    r"|(?:user|human)(?=\n)"
    r"|(?:以下|次)の[^\n]{0,80}(?:答え|回答|解答|選択|選び|選ん)[^\n]{0,60}(?:ください|下さい|なさい|せよ)[^\n]{0,40}"
    r"|(?:あなたは|you are)[^\n]{3,200})(?=\n|\Z)"
)
_NEXT = re.compile(
    r"\n[ #>\-]{0,6}(?:(?:次|別)の(?:問題|設問|質問|問い?)"
    r"|(?:問題|設問|質問|問|question|problem) ?(?:[2-9]|1[0-9]|[二三四五])"
    r"|第 ?[2-9二三四五]問|(?:next|another|new) (?:question|problem))[ ).]{0,3}[:。\n]"
)
_CHOICES = re.compile(
    "".join(rf"\n[ >\-(]{{0,6}}{label}[ .):、][^\n]{{2,600}}(?=\n)\n{{0,1}}" for label in "abc")
    + r"\n[ >\-(]{0,6}d[ .):、][^\n]{2,600}"
)
_EXAMPLE = re.compile(
    r"\n {0,3}#{1,6} {0,3}(?:\d{1,2}\. {0,3})?(?:worked |concrete )?"
    r"(?P<section>examples?\b|sample\b|例|具体例)[^\n]{0,80}"
    r"|\n[ >\-]{0,4}\(?(?:example|例題?|回答例|出力例|解答例|参考例)[ \d)]{0,4}:?[ )]{0,3}(?=\n)"
)
_TOLD = re.compile(
    rf"(?:let's say|{word('suppose', 'imagine', 'assume')})(?: that)? (?:the|a|your)(?: \w{{1,20}})? "
    r"question (?:was|is|were|asks|reads|had)"
)
_SECTION_END = re.compile(r"\n {0,3}(?:#{1,6}[^#]|-{3,} {0,3}(?:\n|\Z))")
_PARAGRAPH_END = re.compile(r"(?<!\n)\n {0,8}\n")
_BLANK = re.compile(r"\s+")


def fresh_prompt_at(page: Page, marks: Sequence[Mark]) -> int | None:
    """Where a prompt that the model makes up begins, if an answer stands before it; else None.

    A made-up prompt is headed as the next question, or lists four choices none of which is ours; where
    ours are not known, it is known by the heading of a question before its list.
    """
    claims = [m for m in marks if m.kind == "claim" and m.strength >= Strength.CLAIM]
    if not claims:
        return None
    cuts = (_next_question_at(page, claims), _listed_choices_at(page, claims))
    return min((cut for cut in cuts if cut is not None), default=None)


def _next_question_at(page: Page, claims: list[Mark]) -> int | None:
    """Where a heading announces another question behind an answer line; 次の問題：c is no such heading."""
    handed_in = [m.at for m in claims if m.strength >= Strength.STATED or m.rule == "lone-line"]
    heading = _NEXT.search(page.text, min(handed_in)) if handed_in else None
    return heading.start() if heading else None


def _listed_choices_at(page: Page, claims: list[Mark]) -> int | None:
    first = min(m.at for m in claims)
    heading = _QUESTION.search(page.text, first)
    for choices in islice(_CHOICES.finditer(page.text, first), _MOST):
        headed = heading is not None and heading.start() <= choices.start()
        if headed if not page.choices else not _ours(page, choices[0]):
            return heading.start() if heading and headed else choices.start()
    return None


def _ours(page: Page, listed: str) -> bool:
    """Whether one of the listed choices begins like one of the choices that were asked."""
    squeezed = "".join(filter(str.isalnum, listed))
    starts = ("".join(filter(str.isalnum, fold(choice)))[:60] for choice in page.choices)
    return any(start in squeezed for start in starts if start)


def example_stretches(page: Page) -> Iterator[tuple[int, int]]:
    """Where a worked example of another question stands.

    A section headed as an example, or introduced by `let's say the question was`, lasts until the next
    heading or rule; a line that only says `例：` introduces one paragraph.
    """
    text = "\n" + page.text
    told = islice(_TOLD.finditer(text), _MOST)
    for found in (*islice(_EXAMPLE.finditer(text), _MOST), *told):
        long = found.re is _TOLD or found["section"]
        blank = _BLANK.match(text, found.end())
        start = blank.end() if blank and not long else found.end()
        end = (_SECTION_END if long else _PARAGRAPH_END).search(text, start)
        yield found.start() - 1, (end.start() if end else len(text)) - 1
