"""What is found for a question, in which order, and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawqa.errors import ConfigError
from lawqa.questions import Question
from lawqa.retrieval.dense import (
    fuse_reciprocal_ranks,
)
from lawqa.retrieval.index import StatuteIndex
from lawqa.retrieval.ranking.settings import SearchSettings
from lawqa.retrieval.retriever import Retriever
from lawqa.statutes.articles import Article, Paragraph


def found(index: StatuteIndex, text: str, *choices: str, **settings: object) -> list[str]:
    retriever = Retriever(index, SearchSettings(**settings))  # type: ignore[arg-type]
    return [hit.article.id for hit in retriever.search(text, choices, top_k=12)]


def test_words_find_the_paragraph(index: StatuteIndex) -> None:
    (hit, *_) = Retriever(index).search("公告は買取期間の初日の何日前までか")
    assert hit.article.id == "901AC01/main/5"
    assert hit.paragraphs[0] == 1
    assert [reason.kind for reason in hit.reasons] == ["terms"]
    assert "買取期間の初日" in hit.reasons[0].detail


def test_numerals_match_in_either_writing(index: StatuteIndex) -> None:
    assert found(index, "30年を超えることができない期間")[0] == "904AC01/main/3"
    assert found(index, "賃料の５パーセント")[0] == "904AC01/main/3"


def test_old_and_new_kana_match(index: StatuteIndex) -> None:
    assert found(index, "模型であって")[0] == "901AC01/main/2"


def test_other_choices_carry_the_question(index: StatuteIndex) -> None:
    text = "次のうち、正しいものを教えてください。"
    choices = ("家屋の賃借人は、家屋を転貸することができる", "家屋の転貸は自由である")
    assert found(index, text, *choices)[0] == "904AC01/main/4"
    assert "904AC01/main/4" not in found(index, text, *choices, choices="none")


def test_scores_fall(index: StatuteIndex) -> None:
    hits = Retriever(index).search("試験品の公開買取りの公告", top_k=12)
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))


def test_supplementary_provisions_come_after_unless_asked_for(index: StatuteIndex) -> None:
    text = "公開買取りの公告"
    main, suppl = "901AC01/main/5", "901AC01/suppl/1"
    ids = found(index, text)
    assert ids.index(main) < ids.index(suppl)
    assert found(index, f"附則の{text}の従前の例")[0] == suppl


def test_deleted_ranges_are_found_by_each_number(index: StatuteIndex) -> None:
    for number in ("55", "56", "57"):
        assert index.article(index.find(0, number) or 0).article == "55:57"
    assert index.find(0, "58") is None
    assert index.find(0, "5_3") is None


def twins(n: int) -> list[Article]:
    paragraph = (Paragraph(1, "同じ文言の規定である。"),)
    return [
        Article(f"id{i}", "905AC01", "双子法", "", "", "main", str(i), "", paragraph)
        for i in (3, 1, 2, *range(4, n + 1))
    ]


def test_ties_break_by_id_wherever_the_cut_falls(tmp_path: Path) -> None:
    pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")
    from lawqa.retrieval.indexing import write_index

    write_index(twins(9), tmp_path)
    retriever = Retriever(StatuteIndex(tmp_path), SearchSettings(follow=False))
    for top_k in (1, 2, 5, 9):
        hits = retriever.search("同じ文言の規定", top_k=top_k)
        assert [hit.article.id for hit in hits] == [f"id{i}" for i in range(1, top_k + 1)]


def test_the_order_of_the_laws_in_the_file_does_not_matter(
    index: StatuteIndex, tmp_path: Path
) -> None:
    from lawqa.retrieval.indexing import write_index

    articles = [index.article(i) for i in range(index.n_articles)]
    articles.sort(key=lambda article: article.law_id, reverse=True)
    write_index(articles, tmp_path)
    text = "試験品の買取期間の公告と家屋の賃貸借の期間"
    assert found(StatuteIndex(tmp_path), text) == found(index, text)


def test_articles_come_back_whole(index: StatuteIndex) -> None:
    for position in range(index.n_articles):
        article = index.article(position)
        assert isinstance(article.paragraphs, tuple)
        assert len(index.units_of(position)) == max(1, len(article.paragraphs))
    assert index.units_of(index.n_articles - 1).stop == index.bm25.n_documents


def test_a_question_is_retrieved_for_without_its_context(index: StatuteIndex) -> None:
    question = Question(
        id="問",
        text="家屋の転貸について正しいものはどれか",
        choices=("転貸することができない", "い", "う", "え"),
        gold="a",
        context="## 試験品取引法\n### 第24条\n買取報告書",
    )
    (hit,) = Retriever(index).retrieve(question, 1)
    assert hit.article.id == "904AC01/main/4"


@pytest.mark.parametrize("text", ["", "、。", "猫"])
def test_what_says_nothing_finds_nothing(index: StatuteIndex, text: str) -> None:
    assert found(index, text) == []


def test_counts_below_one_are_refused(index: StatuteIndex) -> None:
    with pytest.raises(ConfigError, match="top_k"):
        Retriever(index).search("家屋", top_k=0)
    with pytest.raises(ConfigError, match="rerank_depth"):
        Retriever(index, rerank_depth=0)


rankings = st.lists(st.permutations(range(6)), min_size=1, max_size=4)


@given(rankings)
def test_fusing_does_not_depend_on_the_order_of_the_rankings(many: list[list[int]]) -> None:
    fused, turned = fuse_reciprocal_ranks(many), fuse_reciprocal_ranks(many[::-1])
    assert fused == pytest.approx(turned)


@given(st.permutations(range(6)), st.integers(1, 3))
def test_fusing_a_ranking_with_itself_keeps_it(ranking: list[int], times: int) -> None:
    fused = fuse_reciprocal_ranks([ranking] * times)
    assert sorted(fused, key=lambda item: -fused[item]) == list(ranking)
