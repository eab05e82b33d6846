"""Tags and notes of a report's readers, as a file beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lawqa.cli import main
from lawqa.errors import DataError
from lawqa.report.notes import Note, notes_path, read_notes

MakeRun = Callable[..., Path]


def test_the_file_lies_beside_the_report(tmp_path: Path) -> None:
    path = notes_path(tmp_path / "mine.html")
    assert path == tmp_path / "mine.notes.json"
    assert read_notes(path) == {}
    path.write_text('{"schema_version": 1, "notes": {"q1": {"tags": ["但書"], "text": "要確認"}}}')
    assert read_notes(path) == {"q1": Note(("但書",), "要確認")}


@pytest.mark.parametrize(
    "stored",
    [
        "[]", "{}", '{"schema_version": 2, "notes": {}}', '{"schema_version": 1, "notes": []}',
        '{"schema_version": 1, "notes": {"q": "text"}}',
        '{"schema_version": 1, "notes": {"q": {"tags": "a", "text": ""}}}',
        '{"schema_version": 1, "notes": {"q": {"tags": [1], "text": ""}}}',
        '{"schema_version": 1, "notes": {"q": {"text": null}}}',
    ],
)  # fmt: skip
def test_a_file_that_is_no_notes_is_refused(tmp_path: Path, stored: str) -> None:
    path = tmp_path / "report.notes.json"
    path.write_text(stored)
    with pytest.raises(DataError, match=r"report\.notes\.json"):
        read_notes(path)


@pytest.mark.slow
def test_notes_are_in_page_and_markdown(make_run: MakeRun, tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    run, note = make_run("base", 25), {"tags": ["但書"], "text": "2 項 <b>"}
    (tmp_path / "r.notes.json").write_text(json.dumps({"schema_version": 1, "notes": {"q1": note}}))
    assert main(["report", str(run), "-o", "r.html"]) == 0
    assert '"notes_file":"r.notes.json"' in Path("r.html").read_text(encoding="utf-8")
    assert '"notes":{"q1":{"tags":["但書"]' in Path("r.html").read_text(encoding="utf-8")
    assert main(["report", str(run), "-o", "r.md"]) == 0
    assert "- q1: \\[但書\\] 2 項 \\<b\\>" in Path("r.md").read_text(encoding="utf-8")
