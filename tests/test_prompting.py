from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawqa import prompting
from lawqa.answers import parse
from lawqa.choices import FINAL_ANSWER_CUE, LABELS, label_of
from lawqa.errors import ConfigError
from lawqa.prompting import (
    ALL_SPECS,
    ChatTokenizer,
    Condition,
    Message,
    Mode,
    Prompt,
    PromptSpec,
    answer_text,
    build_prompt,
    context_span,
    end_of_turn,
    render,
    spec_hash,
)
from lawqa.prompts import wording_of
from lawqa.questions import Question, read_questions

pytestmark = pytest.mark.every_python

MakeQuestion = Callable[..., Question]
MakeTokenizer = Callable[..., ChatTokenizer]
RETRIEVED = "## 年齢計算ニ関スル法律\n#### 第1項\n年齢ハ出生ノ日ヨリ之ヲ起算ス"
EMPTY_THINK_BLOCK = "<think>\n\n</think>\n\n"

each_spec = pytest.mark.parametrize("spec", ALL_SPECS, ids=lambda spec: spec.id)


def prompt_of(question: Question, spec: PromptSpec) -> Prompt:
    return build_prompt(question, spec, retrieved=RETRIEVED if spec.condition == "rag" else "")


def asked(prompt: Prompt) -> str:
    """The user's last turn: the question itself."""
    return prompt.messages[-1].content


# --- specs


def test_there_is_a_spec_for_every_combination() -> None:
    assert len(ALL_SPECS) == len(set(ALL_SPECS)) == 24


def test_spec_ids_are_distinct_and_lead_back_to_their_spec() -> None:
    assert len({spec.id for spec in ALL_SPECS}) == 24
    assert [PromptSpec.from_id(spec.id) for spec in ALL_SPECS] == list(ALL_SPECS)


@pytest.mark.parametrize(
    ("spec", "spec_id"),
    [
        (PromptSpec(), "direct-closed-v1"),
        (PromptSpec("cot", "gold"), "cot-gold-v1"),
        (PromptSpec("direct", "rag", few_shot=True), "direct-rag-fewshot-v1"),
        (PromptSpec("cot", "gold", thinking=True, few_shot=True), "cot-gold-thinking-fewshot-v1"),
    ],
)
def test_spec_ids_are_the_documented_ones(spec: PromptSpec, spec_id: str) -> None:
    assert spec.id == spec_id


def test_an_unknown_spec_id_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="'direct-closed-v9' is not known") as caught:
        PromptSpec.from_id("direct-closed-v9")
    assert all(spec.id in caught.value.hint for spec in ALL_SPECS)


# --- hashes


def test_every_spec_and_chat_template_has_its_own_hash() -> None:
    hashes = {spec_hash(spec, template) for spec in ALL_SPECS for template in ("", "x", "y")}
    assert len(hashes) == 24 * 3


@pytest.mark.parametrize(
    ("name", "wording"),
    [
        ("wording_of", lambda _: replace(wording_of("standard"), system="別の役割です。")),
        ("wording_of", lambda _: wording_of("provisions")),
        ("_FEW_SHOT", ()),
        ("choices_text", "/".join),
        ("VERSION", 2),
    ],
)
@pytest.mark.parametrize("mode", ["direct", "cot"])
def test_the_hash_sees_every_change_of_wording(
    monkeypatch: pytest.MonkeyPatch, mode: Mode, name: str, wording: object
) -> None:
    spec = PromptSpec(mode, few_shot=True)
    before = spec_hash(spec, "template")
    monkeypatch.setattr(prompting, name, wording)
    assert spec_hash(spec, "template") != before


def test_the_hashes_are_the_recorded_ones(check_golden: Callable[[str, str], None]) -> None:
    lines = [f"{spec.id} {spec_hash(spec, 'template')}\n" for spec in ALL_SPECS]
    check_golden("prompt_hashes.txt", "".join(lines))


# --- messages


@each_spec
def test_nothing_in_the_asking_words_could_pass_for_an_answer(
    question: MakeQuestion, spec: PromptSpec
) -> None:
    plain = question(text="問", context="文", choices=("甲", "乙", "丙", "丁"))
    prompt = build_prompt(plain, spec, retrieved="文")
    shown = "a 甲\nb 乙\nc 丙\nd 丁"
    assert asked(prompt).count(shown) == 1
    words = prompt.messages[0].content + asked(prompt).replace(shown, "")
    assert [char for char in words if label_of(char)] == []
    assert not any(char.isdigit() for char in words)
    assert parse(words).label is None


@each_spec
def test_the_question_stands_word_for_word_and_last(
    question: MakeQuestion, spec: PromptSpec
) -> None:
    prompt = prompt_of(question(), spec)
    assert [message.role for message in (prompt.messages[0], prompt.messages[-1])] == [
        "system",
        "user",
    ]
    assert f"\n{question().text}\n" in asked(prompt)
    choices = "a 初日を算入する\nb 初日を算入しない\nc 月の日数による\nd 年の日数による"
    assert f"\n{choices}\n" in asked(prompt)


@each_spec
def test_the_prompt_is_the_same_whatever_the_right_answer_is(
    question: MakeQuestion, spec: PromptSpec
) -> None:
    assert len({prompt_of(question(gold=label), spec) for label in LABELS}) == 1


@pytest.mark.parametrize("few_shot", [False, True])
@pytest.mark.parametrize(
    ("condition", "retrieved", "shown"),
    [
        ("gold", "", "## 民法\n### 第140条\n期間の初日は、算入しない。"),
        ("rag", RETRIEVED, RETRIEVED),
    ],
)
def test_the_context_comes_first(
    question: MakeQuestion, condition: Condition, retrieved: str, shown: str, few_shot: bool
) -> None:
    prompt = build_prompt(
        question(), PromptSpec(condition=condition, few_shot=few_shot), retrieved=retrieved
    )
    assert asked(prompt).startswith(f"【参考条文】\n{shown}\n\n【問題】\n{question().text}\n")


def test_retrieved_context_replaces_the_data_sets_own(question: MakeQuestion) -> None:
    prompt = build_prompt(question(), PromptSpec(condition="rag"), retrieved=RETRIEVED)
    assert question().context not in asked(prompt)


@pytest.mark.parametrize("few_shot", [False, True])
@pytest.mark.parametrize("mode", ["direct", "cot"])
def test_closed_shows_no_context_at_all(question: MakeQuestion, mode: Mode, few_shot: bool) -> None:
    prompt = build_prompt(question(), PromptSpec(mode, few_shot=few_shot), retrieved=RETRIEVED)
    text = "\n".join(message.content for message in prompt.messages)
    assert "【参考条文】" not in text
    assert question().context not in text
    assert RETRIEVED not in text


@pytest.mark.parametrize("thought", ["", EMPTY_THINK_BLOCK])
@each_spec
def test_the_context_is_found_in_what_was_sent(
    question: MakeQuestion, spec: PromptSpec, thought: str
) -> None:
    prompt = prompt_of(question(text="【参考条文】\nのうち、正しいものはどれですか。"), spec)
    sent = "\n\n".join(f"{turn.role}: {turn.content}" for turn in prompt.messages) + thought
    span = context_span(sent)
    shown = {"closed": None, "gold": question().context, "rag": RETRIEVED}[spec.condition]
    assert (sent[slice(*span)] if span else None) == shown


@pytest.mark.parametrize("condition", ["gold", "rag"])
@pytest.mark.parametrize("nothing", ["", " \n"])
def test_a_condition_without_its_context_is_an_error(
    question: MakeQuestion, condition: Condition, nothing: str
) -> None:
    asking = question(context=nothing if condition == "gold" else "文")
    with pytest.raises(
        ConfigError, match=f"民法_1#1: has no context for the condition {condition}"
    ):
        build_prompt(asking, PromptSpec(condition=condition), retrieved=nothing)


def test_a_prompt_is_named_by_question_and_order(question: MakeQuestion) -> None:
    prompt = build_prompt(question(order=3), PromptSpec())
    assert (prompt.question_id, prompt.order, prompt.key) == ("民法_1", 3, "民法_1#3")


# --- few-shot examples


@each_spec
def test_examples_are_chat_turns_before_the_question(
    question: MakeQuestion, spec: PromptSpec
) -> None:
    roles = [message.role for message in prompt_of(question(), spec).messages]
    examples = ["user", "assistant"] * 2 if spec.few_shot else []
    assert roles == ["system", *examples, "user"]


@pytest.mark.parametrize("condition", ["closed", "gold", "rag"])
@pytest.mark.parametrize("mode", ["direct", "cot"])
def test_examples_are_put_like_the_question_and_answered_rightly(
    question: MakeQuestion, mode: Mode, condition: Condition
) -> None:
    prompt = prompt_of(question(), PromptSpec(mode, condition, few_shot=True))
    right = ("元号は、皇位の継承があった場合に限り改める", "国旗は、都道府県ごとに定める")
    for turn, choice in zip((1, 3), right, strict=True):
        example, answer = prompt.messages[turn].content, prompt.messages[turn + 1].content
        label = parse(answer).label
        assert f"\n{label} {choice}\n" in example
        assert ("【参考条文】" in example) == (condition != "closed")
        assert example.split("【解答方法】")[1] == asked(prompt).split("【解答方法】")[1]
        if mode == "direct":
            assert answer == label
        else:
            assert answer.split("\n")[-1] == f"{FINAL_ANSWER_CUE}{label}"
            assert len(answer.split("\n")) == 2


def test_examples_come_from_no_data_set(
    embedded_questions: tuple[Question, ...], question: MakeQuestion
) -> None:
    assert [q.id for q in embedded_questions if shares_an_example(q, question)] == []


def test_examples_do_not_come_from_lawqa_jp(shared_data: Path, question: MakeQuestion) -> None:
    questions = read_questions(shared_data / "lawqa_jp" / "selection.json")
    assert [q.id for q in questions if shares_an_example(q, question)] == []


def shares_an_example(asking: Question, question: MakeQuestion) -> bool:
    prompt = build_prompt(question(), PromptSpec(few_shot=True))
    examples = prompt.messages[1].content + prompt.messages[3].content
    laws = ("元号法", "国旗及び国歌に関する法律")
    assert all(law in examples for law in laws)
    return asking.text in examples or any(law in asking.context + asking.text for law in laws)


# --- answers


def test_a_direct_answer_is_the_bare_label() -> None:
    assert answer_text("c", PromptSpec()) == "c"


def test_a_reasoned_answer_ends_with_the_line_that_the_prompt_asks_for(
    question: MakeQuestion,
) -> None:
    answer = answer_text("c", PromptSpec("cot"), "第140条による。")
    assert answer == f"第140条による。\n{FINAL_ANSWER_CUE}c"
    assert f"「{FINAL_ANSWER_CUE}」" in asked(build_prompt(question(), PromptSpec("cot")))


# --- rendering


def rendered(
    question: Question, tokenizer: ChatTokenizer, *, thinking: bool, spec: PromptSpec | None = None
) -> str:
    spec = replace(spec or PromptSpec(), thinking=thinking)
    return render(prompt_of(question, spec).messages, tokenizer, thinking=thinking)


def test_thinking_off_closes_an_empty_think_block(
    question: MakeQuestion, byte_tokenizer: MakeTokenizer
) -> None:
    text = rendered(question(), byte_tokenizer(), thinking=False)
    assert text.endswith(f"<|im_end|>\n<|im_start|>assistant\n{EMPTY_THINK_BLOCK}")


def test_thinking_on_leaves_the_answer_open(
    question: MakeQuestion, byte_tokenizer: MakeTokenizer
) -> None:
    text = rendered(question(), byte_tokenizer(), thinking=True)
    assert text.endswith("<|im_end|>\n<|im_start|>assistant\n")


def test_a_template_without_the_switch_renders_with_thinking_off(
    question: MakeQuestion, byte_tokenizer: MakeTokenizer
) -> None:
    text = rendered(question(), byte_tokenizer(thinking_switch=False), thinking=False)
    assert text.endswith("<|im_end|>\n<|im_start|>assistant\n")


def test_thinking_of_a_template_without_the_switch_is_an_error(
    question: MakeQuestion, byte_tokenizer: MakeTokenizer
) -> None:
    with pytest.raises(ConfigError, match="has no thinking switch") as caught:
        rendered(question(), byte_tokenizer(thinking_switch=False), thinking=True)
    assert "--thinking" in caught.value.hint


@pytest.mark.parametrize("template", [None, ""])
def test_a_tokenizer_without_chat_template_is_an_error(
    question: MakeQuestion, byte_tokenizer: MakeTokenizer, template: str | None
) -> None:
    with pytest.raises(ConfigError, match="has no chat template"):
        rendered(question(), byte_tokenizer(chat_template=template), thinking=False)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_rendering_keeps_every_message_in_its_place(
    byte_tokenizer: MakeTokenizer, contents: list[str]
) -> None:
    messages = [Message("user", content) for content in contents]
    turns = "".join(f"<|im_start|>user\n{content}<|im_end|>\n" for content in contents)
    text = render(messages, byte_tokenizer(), thinking=False)
    assert text == f"{turns}<|im_start|>assistant\n{EMPTY_THINK_BLOCK}"


@pytest.mark.parametrize("end_mark", ["<|im_end|>", "</s>"])
def test_the_end_of_a_turn_is_what_the_template_writes(
    byte_tokenizer: MakeTokenizer, end_mark: str
) -> None:
    assert end_of_turn(byte_tokenizer(end_mark=end_mark)) == end_mark


def test_a_template_that_does_not_end_an_answer_is_an_error(byte_tokenizer: MakeTokenizer) -> None:
    with pytest.raises(ConfigError, match="does not mark the end of an answer"):
        end_of_turn(byte_tokenizer(end_mark=""))


# --- every prompt, byte for byte


@each_spec
def test_the_prompt_is_the_recorded_one(
    question: MakeQuestion,
    byte_tokenizer: MakeTokenizer,
    check_golden: Callable[[str, str], None],
    spec: PromptSpec,
) -> None:
    text = rendered(question(), byte_tokenizer(), thinking=spec.thinking, spec=spec)
    check_golden(f"prompts/{spec.id}.txt", text)


def test_there_is_a_recorded_prompt_for_every_spec_and_no_other(checkout: Path) -> None:
    recorded = {path.stem for path in (checkout / "tests" / "golden" / "prompts").iterdir()}
    assert recorded == {spec.id for spec in ALL_SPECS}


def test_with_thinking_the_reasoning_stands_in_the_think_block() -> None:
    spec = PromptSpec("direct", thinking=True)
    assert answer_text("c", spec, "第140条による。") == "<think>\n第140条による。\n</think>\n\nc"
