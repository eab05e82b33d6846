"""How much of the text that the data set's own contexts quote reaches a prompt.

The gold text of a question is what its own context quotes of articles: the text under each heading, its
lines joined, normalised (see `normalise`), without white space. Every 12 characters of it are looked for in
the text of a context, made the same way: neither the order of passages nor headings matter, a sentence cut in
the middle counts in part, and so does a list with an item left out. Twelve characters are long enough that
another provision of the same law seldom shares them by chance.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lawqa.questions import Question
from lawqa.retrieval.context import Context
from lawqa.retrieval.evaluation import QuestionResult, position_of
from lawqa.retrieval.index import StatuteIndex
from lawqa.statutes.article_names import article_name
from lawqa.statutes.headings import article_lines, article_passages, quoted_lines
from lawqa.statutes.normalise import normalise

GOLD_GRAM = 12
"""The length of the pieces that are compared, in characters."""
ENOUGH_GOLD_TEXT = 0.9
"""The share from which the gold text counts as there."""
DEFAULT_BUDGETS = (1024, 2048, 3072, 4096)
"""The limits of a context that are measured, in tokens."""

TOKENS_A_CHARACTER = 0.75
"""Tokens of Qwen3's tokenizer a character of the 13 statutes."""

_NO_LETTER = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class GoldTextResult:
    """One question at one limit."""

    question: Question
    share: float
    """The share of its gold text that the context holds, 0 to 1."""
    size: int
    """The length of the context, in the unit of the limit."""
    missing: tuple[str, ...]
    """The lines of gold text of which less than 0.9 is in the context, the largest loss first."""


def _folded(text: str) -> str:
    return "".join(normalise(text).split())


def gold_grams(folded: str) -> list[str]:
    """Return every 12 characters of a text; none where it is shorter."""
    return [folded[i : i + GOLD_GRAM] for i in range(len(folded) - GOLD_GRAM + 1)]


def measure_gold_text(question: Question, context: Context) -> GoldTextResult:
    """Return how much of a question's gold text a context holds.

    Of a question whose passages are all shorter than 12 characters each counts as a whole; one that quotes
    nothing, but only names an article, has a share of 1.
    """
    text = _folded("\n".join(quoted_lines(context.text)))
    passages = [_folded(passage) for passage in article_passages(question.context)]
    shown = set(gold_grams(text))
    held = [gram in shown for passage in passages for gram in gold_grams(passage)]
    held = held or [passage in text for passage in passages if passage]
    share = sum(held) / len(held) if held else 1.0
    return GoldTextResult(question, share, context.size, _missing_lines(question, context))


def _missing_lines(question: Question, context: Context) -> tuple[str, ...]:
    """Return the lines that its own context quotes of articles and that are not there, the largest loss
    first.
    """
    shown = line_grams(quoted_lines(context.text))
    lost = []
    for line in dict.fromkeys(article_lines(question.context)):
        of_line = line_grams([line])
        if len(of_line & shown) < ENOUGH_GOLD_TEXT * len(of_line):
            lost.append((len(of_line - shown), line))
    lost.sort(key=lambda one: (-one[0], one[1]))
    return tuple(line for _, line in lost)


def line_grams(lines: Iterable[str]) -> set[str]:
    """Return the n-grams that identify lines: 12 letters or digits each; a shorter line is one n-gram."""
    grams: set[str] = set()
    for line in lines:
        folded = _NO_LETTER.sub("", normalise(line))
        if folded:
            grams |= {folded[i : i + GOLD_GRAM] for i in range(max(1, len(folded) - GOLD_GRAM + 1))}
    return grams


def gold_text_figures(results: Sequence[GoldTextResult]) -> dict[str, float | int]:
    """Return the mean share, in how many questions it is 0.9 or more, and the median length of a context."""
    return {
        "gold_text_mean": round(statistics.mean(one.share for one in results), 4),
        "gold_text_090": sum(one.share >= ENOUGH_GOLD_TEXT for one in results),
        "questions": len(results),
        "tokens_median": round(statistics.median(one.size for one in results)),
    }


def estimated_tokens(text: str) -> int:
    """Estimate how many tokens a text has, from its characters: for machines without a tokenizer."""
    return math.ceil(len(text) * TOKENS_A_CHARACTER)


def gold_text_misses(
    results: Sequence[GoldTextResult],
    found: Sequence[QuestionResult],
    index: StatuteIndex,
    *,
    within: int,
    limit: int = 10,
) -> list[dict[str, object]]:
    """Return the questions whose contexts hold least of their gold text, the worst first, each with the
    reasons.

    Args:
        results: at one limit of the context.
        found: where the gold articles of the same questions are ranked.
        index: what was searched.
        within: how many articles passages were looked for in.
        limit: how many questions at most.
    """
    ranked = {result.question.id: result for result in found}
    worst = sorted(results, key=lambda one: (one.share, one.question.id))
    return [
        {
            "id": one.question.id,
            "share": round(one.share, 4),
            "why": _why(one, ranked[one.question.id], index, within),
        }
        for one in worst[:limit]
        if one.share < 1
    ]


def _why(
    result: GoldTextResult, found: QuestionResult, index: StatuteIndex, within: int
) -> list[str]:
    """Return for each line that is missing, where its text is and why it was not shown; each reason once."""
    places: list[tuple[str, int | None, set[str]]] = []
    said: dict[str, None] = {}
    for gold, rank in zip(found.gold, found.ranks, strict=True):
        position = position_of(gold, index)
        name = f"{gold.law_title}{article_name(gold.article)}"
        if position is None:
            said[f"{name}: is not in the index"] = None
            continue
        texts = [paragraph.text for paragraph in index.article(position).paragraphs]
        places.append((name, rank, line_grams("\n".join(texts).split("\n"))))
    for line in result.missing:
        wanted = line_grams([line])
        held = max(places, key=lambda place: len(wanted & place[2]), default=None)
        if held is None or len(wanted & held[2]) < ENOUGH_GOLD_TEXT * len(wanted):
            said[f"in no gold article of the index, perhaps of another revision: {line[:30]}…"] = (
                None
            )
        elif held[1] is None or held[1] > within:
            said[
                f"{held[0]}: ranked {held[1] or 'nowhere'}, passages come from the first {within}"
            ] = None
        else:
            said[f"{held[0]}: ranked {held[1]}; better passages took the room of: {line[:30]}…"] = (
                None
            )
    return list(said) or [
        "every line is there; the question's own context sets marks of its own in them"
    ]
