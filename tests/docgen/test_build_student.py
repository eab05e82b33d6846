"""The student of the documents: every block of StepI and StepJ is taken from the rendered text and run.

The documents are rendered for the practice place. A first visit is stopped within the cross-validation, a
second one resumes it, a third one finds everything done. One process does it all, so that torch is loaded
once; `tests/pipelines/steps/test_run_practice.py` does the same with make, kills and processes, for minutes.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.cli.lab.docs import interface
from lawqa.commands import check_policy, packaged_source, render_command
from lawqa.docgen import shown_commands
from lawqa.docgen.build import _context, _environment, render
from lawqa.pipelines.steps.processes import Ended
from lawqa.pipelines.steps.run import StepsConfig, run_steps
from lawqa.questions import write_questions
from lawqa.runs.result_log import ResultLog

pytestmark = [pytest.mark.torch, pytest.mark.slow]

PLACE = "practice"
BY_HAND = {"tail", "python3"}
"""Programs of the documents that show or check something in a terminal."""


@pytest.fixture
def settings(
    tmp_path: Path, tiny_dir: Path, questions: Any, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """A folder to work in, and what its `lawqa.toml` says."""
    pytest.importorskip("bm25s", reason="bm25s is not installed (extra rag)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAWQA_PLACE", PLACE)
    write_questions(tmp_path / "q.json", questions[:12])
    articles = files("lawqa").joinpath("assets", "articles.jsonl").read_text(encoding="utf-8")
    Path("articles.jsonl").write_text(articles, encoding="utf-8")
    own = {
        "model": str(tiny_dir),
        "data": "q.json",
        "articles": "articles.jsonl",
        "work": "results",
    }
    lines = [
        f'place = "{PLACE}"',
        *(f"{key} = {json.dumps(own[key])}" for key in ("model", "data", "work")),
    ]
    Path("lawqa.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return own


def rendered(checkout: Path, name: str, own: Mapping[str, str]) -> str:
    """A document of heart01 as it reads for the practice place."""
    source = packaged_source()
    place = source.place(PLACE)
    mine = replace(place, variables={**place.variables, **own})
    source = replace(source, places={**source.places, PLACE: mine})
    document = next(one for one in source.documents if Path(one.file).name.startswith(name))
    templates = _environment(checkout / "docs_src" / "templates")
    context = _context(source, replace(document, place=PLACE), interface())
    return render(templates, document.template_file, context)


def typed(argv: Sequence[str], env: Mapping[str, str], log: Path) -> Ended:
    """Run a step as `lawqa step run` does, within this process."""
    assert argv[0] == "lawqa"
    assert env["LAWQA_PLACE"] == PLACE
    with log.open("a", encoding="utf-8") as file, redirect_stdout(file):
        return Ended(main(argv[1:]))


class Student:
    """Types what the documents show."""

    def __init__(self, own: Mapping[str, str]) -> None:
        self.own, self.said, self.ran = own, list[str](), list[str]()

    def make(self, target: str) -> int:
        """`make TARGET PLACE=practice`."""
        steps = packaged_source().targets[target].commands
        config = StepsConfig(steps, PLACE, self.own)
        self.said.clear()
        return run_steps(packaged_source(), config, self.said.append, typed)

    def read(self, text: str) -> int:
        """Type every block in order, until one fails; the exit code of the last one."""
        code = 0
        for shown in shown_commands(text):
            check_policy(packaged_source().place(PLACE), shown.argv, shown.env, name=shown.line)
            if shown.argv[0] == "make":
                code = self.make(shown.argv[1])
            elif shown.argv[0] == "lawqa":
                code = main(shown.argv[1:])
                assert code in (0, 1), shown.line
            else:
                assert shown.argv[0] in BY_HAND, shown.line
                continue
            self.ran.append(shown.line)
            if code > 1:
                return code
        return code


def test_a_student_follows_the_documents_stopped_resumed_and_once_more(
    settings: dict[str, str], checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    student = Student(settings)
    build = render_command(
        packaged_source().command("build-index"), packaged_source().place(PLACE), settings
    )
    assert main(build.argv[1:]) == 0
    text = rendered(checkout, "StepI", settings)
    training = text[text.index("\n## 4. ") :]
    assert "nohup make train-heart01" in training

    original, killed = ResultLog.append, list[int]()

    def append(log: ResultLog, result: Any) -> Any:
        line = original(log, result)
        if not killed:
            killed.append(1)
            os.kill(os.getpid(), signal.SIGTERM)
        return line

    monkeypatch.setattr(ResultLog, "append", append)
    assert student.read(training) == 143
    assert killed
    assert any(
        "crossval-thinking: interrupted; run the same command again" in said
        for said in student.said
    )
    state = json.loads(Path("results/steps/crossval-thinking.json").read_text(encoding="utf-8"))
    assert state["status"] == "interrupted"

    assert student.read(training) == 0
    steps = packaged_source().targets["train-heart01"].commands
    assert student.said[-1] == f"all {len(steps)} steps are done"
    assert any("resumes where it stopped" in said for said in student.said)
    log = Path("results/logs/学習ログ.md").read_text(encoding="utf-8")
    assert log.count("### 交差検証 rag-thinking の組 ") == 2

    assert student.read(rendered(checkout, "StepJ", settings)) == 0
    log = Path("results/logs/評価ログ.md").read_text(encoding="utf-8")
    verdict = next(line for line in log.splitlines() if line.startswith("| 判定の文 |"))
    assert "並び 4 通り、合わせて 4 票・12 問で" in verdict
    page = Path("results/まとめ.html").read_text(encoding="utf-8")
    assert "まだ測っていない" in page
    assert Path("lawqa-results.tar.gz").is_file()

    # A second visit asks and trains nothing again.
    trained = {path: path.stat().st_mtime_ns for path in Path("results").rglob("manifest.json")}
    assert student.make("train-heart01") == 0
    assert student.make("eval-heart01") == 0
    assert {path: path.stat().st_mtime_ns for path in trained} == trained


@pytest.mark.parametrize("name", ["付録"])
def test_what_is_typed_by_hand_is_what_make_runs(
    settings: dict[str, str], checkout: Path, name: str
) -> None:
    source = packaged_source()
    place = source.place(PLACE)
    steps = [*source.targets["train-heart01"].commands, *source.targets["eval-heart01"].commands]
    made = [render_command(source.command(step), place, settings).argv for step in steps]
    text = rendered(checkout, name, settings)
    blocks = [shown.argv for shown in shown_commands(text) if shown.argv[0] == "lawqa"]
    assert blocks == made
