"""Embeddings and rerankers of other makers."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lawqa.errors import BackendError, ConfigError, DataError, MissingExtraError
from lawqa.retrieval import dense
from lawqa.retrieval.dense import (
    CrossEncoderReranker,
    EmbeddingRanker,
    SentenceEncoder,
    write_embeddings,
)
from lawqa.retrieval.index import StatuteIndex
from lawqa.retrieval.retriever import Retriever


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
