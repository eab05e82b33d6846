"""`make train-heart01` and `make eval-heart01` at the practice place: every step a process of its own.

As a student rehearses them: interrupted with Ctrl-C, killed in the middle of a cross-validation, run again,
and then once more, which does nothing a second time.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from lawqa.commands.source import packaged_source
from lawqa.questions import write_questions

# Ten minutes of training on a toy model: part of `make rough`; tests/cli/lab/test_step.py has the short form.
pytestmark = [pytest.mark.torch, pytest.mark.rough, pytest.mark.slow, pytest.mark.long]

MAKE = shutil.which("make")
LIMIT = 300


@pytest.fixture
def work(tmp_path: Path, tiny_dir: Path, questions: Any) -> Path:
    pytest.importorskip("bm25s", reason="bm25s is not installed (extra rag)")
    if MAKE is None:
        pytest.skip("there is no make")
    write_questions(tmp_path / "q.json", questions[:16])
    articles = files("lawqa").joinpath("assets", "articles.jsonl").read_text(encoding="utf-8")
    (tmp_path / "lawqa" / "assets").mkdir(parents=True)
    (tmp_path / "lawqa" / "assets" / "articles.jsonl").write_text(articles, encoding="utf-8")
    settings = {"place": "practice", "model": str(tiny_dir), "data": "q.json", "work": "results"}
    lines = (f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
    (tmp_path / "lawqa.toml").write_text(
        "".join(lines) + 'index = "results/index"\n', encoding="utf-8"
    )
    lawqa = tmp_path / "bin" / "lawqa"
    lawqa.parent.mkdir()
    lawqa.write_text(f'#!/bin/sh\nexec {sys.executable} -m lawqa "$@"\n', encoding="utf-8")
    lawqa.chmod(0o755)
    return tmp_path


def ctrl_c_works() -> None:
    """A shell lets what it starts with & ignore Ctrl-C, and so would all that the tests start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Make:
    """`make TARGET PLACE=practice` in a directory."""

    def __init__(self, work: Path, checkout: Path) -> None:
        self.work = work
        self.words = [
            str(MAKE), "-s", "-f", str(checkout / "Makefile"), "PLACE=practice",
            f"LAWQA={work / 'bin' / 'lawqa'}",
        ]  # fmt: skip
        self.env = {
            **os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "",
            "PYTHONPATH": str(checkout), "PYTHONSAFEPATH": "1",
        }  # fmt: skip

    def start(self, target: str, *more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603 - the test's own words
            [*self.words, target, *more], cwd=self.work, env=self.env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=ctrl_c_works,
        )  # fmt: skip

    def run(self, target: str, *more: str) -> str:
        with self.start(target, *more) as process:
            out, _ = process.communicate(timeout=LIMIT)
        assert process.returncode == 0, out
        return out

    def stop(self, target: str, file: str, seen: str, number: signal.Signals) -> str:
        """Press Ctrl-C, or kill the step's process, when this text is in a file of the step."""
        with self.start(target) as process:
            path, until = self.work / "results" / "steps" / file, time.monotonic() + LIMIT
            while not (path.is_file() and seen in path.read_text(encoding="utf-8")):
                assert process.poll() is None, process.communicate()[0]
                assert time.monotonic() < until, f"{seen!r} does not appear in {path}"
                time.sleep(0.02)
            if number == signal.SIGINT:
                os.killpg(process.pid, number)  # the terminal's group, in which the step is not
            else:
                os.kill(youngest(process.pid), number)
            out, _ = process.communicate(timeout=LIMIT)
        assert process.returncode != 0
        return out

    def state(self, step: str) -> dict[str, Any]:
        path = self.work / "results" / "steps" / f"{step}.json"
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content


def youngest(process: int) -> int:
    """The last process below another one: the step that make's lawqa has started."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return youngest(int(children[0])) if children else process


def test_training_and_evaluation_of_heart01_interrupted_and_resumed(
    work: Path, checkout: Path
) -> None:
    make, targets = Make(work, checkout), packaged_source().targets
    setup = ["step", "run", "build-index", "--place", "practice"]
    subprocess.run([work / "bin" / "lawqa", *setup], cwd=work, env=make.env, check=True)  # noqa: S603

    out = make.stop("train-heart01", "trial-rag.json", '"running"', signal.SIGINT)
    # Where a library eats the signal while it is imported, the step ends well and no further one begins.
    assert "run the same command again to resume" in out
    assert make.state("trial-rag")["status"] in ("interrupted", "done")
    assert not (work / "results" / "steps" / "crossval-thinking.json").exists()

    out = make.stop(
        "train-heart01", "crossval-thinking.log", "fold 2, seed 0: training", signal.SIGKILL
    )
    assert out.count("done already, with the same command, inputs and version") in (2, 3)
    assert "crossval-thinking: interrupted; run the same command again to resume" in out
    assert make.state("crossval-thinking")["code"] == 137
    assert make.state("trial-rag")["status"] == "done"

    out = make.run("train-heart01")
    assert "fold 1, seed 0: done already" in out
    assert out.rstrip().endswith(f"all {len(targets['train-heart01'].commands)} steps are done")
    summary = json.loads(
        (work / "results/crossval/rag-thinking/pooled/seed0/summary.json").read_text(
            encoding="utf-8"
        )
    )
    assert summary["total_count"] == 16

    out = make.run("eval-heart01")
    assert out.rstrip().endswith(f"all {len(targets['eval-heart01'].commands)} steps are done")
    log = next((work / "results" / "logs").glob("評価ログ*.md")).read_text(encoding="utf-8")
    assert "results/crossval/rag-thinking/pooled/seed0" in log
    assert "McNemar" in log

    # A second time only the checks run: no model is trained or asked again.
    before = (work / "results/ladder/thinking-rag/manifest.json").stat().st_mtime_ns
    assert "its outputs are not there" not in make.run("eval-heart01")
    assert (work / "results/ladder/thinking-rag/manifest.json").stat().st_mtime_ns == before

    shown = make.run("train-heart01", "STEP_FLAGS=--dry-run")
    assert shown.startswith("lawqa doctor --model ")
    assert shown.count("lawqa ") == len(targets["train-heart01"].commands)
