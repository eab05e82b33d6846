"""Rankings by neural models, never needed for the default: embeddings and a cross-encoder.

Both come from sentence-transformers, which is imported only when a model is asked for. Any model that it
loads will do; names are those of local directories or of the Hugging Face cache.
"""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lawqa.amounts import counted
from lawqa.errors import BackendError, ConfigError, DataError, MissingExtraError
from lawqa.foreign_code import code_named_in, code_refused, refuse_unsafe_modules
from lawqa.hub import cached_snapshot, offline_if_unreachable
from lawqa.statutes.article_names import article_name
from lawqa.statutes.articles import Article

EMBEDDINGS_FILE = "embeddings.npy"
_BATCH = 1024


class DenseRanker(Protocol):
    """A ranking by embeddings."""

    def rank(self, query: str, depth: int) -> Sequence[int]:
        """Return the positions of the nearest articles, nearest first."""


class Reranker(Protocol):
    """A cross-encoder."""

    def scores(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        """Return how well each text answers the query; higher is better."""


class Encoder(Protocol):
    """A model that turns texts into vectors."""

    def encode(self, texts: Sequence[str], *, query: bool) -> NDArray[np.float32]:
        """Return vectors of length 1, shape (len(texts), d); queries and articles may be
        treated differently.
        """


class SentenceEncoder:
    """An embedding model of sentence-transformers.

    Args:
        model: a local directory, or a name in the Hugging Face cache.

    Raises:
        MissingExtraError: sentence-transformers is not installed.
        BackendError: the model cannot be loaded.
    """

    def __init__(self, model: str) -> None:
        self._model = _loaded("SentenceTransformer", model)

    def encode(self, texts: Sequence[str], *, query: bool) -> NDArray[np.float32]:
        """Return vectors of length 1; a model that has prompts of its own for queries and documents uses
        them.
        """
        name = "encode_query" if query else "encode_document"
        encode = getattr(self._model, name, self._model.encode)
        vectors = encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)


class CrossEncoderReranker:
    """A cross-encoder of sentence-transformers.

    Args:
        model: a local directory, or a name in the Hugging Face cache.

    Raises:
        MissingExtraError: sentence-transformers is not installed.
        BackendError: the model cannot be loaded.
    """

    def __init__(self, model: str) -> None:
        self._model, self._name = _loaded("CrossEncoder", model), model

    def scores(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        """Return how well each text answers the query.

        Raises:
            BackendError: the model does not score pairs of texts.
        """
        pairs = [(query, text) for text in texts]
        try:
            scores = self._model.predict(pairs, show_progress_bar=False)
        except ValueError as problem:  # such as a chat model, which has no place for a pair
            raise BackendError(
                f"{self._name}: cannot score a query with an article: {problem}",
                "give a cross-encoder that was trained to rerank",
            ) from None
        return [float(score) for score in scores]


class EmbeddingRanker:
    """Nearest articles by cosine, all of them compared.

    Args:
        directory: the index, with the embeddings that `write_embeddings` wrote.
        encoder: the model that they were made with.
        id_rank: what breaks ties; shape (n_articles,).

    Raises:
        ConfigError: the index has no embeddings.
        DataError: they do not belong to this index.
    """

    def __init__(self, directory: Path, encoder: Encoder, id_rank: NDArray[np.int32]) -> None:
        path = directory / EMBEDDINGS_FILE
        if not path.exists():
            raise ConfigError(
                f"{directory}: the index has no embeddings",
                "lawqa index build … --dense MODEL --fresh  makes them",
            )
        self._embeddings = np.load(path, mmap_mode="r")
        if len(self._embeddings) != len(id_rank):
            raise DataError(
                f"{path}: {counted(len(self._embeddings), 'embedding')} for "
                f"{counted(len(id_rank), 'article')}",
                "lawqa index build … --dense MODEL --fresh",
            )
        self._encoder, self._id_rank = encoder, id_rank

    def rank(self, query: str, depth: int) -> Sequence[int]:
        """Return the positions of the nearest articles, nearest first, ties by id."""
        vector = self._encoder.encode([query], query=True)[0]
        near = np.round(self._embeddings @ vector, 5)
        order: list[int] = np.lexsort((self._id_rank, -near))[:depth].tolist()
        return order


def write_embeddings(directory: Path, articles: Iterator[Article], encoder: Encoder) -> int:
    """Embed articles into an index, in its order; 2 bytes a dimension and article.

    Returns:
        The dimension of the vectors.
    """
    parts: list[NDArray[np.float16]] = []
    while batch := list(itertools.islice(articles, _BATCH)):
        texts = [article_text(article) for article in batch]
        parts.append(encoder.encode(texts, query=False).astype(np.float16))
    embeddings = np.concatenate(parts)
    np.save(directory / EMBEDDINGS_FILE, embeddings)
    return int(embeddings.shape[1])


def fuse_reciprocal_ranks(rankings: Sequence[Sequence[int]], k: int = 60) -> dict[int, float]:
    """Return the reciprocal rank fusion: the sum of 1 / (k + rank) over the rankings that hold an item.

    Cormack, Clarke and Büttcher 2009, "Reciprocal rank fusion outperforms Condorcet and individual rank
    learning methods", SIGIR; k = 60 is theirs.
    """
    fused: dict[int, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            fused[item] = fused.get(item, 0.0) + 1 / (k + rank)
    return fused


def article_text(article: Article) -> str:
    """Return an article as one text, for models that read it: law, number, caption, paragraphs."""
    number = article_name(article.article) if article.article else ""
    paragraphs = "\n".join(paragraph.text for paragraph in article.paragraphs)
    return f"{article.law_title}{number}{article.caption}\n{paragraphs}"


def _loaded(kind: str, model: str) -> Any:  # sentence-transformers is not checked
    try:
        library = importlib.import_module("sentence_transformers")
    except ImportError:
        raise MissingExtraError("sentence-transformers", "dense") from None
    folder = Path(model) if Path(model).is_dir() else cached_snapshot(model)
    if folder is not None:
        refuse_unsafe_modules(model, folder)
    try:
        with offline_if_unreachable(model):
            # The keywords of a transformers model within, which else may be read from a pickle.
            return getattr(library, kind)(
                model, trust_remote_code=False, model_kwargs={"use_safetensors": True}
            )
    except (OSError, ValueError) as problem:
        if folder is not None and "trust_remote_code" in str(problem):
            raise code_refused(model, code_named_in(folder)) from None
        raise BackendError(
            f"{model}: cannot be loaded as a {kind}: {problem}",
            "give a local directory, or a model that is in the Hugging Face cache",
        ) from None
