"""`lawqa runs`: what is found, shown, compared, and above all what is not removed."""

from __future__ import annotations

import fcntl
import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main

pytestmark = pytest.mark.every_python

MakeRun = Callable[..., Path]
JANUARY = "2026-01-01T00:00:00+00:00"
FINGERPRINTS = [{"id": f"民法_{i}", "order": 1, "fingerprint": f"{i}"} for i in range(4)]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeRun:
    """Writes a run directory under `runs/` of the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()

    def write(
        name: str, started: str = JANUARY, accuracy: float | None = 0.5, **fields: Any
    ) -> Path:
        path = tmp_path / "runs" / name
        path.mkdir(parents=True)
        manifest = {
            "schema_version": 1, "kind": "evaluate", "status": "done", "started": started, "ended": started,
            "config": {"spec": {"mode": "direct", "condition": "closed"}, "answer_by": "logits", "seed": 0},
            "model": {"name": "Qwen/Qwen3-8B", "quantisation": "nf4", "directory_sha256": None},
            "prompt_specs": {"direct-closed-v1": "abc"}, "figures": {"seconds": 3.5},
            "data": {"path": "q.json", "sha256": "0", "questions": 4}, "questions": FINGERPRINTS,
            "adapter": None, "retrieval": None, "notes": [],
            "seed": 0, "argv": ["/x/lawqa", "evaluate", "--data", "a b.json"],
            "environment": {"lawqa": "0.1.0", "python": "3.11.7", "packages": {"torch": "2.8"},
                            "git_commit": "abcd+changes"},
            **fields,
        }  # fmt: skip
        (path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        (path / "results.jsonl").write_text("{}\n", encoding="utf-8")
        if accuracy is not None:
            figures = {
                "correct": 2,
                "asked": 4,
                "value": accuracy,
                "interval": {"low": 0.1, "high": 0.9},
            }
            (path / "summary.json").write_text(
                json.dumps({"statistics": {"accuracy": figures}}), encoding="utf-8"
            )
        return path

    return write


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(["runs", "list", *arguments, "--json"]) == 0
    return [Path(run["path"]).name for run in json.loads(capsys.readouterr().out)["runs"]]


def test_runs_are_listed_newest_first_at_any_depth(
    make: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    make("old", "2026-01-01T00:00:00+00:00")
    make("deep/er/new", "2026-03-01T00:00:00+00:00", accuracy=None, status="interrupted")
    make("middle", "2026-02-01T00:00:00+00:00")
    make("index", kind="index")
    assert listed(capsys) == ["new", "middle", "old"]
    assert main(["runs", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split() == [
        "2026-03-01", "00:00", "interrupted", "evaluate", "direct-closed-v1", "Qwen/Qwen3-8B,", "nf4",
        "runs/deep/er/new",
    ]  # fmt: skip
    assert lines[3].split()[4:9] == ["50.0%", "10.0%", "-", "90.0%", "4"]


def test_runs_are_filtered(make: MakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    make("base")
    make("adapted", adapter={"path": "adapters/rag1"})
    make("pooled", adapter={"folds": [None, {"path": "cv/fold2/adapter"}]})
    make("rag1", kind="train", accuracy=None)
    make("small", model={"name": "Qwen/Qwen3-1.7B"}, prompt_specs={"cot-rag-thinking-v1": "x"})
    assert set(listed(capsys, "--model", "1.7b")) == {"small"}
    assert set(listed(capsys, "--adapter", "rag1")) == {"adapted", "rag1"}
    assert set(listed(capsys, "--adapter", "cv/")) == {"pooled"}
    assert set(listed(capsys, "--condition", "rag")) == {"small"}
    assert set(listed(capsys, "--kind", "train")) == {"rag1"}
    assert main(["runs", "list", "--model", "nothing"]) == 0
    assert capsys.readouterr().err == "no run in runs\n"


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"schema_version": 99}', '{"schema_version": 1, "kind": "evaluate"}'],
)
def test_a_broken_manifest_is_listed_as_broken(
    make: MakeRun, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    make("good")
    path = make("bad")
    (path / "manifest.json").write_text(content, encoding="utf-8")
    assert main(["runs", "list"]) == 0
    captured = capsys.readouterr()
    assert "broken" in captured.out
    assert "runs/good" in captured.out
    assert "! runs/bad: " in captured.err


@pytest.mark.slow
def test_a_broken_summary_is_never_a_number(
    make: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make("bad")
    whole = (path / "summary.json").read_bytes()
    for end in range(len(whole) - 1):
        (path / "summary.json").write_bytes(whole[:end])
        assert main(["runs", "list", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)["runs"][0]
        assert found["accuracy"] is None
        assert found["problem"]


def test_show_is_a_screenful_with_what_must_be_known_first(
    make: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    make("one", notes=["LEAK: 2 of 4"])
    assert main(["runs", "show", "runs/one"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("! LEAK: 2 of 4\n")
    assert "accuracy  50.0% (10.0% - 90.0%), 2 / 4" in out
    assert "git checkout abcd  # with changes that were not committed" in out
    assert "lawqa evaluate --data 'a b.json'" in out
    assert main(["runs", "show", "runs/one", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["notes"] == ["LEAK: 2 of 4"]


def test_diff_says_what_could_change_the_result(
    make: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    make("one")
    make("two", questions=[*FINGERPRINTS[:2], {**FINGERPRINTS[2], "fingerprint": "x"}],
         started="2026-02-01T00:00:00+00:00",
         config={"spec": {"mode": "cot", "condition": "closed"}, "answer_by": "generate", "seed": 0},
         environment={"lawqa": "0.2.0", "packages": {}})  # fmt: skip
    assert main(["runs", "diff", "runs/one", "runs/two"]) == 0
    out = capsys.readouterr().out
    rows = [line.split() for line in out.splitlines()]
    assert ["config.spec.mode", "direct", "cot"] in rows
    assert ["config.answer_by", "logits", "generate"] in rows
    assert "environment.lawqa" not in out
    assert (
        "questions: 3 shared (1 worded differently), 1 only in the first, 0 only in the second"
        in out
    )
    assert "--all shows them" in out
    assert main(["runs", "diff", "runs/one", "runs/two", "--all"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["environment.lawqa", "0.1.0", "0.2.0"] in rows
    assert ["environment.packages.torch", "2.8", "-"] in rows
    assert main(["runs", "diff", "runs/one", "runs/one"]) == 0
    assert capsys.readouterr().out.startswith("no setting differs\n")
    assert main(["runs", "diff", "runs/one", "runs/two", "--json"]) == 0
    kinds = {d["key"]: d["kind"] for d in json.loads(capsys.readouterr().out)["differences"]}
    assert kinds["config.spec.mode"] == "settings"
    assert kinds["started"] == "circumstances"


def test_rm_removes_the_run_and_nothing_else(
    make: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = make("one"), make("two")
    (one / "parts").mkdir()
    (one / "parts" / "rank1.jsonl").write_text("x")
    (one / ".lock").write_text("pid 1")
    assert main(["runs", "rm", "runs/one", "--yes"]) == 0
    out = capsys.readouterr().out
    assert re.match(r"removed runs/one: 5 files, [1-9][\d.]* (bytes|kB)\n", out)
    assert not one.exists()
    assert sorted(p.name for p in two.iterdir()) == [
        "manifest.json",
        "results.jsonl",
        "summary.json",
    ]
    assert [p.name for p in Path("runs").iterdir()] == ["two"], "nothing hidden is left"


def test_rm_asks_a_person_and_refuses_where_there_is_none(
    make: MakeRun, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = make("one")
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert main(["runs", "rm", "runs/one"]) == 2
    assert "--yes removes without asking" in capsys.readouterr().err

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for answer in ("", "\n", "n\n", "yeah\n"):
        monkeypatch.setattr(sys, "stdin", Terminal(answer))
        assert main(["runs", "rm", "runs/one"]) == 1
    assert "nothing was removed" in capsys.readouterr().err
    assert one.exists()
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert main(["runs", "rm", "runs/one"]) == 0
    assert not one.exists()


def held(path: Path) -> Any:
    file = (path / ".lock").open("w")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("outside", "is outside runs"),
        ("above", "is outside runs"),
        ("root", "is outside runs"),
        ("link", "is a link"),
        ("through a link", "is outside runs"),
        ("no run", "holds no run: manifest.json is missing"),
        ("index", "is not a run but an index"),
        ("nested", "holds another run"),
        ("missing", "no such directory"),
        ("short", "hint: lawqa runs rm runs/one"),
        ("locked", "is being written by another process"),
        ("foreign", "file that lawqa did not write"),
        ("needed", "is the adapter of runs/two"),
        ("needed by name", "is the adapter of runs/two"),
        ("needed by a fold", "is the adapter of runs/two"),
        ("training", "is a training that has not ended"),
        ("none", "no run was given"),
    ],
)
def test_rm_refuses(
    make: MakeRun, capsys: pytest.CaptureFixture[str], tmp_path: Path, case: str, message: str
) -> None:
    one = make("one", kind="train" if case.startswith(("needed", "training")) else "evaluate")
    named, lock = "runs/one", None
    if case == "outside":
        one.rename(tmp_path / "elsewhere")
        named = "elsewhere"
    elif case == "short":
        named = "one"
    elif case == "above":
        (tmp_path / "manifest.json").write_bytes((one / "manifest.json").read_bytes())
        named = "."
    elif case == "root":
        (tmp_path / "runs" / "manifest.json").write_bytes((one / "manifest.json").read_bytes())
        named = "runs"
    elif case == "link":
        Path("runs/link").symlink_to(one)
        named = "runs/link"
    elif case == "through a link":
        (tmp_path / "far").mkdir()
        one.rename(tmp_path / "far" / "one")
        Path("runs/near").symlink_to(tmp_path / "far")
        named = "runs/near/one"
    elif case == "no run":
        (one / "manifest.json").unlink()
    elif case == "index":
        make("index", kind="index")
        named = "runs/index"
    elif case == "nested":
        make("one/inner")
    elif case == "missing":
        named = "runs/nowhere"
    elif case == "locked":
        lock = held(one)
    elif case == "foreign":
        (one / "my notes.txt").write_text("x")
    elif case == "needed":
        make("two", adapter={"path": str(one)})
    elif case == "needed by name":
        make("two", adapter={"path": "runs/one"})
    elif case == "needed by a fold":
        make("two", adapter={"folds": [None, {"path": str(one)}]})
    elif case == "training":
        manifest = json.loads((one / "manifest.json").read_text())
        (one / "manifest.json").write_text(json.dumps({**manifest, "status": "running"}))
    before = sorted(tmp_path.rglob("*"))
    paths = [] if case == "none" else [named]
    assert main(["runs", "rm", *paths, "--yes"]) == 2
    assert message in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before
    if lock is not None:
        lock.close()


def test_force_takes_what_is_needed_and_foreign_but_never_more(
    make: MakeRun, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    one = make("one", kind="train", accuracy=None)
    (one / "notes.txt").write_text("x")
    outside = tmp_path / "precious"
    outside.mkdir()
    (outside / "thesis.tex").write_text("x")
    (one / "link").symlink_to(outside)
    make("two", adapter={"path": str(one)})
    assert main(["runs", "rm", "runs/one", "--yes", "--force"]) == 0
    assert not one.exists()
    assert (outside / "thesis.tex").is_file(), "a link is removed, never what it points to"
    capsys.readouterr()


def test_an_adapter_goes_together_with_the_runs_that_need_it(make: MakeRun) -> None:
    one = make("one", kind="train", accuracy=None)
    two = make("two", adapter={"path": str(one)})
    assert main(["runs", "rm", "runs/one", "runs/two", "--yes"]) == 0
    assert not one.exists()
    assert not two.exists()


def test_one_bad_path_keeps_all(make: MakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    one = make("one")
    assert main(["runs", "rm", "runs/one", "runs/nowhere", "--yes"]) == 2
    assert one.exists()
    capsys.readouterr()
