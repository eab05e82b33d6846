"""A folder is read once while transformers is imported, and its tables of names are the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from lawqa.models.lean import scanned_once as module
from lawqa.models.lean.scanned_once import scanned_once

NAME = "scanning_of_this_test"
SCANNING = """
from pathlib import Path
calls = []
def create_import_structure_from_path(path):
    path = Path(path)
    folder = path.parent if path.is_file() else path
    calls.append(folder.name)
    return {
        entry.name: create_import_structure_from_path(entry) if entry.is_dir() else {entry.stem}
        for entry in sorted(folder.iterdir())
    }
"""


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of models, beside a module that scans folders as transformers does."""
    (tmp_path / f"{NAME}.py").write_text(SCANNING, encoding="utf-8")
    folder = tmp_path / "models"
    (folder / "one").mkdir(parents=True)
    for path in (folder / "__init__.py", folder / "one" / "modeling.py"):
        path.touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(module, "_MODULE", NAME)
    yield folder
    sys.modules.pop(NAME, None)


def test_a_folder_is_scanned_once_whichever_way_it_is_named(models: Path) -> None:
    with scanned_once():
        scanning: Any = import_module(NAME)
        first = scanning.create_import_structure_from_path(str(models))
        first["one"].clear()  # what one caller does to it is not seen by the next
        second = scanning.create_import_structure_from_path(models / "__init__.py")
        inner = scanning.create_import_structure_from_path(models / "one")
    assert second == {"__init__.py": {"__init__"}, "one": {"modeling.py": {"modeling"}}}
    assert inner == second["one"]
    assert scanning.calls == ["models", "one", "one"]


def test_afterwards_folders_are_scanned_as_ever(models: Path) -> None:
    with scanned_once():
        scanning: Any = import_module(NAME)
        scanning.create_import_structure_from_path(models)
    (models / "two.py").touch()
    assert "two.py" in scanning.create_import_structure_from_path(models)
    with scanned_once():  # imported before
        scanning.create_import_structure_from_path(models)
        scanning.create_import_structure_from_path(models)
    assert scanning.calls.count("models") == 4


def test_a_version_that_scans_in_another_way_is_left_alone(models: Path) -> None:
    (models.parent / f"{NAME}.py").write_text("value = 1\n", encoding="utf-8")
    with scanned_once():
        assert import_module(NAME).value == 1


@pytest.mark.torch
def test_transformers_tables_are_those_of_its_folder() -> None:
    code = """
from lawqa.models.lean.deferred import import_transformers
import_transformers()
import transformers
from transformers.utils.import_utils import define_import_structure
structure = define_import_structure(transformers.models.__file__)
names = {name for group in structure.values() for found in group.values() for name in found}
print(len(names), len(names - set(transformers.models._class_to_module)),
      len(names - set(transformers._class_to_module)))
"""
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    names, *missing = map(int, done.stdout.split())
    assert names > 1000
    assert missing == [0, 0]
