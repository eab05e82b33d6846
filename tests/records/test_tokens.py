"""Training text is the evaluation prompt, token by token, plus the answer and one end token."""

from __future__ import annotations

from typing import Any

import pytest

from lawqa.backends.hf.backend import label_token_ids
from lawqa.choices import LABELS
from lawqa.prompting import PromptSpec, build_prompt, render
from lawqa.records import IGNORED, make_record, masked_text, tokenize_record

pytestmark = pytest.mark.torch

SPECS = [
    PromptSpec(condition=condition, few_shot=few_shot)
    for condition in ("closed", "gold")
    for few_shot in (False, True)
]


@pytest.mark.slow
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_training_tokens_extend_the_evaluation_prompt(
    tokenizer: Any, questions: Any, spec: PromptSpec
) -> None:
    for question in questions[:10]:
        prompt = build_prompt(question, spec)
        asked = tokenizer.encode(
            render(prompt.messages, tokenizer, thinking=False), add_special_tokens=False
        )
        record = tokenize_record(make_record(question, spec), tokenizer, max_seq_length=4096)
        assert record.input_ids[: len(asked)] == asked
        assert record.labels == [IGNORED] * len(asked) + record.input_ids[len(asked) :]
        assert tokenizer.decode(record.input_ids[len(asked) :]) == f"{question.gold}<|im_end|>"


def test_the_learnt_letter_is_one_that_scoring_reads(tokenizer: Any, questions: Any) -> None:
    for question in questions[:8]:
        text = render(build_prompt(question, PromptSpec()).messages, tokenizer, thinking=False)
        record = tokenize_record(
            make_record(question, PromptSpec()), tokenizer, max_seq_length=4096
        )
        learnt = record.input_ids[-2]
        readers = [
            label
            for label, ids in zip(LABELS, label_token_ids(tokenizer, text), strict=True)
            if learnt in ids
        ]
        assert readers == [question.gold]


def test_thinking_off_closes_the_think_block_in_the_prompt(tokenizer: Any, questions: Any) -> None:
    messages = build_prompt(questions[0], PromptSpec()).messages
    assert render(messages, tokenizer, thinking=False).endswith("<think>\n\n</think>\n\n")
    assert render(messages, tokenizer, thinking=True).endswith("<|im_start|>assistant\n")


def test_a_record_can_be_read_token_by_token(qwen_tokenizer: Any, questions: Any) -> None:
    record = tokenize_record(make_record(questions[0], PromptSpec()), qwen_tokenizer, 4096)
    shown = masked_text(record, qwen_tokenizer)
    assert shown.endswith(f"  loss, 2 tokens:\n    {questions[0].gold}│<|im_end|>")
    assert "<think>│⏎⏎│</think>│⏎⏎" in shown
    assert "\ufffd" not in shown
