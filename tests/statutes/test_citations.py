"""Citations in every way they are written, resolved against the statute spoken of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawqa.statutes.antecedents import Antecedents, law_kind
from lawqa.statutes.article_names import article_name
from lawqa.statutes.citations import read_citations, squeeze
from lawqa.statutes.law_names import LawNames, law_names_of
from lawqa.statutes.normalise import normalise
from lawqa.statutes.numerals import to_kanji

pytestmark = pytest.mark.every_python

FIEA, ORDER = "金融商品取引法", "金融商品取引法施行令"
DEFINITIONS = "金融商品取引法第二条に規定する定義に関する内閣府令"
DISCLOSURE = "企業内容等の開示に関する内閣府令"
MEDICINE = "医薬品、医療機器等の品質、有効性及び安全性の確保等に関する法律"
LEASE = "借地借家法"
TITLES = (
    FIEA,
    ORDER,
    DEFINITIONS,
    DISCLOSURE,
    MEDICINE,
    f"{MEDICINE}施行規則",
    LEASE,
    "商法",
    "資金決済に関する法律",
    "廃棄物の処理及び清掃に関する法律",
    "個人情報の保護に関する法律",
    "昭和二十二年法律第五十四号（私的独占の禁止及び公正取引の確保に関する法律）",
)
NAMES = LawNames(TITLES)


def cited(text: str, antecedents: Antecedents | None = None) -> list[tuple[str | None, str]]:
    reading = read_citations(text, NAMES, antecedents)
    return [(None if c.law is None else TITLES[c.law], c.article) for c in reading.citations]


@pytest.mark.parametrize(
    ("text", "law", "article", "paragraph", "item"),
    [
        ("金融商品取引法第5条第6項", FIEA, "5", 6, None),
        ("金商法第２条第３項", FIEA, "2", 3, None),
        ("金融商品取引法第二条第一項第十七号", FIEA, "2", 1, "17"),
        ("金融商品取引法27条の32の2第1項ただし書", FIEA, "27_32_2", 1, None),
        ("金融商品取引法の第5条", FIEA, "5", None, None),
        ("金融商品取引法（昭和二十三年法律第二十五号）第5条", FIEA, "5", None, None),
        ("金融商品取引法施行令第16条の6第1項第1号の2イ", ORDER, "16_6", 1, "1_2"),
        ("金商法施行令第9条の4", ORDER, "9_4", None, None),
        (f"{MEDICINE} 第６条 の２第１項第２号", MEDICINE, "6_2", 1, "2"),
        ("薬機法施行規則第230条第1号", f"{MEDICINE}施行規則", "230", None, "1"),
        ("企業内容等の開示に関する内閣府令第3条第2号", DISCLOSURE, "3", None, "2"),
        ("開示府令第三条", DISCLOSURE, "3", None, None),
        ("資金決済法第2条", "資金決済に関する法律", "2", None, None),
        ("廃棄物処理法第2条", "廃棄物の処理及び清掃に関する法律", "2", None, None),
        ("個人情報保護法第2条", "個人情報の保護に関する法律", "2", None, None),
        ("独禁法第10条", TITLES[-1], "10", None, None),
    ],
)
def test_a_citation_gives_law_article_paragraph_and_item(
    text: str, law: str, article: str, paragraph: int | None, item: str | None
) -> None:
    (citation,) = read_citations(text, NAMES).citations
    assert citation.law == TITLES.index(law)
    assert (citation.article, citation.paragraph, citation.item) == (article, paragraph, item)
    assert (citation.start, citation.end) == (0, len(squeeze(text)))


def test_a_statute_that_shares_its_title_with_another_can_be_cited_from() -> None:
    names = LawNames(["甲法", "甲法施行令", "甲法施行令"])
    reading = read_citations("法第五条に規定する者", names, Antecedents(own=2))
    assert [(c.law, c.article) for c in reading.citations] == [(0, "5")]


def test_an_article_inside_a_title_is_no_citation() -> None:
    assert cited(f"{DEFINITIONS}第十六条第一項第八号イ") == [(DEFINITIONS, "16")]


def test_an_enumeration_goes_on_with_the_same_law() -> None:
    text = "金融商品取引法第18条及び第19条、第二十条の二並びに借地借家法第3条又は第4条"
    assert cited(text) == [
        (FIEA, "18"),
        (FIEA, "19"),
        (FIEA, "20_2"),
        (LEASE, "3"),
        (LEASE, "4"),
    ]


def test_pointers_mean_what_was_spoken_of() -> None:
    text = (
        "金融商品取引法第160条第1項の請求権は、同法第159条に違反し、同条第2項及び同法施行令第9条の4により、"
        "薬機法第2条でなく、同法第14条による"
    )
    assert cited(text) == [
        (FIEA, "160"),
        (FIEA, "159"),
        (FIEA, "159"),
        (ORDER, "9_4"),
        (MEDICINE, "2"),
        (MEDICINE, "14"),
    ]


def test_the_same_paragraph_keeps_its_number() -> None:
    text = "金融商品取引法第25条第1項に規定する書類（同項第9号に掲げる書類を除く）"
    _, same = read_citations(text, NAMES).citations
    assert (same.article, same.paragraph, same.item) == ("25", 1, "9")


def test_choices_speak_of_what_the_question_spoke_of() -> None:
    question = read_citations("借地借家法の規定について正しいものはどれか", NAMES)
    assert question.laws == (TITLES.index(LEASE),)
    assert cited("第10条第1項による", question.antecedents) == [(LEASE, "10")]


def test_a_defined_word_means_its_statute() -> None:
    first = read_citations("金融商品取引法（以下「法」という。）第2条", NAMES, Antecedents(own=1))
    text = "借地借家法第3条、法第29条の4第1項第4号イ、次に第5条"
    assert cited(text, first.antecedents) == [(LEASE, "3"), (FIEA, "29_4"), (ORDER, "5")]


def test_in_the_text_of_a_statute_a_bare_article_is_its_own() -> None:
    own = Antecedents(own=TITLES.index(LEASE), before="9", after="11_2")
    assert cited("第二十二条及び前条の規定は、次条の場合に準用する", own) == [
        (LEASE, "22"),
        (LEASE, "9"),
        (LEASE, "11_2"),
    ]
    assert cited("前項の規定", own) == []


@pytest.mark.parametrize(
    "text",
    [
        "会社法第2条",
        "独占禁止法施行令第9条",
        "薬機法施行令第9条",
        "社債、株式等の振替に関する法律第147条",
        "財務諸表に関する規則第3条",
        "旧商法第3条",
        "信託商法第3条",
        "民法（明治二十九年法律第八十九号）第3条",
    ],
)
def test_an_unknown_statute_is_said_to_be_foreign(text: str) -> None:
    (citation,) = read_citations(f"金融商品取引法第1条、{text}", NAMES).citations[1:]
    assert citation.law is None
    assert citation.foreign


def test_what_points_back_to_an_unknown_statute_is_foreign_too() -> None:
    text = (
        "金融商品取引法第1条と、社債、株式等の振替に関する法律第147条第1項又は第148条、同法第228条"
    )
    citations = read_citations(text, NAMES).citations
    assert [c.foreign for c in citations] == [False, True, True, True]


def test_without_any_statute_nothing_is_named() -> None:
    (citation,) = read_citations("第十四条の承認", NAMES).citations
    assert (citation.law, citation.foreign) == (None, False)


@pytest.mark.parametrize("text", ["同一条件で更新", "1条件", "附則第3条", "二条例", "前条", "同条"])
def test_what_is_no_citation_is_not_read_as_one(text: str) -> None:
    assert cited(text) == []


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("金融商品取引法第25条第1項第3号", True),
        (f"{MEDICINE} 第６条 の２第１項第２号", True),
        (f"{MEDICINE}施76条の5", True),  # a slip in lawqa_jp
        ("金融商品取引法第5条及び第6条", True),
        (
            "金融商品取引法施行令第16条の6第1項第1号イ、ロ及びハに掲げるものを除く有価証券の売買",
            False,
        ),
        ("株券", False),
        ("金融商品取引法", False),
    ],
)
def test_bare_citations_are_told_from_sentences_that_cite(text: str, bare: bool) -> None:
    assert read_citations(text, NAMES).bare is bare


numbers = st.lists(st.integers(1, 400), min_size=1, max_size=3)
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


@given(
    st.sampled_from([FIEA, ORDER, DISCLOSURE, MEDICINE, LEASE, "金商法", "薬機法"]),
    numbers,
    st.integers(1, 40) | st.none(),
    st.integers(1, 40) | st.none(),
    st.sampled_from([str, to_kanji, lambda n: str(n).translate(WIDE)]),
)
def test_every_spelling_of_a_citation_is_read_back(
    law: str, article: list[int], paragraph: int | None, item: int | None, spell: object
) -> None:
    assert callable(spell)
    main, *branches = article
    text = f"{law}第{spell(main)}条" + "".join(f"の{spell(branch)}" for branch in branches)
    text += f"第{spell(paragraph)}項" if paragraph else ""
    text += f"第{spell(item)}号" if item else ""
    (citation,) = read_citations(f"次のうち、{text}の規定", NAMES).citations
    assert citation.law == NAMES.law(law)
    assert citation.article == "_".join(map(str, article))
    assert (citation.paragraph, citation.item) == (paragraph, str(item) if item else None)


@given(
    st.text("金融商品取引法第二条のに規定する同前令規則項号（）「」以下とい。、1 \n", max_size=40)
)
def test_any_text_is_read_and_spans_lie_inside(text: str) -> None:
    length = len(squeeze(text))
    for citation in read_citations(text, NAMES).citations:
        assert 0 <= citation.start < citation.end <= length


@given(numbers)
def test_the_name_of_an_article_cites_it(article: list[int]) -> None:
    number = "_".join(map(str, article))
    assert cited(f"{LEASE}{article_name(number)}") == [(LEASE, number)]


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        (FIEA, "act"),
        (MEDICINE, "act"),
        ("日本国憲法", "act"),
        (ORDER, "order"),
        (DISCLOSURE, "rule"),
        (f"{MEDICINE}施行規則", "rule"),
        ("厚生労働省令", "rule"),
    ],
)
def test_titles_tell_acts_orders_and_rules(title: str, kind: str) -> None:
    assert law_kind(title) == kind


def test_a_name_for_two_statutes_means_neither() -> None:
    names = LawNames(["甲の処理及び運搬に関する法律", "甲の処理及び保管に関する法律"])
    assert names.law("甲処理法") is None


def test_names_survive_being_stored() -> None:
    again = LawNames(TITLES, NAMES.as_mapping())
    assert again.as_mapping() == NAMES.as_mapping()
    assert again.law("薬機法施行規則") == TITLES.index(f"{MEDICINE}施行規則")
    assert again.derived(TITLES.index(FIEA), "施行令") == TITLES.index(ORDER)


@pytest.mark.parametrize("title", TITLES)
def test_a_statute_is_called_by_its_title_first(title: str) -> None:
    assert next(law_names_of(title)) == normalise(title)
    assert NAMES.law(title) == TITLES.index(title)
