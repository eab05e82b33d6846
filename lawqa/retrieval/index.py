"""An index of statutes on disk, opened: word scores, article texts, look-up by citation, references.

    data.csc.index.npy …   the BM25 arrays (see `bm25`); a unit is a paragraph with its article's header
    tokens.npy             the vocabulary
    first_unit.npy         article -> its first unit
    law_of.npy             article -> its law
    is_main.npy            article -> whether it is in the main provisions
    id_rank.npy            article -> the place of its id among all ids, which breaks ties
    keys.npy, key_of.npy   sorted `law:article` -> article, for citations
    links.npy, link_starts.npy   article -> the articles it cites and those that cite it
    articles.bin, article_blocks.npy   the articles themselves, compressed
    laws.json              titles, e-Gov ids and names of the laws

All is memory-mapped or small. `indexing` writes it; the manifest beside it is the business of the pipeline.
"""

from __future__ import annotations

import json
import zlib
from collections import OrderedDict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lawqa.errors import DataError
from lawqa.files import JsonDict
from lawqa.retrieval.bm25 import AnyArray, Bm25, mapped_array
from lawqa.statutes.articles import Article, Paragraph
from lawqa.statutes.law_names import LawNames

BLOCK = 16
"""How many articles are compressed together: a tenth of a millisecond to read one, a fifth of their size."""

_FORMER_BLOCK = 64
"""The number in indexes that do not say it."""
_KEPT_BLOCKS = 128


class StatuteIndex:
    """An opened index.

    Args:
        directory: where `indexing.write_index` wrote it.

    Raises:
        DataError: a file is missing or broken.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.first_unit = self._array("first_unit.npy").astype(np.intp)
        self.law_of = self._array("law_of.npy")
        self.other_parts = np.flatnonzero(~self._array("is_main.npy"))
        self.id_rank = self._array("id_rank.npy")
        self._keys, self._key_of = self._array("keys.npy"), self._array("key_of.npy")
        self._links, self._link_starts = self._array("links.npy"), self._array("link_starts.npy")
        self._blocks = self._array("article_blocks.npy")
        laws = self._json("laws.json")
        self.law_ids: tuple[str, ...] = tuple(laws["law_ids"])
        self.names = LawNames(laws["titles"], laws["names"])
        self._block_size = int(laws.get("block", _FORMER_BLOCK))
        self.bm25 = Bm25.open(directory, int(laws["units"]))
        lengths = np.diff(self.first_unit, append=self.bm25.n_documents)
        # bincount and maximum.at would make 64-bit copies of narrower numbers at every query.
        self.article_of = np.repeat(np.arange(len(lengths), dtype=np.intp), lengths)
        self.later_units = np.flatnonzero(np.diff(self.article_of, prepend=-1) == 0)
        """The units that are not the first of their article: half of them."""
        self.later_of = self.article_of[self.later_units]
        self._texts = self._array("articles.bin", raw=True)
        self._read: OrderedDict[int, list[bytes]] = OrderedDict()

    @property
    def n_articles(self) -> int:
        """How many articles it holds."""
        return len(self.law_of)

    @property
    def titles(self) -> tuple[str, ...]:
        """The titles of its laws; an article's law is a position in it."""
        return self.names.titles

    def article(self, position: int) -> Article:
        """Return the article at a position from 0."""
        block, place = divmod(position, self._block_size)
        row = json.loads(self._block(block)[place])
        paragraphs = tuple(Paragraph(entry["num"], entry["text"]) for entry in row["paragraphs"])
        headings = tuple(row["headings"])
        return Article(**{**row, "paragraphs": paragraphs, "headings": headings})

    def find(self, law: int, number: str) -> int | None:
        """Return the position of an article of the main provisions, such as (7, "27_13"); None if there is
        none.
        """
        key = article_key(law, number)
        at = int(np.searchsorted(self._keys, key))
        if at < len(self._keys) and self._keys[at] == key:
            return int(self._key_of[at])
        return None

    def linked(self, position: int) -> NDArray[np.int32]:
        """Return the positions of the articles that an article cites and of those that cite it, in rising
        order.
        """
        start, end = self._link_starts[position], self._link_starts[position + 1]
        linked: NDArray[np.int32] = self._links[start:end]
        return linked

    def units_of(self, position: int) -> range:
        """Return the units of an article: one for each paragraph, at least one."""
        last = position + 1 == self.n_articles
        end = self.bm25.n_documents if last else int(self.first_unit[position + 1])
        return range(int(self.first_unit[position]), end)

    def _block(self, number: int) -> list[bytes]:
        if number not in self._read:
            start, end = int(self._blocks[number]), int(self._blocks[number + 1])
            self._read[number] = zlib.decompress(self._texts[start:end].tobytes()).split(b"\n")
            if len(self._read) > _KEPT_BLOCKS:
                self._read.popitem(last=False)
        self._read.move_to_end(number)
        return self._read[number]

    def _array(self, name: str, *, raw: bool = False) -> AnyArray:
        path = self.directory / name
        try:
            return np.memmap(path, mode="r").view(np.ndarray) if raw else mapped_array(path)
        except (OSError, ValueError) as problem:
            raise self._broken(problem) from None

    def _json(self, name: str) -> JsonDict:
        try:
            value: JsonDict = json.loads((self.directory / name).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as problem:
            raise self._broken(problem) from None
        return value

    def _broken(self, problem: Exception) -> DataError:
        return DataError(
            f"{self.directory}: the index is not whole: {problem}",
            f"lawqa index build --articles FILE --output-dir {self.directory} --fresh",
        )


def article_key(law: int, number: str) -> bytes:
    """Return what an article is looked up by."""
    return f"{law:06d}:{number}".encode()
