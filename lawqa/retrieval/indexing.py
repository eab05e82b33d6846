"""Writing an index of statutes (see `index` for the files).

The units that words are counted in are paragraphs, each with its article's header (law, number, caption).
They find as well as whole articles do or better, and they tell which paragraph of a long article is meant.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from lawqa.bars import Bar
from lawqa.retrieval.bm25 import AnyArray, Bm25, Bm25Parameters
from lawqa.retrieval.index import BLOCK, article_key
from lawqa.statutes.antecedents import Antecedents
from lawqa.statutes.article_names import article_name
from lawqa.statutes.articles import Article
from lawqa.statutes.citations import read_squeezed, squeeze_normalised
from lawqa.statutes.law_names import LawNames
from lawqa.statutes.normalise import normalise

DOCUMENT = "document:"
"""What the id of a document begins with, where a statute has e-Gov's."""

_WIDEST_RANGE = 300
_LEAST_TITLE = 6


@dataclass(frozen=True)
class IndexCounts:
    """What an index holds."""

    laws: int
    articles: int
    """Articles, supplementary provisions and appendices included."""
    units: int
    """Paragraphs, each with its article's header."""
    tokens: int
    """Different character bigrams."""
    postings: int
    """Pairs of a bigram and a unit that holds it."""
    links: int
    """Pairs of an article and another that it cites or that cites it."""


def write_index(
    articles: Iterable[Article],
    directory: Path,
    parameters: Bm25Parameters | None = None,
    *,
    quiet: bool = False,
) -> IndexCounts:
    """Index articles.

    Args:
        articles: read once; those of a law in their order, since a word that one defines (「…（以下「法」と
            いう。）」) is understood in those after it. Laws are distinguished by their ids.
        directory: must exist; files of an earlier index are replaced.
        parameters: how words are weighed; the defaults if None.
        quiet: no progress.

    Raises:
        MissingExtraError: bm25s is not installed.
        DataError: there is no text to index.
    """
    corpus = _Corpus()
    with (directory / "articles.bin").open("wb") as file:
        bm25 = Bm25.build(corpus.units(articles, file), parameters)
    bm25.save(directory)
    names = _names(corpus)
    keys = _keys(corpus)
    with Bar("linking", "paragraphs", len(corpus.citing), quiet=quiet) as bar:
        links, starts = _links(corpus, names, dict(keys), bar)
    arrays: dict[str, AnyArray] = {
        "first_unit": np.array(corpus.first_unit, dtype=np.int32),
        "law_of": np.array(corpus.law_of, dtype=np.int32),
        "is_main": np.array(corpus.is_main, dtype=np.bool_),
        "id_rank": np.argsort(np.argsort(np.array(corpus.ids))).astype(np.int32),
        "keys": np.array([key for key, _ in keys], dtype=np.bytes_),
        "key_of": np.array([article for _, article in keys], dtype=np.int32),
        "links": links,
        "link_starts": starts,
        "article_blocks": np.array(corpus.blocks, dtype=np.int64),
    }
    for name, array in arrays.items():
        np.save(directory / f"{name}.npy", array)
    laws = {
        "titles": corpus.titles,
        "law_ids": list(corpus.laws),
        "names": names.as_mapping(),
        "units": bm25.n_documents,
        "block": BLOCK,
    }
    (directory / "laws.json").write_text(json.dumps(laws, ensure_ascii=False), encoding="utf-8")
    return IndexCounts(
        laws=len(corpus.titles),
        articles=len(corpus.ids),
        units=bm25.n_documents,
        tokens=bm25.n_tokens,
        postings=bm25.n_postings,
        links=len(links) // 2,
    )


def header(article: Article) -> str:
    """Return what is indexed with every paragraph of an article: law, number, caption."""
    part = "附則" if article.part == "suppl" else ""
    number = article_name(article.article) if article.article else ""
    return f"{article.law_title}{part}{number}\n{article.caption}"


class _Corpus:
    """What is gathered while the articles stream by."""

    def __init__(self) -> None:
        self.laws: dict[str, int] = {}  # e-Gov's id -> position
        self.titles: list[str] = []
        self.ids: list[str] = []
        self.numbers: list[str | None] = []
        self.law_of: list[int] = []
        self.is_main: list[bool] = []
        self.first_unit: list[int] = []
        self.citing: list[tuple[int, str]] = []  # article, squeezed paragraph
        self.blocks: list[int] = [0]

    def units(self, articles: Iterable[Article], file: IO[bytes]) -> Iterator[str]:
        """Yield the normalised units; the articles themselves go to the file on the way."""
        block: list[bytes] = []
        n_units = 0
        for position, article in enumerate(articles):
            self._take(article, n_units)
            block.append(_line(article))
            if len(block) == BLOCK:
                self._flush(block, file)
            head = normalise(header(article))
            for text in [paragraph.text for paragraph in article.paragraphs] or [""]:
                normalised = normalise(text)
                if article.part != "suppl" and ("条" in normalised or "以下「" in normalised):
                    self.citing.append((position, squeeze_normalised(normalised)))
                n_units += 1
                yield f"{head}\n{normalised}"
        if block:
            self._flush(block, file)

    def neighbour(self, position: int, step: int) -> str | None:
        """Return the number of the article before (-1) or after (1) one of the main provisions."""
        other = position + step
        if not 0 <= other < len(self.ids) or self.law_of[other] != self.law_of[position]:
            return None
        return self.numbers[other] if self.is_main[position] and self.is_main[other] else None

    def _take(self, article: Article, n_units: int) -> None:
        if article.law_id not in self.laws:
            self.laws[article.law_id] = len(self.titles)
            self.titles.append(article.law_title)
        self.ids.append(article.id)
        self.numbers.append(article.article)
        self.law_of.append(self.laws[article.law_id])
        self.is_main.append(article.part == "main")
        self.first_unit.append(n_units)

    def _flush(self, block: list[bytes], file: IO[bytes]) -> None:
        self.blocks.append(self.blocks[-1] + file.write(zlib.compress(b"\n".join(block), 6)))
        block.clear()


def _names(corpus: _Corpus) -> LawNames:
    """Return what its laws are called; a document is only by a long title, for 指針 or Q&A is a word of any
    text.
    """
    names = LawNames(corpus.titles)
    ids = list(corpus.laws)
    kept = {
        name: law
        for name, law in names.as_mapping().items()
        if not ids[law].startswith(DOCUMENT) or len(name) >= _LEAST_TITLE
    }
    return LawNames(corpus.titles, kept)


def _line(article: Article) -> bytes:
    return json.dumps(article.to_row(), ensure_ascii=False, separators=(",", ":")).encode()


def _keys(corpus: _Corpus) -> list[tuple[bytes, int]]:
    """Return what each article of the main provisions is looked up by, sorted; the first of two
    alike counts.
    """
    keys: dict[bytes, int] = {}
    for position, number in enumerate(corpus.numbers):
        if number is not None and corpus.is_main[position]:
            for one in _single_numbers(number):
                keys.setdefault(article_key(corpus.law_of[position], one), position)
    return sorted(keys.items())


def _single_numbers(number: str) -> list[str]:
    """Return the articles that are under a number: 55:57 is 55, 56 and 57; 15,16 is 15 and 16."""
    singles = []
    for one in number.split(","):
        first, _, last = one.partition(":")
        if first.isdigit() and last.isdigit() and 0 <= int(last) - int(first) <= _WIDEST_RANGE:
            singles += [str(n) for n in range(int(first), int(last) + 1)]
        else:
            singles += [end for end in (first, last) if end]
    return singles


def _links(
    corpus: _Corpus, names: LawNames, keys: dict[bytes, int], bar: Bar
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return who cites whom, both ways: the linked articles, and where those of each article begin.

    Supplementary provisions are not read: they cite most articles of their law, and say little about them.
    """
    pairs: set[int] = set()  # two positions in one number: a tuple would take four times the memory
    antecedents: dict[int, Antecedents] = {}
    for position, text in bar.over(corpus.citing):
        law = corpus.law_of[position]
        here = replace(
            antecedents.get(law, Antecedents(own=law)),
            before=corpus.neighbour(position, -1),
            after=corpus.neighbour(position, 1),
        )
        reading = read_squeezed(text, names, here)
        antecedents[law] = Antecedents(
            own=law, last=reading.antecedents.last, defined=reading.antecedents.defined
        )
        for citation in reading.citations:
            if citation.law is None:
                continue
            cited = keys.get(article_key(citation.law, citation.article))
            if cited is not None and cited != position:
                pairs.update((position << 32 | cited, cited << 32 | position))
    ordered = np.array(sorted(pairs), dtype=np.int64)
    counts = np.bincount(ordered >> 32, minlength=len(corpus.ids))
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return (ordered & 0xFFFFFFFF).astype(np.int32), starts
