"""A lab follows its documents from the first line: every block of every document is typed, in order.

Two machines, one repository between them (`student.py`): code goes from the 3080 to heart01, the training of
heart01 is killed and resumed, its results come home, and the logs go into git. A block that nobody typed
fails the test, unless `NOT_RUN` says why it cannot be practised. One process does it all, so that torch is
loaded once; `tests/pipelines/steps/test_run_practice.py` does training and evaluation with make, kills and
processes of their own, for minutes.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lawqa.backends.scripted import ScriptedBackend
from lawqa.choices import LABELS, all_orders
from lawqa.commands.expand import render_command
from lawqa.commands.source import packaged_source
from lawqa.docgen import shown_commands
from lawqa.pipelines.evaluation.opening import open_backend
from lawqa.prompting import Prompt
from lawqa.questions import Question, read_questions, reordered
from lawqa.runs.result_log import ResultLog
from tests.docgen.student import (
    NOT_RUN,
    Lab,
    Student,
    chapters,
    small_source,
    unpractised,
)

pytestmark = [pytest.mark.torch, pytest.mark.slow]


def shortest(questions: Sequence[Question]) -> list[Question]:
    """Eight questions that take little time, with the beginning of their contexts."""
    by_length = sorted(
        questions, key=lambda question: len(question.text + "".join(question.choices))
    )
    return [replace(question, context=question.context[:120]) for question in by_length[:8]]


@pytest.fixture
def lab(tmp_path: Path, tiny_dir: Path, checkout: Path, questions: Any) -> Lab:
    pytest.importorskip("bm25s", reason="bm25s is not installed (extra rag)")
    for program in ("git", "make"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program}")
    return Lab.built(tmp_path, checkout, tiny_dir, shortest(questions))


class Reasoner(ScriptedBackend):
    """A base that reasons rightly three times of four: of random weights comes nothing to learn from."""

    def __init__(self, config: Any, adapter: Any = None) -> None:
        super().__init__({})
        self._questions = {question.id: question for question in read_questions(config.data)}
        # An adapter is compared with the model that it is put on, and with its template.
        self._real = open_backend(config, adapter) if adapter else ScriptedBackend({})

    @property
    def chat_template(self) -> str:
        return self._real.chat_template

    def describe(self) -> dict[str, Any]:
        return self._real.describe()

    def _entry(self, prompt: Prompt) -> Mapping[str, Any]:
        asked = reordered(self._questions[prompt.question_id], all_orders()[prompt.order - 1])
        reason = "選択肢を順に条文に照らして検討すると、この問いで問われている要件を満たすのは一つである。"
        reason += asked.text[:20]
        before, after = (
            ("<think>\n", "\n</think>\n\n") if prompt.spec.thinking else ("", "\n最終回答：")
        )
        wrong = LABELS[LABELS.index(asked.gold) - 1]
        labels = [wrong if prompt.order == 1 and n % 2 else asked.gold for n in range(8)]
        return {"text": [f"{before}{reason}{after}{label}" for label in labels]}


@pytest.fixture(autouse=True)
def _base_reasons_well(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("crossval_records", "pool.sampling"):
        name = f"lawqa.pipelines.experiments.{module}.open_backend"
        monkeypatch.setattr(name, Reasoner)


@pytest.fixture(autouse=True)
def _measured_in_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """`plan --measure` as it is, with short contexts and two texts."""
    measuring = "lawqa.pipelines.measuring.measure"
    monkeypatch.setattr(f"{measuring}._CONTEXT_CHARACTERS", 40)
    monkeypatch.setattr(f"{measuring}.ROWS", (1, 2))
    monkeypatch.setattr(f"{measuring}._CLOSED_RECORDS", 2)
    monkeypatch.setattr(f"{measuring}._CONTEXT_RECORDS", 1)


@pytest.fixture(autouse=True)
def _no_gpu_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor's findings about GPUs are tested where they are made."""
    monkeypatch.setattr("lawqa.doctor.planned_run.PlannedRun.needs_gpu", False)


def test_the_lab_follows_its_documents(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, model_server: Any
) -> None:
    heart01, local = Student(lab, "heart01", monkeypatch), Student(lab, "local-3080", monkeypatch)
    develop = local.text("開発")
    assert local.read(chapters(develop, 3, 4)) == 0
    with (local.top / "README.md").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert local.read(chapters(develop, 5)) == 0

    train(heart01)
    evaluate(heart01)
    for name in ("StepK", "StepL"):
        assert heart01.read(heart01.text(name)) == 0
    shutil.copy(local.top / "lawqa-index.tar.gz", heart01.top)  # by JupyterHub's upload

    assert local.read(chapters(develop, 6)) == 0
    assert "続けて `commit` と `push` をもう一度打ちます" in develop
    assert local.read(chapters(develop, 5)) == 0
    assert heart01.read(chapters(heart01.text("付録"), 1)) == 0
    assert (heart01.top / "lab_logs" / "評価ログ.md").is_file()

    assert local.read(chapters(develop, 7, 8)) == 0
    monkeypatch.setenv("OLLAMA_HOST", model_server.url)
    assert local.read(local.text("Ollama")) == 0

    reader = Student(lab, "any", monkeypatch)
    read_the_readme(reader)

    students = {"heart01": heart01, "local-3080": local, "any": reader}
    shown = set[str]()
    for document in packaged_source().documents:
        student = students[document.place]
        text = student.text(document.file)
        assert unpractised(text, student.ran) == [], document.file
        shown.update(command.line for command in shown_commands(text))
    assert NOT_RUN.keys() <= shown, "a reason for a line that no document shows"


def read_the_readme(student: Student) -> None:
    """README's short path, in both languages: the same commands."""
    shutil.copytree(student.lab.root / "lawqa_jp.work", student.home / "datasets/lawqa_jp")
    old = student.lab.checkout / "tests/runs/recorded/lab.json"
    shutil.copy(old, student.home / "old_results.json")
    assert student.read("```bash\nhf download Qwen/Qwen3-8B\n```") == 0
    assert student.read(student.readme("README.md")) == 0
    assert unpractised(student.readme("README.ja.md"), student.ran) == []


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("```bash\ntouch there\n```", "touch there"),
        ("```bash\nlawqa place show --place heart01\n```", "lawqa place show --place heart01"),
        ("```console\n$ ls && touch there\n```", "ls && touch there"),
        ("```sh\nls\n```", "a block of 'sh'"),
        ("```\nls\n```", "a block of ''"),
    ],
)
def test_a_new_block_that_nobody_types_is_found(block: str, said: str) -> None:
    text = f"# 題\n\n```bash\nlawqa place show\nmake test\n```\n\n```text\nls\n```\n{block}\n"
    assert said in unpractised(text, {("lawqa", "place", "show"), ("ls",)})


def test_what_is_typed_by_hand_is_what_make_runs(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    student = Student(Lab(tmp_path, checkout), "heart01", monkeypatch)
    source = small_source("heart01")
    steps = [*source.targets["train-heart01"].commands, *source.targets["eval-heart01"].commands]
    made = [render_command(source.command(step), source.place("heart01")).argv for step in steps]
    shown = shown_commands(chapters(student.text("付録"), 2, 3))
    assert [command.argv for command in shown] == made


def kill_at_the_first_answer(patch: pytest.MonkeyPatch) -> None:
    """End this process's work as `kill` does when an answer was kept, once."""
    original = ResultLog.append

    def append(log: ResultLog, result: Any) -> Any:
        patch.setattr(ResultLog, "append", original)
        line = original(log, result)
        os.kill(os.getpid(), signal.SIGTERM)
        return line

    patch.setattr(ResultLog, "append", append)


def train(student: Student) -> None:
    """StepI: the training is killed within the cross-validation, and the same line resumes it."""
    text = student.text("StepI")
    assert student.read(chapters(text, 3)) == 0
    kill_at_the_first_answer(student.patch)
    assert student.read(chapters(text, 4)) == 143
    stopped = "crossval-thinking: interrupted; run the same command again"
    assert any(stopped in said for said in student.said)
    state = json.loads(student.path("results/heart01/steps/crossval-thinking.json").read_text())
    assert state["status"] == "interrupted"
    assert student.read(chapters(text, 4)) == 0
    steps = packaged_source().targets["train-heart01"].commands
    assert student.said[-1] == f"all {len(steps)} steps are done"
    assert any("resumes where it stopped" in said for said in student.said)
    log = student.path("results/heart01/logs/学習ログ.md").read_text(encoding="utf-8")
    assert log.count("### 交差検証 rag-thinking の組 ") == 2


def evaluate(student: Student) -> None:
    """StepJ; after it, a second visit to both asks and trains nothing again."""
    assert student.read(student.text("StepJ")) == 0
    log = student.path("results/heart01/logs/評価ログ.md").read_text(encoding="utf-8")
    verdict = next(line for line in log.splitlines() if line.startswith("| 判定の文 |"))
    assert "並び 4 通り、合わせて 4 票・8 問で" in verdict
    assert "まだ測っていない" in student.path("results/heart01/まとめ.html").read_text("utf-8")
    results = student.path("results")
    trained = {path: path.stat().st_mtime_ns for path in results.rglob("manifest.json")}
    assert student.read(chapters(student.text("StepI"), 4)) == 0
    assert student.read(chapters(student.text("StepJ"), 3)) == 0
    assert {path: path.stat().st_mtime_ns for path in trained} == trained
