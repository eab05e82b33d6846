"""`lawqa evaluate`."""

from __future__ import annotations

import pytest

from lawqa.cli import parse_arguments
from lawqa.cli.asking.evaluate import Evaluate
from lawqa.errors import ConfigError

pytestmark = pytest.mark.every_python


def test_the_defaults_of_evaluate_are_the_documented_ones() -> None:
    config, remarks = Evaluate().resolve()
    assert remarks == []
    assert config.spec.id == "direct-closed-v1"
    assert (config.backend, config.place, config.samples) == ("hf", "any", None)
    chosen = config.resolved()
    assert (chosen.answer_by, chosen.temperature, chosen.max_new_tokens) == ("logits", 0.0, 32)
    assert (config.allow_leak, config.allow_prompt_mismatch, config.fresh) == (False,) * 3


@pytest.mark.parametrize(
    "flags", [["--top-k", "3", "--samples=20"], ["--top_k=3", "--samples", "20"]]
)
def test_flags_may_be_joined_with_an_equals_sign_or_written_with_underscores(
    flags: list[str],
) -> None:
    parsed = parse_arguments(["evaluate", *flags])
    assert isinstance(parsed, Evaluate)
    assert (parsed.retrieval.top_k, parsed.samples) == (3, 20)


@pytest.mark.parametrize(
    ("flags", "condition"),
    [
        ("", "closed"),
        ("--no-rag", "closed"),
        ("--condition closed", "closed"),
        ("--condition closed --no-rag", "closed"),
        ("--condition gold", "gold"),
    ],
)
def test_the_condition_that_the_flags_mean(flags: str, condition: str) -> None:
    parsed = parse_arguments(["evaluate", *flags.split()])
    assert isinstance(parsed, Evaluate)
    config, remarks = parsed.resolve()
    assert (config.spec.condition, remarks) == (condition, [])


@pytest.mark.parametrize(
    ("flags", "remark"),
    [
        ("--no-rag --top-k 3", "--top-k unused: the condition is closed"),
        ("--no-rag --top-k 0", "--top-k unused: the condition is closed"),
        ("--condition closed --index i", "--index unused: the condition is closed"),
        ("--condition gold --top-k 3", "--top-k unused: the condition is gold"),
        (
            "--no-rag --use-reranker --reranker-model r --rerank-top-n 3",
            "--use-reranker, --reranker-model, --rerank-top-n unused: the condition is closed",
        ),
    ],
)
def test_flags_of_retrieval_without_retrieval_are_said_to_be_unused(
    flags: str, remark: str
) -> None:
    parsed = parse_arguments(["evaluate", *flags.split()])
    assert isinstance(parsed, Evaluate)
    assert parsed.resolve()[1] == [remark]


RAG_FLAGS = (
    "--condition rag", "--condition rag --top-k 3", "--top-k 3", "--use-reranker", "--index i",
    "--reranker-model r", "--rerank-top-n 3", "--max-context-tokens 9", "--no-follow", "--dense m",
)  # fmt: skip


@pytest.mark.parametrize("flags", RAG_FLAGS)
def test_flags_of_retrieval_mean_the_condition_rag(flags: str) -> None:
    parsed = parse_arguments(["evaluate", *flags.split()])
    assert isinstance(parsed, Evaluate)
    if parsed.retrieval.index is None:
        with pytest.raises(ConfigError, match=r"condition rag .* needs --index") as caught:
            parsed.resolve()
        assert caught.value.hint.startswith("lawqa index build")
    else:
        config, remarks = parsed.resolve()
        assert config.spec.condition == "rag"
        assert config.rag is not None
        assert remarks == []


@pytest.mark.parametrize(
    ("flags", "spec_id", "answer_by", "max_new_tokens"),
    [
        ("", "direct-closed-v1", "logits", 32),
        ("--answer-by generate", "direct-closed-v1", "generate", 32),
        ("--mode cot", "cot-closed-v1", "generate", 1024),
        ("--use-cot", "cot-closed-v1", "generate", 1024),
        ("--use-cot --mode cot --few-shot", "cot-closed-fewshot-v1", "generate", 1024),
        ("--thinking", "direct-closed-thinking-v1", "generate", 4096),
        ("--thinking --use-cot", "cot-closed-thinking-v1", "generate", 4096),
        ("--use-cot --max-new-tokens 7", "cot-closed-v1", "generate", 7),
    ],
)
def test_mode_and_thinking_decide_how_answers_are_read(
    flags: str, spec_id: str, answer_by: str, max_new_tokens: int
) -> None:
    parsed = parse_arguments(["evaluate", *flags.split()])
    assert isinstance(parsed, Evaluate)
    config, _ = parsed.resolve()
    assert (config.spec.id, config.resolved().answer_by) == (spec_id, answer_by)
    assert config.resolved().max_new_tokens == max_new_tokens


def test_flags_that_change_nothing_are_named() -> None:
    command = parse_arguments(["evaluate", "--temperature", "0.7", "--max-new-tokens", "9"])
    assert isinstance(command, Evaluate)
    _, remarks = command.resolve()
    assert remarks == [
        "--max-new-tokens, --temperature unused: labels are scored, no text is generated"
    ]
