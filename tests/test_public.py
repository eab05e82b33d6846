"""What `import lawqa` offers and what that costs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import lawqa

pytestmark = pytest.mark.every_python


def test_the_public_names_are_sorted_there_and_few() -> None:
    # Ruff's sort (RUF022): classes, then functions.
    assert lawqa.__all__ == sorted(lawqa.__all__, key=lambda name: (name[0].islower(), name))
    assert len(lawqa.__all__) <= 20
    for name in lawqa.__all__:
        found = getattr(lawqa, name)
        assert found.__name__ == name
        assert found.__doc__
    assert set(lawqa.__all__) <= set(dir(lawqa))


def test_a_name_that_is_not_there_is_said() -> None:
    with pytest.raises(AttributeError, match="module 'lawqa' has no attribute 'train_qwen'"):
        lawqa.train_qwen  # noqa: B018


def test_a_training_is_one_call_and_says_what_is_missing(tmp_path: Path) -> None:
    run = lawqa.TrainingRun(train_file=tmp_path / "none.jsonl", output_dir=tmp_path / "a")
    with pytest.raises(lawqa.LawqaError, match=r"none\.jsonl: no such file"):
        lawqa.train(run)
    assert not (tmp_path / "a").exists()


def imported_by(code: str) -> set[str]:
    code += "\nimport sys; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    return set(done.stdout.split())


@pytest.mark.slow
def test_importing_all_of_it_brings_no_torch_and_importing_lawqa_nothing() -> None:
    heavy = {"torch", "transformers", "peft", "bitsandbytes"}
    assert not imported_by("from lawqa import *") & heavy
    assert not imported_by("import lawqa") & {*heavy, "numpy", "scipy", "tqdm", "tyro"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["README.md", "README.ja.md"])
def test_the_example_of_the_readme_runs_and_prints_what_it_says(
    checkout: Path, tmp_path: Path, name: str
) -> None:
    text = (checkout / name).read_text(encoding="utf-8")
    found = re.search(r"<!-- example -->\n```python\n(.*?)```\n+```text\n(.*?)```", text, re.DOTALL)
    assert found, f"{name} has no example between <!-- example --> and its output"
    done = subprocess.run(  # noqa: S603 - the README's words
        [sys.executable, "-c", found[1]], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.stdout, done.stderr) == (found[2], "")
