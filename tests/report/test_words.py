"""The words of a report, in both of its languages."""

from __future__ import annotations

import re

import pytest

from lawqa.report.words import WORDS

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
