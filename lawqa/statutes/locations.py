"""Where a passage is: the heading of its article in a context, and 第24条の5第2項第3号 as lawyers cite it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lawqa.statutes.article_names import article_name
from lawqa.statutes.articles import Article
from lawqa.statutes.numerals import to_int

_OTHER_PARTS = {"suppl": "附則", "appdx": "別表", "preamble": "前文"}
_ITEM = re.compile(r"([一二三四五六七八九十百]+(?:の[一二三四五六七八九十]+)*)[ \u3000]")
_PARAGRAPH = re.compile(r"第([0-9]+)項")
_EGOV = "https://laws.e-gov.go.jp/law/"
_LAW_ID = re.compile("[0-9]{3}[A-Z0-9]{12}")


def article_heading(article: Article) -> str:
    """Return the heading above an article in a context."""
    return f"### {article_label(article)}".rstrip()


def article_label(article: Article) -> str:
    """Return what an article is called inside its law: 第27条の13, 附則第3条, 別表第一（第二条関係）."""
    if article.article is None:
        name = article.caption.split("\n")[0].strip() or _OTHER_PARTS.get(article.part, "")
    else:
        name = article_name(article.article)
    return f"附則{name}" if article.part == "suppl" and not name.startswith("附則") else name


def location(
    article: Article, paragraph: int, lines: Sequence[str] = (), line: int | None = None
) -> str:
    """Return where a paragraph, or a line of one, is: 第24条の5第2項, 第24条の5第2項第3号.

    Args:
        article: the article.
        paragraph: the position of the paragraph in it.
        lines: the lines of the paragraph.
        line: which of them; None for the whole paragraph.
    """
    number = article.paragraphs[paragraph].num
    where = article_label(article)
    if number is not None and len(article.paragraphs) > 1:
        where += f"第{number}項"
    for i in range(line or 0, 0, -1):
        if match := _ITEM.match(lines[i]):
            main, *branches = (to_int(part) or 0 for part in match[1].split("の"))
            return f"{where}第{main}号" + "".join(f"の{branch}" for branch in branches)
    return where


def egov_url(law_id: str) -> str:
    """Return the page of a law on e-Gov; empty where the id is not one of e-Gov's."""
    return _EGOV + law_id if _LAW_ID.fullmatch(law_id) else ""


def paragraph_of(where: str) -> int:
    """Return the paragraph that a location names; 1 where it names none, as in an article of
    one paragraph.
    """
    match = _PARAGRAPH.search(where)
    return int(match[1]) if match else 1
