"""The backend for OpenAI-style servers through the official client, against a server on loopback."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from lawqa.backends.base import ChoiceScores, Completion, Failure, GenerationSettings
from lawqa.backends.remote import Limits
from lawqa.backends.remote.address import find_address
from lawqa.errors import BackendError
from lawqa.prompting import Prompt, PromptSpec

pytestmark = pytest.mark.every_python

pytest.importorskip("httpx", reason="pip install 'lawqa[openai]'")

MakePrompts = Callable[..., list[Prompt]]
CHAT = "/v1/chat/completions"
QUICK = Limits(timeout=5.0, concurrency=2, retries=2, backoff=0.001)
GREEDY = GenerationSettings(max_new_tokens=32)


@pytest.fixture
def backend(model_server: Any) -> Callable[..., Any]:
    """Makes the backend for the server; limits and a token count can be given."""

    def make(model: str = "qwen3:8b", limits: Limits = QUICK, count: Any = None) -> Any:
        from lawqa.backends.remote.openai import OpenAIBackend

        address = find_address(model_server.url, "OPENAI_BASE_URL", port=8000, path="/v1")
        return OpenAIBackend(model, address, limits, count)

    return make


def only(answers: Any) -> Any:
    (answer,) = list(answers)
    return answer


def test_a_greedy_request_leaves_nothing_to_the_servers_defaults(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    list(backend().generate(prompts(), GenerationSettings(max_new_tokens=32, seed=7)))
    (body,) = model_server.bodies(CHAT)
    assert [m["role"] for m in body.pop("messages")] == ["system", "user"]
    assert body == {
        "model": "qwen3:8b", "max_tokens": 32, "seed": 7, "temperature": 0.0, "top_p": 1.0,
        "top_k": -1, "min_p": 0.0, "chat_template_kwargs": {"enable_thinking": False},
    }  # fmt: skip


def test_sampling_and_thinking_are_passed_on(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    settings = GenerationSettings(16, 0.7, top_p=0.9, top_k=20, min_p=0.05, repeats=2)
    answers = list(backend().generate(prompts(1, PromptSpec("cot", thinking=True)), settings))
    first, second = model_server.bodies(CHAT)
    for body in (first, second):
        assert (body["temperature"], body["top_p"]) == (0.7, 0.9)
        assert (body["top_k"], body["min_p"]) == (20, 0.05)
        assert body["chat_template_kwargs"] == {"enable_thinking": True}
    assert first["seed"] != second["seed"]
    assert sorted(answer.repeat for answer in answers) == [0, 1]


def test_a_completion_holds_what_the_server_said(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    model_server.model.thinking, model_server.model.content = "考え", "最終回答\uff1ab"
    model_server.model.done_reason = "length"
    answer = only(backend().generate(prompts(1, PromptSpec("cot", thinking=True)), GREEDY))
    assert isinstance(answer, Completion)
    assert answer.text == "<think>\n考え\n</think>\n\n最終回答\uff1ab"
    assert (answer.hit_limit, answer.stopped, answer.completion_tokens) == (True, "limit", 2)
    assert answer.prompt_tokens > 50


def test_label_scores_come_from_the_listed_tokens(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    asked = backend()
    answer = only(asked.score_choices(prompts()))
    assert isinstance(answer, ChoiceScores)
    assert math.fsum(map(math.exp, answer.logprobs)) == pytest.approx(1)
    assert answer.logprobs[0] - answer.logprobs[2] == pytest.approx(2.0)
    (body,) = model_server.bodies(CHAT)
    assert (body["logprobs"], body["top_logprobs"], body["max_tokens"]) == (True, 20, 1)
    assert asked.describe()["server"]["fingerprints"] == ["b7777-test"]


def test_a_server_without_log_probabilities_is_an_error_with_a_way_out(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    model_server.model.top = None
    with pytest.raises(BackendError, match="no log-probabilities") as problem:
        list(backend().score_choices(prompts(5)))
    assert problem.value.hint == "--answer-by generate"


def test_an_empty_answer_fails_its_question(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    model_server.model.top = []
    assert "before the first token" in only(backend().score_choices(prompts())).reason


def test_a_cut_prompt_fails_its_question(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    asked = prompts(1, context_bytes=2100)
    wrong = backend(count=lambda text: len(text.encode()) // 3)  # the server counts a quarter
    assert "the prompt was cut" in only(wrong.generate(asked, GREEDY)).reason
    model_server.model.reports_tokens = False
    assert "may have been cut" in only(backend().generate(asked, GREEDY)).reason


@pytest.mark.parametrize("trouble", ["500", "503", "429", "drop", "cut_off", "<html>", "{}"])
def test_a_passing_trouble_is_asked_again(
    backend: Callable[..., Any],
    model_server: Any,
    prompts: MakePrompts,
    faults: SimpleNamespace,
    trouble: str,
) -> None:
    known = {"drop": faults.drop, "cut_off": faults.cut_off}
    fault = known.get(trouble) or (
        faults.status(int(trouble)) if trouble.isdigit() else faults.text(trouble)
    )
    model_server.fault(CHAT, fault, fault)
    assert isinstance(only(backend().generate(prompts(), GREEDY)), Completion)
    assert len(model_server.bodies(CHAT)) == 3


def test_a_prompt_that_the_server_refuses_as_too_long_fails_and_is_asked_once(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts, faults: SimpleNamespace
) -> None:
    model_server.fault(CHAT, faults.status(400, "the request exceeds the context size (4096)"))
    failure = only(backend().generate(prompts(), GREEDY))
    assert failure == Failure("民法_1#1", "HTTP 400: the request exceeds the context size (4096)")
    assert len(model_server.bodies(CHAT)) == 1


def test_a_slow_answer_is_given_up_at_the_deadline(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts, faults: SimpleNamespace
) -> None:
    model_server.fault(CHAT, faults.hang)
    asked = backend(limits=Limits(timeout=0.2, retries=2, backoff=0.001))
    failure = only(asked.generate(prompts(), GREEDY))
    assert failure.reason == "no answer within 0.2 s (--timeout)"


def test_law_text_does_not_follow_a_redirection(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts, faults: SimpleNamespace
) -> None:
    model_server.fault(CHAT, faults.redirect("/elsewhere"))
    assert only(backend().generate(prompts(), GREEDY)).reason.startswith("HTTP 307")
    assert [a for a in model_server.asked if a.path == "/elsewhere"] == []


def test_the_key_goes_to_the_server_and_nowhere_else(
    backend: Callable[..., Any],
    model_server: Any,
    prompts: MakePrompts,
    faults: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    asked = backend()
    model_server.fault(CHAT, faults.status(401, "incorrect key: sk-secret"))
    failure = only(asked.generate(prompts(), GREEDY))
    assert failure.reason == "HTTP 401: incorrect key: …"
    assert model_server.asked[-1].headers["authorization"] == "Bearer sk-secret"
    assert "sk-secret" not in json.dumps(asked.describe())


def test_a_missing_model_is_told_with_those_that_are_there(backend: Callable[..., Any]) -> None:
    with pytest.raises(BackendError, match="does not have gpt; it has: qwen3:8b"):
        backend("gpt")


def test_a_server_that_is_not_there_or_something_else_is_an_error(
    backend: Callable[..., Any], model_server: Any, faults: SimpleNamespace, free_port: int
) -> None:
    from lawqa.backends.remote.openai import OpenAIBackend

    address = find_address(f"127.0.0.1:{free_port}", "OPENAI_BASE_URL", port=8000, path="/v1")
    with pytest.raises(BackendError, match="cannot be asked: the connection failed") as problem:
        OpenAIBackend("m", address, QUICK)
    assert "is it running" in problem.value.hint
    model_server.fault("/v1/models", *[faults.text("<html>", "text/html")] * 3)
    with pytest.raises(BackendError, match="not what its API says"):
        backend()
    model_server.fault("/v1/models", faults.status(404, "not found"))
    with pytest.raises(BackendError, match="HTTP 404: not found"):
        backend()


def test_what_the_api_cannot_do_is_said(backend: Callable[..., Any], prompts: MakePrompts) -> None:
    with pytest.raises(BackendError, match="after a text"):
        backend().score_after(prompts(), ["text"])
    with pytest.raises(BackendError, match="budget"):
        list(backend().generate(prompts(), GenerationSettings(32, thinking_budget=8)))
