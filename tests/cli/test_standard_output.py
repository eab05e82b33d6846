"""Commands whose output nobody reads to its end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def leaking(tmp_path: Path) -> list[str]:
    """`lawqa data leaks` of two files with more leaks than a pipe holds."""
    sample = {
        "コンテキスト": "第一条", "指示": "答えよ。", "選択肢": "a 一\nb 二\nc 三\nd 四", "output": "b",
        "references": [], "問題文": "どれか。",
    }  # fmt: skip
    for name in ("a", "b"):
        samples = [{**sample, "ファイル名": f"民法_{name}{n}"} for n in range(60)]
        text = json.dumps({"samples": samples}, ensure_ascii=False)
        (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
    return [
        sys.executable, "-m", "lawqa", "data", "leaks", str(tmp_path / "a.json"), str(tmp_path / "b.json"),
    ]  # fmt: skip


@pytest.mark.slow
def test_a_check_that_found_something_says_so_though_its_reader_has_gone(
    leaking: list[str],
) -> None:
    with subprocess.Popen(leaking, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:  # noqa: S603
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.readline()
        child.stdout.close()
        err = child.stderr.read().decode()
        assert child.wait(timeout=60) == 1, err
    assert "Traceback" not in err
    assert "BrokenPipe" not in err
