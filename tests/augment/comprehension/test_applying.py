"""Questions on what a provision applies mutatis mutandis, on a small law of our own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lawqa.augment.comprehension import reading_drafts
from lawqa.augment.comprehension.applying import applications, applying_sentences
from lawqa.augment.provisions import parse_articles
from lawqa.augment.questions.drafts import Draft
from lawqa.augment.questions.statute_facts import statutes_of
from lawqa.statutes.articles import Article

Articles = tuple[Article, ...]
Make = Callable[..., Article]


def drafts_of(articles: Articles) -> list[Draft]:
    provisions = parse_articles(articles).provisions
    (statute,) = statutes_of(provisions, provisions)
    return list(reading_drafts(statute, ["applied"], seed=0))


def test_what_is_applied_is_right_and_another_rule_or_an_altered_one_is_wrong(
    piers: Articles,
) -> None:
    plain = next(d for d in drafts_of(piers) if d.kind == "plain")
    assert "桟橋検査機関が備える検査の記録について" in plain.text
    assert "帳簿" in plain.right
    assert sum("帳簿" in choice and "最後の記載の日" in choice for choice in plain.wrong) == 1
    assert "第四条第二項の規定は" in plain.context
    assert "五年間保存しなければならない" in plain.context


def test_changed_words_are_changed_in_the_right_choice_only_with_its_force(piers: Articles) -> None:
    reread = next(d for d in drafts_of(piers) if d.kind == "reread")
    assert "読み替え" in reread.text
    assert "港長" in reread.right
    assert "国土交通大臣" not in reread.right
    assert sum("国土交通大臣" in choice for choice in reread.wrong) >= 1
    assert "国土交通大臣→港長" in reread.facts


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("第三条第一項の規定は、桟橋の移転について準用する。", ["第3条第1項"]),
        ("第三条の規定は、桟橋の移転について準用する。", ["第3条第1項", "第3条第2項"]),
        ("前条第二項の規定は、桟橋の移転について準用する。", ["第9条の2第2項"]),
        ("第六条及び第七条第二項の規定は、桟橋の移転について準用する。", ["第6条", "第7条第2項"]),
        (
            "第四条から第六条までの規定は、桟橋の移転について準用する。",
            ["第4条第1項", "第4条第2項", "第5条第1項", "第5条第2項", "第6条"],
        ),
        ("第九十条の規定は、桟橋の移転について準用する。", None),
        ("第三条（第一項を除く。）の規定は、桟橋の移転について準用する。", None),
        (
            "第三条の規定は、桟橋の移転について準用する。この場合において、必要な読替えは、政令で定める。",
            None,
        ),
        (
            "第三条及び第四条の規定は、桟橋の移転について準用する。"
            "この場合において、第三条中「構造」とあるのは、「位置」と読み替えるものとする。",
            None,
        ),
    ],
)
def test_which_provisions_a_sentence_applies(
    text: str, names: list[str] | None, piers: Articles, make_article: Make
) -> None:
    kept = [a for a in piers if a.article not in ("10", "16")]
    added = make_article("10", "", (text,), law="桟橋管理法")
    place = next(i for i, a in enumerate(kept) if a.article == "11")
    provisions = parse_articles([*kept[:place], added, *kept[place:]]).provisions
    found = [[p.name for p in a.applied] for a in applications(provisions)]
    assert found == ([names] if names else [])


def test_the_article_before_is_not_one_with_a_gap_between(
    piers: Articles, make_article: Make
) -> None:
    texts = ("前条の規定は、桟橋の移転について準用する。",)
    kept = [a for a in piers if a.article not in ("10", "11", "16")]
    gap = [a for a in kept if a.article == "9_2"] + [
        make_article("11", "", texts, law="桟橋管理法")
    ]
    assert list(applications(parse_articles(gap).provisions)) == []


def test_a_rule_that_is_applied_to_the_same_thing_elsewhere_is_no_wrong_choice(
    piers: Articles, make_article: Make
) -> None:
    again = "第二条から第九条の二までの規定は、桟橋検査機関が備える検査の記録について準用する。"
    twin = make_article("17", "", (again,), law="桟橋管理法")
    for draft in drafts_of((*piers, twin)):
        if draft.kind == "plain":
            *_, other = draft.provisions
            assert other.article.article in ("13", "20", "21", "22", "23")


def test_a_word_within_a_longer_one_is_not_changed(piers: Articles, make_article: Make) -> None:
    text = (
        "第四条第二項の規定は、桟橋の図面について準用する。"
        "この場合において、同項中「桟橋」とあるのは、「灯台」と読み替えるものとする。"
    )
    changed = make_article("16", "", (text,), law="桟橋管理法")
    kept = [a for a in piers if a.article != "16"]
    assert drafts_of((*kept, changed)) == []


def test_ranges_are_mentioned_whole(piers: Articles, make_article: Make) -> None:
    again = make_article(
        "17", "", ("第七条から第九条までの規定は、灯台について準用する。",), law="桟橋管理法"
    )
    (mention,) = applying_sentences(parse_articles([*piers[:-6], again]).provisions)[-1:]
    assert mention.articles >= {"7", "8", "9"}
