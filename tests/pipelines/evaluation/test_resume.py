"""Runs that break off, by whatever means, and go on: nothing is lost and nothing asked twice."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lawqa.backends.base import ChoiceScores, Completion, Failure, GenerationSettings
from lawqa.backends.scripted import ScriptedBackend
from lawqa.cli import main
from lawqa.errors import ConfigError, DataError
from lawqa.pipelines.evaluation.evaluate import EvaluationConfig, evaluate
from lawqa.prompting import Prompt, PromptSpec
from lawqa.questions import Question, write_questions
from lawqa.runs.upkeep.lock import run_lock

KILLS = 5
TIMES = ("seconds", "started", "ended")
SCRIPT: dict[str, Any] = {
    "*": {"text": ["最終回答\uff1ac", "わかりません。"], "forced": "b", "delay": 0.001}
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedded_file: Path) -> Path:
    """An own working directory with 60 questions in q.json."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "q.json").write_bytes(embedded_file.read_bytes())
    return tmp_path


def loaded(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def rows(run_dir: Path) -> list[dict[str, Any]]:
    text = (run_dir / "results.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.removesuffix("\n").split("\n")]


def but_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: but_times(found) for key, found in value.items() if key not in TIMES}
    return [but_times(found) for found in value] if isinstance(value, list) else value


def config(run_dir: str, **fields: Any) -> EvaluationConfig:
    settings = EvaluationConfig(
        Path("q.json"), PromptSpec(), "logits", "scripted", run_dir=Path(run_dir), quiet=True
    )
    return replace(settings, **fields)


REASONED = {
    "spec": PromptSpec("cot"),
    "answer_by": "generate",
    "ensemble": 2,
    "temperature": 0.7,
}


class Noting(ScriptedBackend):
    """Notes in a file what it is asked, before it answers; waits for its kill at the note of that number."""

    def __init__(self, script: dict[str, Any], log: Path, waits_at: int | None = None) -> None:
        super().__init__(script)
        self._log = log
        self._waits_at = waits_at

    def note(self, *words: object) -> None:
        with self._log.open("a", encoding="utf-8") as file:
            file.write(" ".join(map(str, words)) + "\n")
        if self._waits_at == len(self._log.read_bytes().splitlines()):
            signal.pause()

    def score_choices(self, prompts: Sequence[Prompt]) -> Iterator[ChoiceScores | Failure]:
        for prompt in prompts:
            self.note("score", prompt.key)
            yield from super().score_choices([prompt])

    def generate(
        self, prompts: Sequence[Prompt], settings: GenerationSettings
    ) -> Iterator[Completion | Failure]:
        for prompt in prompts:
            for repeat in range(settings.first_repeat, settings.first_repeat + settings.repeats):
                self.note("generate", prompt.key, repeat)
                yield from super().generate(
                    [prompt], replace(settings, first_repeat=repeat, repeats=1)
                )

    def score_after(
        self, prompts: Sequence[Prompt], texts: Sequence[str]
    ) -> Iterator[ChoiceScores | Failure]:
        for prompt, text in zip(prompts, texts, strict=True):
            self.note("force", prompt.key)
            yield from super().score_after([prompt], [text])


# --- killed


@pytest.mark.rough
@pytest.mark.parametrize("fields", [{}, {"permutations": 4}, REASONED], ids=["", "orders", "cot"])
def test_a_run_killed_again_and_again_ends_like_an_undisturbed_one(
    here: Path, fields: dict[str, Any], rough: bool
) -> None:
    script = SCRIPT if fields is REASONED else {"*": {"text": "c", "delay": 0.001}}
    evaluate(config("undisturbed", **fields), lambda _config, _adapter: ScriptedBackend(script))
    for seed in range(10 if rough else 1):  # 50 kills or 5
        killed_again_and_again(here, script, fields, f"killed{seed}", random.Random(seed))  # noqa: S311


def killed_again_and_again(
    here: Path, script: dict[str, Any], fields: dict[str, Any], name: str, chance: random.Random
) -> None:
    log = here / f"{name}.log"
    log.touch()
    goes_on = config(name, resume=True, **fields)
    for kill in range(KILLS):
        # The first dies in the middle however busy the machine is, the others wherever they have got to.
        waits_at = None if kill else 9
        until = waits_at or len(log.read_bytes().splitlines()) + chance.choice([0, 1, 4, 9, 14, 19])
        backend = Noting(script, log, waits_at)
        # A fork starts in a millisecond what a new interpreter takes half a second for.
        child = multiprocessing.get_context("fork").Process(
            target=evaluate, args=(goes_on, lambda _config, _adapter, backend=backend: backend)
        )
        child.start()
        while child.is_alive() and len(log.read_bytes().splitlines()) < until:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.003))
        assert not waits_at or child.is_alive()
        child.kill()
        child.join()
        child.close()
    evaluate(goes_on, lambda _config, _adapter: Noting(script, log))

    assert but_times(rows(here / name)) == but_times(rows(here / "undisturbed"))
    summaries = [loaded(here / name / "summary.json") for name in (name, "undisturbed")]
    assert but_times(summaries[0]) == but_times(summaries[1])
    assert loaded(here / name / "manifest.json")["status"] == "done"
    leftovers = {path.name for path in (here / name).iterdir()}
    assert leftovers == {".lock", "manifest.json", "results.jsonl", "summary.json"}
    asked = Counter(log.read_text(encoding="utf-8").splitlines())
    twice = sum(number - 1 for number in asked.values())
    assert twice <= KILLS, "only what a kill cut off in the middle is asked again"


@pytest.mark.parametrize("torn", ['{"question": "問', "{}"], ids=["half", "no newline"])
def test_half_a_line_at_the_end_is_dropped_and_said(
    here: Path, capsys: pytest.CaptureFixture[str], torn: str
) -> None:
    flags = scripted(here, {"*": "c"})
    assert main([*flags, "--run-dir", "r"]) == 0
    whole = rows(here / "r")
    results = here / "r" / "results.jsonl"
    lines = results.read_text(encoding="utf-8").split("\n")
    results.write_text("\n".join(lines[:40]) + "\n" + torn, encoding="utf-8")
    capsys.readouterr()
    assert main([*flags, "--run-dir", "r", "--resume"]) == 0
    err = capsys.readouterr().err
    assert "note: r/results.jsonl: ends with half a line, as a crash leaves it" in err
    assert "note: r: 40 of 60 answers known, the others are asked now" in err
    assert but_times(rows(here / "r")) == but_times(whole)


def test_a_broken_line_in_the_middle_is_no_crash_and_refused(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = scripted(here, {"*": "c"})
    main([*flags, "--run-dir", "r"])
    results = here / "r" / "results.jsonl"
    lines = results.read_text(encoding="utf-8").split("\n")
    results.write_text("\n".join([*lines[:3], "{", *lines[4:]]), encoding="utf-8")
    before = results.read_bytes()
    capsys.readouterr()
    assert main([*flags, "--run-dir", "r", "--resume"]) == 2
    assert capsys.readouterr().err.startswith("error: r/results.jsonl: line 4 is broken\nhint: ")
    assert results.read_bytes() == before


@pytest.mark.parametrize("content", ["", '{"kind": "evalu'])
def test_a_torn_manifest_is_explained_and_the_answers_stay(
    here: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    flags = scripted(here, {"*": "c"})
    main([*flags, "--run-dir", "r"])
    (here / "r" / "manifest.json").write_text(content, encoding="utf-8")
    before = (here / "r" / "results.jsonl").read_bytes()
    capsys.readouterr()
    assert main([*flags, "--run-dir", "r", "--resume"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: r/manifest.json: ")
    assert "r/results.jsonl cannot be resumed" in err
    assert (here / "r" / "results.jsonl").read_bytes() == before


def test_answers_without_a_manifest_are_neither_overwritten_nor_gone_on_with(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = scripted(here, {"*": "c"})
    main([*flags, "--run-dir", "r"])
    (here / "r" / "manifest.json").unlink()
    capsys.readouterr()
    assert main([*flags, "--run-dir", "r"]) == 2
    assert "already holds a run" in capsys.readouterr().err
    assert main([*flags, "--run-dir", "r", "--resume"]) == 2
    assert "holds results.jsonl but no manifest.json" in capsys.readouterr().err
    assert len(rows(here / "r")) == 60


# --- failed


def test_only_what_failed_is_asked_again(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = [row["ファイル名"] for row in loaded(here / "q.json")["samples"]]
    script = {"*": "c", ids[3]: {"error": "out of memory"}, ids[9]: {"error": "no reply"}}
    flags = scripted(here, script)
    assert main([*flags, "--run-dir", "r"]) == 3
    err = capsys.readouterr().err
    command = f"lawqa {shlex.join(flags)} --run-dir r --resume"
    assert err.endswith(
        f"2 questions failed: see error in results.jsonl\nhint: {command}  asks them again\n"
    )
    before = rows(here / "r")
    assert [row["error"] for row in before if row["outcome"] == "failed"] == [
        "out of memory",
        "no reply",
    ]

    scripted(here, {"*": {"error": "nobody else is asked"}, ids[3]: "a", ids[9]: "b"})
    assert main(shlex.split(command)[1:]) == 0
    after = rows(here / "r")
    assert [row["file_name"] for row in after] == ids
    assert [after[i]["predicted_answer"] for i in (3, 9)] == ["a", "b"]
    assert [row for i, row in enumerate(after) if i not in (3, 9)] == [
        row for i, row in enumerate(before) if i not in (3, 9)
    ]
    assert loaded(here / "r" / "summary.json")["statistics"]["outcomes"]["failed"] == 0


class Sulking(ScriptedBackend):
    """Fails each question the first time and never says a word on one."""

    def __init__(self, silent: str = "") -> None:
        super().__init__({"*": "c"})
        self._met: set[str] = set()
        self._silent = silent

    def score_choices(self, prompts: Sequence[Prompt]) -> Iterator[ChoiceScores | Failure]:
        for prompt in prompts:
            if prompt.question_id == self._silent:
                continue
            if prompt.key in self._met:
                yield from super().score_choices([prompt])
            else:
                self._met.add(prompt.key)
                yield Failure(prompt.key, "not now")


def test_a_failure_is_asked_again_before_it_is_stored(here: Path) -> None:
    result = evaluate(config("r"), lambda _config, _adapter: Sulking())
    assert result.summary.outcomes["failed"] == 0
    result = evaluate(config("once", retries=0), lambda _config, _adapter: Sulking())
    assert result.summary.outcomes["failed"] == 60
    assert {row["error"] for row in rows(here / "once")} == {"not now"}


def test_a_question_that_the_backend_passes_over_has_failed(here: Path) -> None:
    silent = loaded(here / "q.json")["samples"][0]["ファイル名"]
    evaluate(config("r"), lambda _config, _adapter: Sulking(silent))
    first, *others = rows(here / "r")
    assert (first["outcome"], first["error"]) == ("failed", "the backend gave no answer")
    assert all(row["outcome"] != "failed" for row in others)


class Repeating(ScriptedBackend):
    """Answers everything twice."""

    def score_choices(self, prompts: Sequence[Prompt]) -> Iterator[ChoiceScores | Failure]:
        yield from super().score_choices([*prompts, *prompts])


def test_a_backend_that_answers_twice_is_a_bug(here: Path) -> None:
    with pytest.raises(RuntimeError, match="was not asked"):
        evaluate(config("r"), lambda _config, _adapter: Repeating({"*": "c"}))
    assert len(rows(here / "r")) == 60


# --- which run


def test_a_whole_run_is_shown_again_and_no_model_loaded(here: Path) -> None:
    first = evaluate(config("r"), lambda _config, _adapter: ScriptedBackend({"*": "c"}))
    said: list[str] = []
    again = evaluate(config("r", resume=True, output=Path("o.json")), never, said.append)
    assert again.summary == first.summary
    assert said == ["r: 60 answers are known, nothing is asked"]
    assert len(loaded(here / "o.json")["results"]) == 60


def never(*_arguments: object) -> Any:
    raise AssertionError("the model was loaded")


def test_resume_without_a_run_begins_one_and_says_so(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = scripted(here, {"*": "c"})
    assert main([*flags, "--run-dir", "r", "--resume"]) == 0
    assert capsys.readouterr().err == "note: r: holds no run to resume: a new one begins\n"
    assert len(rows(here / "r")) == 60


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--resume", "--resume needs --run-dir"),
        ("--resume --fresh --run-dir r", "--resume resumes a run and --fresh replaces it"),
    ],
)
def test_flags_that_cannot_be_meant_together(
    here: Path, capsys: pytest.CaptureFixture[str], flags: str, message: str
) -> None:
    assert main([*scripted(here, {"*": "c"}), *flags.split()]) == 2
    assert message in capsys.readouterr().err
    assert not (here / "r").exists()


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        ({"seed": 5}, "--seed: then 0, now 5"),
        ({"permutations": 4}, "--permutations: then 1, now 4"),
        ({"samples": 7}, "--samples: then none, now 7"),
        ({"spec": PromptSpec(few_shot=True)}, "the prompt: then direct-closed-v1, now "),
        ({"answer_by": "generate"}, "--answer-by: then logits, now generate"),
        ({"load_in_4bit": True}, "--4bit: then False, now True"),
        ({"model_name": "m"}, "--hf-model-name: then , now m"),
    ],
)
def test_a_run_with_other_settings_is_not_gone_on_with(
    here: Path, changed: dict[str, Any], difference: str
) -> None:
    evaluate(config("r"), lambda _config, _adapter: ScriptedBackend({"*": "c"}))
    before = (here / "r" / "manifest.json").read_bytes()
    with pytest.raises(ConfigError, match="is not the same run") as caught:
        evaluate(config("r", resume=True, **changed), never)
    assert difference in caught.value.message
    assert (here / "r" / "manifest.json").read_bytes() == before


def test_a_run_over_other_questions_is_not_gone_on_with(
    here: Path, question: Callable[..., Question]
) -> None:
    evaluate(config("r"), lambda _config, _adapter: ScriptedBackend({"*": "c"}))
    write_questions(here / "q.json", [question()])
    with pytest.raises(ConfigError, match="the data file: then"):
        evaluate(config("r", resume=True), never)


class Other(ScriptedBackend):
    """Says that it is another model, or has another chat template."""

    def __init__(self, template: str = "", **model: Any) -> None:
        super().__init__({"*": "c"})
        self._template, self._model = template, model

    @property
    def chat_template(self) -> str:
        return self._template

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), **self._model}


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (Other(commit="f00"), "the model's commit: then none, now f00"),
        (Other(dtype="float32"), "the model's dtype: then none, now float32"),
        (Other("{{ x }}"), "the wording of direct-closed-v1: then "),
    ],
    ids=["commit", "dtype", "template"],
)
def test_a_run_of_another_model_is_not_gone_on_with(
    here: Path, other: Other, difference: str
) -> None:
    ids = [row["ファイル名"] for row in loaded(here / "q.json")["samples"]]
    script = {"*": "c", ids[0]: {"error": "x"}}
    evaluate(config("r"), lambda _config, _adapter: ScriptedBackend(script))
    before = (here / "r" / "results.jsonl").read_bytes()
    with pytest.raises(ConfigError, match="is not the same run") as caught:
        evaluate(config("r", resume=True), lambda _config, _adapter: other)
    assert difference in caught.value.message
    assert (here / "r" / "results.jsonl").read_bytes() == before


def test_what_changes_no_answer_may_change(here: Path) -> None:
    ids = [row["ファイル名"] for row in loaded(here / "q.json")["samples"]]
    script = {"*": "c", ids[0]: {"error": "x"}}
    evaluate(config("r"), lambda _config, _adapter: ScriptedBackend(script))
    (here / "q.json").rename(here / "moved.json")
    free = {"token_budget": 99, "data": Path("moved.json"), "retries": 3, "script": Path("s")}
    result = evaluate(
        config("r", resume=True, **free), lambda _config, _adapter: ScriptedBackend({"*": "c"})
    )
    assert result.summary.outcomes["failed"] == 0


def test_a_training_is_no_evaluation_to_go_on_with(here: Path) -> None:
    evaluate(config("r"), lambda _config, _adapter: ScriptedBackend({"*": "c"}))
    manifest = loaded(here / "r" / "manifest.json")
    (here / "r" / "manifest.json").write_text(json.dumps({**manifest, "kind": "train"}), "utf-8")
    with pytest.raises(ConfigError, match="is a train run"):
        evaluate(config("r", resume=True), never)


def test_a_manifest_of_another_layout_is_not_gone_on_with(here: Path) -> None:
    evaluate(config("r"), lambda _config, _adapter: ScriptedBackend({"*": "c"}))
    (here / "r" / "manifest.json").write_text('{"schema_version": 9}', "utf-8")
    with pytest.raises(DataError, match="schema_version is 9"):
        evaluate(config("r", resume=True), never)


# --- one process at a time


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["--resume", "--fresh"])
def test_a_second_process_on_the_same_run_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], mode: str
) -> None:
    flags = scripted(here, {"*": {"error": "x"}})
    main([*flags, "--run-dir", "r"])
    before = (here / "r" / "results.jsonl").read_bytes()
    capsys.readouterr()
    with run_lock(here / "r" / ".lock"):
        assert main([*flags, "--run-dir", "r", mode]) == 2
    assert f"error: r: another process (pid {os.getpid()}) is writing this run" in (
        capsys.readouterr().err
    )
    assert (here / "r" / "results.jsonl").read_bytes() == before
    assert main([*flags, "--run-dir", "r", mode]) == 3, "the lock is free again"


# --- asked to end


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_a_signal_ends_the_run_with_its_code_and_the_command_that_goes_on(
    here: Path, number: signal.Signals, code: int
) -> None:
    flags = scripted(here, {"*": {"text": "c", "delay": 0.05}})
    process = subprocess.Popen(  # noqa: S603 - the tests' own words
        [sys.executable, "-m", "lawqa", *flags, "--run-dir", "r 1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_for(lambda: (here / "r 1" / "results.jsonl").exists(), process)
    wait_for(lambda: len((here / "r 1" / "results.jsonl").read_bytes()) > 0, process)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, "")
    command = f"lawqa {shlex.join(flags)} --run-dir 'r 1' --resume"
    assert err == f"interrupted\nhint: {command}  resumes it\n"
    manifest = loaded(here / "r 1" / "manifest.json")
    assert manifest["status"] == "interrupted"
    assert manifest["figures"]["seconds"] > 0
    known = rows(here / "r 1")
    assert 0 < len(known) < 60

    scripted(here, {"*": "c"})
    assert main(shlex.split(command)[1:]) == 0
    assert rows(here / "r 1")[: len(known)] == known
    assert len(rows(here / "r 1")) == 60


def wait_for(happened: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 30
    while not happened():
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.01)


def scripted(here: Path, script: object) -> list[str]:
    """Writes the script; the flags that use it."""
    (here / "s.json").write_text(json.dumps(script), encoding="utf-8")
    return ["evaluate", "--data", "q.json", "--llm-backend", "scripted", "--script", "s.json"]


@pytest.mark.slow
def test_a_second_process_is_refused_before_it_loads_a_model(here: Path) -> None:
    evaluate(config("r"), lambda _config, _adapter: ScriptedBackend({"*": {"error": "x"}}))
    with run_lock(here / "r" / ".lock"), pytest.raises(ConfigError, match="another process"):
        evaluate(config("r", resume=True), never)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["r", "new"])
def test_of_two_processes_that_both_looked_only_one_goes_on(here: Path, path: str) -> None:
    evaluate(config("r"), lambda _config, _adapter: ScriptedBackend({"*": {"error": "x"}}))
    (here / "new").mkdir()
    with contextlib.ExitStack() as stack:

        def load_and_be_overtaken(*_arguments: object) -> ScriptedBackend:
            stack.enter_context(run_lock(here / path / ".lock"))
            return ScriptedBackend({"*": "c"})

        with pytest.raises(ConfigError, match="another process"):
            evaluate(config(path, resume=True), load_and_be_overtaken)
