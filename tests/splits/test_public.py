"""What the room shows, and what importing it costs."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from lawqa import splits

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def test_the_public_names_are_sorted_and_there() -> None:
    # Ruff's sort (RUF022): constants, then classes, then functions.
    def kind(name: str) -> tuple[int, str]:
        return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)

    assert splits.__all__ == sorted(splits.__all__, key=kind)
    assert all(hasattr(splits, name) for name in splits.__all__)


def test_importing_brings_the_rooms_below_and_the_standard_library_only(run_python: Run) -> None:
    code = (
        "import sys; before = set(sys.modules); import lawqa.splits; "
        "new = set(sys.modules) - before; "
        "print(sorted({m.split('.')[0] for m in new} - sys.stdlib_module_names)); "
        "print(sorted({'.'.join(m.split('.')[:2]) for m in new if m.startswith('lawqa.')}))"
    )
    done = run_python("-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "['lawqa']",
        "['lawqa._version', 'lawqa.amounts', 'lawqa.choices', 'lawqa.digests', 'lawqa.errors', "
        "'lawqa.files', 'lawqa.made', 'lawqa.offered', 'lawqa.questions', 'lawqa.settings', "
        "'lawqa.shown', 'lawqa.splits', 'lawqa.statutes']",
    ]
