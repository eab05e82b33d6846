"""What is found for a question, in which order, and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lawqa.errors import BackendError, ConfigError, DataError, MissingExtraError
from lawqa.questions import Question
from lawqa.retrieval import dense
from lawqa.retrieval.dense import (
    CrossEncoderReranker,
    EmbeddingRanker,
    SentenceEncoder,
    fuse_reciprocal_ranks,
    write_embeddings,
)
from lawqa.retrieval.index import StatuteIndex
from lawqa.retrieval.retriever import Retriever, SearchSettings
from lawqa.retrieval.shared_phrases import shared_phrases
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


def test_other_choices_carry_the_question(index: StatuteIndex) -> None:
    text = "次のうち、正しいものを教えてください。"
    choices = ("家屋の賃借人は、家屋を転貸することができる", "家屋の転貸は自由である")
    assert found(index, text, *choices)[0] == "904AC01/main/4"
    assert "904AC01/main/4" not in found(index, text, *choices, choices="none")


def test_references_bring_the_order_that_fills_in_the_act(index: StatuteIndex) -> None:
    text = "試験品の公開買取りの公告で、買取期間のほかに公告しなければならない事項"
    alone = found(index, text, follow=False)
    followed = Retriever(index).search(text, top_k=12)
    ids = [hit.article.id for hit in followed]
    assert ids[:3] == alone[:3]
    assert ids.index("902CO01/main/9_4") < alone.index("902CO01/main/9_4")
    (hit,) = (hit for hit in followed if hit.article.id == "902CO01/main/9_4")
    assert ("reference", "試験品取引法第5条") in [(r.kind, r.detail) for r in hit.reasons]


def test_scores_fall(index: StatuteIndex) -> None:
    hits = Retriever(index).search("試験品の公開買取りの公告", top_k=12)
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))


def test_links_go_both_ways_and_leave_supplementary_provisions_out(index: StatuteIndex) -> None:
    position = {index.article(i).id: i for i in range(index.n_articles)}
    act, order = position["901AC01/main/2"], position["902CO01/main/1"]
    assert order in index.linked(act)
    assert act in index.linked(order)
    assert position["903M01/main/16"] in index.linked(order)  # 令 is the order of the same act
    before = position["901AC01/main/5"]
    assert position["901AC01/main/5_2"] in index.linked(before)  # 前条
    assert len(index.linked(position["901AC01/suppl/1"])) == 0


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


class LengthReranker:
    """Prefers short texts."""

    def scores(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        assert "試験品" in query
        return [-float(len(text)) for text in texts]


def test_a_reranker_reorders_the_first_and_leaves_the_rest(index: StatuteIndex) -> None:
    text = "試験品の公開買取りの公告"
    plain = [h.article for h in Retriever(index).search(text, top_k=8)]
    retriever = Retriever(index, reranker=LengthReranker(), rerank_depth=4)
    reranked = [h.article for h in retriever.search(text, top_k=8)]
    lengths = [len(dense.article_text(article)) for article in reranked[:4]]
    assert lengths == sorted(lengths)
    assert {a.id for a in reranked[:4]} == {a.id for a in plain[:4]}
    assert [a.id for a in reranked[4:]] == [a.id for a in plain[4:]]


class LetterEncoder:
    """A vector of letter counts, of length 1."""

    letters = "家屋試験品買取期間公告"

    def encode(self, texts: Sequence[str], *, query: bool) -> NDArray[np.float32]:
        assert isinstance(query, bool)
        counts = np.array([[text.count(c) for c in self.letters] for text in texts], np.float32)
        length = np.linalg.norm(counts, axis=1, keepdims=True)
        return counts / np.maximum(length, 1e-9)


@pytest.mark.parametrize("batch", [1, 5, 12, 100])
def test_embeddings_are_in_the_order_of_the_index(
    index: StatuteIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(dense, "_BATCH", batch)
    articles = [index.article(i) for i in range(index.n_articles)]
    assert write_embeddings(tmp_path, iter(articles), LetterEncoder()) == len(LetterEncoder.letters)
    ranker = EmbeddingRanker(tmp_path, LetterEncoder(), index.id_rank)
    order = ranker.rank("家屋家屋", 12)
    assert {index.article(p).id for p in order[:2]} == {"904AC01/main/3", "904AC01/main/4"}
    fused = Retriever(index, dense=ranker).search("家屋の転貸", top_k=3)
    assert fused[0].article.id == "904AC01/main/4"
    assert fused[0].reasons[-1].kind == "dense"
    assert fused[0].score > fused[1].score


def test_an_index_without_embeddings_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no embeddings") as caught:
        EmbeddingRanker(tmp_path, LetterEncoder(), np.zeros(3, np.int32))
    assert "--dense" in caught.value.hint


def test_embeddings_of_another_index_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "embeddings.npy", np.zeros((2, 3), np.float16))
    with pytest.raises(DataError, match="2 embeddings for 3 articles"):
        EmbeddingRanker(tmp_path, LetterEncoder(), np.zeros(3, np.int32))


@pytest.mark.parametrize("load", [SentenceEncoder, CrossEncoderReranker])
def test_without_sentence_transformers_the_extra_is_named(
    load: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match="sentence-transformers"):
        load("some/model")


class BrokenLibrary:
    @staticmethod
    def SentenceTransformer(model: str, **_options: object) -> None:  # noqa: N802 - the library's name
        raise OSError(f"{model} is not there")


class PairlessLibrary:
    class CrossEncoder:
        def __init__(self, model: str, **_options: object) -> None:
            self.model = model

        def predict(self, pairs: list[tuple[str, str]], *, show_progress_bar: bool) -> list[float]:
            raise ValueError(f"no place for {len(pairs)} pairs (bar: {show_progress_bar})")


def test_a_model_that_takes_no_pairs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", PairlessLibrary)  # type: ignore[arg-type]
    with pytest.raises(BackendError, match="models/chat: cannot score a query with an article"):
        CrossEncoderReranker("models/chat").scores("転貸", ["甲", "乙"])


def test_a_model_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", BrokenLibrary)  # type: ignore[arg-type]
    with pytest.raises(BackendError, match="some/model"):
        SentenceEncoder("some/model")


def test_a_hub_out_of_reach_is_not_asked_for_a_ranking_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="needs lawqa[train]")
    seen: list[bool] = []

    class Library:
        @staticmethod
        def SentenceTransformer(_model: str, **_options: object) -> None:  # noqa: N802 - the library's own name
            seen.append(hub.constants.HF_HUB_OFFLINE)
            raise OSError("not here")

    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("lawqa.hub.hub_is_reachable", lambda: False)
    monkeypatch.setitem(sys.modules, "sentence_transformers", Library)  # type: ignore[arg-type]
    with pytest.raises(BackendError, match="some/model"):
        SentenceEncoder("some/model")
    assert seen == [True]


class WillingLibrary:
    """Loads whatever it is given, and keeps the options."""

    seen: dict[str, object]

    @classmethod
    def SentenceTransformer(cls, model: str, **options: object) -> str:  # noqa: N802 - the library's name
        cls.seen = options
        return model


def test_a_ranking_models_code_is_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", WillingLibrary)  # type: ignore[arg-type]
    kinds = [{"type": "sentence_transformers.models.Pooling"}, {"type": "modeling_mine.Mine"}]
    SentenceEncoder(str(tmp_path))
    assert WillingLibrary.seen["trust_remote_code"] is False
    assert WillingLibrary.seen["model_kwargs"] == {"use_safetensors": True}
    (tmp_path / "modules.json").write_text(json.dumps(kinds), encoding="utf-8")
    with pytest.raises(BackendError, match=r"needs code that comes with it \(modeling_mine.Mine\)"):
        SentenceEncoder(str(tmp_path))
    (tmp_path / "modules.json").unlink()
    (tmp_path / "2_Dense").mkdir()
    (tmp_path / "2_Dense" / "pytorch_model.bin").touch()
    with pytest.raises(BackendError, match=r"2_Dense.pytorch_model.bin is a pickle"):
        SentenceEncoder(str(tmp_path))


rankings = st.lists(st.permutations(range(6)), min_size=1, max_size=4)


@given(rankings)
def test_fusing_does_not_depend_on_the_order_of_the_rankings(many: list[list[int]]) -> None:
    fused, turned = fuse_reciprocal_ranks(many), fuse_reciprocal_ranks(many[::-1])
    assert fused == pytest.approx(turned)


@given(st.permutations(range(6)), st.integers(1, 3))
def test_fusing_a_ranking_with_itself_keeps_it(ranking: list[int], times: int) -> None:
    fused = fuse_reciprocal_ranks([ranking] * times)
    assert sorted(fused, key=lambda item: -fused[item]) == list(ranking)


def test_shared_phrases_are_the_longest_and_not_inside_one_another() -> None:
    phrases = shared_phrases("公開買付けの期間、公告の期間", "公開買付けの期間は公告する。")
    assert phrases == ["公開買付けの期間", "公告"]
    assert shared_phrases("甲乙", "丙丁") == []


def test_a_shared_word_of_two_letters_counts_unless_it_is_only_grammar() -> None:
    assert shared_phrases("転貸をすること", "転貸とは、これをするものをいう") == ["転貸"]


@given(st.text("公開買付けの期間、", max_size=20), st.text("公開買付けの期間。", max_size=20))
def test_shared_phrases_stand_in_both(query: str, text: str) -> None:
    for phrase in shared_phrases(query, text):
        assert phrase in query
        assert phrase in text
