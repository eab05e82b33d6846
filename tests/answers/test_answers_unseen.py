"""Texts written before the parser was tried on them, by kind of trouble.

They are in `tests/golden/answers_unseen.jsonl`; what was read at first is in `benchmarks/results`. Where the
choices are not given the same is read, save for texts that only quote one.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lawqa.answers import parse
from lawqa.choices import Label

CHOICES = (
    "届出をしなければならない",
    "許可を受けなければならない",
    "登録を要しない",
    "三十日以内に報告する",
)
GOLDEN = Path(__file__).parents[1] / "golden/answers_unseen.jsonl"
ROWS = [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()]
KINDS = (
    "next question",
    "channels",
    "quoted",
    "format echo",
    "several",
    "misses",
    "odd signs",
    "soft",
    "verdict lines",
    "numbers",
)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_texts_that_commit_and_texts_that_do_not(kind: str) -> None:
    labels = [row["label"] for row in ROWS if row["kind"] == kind]
    assert len(labels) >= 30
    assert kind in ("next question", "misses", "verdict lines") or None in labels


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_texts_written_before_they_were_tried(row: dict[str, str]) -> None:
    text: str = row["text"]
    label: Label | None = row["label"]  # type: ignore[assignment]  # JSON knows no literals
    assert parse(text, CHOICES).label == label, row
    if row["kind"] != "quoted":
        assert parse(text).label == label, row
