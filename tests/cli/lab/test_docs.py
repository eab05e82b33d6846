"""`lawqa docs`: the generated documents, written or checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from lawqa.cli.lab.docs import _help_text, help_text, subcommands


def test_help_pages_are_those_of_the_program(checkout: Path) -> None:
    text = (checkout / "docs" / "cli.md").read_text(encoding="utf-8")
    words = list(subcommands())
    assert {("evaluate",), ("crossval", "run"), ("step", "show"), ("docs", "check")} <= set(words)
    for name in words:
        assert f"```text\n{help_text(name)}\n```" in text, name
        assert help_text(name).startswith("usage: lawqa")


def test_help_is_the_same_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = help_text(("split",))
    _help_text.cache_clear()
    monkeypatch.setenv("COLUMNS", "40")
    assert help_text(("split",)) == wide
