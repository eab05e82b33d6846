"""Retrieved articles as a context for a prompt, set as the data set's own contexts are.

    ## 金融商品取引法
    ### 第27条の13
    #### 第1項
    公開買付者は、…

Best article first, each once, within a limit. What does not fit as a whole is chosen passage by passage
over all articles (`passages`): the best paragraphs, wherever they are, each whole; of one that would take
most of the limit its lead and best items. … marks every place where text was left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lawqa.errors import ConfigError
from lawqa.retrieval.hits import Hit
from lawqa.retrieval.packing import Count, Packer
from lawqa.retrieval.pages import QuotedArticle, ShownLines

CONTEXT_MAKER = "passages-2"
"""The name of this way to make contexts. Runs without a name shared the limit among the articles; passages-1
weighed paragraphs otherwise."""

_LONGEST_TOKEN = 16
"""A text of more characters than this for each token of the limit is not counted: it does not fit."""


@dataclass(frozen=True)
class Context:
    """A context and where it comes from."""

    text: str
    """What goes into the prompt; empty where nothing fits."""
    sources: tuple[QuotedArticle, ...]
    """The quoted articles, best first."""
    size: int
    """The length of the text, in the units of the limit."""


def build_context(
    hits: Sequence[Hit],
    *,
    limit: int | None = None,
    count: Count = len,
    top_k: int | None = None,
) -> Context:
    """Set found articles as a context.

    Args:
        hits: found articles, best first.
        limit: the greatest length of the context, headings included; None for no limit.
        count: what the length is measured by: characters by default, or the function of a tokenizer.
        top_k: how many of them are shown whole where that fits; the others only give passages to a context
            that has room left, or better ones than theirs. None for all.

    Raises:
        ConfigError: the limit is below 1.
    """
    if limit is not None and limit < 1:
        raise ConfigError(f"the context limit is {limit}, expected 1 or more")
    hits_by_id: dict[str, Hit] = {}
    for hit in hits:
        hits_by_id.setdefault(hit.article.id, hit)
    once = list(hits_by_id.values())
    if limit is None or len(once[:top_k]) == len(once):
        first = ShownLines(once[:top_k], whole=True)
        text = first.text()
        fits = limit is None or len(text) <= _LONGEST_TOKEN * limit
        if fits and ((size := count(text)) <= (limit or size)):
            return Context(text, first.sources(), size)
    assert limit is not None  # noqa: S101 - without one all fits
    pages = Packer(once, limit, count).packed()
    text = pages.text()
    return Context(text, pages.sources(), count(text))
