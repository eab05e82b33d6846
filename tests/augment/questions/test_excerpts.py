from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawqa.augment.provisions import (
    MAX_CONTEXT,
    Provision,
    context_of,
    deleted,
    number_in_words,
    parse_articles,
    provisions_of,
    sentences,
)
from lawqa.augment.questions.excerpts import excerpts
from lawqa.statutes.articles import Article, Paragraph
from lawqa.statutes.headings import quoted_paragraphs

pytestmark = pytest.mark.every_python

Make = Callable[..., Article]
Statute = tuple[Article, ...]


def named(statute: Statute, name: str) -> Provision:
    (found,) = (p for p in parse_articles(statute).provisions if p.name == name)
    return found


def test_items_with_branches_and_parts(statute: Statute) -> None:
    provision = named(statute, "第2条第3項")
    assert [item.name for item in provision.items] == ["第1号", "第1号の2", "第2号", "第3号"]
    assert provision.items[1].text == "電気通信回線により配信する講習"
    assert provision.items[2].below == ("イ 費用を徴収しないもの", "ロ 公共の施設で行うもの")
    assert provision.table == ()


def test_a_sole_paragraph_is_cited_by_its_article(statute: Statute) -> None:
    assert named(statute, "第3条").sole
    assert named(statute, "第3条の2第2項").number == 2


@pytest.mark.parametrize(
    "lines",
    ["第一欄 | 第二欄", "二 後\n一 先", "一 甲\n一 乙", "イ 号のない細目", "一 甲\n算式"],
)
def test_what_is_no_list_of_items_is_a_table(lines: str, make_article: Make) -> None:
    (provision,) = provisions_of(make_article("1", "", [f"次のとおりとする。\n{lines}"]))
    assert provision.items == ()
    assert "\n".join(provision.table) == lines


def test_no_text_of_a_paragraph_is_lost(statute: Statute) -> None:
    for provision in parse_articles(statute).provisions:
        source = provision.article.paragraphs[provision.number - 1].text
        kept = {line.split(" ", 1)[-1] for line in provision.text.split("\n")}
        assert {line.split(" ", 1)[-1] for line in source.split("\n")} == kept


def test_a_paragraph_without_a_number_takes_its_place(make_article: Make) -> None:
    article = make_article("1", "", ["甲とする。", "乙とする。"])
    article = replace(
        article, paragraphs=tuple(Paragraph(None, p.text) for p in article.paragraphs)
    )
    assert [provision.number for provision in provisions_of(article)] == [1, 2]


@pytest.mark.parametrize(
    ("number", "unit", "name"),
    [("5", "条", "第5条"), ("66_2", "条", "第66条の2"), ("2_3_4", "号", "第2号の3の4")],
)
def test_numbers_in_words(number: str, unit: str, name: str) -> None:
    assert number_in_words(number, unit) == name


def test_a_full_stop_inside_brackets_ends_no_sentence() -> None:
    text = "甲（乙を含む。以下同じ。）は、「丙。」という。ただし、丁は除く。"
    assert sentences(text) == (
        "甲（乙を含む。以下同じ。）は、「丙。」という。",
        "ただし、丁は除く。",
    )


@given(st.text(alphabet="甲。（）「」　 \n", max_size=40))
def test_sentences_lose_nothing_but_white_space(text: str) -> None:
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "is_deleted"), [("削除", True), ("　削除。", True), ("", True), ("削除する。", False)]
)
def test_repealed_paragraphs(text: str, is_deleted: bool) -> None:
    assert deleted(text) is is_deleted


def test_a_context_has_the_data_sets_headings(statute: Statute) -> None:
    two = [named(statute, "第4条第1項"), named(statute, "第3条")]
    assert context_of(two).split("\n") == [
        "## 技能検定事業法",
        "### 第3条",
        "検定事業を行おうとする者は、文部科学大臣の登録を受けなければならない。",
        "### 第4条",
        "#### 第1項",
        "検定事業者は、その名称又は所在地を変更したときは、遅滞なく、その旨を文部科学大臣に届け出なければならない。",
    ]


def test_a_context_shows_items_and_their_parts(statute: Statute) -> None:
    context = context_of([named(statute, "第2条第3項")])
    assert "##### 第1号の2\n電気通信回線により配信する講習" in context
    assert "- イ 費用を徴収しないもの" in context
    assert "#### 第3号\n検定の実施計画" in context_of([named(statute, "第13条")])


def test_the_leak_audit_reads_the_articles_of_a_context(statute: Statute) -> None:
    shown = [named(statute, name) for name in ("第3条の2第2項", "第13条")]
    assert [str(article) for article in quoted_paragraphs(context_of(shown))] == [
        "技能検定事業法 3条の2 2項",
        "技能検定事業法 13条 1項",
    ]


def test_a_long_context_keeps_the_leads_and_the_item_in_question(make_article: Make) -> None:
    items = "\n".join(f"{number} {'長' * 600}{number}" for number in "一二三")
    (provision,) = provisions_of(make_article("1", "", [f"次に掲げる者とする。\n{items}"]))
    context = context_of([provision], provision.items[1])
    assert len(context) < MAX_CONTEXT
    assert context.endswith("長二")
    assert "次に掲げる者とする。" in context


def test_relative_references_are_told(statute: Statute) -> None:
    found = {e.name: e for e in excerpts(parse_articles(statute).provisions)}
    assert found["第3条の2第1項"].note == "なお、文中の「前条」は第3条をいいます。"
    assert found["第3条の2第2項"].note == "なお、文中の「前項」は第3条の2第1項をいいます。"
    assert "### 第3条\n" in found["第3条の2第1項"].context
    assert found["第4条第1項"].note == ""


def test_several_paragraphs_before(make_article: Make) -> None:
    article = make_article(
        "1",
        "",
        [
            "甲は、書面による。",
            "乙は、書面による。",
            "前二項の書面は、五年間保存しなければならない。",
        ],
    )
    (found,) = (e for e in excerpts(provisions_of(article)) if e.references)
    assert found.note == "なお、文中の「前二項」は第1条第1項及び第1条第2項をいいます。"


@pytest.mark.parametrize(
    "text",
    [
        "前条の書面は、五年間保存しなければならない。",  # its neighbour is repealed
        "前三項の書面は、五年間保存しなければならない。",
        "前各項の書面は、五年間保存しなければならない。",
        "次項の書面は、五年間保存しなければならない。",
        "前章の書面は、五年間保存しなければならない。",
    ],
)
def test_what_cannot_be_told_is_no_excerpt(text: str, make_article: Make) -> None:
    articles = [
        make_article("1", "", ["甲は、書面による。"]),
        make_article("3", "", [text, "乙。"]),
    ]
    assert not list(excerpts(parse_articles(articles).provisions))


@pytest.mark.parametrize(
    ("first", "second", "follows"),
    [
        ("2", "3", True),
        ("2_4", "3", True),
        ("2", "2_2", True),
        ("2_2", "2_3", True),
        ("2_2_5", "2_3", True),
        ("2", "4", False),
        ("2", "2_3", False),
        ("2_2", "2_4", False),
    ],
)
def test_which_article_is_the_one_before(
    first: str, second: str, follows: bool, make_article: Make
) -> None:
    articles = [
        make_article(first, "", ["甲の書面は、あらかじめ提出しなければならない。"]),
        make_article(second, "", ["前条の書面は、五年間保存しなければならない。"]),
    ]
    found = [e for e in excerpts(parse_articles(articles).provisions) if e.references]
    assert bool(found) is follows


def test_a_list_is_shown_with_the_sentence_that_announces_it(statute: Statute) -> None:
    found = {e.name: e for e in excerpts(parse_articles(statute).provisions)}
    quote = found["第13条"].quote(found["第13条"].text)
    assert quote.endswith("4号 直近三年の収支決算書\u30005号 会場の図面")


def test_a_proviso_is_noticed(statute: Statute) -> None:
    found = {e.name: e.excepted for e in excerpts(parse_articles(statute).provisions)}
    assert found["第4条第2項"]
    assert not found["第4条第1項"]
