"""Chat templates that raise, lose what was said, print the date, draw at random or do not end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from lawqa.errors import ConfigError
from lawqa.prompting import (
    Message,
    PromptSpec,
    build_prompt,
    end_of_turn,
    prompt_thought,
    render,
    require_outside,
    spec_hash,
)
from lawqa.questions import Question
from lawqa.records import make_record
from lawqa.records.tokens import IGNORED, tokenize_record
from lawqa.templates import template_facts, template_identity
from lawqa.templates.bounded import RENDERER

pytestmark = pytest.mark.every_python

Styled = Callable[[Any], Any]
MakeQuestion = Callable[..., Question]
CHAT = (Message("system", "専門家です。"), Message("user", "期間の計算は？"))


def text_of(tokenizer: Any, *, thinking: bool = False) -> str:
    return render(CHAT, tokenizer, thinking=thinking)


# --- a system role that is not there


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "no-system",
            "<bos><start_of_turn>user\n専門家です。\n\n期間の計算は？<end_of_turn>\n<start_of_turn>model\n",
        ),
        ("drops-system", "<user>専門家です。\n\n期間の計算は？</s><assistant>"),
        ("inst", "<bos>[INST] 専門家です。\n\n期間の計算は？ [/INST]"),
    ],
)
def test_without_a_system_role_its_text_goes_before_the_first_user_turn(
    styled: Styled, name: str, expected: str
) -> None:
    assert text_of(styled(name)) == expected
    assert template_facts(styled(name)).system_moved


def test_the_examples_of_few_shot_follow_the_moved_system_text(
    styled: Styled, question: MakeQuestion
) -> None:
    prompt = build_prompt(question(), PromptSpec(few_shot=True))
    text = render(prompt.messages, styled("no-system"), thinking=False)
    assert text.startswith(f"<bos><start_of_turn>user\n{prompt.messages[0].content}\n\n【問題】")
    assert text.count(prompt.messages[0].content) == 1
    assert text.index(prompt.messages[-1].content) > text.index(
        "<start_of_turn>model\nc<end_of_turn>"
    )


@pytest.mark.parametrize("name", ["no-system", "drops-system", "inst", "dated"])
@pytest.mark.parametrize("few_shot", [False, True])
def test_training_shows_the_prompt_of_evaluation(
    styled: Styled, question: MakeQuestion, name: str, few_shot: bool
) -> None:
    tokenizer, spec = styled(name), PromptSpec(few_shot=few_shot)
    prompt = render(build_prompt(question(), spec).messages, tokenizer, thinking=False)
    record = tokenize_record(make_record(question(), spec), tokenizer, 0)
    start = record.labels.count(IGNORED)
    assert tokenizer.decode(record.input_ids[:start]) == prompt
    assert record.labels[start:] == [ord("b"), 1]


def test_a_moved_system_text_is_another_prompt_to_the_hash(styled: Styled) -> None:
    for name in ("no-system", "dated", "draws"):
        assert template_identity(styled(name)) != styled(name).chat_template
    assert template_identity(styled("chatml")) == styled("chatml").chat_template


def test_what_the_template_says_itself_is_in_the_message(styled: Styled) -> None:
    tokenizer = styled("{{ raise_exception('用途が違います') }}")
    with pytest.raises(ConfigError, match="refuses the prompt: 用途が違います"):
        text_of(tokenizer)


# --- templates that are broken


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{% for m in messages %}{{ m.content }}", "is not valid Jinja: line 1"),
        (
            "{{ messages[0].kind.name }}",
            "fails: UndefinedError: 'dict object' has no attribute 'kind'",
        ),
        ("{{ 1 / 0 }}", "fails: ZeroDivisionError"),
        ("{{ messages | nosuchfilter }}", "No filter named 'nosuchfilter'"),
        ("{{ ''.__class__.__mro__ }}", "the sandbox refuses it"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "it calls itself without end"),
        ("{% include 'other' %}", "fails: TypeError: no loader"),
    ],
)
def test_a_broken_template_is_a_message(styled: Styled, template: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        text_of(styled(template))
    assert message in caught.value.message
    assert "chat_template.jinja" in caught.value.hint


@pytest.mark.parametrize(
    "template",
    [
        "<assistant>",
        "{% for m in messages %}{{ m.role }}{% endfor %}",
        "{% for m in messages %}{% for part in m.content %}{{ part.text }}{% endfor %}{% endfor %}",
        "{{ messages[0].content }}{{ messages[1].content[:4] }}",
    ],
)
def test_a_template_that_loses_the_question_is_an_error(styled: Styled, template: str) -> None:
    with pytest.raises(ConfigError, match=r"does not show the question as it is.*期間の計算"):
        text_of(styled(template))


def test_of_several_templates_the_default_one_is_taken(styled: Styled) -> None:
    both = styled({"default": styled("chatml").chat_template, "tool_use": "{{ 1 / 0 }}"})
    assert text_of(both) == text_of(styled("chatml"))


def test_several_templates_without_a_default_one_are_named(styled: Styled) -> None:
    with pytest.raises(
        ConfigError, match="several chat templates, rag, tool_use, and none is named"
    ):
        text_of(styled({"tool_use": "x", "rag": "y"}))


# --- bounds


@pytest.mark.slow
@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
            "within 1 s",
        ),
        ("{{ 10 ** (10 ** 10) }}", "within 1 s"),
    ],
)
def test_a_template_without_end_is_ended(
    styled: Styled, monkeypatch: pytest.MonkeyPatch, template: str, message: str
) -> None:
    RENDERER.close()  # it was started with the real bound
    monkeypatch.setattr("lawqa.templates.bounded.CPU_SECONDS", 1.0)
    began = time.monotonic()
    with pytest.raises(ConfigError, match=message):
        text_of(styled(template))
    assert time.monotonic() - began < 60
    assert text_of(styled("chatml"))
    RENDERER.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ 'x' * 10 ** 10 }}", "more than 512 MiB"),
        ("{{ 'x' | center(10 ** 10) }}", "more than 512 MiB"),
        ("{{ '%10000000000d' % 1 }}", "more than 512 MiB"),
        ("{{ '{:>10000000000}'.format(1) }}", "more than 512 MiB"),
        (
            "{% set ns = namespace(x='x') %}{% for i in range(40) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}"
            "{{ ns.x }}",
            "more than 512 MiB",
        ),
        ("{{ 'x' * 10 ** 7 }}", "more than 1,000,104 characters"),
        ("{% for i in range(99999) %}{{ 'x' * 99 }}{% endfor %}", "more than 1,000,104 characters"),
    ],
)
def test_a_template_that_writes_without_measure_is_ended(
    styled: Styled, template: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        text_of(styled(template))
    assert text_of(styled("chatml")) == text_of(styled("chatml"))


def test_the_renderer_starts_again_after_it_was_killed(styled: Styled) -> None:
    before = text_of(styled("chatml"))
    process = RENDERER._process
    assert process is not None
    process.kill()
    process.wait()
    assert text_of(styled("chatml")) == before
    assert RENDERER._process is not None
    assert RENDERER._process.pid != process.pid


def test_any_character_comes_back(styled: Styled) -> None:
    odd = "\ud800\x00\u2028\x85\r\n\U0001f600{{ 1 }}{% raw %}"
    assert odd in render((Message("user", odd),), styled("chatml"), thinking=False)


# --- the same prompt on every day


def test_every_day_has_the_same_prompt(styled: Styled) -> None:
    assert text_of(styled("dated")).startswith("Today: 26 Jul 2024\n")
    facts = template_facts(styled("dated"))
    assert facts.dated
    assert facts.to_json()["date"] == "2024-07-26"
    assert not template_facts(styled("chatml")).dated


def test_what_is_drawn_is_drawn_alike(styled: Styled) -> None:
    first = text_of(styled("draws"))
    RENDERER.close()  # another process, another day
    assert {text_of(styled("draws")) for _ in range(3)} == {first}
    assert template_facts(styled("draws")).random


def test_a_template_that_prints_an_object_is_refused(styled: Styled) -> None:
    with pytest.raises(ConfigError, match="prints a Python object, <generator object"):
        text_of(styled(styled("chatml").chat_template + "{{ messages | map('upper') }}"))


def test_a_template_that_writes_half_a_character_is_refused(styled: Styled) -> None:
    with pytest.raises(ConfigError, match="a lone surrogate"):
        text_of(styled(styled("chatml").chat_template + r"{{ '\ud83d' }}"))


def test_a_template_longer_than_any_is_refused(styled: Styled) -> None:
    with pytest.raises(ConfigError, match="characters long, expected at most 1,000,000"):
        text_of(styled(styled("chatml").chat_template + "{# " + "-" * 1_000_000 + " #}"))


def test_a_question_may_quote_an_object(styled: Styled) -> None:
    quoted = (Message("user", "<object at 0x7f0123456789>とは？"),)
    assert quoted[0].content in render(quoted, styled("chatml"), thinking=False)


def test_python_names_of_templates_are_there(styled: Styled) -> None:
    tokenizer = styled(
        "{% for i in range(messages | length) %}{{ messages[i].content }}{% if i %}{% break %}{% endif %}"
        "{% endfor %}{% generation %}{{ {'a': '法'} | tojson }}{% endgeneration %}{{ dict(a=1).a }}"
    )
    assert text_of(tokenizer) == '専門家です。期間の計算は？{"a": "法"}1'


# --- prompts that end inside an open think block


@pytest.mark.parametrize(
    ("name", "opening"),
    [
        ("always-thinks", "<think>"),
        ("always-thinks-bare", "<think>"),
        ("always-thinks-brackets", "[THINK]"),
        ("always-thinks-begin", "<|begin_of_thought|>"),
    ],
)
def test_an_open_think_block_is_seen_in_the_text(styled: Styled, name: str, opening: str) -> None:
    for thinking in (False, True):
        thought = prompt_thought(text_of(styled(name), thinking=thinking))
        assert thought is not None
        assert thought.opening == opening
    with pytest.raises(ConfigError, match="inside an open think block") as caught:
        require_outside(thought)
    assert "--thinking --answer-by generate" in caught.value.hint
    assert template_facts(styled(name)).opens_thought == opening


@pytest.mark.parametrize("name", ["switch", "other-switch"])
def test_a_switch_decides_whether_the_block_is_open(styled: Styled, name: str) -> None:
    assert prompt_thought(text_of(styled(name), thinking=True)) is not None
    assert prompt_thought(text_of(styled(name), thinking=False)) is None


def test_a_mark_in_the_question_opens_nothing(styled: Styled, question: MakeQuestion) -> None:
    asked = question(text="<think>とは何ですか。", context="[THINK]")
    prompt = build_prompt(asked, PromptSpec(condition="gold"))
    assert prompt_thought(render(prompt.messages, styled("chatml"), thinking=False)) is None


@pytest.mark.parametrize(
    ("name", "prompt_end", "answer"),
    [
        ("always-thinks", "<think>\n", "第140条。\n</think>\n\nb"),
        ("always-thinks-bare", "<think>", "\n第140条。\n</think>\n\nb"),
        ("always-thinks-brackets", "[THINK]", "\n第140条。\n[/THINK]\n\nb"),
        (
            "always-thinks-begin",
            "<|begin_of_thought|>\n",
            "第140条。\n<|end_of_thought|>\n\n<|begin_of_solution|>\n\nb",
        ),
        ("switch", "<think>\n", "第140条。\n</think>\n\nb"),
    ],
)
def test_a_thinking_record_does_not_open_the_block_twice(
    styled: Styled, question: MakeQuestion, name: str, prompt_end: str, answer: str
) -> None:
    record = make_record(question(), PromptSpec(thinking=True), reasoning="第140条。")
    tokenized = tokenize_record(record, styled(name), 0)
    start = tokenized.labels.count(IGNORED)
    text = styled(name).decode(tokenized.input_ids[:start])
    assert text.endswith(prompt_end)
    assert styled(name).decode(tokenized.input_ids[start:-1]) == answer


@pytest.mark.parametrize("mode", ["direct", "cot"])
def test_a_record_without_thinking_is_not_trained_inside_a_think_block(
    styled: Styled, question: MakeQuestion, mode: Any
) -> None:
    record = make_record(question(), PromptSpec(mode), reasoning="第140条。")
    with pytest.raises(ConfigError, match="would teach the answer as a thought") as caught:
        tokenize_record(record, styled("always-thinks"), 0)
    assert "lawqa distill --thinking" in caught.value.hint


# --- ends of turns


@pytest.mark.parametrize(
    ("name", "end"),
    [("no-system", "<end_of_turn>"), ("inst", "</s>"), ("always-thinks", "<|im_end|>")],
)
def test_the_end_of_a_turn_is_the_templates_own(styled: Styled, name: str, end: str) -> None:
    assert end_of_turn(styled(name)) == end


def test_the_renderer_gets_no_ctrl_c(styled: Styled) -> None:
    text_of(styled("chatml"))
    assert RENDERER._process is not None
    assert os.getsid(RENDERER._process.pid) != os.getsid(0)


def test_hashes_of_plain_templates_are_those_of_their_source(styled: Styled) -> None:
    spec = PromptSpec()
    plain = styled("chatml")
    assert spec_hash(spec, template_identity(plain)) == spec_hash(spec, plain.chat_template)


# --- where the answer's turn begins


def test_a_template_that_ignores_add_generation_prompt_is_refused(styled: Styled) -> None:
    with pytest.raises(ConfigError, match="ignores add_generation_prompt") as caught:
        text_of(styled("no-header"))
    assert "'<|im_start|>assistant\\n'" in caught.value.message
    assert "{% if add_generation_prompt %}" in caught.value.hint


def test_one_whose_prompts_end_where_the_answer_begins_may_ignore_it(styled: Styled) -> None:
    assert text_of(styled("inst")).endswith(" [/INST]")
