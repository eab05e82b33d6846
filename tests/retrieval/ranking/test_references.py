"""Articles that a query cites, and those that the best one refers to."""

from __future__ import annotations

from lawqa.retrieval.index import StatuteIndex
from lawqa.retrieval.ranking.settings import SearchSettings
from lawqa.retrieval.retriever import Retriever


def found(index: StatuteIndex, text: str, *choices: str, **settings: object) -> list[str]:
    retriever = Retriever(index, SearchSettings(**settings))  # type: ignore[arg-type]
    return [hit.article.id for hit in retriever.search(text, choices, top_k=12)]


def test_a_bare_citation_is_looked_up_first(index: StatuteIndex) -> None:
    (hit, *_) = Retriever(index).search("家屋の賃貸借に関する法律第四条")
    assert hit.article.id == "904AC01/main/4"
    assert hit.reasons[0].kind == "citation"
    assert hit.reasons[0].detail == "家屋の賃貸借に関する法律第4条"


def test_a_citation_in_a_question_comes_before_what_only_shares_words(index: StatuteIndex) -> None:
    text = "試験品取引法第24条に基づき、買取人が公告について正しいものはどれか"
    assert found(index, text)[0] == "901AC01/main/24"


def test_without_citations_words_decide(index: StatuteIndex) -> None:
    text = "試験品取引法第24条に基づき、買取人が公告を取り消すこと"
    assert found(index, text, citations=False)[0] == "901AC01/main/5_2"


def test_an_article_that_answers_far_better_than_the_cited_one_may_stand_first(
    index: StatuteIndex,
) -> None:
    text = (
        "家屋の賃貸借に関する法律第4条。買取人は公開買取りの公告を、"
        "買取期間の初日の二十一日前までにしなければならない"
    )
    assert found(index, text)[:2] == ["901AC01/main/5", "904AC01/main/4"]
    assert found(index, text, citation_weight=10.0)[0] == "904AC01/main/4"


def test_cited_paragraphs_and_items_are_kept(index: StatuteIndex) -> None:
    (hit, *_) = Retriever(index).search("試験品取引法第5条第2項")
    assert hit.paragraphs[0] == 1
    (hit, *_) = Retriever(index).search("試験品取引法第2条第1項第2号の2")
    assert (hit.paragraphs[0], hit.items) == (0, ("2_2",))


def test_the_law_of_a_choice_without_one_is_the_law_spoken_of(index: StatuteIndex) -> None:
    hits = Retriever(index).search("家屋の賃貸借に関する法律の根拠条文は", ["第4条", "第99条"])
    assert "citation" in [r.kind for hit in hits if hit.article.article == "4" for r in hit.reasons]


def test_a_foreign_law_is_not_taken_for_a_known_one(index: StatuteIndex) -> None:
    hits = Retriever(index).search("試験品取引法について、民法第2条の規定")
    assert not any(reason.kind == "citation" for hit in hits for reason in hit.reasons)


def test_bare_choices_are_looked_up_and_add_no_words(index: StatuteIndex) -> None:
    question = "買取報告書の根拠条文は"
    choices = ["試験品取引法施行令第9条の4", "試験品取引法第24条", "試験品取引法第5条第1項"]
    retriever = Retriever(index)
    ranking = retriever.rank(question, choices)
    assert ranking.query == question
    assert {index.article(p).article for p in ranking.cited} == {"9_4", "24", "5"}
    assert index.article(ranking.positions[0]).article == "24"


def test_references_bring_the_order_that_fills_in_the_act(index: StatuteIndex) -> None:
    text = "試験品の公開買取りの公告で、買取期間のほかに公告しなければならない事項"
    alone = found(index, text, follow=False)
    followed = Retriever(index).search(text, top_k=12)
    ids = [hit.article.id for hit in followed]
    assert ids[:3] == alone[:3]
    assert ids.index("902CO01/main/9_4") < alone.index("902CO01/main/9_4")
    (hit,) = (hit for hit in followed if hit.article.id == "902CO01/main/9_4")
    assert ("reference", "試験品取引法第5条") in [(r.kind, r.detail) for r in hit.reasons]


def test_links_go_both_ways_and_leave_supplementary_provisions_out(index: StatuteIndex) -> None:
    position = {index.article(i).id: i for i in range(index.n_articles)}
    act, order = position["901AC01/main/2"], position["902CO01/main/1"]
    assert order in index.linked(act)
    assert act in index.linked(order)
    assert position["903M01/main/16"] in index.linked(order)  # 令 is the order of the same act
    before = position["901AC01/main/5"]
    assert position["901AC01/main/5_2"] in index.linked(before)  # 前条
    assert len(index.linked(position["901AC01/suppl/1"])) == 0
