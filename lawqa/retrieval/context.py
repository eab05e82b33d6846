"""Retrieved articles as a context for a prompt, set as the data set's own contexts are.

    ## 金融商品取引法
    ### 第27条の13
    #### 第1項
    公開買付者は、…

Best first, each article once, within a limit. An article too long for what is left gives its most relevant
paragraphs, and of a paragraph too long its first line and most relevant items; … marks what was left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lawqa.errors import ConfigError
from lawqa.retrieval.articles import Article, Paragraph
from lawqa.retrieval.bm25 import bigram_codes
from lawqa.retrieval.hits import Hit
from lawqa.retrieval.japanese import mark_words, normalise, to_kanji
from lawqa.retrieval.references import article_name

Count = Callable[[str], int]
"""How long a text is: `len` for characters, a tokenizer's count for tokens."""

OMISSION = "…"
"""What stands for text that did not fit."""

_LEAST_SHARE = 150
"""A limit that gives less to each article is shared by fewer: a shorter piece is little but headings."""
_OTHER_PARTS = {"suppl": "附則", "appdx": "別表", "preamble": "前文"}


@dataclass(frozen=True)
class Source:
    """An article that a context quotes."""

    id: str
    """The article's id."""
    law_title: str
    """Its law."""
    article: str | None
    """Its number, such as 27_13; None where it has none."""
    score: float
    """What it was ranked by."""
    complete: bool
    """Whether all of its text is in the context."""


@dataclass(frozen=True)
class Context:
    """A context and where it comes from."""

    text: str
    """What goes into the prompt; empty where nothing fits."""
    sources: tuple[Source, ...]
    """The quoted articles, best first."""
    size: int
    """The length of the text, in the units of the limit."""


def build_context(hits: Sequence[Hit], *, limit: int | None = None, count: Count = len) -> Context:
    """Set found articles as a context.

    Where not all fit, each may take an equal share, and what a short one leaves goes to the others, so that
    one long article does not push out the rest.

    Args:
        hits: found articles, best first.
        limit: the greatest length of the context, headings included; None for no limit.
        count: what the length is measured by: characters by default, or the function of a tokenizer.

    Raises:
        ConfigError: the limit is below 1.
    """
    if limit is not None and limit < 1:
        raise ConfigError(f"the context limit is {limit}, expected 1 or more")
    found: dict[str, Hit] = {}
    for hit in hits:
        found.setdefault(hit.article.id, hit)
    once = list(found.values())
    if limit is not None:
        once = once[: max(1, limit // _LEAST_SHARE)]
    blocks = [
        _block(hit, _heads(hit, before)) for hit, before in zip(once, [None, *once], strict=False)
    ]
    complete = [True] * len(once)
    if limit is not None and count("\n".join(blocks)) > limit:
        blocks, complete = _within(once, [count(block) for block in blocks], limit, count)
    sources = tuple(
        Source(hit.article.id, hit.article.law_title, hit.article.article, hit.score, whole)
        for hit, block, whole in zip(once, blocks, complete, strict=True)
        if block
    )
    text = "\n".join(block for block in blocks if block)
    return Context(text, sources, count(text))


def _within(
    hits: Sequence[Hit], sizes: Sequence[int], limit: int, count: Count
) -> tuple[list[str], list[bool]]:
    """A block for each article, empty where nothing fits, and whether it is all of the article."""
    shares = _shares(sizes, limit)
    blocks: list[str] = []
    complete: list[bool] = []
    before: Hit | None = None
    spare = 0
    for hit, share in zip(hits, shares, strict=True):
        written = [block for block in blocks if block]
        used = count("\n".join(written)) if written else 0
        room = min(limit, used + share + spare)

        def fits(block: str, written: Sequence[str] = tuple(written), room: int = room) -> bool:
            return count("\n".join([*written, block])) <= room

        heads = _heads(hit, before)
        block = _block(hit, heads)
        complete.append(fits(block))
        if not complete[-1]:
            block = _shortened(hit, heads, fits)
        blocks.append(block)
        before = hit if block else before
        spare = room - count("\n".join([*written, block])) if block else room - used
    return blocks, complete


def _shares(sizes: Sequence[int], limit: int) -> list[int]:
    """How much each may take: all it needs if that is no more than an equal share of what is left."""
    shares = [0] * len(sizes)
    left, open_ = limit, sorted(range(len(sizes)), key=lambda i: sizes[i])
    while open_:
        i = open_.pop(0)
        shares[i] = min(sizes[i] + 1, left // (len(open_) + 1))
        left -= shares[i]
    return shares


def _heads(hit: Hit, before: Hit | None) -> list[str]:
    """The headings of an article; its law's only where the article before is of another."""
    article = hit.article
    same = before is not None and before.article.law_title == article.law_title
    return [_heading(article)] if same else [f"## {article.law_title}", _heading(article)]


def _block(hit: Hit, heads: Sequence[str]) -> str:
    return "\n".join([*heads, *_lines(hit.article, range(len(hit.article.paragraphs)))])


def _heading(article: Article) -> str:
    if article.article is None:
        name = article.caption.split("\n")[0].strip() or _OTHER_PARTS.get(article.part, "")
    else:
        name = article_name(article.article)
    return (
        f"### 附則{name}" if article.part == "suppl" and name != "附則" else f"### {name}".rstrip()
    )


def _lines(article: Article, chosen: Sequence[int], cut: str | None = None) -> list[str]:
    """The chosen paragraphs with their headings; an article of one paragraph has none.

    Args:
        article: the article.
        chosen: positions of paragraphs, in rising order.
        cut: what the last chosen one is shortened to; None for its whole text.
    """
    lines: list[str] = []
    for place, i in enumerate(chosen):
        paragraph = article.paragraphs[i]
        if len(article.paragraphs) > 1 and paragraph.num is not None:
            lines.append(f"#### 第{paragraph.num}項")
        lines.append(cut if cut is not None and place == len(chosen) - 1 else paragraph.text)
    return lines


def _shortened(hit: Hit, heads: Sequence[str], fits: Callable[[str], bool]) -> str:
    """As many of the most relevant paragraphs as fit, or the first of them cut; empty if not even that."""
    chosen: list[int] = []
    for i in hit.paragraphs:
        lines = _lines(hit.article, sorted([*chosen, i]))
        if not fits("\n".join([*heads, *lines, OMISSION])):
            break
        chosen.append(i)
    if chosen:
        return "\n".join([*heads, *_lines(hit.article, sorted(chosen)), OMISSION])
    if not hit.paragraphs:
        return ""
    first = hit.paragraphs[0]

    def shown(text: str) -> str:
        return "\n".join([*heads, *_lines(hit.article, [first], text)])

    cut = _cut(hit.article.paragraphs[first], hit, lambda text: fits(shown(text)))
    return shown(cut) if cut else ""


def _cut(paragraph: Paragraph, hit: Hit, fits: Callable[[str], bool]) -> str:
    """The first line of a paragraph and its most relevant others, in order, … for what is left out."""
    lines = paragraph.text.split("\n")
    kept: set[int] = set()
    for i in [0, *_by_relevance(lines, hit)]:
        if fits(_with_omissions(lines, kept | {i})):
            kept.add(i)
    if kept:
        return _with_omissions(lines, kept)
    low, high = 0, len(lines[0])  # not even the first line fits: its longest beginning that does
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(lines[0][:middle] + OMISSION) else (low, middle - 1)
    return lines[0][:low] + OMISSION if low else ""


def _by_relevance(lines: Sequence[str], hit: Hit) -> list[int]:
    """The lines after the first: those of cited items, then by how many bigrams of the query they hold."""
    query = set(bigram_codes(mark_words(hit.query)).tolist())
    cited = tuple(f"{_item_label(item)}{blank}" for item in hit.items for blank in " \u3000")

    def relevance(i: int) -> tuple[bool, int, int]:
        shared = query.intersection(bigram_codes(mark_words(normalise(lines[i]))).tolist())
        return not (cited and lines[i].startswith(cited)), -len(shared), i

    return sorted(range(1, len(lines)), key=relevance)


def _item_label(item: str) -> str:
    """How an item begins: 3_2 is 三の二."""
    return "の".join(to_kanji(int(number)) for number in item.split("_"))


def _with_omissions(lines: Sequence[str], kept: set[int]) -> str:
    shown: list[str] = []
    for i, line in enumerate(lines):
        if i in kept:
            shown.append(line)
        elif not shown or shown[-1] != OMISSION:
            shown.append(OMISSION)
    return "\n".join(shown)
