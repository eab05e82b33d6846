"""Many questions asked of a server at once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from lawqa.backends.base import Failure
from lawqa.backends.remote import Limits
from lawqa.errors import BackendError, ConfigError
from lawqa.prompting import Prompt

anyio = pytest.importorskip("anyio", reason="pip install 'lawqa[ollama]'")
pytest.importorskip("tenacity", reason="pip install 'lawqa[ollama]'")

from lawqa.backends.remote.asking import CompletionRequest, ask_all, ask_once  # noqa: E402
from lawqa.backends.remote.request_error import RequestError  # noqa: E402

MakePrompts = Callable[..., list[Prompt]]
QUICK = Limits(timeout=5.0, concurrency=2, retries=2, backoff=0.001)


class Opened:
    """A client whose opening and closing can be seen."""

    def __init__(self) -> None:
        self.events: list[str] = []

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Opened]:
        self.events.append("open")
        try:
            yield self
        finally:
            self.events.append("close")


@pytest.fixture
def opened() -> Opened:
    return Opened()


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if "portal" in thread.name}


# --- many at once


def test_answers_come_as_they_are_known(opened: Opened, prompts: MakePrompts) -> None:
    async def ask(_: Any, job: CompletionRequest) -> str:
        if job.prompt.key == "民法_1#1":
            await anyio.sleep(0.1)
        return job.prompt.key

    jobs = [CompletionRequest(prompt) for prompt in prompts(4)]
    answers = list(ask_all(jobs, opened, ask, QUICK))
    assert answers[-1] == "民法_1#1"
    assert sorted(map(str, answers)) == [f"民法_{i}#1" for i in range(1, 5)]
    assert opened.events == ["open", "close"]
    assert threads() == set()


class Counted:
    """Answers after a while, and counts how many were asked at once."""

    def __init__(self) -> None:
        self.running = self.most = 0

    async def __call__(self, _: Any, job: CompletionRequest) -> str:
        self.running += 1
        self.most = max(self.most, self.running)
        await anyio.sleep(0.002)
        self.running -= 1
        return job.prompt.key


def test_no_more_are_in_flight_than_allowed(opened: Opened, prompts: MakePrompts) -> None:
    asked = Counted()
    jobs = [CompletionRequest(prompt) for prompt in prompts(12)]
    list(ask_all(jobs, opened, asked, Limits(concurrency=3)))
    assert asked.most == 3


def test_more_are_in_flight_while_that_makes_the_server_faster(
    opened: Opened, prompts: MakePrompts
) -> None:
    asked = Counted()
    jobs = [CompletionRequest(prompt) for prompt in prompts(60)]
    answers = list(ask_all(jobs, opened, asked, Limits(concurrency=1, max_concurrency=8)))
    assert 1 < asked.most <= 8
    assert sorted(map(str, answers)) == sorted(job.prompt.key for job in jobs)


def test_a_most_below_the_first_is_refused() -> None:
    with pytest.raises(ConfigError, match="--max-concurrency is 2, fewer than --concurrency 4"):
        Limits(max_concurrency=2)


def test_waiting_for_others_does_not_count_against_the_deadline(
    opened: Opened, prompts: MakePrompts
) -> None:
    async def ask(_: Any, job: CompletionRequest) -> str:
        await anyio.sleep(0.05)
        return job.prompt.key

    jobs = [CompletionRequest(prompt) for prompt in prompts(6)]
    answers = list(ask_all(jobs, opened, ask, Limits(timeout=0.2, concurrency=1)))
    assert [a for a in answers if isinstance(a, Failure)] == []


def test_the_deadline_covers_the_repeats_and_tells_what_went_before(
    opened: Opened, prompts: MakePrompts
) -> None:
    async def ask(_: Any, __: CompletionRequest) -> str:
        await anyio.sleep(0.02)
        raise RequestError("HTTP 503: busy", passing=True)

    start = time.perf_counter()
    limits = Limits(timeout=0.2, retries=1000, backoff=0.0001)
    (answer,) = ask_all([CompletionRequest(prompts()[0])], opened, ask, limits)
    assert time.perf_counter() - start < 2
    assert isinstance(answer, Failure)
    assert answer.reason == "no answer within 0.2 s (--timeout); before that: HTTP 503: busy"


def test_what_would_fail_every_job_ends_all_of_them(opened: Opened, prompts: MakePrompts) -> None:
    asked = []

    async def ask(_: Any, job: CompletionRequest) -> str:
        asked.append(job.prompt.key)
        if len(asked) == 2:
            raise BackendError("no log-probabilities")
        await anyio.sleep(10)
        return job.prompt.key

    start = time.perf_counter()
    with pytest.raises(BackendError, match="no log-probabilities"):
        list(ask_all([CompletionRequest(prompt) for prompt in prompts(50)], opened, ask, QUICK))
    assert time.perf_counter() - start < 2
    assert len(asked) <= 3
    assert opened.events == ["open", "close"]
    assert threads() == set()


def test_a_bug_is_not_taken_for_a_failed_question(opened: Opened, prompts: MakePrompts) -> None:
    async def ask(_: Any, __: CompletionRequest) -> str:
        raise KeyError("ours")

    with pytest.raises(KeyError, match="ours"):
        list(ask_all([CompletionRequest(prompts()[0])], opened, ask, QUICK))


def test_an_iterator_that_is_left_drops_the_rest(opened: Opened, prompts: MakePrompts) -> None:
    async def ask(_: Any, job: CompletionRequest) -> str:
        await anyio.sleep(0.001 if job.prompt.key == "民法_1#1" else 10)
        return job.prompt.key

    start = time.perf_counter()
    answers = ask_all([CompletionRequest(prompt) for prompt in prompts(50)], opened, ask, QUICK)
    assert next(answers) == "民法_1#1"
    answers.close()  # type: ignore[attr-defined]
    assert time.perf_counter() - start < 2
    assert opened.events == ["open", "close"]
    assert threads() == set()


def test_asking_works_inside_a_running_loop_as_in_a_notebook(
    opened: Opened, prompts: MakePrompts
) -> None:
    async def ask(_: Any, job: CompletionRequest) -> str:
        return job.prompt.key

    async def cell() -> list[Any]:
        return list(ask_all([CompletionRequest(prompts()[0])], opened, ask, QUICK))

    assert asyncio.run(cell()) == ["民法_1#1"]


def test_one_question_on_which_all_depends_is_explained(opened: Opened) -> None:
    async def ask(_: Any) -> str:
        raise RequestError("HTTP 404: " + "x " * 900)

    with pytest.raises(BackendError, match=r"^not there: HTTP 404: x x") as problem:
        ask_once(opened, ask, QUICK, lambda why: BackendError(f"not there: {why.reason}"))
    assert len(problem.value.message) < 350  # a server's page is not poured out


@pytest.mark.slow
def test_an_interrupt_ends_a_run_at_once(
    model_server: Any, faults: Any, tmp_path: Path, embedded_file: Path
) -> None:
    pytest.importorskip("httpx", reason="pip install 'lawqa[openai]'")
    chat = "/v1/chat/completions"
    model_server.fault(chat, model_server.answer_plain, *[faults.hang] * 100)
    command = [
        sys.executable, "-m", "lawqa", "evaluate", "--data", str(embedded_file),
        "--llm-backend", "openai", "--llm-model", "qwen3:8b", "--base-url", model_server.url,
        "--run-dir", "r", "--concurrency", "3",
    ]  # fmt: skip
    results = tmp_path / "r" / "results.jsonl"
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE) as process:  # noqa: S603
        deadline = time.monotonic() + 120
        # One answer is on disk and three requests hang.
        while (
            len(model_server.bodies(chat)) < 4 or not results.exists() or not results.read_bytes()
        ):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGINT)
        # Far less than the deadline of a question or the silence of the server, whatever else runs here.
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err
    manifest = json.loads((tmp_path / "r" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["status"] == "interrupted"
    assert len(results.read_bytes().splitlines()) == 1
