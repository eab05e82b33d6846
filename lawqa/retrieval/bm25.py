"""BM25 over character bigrams: built with bm25s, kept as memory-mapped arrays, the same on every machine.

A token is a pair of neighbouring characters of `tokens.mark_words`, held as one number, so that the
vocabulary is a sorted array that is searched, not a dictionary that is loaded. Nothing here knows what a
document says: documents are texts, numbered from 0.
"""

from __future__ import annotations

import importlib
import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lawqa.errors import ConfigError, DataError, MissingExtraError
from lawqa.retrieval.tokens import mark_words

if TYPE_CHECKING:
    from types import ModuleType

Codes = NDArray[np.uint64]
Ids = NDArray[np.int32]
Bm25Scores = NDArray[np.float32]
AnyArray = NDArray[Any]
"""An array of any dtype: the file that it is read from or written to says which."""

logger = logging.getLogger(__name__)

TOKENS_FILE = "tokens.npy"
_ARRAYS = ("data.csc.index.npy", "indices.csc.index.npy", "indptr.csc.index.npy")
_BREAK = ord("\n")
_SHIFT = np.uint64(21)  # a character's number has at most 21 bits
_CHUNK = 4_000_000
_COMMON_AT_LEAST = 5_000


@dataclass(frozen=True)
class Bm25Parameters:
    """How documents are weighed."""

    k1: float = 0.9
    """How soon a repeated token stops counting. 0.9 and 0.4 are Anserini's for short passages."""
    b: float = 0.4
    """How much a long document is discounted: 0 not at all, 1 in proportion to its length."""
    max_df: float = 0.15
    """Tokens in a greater share of the documents are left out, once that is 5,000 documents: their weight is
    next to nothing and reading them takes the most time. 1 keeps all."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        problems = []
        if not 0 <= self.k1 < math.inf:
            problems.append(f"k1 is {self.k1}, expected 0 or more and finite")
        if not 0 <= self.b <= 1:
            problems.append(f"b is {self.b}, expected 0 to 1")
        if not 0 < self.max_df <= 1:
            problems.append(f"max_df is {self.max_df}, expected more than 0 and at most 1")
        if problems:
            raise ConfigError("\n".join(problems))


class Bm25:
    """An index of documents.

    BM25 as Lucene computes it (Robertson and Zaragoza 2009, "The probabilistic relevance framework: BM25 and
    beyond", Foundations and Trends in IR 3(4); variants in Kamphuis et al. 2020, "Which BM25 do you mean?"):
    the sum over a query's tokens of idf * tf / (tf + k1 * (1 - b + b * length / mean length)), the summands
    computed when the index is built (Lù 2024, "BM25S").

    Args:
        tokens: the vocabulary, sorted; shape (V,).
        data: the summands, token by token; shape (P,).
        indices: the documents they belong to; shape (P,).
        indptr: where each token's summands begin; shape (V + 1,).
        n_documents: how many documents there are.
    """

    def __init__(
        self, tokens: Codes, data: Bm25Scores, indices: Ids, indptr: AnyArray, n_documents: int
    ) -> None:
        self._tokens, self._data, self._indices, self._indptr = tokens, data, indices, indptr
        self.n_documents = n_documents

    @classmethod
    def build(cls, documents: Iterable[str], parameters: Bm25Parameters | None = None) -> Bm25:
        """Index documents.

        Args:
            documents: normalised texts (see `normalise`); read once.
            parameters: how to weigh; the defaults if None.

        Raises:
            MissingExtraError: bm25s is not installed.
            DataError: no document holds a token.
        """
        parameters = parameters or Bm25Parameters()
        bm25s = require_bm25s()
        tokens, corpus = _without_common(*_collect(documents), parameters.max_df)
        if not len(corpus.ids):
            raise DataError("no document holds two characters to index")
        # The scores come out of numpy alone; numba's, where it is installed, could differ in the last bit.
        logger.debug("weighing %d tokens of %d paragraphs", len(tokens), len(corpus))
        model = bm25s.BM25(k1=parameters.k1, b=parameters.b, method="lucene", backend="numpy")
        scores = model.build_index_from_ids(
            unique_token_ids=list(range(len(tokens))), corpus_token_ids=corpus, show_progress=False
        )
        return cls(tokens, scores["data"], scores["indices"], scores["indptr"], len(corpus))

    def save(self, directory: Path) -> None:
        """Write the arrays, under the names that bm25s gives them."""
        directory.mkdir(parents=True, exist_ok=True)
        for name, array in zip(_ARRAYS, (self._data, self._indices, self._indptr), strict=True):
            np.save(directory / name, array)
        np.save(directory / TOKENS_FILE, self._tokens)

    @classmethod
    def open(cls, directory: Path, n_documents: int) -> Bm25:
        """Memory-map an index; nothing of it is read before it is asked for.

        Raises:
            DataError: a file is missing or broken.
        """
        try:
            tokens, *arrays = (mapped_array(directory / name) for name in (TOKENS_FILE, *_ARRAYS))
        except (OSError, ValueError) as problem:
            raise DataError(
                f"{directory}: the index is not whole: {problem}", "lawqa index build --fresh"
            ) from None
        return cls(tokens, arrays[0], arrays[1], arrays[2], n_documents)

    @property
    def n_tokens(self) -> int:
        """How many different tokens there are."""
        return len(self._tokens)

    @property
    def n_postings(self) -> int:
        """How many pairs of a token and a document that holds it there are."""
        return len(self._data)

    def scores(self, weights: Mapping[int, float]) -> Bm25Scores:
        """Return the score of every document for a query.

        Args:
            weights: token -> its weight in the query, as `query_weights` makes them.

        Returns:
            Shape (n_documents,). Tokens are added in the order of their numbers, so that the last bit is the
            same everywhere.
        """
        scores = np.zeros(self.n_documents, dtype=np.float32)
        for position, weight in self._known(weights):
            start, end = self._indptr[position], self._indptr[position + 1]
            np.add.at(scores, self._indices[start:end], np.float32(weight) * self._data[start:end])
        return scores

    def idf(self, codes: Iterable[int]) -> dict[int, float]:
        """Return how telling tokens are: token -> ln(1 + (N - df + 0.5) / (df + 0.5)); left out where
        unknown.
        """
        known = {}
        for position, _ in self._known(dict.fromkeys(codes, 1.0)):
            df = int(self._indptr[position + 1] - self._indptr[position])
            idf = np.log1p((self.n_documents - df + 0.5) / (df + 0.5))
            known[int(self._tokens[position])] = float(idf)
        return known

    def _known(self, weights: Mapping[int, float]) -> Iterator[tuple[int, float]]:
        """Yield the positions of those tokens that the index knows, in order, with their weights."""
        codes = np.array(sorted(weights), dtype=np.uint64)
        positions = np.searchsorted(self._tokens, codes)
        for code, position in zip(codes.tolist(), positions.tolist(), strict=True):
            if position < len(self._tokens) and int(self._tokens[position]) == code:
                yield position, weights[code]


def mapped_array(path: Path) -> AnyArray:
    """Return a memory-mapped array that may not be written to.

    It is a view without NumPy's `memmap` class, whose bookkeeping would cost more than small slices do.
    """
    array: AnyArray = np.load(path, mmap_mode="r").view(np.ndarray)
    return array


def bigram_codes(marked: str) -> Codes:
    """Return the tokens of a text as numbers: the same bigrams, in the same order, as `tokens.tokenise`
    gives.

    Args:
        marked: a text that went through `normalise` and `mark_words`.
    """
    letters = np.frombuffer(marked.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    first, second = letters[:-1], letters[1:]
    codes: Codes = ((first << _SHIFT) | second)[(first != _BREAK) & (second != _BREAK)]
    return codes


def query_weights(parts: Sequence[tuple[str, float]], k3: float = 1.0) -> dict[int, float]:
    """Return the weight of each token of a query: (k3 + 1) * qtf / (k3 + qtf), as in Okapi BM25.

    Args:
        parts: normalised texts with their weights; a token's qtf is its weighted count over all parts.
        k3: how soon repetition in the query stops counting (Robertson and Zaragoza 2009, section 3.4).
    """
    counts: dict[int, float] = {}
    for text, weight in parts:
        for code in bigram_codes(mark_words(text)).tolist():
            counts[code] = counts.get(code, 0.0) + weight
    return {code: (k3 + 1) * count / (k3 + count) for code, count in counts.items()}


@dataclass(frozen=True)
class _Documents:
    """Token ids of documents: one array, and where each document begins in it.

    It replaces the list of lists that bm25s asks for, which would take twenty times the memory.
    """

    ids: Ids
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __iter__(self) -> Iterator[list[int]]:
        for start, end in zip(self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True):
            yield self.ids[start:end].tolist()


def _collect(documents: Iterable[str]) -> tuple[Codes, _Documents]:
    """Return the vocabulary and the documents in its terms, chunk by chunk: 4 bytes a token
    stay in memory.
    """
    vocabularies: list[Codes] = []
    local: list[Ids] = []
    lengths: list[int] = []
    waiting: list[Codes] = []

    def settle() -> None:
        codes, ids = np.unique(np.concatenate(waiting), return_inverse=True)
        vocabularies.append(codes)
        local.append(ids.astype(np.int32))
        waiting.clear()

    size = 0
    for document in documents:
        codes = bigram_codes(mark_words(document))
        lengths.append(len(codes))
        waiting.append(codes)
        size += len(codes)
        if size >= _CHUNK:
            settle()
            size = 0
    if waiting:
        settle()
    empty = np.empty(0, dtype=np.uint64)
    tokens = np.unique(np.concatenate([empty, *vocabularies]))
    ids = [
        np.searchsorted(tokens, codes).astype(np.int32)[part]
        for codes, part in zip(vocabularies, local, strict=True)
    ]
    starts = np.concatenate([[0], np.cumsum(np.array(lengths, dtype=np.int64))]).astype(np.int64)
    return tokens, _Documents(np.concatenate([np.empty(0, dtype=np.int32), *ids]), starts)


def _without_common(tokens: Codes, corpus: _Documents, max_df: float) -> tuple[Codes, _Documents]:
    """Return the vocabulary and the documents without the tokens that too many documents hold."""
    limit = max(max_df * len(corpus), _COMMON_AT_LEAST)
    if max_df == 1 or len(corpus) <= limit:
        return tokens, corpus
    df = np.zeros(len(tokens), dtype=np.int64)
    for document in corpus:
        df[np.unique(np.array(document, dtype=np.int32))] += 1
    kept = df <= limit
    if not kept.any():  # every paragraph says the same
        return tokens, corpus
    renumbered = (np.cumsum(kept) - 1).astype(np.int32)
    here = kept[corpus.ids]
    before = np.concatenate([[0], np.cumsum(here, dtype=np.int32)])
    return tokens[kept], _Documents(renumbered[corpus.ids[here]], before[corpus.starts])


def require_bm25s() -> ModuleType:
    """Return the library that builds indexes; searching needs it not.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return importlib.import_module("bm25s")  # untyped, and not needed to search
    except ImportError:
        raise MissingExtraError("bm25s", "rag") from None
