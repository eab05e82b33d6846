"""Documents that are not statutes, such as guidelines and notices, as articles: one a section.

`.md`, `.txt`, `.html` and `.pdf`. A section begins at a heading: Markdown's, `<h1>` to `<h6>`, or a numbered
line (第1章, Ⅱ-1, 1-2, 問3). It becomes an `Article` without a number: its law is the document's title, its
caption the section's heading, so that it is found, quoted and cited (title, section) as articles are.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lawqa.errors import DataError
from lawqa.files import read_bytes
from lawqa.retrieval.documents.html import html_lines
from lawqa.retrieval.documents.pdf import pdf_lines
from lawqa.retrieval.indexing import DOCUMENT
from lawqa.statutes.articles import Article, Paragraph

SUFFIXES = (".md", ".txt", ".html", ".htm", ".pdf")
"""The names of files that are read; others are left out."""

_ENCODINGS = ("utf-8-sig", "cp932", "euc_jp")
_BY_MARK = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_ESCAPES = (b"\x1b$", b"\x1b(")
"""What ISO-2022-JP switches character sets by; such a file is valid UTF-8, too, and unreadable as that."""
_DECLARED = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]+)""", re.IGNORECASE)
_HIRAGANA = re.compile("[ぁ-ん]")
_MARKDOWN = re.compile(r" {0,3}(#{1,6})(?:[ \t\u3000]+|(?=[^#\s]))(.*?)[ \t]*#*[ \t]*$")
_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_DIVISIONS = "編章節款目"
_NUMBER = "[0-9一二三四五六七八九十百]+"
_NUMBERED = (
    (re.compile(rf"第{_NUMBER}([{_DIVISIONS}])(?:の{_NUMBER})*(?:\s.*)?"), "division"),
    (re.compile(r"[IVX]+((?:-[0-9]+)*)(?:[\s.].*)?"), "roman"),
    (re.compile(r"[0-9]+((?:-[0-9]+)+)(?:[\s.].*)?"), "dashed"),
    (re.compile(r"(?:問|[QQ])\s?[0-9]+(?:-[0-9]+)*(?:[\s.:。)].*)?"), "question"),
)
_LOWEST_TITLE = 6  # the levels of Markdown and HTML; below them are those of numbers
_LONGEST_HEADING = 80
_LONGEST_PARAGRAPH = 1200
"""A longer one is divided at the ends of its lines, so that a passage fits into a context."""


@dataclass(frozen=True)
class DocumentLine:
    """A line of a document."""

    text: str
    """Its text, without the marks of a heading."""
    level: int | None = None
    """Of a heading its level from 1; None for text."""


def document_paths(directory: Path) -> list[Path]:
    """Return the files of a directory that are read, folders below it included, in the order of their names.

    A path to one document gives that document.

    Links to files are followed, each file is read once; links to folders are not.

    Raises:
        DataError: it is no directory, holds none, or a link leads nowhere.
    """
    if directory.is_file() and directory.suffix.lower() in SUFFIXES:
        return [directory]
    if not directory.is_dir():
        problem = "is not a directory" if directory.exists() else "no such directory"
        raise DataError(
            f"{directory}: {problem}", "--documents DIR with .md, .txt, .html or .pdf files"
        )
    named = [
        path
        for path in directory.rglob("*")
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    ]
    for path in named:
        if path.is_symlink() and not path.exists():
            raise DataError(
                f"{path}: is a link to nothing", "put the file there, or remove the link"
            )
    # Files before links to them, so that a document is called by its own name.
    named.sort(key=lambda path: (path.is_symlink(), path.relative_to(directory).as_posix()))
    once: dict[Path, Path] = {}
    for path in named:
        if path.is_file():
            once.setdefault(path.resolve(), path)
    paths = list(once.values())
    if not paths:
        raise DataError(
            f"{directory}: holds no document", f"expected files that end in {' '.join(SUFFIXES)}"
        )
    return sorted(paths, key=lambda path: path.relative_to(directory).as_posix())


def documents_sha256(directory: Path) -> str:
    """Return one hash of the names and bytes of all documents."""
    digest = hashlib.sha256()
    for path in document_paths(directory):
        content = hashlib.sha256(read_bytes(path)).hexdigest()
        name = path.name if path == directory else path.relative_to(directory).as_posix()
        digest.update(f"{name}\x00{content}\n".encode())
    return digest.hexdigest()


def read_documents(directory: Path) -> Iterator[Article]:
    """Yield the sections of all documents of a directory, or of one document.

    Raises:
        DataError: there is none, one cannot be read, holds no text, or is a scan.
        MissingExtraError: one is a PDF and pypdf is not installed.
    """
    for path in document_paths(directory):
        name = path.name if path == directory else path.relative_to(directory).as_posix()
        yield from _sections(read_document(path), path, name)


def read_document(path: Path) -> list[DocumentLine]:
    """Return the lines of a document, its headings marked.

    Raises:
        DataError: it cannot be read or holds no text.
        MissingExtraError: it is a PDF and pypdf is not installed.
    """
    kind = path.suffix.lower()
    if kind == ".pdf":
        lines = _with_numbered([DocumentLine(text) for text in pdf_lines(path)])
    elif kind in (".html", ".htm"):
        read = [DocumentLine(text, level) for text, level in html_lines(_decoded(path))]
        lines = _with_numbered(read) if _headings(read) <= 1 else read
    elif kind == ".md":
        read = _markdown(_decoded(path))
        lines = _with_numbered(read) if _headings(read) <= 1 else read
    else:
        lines = _with_numbered([DocumentLine(text.rstrip()) for text in _decoded(path).split("\n")])
    if not any(line.text.strip() for line in lines):
        raise DataError(f"{path}: holds no text")
    return lines


def _decoded(path: Path) -> str:
    raw = read_bytes(path)
    declared = _DECLARED.search(raw[:4096]) if path.suffix.lower() in (".html", ".htm") else None
    text = _text(raw, declared[1].decode("ascii") if declared else None)
    if text is None or "\x00" in text:
        raise DataError(
            f"{path}: is no text in UTF-8, UTF-16 with its mark, Shift JIS, EUC-JP or ISO-2022-JP",
            "save it as UTF-8",
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _text(raw: bytes, declared: str | None) -> str | None:
    """Return the text of a file; None where no encoding fits.

    Bytes of EUC-JP are often valid Shift JIS as well. Japanese is written with hiragana, so the reading that
    has more of it is the right one.
    """
    for mark, encoding in _BY_MARK:
        if raw.startswith(mark):
            return _as(raw, encoding)
    if any(escape in raw for escape in _ESCAPES):
        return _as(raw, "iso2022_jp_3")
    unicode, *others = (_as(raw, encoding) for encoding in _ENCODINGS)
    if unicode is not None:
        return unicode
    if declared and (text := _as(raw, declared)) is not None:
        return text
    readings = [text for text in others if text is not None]
    return max(readings, key=lambda text: len(_HIRAGANA.findall(text)), default=None)


def _as(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def _markdown(text: str) -> list[DocumentLine]:
    lines, fenced = [], False
    for line in text.split("\n"):
        fenced ^= _FENCE.match(line) is not None
        heading = None if fenced else _MARKDOWN.fullmatch(line)
        lines.append(
            DocumentLine(heading[2].strip(), len(heading[1]))
            if heading
            else DocumentLine(line.rstrip())
        )
    return lines


def _headings(lines: Sequence[DocumentLine]) -> int:
    """Return how many headings are marked as such; a lone one is the title of a document with
    numbered lines.
    """
    return sum(line.level is not None for line in lines)


def _with_numbered(lines: Sequence[DocumentLine]) -> list[DocumentLine]:
    """Return the lines, those that are numbered headings marked; a level of their own for each kind of
    number.
    """
    return [
        line if line.level else DocumentLine(line.text.strip() if level else line.text, level)
        for line in lines
        for level in [None if line.level else _numbered_level(line.text)]
    ]


def _numbered_level(line: str) -> int | None:
    text = (
        unicodedata.normalize("NFKC", line)
        .strip()
        .replace("‐", "-")
        .replace("−", "-")
        .replace("―", "-")
    )
    if not 0 < len(text) <= _LONGEST_HEADING:
        return None
    for pattern, kind in _NUMBERED:
        match = pattern.fullmatch(text)
        if match is None:
            continue
        if kind == "question":
            return 20
        if text.endswith("。"):
            return None
        if kind == "division":
            return 7 + _DIVISIONS.index(match[1])
        return (12 if kind == "roman" else 16) + min(match[1].count("-"), 3)
    return None


def _sections(lines: Sequence[DocumentLine], path: Path, name: str) -> Iterator[Article]:
    title, lines = _title(lines, path)
    above: list[DocumentLine] = []
    heading: DocumentLine | None = None
    text: list[str] = []
    n = 0
    for line in [*lines, DocumentLine("", 1)]:
        if line.level is None:
            text.append(line.text)
            continue
        paragraphs = _paragraphs(text)
        if paragraphs:
            headings = tuple(one.text for one in above)
            caption = heading.text if heading else ""
            yield Article(
                f"{DOCUMENT}{name}/{n:04d}", f"{DOCUMENT}{name}", title, "", "", "main", None,
                caption, paragraphs, None, headings,
            )  # fmt: skip
            n += 1
        if heading is not None and (heading.level or 0) < line.level:
            above.append(heading)
        while above and (above[-1].level or 0) >= line.level:
            above.pop()
        heading, text = line, []
    if not n:
        raise DataError(f"{path}: holds headings and no text")


def _title(lines: Sequence[DocumentLine], path: Path) -> tuple[str, Sequence[DocumentLine]]:
    """Return the first heading where it is above all others, and else the name of the file."""
    headings = [i for i, line in enumerate(lines) if line.level is not None]
    levels = [line.level for line in lines if line.level is not None]
    if levels and levels[0] <= _LOWEST_TITLE and all(level > levels[0] for level in levels[1:]):
        first = headings[0]
        return lines[first].text, [*lines[:first], *lines[first + 1 :]]
    return path.stem, lines


def _paragraphs(lines: Sequence[str]) -> tuple[Paragraph, ...]:
    """Return what blank lines divide, without numbers; long ones divided at line ends."""
    paragraphs: list[Paragraph] = []
    piece: list[str] = []
    for line in [*lines, ""]:
        full = sum(map(len, piece)) + len(line) > _LONGEST_PARAGRAPH
        if piece and (not line.strip() or full):
            paragraphs.append(Paragraph(None, "\n".join(piece)))
            piece = []
        if line.strip():
            piece.append(line.strip())
    return tuple(paragraphs)
