"""The window of a server's model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lawqa.backends.remote.request_error import RequestError
from lawqa.backends.remote.window import check_whole, prompt_size
from lawqa.prompting import Prompt, PromptSpec, build_prompt
from lawqa.questions import read_questions

MakePrompts = Callable[..., list[Prompt]]


# --- bounds of a prompt


@pytest.mark.slow
def test_bytes_bound_what_a_real_tokenizer_counts(shared_data: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="pip install 'lawqa[train]'")
    tokenizer = transformers.AutoTokenizer.from_pretrained(shared_data / "qwen3-tokenizer")
    questions = read_questions(shared_data / "lawqa_jp" / "selection.json")

    def count(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False))

    for question in questions[::10]:
        for spec in (PromptSpec(), PromptSpec(condition="gold", few_shot=True)):
            prompt = build_prompt(question, spec)
            chat = [{"role": m.role, "content": m.content} for m in prompt.messages]
            rendered = tokenizer.apply_chat_template(
                chat, tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
            real = count(rendered)
            rough, exact = prompt_size(prompt, None), prompt_size(prompt, count)
            assert rough.at_least < real / 2
            assert real < rough.at_most
            assert 0 <= real - exact.at_least <= 16 * len(chat)
            assert real < exact.at_most


def test_a_report_is_held_against_the_bounds(prompts: MakePrompts) -> None:
    size = prompt_size(prompts()[0], None)
    assert check_whole(size, size.at_least, window=4096, max_new_tokens=4) == size.at_least
    for reported, window, why in (
        (None, None, "does not say"),
        (0, None, "does not say"),
        (size.at_least - 1, None, "was cut: the server read"),
        (1000, 1031, "do not fit the context window of 1031"),
    ):
        with pytest.raises(RequestError, match=why):
            check_whole(size, reported, window=window, max_new_tokens=32)
