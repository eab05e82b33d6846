"""Agreement with hand labels on the real outputs, where they are at hand. They are read, never copied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lawqa.answers import parse

REAL = Path(__file__).resolve().parents[3] / "shared/data/real_outputs/dev.jsonl"


@pytest.fixture(scope="module")
def items() -> list[dict[str, Any]]:
    if not REAL.is_file():
        pytest.skip(f"the labelled real outputs are not at hand: {REAL}")
    lines = REAL.read_text(encoding="utf-8").splitlines()
    return [item for item in map(json.loads, lines) if not item["ambiguous"]]


def _disagreements(items: list[dict[str, Any]]) -> list[str]:
    wrong = []
    for item in items:
        choices = [line[2:] for line in item["choices"].splitlines()]
        parsed = parse(item["response"], choices)
        if parsed.label != item["label"]:
            wrong.append(
                f"{item['id']}: expected {item['label']}, got {parsed.label} by {parsed.rule}"
            )
    return wrong


def test_agreement_with_the_hand_labels(items: list[dict[str, Any]]) -> None:
    wrong = _disagreements(items)
    assert len(wrong) <= 0.01 * len(items), "\n".join(wrong)


def test_agreement_where_no_choice_was_made(items: list[dict[str, Any]]) -> None:
    nulls = [item for item in items if item["label"] is None]
    wrong = _disagreements(nulls)
    assert len(wrong) <= 0.1 * len(nulls), "\n".join(wrong)
