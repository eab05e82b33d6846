"""Runs that an earlier lawqa wrote, in `recorded/`, are read, scored, compared and resumed as they were then.

They were written by the commit before results had one form: scripted answers to four questions (`plain`, with
a failure, a text without an answer and an open think block; `samples`; `half`, as a kill left it, in parts;
`resumed`; `rag`; `orders1`), and a cross-validation of a toy model (`fold`, its `adapter`, `pooled`).
"""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.runs.figures import figures_of
from lawqa.runs.result import Result
from lawqa.runs.result_log import read_results
from lawqa.runs.stored import read_stored_run

RECORDED = Path(__file__).parent / "recorded"
FINISHED = ("plain", "samples", "resumed", "rag", "orders1", "fold", "pooled")
GENERATE = ("--answer-by", "generate")
SAMPLES = (*GENERATE, "--ensemble", "3", "--temperature", "0.7")
PLAIN = (*GENERATE, "--thinking", "--thinking-budget", "16")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the recorded runs as working directory."""
    shutil.copytree(RECORDED, tmp_path / "runs")
    monkeypatch.chdir(tmp_path / "runs")
    return tmp_path / "runs"


def loaded(path: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return content


def lines(run: str) -> list[dict[str, Any]]:
    text = Path(run, "results.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def resume(run: str, script: str, *flags: str) -> int:
    return main(
        ["evaluate", "--data", "q.json", "--llm-backend", "scripted", "--script", f"{script}.script.json",
         "--run-dir", run, "--resume", "--quiet", *flags]
    )  # fmt: skip


@pytest.mark.parametrize("run", FINISHED)
def test_a_stored_line_is_written_as_it_was_read(run: str) -> None:
    for row in lines(run):
        assert json.loads(json.dumps(Result.from_json(row).to_json())) == row


@pytest.mark.parametrize("run", FINISHED)
def test_the_figures_are_those_that_were_stored(run: str) -> None:
    stored = loaded(f"{run}/summary.json")
    figures = figures_of(read_results(Path(run)).results.values()).record([], 0.0)
    again = json.loads(json.dumps(figures))
    for key in stored.keys() - {"schema_version", "notes", "seconds"}:
        assert again[key] == stored[key], key


def test_a_killed_run_is_resumed_to_the_figures_of_the_whole_one() -> None:
    assert resume("half", "samples", *SAMPLES) == 0
    assert loaded("half/summary.json")["statistics"] == loaded("samples/summary.json")["statistics"]
    assert lines("half") == lines("samples")


def test_failed_answers_of_a_recorded_run_are_asked_again_and_whole_ones_are_not() -> None:
    before = lines("plain")
    assert resume("plain", "plain", *PLAIN) == 3
    assert lines("plain") == before


def test_the_labs_old_file_and_an_output_file_are_read() -> None:
    lab, output = read_stored_run(Path("lab.json")), read_stored_run(Path("plain.json"))
    assert (lab.legacy, output.legacy) == (True, False)
    assert [result.outcome for result in lab.results] == ["correct", "failed", "wrong", "unparsed"]
    assert output.results == read_stored_run(Path("plain")).results


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ["rescore", "plain", "samples", "half", "lab.json"],
        ["compare", "orders1", "rag"],
        ["compare", "lab.json", "plain.json", "--recorded"],
        ["report", "fold", "adapter", "pooled", "-o", "r.html"],
        ["runs", "list", "."],
        ["runs", "diff", "plain", "samples"],
        ["runs", "show", "adapter"],
        ["crossval", "--help"],
    ],
)
def test_every_command_that_reads_runs_reads_them(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 0
    assert "broken" not in capsys.readouterr().out


# --- how often files are opened

_opened: list[str] | None = None


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _opened is not None and event == "open" and isinstance(arguments[0], (str, bytes)):
        path, mode, flags = arguments
        if not flags & 0o3 and not (mode and set(mode) & set("wax+")):
            _opened.append(str(path))


sys.addaudithook(_audit)  # cannot be taken away again, and does nothing while nobody counts


@pytest.fixture
def opened() -> Iterator[Counter[str]]:
    """How often each result file and manifest of a run is opened for reading, by run and name."""
    global _opened
    counts: Counter[str] = Counter()
    _opened = []
    try:
        yield counts
    finally:
        _opened = None


def counted(*command: str) -> dict[str, int]:
    """The exit code must be 0; the opens of results and manifests by `run/name`."""
    assert _opened is not None
    _opened.clear()
    assert main([*command]) == 0
    names = ["/".join(Path(path).parts[-2:]) for path in _opened]
    return dict(
        Counter(name for name in names if name.endswith(("results.jsonl", "manifest.json")))
    )


READS = {"results.jsonl": 2, "manifest.json": 1}
"""Results are read once from end to end, and once more by their places, whatever asks for them."""


def read(*runs: str) -> dict[str, int]:
    return {f"{run}/{name}": times for run in runs for name, times in READS.items()}


@pytest.mark.slow
@pytest.mark.usefixtures("opened")
def test_a_command_opens_a_runs_manifest_once_and_its_results_twice() -> None:
    assert counted("rescore", "plain", "samples") == read("plain", "samples")
    assert counted("compare", "orders1", "rag", "--clusters", "group", "--data", "q.json") == read(
        "orders1", "rag"
    )
    found = counted("report", "plain", "fold", "adapter", "-o", "r.html")
    assert {key: n for key, n in found.items() if n > READS[key.rpartition("/")[2]]} == {}
    assert found.keys() >= {*read("plain", "fold"), "adapter/manifest.json"}
    assert counted("log", "plain", "-o", "log.md") == {**read("plain"), "plain/results.jsonl": 1}
    assert counted("export", "plain", "--format", "csv", "-o", "a.csv") == read("plain")
    manifests = {f"{run}/manifest.json": 1 for run in ("plain", "samples")}
    assert counted("runs", "diff", "plain", "samples") == manifests
    assert counted("runs", "show", "plain") == {"plain/manifest.json": 1}


@pytest.mark.usefixtures("opened")
def test_an_evaluation_reads_its_answers_by_their_places_and_what_was_left_once_before() -> None:
    Path("c.json").write_text('{"*": "c"}', encoding="utf-8")
    new = (
        "evaluate", "--data", "q.json", "--llm-backend", "scripted", "--script", "c.json",
        "--run-dir", "new", "--output", "new.json", "--quiet",
    )  # fmt: skip
    assert counted(*new).get("new/results.jsonl", 0) == 1
    whole = Path("new/results.jsonl").read_bytes()
    Path("new/results.jsonl").write_bytes(b"".join(whole.splitlines(keepends=True)[:2]))
    assert counted(*new, "--resume")["new/results.jsonl"] == 2
    assert counted(*new, "--resume")["new/results.jsonl"] == 2
    assert Path("new/results.jsonl").read_bytes() == whole
