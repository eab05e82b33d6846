"""Articles of statutes: the records that are indexed and put into prompts, and their JSONL.

One line an article:

    {"id": "323AC0000000025/main/2_2", "law_id": "323AC0000000025", "law_title": "金融商品取引法",
     "law_num": "昭和二十三年法律第二十五号", "revision": "20250601_504AC0000000068", "part": "main",
     "article": "2_2", "caption": "（…）", "paragraphs": [{"num": 1, "text": "…"}],
     "amend_law_num": null, "headings": ["第一章　総則"]}

An earlier form is read too: it has no `id`, `amend_law_num` and `headings`, perhaps no `law_num`,
`revision` and `part`, and writes the number of a paragraph a second time at the head of its text.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast, get_args

from lawqa.errors import DataError
from lawqa.files import bounded_lines, parse_json, refuse_endless
from lawqa.settings import LawPart
from lawqa.statutes.folding import fold

LAW_PARTS: tuple[LawPart, ...] = get_args(LawPart)

_EXPECTED = "one article a line, as lawqa statutes parse writes them"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph (項) of an article."""

    num: int | None
    """Its number from 1; None for text that is no numbered paragraph."""
    text: str
    """Its text without the number: lines of sentences, items (`一 …`), table rows (`… | …`)."""


@dataclass(frozen=True, slots=True)
class Article:
    """One article of a law, or what a law has in an article's place."""

    id: str
    """Unique in its file, and the same in every revision of the law (see `egov_xml`)."""
    law_id: str
    """e-Gov's id of the law, such as `323AC0000000025`."""
    law_title: str
    """題名."""
    law_num: str
    """法令番号, such as `昭和二十三年法律第二十五号`; empty where unknown."""
    revision: str
    """Date in force and amending law, `20250601_504AC0000000068`; empty where unknown."""
    part: LawPart
    """Where in the law it is."""
    article: str | None
    """`2_2` for 第二条の二, `55:63` for a deleted range, `15,16` for two; None where there is none."""
    caption: str
    """見出し with its brackets; for an appendix its title and the articles it belongs to."""
    paragraphs: tuple[Paragraph, ...]
    """Its paragraphs in order; none where a caption is all there is."""
    amend_law_num: str | None = None
    """The amending law that a supplementary provision came with; None for the law's own."""
    headings: tuple[str, ...] = ()
    """The titles above it, outermost first: 編, 章, 節, 款, 目, or the label of the 附則 with 抄."""

    def to_row(self) -> dict[str, object]:
        """Return the article as an object of the JSONL file."""
        return {
            "id": self.id,
            "law_id": self.law_id,
            "law_title": self.law_title,
            "law_num": self.law_num,
            "revision": self.revision,
            "part": self.part,
            "article": self.article,
            "caption": self.caption,
            "paragraphs": [{"num": p.num, "text": p.text} for p in self.paragraphs],
            "amend_law_num": self.amend_law_num,
            "headings": list(self.headings),
        }


def article_line(article: Article) -> str:
    """Return the article as one line of JSON with its line feed; the same article gives the same bytes."""
    return json.dumps(article.to_row(), ensure_ascii=False, separators=(",", ":")) + "\n"


def write_articles(path: Path, articles: Iterable[Article]) -> None:
    """Write articles, one a line; `read_articles` gives them back."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(article_line(article) for article in articles)


def read_articles(path: Path) -> Iterator[Article]:
    """Read articles one by one, in file order.

    A line of the earlier form gets the id `LAW_ID/POSITION`, its place from 0 among the lines of its
    law, and its paragraphs lose the number that their text repeats (`２　…`).

    Args:
        path: JSONL in UTF-8; `.gz` and `.xz` are unpacked on the way.

    Raises:
        DataError: the file cannot be read, holds nothing, or a line is not an article; or an id
            comes twice.
    """
    positions: dict[str, int] = {}
    seen: set[str] = set()
    for number, line in _lines(path):
        row = parse_json(line.rstrip("\n"), path, number, _EXPECTED)
        try:
            article = _article(row, positions)
        except ValueError as problem:
            raise DataError(
                f"{path}: line {number}: {problem}", "lawqa statutes parse writes such a file"
            ) from None
        if article.id in seen:
            raise DataError(f"{path}: line {number}: id {article.id!r} comes a second time")
        seen.add(article.id)
        yield article
    if not seen:
        raise DataError(f"{path}: holds no article", "lawqa statutes parse writes such a file")


def count_articles_in(path: Path) -> int:
    """Return how many articles a file holds, without reading them: its lines that are not blank.

    Raises:
        DataError: the file cannot be read.
    """
    return sum(1 for _ in _lines(path))


def corpus_sha256(path: Path) -> str:
    """Return the SHA-256 of a corpus file's bytes, in hex, read piece by piece."""
    digest = hashlib.sha256()
    refuse_endless(path)
    with path.open("rb") as file:
        while piece := file.read(2**20):
            digest.update(piece)
    return digest.hexdigest()


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, with their numbers from 1."""
    try:
        with _opened(path) as file:
            for number, raw in bounded_lines(file, path, _EXPECTED):
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
                if line.strip():
                    yield number, line
    except FileNotFoundError:
        raise DataError(
            f"{path}: no such file", "paths are relative to the directory the command runs in"
        ) from None
    except UnicodeDecodeError as problem:
        raise DataError(f"{path}: is not UTF-8 (byte {problem.start} of a line)") from None
    except (OSError, EOFError, lzma.LZMAError) as problem:
        raise DataError(f"{path}: cannot be read: {problem}") from None


def _opened(path: Path) -> IO[bytes]:
    refuse_endless(path)
    if path.suffix == ".xz":
        return lzma.open(path, "rb")
    if path.suffix == ".gz":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return path.open("rb")


def _article(row: object, positions: dict[str, int]) -> Article:
    """Return one validated article; raises ValueError.

    Args:
        row: the parsed line.
        positions: how many lines of each law came before; this line is counted in.
    """
    if not isinstance(row, dict):
        raise ValueError(f"is not an object but {type(row).__name__}")  # noqa: TRY004 - caught as one
    law_id = _text(row, "law_id")
    if not law_id:
        raise ValueError("field law_id: is empty")
    position = positions.get(law_id, 0)
    positions[law_id] = position + 1
    earlier = "id" not in row
    part = _text(row, "part", "main")
    if part not in LAW_PARTS:
        raise ValueError(f"field part: is {part!r}, expected one of {' '.join(LAW_PARTS)}")
    headings = row.get("headings", [])
    if not isinstance(headings, list) or not all(isinstance(text, str) for text in headings):
        raise ValueError("field headings: expected a list of strings")
    return Article(
        id=f"{law_id}/{position:05d}" if earlier else _text(row, "id"),
        law_id=law_id,
        law_title=_text(row, "law_title"),
        law_num=_text(row, "law_num", ""),
        revision=_text(row, "revision", ""),
        part=part,
        article=_text_or_none(row, "article"),
        caption=_text(row, "caption", ""),
        paragraphs=_paragraphs(row.get("paragraphs"), repeats_number=earlier),
        amend_law_num=_text_or_none(row, "amend_law_num"),
        headings=tuple(headings),
    )


def _text(row: dict[str, object], key: str, default: str | None = None) -> str:
    value = row.get(key, default)
    if value is None:
        raise ValueError(f"field {key}: is missing")
    if not isinstance(value, str):
        raise ValueError(f"field {key}: expected text, found {type(value).__name__}")  # noqa: TRY004
    return value


def _text_or_none(row: dict[str, object], key: str) -> str | None:
    return None if row.get(key) is None else _text(row, key)


def _paragraphs(value: object, *, repeats_number: bool) -> tuple[Paragraph, ...]:
    if not isinstance(value, list):
        raise ValueError("field paragraphs: expected a list")  # noqa: TRY004
    return tuple(_paragraph(item, repeats_number=repeats_number) for item in value)


def _paragraph(item: object, *, repeats_number: bool) -> Paragraph:
    if not isinstance(item, dict):
        raise ValueError("field paragraphs: expected objects with num and text")  # noqa: TRY004
    num, text = item.get("num"), item.get("text")
    if not isinstance(text, str):
        raise ValueError("field paragraphs: text is not text")  # noqa: TRY004
    if num is not None and (not isinstance(num, int) or isinstance(num, bool)):
        raise ValueError(f"field paragraphs: num is {num!r}, expected a whole number or null")
    if repeats_number and num is not None:
        head, mark, rest = text.partition("\u3000")
        if mark and fold(head) == str(num):
            text = rest
    return Paragraph(num, text)
