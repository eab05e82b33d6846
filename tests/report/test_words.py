"""The words of a report, in both of its languages."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from lawqa.report.phrase import Phrase
from lawqa.report.words import WORDS, condition_phrase
from lawqa.settings import Condition

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")


def test_every_word_is_in_both_languages() -> None:
    for name, said in WORDS.items():
        assert said.en, name
        assert said.ja, name
        assert said.en.isascii(), name
        assert not said.ja.isascii(), name


def test_every_word_that_page_and_script_use_is_known() -> None:
    from importlib.resources import files

    folder = files("lawqa.report.page").joinpath("templates")
    used = set(
        re.findall(
            r"(?:word|option)\((?:[\w\"]*, )?\"(\w+)\"\)",
            folder.joinpath("report.html.j2").read_text("utf-8"),
        )
    )
    used |= set(
        re.findall(r"(?:word|fact)\(\"(\w+)\"", folder.joinpath("report.js").read_text("utf-8"))
    )
    assert len(used) > 30
    assert used <= set(WORDS)


@pytest.mark.parametrize(
    ("condition", "japanese", "english", "short"),
    [
        ("closed", "条文なし（closed）", "no context (closed)", "条文なし"),
        ("gold", "付属の条文（gold）", "the data set's context (gold)", "付属の条文"),
        ("rag", "検索した条文（rag）", "retrieved statutes (rag)", "検索した条文"),
        ("?", "不明", "not known", "不明"),
        ("context", "context", "context", "context"),
    ],
)
def test_a_condition_is_called_by_words_with_its_setting_in_brackets(
    condition: str, japanese: str, english: str, short: str
) -> None:
    assert condition_phrase(condition) == Phrase(english, japanese)
    assert condition_phrase(condition, short=True).ja == short


def test_every_condition_has_words() -> None:
    assert all(condition_phrase(one).ja != one for one in get_args(Condition))
