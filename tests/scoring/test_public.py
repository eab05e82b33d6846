"""What the room shows, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys

from lawqa import scoring


def test_the_public_names_are_sorted_and_there() -> None:
    # Ruff's sort (RUF022): constants, then classes, then functions.
    def kind(name: str) -> tuple[int, str]:
        return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)

    assert scoring.__all__ == sorted(scoring.__all__, key=kind)
    assert all(hasattr(scoring, name) for name in scoring.__all__)


def test_importing_brings_neither_numpy_nor_scipy() -> None:
    code = (
        "import sys, lawqa.scoring as s; s.wilson(1, 2); "
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'numpy', 'scipy', 'torch'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    assert done.stdout.strip() == "[]"
