"""Which passages of the articles found a context should show: paragraphs by log-odds, lines by shared words.

A passage is a paragraph (項), or of a long one its lead with single items (号). Whether the data set's own
contexts quote a paragraph was fitted by logistic regression on the 69 questions of the dev half (12 articles
each, 4,500 paragraphs), from what the ranking already knows, so that no text is read again:

    how high its article is ranked, and how close that article's score comes to the best one
    its place among the paragraphs of its article, by words
    whether question or choices cite it by its number
    its length: every other thing equal, of a long paragraph less is quoted
    whether it is the first of its article, which the others build on

The fit gives the place a weight of -1.96, a citation 0.63 and the length -1.03. The weights below were tuned
by how much gold text contexts of 1,024 to 4,096 tokens hold, one weight after the other, on the dev half: a
context with room left takes more paragraphs of the best articles before those of worse ones.

Words shared with each choice, definitions of the question's terms, who cites whom, and the number of
paragraphs were tried and added nothing on the dev half.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from lawqa.retrieval.bm25 import bigram_codes
from lawqa.retrieval.hits import Hit
from lawqa.retrieval.tokens import mark_words
from lawqa.statutes.articles import Article
from lawqa.statutes.normalise import normalise
from lawqa.statutes.numerals import to_kanji

_RANK, _STRENGTH, _PLACE, _CITED, _LENGTH, _FIRST = -1.026, 4.493, -1.3, 1.25, -1.55, 0.869
_LONGEST = 1500
"""Characters from which a paragraph counts as no longer: only a part of it is shown anyway."""
_NEEDED = 1.05
"""How far below a passage one is ranked that it refers to. Tuned on the dev half."""
_REFERS = re.compile(
    r"前項|前([二三四五六七八九])項|(?:同条|この条)?(?<![条])第([一二三四五六七八九十]+)項"
)
_FEW = 5
_DAMPING = 40
"""Pairs of letters added to the length of a line, so that a short one does not win by a word."""
_LEAST_SHARE = 0.3
"""What a line counts that shares words with question and choices, but with none of them many."""
_LEVELS = tuple(
    re.compile(pattern + r"[ \u3000]?")
    for pattern in (
        r"[一二三四五六七八九十百]+(?:の[一二三四五六七八九十]+)*[ \u3000]",
        r"[イロハニホヘトチリヌルヲワカヨタレソツネナラム](?:[ \u3000]|（[１-９0-9]）)",
        r"[(（][0-9０-９]+[)）]",
        r"[(（][ivxⅰ-ⅹｉｖｘ]+[)）]",
    )
)


def reach(top_k: int) -> int:
    """Return how many articles passages are looked for in, where a context is made of the first `top_k`.

    A question often needs one paragraph of an article that is not among the five best: of 8, 10, 12, 16 and
    20 articles 16 gave most of the gold text on the dev half. Who asks for fewer than 5 gets no others.
    """
    return top_k if top_k < _FEW else 3 * top_k + 1


def paragraph_scores(hits: Sequence[Hit]) -> list[list[float]]:
    """Return the log-odds of every paragraph of every hit that a good context quotes it."""
    scores = [_own_scores(hit) for hit in hits]
    for hit, own in zip(hits, scores, strict=True):
        _lift_needed(hit.article, own)
    _lift_specified(hits, scores)
    return scores


def _own_scores(hit: Hit) -> list[float]:
    place = {position: n for n, position in enumerate(hit.paragraphs)}
    of_article = _RANK * math.log(hit.rank) + _STRENGTH * hit.strength
    return [
        of_article
        + _PLACE * math.log1p(place.get(i, len(place)))
        + _CITED * (i in hit.cited_paragraphs)
        + _LENGTH * math.log(min(len(paragraph.text), _LONGEST) + 10)
        + _FIRST * (i == 0)
        for i, paragraph in enumerate(hit.article.paragraphs)
    ]


def _lift_needed(article: Article, scores: list[float]) -> None:
    """Bring a paragraph that a better one refers to (前項, 第二項) not far behind it."""
    by_number = {p.num: i for i, p in enumerate(article.paragraphs) if p.num is not None}
    for i in sorted(range(len(scores)), key=lambda i: (-scores[i], i)):
        for number in _paragraphs_referred_to(article, i):
            needed = by_number.get(number)
            if needed is not None and needed != i:
                scores[needed] = max(scores[needed], scores[i] - _NEEDED)


def _paragraphs_referred_to(article: Article, i: int) -> Iterator[int]:
    """Yield the numbers of the article's own paragraphs that the lead of its i-th refers to."""
    paragraph = article.paragraphs[i]
    if paragraph.num is None:
        return
    lead = paragraph.text.partition("\n")[0][:200]
    for match in _REFERS.finditer(lead):
        if match[0] == "前項":
            yield paragraph.num - 1
        elif match[1]:
            several = "〇一二三四五六七八九".index(match[1])
            yield from range(paragraph.num - several, paragraph.num)
        elif match[2] and (number := _NUMBERS.get(match[2])) is not None:
            yield number


_NUMBERS = {to_kanji(n): n for n in range(1, 60)}


def _lift_specified(hits: Sequence[Hit], scores: list[list[float]]) -> None:
    """Bring a paragraph that fills in what a better one leaves to an order (政令で定める) soon after it."""
    for hit, own in zip(hits, scores, strict=True):
        article = hit.article
        if article.article is None or not article.article.replace("_", "").isdigit():
            continue
        best = max(range(len(own)), key=lambda i: (own[i], -i), default=None)
        if best is None or "令で定める" not in article.paragraphs[best].text:
            continue
        named = _kanji_name(article.article)
        number = article.paragraphs[best].num
        whole = f"{named}第{to_kanji(number)}項" if number and len(own) > 1 else named
        for other, theirs in zip(hits, scores, strict=True):
            if other.article.law_id == article.law_id:
                continue
            for i, paragraph in enumerate(other.article.paragraphs):
                if f"法{whole}" in paragraph.text[:200]:
                    theirs[i] = max(theirs[i], own[best] - 2 * _NEEDED)


def _kanji_name(number: str) -> str:
    main, *branches = (to_kanji(int(part)) for part in number.split("_"))
    return f"第{main}条" + "".join(f"の{branch}" for branch in branches)


def parents(lines: Sequence[str]) -> list[tuple[int, ...]]:
    """Return for each line of a paragraph the lines that it hangs on: the lead, the item of a sub-item."""
    above: list[tuple[int, ...]] = []
    open_: list[tuple[int, int]] = []  # line, level
    for i, line in enumerate(lines):
        level = _level(line) if i else -1
        while open_ and open_[-1][1] >= level:
            open_.pop()
        above.append(tuple(line for line, _ in open_))
        open_.append((i, level))
    return above


def _level(line: str) -> int:
    """Return 0 for a sentence or a row of a table, 1 for 一, 2 for イ, 3 for （１）, 4 for （ｉ）."""
    return next((n for n, pattern in enumerate(_LEVELS, 1) if pattern.match(line)), 0)


def lines_by_relevance(lines: Sequence[str], hit: Hit) -> list[int]:
    """Return the lines after the first, best first: cited items, then by the words they share with the
    question.
    """
    parts = [set(bigram_codes(mark_words(part)).tolist()) for part in hit.query.split("\n") if part]
    asked = set[int]().union(*parts)
    cited = tuple(f"{item_label(item)}{blank}" for item in hit.items for blank in " \u3000")
    folded = normalise("\n".join(lines)).split("\n")

    def relevance(i: int) -> tuple[bool, float, int]:
        held = set(bigram_codes(mark_words(folded[i])).tolist())
        shared = asked & held
        share = max((len(part & shared) / len(part) for part in parts if part), default=0.0)
        weight = len(shared) / math.sqrt(len(held) + _DAMPING) * (_LEAST_SHARE + share)
        return not (cited and lines[i].startswith(cited)), -weight, i

    return sorted(range(1, len(lines)), key=relevance)


def item_label(item: str) -> str:
    """Return how an item begins: 3_2 is 三の二."""
    return "の".join(to_kanji(int(number)) for number in item.split("_"))
