"""`lawqa report` as a user meets it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lawqa.cli import main, parse_arguments
from lawqa.cli.results.report import ReportCommand

RunPython = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(
    tmp_path: Path,
    embedded_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Path:
    """A run called `always-b` in the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("b.json").write_text('{"*": "b"}', encoding="utf-8")
    assert main(
        ["evaluate", "--data", str(embedded_file), "--llm-backend", "scripted", "--script", "b.json",
         "--run-dir", "always-b", "--quiet"]
    ) == 0  # fmt: skip
    capsys.readouterr()
    return Path("always-b")


def test_every_flag_is_understood() -> None:
    found = parse_arguments(
        [
            "report",
            "r1",
            "r2",
            "-o",
            "out.md",
            "--base",
            "r2",
            "--data",
            "q.json",
            "--recorded",
            "--lang",
            "ja",
            "--title",
            "T",
            "--fresh",
        ]
    )
    assert found == ReportCommand(
        runs=(Path("r1"), Path("r2")), output=Path("out.md"), base=Path("r2"), data=(Path("q.json"),),
        recorded=True, lang="ja", title="T", fresh=True,
    )  # fmt: skip


@pytest.mark.slow
def test_it_writes_the_page_and_says_what_can_be_claimed(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    assert main(["report", str(run), "--title", "実験 <1>"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("always-b (R1) answers 25.0% of 60 rightly")
    assert out[1].startswith("wrote report.html (")
    page = Path("report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "<title>実験 &lt;1&gt;</title>" in page
    assert main(["report", str(run)]) == 2
    err = capsys.readouterr().err
    assert "--output report.html: exists already" in err
    assert "--fresh replaces it" in err
    assert main(["report", str(run), "--fresh"]) == 0


@pytest.mark.slow
def test_markdown_needs_neither_jinja_nor_matplotlib_nor_torch(
    run: Path, run_python: RunPython
) -> None:
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('jinja2', 'matplotlib')));"
        "from lawqa.cli import main;"
        f"code = main(['report', {str(run)!r}, '-o', 'r.md', '--lang', 'ja']);"
        "sys.exit(code or 'torch' in sys.modules)"
    )
    done = run_python("-c", code)
    assert done.returncode == 0, done.stderr
    assert (
        Path("r.md")
        .read_text(encoding="utf-8")
        .startswith("# always-b\n\n**always-b（R1）の正答率は 60 問で 25.0%")
    )


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["jinja2", "matplotlib"])
def test_a_missing_package_is_named_with_the_way_to_get_it(
    run: Path, run_python: RunPython, missing: str
) -> None:
    code = (
        f"import sys; from importlib import util; sys.modules[{missing!r}] = None;"
        f"real = util.find_spec; util.find_spec = lambda n, *a: None if n == {missing!r} else real(n, *a);"
        f"from lawqa.cli import main; sys.exit(main(['report', {str(run)!r}]))"
    )
    done = run_python("-c", code)
    assert done.returncode == 2, done.stderr
    assert f"error: {missing} is not installed" in done.stderr
    assert f"pip install '{missing}" in done.stderr
    assert not Path("report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("report", "no run was given"),
        ("report always-b -o report.pdf", "the name ends in .pdf, expected .html or .md"),
        ("report nowhere", "nowhere: no such file"),
        ("report always-b always-b", "always-b: is given twice"),
        ("report always-b --base nowhere", "nowhere: no such file"),
        ("report b.json", "has no list 'results'"),
        ("report always-b --data b.json", "b.json"),
        ("report always-b -o no/../always-b", "the name ends in nothing"),
    ],
)
@pytest.mark.usefixtures("run")
def test_mistakes_are_named_and_nothing_is_written(
    arguments: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments.split()) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.startswith("error: ")
    assert not list(Path().glob("report.*"))


def test_an_adapter_alone_is_no_report(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    (run / "manifest.json").write_text(json.dumps({**manifest, "kind": "train"}), encoding="utf-8")
    assert main(["report", str(run), "-o", "r.md"]) == 2
    assert "no evaluation was given" in capsys.readouterr().err


def test_an_unfinished_run_is_shown_and_said_to_be(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    (run / "manifest.json").write_text(
        json.dumps({**manifest, "status": "interrupted"}), encoding="utf-8"
    )
    lines = (run / "results.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (run / "results.jsonl").write_text("".join(lines[:20]) + lines[20][:50], encoding="utf-8")
    assert main(["report", str(run), "-o", "r.md"]) == 0
    assert "% of 20 rightly" in capsys.readouterr().out
    assert "UNFINISHED: interrupted, 20 of 60 questions answered" in Path("r.md").read_text(
        encoding="utf-8"
    )


def test_recorded_labels_can_be_kept(run: Path) -> None:
    rows = [
        json.loads(line)
        for line in (run / "results.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    for row in rows:
        row |= {
            "answer_by": "generate",
            "hit_limit": False,
            "response": "最終回答：c",
            "label_logprobs": None,
        }
    (run / "results.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8"
    )
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    manifest["config"]["answer_by"] = "generate"
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert main(["report", str(run), "-o", "now.md"]) == 0
    assert "READ AGAIN: today's parser reads 60 of 60" in Path("now.md").read_text(encoding="utf-8")
    assert main(["report", str(run), "-o", "then.md", "--recorded"]) == 0
    then = Path("then.md").read_text(encoding="utf-8")
    assert "READ AGAIN" not in then
    assert "100% of answers are b" in then
    assert "100% of answers are c" in Path("now.md").read_text(encoding="utf-8")


def test_the_lab_s_files_and_all_140_questions(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = sorted(map(str, (shared_data / "legacy").glob("*.json")))
    questions = str(shared_data / "lawqa_jp" / "selection.json")
    assert main(["report", *files, "--data", questions, "-o", "r.md"]) == 0
    text = Path("r.md").read_text(encoding="utf-8")
    assert "DIFFERENT DATA: compared on the 27 questions" in text
    assert "READ AGAIN" in text
