"""What a wording says of itself to save a search must be true of everything that it matches."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from lawqa import answers
from lawqa.answers.context import WordsBefore
from lawqa.answers.text.page import plain_characters
from lawqa.answers.wording import AnswerWording

TEXTS = plain_characters(
    "\n".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.rglob("test_*.py"))
).replace('"', "\n")
"""Every text of these tests, and their code: a corpus of commitments in all their wordings."""

MODULES = [
    importlib.import_module(found.name)
    for found in pkgutil.walk_packages(answers.__path__, "lawqa.answers.")
]
WORDINGS = {
    f"{module.__name__.rpartition('.')[2]}.{name}[{number}]": wording
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(value, tuple) and all(isinstance(one, AnswerWording) for one in value)
    for number, wording in enumerate(value)
}
BEFORE = {
    f"{module.__name__.rpartition('.')[2]}.{name}": value
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(value, WordsBefore)
}


@pytest.mark.parametrize("name", WORDINGS)
def test_every_match_holds_a_key_and_the_sign_behind_its_label(name: str) -> None:
    wording = WORDINGS[name]
    for match in wording.pattern.finditer(TEXTS):
        # a key may lie in what the pattern only looks ahead to
        around = TEXTS[match.start() : match.end() + 12]
        assert any(key in around for key in wording.keys), match[0]
        starts = wording.starts
        assert not starts or TEXTS.startswith(tuple(starts), match.start()), match[0]
        if wording.behind:
            sign = re.match(
                r"[ ()\[\]{}\"'<>$]{0,6}(.|\n|\Z)", TEXTS[match.start() + 1 : match.end() + 9]
            )
            assert sign is not None
            assert sign[1] in wording.behind, match[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", BEFORE)
def test_words_before_a_place_hold_a_key(name: str) -> None:
    words = BEFORE[name]
    lines = [line for line in TEXTS.split("\n") if len(line) < 400]
    for line in lines:
        for at in range(1, len(line) + 1):
            match = words.pattern.search(line, max(0, at - 60), at)
            if match:
                assert any(key in line[: match.end()] for key in words.keys), match[0]
                break


def test_a_wording_that_is_tried_only_where_a_label_is_begins_with_one() -> None:
    for name, wording in WORDINGS.items():
        assert wording.at_label or not wording.behind, name
