"""Where a passage is, as lawyers cite it."""

from __future__ import annotations

import pytest

from lawqa.statutes.articles import Article, Paragraph
from lawqa.statutes.locations import egov_url, location, paragraph_of

LINES = ["次に掲げる者", "一　甲", "二の三　乙", "イ　丙", "（１）　丁"]


def article(number: str | None, part: str = "main", paragraphs: int = 2) -> Article:
    texts = tuple(Paragraph(n, "\n".join(LINES)) for n in range(1, paragraphs + 1))
    return Article("id", "law", "試験法", "", "", part, number, "（見出し）", texts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "paragraph", "line", "where"),
    [
        (article("24_5"), 1, None, "第24条の5第2項"),
        (article("24_5"), 1, 0, "第24条の5第2項"),
        (article("24_5"), 1, 1, "第24条の5第2項第1号"),
        (article("24_5"), 0, 2, "第24条の5第1項第2号の3"),
        (article("24_5"), 0, 4, "第24条の5第1項第2号の3"),
        (article("3", paragraphs=1), 0, None, "第3条"),
        (article("3", part="suppl"), 1, None, "附則第3条第2項"),
    ],
)
def test_locations(found: Article, paragraph: int, line: int | None, where: str) -> None:
    assert location(found, paragraph, LINES, line) == where


def test_the_paragraph_of_a_location() -> None:
    assert [paragraph_of(one) for one in ("第3条", "第24条の5第2項第3号")] == [1, 2]


def test_only_ids_of_egov_have_a_page() -> None:
    assert egov_url("323AC0000000025") == "https://laws.e-gov.go.jp/law/323AC0000000025"
    assert egov_url("借地借家法") == egov_url("") == ""
