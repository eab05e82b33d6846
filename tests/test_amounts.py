"""Numbers with their nouns, and sizes."""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from lawqa.amounts import counted, percent, size_text

pytestmark = pytest.mark.every_python


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB"), (49_000, "49.0 kB"),
        (999_949, "999.9 kB"), (999_950, "1.0 MB"), (3_400_000, "3.4 MB"), (16_381_000_000, "16.4 GB"),
        (2_000_000_000_000, "2,000.0 GB"),
    ],
)  # fmt: skip
def test_a_size_is_never_nothing_point_nothing(size: int, text: str) -> None:
    assert size_text(size) == text


def test_one_is_singular() -> None:
    assert counted(1, "answer") == "1 answer"
    assert counted(0, "answer") == "0 answers"
    assert counted(1200, "answer") == "1,200 answers"
    assert counted(2, "match", "matches") == "2 matches"


def test_a_share_has_one_form() -> None:
    assert percent(0.3571) == "35.7%"
    assert percent(1, 0) == "100%"
    assert percent(-0.0456) == "-4.6%"


ROOT = Path(__file__).parents[1]
APART = re.compile(r"[0-9}] %(?![}%a-zA-Z(])")
"""A number and its sign of percent with a space between them."""


def texts_of(file: Path) -> Iterator[str]:
    """What a reader sees of a file: of a module its strings and comments, else the whole."""
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".py" or not APART.search(text):
        yield re.sub(r"{[{%].*?[%}]}", "", text) if file.suffix == ".j2" else text
        return
    with file.open("rb") as stream:
        for token in tokenize.tokenize(stream.readline):
            if tokenize.tok_name[token.type] in ("STRING", "COMMENT", "FSTRING_MIDDLE"):
                yield token.string


def test_no_space_parts_a_number_from_its_percent_sign() -> None:
    files = [file for room in ("lawqa", "docs", "docs_src", "examples") for file in (ROOT / room).rglob("*")
             if file.suffix in (".py", ".md", ".j2", ".js", ".toml")]  # fmt: skip
    files += [ROOT / "README.md", ROOT / "README.ja.md", ROOT / "CHANGELOG.md"]
    assert len(files) > 600
    found = [(file.name, text) for file in files for text in texts_of(file) if APART.search(text)]
    assert not found
