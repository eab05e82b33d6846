"""The Ollama backend through the real client, against a server on loopback."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import pytest

from lawqa.backends.base import ChoiceScores, Completion, Failure, GenerationSettings
from lawqa.backends.remote import Limits
from lawqa.backends.remote.address import find_address
from lawqa.errors import BackendError, ConfigError
from lawqa.prompting import Prompt, PromptSpec

pytestmark = pytest.mark.every_python

pytest.importorskip("httpx", reason="pip install 'lawqa[ollama]'")

MakePrompts = Callable[..., list[Prompt]]
CHAT = "/api/chat"
QUICK = Limits(timeout=5.0, concurrency=2, retries=2, backoff=0.001)
GREEDY = GenerationSettings(max_new_tokens=32)


@pytest.fixture
def backend(model_server: Any) -> Callable[..., Any]:
    """Makes the backend for the server; limits and a token count can be given."""

    def make(model: str = "qwen3:8b", limits: Limits = QUICK, count: Any = None) -> Any:
        from lawqa.backends.remote.ollama import OllamaBackend

        address = find_address(model_server.url, "OLLAMA_HOST", port=11434)
        return OllamaBackend(model, address, limits, count)

    return make


def only(answers: Any) -> Any:
    (answer,) = list(answers)
    return answer


# --- what is asked


def test_a_greedy_request_leaves_nothing_to_the_servers_defaults(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    asked = prompts()
    list(backend().generate(asked, GenerationSettings(max_new_tokens=32, seed=7)))
    (body,) = model_server.bodies(CHAT)
    assert body["model"] == "qwen3:8b"
    assert body["stream"] is False
    assert body["think"] is False
    assert [m["role"] for m in body["messages"]] == ["system", "user"]
    assert body["messages"][1]["content"] == asked[0].messages[1].content
    window = body["options"].pop("num_ctx")
    assert window % 512 == 0
    assert body["options"] == {
        "num_predict": 32, "seed": 7, "temperature": 0.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0,
        "repeat_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0,
    }  # fmt: skip


def test_sampling_passes_every_setting_and_a_seed_for_each_completion(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    settings = GenerationSettings(16, 0.7, top_p=0.9, top_k=20, min_p=0.05, seed=3, repeats=3)
    answers = list(backend().generate(prompts(2), settings))
    options = [body["options"] for body in model_server.bodies(CHAT)]
    for option in options:
        assert (option["temperature"], option["top_p"]) == (0.7, 0.9)
        assert (option["top_k"], option["min_p"]) == (20, 0.05)
    assert len({option["seed"] for option in options}) == 6
    assert sorted((a.key, a.repeat) for a in answers) == [
        (f"民法_{i}#1", r) for i in (1, 2) for r in range(3)
    ]


def test_a_completions_seed_does_not_depend_on_what_else_is_asked(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    one, two = prompts(2)
    settings = GenerationSettings(16, 0.7)
    for asked in ([one, two], [two]):
        list(backend().generate(asked, settings))
    seeds: dict[int, int] = {}
    for body in model_server.bodies(CHAT):
        seeds[body["options"]["seed"]] = seeds.get(body["options"]["seed"], 0) + 1
    assert sorted(seeds.values()) == [1, 2]


@pytest.mark.parametrize("thinking", [True, False])
def test_thinking_is_switched_explicitly(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts, thinking: bool
) -> None:
    list(backend().generate(prompts(1, PromptSpec("cot", thinking=thinking)), GREEDY))
    assert model_server.bodies(CHAT)[0]["think"] is thinking


def test_a_model_without_a_switch_gets_none_and_refuses_thinking(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    model_server.model.capabilities = ("completion",)
    list(backend().generate(prompts(), GREEDY))
    assert "think" not in model_server.bodies(CHAT)[0]
    with pytest.raises(BackendError, match="no thinking switch"):
        list(backend().generate(prompts(1, PromptSpec("cot", thinking=True)), GREEDY))


def test_the_window_holds_the_longest_prompt_whatever_its_tokens_and_the_answer(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    short, long = prompts()[0], prompts(2, context_bytes=9000)[1]
    list(backend().generate([short, long], GenerationSettings(max_new_tokens=1024)))
    windows = {body["options"]["num_ctx"] for body in model_server.bodies(CHAT)}
    size = sum(len(m.content.encode()) for m in long.messages)
    (window,) = windows  # one for all: a change makes Ollama load the model again
    assert size + 1024 <= window <= size + 1024 + 1024


def test_a_tokenizer_makes_the_window_smaller(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    counted = backend(count=lambda text: len(text.encode()) // 4)
    list(counted.generate(prompts(1, context_bytes=9000), GREEDY))
    assert model_server.bodies(CHAT)[0]["options"]["num_ctx"] < 4096
    assert counted.describe()["tokens_counted_by"] == "tokenizer"


# --- what comes back


def test_a_completion_holds_what_the_server_said(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    model_server.model.content = " b\n"
    answer = only(backend().generate(prompts(), GREEDY))
    assert isinstance(answer, Completion)
    assert (answer.key, answer.text, answer.hit_limit) == ("民法_1#1", " b\n", False)
    assert (answer.completion_tokens, answer.stopped) == (2, "end")
    assert answer.prompt_tokens > 50
    assert answer.prompt_text.startswith("system: あなたは")
    assert answer.seconds > 0


def test_thinking_is_stored_as_the_model_writes_it(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    model_server.model.thinking, model_server.model.content = "考える", "最終回答\uff1ab"
    spec = PromptSpec("cot", thinking=True)
    answer = only(backend().generate(prompts(1, spec), GREEDY))
    assert answer.text == "<think>\n考える\n</think>\n\n最終回答\uff1ab"


def test_a_think_block_that_hit_the_limit_stays_open(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    model_server.model.thinking, model_server.model.content = "考え", ""
    model_server.model.done_reason = "length"
    answer = only(backend().generate(prompts(1, PromptSpec("cot", thinking=True)), GREEDY))
    assert answer.text == "<think>\n考え"
    assert (answer.hit_limit, answer.stopped) == (True, "limit")


def test_label_scores_sum_every_form_of_a_label(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    asked = backend()
    answer = only(asked.score_choices(prompts()))
    assert isinstance(answer, ChoiceScores)
    masses = [math.exp(v) for v in (-3.0, math.log(math.exp(-0.1) + math.exp(-4)), -5.0, -6.0)]
    expected = [math.log(mass / sum(masses)) for mass in masses]
    assert answer.logprobs == pytest.approx(expected)
    assert answer.label_mass == pytest.approx(sum(masses))
    (body,) = model_server.bodies(CHAT)
    assert (body["logprobs"], body["top_logprobs"], body["options"]["num_predict"]) == (True, 20, 1)
    assert asked.describe()["labels_below_the_top_tokens"] == {}


def test_a_label_below_the_listed_tokens_gets_the_most_it_can_have_and_is_counted(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    model_server.model.top = [("d", -0.5), ("の", -2.0)]
    asked = backend()
    answers = list(asked.score_choices(prompts(3)))
    assert [max(range(4), key=a.logprobs.__getitem__) for a in answers] == [3, 3, 3]
    assert answers[0].logprobs[3] - answers[0].logprobs[0] == pytest.approx(1.5)
    assert answers[0].label_mass == pytest.approx(math.exp(-0.5))
    assert asked.describe()["labels_below_the_top_tokens"] == {"a": 3, "b": 3, "c": 3}


def test_no_label_among_the_likeliest_tokens_fails_the_question(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    model_server.model.top = [("<think>", -0.1), ("答", -3.0)]
    answer = only(backend().score_choices(prompts()))
    assert answer == Failure(
        "民法_1#1", "no label is among the 2 likeliest tokens: '<think>', '答'"
    )


def test_a_server_without_log_probabilities_is_an_error_with_a_way_out(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    model_server.model.top = None
    with pytest.raises(BackendError, match="no log-probabilities") as problem:
        list(backend().score_choices(prompts(5)))
    assert "--answer-by generate" in problem.value.hint


def test_what_ollama_cannot_do_is_said(backend: Callable[..., Any], prompts: MakePrompts) -> None:
    with pytest.raises(BackendError, match="after a text"):
        backend().score_after(prompts(), ["text"])
    with pytest.raises(BackendError, match="budget"):
        list(backend().generate(prompts(), GenerationSettings(32, thinking_budget=8)))


def test_the_manifest_tells_server_and_model(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    asked = backend()
    list(asked.generate(prompts(), GREEDY))
    told = asked.describe()
    assert (told["backend"], told["name"], told["digest"]) == ("ollama", "qwen3:8b", "500a1f067a9f")
    assert (told["quantisation"], told["context_length"]) == ("Q4_K_M", 40960)
    assert told["num_ctx"] == model_server.bodies(CHAT)[0]["options"]["num_ctx"]
    assert told["server"] == {"url": model_server.url, "this_machine": True, "version": "0.13.0"}
    assert told["client"] == f"httpx {version('httpx')}"
    assert asked.chat_template == "{{ .Messages }}"


# --- cut prompts


@pytest.mark.parametrize("to_half", [False, True])
def test_a_cut_prompt_fails_its_question(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts, to_half: bool
) -> None:
    """A server that ignores the window, and does not show that it does."""
    model = model_server.model
    model.window, model.shows_window, model.cut_to_half = 300, False, to_half
    short, long = prompts()[0], prompts(2, context_bytes=9000)[1]
    answers = {a.key: a for a in backend().generate([short, long], GREEDY)}
    assert isinstance(answers["民法_1#1"], Completion)
    failure = answers["民法_2#1"]
    assert isinstance(failure, Failure)
    assert "the prompt was cut: the server read" in failure.reason


def test_with_a_tokenizer_a_few_missing_tokens_are_seen(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    model_server.model.window, model_server.model.shows_window = 600, False
    asked = prompts(1, context_bytes=2100)
    exact = backend(count=lambda text: len(text.encode()) // 4)
    whole = sum(len(m.content.encode()) // 4 for m in asked[0].messages)
    assert 600 < whole < 700
    assert "the prompt was cut: the server read 600" in only(exact.generate(asked, GREEDY)).reason


def test_a_window_smaller_than_asked_for_stops_the_run_before_a_question(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    model_server.model.window = 2048
    with pytest.raises(BackendError, match="context window of 2048 although") as problem:
        list(backend().generate(prompts(1, context_bytes=9000), GREEDY))
    assert "ollama stop qwen3:8b" in problem.value.hint
    assert model_server.bodies(CHAT) == []


def test_a_prompt_that_fills_the_window_with_its_answer_may_have_been_cut(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    model_server.model.context_length = 700
    # A count that is wrong by far, as from another model's tokenizer.
    wrong = backend(count=lambda text: len(text) // 10)
    failure = only(wrong.generate(prompts(1, context_bytes=2500), GREEDY))
    assert "may have been cut" in failure.reason
    assert "do not fit the context window of" in failure.reason


def test_a_prompt_that_the_model_cannot_hold_is_refused_before_anything_is_asked(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    model_server.model.context_length = 4096
    with pytest.raises(BackendError, match=r"民法_1#1: the prompt may have .* 4096") as problem:
        list(backend().generate(prompts(1, context_bytes=9000), GREEDY))
    assert "--tokenizer" in problem.value.hint
    assert [a for a in model_server.asked if a.path == CHAT] == []


def test_a_server_that_does_not_count_cannot_be_trusted(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts
) -> None:
    model_server.model.reports_tokens = False
    assert "may have been cut" in only(backend().generate(prompts(), GREEDY)).reason


# --- a server in trouble


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
    asked = backend()
    # The first chat loads the model; it meets the trouble too.
    model_server.fault(CHAT, fault, model_server.answer_plain, fault, fault)
    assert isinstance(only(asked.generate(prompts(), GREEDY)), Completion)
    assert len(model_server.bodies(CHAT)) == 3


def test_a_lasting_trouble_fails_the_question_and_the_others_go_on(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts, faults: SimpleNamespace
) -> None:
    asked = backend(limits=Limits(timeout=5, concurrency=1, retries=2, backoff=0.001))
    broken = faults.status(500, "CUDA error")
    model_server.fault(CHAT, model_server.answer_plain, broken, broken, broken)
    answers = {a.key: a for a in asked.generate(prompts(3), GREEDY)}
    assert answers["民法_1#1"] == Failure("民法_1#1", "HTTP 500: CUDA error (asked 3 times)")
    assert isinstance(answers["民法_2#1"], Completion)
    assert isinstance(answers["民法_3#1"], Completion)


def test_what_will_not_pass_is_asked_once(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts, faults: SimpleNamespace
) -> None:
    model_server.fault(CHAT, model_server.answer_plain, faults.status(400, "bad option"))
    assert only(backend().generate(prompts(), GREEDY)).reason == "HTTP 400: bad option"
    assert len(model_server.bodies(CHAT)) == 1


def test_a_slow_answer_is_given_up_at_the_deadline(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts, faults: SimpleNamespace
) -> None:
    asked = backend(limits=Limits(timeout=0.2, concurrency=2, retries=2, backoff=0.001))
    model_server.fault(CHAT, model_server.answer_plain, faults.hang)
    answers = sorted(asked.generate(prompts(2), GREEDY), key=lambda a: isinstance(a, Failure))
    assert isinstance(answers[0], Completion)
    assert answers[1].reason == "no answer within 0.2 s (--timeout)"


def test_questions_and_law_text_do_not_follow_a_redirection(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts, faults: SimpleNamespace
) -> None:
    model_server.fault(CHAT, model_server.answer_plain, faults.redirect("/elsewhere"))
    assert only(backend().generate(prompts(), GREEDY)).reason.startswith("HTTP 307")
    assert [a for a in model_server.asked if a.path == "/elsewhere"] == []


def test_a_proxy_of_the_environment_is_not_used_for_this_machine(
    backend: Callable[..., Any],
    prompts: MakePrompts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert isinstance(only(backend().generate(prompts(), GREEDY)), Completion)


def test_a_model_that_does_not_load_is_one_error_not_one_for_each_question(
    backend: Callable[..., Any], model_server: Any, prompts: MakePrompts, faults: SimpleNamespace
) -> None:
    lacking = faults.status(500, "model requires more system memory (9 GiB) than is available")
    model_server.fault(CHAT, lacking, lacking, lacking)
    with pytest.raises(BackendError, match=r"could not be loaded .* more system memory"):
        list(backend().generate(prompts(5), GREEDY))


# --- is the model there


def test_a_missing_model_is_told_with_the_line_that_gets_it(backend: Callable[..., Any]) -> None:
    with pytest.raises(BackendError, match="does not have qwen3:4b; it has: qwen3:8b") as problem:
        backend("qwen3:4b")
    assert problem.value.hint == "ollama pull qwen3:4b"


def test_a_name_without_a_tag_is_the_latest(backend: Callable[..., Any], model_server: Any) -> None:
    model_server.model.name = "lawqa:latest"
    assert backend("lawqa").describe()["name"] == "lawqa:latest"


def test_no_server_is_an_error_with_the_line_that_starts_it(free_port: int) -> None:
    from lawqa.backends.remote.ollama import OllamaBackend

    address = find_address(f"127.0.0.1:{free_port}", "OLLAMA_HOST", port=11434)
    with pytest.raises(BackendError, match="does not accept connections") as problem:
        OllamaBackend("qwen3:8b", address, QUICK)
    assert "ollama serve" in problem.value.hint


def test_something_else_on_the_port_is_not_taken_for_ollama(
    backend: Callable[..., Any], model_server: Any, faults: SimpleNamespace
) -> None:
    model_server.fault("/api/version", faults.status(404, "not found"))
    with pytest.raises(BackendError, match="HTTP 404"):
        backend()
    model_server.fault("/api/version", *[faults.text("<html>hello</html>", "text/html")] * 3)
    with pytest.raises(BackendError, match="not what its API says"):
        backend()


@pytest.mark.parametrize("version", ["0.8.0", "0.5.7-rc1"])
def test_a_server_that_cannot_switch_thinking_off_is_refused(
    backend: Callable[..., Any], model_server: Any, version: str
) -> None:
    model_server.model.version = version
    with pytest.raises(BackendError, match=f"Ollama {version} runs at"):
        backend()


@pytest.mark.parametrize("version", ["0.9.0", "0.0.0", "1.0.0", "unknown"])
def test_other_versions_are_taken(
    backend: Callable[..., Any], model_server: Any, version: str
) -> None:
    model_server.model.version = version
    assert backend().describe()["server"]["version"] == version


@pytest.mark.parametrize("name", ["gpt-oss:120b-cloud", "glm-4.6:cloud"])
def test_a_model_that_answers_from_elsewhere_is_refused_unasked(
    backend: Callable[..., Any], model_server: Any, name: str
) -> None:
    with pytest.raises(ConfigError, match=r"answered by ollama\.com"):
        backend(name)
    assert model_server.asked == []


def test_no_prompts_ask_nothing(backend: Callable[..., Any], model_server: Any) -> None:
    assert list(backend().generate([], GREEDY)) == []
    assert [a for a in model_server.asked if a.path == CHAT] == []
