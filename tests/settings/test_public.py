"""What `lawqa.settings` offers, and what of it is imported only when it is asked for."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from lawqa import settings


def test_all_names_are_there() -> None:
    assert all(hasattr(settings, name) for name in settings.__all__)
    assert len(settings.__all__) == len({*settings.__all__}) > 100


def test_dir_lists_the_names_that_are_not_imported_yet() -> None:
    assert {*settings.__all__} <= {*dir(settings)}


def test_type_checkers_see_the_names_that_are_imported_when_asked(checkout: Path) -> None:
    tree = ast.parse((checkout / "lawqa" / "settings" / "__init__.py").read_text(encoding="utf-8"))
    seen = {
        one.module: tuple(alias.name for alias in one.names)
        for block in tree.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for one in block.body
        if isinstance(one, ast.ImportFrom)
    }
    assert seen == settings._ROOMS


def test_settings_of_training_are_imported_when_asked() -> None:
    code = (
        "import sys; from lawqa.settings import AskedSettings; print(sorted(sys.modules));"
        "from lawqa.settings import Hyperparameters; print(sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    before, after = map(ast.literal_eval, done.stdout.splitlines())
    assert {*settings._ROOMS}.isdisjoint(before)
    assert "lawqa.settings.training" in after
    assert "lawqa.settings.preference" not in after
