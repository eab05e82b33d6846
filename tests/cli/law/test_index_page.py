"""The page on retrieval: its commands run, and print what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from lawqa.cli import main

pytestmark = [pytest.mark.torch, pytest.mark.slow]


def test_the_commands_of_the_page_print_what_it_shows(
    checkout: Path, tiny_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")
    page = (checkout / "docs/retrieval.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name in ("articles.jsonl", "questions.json"):
        Path(name).symlink_to(checkout / "lawqa/assets" / name)
    Path("model").symlink_to(tiny_dir)
    Path("guidelines").mkdir()
    (guideline,) = re.findall(r"```markdown\n(.*?)```", page, re.DOTALL)
    Path("guidelines/kodate.md").write_text(guideline, encoding="utf-8")
    blocks = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    commands = [part for block in blocks for part in re.split(r"(?m)^\$ lawqa ", block)[1:]]
    assert len(commands) == 10
    for command in commands:
        line, *shown = command.splitlines()
        assert main(shlex.split(line)) == 0, line
        out, err = capsys.readouterr()
        said = out + err
        for expected in shown:
            assert expected in said, f"{line}\n{said}"
    assert Path("raft.provenance.json").is_file()
