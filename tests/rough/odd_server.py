"""A model server on loopback that answers oddly: each question names the cell of the matrix that it gets.

The requests for models, versions and loading are answered well unless a cell is set for their path.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
Cell = Callable[["Handler", Json], None]
"""Answers a request oddly, given the good answer."""
CHATS = ("/api/chat", "/v1/chat/completions")


class Handler(BaseHTTPRequestHandler):
    server: OddServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0)))))

    def log_message(self, *_: object) -> None:
        """The suite's output is for the suite."""

    def send(
        self, body: bytes, status: int = 200, kind: str = "application/json", **headers: str
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _answer(self, body: Json) -> None:
        good = GOOD[self.path](body) if self.path in GOOD else {}
        text = "".join(message["content"] for message in body.get("messages", ()))
        named = re.search(r"cell (\S+?)\.", text)
        cell = self.server.cells.get(named[1] if named else self.path)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the client has left
            if cell is None:
                self.send(json.dumps(good).encode())
            else:
                cell(self, good)


class OddServer(ThreadingHTTPServer):
    """Gives the answer of a cell to a question that names it, and to a path that has one."""

    daemon_threads = True

    def __init__(self, cells: dict[str, Cell]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.cells = cells
        self.closing = threading.Event()

    def handle_error(self, *_: object) -> None:
        """Clients leave in the middle of a request; nothing of that belongs in the suite's output."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextlib.contextmanager
def serving(cells: dict[str, Cell]) -> Iterator[OddServer]:
    with OddServer(cells) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()


# --- good answers

_TOP = [{"token": "b", "logprob": -0.1}, {"token": "a", "logprob": -3.0}]


def _listed() -> list[Json]:
    return [{**_TOP[0], "top_logprobs": [dict(entry) for entry in _TOP]}]


def _tokens(body: Json) -> int:
    return 12 + sum(len(message["content"].encode()) // 4 for message in body["messages"])


def _openai_chat(body: Json) -> Json:
    choice: Json = {"index": 0, "message": {"role": "assistant", "content": "b"}}
    choice["finish_reason"] = "stop"
    choice["logprobs"] = {"content": _listed()} if body.get("logprobs") else None
    usage = {"prompt_tokens": _tokens(body), "completion_tokens": 2}
    return {"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage}


def _ollama_chat(body: Json) -> Json:
    if not body["messages"]:
        return {"message": {"role": "assistant", "content": ""}, "done": True}
    answer: Json = {"message": {"role": "assistant", "content": "b"}, "done": True}
    answer |= {"done_reason": "stop", "eval_count": 2, "prompt_eval_count": _tokens(body)}
    if body.get("logprobs"):
        answer["logprobs"] = _listed()
    return answer


GOOD: dict[str, Callable[[Json], Json]] = {
    "/v1/models": lambda _: {"data": [{"id": "m", "owned_by": "tests"}]},
    "/v1/chat/completions": _openai_chat,
    "/api/version": lambda _: {"version": "0.13.0"},
    "/api/tags": lambda _: {"models": [{"model": "m", "digest": "d"}]},
    "/api/show": lambda _: {
        "template": "", "capabilities": ["thinking"], "details": {},
        "model_info": {"x.context_length": 40960},
    },
    "/api/ps": lambda _: {"models": []},
    "/api/chat": _ollama_chat,
}  # fmt: skip


# --- cells


def body(content: bytes | str, status: int = 200, kind: str = "application/json") -> Cell:
    """These bytes, whatever was asked."""
    raw = content.encode() if isinstance(content, str) else content
    return lambda handler, _: handler.send(raw, status, kind)


def value(content: object) -> Cell:
    """This JSON value, whatever was asked."""
    return body(json.dumps(content))


def put(path: str, content: object) -> Cell:
    """The good answer with this value at a path such as `choices.0.message`; `...` removes it.

    A text that begins with `raw:` is put in as it is, for JSON that Python does not write.
    """
    return both((path, content))


def both(*changes: tuple[str, object]) -> Cell:
    """Several `put` at once."""

    def cell(handler: Handler, good: Json) -> None:
        for path, content in changes:
            *above, last = [int(name) if name.isdigit() else name for name in path.split(".")]
            target: Any = good
            for name in above:
                target = target[name]
            if content is ...:
                del target[last]
            else:
                target[last] = content
        text = json.dumps(good)
        for _, content in changes:
            if isinstance(content, str) and content.startswith("raw:"):
                text = text.replace(json.dumps(content), content[4:])
        handler.send(text.encode())

    return cell


def packed(handler: Handler, good: Json) -> None:
    """The good answer, compressed, which was not asked for."""
    handler.send(gzip.compress(json.dumps(good).encode()), Content_Encoding="gzip")


def packed_wrongly(handler: Handler, _: Json) -> None:
    handler.send(b"this is not gzip at all", Content_Encoding="gzip")


_BOMB = gzip.compress(b" " * 50_000_000, 1)


def bomb(handler: Handler, _: Json) -> None:
    """A small body that unpacks to 50 MB."""
    handler.send(_BOMB, Content_Encoding="gzip")


def layers(handler: Handler, _: Json) -> None:
    handler.send(b"x", Content_Encoding="gzip, gzip, br")


def marked(handler: Handler, good: Json) -> None:
    """The good answer behind a byte order mark."""
    handler.send(b"\xef\xbb\xbf" + json.dumps(good).encode())


def called_text(handler: Handler, good: Json) -> None:
    """The good answer, called a text of another encoding."""
    handler.send(json.dumps(good).encode(), kind="text/plain; charset=shift_jis")


def twice(handler: Handler, good: Json) -> None:
    """One key twice, with another answer."""
    text = json.dumps(good)
    handler.send(text.replace('"content": "b"', '"content": "b", "content": "c"').encode())


def _chunked(body: bytes, status: int = 200, *, forever: bool = False) -> Cell:
    """A chunked body sent as it is, once or again and again."""

    def cell(handler: Handler, _: Json) -> None:
        handler.send_response(status)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(body)
        while forever and not handler.server.closing.is_set():
            handler.wfile.write(body)
        handler.close_connection = True

    return cell


cut_chunks = _chunked(b'10\r\n{"choices": [{"i\r\n')
"""A body that ends before its last chunk."""
bad_chunks = _chunked(b"zz\r\nno chunk\r\n")
endless = _chunked(b"10000\r\n" + b" " * 0x10000 + b"\r\n", forever=True)
endless_error = _chunked(b"10000\r\n" + b"e" * 0x10000 + b"\r\n", 500, forever=True)


def drip(handler: Handler, _: Json) -> None:
    """A byte now and then, for ever."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    while not handler.server.closing.wait(0.05):
        handler.wfile.write(b" ")


def silent(handler: Handler, _: Json) -> None:
    handler.close_connection = True


def no_http(handler: Handler, _: Json) -> None:
    handler.wfile.write(b"\x00\x01\x02 SSH-2.0-OpenSSH_9.6\r\n")
    handler.close_connection = True


def round_and_round(handler: Handler, _: Json) -> None:
    """A redirection to itself."""
    handler.send(b"", 307, Location=handler.path)
