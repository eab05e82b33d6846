"""Odd answers x backends: each cell is one question of a run; the others of the run must not suffer.

For each cell: the outcome of its row, what its message says, and that the run around it is whole: exit code 3
because some failed, every question stored once, no traceback. For the requests before the first question:
exit code 2, a message, no answer on disk.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest

pytest.importorskip("httpx", reason="pip install 'lawqa[openai]'")
pytest.importorskip("anyio", reason="pip install 'lawqa[openai]'")

from lawqa.cli import main
from tests.rough import odd_server as odd
from tests.rough.odd_server import Cell, put

pytestmark = pytest.mark.rough

Kind = Literal["ollama", "openai"]
How = Literal["generate", "logits"]


class Expected(NamedTuple):
    """What is stored of a cell."""

    cell: Cell
    error: str | None
    """A part of the stored error; None where the question is answered."""
    text: str = "b"
    """The stored text of an answered question."""


def fails(cell: Cell, error: str) -> Expected:
    return Expected(cell, error)


def answers(cell: Cell, text: str = "b") -> Expected:
    return Expected(cell, None, text)


DEEP = "[" * 10_000 + "]" * 10_000

# Whatever the protocol, and however the answer is taken.
OF_ALL: dict[str, Expected] = {
    "good": answers(lambda handler, good: handler.send(json.dumps(good).encode())),
    "empty-body": fails(odd.body(b""), "it is empty"),
    "blank-body": fails(odd.body(b" \n "), "it is empty"),
    "html": fails(odd.body("<html><b>502</b></html>", kind="text/html"), "it is not JSON (text/html)"),
    "half-json": fails(odd.body('{"choices": [{"mess'), "it is not JSON"),
    "stream": fails(odd.body("data: {}\n\n", kind="text/event-stream"), "(text/event-stream)"),
    "null": fails(odd.value(None), "the answer is not an object, got null"),
    "list": fails(odd.value([]), "the answer is not an object, got an empty list"),
    "text": fails(odd.value("b"), 'the answer is not an object, got "b"'),
    "number": fails(odd.value(7), "the answer is not an object, got 7"),
    "empty-object": fails(odd.value({}), "the server"),
    "nan": fails(odd.body('{"x": NaN}'), "NaN"),
    "deep": fails(odd.body('{"x": ' + DEEP + "}"), "nested too deeply"),
    "huge-integer": fails(odd.body('{"x": ' + "9" * 100_000 + "}"), "it is not JSON"),
    "key-twice": fails(odd.twice, "'content'"),
    "not-utf-8": fails(odd.body(b'{"choices": "\xff\xfe"}'), "is not UTF-8"),
    "utf-16": fails(odd.body('{"a": 1}'.encode("utf-16")), "is not UTF-8"),
    "mark": answers(odd.marked),
    "called-text": answers(odd.called_text),
    "gzip": answers(odd.packed),
    "gzip-garbage": fails(odd.packed_wrongly, "it is called gzip and is not"),
    "gzip-bomb": fails(odd.bomb, "longer than 16 MiB"),
    "gzip-layers": fails(odd.layers, "it is compressed (gzip, gzip, br)"),
    "cut-chunks": fails(odd.cut_chunks, "the connection failed"),
    "bad-chunks": fails(odd.bad_chunks, "the connection failed"),
    "silent": fails(odd.silent, "the connection failed"),
    "no-http": fails(odd.no_http, "the connection failed"),
    "endless": fails(odd.endless, "longer than 16 MiB"),
    "endless-error": fails(odd.endless_error, "HTTP 500: eee"),
    "drip": fails(odd.drip, "no answer within"),
    "redirect": fails(odd.round_and_round, "HTTP 307"),
    "error-as-success": fails(odd.value({"error": {"message": "out of memory"}}), "out of memory"),
    "error-text": fails(odd.value({"error": "out of memory"}), "error: out of memory"),
    "error-list": fails(odd.value({"error": [1, 2]}), "error: a list of 2"),
    "error-escape": fails(odd.body(b"\x1b]0;owned\x07\x1b[2J", 500), "HTTP 500: \\u001b]0;owned"),
    "error-page": fails(odd.body("<html>" * 100_000, 502), "HTTP 502: <html>"),
    "error-deep": fails(odd.body(DEEP, 500), "HTTP 500: [[["),
    "error-null": fails(odd.body("null", 500), "HTTP 500: null"),
    "teapot": fails(odd.body("", 418), "HTTP 418"),
    "no-content": fails(odd.body("", 204), "it is empty"),
}  # fmt: skip


def of_protocol(kind: Kind) -> dict[str, Expected]:
    """Cells of one protocol, however the answer is taken."""
    if kind == "ollama":
        message, ended, count = "message", "done_reason", "prompt_eval_count"
        own = {
            "done-false": fails(put("done", False), "unfinished"),
            "done-text": fails(put("done", "yes"), 'got "yes"'),
            "done-missing": fails(put("done", ...), "unfinished"),
        }
    else:
        message, ended, count = (
            "choices.0.message",
            "choices.0.finish_reason",
            "usage.prompt_tokens",
        )
        own = {
            "choices-null": fails(put("choices", None), "choices is not a list, got null"),
            "choices-text": fails(put("choices", "b"), 'choices is not a list, got "b"'),
            "choices-object": fails(
                put("choices", {"0": 1}), "choices is not a list, got an object"
            ),
            "choices-empty": fails(put("choices", []), "choices is empty"),
            "choices-missing": fails(put("choices", ...), "choices is not a list"),
            "choice-null": fails(put("choices", [None]), "choices[0] is not an object, got null"),
            "choice-text": fails(put("choices", ["b"]), "choices[0] is not an object"),
            "usage-null": fails(put("usage", None), "how many tokens the prompt had"),
            "usage-list": fails(put("usage", [1]), "usage is not an object, got a list of 1"),
            "usage-missing": fails(put("usage", ...), "how many tokens the prompt had"),
            "fingerprint-number": answers(put("system_fingerprint", 7)),
        }
    return {
        **own,
        "message-null": fails(put(message, None), "message is not an object, got null"),
        "message-list": fails(put(message, [1]), "message is not an object, got a list of 1"),
        "message-text": fails(put(message, "b"), 'message is not an object, got "b"'),
        "message-missing": fails(put(message, ...), "message is not an object, got null"),
        "content-number": fails(put(f"{message}.content", 3), "message.content is not a text, got 3"),
        "content-list": fails(put(f"{message}.content", [{"text": "b"}]), "got a list of 1"),
        "content-true": fails(put(f"{message}.content", True), "got true"),
        "prompt-count-missing": fails(put(count, ...), "how many tokens the prompt had"),
        "prompt-count-text": fails(put(count, "70"), "is not a number of tokens"),
        "prompt-count-float": fails(put(count, 70.5), "is not a number of tokens, got 70.5"),
        "prompt-count-true": fails(put(count, True), "is not a number of tokens, got true"),
        "prompt-count-negative": fails(put(count, -5), "is not a number of tokens, got -5"),
        "prompt-count-zero": fails(put(count, 0), "how many tokens the prompt had"),
        "prompt-count-huge": fails(put(count, 10**30), "is not a number of tokens"),
        "reason-number": fails(put(ended, 7), "reason is not a text, got 7"),
        "content-nan": fails(put(f"{message}.content", "raw:NaN"), "NaN"),
    }  # fmt: skip


def of_texts(kind: Kind) -> dict[str, Expected]:
    """Cells of generated answers."""
    message = "message" if kind == "ollama" else "choices.0.message"
    ended = "done_reason" if kind == "ollama" else "choices.0.finish_reason"
    count = "eval_count" if kind == "ollama" else "usage.completion_tokens"
    thought = "thinking" if kind == "ollama" else "reasoning_content"
    content, thinking = f"{message}.content", f"{message}.{thought}"
    cells = {
        "count-missing": fails(put(count, ...), "is missing"),
        "count-text": fails(put(count, "2"), 'is not a number of tokens, got "2"'),
        "count-negative": fails(put(count, -1), "is not a number of tokens, got -1"),
        "count-null": fails(put(count, None), "is missing"),
        "count-infinite": fails(put(count, "raw:1e400"), "is not a number of tokens"),
        "reason-odd": fails(put(ended, "content_filter"), 'got "content_filter"'),
        "reason-escape": fails(put(ended, "\x1b[2J"), "is neither stop nor length"),
        "reason-null": answers(put(ended, None)),
        "reason-missing": answers(put(ended, ...)),
        "nothing-written": answers(odd.both((content, ""), (count, 1)), ""),
        "text-kept-back": fails(odd.both((content, None), (count, 57)), "the model wrote 57 tokens"),
        "half-a-surrogate": answers(put(content, "b \ud800"), "b \ud800"),
        "escapes": answers(put(content, "\x1b[2J"), "\x1b[2J"),
        "all-in-thinking": answers(odd.both((content, None), (thinking, "b")), "b"),
        "all-in-thinking-closed": answers(
            odd.both((content, ""), (thinking, "考え\n</think>\n\nb")), "<think>\n考え\n</think>\n\nb"
        ),
        "cut-in-thinking": fails(
            odd.both((content, None), (thinking, "b"), (ended, "length")), "without a reasoning parser"
        ),
        "thinking-number": fails(put(thinking, 5), "is not a text, got 5"),
    }  # fmt: skip
    if kind == "openai":
        cells["reasoning"] = answers(odd.both((content, None), (f"{message}.reasoning", "b")))
        cells["refusal"] = answers(odd.both((content, None), (f"{message}.refusal", "b")))
    return cells


def of_labels(kind: Kind) -> dict[str, Expected]:
    """Cells of scored labels."""
    all_ = "logprobs" if kind == "ollama" else "choices.0.logprobs.content"
    top = f"{all_}.0.top_logprobs"
    first = f"{top}.0.logprob"
    none = "no log-probabilities"
    return {
        "logprobs-text": fails(put(all_, "x"), "is not a list"),
        "logprobs-null": fails(put(all_, None), none),
        "logprobs-empty": fails(put(all_, []), "before the first token"),
        "logprobs-number": fails(put(f"{all_}.0", 7), "is not an object, got 7"),
        "top-text": fails(put(top, "b"), "top_logprobs is not a list"),
        "top-of-texts": fails(put(top, ["b"]), "top_logprobs[0] is not an object"),
        "top-other-words": fails(put(top, [{"token": "の", "logprob": -1.0}]), "no label is among"),
        "token-null": fails(put(f"{top}.0.token", None), "token is not a text, got null"),
        "token-number": fails(put(f"{top}.0.token", 2), "token is not a text, got 2"),
        "token-empty": answers(put(f"{top}.1.token", "")),
        "logprob-text": fails(put(first, "-0.1"), 'is not a log-probability, got "-0.1"'),
        "logprob-null": fails(put(first, None), "is not a log-probability, got null"),
        "logprob-true": fails(put(first, True), "is not a log-probability, got true"),
        "logprob-above-0": fails(put(first, 0.7), "is not a log-probability, got 0.7"),
        "logprob-infinite": fails(put(first, "raw:1e400"), "is not a log-probability"),
        "logprob-nan": fails(put(first, "raw:NaN"), "NaN"),
        "logprob-huge": fails(put(first, 10**400), "is not a log-probability"),
        "logprob-lowest": answers(put(f"{top}.1.logprob", -3.4e38)),
        "logprobs-above-1": fails(
            put(top, [{"token": t, "logprob": -0.1} for t in "ab"]), "add up to 1.81"
        ),
        "listed-twice": answers(put(top, [{"token": "b", "logprob": -0.1}] * 5)),
    }  # fmt: skip


def cells_of(kind: Kind, how: How) -> dict[str, Expected]:
    own = of_texts(kind) if how == "generate" else of_labels(kind)
    return {**OF_ALL, **of_protocol(kind), **own}


@dataclass(frozen=True)
class Ran:
    """A run of one question for each cell."""

    code: int
    err: str
    rows: dict[str, dict[str, Any]]
    summary: dict[str, Any]
    files: list[str]


def ask(directory: Path, url: str, kind: Kind, names: list[str], *flags: str) -> tuple[int, str]:
    """`lawqa evaluate` of a question for each name, into r/."""
    sample = {
        "コンテキスト": "第一条",
        "指示": "答えよ。",
        "選択肢": "a 一\nb 二\nc 三\nd 四",
        "output": "b",
    }
    samples = [
        {**sample, "ファイル名": f"民法_{n}", "問題文": f"cell {name}. どれか。", "references": []}
        for n, name in enumerate(names)
    ]
    data = directory / "q.json"
    data.write_text(json.dumps({"samples": samples}, ensure_ascii=False), encoding="utf-8")
    err = io.StringIO()
    with contextlib.redirect_stderr(err), contextlib.redirect_stdout(io.StringIO()):
        code = main([
            "evaluate", "--data", str(data), "--llm-backend", kind, "--llm-model", "m",
            "--base-url", url, "--run-dir", str(directory / "r"), "--request-retries", "0",
            "--timeout", "4", "--concurrency", "8", *flags,
        ])  # fmt: skip
    return code, err.getvalue()


RUNS = [(kind, how) for kind in ("ollama", "openai") for how in ("generate", "logits")]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Kind, How], Ran]:
    """One run for each backend and way of answering, made when it is first asked for."""
    known: dict[tuple[Kind, How], Ran] = {}

    def run(kind: Kind, how: How) -> Ran:
        if (kind, how) not in known:
            directory = tmp_path_factory.mktemp(f"{kind}-{how}")
            cells = cells_of(kind, how)
            with odd.serving({name: expected.cell for name, expected in cells.items()}) as server:
                code, err = ask(directory, server.url, kind, list(cells), "--answer-by", how)
            lines = (directory / "r" / "results.jsonl").read_text("utf-8").splitlines()
            rows = [json.loads(line) for line in lines]
            named = list(cells)
            known[kind, how] = Ran(
                code,
                err,
                {named[int(row["file_name"].rpartition("_")[2])]: row for row in rows},
                json.loads((directory / "r" / "summary.json").read_text("utf-8")),
                sorted(path.name for path in (directory / "r").iterdir()),
            )
        return known[kind, how]

    return run


@pytest.mark.parametrize(
    ("kind", "how", "name"),
    [pytest.param(k, h, n, id=f"{k}-{h}-{n}") for k, h in RUNS for n in cells_of(k, h)],
)
def test_an_odd_answer_fails_its_question_and_says_what_came(
    ran: Callable[[Kind, How], Ran], kind: Kind, how: How, name: str
) -> None:
    expected = cells_of(kind, how)[name]
    row = ran(kind, how).rows[name]
    if expected.error is None:
        assert row["outcome"] != "failed", row.get("error")
        assert row["predicted_answer"] == ("b" if "b" in expected.text else None)
        if how == "generate":
            assert row["response"] == expected.text
        return
    assert row["outcome"] == "failed"
    assert expected.error in row["error"]
    assert len(row["error"]) < 400
    assert row["error"].isprintable()


@pytest.mark.parametrize(("kind", "how"), RUNS)
def test_the_run_around_odd_answers_is_whole(
    ran: Callable[[Kind, How], Ran], kind: Kind, how: How
) -> None:
    done, cells = ran(kind, how), cells_of(kind, how)
    failed = sum(expected.error is not None for expected in cells.values())
    assert done.code == 3
    assert "Traceback" not in done.err
    assert f"{failed} questions failed" in done.err
    assert done.rows.keys() == cells.keys()
    assert done.summary["statistics"]["outcomes"]["failed"] == failed
    assert done.files == [".lock", "manifest.json", "results.jsonl", "summary.json"]


# --- what is asked before the first question

ODD_LISTS: dict[str, Cell] = {
    "empty": odd.body(b""), "html": odd.body("<html>", kind="text/html"), "null": odd.value(None),
    "list": odd.value([1]), "text": odd.value("m"), "deep": odd.body('{"data": ' + DEEP + "}"),
    "nan": odd.body('{"data": NaN, "models": NaN, "version": NaN}'), "bomb": odd.bomb,
    "endless": odd.endless, "gzip-garbage": odd.packed_wrongly, "cut": odd.cut_chunks,
    "silent": odd.silent, "no-http": odd.no_http, "redirect": odd.round_and_round,
    "error": odd.value({"error": "no"}), "not-utf-8": odd.body(b'{"\xff": 1}'), "500": odd.body("", 500),
    "drip": odd.drip,
}  # fmt: skip
FIRST: dict[str, tuple[Kind, dict[str, Cell]]] = {
    "/v1/models": ("openai", {
        "data-null": put("data", None), "data-text": put("data", "m"), "data-of-null": put("data", [None]),
        "data-of-texts": put("data", ["m"]), "id-null": put("data", [{"id": None}]),
        "id-number": put("data", [{"id": 7}]), "none": put("data", []),
        "many": put("data", [{"id": f"model-{n}"} for n in range(10_000)]),
    }),
    "/api/version": ("ollama", {
        "null": put("version", None), "number": put("version", 0.13), "old": put("version", "0.1.2"),
    }),
    "/api/tags": ("ollama", {
        "models-null": put("models", None), "models-of-null": put("models", [None]),
        "name-number": put("models", [{"model": 7}]), "none": put("models", []),
        "other": put("models", [{"model": "\x1b[2Jother"}]),
    }),
    "/api/show": ("ollama", {
        "info-text": put("model_info", "x"), "details-list": put("details", [1]),
        "template-number": put("template", 7), "capabilities-text": put("capabilities", "thinking"),
        "length-text": put("model_info", {"x.context_length": "long"}),
        "length-negative": put("model_info", {"x.context_length": -1}),
    }),
    "/api/ps": ("ollama", {
        "models-text": put("models", "m"),
        "window-text": put("models", [{"model": "m", "context_length": "x"}]),
    }),
}  # fmt: skip


def _marks(path: str, name: str) -> list[pytest.MarkDecorator]:
    """The same odd bodies at every path are for the long version: one path a backend stands for them."""
    common = name in ODD_LISTS and path not in ("/v1/models", "/api/tags")
    return [pytest.mark.long] if common else []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        pytest.param(path, name, id=f"{path}-{name}", marks=_marks(path, name))
        for path, (_, own) in FIRST.items()
        for name in {**ODD_LISTS, **own}
    ],
)
def test_an_odd_answer_before_the_first_question_is_exit_2(
    tmp_path: Path, path: str, name: str
) -> None:
    kind, own = FIRST[path]
    with odd.serving({path: {**ODD_LISTS, **own}[name]}) as server:
        code, err = ask(tmp_path, server.url, kind, ["good"], "--timeout", "0.7")
    assert code == 2, err
    assert "Traceback" not in err
    assert "error: " in err
    assert "hint: " in err
    assert len(err) < 1200
    assert "\x1b" not in err
    results = tmp_path / "r" / "results.jsonl"
    assert not results.exists() or not results.read_bytes()


def test_a_server_without_log_probabilities_is_found_out_after_a_few_questions(
    tmp_path: Path,
) -> None:
    """One answer without them is that question's; answers that all lack them end the run with a way out."""
    lacking = put("choices.0.logprobs", None)
    with odd.serving({"lacking": lacking}) as server:
        code, err = ask(tmp_path, server.url, "openai", ["lacking"] * 30, "--answer-by", "logits")
    assert code == 2
    assert "this server gives no log-probabilities" in err
    assert "hint: --answer-by generate" in err
