"""Contexts: set as the data set's own are, best first, each article once, never over the limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawqa.errors import ConfigError
from lawqa.retrieval.context import build_context
from lawqa.retrieval.hits import Hit
from lawqa.retrieval.index import StatuteIndex
from lawqa.retrieval.pages import OMISSION
from lawqa.retrieval.retriever import Retriever
from lawqa.statutes.article_names import ArticleName
from lawqa.statutes.articles import Article, Paragraph
from lawqa.statutes.headings import gold_articles

pytestmark = pytest.mark.every_python


def hit(
    number: str | None,
    *texts: str,
    law: str = "試験法",
    paragraphs: tuple[int, ...] = (),
    items: tuple[str, ...] = (),
    query: str = "",
    part: str = "main",
    caption: str = "",
    score: float = 1.0,
) -> Hit:
    numbered = tuple(Paragraph(n, text) for n, text in enumerate(texts, start=1))
    article = Article(
        f"{law}/{part}/{number}",
        "law",
        law,
        "",
        "",
        part,  # type: ignore[arg-type]
        number,
        caption,
        numbered,
    )
    order = paragraphs or tuple(range(len(texts)))
    return Hit(1, 0, article, score, (), True, order, items, query)


def test_articles_are_set_as_in_the_data_set() -> None:
    hits = [
        hit("27_13", "公告をする。", "届出をする。"),
        hit("5", "一つの項だけ。"),
        hit("9_4", "次に掲げる方法\n一　電子公告", law="試験法施行令"),
        hit("6", "戻る。"),
    ]
    assert build_context(hits).text == (
        "## 試験法\n### 第27条の13\n#### 第1項\n公告をする。\n#### 第2項\n届出をする。\n"
        "### 第5条\n一つの項だけ。\n"
        "## 試験法施行令\n### 第9条の4\n次に掲げる方法\n一　電子公告\n"
        "## 試験法\n### 第6条\n戻る。"
    )


def test_the_headings_are_read_back_as_gold_articles() -> None:
    hits = [hit("27_13", "甲"), hit("9_4", "乙", law="試験法施行令")]
    assert gold_articles(build_context(hits).text) == (
        ArticleName("試験法", "27_13"),
        ArticleName("試験法施行令", "9_4"),
    )


@pytest.mark.parametrize(
    ("found", "heading"),
    [
        (hit("3", "経過措置", part="suppl"), "### 附則第3条"),
        (
            hit(None, "表", part="appdx", caption="別表第一（第二条関係）"),
            "### 別表第一（第二条関係）",
        ),
        (hit(None, "前文", part="preamble"), "### 前文"),
        (hit("55:57", "削除"), "### 第55条から第57条まで"),
    ],
)
def test_other_parts_have_headings_too(found: Hit, heading: str) -> None:
    assert build_context([found]).text.split("\n")[1] == heading


def test_an_article_found_twice_stands_once() -> None:
    twice = [hit("5", "甲"), hit("6", "乙"), hit("5", "甲")]
    context = build_context(twice)
    assert context.text.count("第5条") == 1
    assert [source.article for source in context.sources] == ["5", "6"]


def test_sources_say_what_is_whole() -> None:
    hits = [hit("5", "短い。", score=2.0), hit("6", "長い文である。" * 100, score=1.0)]
    sources = build_context(hits, limit=300).sources
    assert [(s.article, s.complete, s.score) for s in sources] == [
        ("5", True, 2.0),
        ("6", False, 1.0),
    ]
    assert sources[0].id == "試験法/main/5"


def test_a_long_article_gives_its_most_relevant_paragraphs() -> None:
    long = hit("5", "あ" * 100, "い" * 100, "う" * 100, paragraphs=(2, 0, 1))
    text = build_context([long], limit=280).text
    assert f"\n{OMISSION}\n#### 第3項" in text
    assert [line for line in text.split("\n") if line.startswith("####")] == [
        "#### 第1項",
        "#### 第3項",
    ]


def test_of_a_long_paragraph_cited_items_and_shared_words_are_kept() -> None:
    lines = ["次に掲げるものをいう。", *(f"{n}　{'余' * 30}" for n in "一二三四五六")]
    lines[3] = "三　外国の者の発行する証券で株券の性質を有するもの"
    lines[5] = "五　" + "債" * 30
    text = build_context(
        [hit("2", "\n".join(lines), items=("5",), query="外国の者の発行する証券")], limit=120
    ).text
    assert "次に掲げるもの" in text
    assert lines[3] in text
    assert lines[5] in text
    assert "…\n三" in text


def test_where_not_even_a_line_fits_its_beginning_stands() -> None:
    context = build_context([hit("2", "長い文である。" * 100)], limit=100)
    assert context.text.endswith("…")
    assert 90 <= context.size <= 100


def test_one_long_article_does_not_push_out_the_rest() -> None:
    hits = [hit("1", "長い文である。" * 500), hit("2", "答えはここにある。"), hit("3", "短い。")]
    context = build_context(hits, limit=600)
    assert "答えはここにある。" in context.text
    assert "短い。" in context.text
    assert context.size > 550


def tokens(text: str) -> int:
    """A tokenizer's count: two characters a token, a line feed one."""
    return sum((len(line) + 1) // 2 + 1 for line in text.split("\n"))


numbers = st.integers(1, 9).map(str)
texts = st.lists(st.text("一二　規定する。\n甲乙", max_size=200), max_size=4)


@given(
    st.lists(st.tuples(numbers, texts, st.sampled_from(["甲法", "乙法"])), max_size=5),
    st.integers(1, 900),
    st.sampled_from([len, tokens]),
)
def test_the_limit_holds(
    found: list[tuple[str, list[str], str]], limit: int, count: Callable[[str], int]
) -> None:
    hits = [hit(number, *text, law=law) for number, text, law in found]
    context = build_context(hits, limit=limit, count=count)
    assert context.size == count(context.text)
    assert not context.text or context.size <= limit
    assert bool(context.text) == bool(context.sources)


@given(st.lists(st.tuples(numbers, texts), max_size=5))
def test_without_a_limit_everything_is_whole(found: list[tuple[str, list[str]]]) -> None:
    hits = [hit(number, *text) for number, text in found]
    context = build_context(hits)
    assert all(source.complete for source in context.sources)
    assert context == build_context(hits, limit=10**6)


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="limit is 0"):
        build_context([], limit=0)


def test_nothing_found_is_an_empty_context() -> None:
    context = build_context([], limit=10)
    assert (context.text, context.sources, context.size) == ("", (), 0)


def test_what_a_search_finds_becomes_a_context(index: StatuteIndex) -> None:
    hits = Retriever(index).search("公告は買取期間の初日の何日前までか", top_k=2)
    context = build_context(hits, limit=2_000)
    assert context.text.startswith("## 試験品取引法\n### 第5条\n#### 第1項\n")
    assert context.sources[0].id == "901AC01/main/5"


def test_the_limit_goes_to_the_best_paragraphs_of_all_articles_not_to_equal_shares() -> None:
    best = hit("23_2", "余" * 400, "公" * 400, paragraphs=(1, 0))
    other = hit("6", "届" * 400, "出" * 400, paragraphs=(0, 1))
    hits = [replace(best, rank=1), replace(other, rank=2, strength=0.5)]
    text = build_context(hits, limit=1000).text
    assert "公" * 400 in text
    assert "届" * 400 in text or "余" * 400 in text
    assert "出" not in text


def test_a_paragraph_comes_with_the_one_that_it_refers_to() -> None:
    texts = ("甲をする者は、届け出る。" * 12, "乙。" * 60, "丙。" * 60, "丁。" * 60)
    lone = hit("5", *texts, "前項の丁は、しない。" * 8, paragraphs=(4, 0, 1, 2, 3))
    assert "#### 第4項" in build_context([lone], limit=330).text
    second = hit("5", *texts, "第三項の丙は、しない。" * 8, paragraphs=(4, 0, 1, 3, 2))
    assert "#### 第3項" in build_context([second], limit=330).text


def test_an_order_that_fills_in_what_the_best_paragraph_leaves_to_it_comes_with_it() -> None:
    act = hit("5", "政令で定める事項を公告する。" * 8, law="甲法")
    filler = hit("8", "余計。" * 40, "外。" * 60, law="乙法")
    order = hit(
        "9", "関係のないこと。" * 20, "法第五条に規定する政令で定める事項は、次。", law="甲法施行令"
    )
    order = replace(order, paragraphs=(0, 1), rank=9, strength=0.2)
    filler = replace(filler, rank=2, strength=0.6)
    text = build_context([act, filler, order], limit=330).text
    assert "法第五条に規定する政令" in text


def test_a_sub_item_comes_with_the_item_that_it_hangs_on() -> None:
    lines = ["次に掲げる者をいう。", "一　" + "余" * 60, "二　次の者", "イ　" + "余" * 60]
    lines += ["ロ　外国の金融機関", "三　" + "余" * 60]
    text = build_context([hit("2", "\n".join(lines), query="外国の金融機関")], limit=75).text
    assert "二　次の者\n…\nロ　外国の金融機関" in text
    assert "余" * 60 not in text


def test_sources_say_where_each_passage_is() -> None:
    lines = ["次に掲げる者をいう。", "一　" + "余" * 60, "二の三　外国の金融機関"]
    found = hit("24_5", "短い。", "\n".join(lines), query="外国の金融機関")
    (source,) = build_context([found], limit=95).sources
    assert source.passages == ("第24条の5第1項", "第24条の5第2項", "第24条の5第2項第2号の3")
    assert not source.complete
    (whole,) = build_context([found]).sources
    assert whole.passages == ("第24条の5第1項", "第24条の5第2項")
    assert whole.complete


def test_articles_after_the_first_k_give_passages_only_where_they_are_given() -> None:
    hits = [replace(hit(str(n), "字" * 100), rank=n) for n in range(1, 9)]
    few = build_context(hits, top_k=5)
    assert [source.article for source in few.sources] == list("12345")
    more = build_context(hits, limit=800, top_k=5)
    assert [source.article for source in more.sources][:5] == list("12345")
    assert len(more.sources) > 5
