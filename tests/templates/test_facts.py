"""What a chat template does to every prompt, found by rendering a chat of two words."""

from __future__ import annotations

from typing import Any

import pytest

from lawqa.prompting import ALL_SPECS, PromptSpec, build_prompt, render, spec_hash
from lawqa.templates import template_identity

pytestmark = pytest.mark.torch


@pytest.mark.slow
def test_the_prompts_and_hashes_of_plain_templates_are_transformers_own(
    tokenizer: Any, questions: Any
) -> None:
    assert template_identity(tokenizer) == tokenizer.chat_template
    for spec in ALL_SPECS:
        retrieved = "文" if spec.condition == "rag" else ""
        prompt = build_prompt(questions[0], spec, retrieved=retrieved)
        expected = tokenizer.apply_chat_template(
            [{"role": m.role, "content": m.content} for m in prompt.messages],
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=spec.thinking,
        )
        assert render(prompt.messages, tokenizer, thinking=spec.thinking) == expected


def test_the_hashes_of_qwen3_are_those_of_earlier_versions(qwen_tokenizer: Any) -> None:
    identity = template_identity(qwen_tokenizer)
    assert spec_hash(PromptSpec(), identity) == spec_hash(
        PromptSpec(), qwen_tokenizer.chat_template
    )
