"""Places to write: nothing of anybody else is written into, replaced or removed, and no path is empty."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.errors import ConfigError
from lawqa.pipelines.corpus.indexes.files import index_being_built
from lawqa.runs.directory import RunDirectory
from lawqa.runs.outputs import claim_directory, foreign_entries
from lawqa.runs.upkeep.remove import OF_ADAPTER


def tree(directory: Path) -> dict[str, bytes | None]:
    """Everything below a directory with its content."""
    return {
        str(path.relative_to(directory)): path.read_bytes() if path.is_file() else None
        for path in sorted(directory.rglob("*"))
    }


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


EMPTY = [
    ["evaluate", "--llm-backend", "scripted", "--run-dir", ""],
    ["evaluate", "--llm-backend", "scripted", "--run-dir="],
    ["evaluate", "--llm-backend", "scripted", "--output", " "],
    ["evaluate", "--data", ""],
    ["evaluate", "--hf-model-name", ""],
    ["train", "--train-file", "q.json", "--output-dir", ""],
    ["records", "--output-path", ""],
    ["index", "build", "--articles", "a.jsonl", "--output-dir", ""],
    ["crossval", "run", "--input", "q.json", "--output-dir", ""],
    ["crossval", "pool", ""],
    ["split", "--input", "q.json", "--output-dir", ""],
    ["merge", "adapter", "-o", ""],
    ["distill", "--data", "q.json", "--output-path", ""],
    ["pool", "sample", "--data", "q.json", "--pool", ""],
    ["pool", "select", "--pool", "p.jsonl", "--output-path", ""],
    ["report", "r", "-o", ""],
    ["runs", "rm", ""],
    ["docs", "build", "--root", ""],
    ["demo", "--run-dir", ""],
]


@pytest.mark.parametrize("arguments", EMPTY, ids=" ".join)
def test_an_empty_path_is_refused_and_nothing_is_written(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert " is empty, expected a value\nhint: is a shell variable unset?" in err
    assert tree(tmp_path) == {}


def test_an_empty_value_is_named_by_its_flag(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--run-dir", ""]) == 2
    assert capsys.readouterr().err.startswith("error: --run-dir is empty, ")
    assert main(["compare", "r", ""]) == 2
    assert capsys.readouterr().err.startswith("error: argument 3 is empty, ")


def claim(path: str, **sources: str) -> None:
    named: dict[str, Path | None] = {name: Path(source) for name, source in sources.items()}
    claim_directory(Path(path), "--output-dir", sources=named, ours=OF_ADAPTER)


def test_a_directory_that_is_read_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "q.json").write_text("[]", encoding="utf-8")
    for path in ("model", "./model/", "data/../model"):
        with pytest.raises(ConfigError, match="is model, which is read and would be written into"):
            claim(path, model="model")
    for path in ("data", ".", "/"):
        with pytest.raises(ConfigError, match=r"holds data \(data/q\.json\)"):
            claim(path, data="data/q.json")
    claim("data/new", data="data/q.json")
    claim("new", model="model")


@pytest.mark.parametrize("name", ["thesis.tex", "config.json", "model.safetensors", "src"])
def test_a_directory_with_files_of_anybody_else_is_refused_by_name(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "out" / name).mkdir(parents=True)
    with pytest.raises(ConfigError, match=f"holds what lawqa does not write there: {name}"):
        claim("out")


def test_what_a_failed_start_and_a_shell_leave_is_not_foreign(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for name in (".lock", "nohup.out", "train.log", ".manifest.json.abc.tmp"):
        (tmp_path / "out" / name).touch()
    claim("out")
    assert foreign_entries(tmp_path / "nowhere", ()) == []


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize(
    ("found", "kind"), [("train", "evaluate"), ("evaluate", "train"), ("index", "train")]
)
def test_a_run_of_another_kind_is_never_replaced(
    tmp_path: Path, found: str, kind: str, fresh: bool
) -> None:
    content = {"schema_version": 1, "kind": found}
    (tmp_path / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ConfigError, match="--fresh does not replace it"):
        RunDirectory.check_free(tmp_path, fresh=fresh, kind=kind)


def test_what_nobody_can_read_may_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    RunDirectory.check_free(tmp_path, fresh=True, kind="evaluate")


def index_in(directory: Path) -> None:
    directory.mkdir()
    (directory / "words.bin").write_bytes(b"w")
    content: dict[str, Any] = {"schema_version": 1, "kind": "index", "files": {"words.bin": {}}}
    (directory / "manifest.json").write_text(json.dumps(content), encoding="utf-8")


def build(directory: Path) -> None:
    with index_being_built(directory, fresh=True) as building:
        (building / "manifest.json").write_text("{}", encoding="utf-8")


def test_fresh_removes_only_what_an_index_consists_of(tmp_path: Path) -> None:
    index_in(tmp_path / "index")
    (tmp_path / "index" / "notes.txt").write_text("mine", encoding="utf-8")
    before = tree(tmp_path)
    with pytest.raises(
        ConfigError, match=r"not the index's own: notes\.txt; --fresh would remove it"
    ):
        build(tmp_path / "index")
    assert tree(tmp_path) == before
    (tmp_path / "index" / "notes.txt").unlink()
    build(tmp_path / "index")
    assert sorted(tree(tmp_path / "index")) == ["manifest.json"]


def test_the_working_directory_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index_in(tmp_path / "index")
    monkeypatch.chdir(tmp_path / "index")
    before = tree(tmp_path)
    with pytest.raises(ConfigError, match="is where the command runs, and would be replaced"):
        build(Path())
    assert tree(tmp_path) == before
