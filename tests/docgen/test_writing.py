"""Generated files beside what is on disk: which differ, how, and writing them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lawqa.docgen import diff_text


@pytest.mark.slow
def test_the_committed_files_are_current(
    generated: dict[Path, str], request: pytest.FixtureRequest
) -> None:
    if request.config.getoption("--update-golden"):
        from lawqa.docgen import write_files

        write_files(generated)
    stale = [diff_text(path, text) for path, text in generated.items()]
    assert not any(stale), "make docs brings them up to date:\n" + "".join(stale)
