"""The backend for OpenAI-style servers on llama.cpp's own server, with a tiny model of random weights."""

from __future__ import annotations

import json
import logging
import math
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from lawqa.backends.base import ChoiceScores, Completion, Failure, GenerationSettings
from lawqa.backends.remote import Limits
from lawqa.backends.remote.address import find_address
from lawqa.prompting import Prompt, PromptSpec

_MISSING = [name for name in ("httpx", "xllamacpp", "gguf") if find_spec(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(_MISSING), reason=f"pip install {' '.join(_MISSING)}"),
]

MakePrompts = Callable[..., list[Prompt]]
# Two requests at a time share it.
CONTEXT_LENGTH = 4096


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where llama.cpp's server listens."""
    path = tmp_path_factory.mktemp("llama") / "tiny.gguf"
    script = Path(__file__).with_name("llama_cpp_server.py")
    with (
        path.with_suffix(".log").open("w", encoding="utf-8") as log,
        subprocess.Popen(  # noqa: S603 - the tests' own words
            [sys.executable, str(script), path.name, str(2 * CONTEXT_LENGTH)], cwd=path.parent,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
        ) as process,
    ):  # fmt: skip
        assert process.stdout is not None
        found = next(
            (line for line in process.stdout if line.startswith("http://127.0.0.1:")), None
        )
        assert found is not None, path.with_suffix(".log").read_text(encoding="utf-8")
        yield found.strip()
        process.kill()


def opened(address: str, **limits: int) -> Any:
    from lawqa.backends.remote.openai import OpenAIBackend

    found = find_address(address, "OPENAI_BASE_URL", port=8000, path="/v1")
    return OpenAIBackend("tiny.gguf", found, Limits(timeout=60, **limits))


@pytest.fixture
def backend(address: str) -> Any:
    return opened(address, concurrency=2)


def test_label_scores_are_those_of_the_whole_vocabulary(
    backend: Any, address: str, prompts: MakePrompts
) -> None:
    (prompt,) = asked = prompts()
    answer = next(iter(backend.score_choices(asked)))
    assert isinstance(answer, ChoiceScores)
    body = {
        "messages": [{"role": m.role, "content": m.content} for m in prompt.messages],
        "max_tokens": 1, "temperature": 0, "logprobs": True, "top_logprobs": 261,
        "chat_template_kwargs": {"enable_thinking": False},
    }  # fmt: skip
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{address}/v1/chat/completions", json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - loopback
        (first,) = json.load(response)["choices"][0]["logprobs"]["content"]
    everything = {entry["id"]: entry["logprob"] for entry in first["top_logprobs"]}
    assert math.fsum(map(math.exp, everything.values())) == pytest.approx(1, abs=1e-4)
    likeliest = sorted(everything, key=lambda token: -everything[token])[:20]
    listed = [everything[token] for token in map(ord, "abcdABCD") if token in likeliest]
    assert answer.label_mass == pytest.approx(math.fsum(map(math.exp, listed)), rel=1e-3)
    # One token a byte, so the server counts what our bound counts.
    content = sum(len(message.content.encode()) for message in prompt.messages)
    assert 0 < answer.prompt_tokens - content < 64


def test_greedy_texts_repeat_and_sampled_ones_follow_their_seed(
    backend: Any, prompts: MakePrompts
) -> None:
    def texts(**settings: Any) -> list[str]:
        chosen = GenerationSettings(12, **settings)
        answers = list(backend.generate(prompts(2), chosen))
        assert all(isinstance(answer, Completion) for answer in answers)
        return [a.text for a in sorted(answers, key=lambda a: (a.key, a.repeat))]

    assert texts() == texts(seed=5)
    sampled = texts(temperature=1.5, repeats=2)
    assert sampled == texts(temperature=1.5, repeats=2)
    assert len(set(sampled)) == 4
    assert sampled != texts(temperature=1.5, repeats=2, seed=1)


def test_the_limit_is_seen(backend: Any, prompts: MakePrompts) -> None:
    answers = list(backend.generate(prompts(3), GenerationSettings(3, temperature=1.5)))
    for answer in answers:
        assert answer.completion_tokens <= 3
        assert (answer.stopped == "limit") == answer.hit_limit
    assert any(answer.hit_limit for answer in answers)


def test_the_thinking_switch_reaches_the_template(backend: Any, prompts: MakePrompts) -> None:
    def length(thinking: bool) -> int:
        asked = prompts(1, PromptSpec(thinking=thinking))
        answer = next(iter(backend.generate(asked, GenerationSettings(1))))
        assert isinstance(answer, Completion)
        return answer.prompt_tokens

    assert length(False) - length(True) == len(["<think>", "\n", "\n", "</think>", "\n", "\n"])


def test_a_prompt_beyond_the_context_is_refused_by_the_server_and_fails(
    backend: Any, prompts: MakePrompts
) -> None:
    short, long = prompts()[0], prompts(2, context_bytes=3 * CONTEXT_LENGTH)[1]
    answers = {a.key: a for a in backend.score_choices([long, short])}
    failure = answers["民法_2#1"]
    assert isinstance(failure, Failure)
    assert failure.reason.startswith("HTTP 400")
    assert "context" in failure.reason
    assert isinstance(answers["民法_1#1"], ChoiceScores)


def test_the_server_says_what_it_is(backend: Any, prompts: MakePrompts) -> None:
    list(backend.generate(prompts(), GenerationSettings(1)))
    server = backend.describe()["server"]
    assert (server["software"], server["owned_by"]) == ("llama.cpp", "llamacpp")
    assert len(server["fingerprints"]) == 1


def test_requests_become_more_while_the_server_answers_faster(
    address: str, prompts: MakePrompts, caplog: pytest.LogCaptureFixture
) -> None:
    asked = prompts(16)
    caplog.set_level(logging.DEBUG, logger="lawqa.backends.remote.pace")
    backend = opened(address, concurrency=1, max_concurrency=8)
    answers = list(backend.generate(asked, GenerationSettings(8)))
    assert {answer.key for answer in answers} == {prompt.key for prompt in asked}
    assert all(isinstance(answer, Completion) for answer in answers)
    assert caplog.messages[0] == "2 requests in flight instead of 1"
