"""Chat templates in the style of several families, written for these tests, and a tokenizer to hold one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

CHATML = """\
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}"""

TEMPLATES = {
    "chatml": CHATML,
    # One that only thinks: every prompt ends in an open block.
    "always-thinks": CHATML.replace("assistant\\n' }}", "assistant\\n<think>\\n' }}"),
    "always-thinks-bare": CHATML.replace("assistant\\n' }}", "assistant\\n<think>' }}"),
    "always-thinks-brackets": CHATML.replace("assistant\\n' }}", "assistant\\n[THINK]' }}"),
    "always-thinks-begin": CHATML.replace(
        "assistant\\n' }}", "assistant\\n<|begin_of_thought|>\\n' }}"
    ),
    # A switch that opens the block, or closes an empty one.
    "switch": CHATML.replace(
        "assistant\\n' }}",
        "assistant\\n' + ('<think>\\n' if enable_thinking else '<think>\\n\\n</think>\\n\\n') }}",
    ),
    "other-switch": CHATML.replace(
        "assistant\\n' }}", "assistant\\n' + ('<think>' if thinking else '</think>') }}"
    ),
    "no-system": """\
{{ bos_token }}{% if messages[0].role == 'system' %}
{{ raise_exception('System role not supported') }}{% endif %}
{% for message in messages %}
{% if (message['role'] == 'user') != (loop.index0% 2 == 0) %}
{{ raise_exception('Roles must alternate user/assistant') }}
{% endif %}
{{ '<start_of_turn>' + ('model' if message.role == 'assistant' else message.role) + '\\n'
 + message.content | trim + '<end_of_turn>\\n' }}{% endfor %}
{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}""",
    "drops-system": """\
{%- for message in messages if message.role != 'system' %}
    {{- '<' + message.role + '>' + message.content + '</s>' }}
{%- endfor %}{{ '<assistant>' if add_generation_prompt }}""",
    "inst": """\
{{ bos_token }}{% for message in messages %}{% if message.role == 'system' %}
{{ raise_exception('Only user and assistant roles are supported!') }}{% elif message.role == 'user' %}
{{ '[INST] ' + message.content.strip() + ' [/INST]' }}{% else %}
{{ ' ' + message.content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}""",
    "dated": """\
{%- if not date_string is defined %}{% set date_string = strftime_now('%d %b %Y') %}{% endif %}
{{- 'Today: ' + date_string + '\\n' }}"""
    + CHATML,
    "no-header": CHATML.replace("if add_generation_prompt", "if false"),
    "draws": "{{- ['Hi', 'Hello', 'Yo', 'Hey', 'Good day'] | random + '\\n' }}" + CHATML,
}


class Jinja:
    """A tokenizer with a Jinja template, as transformers' have; a character is a token."""

    def __init__(self, template: Any) -> None:
        self.chat_template = template
        self.special_tokens_map = {"bos_token": "<bos>", "eos_token": "</s>"}

    def apply_chat_template(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("lawqa renders a Jinja template itself")

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
        assert not add_special_tokens
        return [1] if text in ("<|im_end|>", "<end_of_turn>", "</s>") else [ord(c) for c in text]

    def decode(self, token_ids: list[int]) -> str:
        return "".join(map(chr, token_ids))


@pytest.fixture(scope="session")
def styled() -> Callable[[Any], Jinja]:
    """A tokenizer with the template of this name, or with this template."""

    def made(name: Any) -> Jinja:
        return Jinja(TEMPLATES.get(name, name) if isinstance(name, str) else name)

    return made
