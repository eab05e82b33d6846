"""Something is done to a module once it has run, and the import goes on as it would."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from lawqa.models.lean.afterwards import Afterwards

NAME = "a_module_of_this_test"


@pytest.fixture(autouse=True)
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / f"{NAME}.py").write_text("value = 1\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop(NAME, None)


def test_the_module_has_run_when_something_is_done_to_it() -> None:
    def double(module: ModuleType) -> None:
        module.value *= 2  # type: ignore[attr-defined]

    waiting = Afterwards(NAME, double)
    waiting.watch()
    assert import_module("json").__name__ == "json"
    assert waiting in sys.meta_path
    module = import_module(NAME)
    assert module.value == 2
    assert module.__spec__ is not None
    assert module.__spec__.name == NAME
    assert waiting not in sys.meta_path


def test_who_waits_no_longer_does_nothing() -> None:
    waiting = Afterwards(NAME, lambda module: vars(module).clear())
    waiting.watch()
    waiting.leave()
    waiting.leave()
    assert import_module(NAME).value == 1


def test_a_module_that_is_nowhere_is_missing_as_ever() -> None:
    waiting = Afterwards("no_such_module_anywhere", lambda _: None)
    waiting.watch()
    with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
        import_module("no_such_module_anywhere")
    assert waiting not in sys.meta_path
