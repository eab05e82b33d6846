"""One odd key in a manifest x the commands that read it: read, or exit 2 with the key's name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main

pytestmark = pytest.mark.rough

COMMANDS = {
    "compare": ["compare", "r", "r2"],
    "log": ["log", "r", "-o", "log.md", "--fresh"],
    "report": ["report", "r", "-o", "r.md", "--fresh"],
    "rescore": ["rescore", "r"],
    "resume": ["evaluate", "--run-dir", "r", "--resume"],
    "show": ["runs", "show", "r"],
    "diff": ["runs", "diff", "r", "r2"],
}
ODD = {
    "kind": 7, "status": [], "started": 10**400, "ended": {}, "notes": [None], "argv": [1],
    "config": "x", "config.spec": None, "config.spec.mode": [], "config.spec.condition": "open",
    "config.spec.thinking": "no", "config.ensemble": -1, "config.answer_by": 3, "model": [],
    "model.content": "x", "model.peak_memory_gib": "x", "prompt_specs": [],
    "prompt_specs.direct-closed-v1": 10**400, "data": None, "data.sha256": 7,
    "data.questions": True, "data.path": [], "questions": {"a": 1}, "questions.0": "x",
    "questions.0.id": None, "questions.0.fingerprint": [], "adapter": "x", "retrieval": [],
    "figures": 3, "figures.resumed": "many", "environment": 1, "environment.packages": [1],
    "environment.git_commit": 5, "environment.accelerator": "gpu",
}  # fmt: skip


def asked() -> list[str]:
    return ["--data", "q.json", "--llm-backend", "scripted", "--script", "s.json", "--quiet"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of one question file."""
    directory = tmp_path_factory.mktemp("whole")
    samples = [
        {
            "ファイル名": f"民法_{n}", "コンテキスト": "第一条", "指示": "答えよ。", "問題文": f"問い{n}",
            "選択肢": "a 一\nb 二\nc 三\nd 四", "output": "b", "references": [],
        }
        for n in range(4)
    ]  # fmt: skip
    (directory / "q.json").write_text(json.dumps({"samples": samples}), encoding="utf-8")
    script = {sample["ファイル名"]: "最終回答：b" for sample in samples}
    (directory / "s.json").write_text(json.dumps(script), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        for name in ("r", "r2"):
            assert main(["evaluate", "--run-dir", name, "--answer-by", "generate", *asked()]) == 0
    return directory


@pytest.fixture
def here(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def change(path: Path, keys: str, value: object) -> None:
    """Put a value at a path such as `config.spec`; `...` removes it."""
    content: Any = json.loads(path.read_text(encoding="utf-8"))
    target = content
    *above, last = [int(key) if key.isdigit() else key for key in keys.split(".")]
    for key in above:
        target = target[key]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    path.write_text(json.dumps(content), encoding="utf-8")


def command_of(name: str) -> list[str]:
    return [
        *COMMANDS[name],
        *(["--answer-by", "generate", *asked()] if name == "resume" else []),
    ]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_manifest_that_nobody_changed_is_read(command: str) -> None:
    assert main(command_of(command)) == 0


@pytest.mark.parametrize("key", ODD)
@pytest.mark.parametrize("command", ["log", "resume", "compare"])
def test_an_odd_value_is_named(
    here: Path, capsys: pytest.CaptureFixture[str], command: str, key: str
) -> None:
    change(here / "r" / "manifest.json", key, ODD[key])
    before = (here / "r" / "results.jsonl").read_bytes()
    assert main(command_of(command)) == 2
    err = capsys.readouterr().err
    assert key.split(".")[0] in err
    assert "hint: " in err
    assert (here / "r" / "results.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    "key", ["kind", "config", "config.spec", "data", "questions", "model", "figures"]
)
@pytest.mark.parametrize("command", ["log", "resume"])
def test_a_key_that_is_not_there_is_named(
    here: Path, capsys: pytest.CaptureFixture[str], command: str, key: str
) -> None:
    change(here / "r" / "manifest.json", key, ...)
    assert main(command_of(command)) == 2
    assert f"has no key '{key}" in capsys.readouterr().err


def test_a_prompt_with_settings_of_another_version_is_another_run(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(here / "r" / "manifest.json", "config.spec.tone", "kind")
    assert main(command_of("resume")) == 2
    assert "the prompt: not the same" in capsys.readouterr().err


@pytest.mark.parametrize(
    "choices", ["", "a 一", "a 一\nb 二\nc 三\nd 四\ne 五", "b 一\na 二\nc 三\nd 四"]
)
def test_a_row_whose_choices_are_not_four_is_no_answer_and_is_asked_again(
    here: Path, capsys: pytest.CaptureFixture[str], choices: str
) -> None:
    path = here / "r" / "results.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows[1]["choices"] = choices
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert main(command_of("rescore")) == 2
    assert "'choices'" in capsys.readouterr().err
    assert main(command_of("resume")) == 0
    assert main(command_of("rescore")) == 0


def test_half_a_surrogate_in_a_rows_question_makes_it_another_question(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = here / "r" / "results.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows[1]["question"] = "\ud800"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert main(command_of("rescore")) == 2
    assert "has another wording than the one asked" in capsys.readouterr().err


# --- paths and disks


def test_a_file_that_cannot_be_read_through_is_exit_2(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise OSError(5, "Input/output error", "q.json")

    monkeypatch.setattr("lawqa.questions.lawqa_jp.sha256_of", broken)
    assert main(["data", "check", str(here / "q.json")]) == 2
    assert "q.json: cannot be read or written: Input/output error" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate", "--run-dir", "{}"],
        ["evaluate", "--run-dir", "o", "--output", "{}"],
        ["evaluate", "--run-dir", "o", "--condition", "rag", "--index", "{}"],
        ["rescore", "{}"],
        ["data", "check", "{}"],
        ["split", "--input", "q.json", "--output-dir", "{}"],
    ],
)
@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("loop", "Too many levels of symbolic links"),
        ("a" * 300, "is too long for a path or a name"),
        ("x\0y", "is not a path"),
    ],
)
def test_a_path_that_cannot_be_looked_at_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], path: str, why: str
) -> None:
    (here / "loop").symlink_to("loop")
    given = [path if word == "{}" else word for word in arguments]
    more = asked() if arguments[0] == "evaluate" else []
    assert main([*given, *more]) == 2
    assert why in capsys.readouterr().err
    assert not (here / "o").exists()


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("path", "why"), [(".", "is not an ordinary file"), ("none", "is missing")]
)
def test_a_question_file_that_is_none_is_exit_2(
    capsys: pytest.CaptureFixture[str], path: str, why: str
) -> None:
    assert main(["crossval", "run", "--input", path, "--output-dir", "cv"]) == 2
    assert f"{path}: {why}" in capsys.readouterr().err
    assert not Path("cv").exists()


def test_an_output_below_a_link_that_leads_nowhere_is_refused_before_anything_is_asked(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "gone").symlink_to("nowhere")
    given = ["--run-dir", "o", "--output", "gone/out.json", "--answer-by", "generate"]
    assert main(["evaluate", *given, *asked()]) == 2
    assert "--output gone/out.json: cannot be written" in capsys.readouterr().err
    assert not (here / "o").exists()
