"""Crafted questions that have nothing in common unless a test gives it to them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from lawqa.questions import Question


@pytest.fixture(scope="session")
def words() -> Callable[[object, int], str]:
    """A meaningless text of some length, the same for the same name, unlike that of any other name."""

    def make(name: object, length: int) -> str:
        source = random.Random(str(name))  # noqa: S311 - a str seeds by its SHA-512, on any machine
        return "".join(chr(source.randrange(0x4E00, 0x9000)) for _ in range(length))

    return make


@pytest.fixture(scope="session")
def craft(words: Callable[[object, int], str]) -> Callable[..., Question]:
    """A question by number, on an article of its own; any field can be given."""

    def make(number: int, **fields: Any) -> Question:
        defaults: dict[str, Any] = {
            "id": f"{'甲乙丙'[number % 3]}法_問題番号{number:04}",
            "text": words(f"text {number}", 60),
            "choices": tuple(words(f"choice {number} {label}", 30) for label in "abcd"),
            "gold": "abcd"[number % 4],
            "context": f"## {words(f'law {number}', 6)}法\n### 第{number + 1}条\n"
            + words(f"context {number}", 200),
        }
        return Question(**{**defaults, **fields})

    return make
