"""The text layer of a PDF in lines, by pypdf; a scan has none and is refused."""

from __future__ import annotations

import importlib
import logging
import re
from pathlib import Path

from lawqa.errors import DataError, MissingExtraError

_FULL = 20
"""From this many characters on a line may have been broken by the page's edge."""
_ENDS = re.compile(r"[。．.：:）)」』]$")
_BEGINS = re.compile(
    r"\s*(?:[・●○■□◆※〇（(①-⑳]|第?[0-9０-９一二三四五六七八九十]+[章節条項号.．、)）\-－‐]"
    r"|[ⅠⅡⅢⅣⅤⅥIVX]+[-－‐. ]|問|Q|[イロハニホヘト][．. \u3000])"
)


def pdf_lines(path: Path) -> list[str]:
    """Return the lines of a PDF; those that the page's edge broke are joined.

    Raises:
        MissingExtraError: pypdf is not installed.
        DataError: the file is no PDF, is encrypted, or holds no text.
    """
    try:
        pypdf = importlib.import_module("pypdf")
    except ImportError:
        raise MissingExtraError("pypdf", "documents") from None
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # it remarks on every oddity of a file
    try:
        reader = pypdf.PdfReader(path)
        locked = reader.is_encrypted and not reader.decrypt("")
        pages = [] if locked else [page.extract_text() or "" for page in reader.pages]
    except (pypdf.errors.PyPdfError, OSError, ValueError, KeyError, RecursionError) as problem:
        raise DataError(f"{path}: cannot be read as a PDF: {problem}") from None
    if locked:
        raise DataError(f"{path}: is encrypted", "save it without a password")
    lines = [line.rstrip() for page in pages for line in page.split("\n")]
    if not any(line.strip() for line in lines):
        raise DataError(
            f"{path}: has no text layer; it seems to be a scan", "run OCR on it, or leave it out"
        )
    return _joined(lines)


def _joined(lines: list[str]) -> list[str]:
    out: list[str] = []
    for line in lines:
        broken = bool(out) and len(out[-1]) >= _FULL and not _ENDS.search(out[-1])
        if broken and line.strip() and not _BEGINS.match(line):
            out[-1] += line.strip()
        else:
            out.append(line)
    return out
