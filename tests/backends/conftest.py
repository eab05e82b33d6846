"""A model server on loopback that speaks the documented APIs of Ollama and of OpenAI-style servers."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from lawqa.prompting import Prompt, PromptSpec, build_prompt
from lawqa.questions import Question

Json = dict[str, Any]
Fault = Callable[["Handler"], None]
BYTES_OF_A_TOKEN = 4  # about what Qwen3's tokenizer gives for Japanese


@dataclass
class Asked:
    """A request as it arrived."""

    path: str
    body: Json
    headers: dict[str, str]


@dataclass
class Model:
    """What the server says; tests change it."""

    name: str = "qwen3:8b"
    context_length: int = 40960
    capabilities: tuple[str, ...] = ("completion", "tools", "thinking")
    version: str = "0.13.0"
    content: str = "b"
    thinking: str = ""
    done_reason: str = "stop"
    eval_count: int = 2
    top: list[tuple[str, float]] | None = field(
        default_factory=lambda: [("b", -0.1), ("a", -3.0), (" B", -4.0), ("c", -5.0), ("D", -6.0)]
    )
    reports_tokens: bool = True
    window: int | None = None  # a server that does not give the window that was asked for
    shows_window: bool = True
    cut_to_half: bool = False  # Ollama before and after its change of engine


class Handler(BaseHTTPRequestHandler):
    server: ModelServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._dispatch({})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self._dispatch(json.loads(self.rfile.read(length)))

    def log_message(self, *_: object) -> None:
        """The suite's output is for the suite."""

    def send_json(self, content: Any, status: int = 200) -> None:
        self.send_text(json.dumps(content), status, "application/json")

    def send_text(self, text: str, status: int = 200, kind: str = "text/plain") -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the client has left
            self.wfile.write(body)

    def _dispatch(self, body: Json) -> None:
        server = self.server
        with server.lock:
            server.asked.append(
                Asked(self.path, body, {k.lower(): v for k, v in self.headers.items()})
            )
            fault = server.faults[self.path].popleft() if server.faults[self.path] else None
            server.in_flight += 1
            server.most_in_flight = max(server.most_in_flight, server.in_flight)
        try:
            if fault in (None, server.answer_plain):
                server.answer(self, body)
            else:
                fault(self)
        finally:
            with server.lock:
                server.in_flight -= 1


class ModelServer(ThreadingHTTPServer):
    """Answers as `model` says; `fault` puts something else before the next answers of a path."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.model = Model()
        self.asked: list[Asked] = []
        self.faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.in_flight = self.most_in_flight = 0
        self.loaded_window = 4096
        self.pause = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def fault(self, path: str, *faults: Fault) -> None:
        self.faults[path].extend(faults)

    def bodies(self, path: str) -> list[Json]:
        """What was asked on a path, without what only loads the model."""
        return [a.body for a in self.asked if a.path == path and a.body.get("messages") != []]

    @staticmethod
    def answer_plain(handler: Handler) -> None:
        """Stands for the usual answer between faults."""
        raise NotImplementedError(handler.path)

    def answer(self, handler: Handler, body: Json) -> None:
        routes: dict[str, Callable[[Json], Any]] = {
            "/api/version": lambda _: {"version": self.model.version},
            "/api/tags": lambda _: {"models": [self._tag()]},
            "/api/show": self._show,
            "/api/ps": lambda _: {"models": [self._running()]},
            "/api/chat": self._ollama_chat,
            "/v1/models": lambda _: {
                "object": "list",
                "data": [
                    {"id": self.model.name, "object": "model", "created": 1, "owned_by": "tests"}
                ],
            },
            "/v1/chat/completions": self._openai_chat,
        }
        if handler.path not in routes:
            handler.send_json({"error": f"no route {handler.path}"}, 404)
            return
        if self.pause and handler.path in ("/api/chat", "/v1/chat/completions"):
            self.closing.wait(self.pause)
        handler.send_json(routes[handler.path](body))

    def _tag(self) -> Json:
        return {
            "name": self.model.name,
            "model": self.model.name,
            "modified_at": "2026-01-02T03:04:05Z",
            "size": 5225387923,
            "digest": "500a1f067a9f",
            "details": {"format": "gguf", "family": "qwen3"},
        }

    def _running(self) -> Json:
        shown = {"context_length": self.loaded_window} if self.model.shows_window else {}
        return {**self._tag(), "size_vram": 1, "expires_at": "2026-01-02T03:09:05Z", **shown}

    def _show(self, _: Json) -> Json:
        return {
            "template": "{{ .Messages }}",
            "capabilities": list(self.model.capabilities),
            "details": {
                "family": "qwen3",
                "parameter_size": "8.2B",
                "quantization_level": "Q4_K_M",
            },
            "model_info": {"qwen3.context_length": self.model.context_length},
            "modified_at": "2026-01-02T03:04:05Z",
        }

    def _ollama_chat(self, body: Json) -> Json:
        model, options = self.model, body["options"]
        self.loaded_window = model.window or options["num_ctx"]
        shared = {"model": model.name, "created_at": "2026-01-02T03:04:05Z", "done": True}
        if not body["messages"]:
            message = {"role": "assistant", "content": ""}
            return {**shared, "message": message, "done_reason": "load"}
        tokens = prompt_tokens(body["messages"])
        if tokens > self.loaded_window:
            tokens = self.loaded_window // (2 if model.cut_to_half else 1)
        message = {"role": "assistant", "content": model.content}
        if model.thinking:
            message["thinking"] = model.thinking
        answer = {**shared, "message": message, "done_reason": model.done_reason}
        answer |= {"eval_count": model.eval_count, "eval_duration": 1, "total_duration": 2}
        if model.reports_tokens:
            answer["prompt_eval_count"] = tokens
        if body.get("logprobs") and model.top is not None:
            answer["logprobs"] = self._listed()
        return answer

    def _openai_chat(self, body: Json) -> Json:
        model = self.model
        message: Json = {"role": "assistant", "content": model.content}
        if model.thinking:
            message["reasoning_content"] = model.thinking
        logprobs = None
        if body.get("logprobs") and model.top is not None:
            logprobs = {"content": self._listed()}
        usage = {"completion_tokens": model.eval_count, "total_tokens": 1}
        usage["prompt_tokens"] = prompt_tokens(body["messages"])
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": model.name,
            "system_fingerprint": "b7777-test",
            "choices": [
                {
                    "index": 0,
                    "message": message,
                    "finish_reason": model.done_reason,
                    "logprobs": logprobs,
                }
            ],
            **({"usage": usage} if model.reports_tokens else {}),
        }

    def _listed(self) -> list[Json]:
        top = [{"token": token, "logprob": logprob} for token, logprob in self.model.top or []]
        return [{**top[0], "top_logprobs": top}] if top else []


def prompt_tokens(messages: list[Json]) -> int:
    return 12 + sum(len(m["content"].encode()) // BYTES_OF_A_TOKEN for m in messages)


def status(code: int, message: str = "no") -> Fault:
    """An error as both APIs write it: Ollama's `error` is a text, OpenAI's an object."""

    def send(handler: Handler) -> None:
        error: Any = {"message": message} if handler.path.startswith("/v1") else message
        handler.send_json({"error": error}, code)

    return send


def text(body: str, kind: str = "application/json") -> Fault:
    """A page instead of an answer."""
    return lambda handler: handler.send_text(body, 200, kind)


def drop(handler: Handler) -> None:
    """Close the connection without an answer."""
    handler.close_connection = True


def cut_off(handler: Handler) -> None:
    """Promise more than is sent."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"model": ')
    handler.close_connection = True


def hang(handler: Handler) -> None:
    """Say nothing until the test is over."""
    handler.server.closing.wait(300)
    handler.close_connection = True


def redirect(to: str) -> Fault:
    def send(handler: Handler) -> None:
        handler.send_response(307)
        handler.send_header("Location", to)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return send


@pytest.fixture
def model_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    for variable in ("OLLAMA_HOST", "OLLAMA_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    with ModelServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def faults() -> SimpleNamespace:
    """What can be put in the place of an answer."""
    return SimpleNamespace(
        status=status, text=text, drop=drop, cut_off=cut_off, hang=hang, redirect=redirect
    )


@pytest.fixture
def prompts(question: Callable[..., Question]) -> Callable[..., list[Prompt]]:
    """Makes prompts 民法_1, 民法_2, …; with `context_bytes` each has a context of that length."""

    def make(
        number: int = 1, spec: PromptSpec | None = None, context_bytes: int = 0
    ) -> list[Prompt]:
        chosen = spec or PromptSpec(condition="gold" if context_bytes else "closed")
        context = "期" * (context_bytes // 3) or "期間の初日は、算入しない。"
        return [
            build_prompt(question(id=f"民法_{i}", context=context), chosen)
            for i in range(1, number + 1)
        ]

    return make
