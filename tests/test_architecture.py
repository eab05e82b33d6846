"""What ARCHITECTURE.md's recipes name is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from lawqa.commands.source import packaged_source
from lawqa.settings import BackendName

ROOTS = (
    "",
    "lawqa",
    "lawqa/pipelines",
    "lawqa/prompts",
    "lawqa/report",
    "docs_src/templates",
    "lawqa/answers",
    "lawqa/settings",
    "tests",
    "tests/answers",
)


def recipes(checkout: Path) -> dict[str, str]:
    text = (checkout / "ARCHITECTURE.md").read_text(encoding="utf-8")
    how = text.partition("## How to add")[2].partition("\n## ")[0]
    return {
        one[1]: one[0]
        for one in re.finditer(
            r"^\*\*(An? [^.*]+)\.\*\*.*?(?=^\*\*|\Z)", how, re.DOTALL | re.MULTILINE
        )
    }


def test_there_is_a_recipe_for_what_is_added_most(checkout: Path) -> None:
    assert {
        "A backend", "A setting", "A data set", "A command", "A document", "A table", "A public function",
    } <= {*recipes(checkout)}  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["A backend", "A setting", "A wording", "A data set", "An answer rule", "A command", "A public function",
     "A document", "A table", "A statistic", "A plot", "An export format", "An architecture",
     "A statute source"],
)  # fmt: skip
def test_every_path_of_a_recipe_exists(name: str, checkout: Path) -> None:
    named = re.findall(r"`([\w./*-]+(?:/|\.(?:py|md|toml|j2|jsonl)))`", recipes(checkout)[name])
    assert named
    missing = []
    for path in named:
        # NAME, GROUP and ID are for the reader to fill in.
        pattern = re.sub(r"\b(?:NAME|GROUP|ID)\b|(?<=test_)NAME", "*", path).rstrip("/")
        if not any([*(checkout / root).glob(pattern)] for root in ROOTS):
            missing.append(path)
    assert missing == []


def test_places_name_backends_that_there_are() -> None:
    named = {backend for place in packaged_source().places.values() for backend in place.backends}
    assert named
    assert named <= {*get_args(BackendName)}
