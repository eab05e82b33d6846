"""Which sentences of a retrieved context are marked as gold text."""

from __future__ import annotations

import pytest

from lawqa.retrieval.gold_marks import GoldMarks

FIRST = "公開買付者は、第二十七条の規定により公告をしなければならない。"
SECOND = "前項の公告は、電子公告の方法によるものとする。"
OTHER = "この法律は、投資者の保護に資することを目的とする。"
GOLD = f"## 試験法\n### 第5条\n#### 第1項\n{FIRST}\n#### 第2項\n{SECOND}"


@pytest.mark.parametrize(
    ("retrieved", "expected"),
    [
        (f"## 試験法\n### 第1条\n{OTHER}", []),
        (f"## 試験法\n### 第5条\n{FIRST}\n{OTHER}", [FIRST]),
        (f"{OTHER}{SECOND}", [SECOND]),
        (f"{FIRST}{SECOND}", [FIRST + SECOND]),
        (f"{FIRST}\n{SECOND}", [FIRST, SECOND]),
        ("## 試験法\n### 第5条", []),
        ("", []),
        (FIRST.replace("第二十七条", "第２７条"), [FIRST.replace("第二十七条", "第２７条")]),
        (FIRST[:20], [FIRST[:20]]),
        ("…", []),
    ],
)
def test_sentences_that_the_own_context_quotes_are_marked(
    retrieved: str, expected: list[str]
) -> None:
    assert [retrieved[start:end] for start, end in GoldMarks(GOLD).spans(retrieved)] == expected


def test_a_context_without_articles_is_gold_as_a_whole() -> None:
    assert GoldMarks(SECOND).spans(f"{OTHER}{SECOND}") == ((len(OTHER), len(OTHER + SECOND)),)
