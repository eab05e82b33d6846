"""Thinking is left out in the marks of every family; what closes a turn is no part of the answer."""

from __future__ import annotations

import pytest

from lawqa.answers import parse
from lawqa.thinking import FAMILIES, ThinkMarks

pytestmark = pytest.mark.every_python

IDS = [marks.opening for marks in FAMILIES]
THOUGHT = "回答: a とも思えるが、Answer: d かもしれない。"


@pytest.mark.parametrize("marks", FAMILIES, ids=IDS)
@pytest.mark.parametrize("space", ["", "\n", "\n\n"])
def test_what_a_family_thinks_is_not_its_answer(marks: ThinkMarks, space: str) -> None:
    thought = f"{marks.opening}{space}{THOUGHT}{space}{marks.closing}{marks.reply}"
    for reply in ("回答: c", "c", "正しいのは c です。"):
        assert parse(thought + reply).label == "c"


@pytest.mark.parametrize("marks", FAMILIES, ids=IDS)
def test_a_thought_that_never_ends_is_truncated(marks: ThinkMarks) -> None:
    for before in ("", "\n", "回答を考えます。\n"):
        parsed = parse(f"{before}{marks.opening}\n{THOUGHT}")
        assert (parsed.label, parsed.status, parsed.rule) == (None, "truncated", "unclosed-think")


@pytest.mark.parametrize("marks", FAMILIES, ids=IDS)
def test_a_thought_that_the_prompt_opened_is_closed_by_the_text(marks: ThinkMarks) -> None:
    closed = f"{THOUGHT}\n{marks.closing}{marks.reply}b"
    assert parse(closed, in_thought=True).label == "b"
    assert parse(THOUGHT, in_thought=True).rule == "unclosed-think"


CHANNELS = (
    "<|channel|>analysis<|message|>Maybe a.<|end|><|start|>assistant<|channel|>final<|message|>c<|return|>",
    "<|channel|>analysis<|message|>Maybe a.<|end|><|start|>assistant<|channel|>commentary<|message|>"
    "Looking it up: b<|end|><|start|>assistant<|channel|>final<|message|>回答: c",
    '<|channel|>commentary to=functions.search <|constrain|>json<|message|>{"answer": "a"}<|call|>'
    "<|start|>assistant<|channel|>final<|message|>**c**<|end|>",
    "<|start|>assistant<|channel|>analysis<|message|>Answer: a<|end|>\n"
    "<|start|>assistant<|channel|>final <|constrain|>answer<|message|>c",
    "Answer: a<|end|><|start|>assistant<|channel|>final<|message|>c",
    "analysisWe need to choose. Answer: a.assistantfinalc",
    "analysis選択肢aが正しそうだ。assistantfinal正解は c です。",
)


@pytest.mark.parametrize("text", CHANNELS)
def test_only_the_final_channel_is_read(text: str) -> None:
    assert parse(text).label == "c"


@pytest.mark.parametrize(
    "text",
    [
        "<|channel|>analysis<|message|>The answer is a.",
        "<|channel|>analysis<|message|>The answer is a.<|end|><|start|>assistant<|channel|>comment",
        "analysisThe answer is a.",
    ],
)
def test_without_a_final_channel_there_is_no_answer(text: str) -> None:
    assert parse(text).label is None


def test_the_word_analysis_is_not_a_channel() -> None:
    assert parse("analysis: a is wrong. Answer: b").label == "b"
    assert parse("Analysis\nThe answer is b.").label == "b"


NAMED = (
    "このモデルは <think> タグを使います。回答: b",
    "<think> タグは使いません。回答: b",
    "「<think>」と「</think>」の間で考えるよう求められています。回答: b",
    "思考は <think> と </think> で囲みます。\n回答: b",
    "I use <think> tags to reason. Answer: b",
    "Reasoning goes between <think> and </think> tags.\nAnswer: b",
    "Answer: b\n(The `</think>` tag closes the reasoning.)",
    "[THINK] tokens are not used here. Answer: b",
)


@pytest.mark.parametrize("text", NAMED)
def test_a_mark_named_in_prose_is_not_a_thought(text: str) -> None:
    assert parse(text).label == "b"


END_MARKS = (
    *(
        "<|END_RESPONSE|>",
        "<eoa>",
        "<|im_end|>",
        "<|eot_id|>",
        "<|return|>",
        "<end_of_turn>",
        "</s>",
    ),
    *(
        "<|endoftext|>",
        "<|end_of_text|>",
        "<|end|>",
        "<｜end▁of▁sentence｜>",
        "<|user|>",
        "[/INST]",
    ),
)


@pytest.mark.parametrize("mark", END_MARKS)
@pytest.mark.parametrize("said", ["c", "回答: c", "Answer: **c**", "正解は c です。", "(c)"])
def test_the_mark_that_ends_a_turn_is_no_part_of_the_answer(mark: str, said: str) -> None:
    for text in (said + mark, f"{said}\n{mark}", f"{said}{mark}\n回答: a", f"{said}{mark}{mark}"):
        assert parse(text).label == "c", text


@pytest.mark.parametrize(
    "start",
    [
        "<|im_start|>assistant\n",
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
        "<start_of_turn>model\n",
        "<|assistant|>\n",
        "<|START_RESPONSE|>",
        "<s>",
        "[/INST] ",
        "<｜Assistant｜>",
    ],
)
def test_the_mark_that_begins_a_turn_is_no_part_of_the_answer(start: str) -> None:
    for said in ("c", "回答: c", "正解は c です。<|im_end|>"):
        assert parse(start + said).label == "c"


def test_a_mark_named_in_prose_does_not_end_the_turn() -> None:
    assert parse("回答は <eoa> の前に書きます。\n回答: c").label == "c"
    assert parse("「<|im_end|>」は書きません。\n回答: c").label == "c"
