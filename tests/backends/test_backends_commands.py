"""`lawqa evaluate` on a model server, from the command line to the files it leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from lawqa.cli import main

pytest.importorskip("httpx", reason="pip install 'lawqa[openai]'")

CHAT = {"ollama": "/api/chat", "openai": "/v1/chat/completions"}
both = pytest.mark.parametrize("kind", ["ollama", "openai"])


class Ended(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(
    model_server: Any,
    embedded_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """`lawqa evaluate` of four embedded questions on the server, into r/."""
    monkeypatch.chdir(tmp_path)

    def ask(kind: str, *flags: str, named: bool = True) -> Ended:
        server = ["--base-url", model_server.url, "--llm-model", "qwen3:8b"] if named else []
        code = main([
            "evaluate", "--data", str(embedded_file), "--samples", "4", "--run-dir", "r",
            "--llm-backend", kind, *server, *flags,
        ])  # fmt: skip
        return Ended(code, *capsys.readouterr())

    return ask


def results() -> list[dict[str, Any]]:
    lines = Path("r", "results.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def manifest() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path("r", "manifest.json").read_text(encoding="utf-8"))
    return content


@both
def test_labels_are_scored(run: Run, kind: str) -> None:
    ended = run(kind)
    assert ended.code == 0
    assert {row["predicted_answer"] for row in results()} == {"b"}
    assert all(row["label_logprobs"] and row["prompt_tokens"] > 50 for row in results())
    assert "accuracy" in ended.out
    assert manifest()["model"]["backend"] == kind
    assert manifest()["status"] == "done"


@both
def test_texts_are_generated_and_parsed(run: Run, model_server: Any, kind: str) -> None:
    model_server.model.thinking = "考える"
    model_server.model.content = "理由。\n最終回答\uff1ac"
    assert run(kind, "--mode", "cot", "--thinking", "--no-force-answers").code == 0
    assert {row["predicted_answer"] for row in results()} == {"c"}
    assert results()[0]["response"] == "<think>\n考える\n</think>\n\n理由。\n最終回答\uff1ac"


@pytest.mark.slow
@both
def test_a_failed_question_is_kept_as_failed_and_a_resumed_run_asks_only_it(
    run: Run, model_server: Any, faults: SimpleNamespace, kind: str
) -> None:
    refuse = faults.status(400, "no such option")
    loads = [model_server.answer_plain] if kind == "ollama" else []
    # Asked one after the other; what failed is asked once more after all else.
    model_server.fault(CHAT[kind], *loads, refuse, *[model_server.answer_plain] * 3, refuse)
    ended = run(kind, "--concurrency", "1")
    assert ended.code == 3
    assert "1 question failed" in ended.err
    failed = [row for row in results() if row["outcome"] == "failed"]
    assert [row["error"] for row in failed] == ["HTTP 400: no such option"]
    before = len(model_server.bodies(CHAT[kind]))
    # A deadline is not part of what was asked: the resumed run may have another.
    assert run(kind, "--resume", "--timeout", "99").code == 0
    assert len(model_server.bodies(CHAT[kind])) == before + 1
    summary = json.loads(Path("r", "summary.json").read_text(encoding="utf-8"))
    assert summary["statistics"]["outcomes"]["failed"] == 0


@pytest.mark.slow
def test_all_of_an_ollama_run_is_asked_in_one_window(
    run: Run, model_server: Any, faults: SimpleNamespace
) -> None:
    """Of the longest prompt, whichever are asked: else Ollama loads the model again, and answers differ."""
    refuse = faults.status(400, "no such option")
    model_server.fault(CHAT["ollama"], model_server.answer_plain, *[model_server.answer_plain] * 3)
    assert run("ollama", "--condition", "gold", "--concurrency", "1").code == 0
    kept = Path("r", "results.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    longest = max(range(4), key=lambda n: json.loads(kept[n])["prompt_tokens"])
    Path("r", "results.jsonl").write_text(kept[longest], encoding="utf-8")
    begun = {**manifest(), "status": "interrupted"}
    Path("r", "manifest.json").write_text(json.dumps(begun), encoding="utf-8")
    model_server.fault(CHAT["ollama"], model_server.answer_plain, refuse)
    assert run("ollama", "--condition", "gold", "--concurrency", "1", "--resume").code == 0
    asked = model_server.bodies(CHAT["ollama"])
    assert len(asked) == 4 + 3 + 1
    assert len({body["options"]["num_ctx"] for body in asked}) == 1
    assert manifest()["model"]["num_ctx"] == asked[0]["options"]["num_ctx"]
    loads = [a for a in model_server.asked if a.path == CHAT["ollama"] and not a.body["messages"]]
    assert len(loads) == 2  # one for each start


@pytest.mark.slow
@both
def test_a_server_that_goes_away_fails_what_is_left_and_the_run_can_go_on(
    run: Run, model_server: Any, faults: SimpleNamespace, kind: str
) -> None:
    loads = [model_server.answer_plain] if kind == "ollama" else []
    whole = [*loads, *[model_server.answer_plain] * 2]
    model_server.fault(CHAT[kind], *whole, *[faults.drop] * 99)
    ended = run(kind, "--concurrency", "1", "--request-retries", "0")
    assert ended.code == 3
    assert "2 questions failed" in ended.err
    assert "--resume" in ended.err
    assert [row["outcome"] == "failed" for row in results()] == [False, False, True, True]
    assert "connection" in results()[2]["error"]
    model_server.faults.clear()
    assert run(kind, "--resume").code == 0


@both
def test_a_model_that_ends_at_once_fails_its_question_alone(
    run: Run, model_server: Any, kind: str
) -> None:
    """Both servers then leave the log-probabilities out, as one would that cannot give any."""
    model_server.model.top, model_server.model.content = None, ""
    ended = run(kind)
    assert ended.code == 3
    assert {row["error"] for row in results()} == {
        "the model ended its answer before the first token"
    }


@both
def test_a_run_with_texts_without_an_answer_is_done_when_all_were_asked(
    run: Run, model_server: Any, kind: str
) -> None:
    model_server.model.content = "わからない。"
    flags = ("--mode", "cot")
    assert run(kind, *flags).code == 0
    before = len(model_server.asked)
    ended = run(kind, *flags, "--resume")
    assert ended.code == 0
    assert len(model_server.asked) == before
    assert "nothing is asked" in ended.err


@pytest.mark.slow
def test_that_a_cut_prompt_may_pass_is_said_first(run: Run) -> None:
    assert run("openai").out.startswith("! CUT PROMPTS MAY PASS: without --tokenizer")
    assert "CUT PROMPTS" not in run("ollama", "--fresh").out


@both
def test_heart01_refuses_a_server_before_anything_is_sent(
    run: Run, model_server: Any, kind: str
) -> None:
    ended = run(kind, "--place", "heart01")
    assert ended.code == 2
    assert "forbidden at heart01 by the rule no-model-server" in ended.err
    assert model_server.asked == []
    assert not Path("r").exists()


@both
def test_no_key_is_kept(run: Run, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("OLLAMA_API_KEY", "sk-secret")
    assert run(kind).code == 0
    assert all(b"sk-secret" not in file.read_bytes() for file in Path("r").iterdir())


def test_the_environment_names_the_server_too(
    run: Run, model_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", model_server.url.removeprefix("http://"))
    assert run("ollama", named=False).code == 0
    assert manifest()["model"]["name"] == "qwen3:8b"  # the lab's baseline is the default
    assert manifest()["model"]["server"]["version"] == "0.13.0"


def test_without_an_address_nothing_is_sent_to_a_service(run: Run) -> None:
    ended = run("openai", "--llm-model", "gpt-4o", named=False)
    assert ended.code == 2
    assert "neither --base-url nor OPENAI_BASE_URL is given" in ended.err
    ended = run("openai", named=False)
    assert "--llm-backend openai needs --llm-model" in ended.err


def test_a_model_that_is_missing_leaves_no_run(run: Run) -> None:
    ended = run("ollama", "--llm-model", "qwen3:4b")
    assert ended.code == 2
    assert "hint: ollama pull qwen3:4b" in ended.err
    assert not Path("r").exists()


def test_flags_that_do_not_belong_together_are_told_together(run: Run) -> None:
    ended = run("scripted", "--concurrency", "2", "--tokenizer", "t")
    assert ended.code == 2
    assert "--llm-model qwen3:8b names a model on a server" in ended.err
    assert (
        "--concurrency, --base-url, --tokenizer: for --llm-backend ollama and openai" in ended.err
    )
    assert "--hf-lora-path is for --llm-backend hf" in run("ollama", "--hf-lora-path", "a").err
    ended = run("ollama", "--timeout", "0", "--concurrency", "0")
    assert "--timeout is 0.0" in ended.err
    assert "--concurrency is 0" in ended.err
    assert "Traceback" not in ended.err


def test_a_missing_client_is_told_with_its_extra(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lawqa.backends.remote.find_spec", lambda _: None)
    ended = run("ollama")
    assert ended.code == 2
    assert "pip install '" in ended.err


@pytest.mark.slow
def test_a_tokenizer_counts_the_prompts(run: Run, shared_data: Path) -> None:
    pytest.importorskip("transformers", reason="pip install 'lawqa[train]'")
    assert run("ollama", "--tokenizer", str(shared_data / "qwen3-tokenizer")).code == 0
    assert manifest()["model"]["tokens_counted_by"] == "tokenizer"
    assert manifest()["model"]["num_ctx"] <= 1024
