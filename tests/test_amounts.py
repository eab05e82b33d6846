"""Numbers with their nouns, and sizes."""

from __future__ import annotations

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
