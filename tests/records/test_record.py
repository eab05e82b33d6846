"""A record is the prompt of evaluation and the answer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawqa.choices import FINAL_ANSWER_CUE, LABELS, Label
from lawqa.errors import ConfigError, DataError
from lawqa.prompting import ChatTokenizer, PromptSpec, build_prompt, render, spec_hash
from lawqa.questions import Question, fingerprint
from lawqa.records import (
    IGNORED,
    TokenizedRecord,
    TrainingRecord,
    load_records,
    make_question_records,
    make_record,
    masked_text,
    reading_record,
    shortened_note,
    tokenize_record,
    tokenize_records,
    write_records,
)

pytestmark = pytest.mark.every_python

MakeQuestion = Callable[..., Question]
MakeTokenizer = Callable[..., ChatTokenizer]
END_OF_TURN = 257
FAR_OFF = 1_000_000
TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)


def ids(text: str, tokenizer: ChatTokenizer) -> list[int]:
    return tokenizer.encode(text, add_special_tokens=False)


class MergesNewlineAndLetter:
    """A byte tokenizer in which a newline and a letter after it are one token."""

    def __init__(self, inner: ChatTokenizer) -> None:
        self._inner = inner
        self.chat_template = inner.chat_template
        self.apply_chat_template = inner.apply_chat_template
        self.decode = inner.decode

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
        merged: list[int] = []
        for token in self._inner.encode(text, add_special_tokens=add_special_tokens):
            if merged and merged[-1] == ord("\n") and chr(token).isalpha():
                merged[-1] = 1000 + token
            else:
                merged.append(token)
        return merged


# --- making records


def test_a_record_holds_the_prompt_of_evaluation_and_the_answer(question: MakeQuestion) -> None:
    spec = PromptSpec(condition="gold", few_shot=True)
    asked = question(order=2)
    assert make_record(asked, spec) == TrainingRecord(
        messages=build_prompt(asked, spec).messages,
        answer="b",
        question_id="民法_1",
        order=2,
        origin=asked,
        prompt_spec="direct-gold-fewshot-v1",
        prompt_hash=spec_hash(spec, ""),
        fingerprint=fingerprint(asked),
        source="question",
    )


def test_a_reasoned_record_teaches_the_reasoning_given(question: MakeQuestion) -> None:
    record = make_record(question(), PromptSpec("cot"), reasoning="第140条による。")
    assert record.answer == f"第140条による。\n{FINAL_ANSWER_CUE}b"


@pytest.mark.parametrize("reasoning", ["", " \n"])
def test_a_reasoned_record_without_reasoning_names_what_makes_it(
    question: MakeQuestion, reasoning: str
) -> None:
    with pytest.raises(ConfigError, match="民法_1#1: a cot-closed-v1 record needs") as caught:
        make_record(question(), PromptSpec("cot"), reasoning=reasoning)
    assert caught.value.hint.startswith("lawqa distill ")


def test_a_record_with_thinking_is_not_made_up(question: MakeQuestion) -> None:
    with pytest.raises(ConfigError, match="direct-closed-thinking-v1 record needs"):
        make_record(question(), PromptSpec(thinking=True))


# --- token ids and labels


@pytest.mark.parametrize("few_shot", [False, True])
@pytest.mark.parametrize("thinking_switch", [False, True])
def test_loss_falls_on_the_answer_and_the_end_token_and_on_nothing_else(
    question: MakeQuestion, byte_tokenizer: MakeTokenizer, thinking_switch: bool, few_shot: bool
) -> None:
    tokenizer = byte_tokenizer(thinking_switch=thinking_switch)
    spec = PromptSpec(condition="gold", few_shot=few_shot)
    evaluated = render(build_prompt(question(), spec).messages, tokenizer, thinking=False)
    prompt_ids = ids(evaluated, tokenizer)

    record = tokenize_record(make_record(question(), spec), tokenizer, FAR_OFF)

    assert record.input_ids == [*prompt_ids, ord("b"), END_OF_TURN]
    assert record.labels == [IGNORED] * len(prompt_ids) + [ord("b"), END_OF_TURN]
    assert record.answer_tokens == 2
    assert record.labels[0] == -100, "what PyTorch's cross entropy leaves out by itself"
    assert record.key == "民法_1#1"


def test_the_empty_think_block_belongs_to_the_prompt(
    question: MakeQuestion, byte_tokenizer: MakeTokenizer
) -> None:
    tokenizer = byte_tokenizer()
    record = tokenize_record(make_record(question(), PromptSpec()), tokenizer, FAR_OFF)
    think_block = ids("<think>\n\n</think>\n\n", tokenizer)
    assert record.input_ids[-len(think_block) - 2 : -2] == think_block
    assert record.labels[-len(think_block) - 2 : -2] == [IGNORED] * len(think_block)


def test_reasoning_in_the_think_block_is_learnt(
    question: MakeQuestion, byte_tokenizer: MakeTokenizer
) -> None:
    tokenizer = byte_tokenizer()
    record = make_record(question(), PromptSpec(thinking=True), reasoning="第140条による。")
    assert record.thinking is True
    assert make_record(question(), PromptSpec()).thinking is False
    tokenized = tokenize_record(record, tokenizer, FAR_OFF)
    learnt = [token for token in tokenized.labels if token != IGNORED]
    assert tokenizer.decode(learnt) == "<think>\n第140条による。\n</think>\n\nb<|im_end|>"


@given(
    text=TEXT,
    context=st.just("") | TEXT,
    choices=st.tuples(TEXT, TEXT, TEXT, TEXT),
    gold=st.sampled_from(LABELS),
    reasoning=TEXT.filter(str.strip),
)
def test_no_prompt_carries_loss_whatever_the_question_says(
    question: MakeQuestion,
    byte_tokenizer: MakeTokenizer,
    text: str,
    context: str,
    choices: tuple[str, str, str, str],
    gold: Label,
    reasoning: str,
) -> None:
    tokenizer = byte_tokenizer()
    asked = question(text=text, context=context, choices=choices, gold=gold)
    spec = PromptSpec("cot", "gold" if context.strip() else "closed")
    prompt = ids(render(build_prompt(asked, spec).messages, tokenizer, thinking=False), tokenizer)
    learnt = [*ids(f"{reasoning}\n{FINAL_ANSWER_CUE}{gold}", tokenizer), END_OF_TURN]

    record = tokenize_record(make_record(asked, spec, reasoning=reasoning), tokenizer, FAR_OFF)

    assert record.input_ids == prompt + learnt
    assert record.labels == [IGNORED] * len(prompt) + learnt


def test_a_record_that_just_fits_is_whole_and_one_token_less_is_an_error(
    question: MakeQuestion, byte_tokenizer: MakeTokenizer
) -> None:
    tokenizer, made = byte_tokenizer(), make_record(question(), PromptSpec())
    length = len(tokenize_record(made, tokenizer, FAR_OFF).input_ids)
    assert len(tokenize_record(made, tokenizer, length).input_ids) == length
    with pytest.raises(DataError) as caught:
        tokenize_record(made, tokenizer, length - 1)
    assert caught.value.message == (
        f"民法_1#1: {length} tokens, more than --max-seq-length {length - 1}"
    )
    assert caught.value.hint.startswith(f"--max-seq-length {length} ")


@pytest.mark.parametrize("answer", ["b", "because"])
def test_tokens_that_merge_across_the_border_are_an_error(
    question: MakeQuestion, byte_tokenizer: MakeTokenizer, answer: str
) -> None:
    tokenizer = MergesNewlineAndLetter(byte_tokenizer())
    record = replace(make_record(question(), PromptSpec()), answer=answer)
    with pytest.raises(DataError, match="民法_1#1: the prompt's tokens are not a prefix"):
        tokenize_record(record, tokenizer, FAR_OFF)


@pytest.mark.parametrize("answer", ["", " \n"])
def test_an_empty_answer_is_an_error(
    question: MakeQuestion, byte_tokenizer: MakeTokenizer, answer: str
) -> None:
    record = replace(make_record(question(), PromptSpec()), answer=answer)
    with pytest.raises(DataError, match="民法_1#1: the answer is empty"):
        tokenize_record(record, byte_tokenizer(), FAR_OFF)


def test_an_end_of_turn_of_several_tokens_is_an_error(
    question: MakeQuestion, byte_tokenizer: MakeTokenizer
) -> None:
    with pytest.raises(DataError, match="the end of a turn is 4 tokens, expected one"):
        tokenize_record(
            make_record(question(), PromptSpec()), byte_tokenizer(end_mark="</s>"), FAR_OFF
        )


def test_all_records_that_cannot_be_trained_on_are_named(
    question: MakeQuestion, byte_tokenizer: MakeTokenizer
) -> None:
    texts = ["短い。"] * 2 + ["長" * 1000] * 23
    made = [
        make_record(question(id=f"民法_{number}", text=text), PromptSpec())
        for number, text in enumerate(texts, start=1)
    ]
    with pytest.raises(DataError) as caught:
        tokenize_records(made, byte_tokenizer(), 2000)
    lines = caught.value.message.split("\n")
    assert lines[0] == "23 of 25 records cannot be trained on"
    assert [line.split("#")[0] for line in lines[1:21]] == [f"  民法_{n}" for n in range(3, 23)]
    assert lines[21:] == ["  … and 3 more"]
    assert "--max-seq-length" in caught.value.hint


def test_records_keep_their_sequence(question: MakeQuestion, byte_tokenizer: MakeTokenizer) -> None:
    made = [make_record(question(id=name), PromptSpec()) for name in ("二", "一", "三")]
    tokenized = tokenize_records(made, byte_tokenizer(), FAR_OFF)
    assert [record.key for record in tokenized] == ["二#1", "一#1", "三#1"]


def test_text_to_read_is_learnt_whole_but_for_its_first_token() -> None:
    record = reading_record("民法 第1条", [5, 6, 7])
    assert record.input_ids == [5, 6, 7]
    assert record.labels == [IGNORED, 6, 7]
    assert record.reading
    assert not record.shortened


# --- what a reader is shown


def test_masked_text_shows_every_token_and_sets_the_loss_apart(
    byte_tokenizer: MakeTokenizer,
) -> None:
    tokenizer = byte_tokenizer()
    prompt, answer = ids("<|im_start|>問\n", tokenizer), ids("b<|im_end|>", tokenizer)
    record = TokenizedRecord("民法_1#1", prompt + answer, [IGNORED] * len(prompt) + answer)
    assert masked_text(record, tokenizer) == (
        "民法_1#1\n"
        "  no loss, 5 tokens:\n"
        "    <|im_start|>│問×3│⏎\n"
        "  loss, 2 tokens:\n"
        "    b│<|im_end|>"
    )


def test_masked_text_shows_a_character_that_the_border_splits(
    byte_tokenizer: MakeTokenizer,
) -> None:
    tokenizer = byte_tokenizer()
    first, second, third = ids("問", tokenizer)
    record = TokenizedRecord("x#1", [first, second, third], [IGNORED, IGNORED, third])
    assert "2 tokens of an unfinished character" in masked_text(record, tokenizer)


RECORD = {
    "schema_version": 1,
    "messages": [{"role": "user", "content": "問"}],
    "answer": "c",
    "question_id": "民法_1",
    "order": 1,
    "prompt_spec": "direct-closed-v1",
    "prompt_hash": spec_hash(PromptSpec(), ""),
    "fingerprint": "0123",
    "source": "question",
}


def test_a_retrieved_context_is_kept_with_its_record_and_in_its_file(
    question: MakeQuestion, tmp_path: Path
) -> None:
    rag = make_record(question(), PromptSpec(condition="rag"), retrieved="第1条　定める。")
    assert "第1条　定める。" in rag.messages[-1].content
    gold = make_record(question(), PromptSpec(condition="gold"), retrieved="第1条　定める。")
    assert (rag.retrieved, gold.retrieved) == ("第1条　定める。", "")
    write_records(tmp_path / "records.jsonl", [rag])
    assert load_records(tmp_path / "records.jsonl").records == (rag,)


# --- many records at once


def test_contexts_are_retrieved_for_the_records_that_show_them(question: MakeQuestion) -> None:
    asked = [question(id=f"民法_{i}") for i in range(4)]
    searched: list[str] = []

    def retrieve(of: Question) -> str:
        searched.append(of.id)
        return f"条文 {of.id}"

    specs = [(PromptSpec(), 1), (PromptSpec(condition="rag"), 1)]
    made = make_question_records(asked, specs, retrieved_of=retrieve)
    shown = {record.question_id: record.retrieved for record in made if record.retrieved}
    assert shown == {name: f"条文 {name}" for name in searched}
    assert len(searched) == 2
    assert {r.question_id for r in made if r.prompt_spec == "direct-rag-v1"} == set(searched)


def test_orders_balance_the_labels_and_a_mix_keeps_its_ratio(question: MakeQuestion) -> None:
    asked = [question(id=f"民法_{i}", gold="abcd"[i % 3]) for i in range(9)]
    specs = [(PromptSpec(condition="closed"), 1), (PromptSpec(condition="gold"), 2)]
    made = make_question_records(asked, specs, permutations=4, seed=3)
    assert Counter(record.answer for record in made) == dict.fromkeys("abcd", 9)
    assert Counter(record.prompt_spec for record in made) == {
        "direct-gold-v1": 24,
        "direct-closed-v1": 12,
    }
    assert made == make_question_records(asked, specs, permutations=4, seed=3)
    assert make_question_records(asked, specs) == make_question_records(
        asked, specs, permutations=1, seed=0
    )
    assert made != make_question_records(asked, specs, permutations=4, seed=4)


@pytest.mark.parametrize("permutations", [1, 4, 24])
def test_the_right_choice_keeps_its_text_in_every_order(
    question: MakeQuestion, permutations: Literal[1, 4, 24]
) -> None:
    asked = question()
    made = make_question_records([asked], [(PromptSpec(), 1)], permutations=permutations)
    assert len({record.order for record in made}) == len(made) == permutations
    for record in made:
        assert f"{record.answer} {asked.choices[1]}" in record.messages[-1].content


def test_a_reordered_question_is_not_reordered_again(question: MakeQuestion) -> None:
    with pytest.raises(DataError, match="is one of several orders already"):
        make_question_records([question(order=2)], [(PromptSpec(), 1)], permutations=4)


def test_the_source_of_a_generated_question_is_kept(question: MakeQuestion) -> None:
    asked = [question(id="民法_1"), question(id="生成_民法_1")]
    made = make_question_records(
        asked, [(PromptSpec(), 1)], source_of=lambda name: "statute:cloze" if "生成" in name else ""
    )
    assert [record.source for record in made] == ["question", "statute:cloze"]


# --- contexts that are too long


SENTENCES = [f"第{i}項は、期間の計算について定める。" for i in range(1, 9)]


def test_a_long_context_loses_its_last_sentences_and_nothing_else(
    question: MakeQuestion, byte_tokenizer: MakeTokenizer
) -> None:
    tokenizer = byte_tokenizer()
    asked = question(context="## 民法\n### 第140条\n" + "".join(SENTENCES))
    record = make_record(asked, PromptSpec(condition="gold"))
    whole = tokenize_record(record, tokenizer, FAR_OFF)
    assert not whole.shortened
    assert not whole.reading
    for kept in range(1, len(SENTENCES)):
        shorter = replace(asked, context="## 民法\n### 第140条\n" + "".join(SENTENCES[:kept]))
        expected = tokenize_record(
            make_record(shorter, PromptSpec(condition="gold")), tokenizer, FAR_OFF
        )
        found = tokenize_record(record, tokenizer, len(expected.input_ids))
        assert found.input_ids == expected.input_ids
        assert found.labels == expected.labels
        assert found.shortened
        assert found.lost_tokens == len(whole.input_ids) - len(found.input_ids)
    assert tokenize_record(record, tokenizer, 0) == whole


@pytest.mark.parametrize("kept", range(1, len(SENTENCES)))
def test_a_long_retrieved_context_is_shortened_and_the_questions_own_is_not_shown(
    question: MakeQuestion, byte_tokenizer: MakeTokenizer, kept: int
) -> None:
    tokenizer, spec = byte_tokenizer(), PromptSpec(condition="rag")
    shorter = make_record(question(), spec, retrieved="".join(SENTENCES[:kept]))
    expected = tokenize_record(shorter, tokenizer, FAR_OFF)
    record = make_record(question(), spec, retrieved="".join(SENTENCES))
    whole = tokenize_record(record, tokenizer, FAR_OFF)
    found = tokenize_record(record, tokenizer, len(expected.input_ids))
    lost = len(whole.input_ids) - len(expected.input_ids)
    assert lost > 0
    assert found == replace(expected, lost_tokens=lost)
    assert "初日は、算入しない" not in tokenizer.decode(found.input_ids)


def test_what_was_shortened_is_told_with_the_limit_that_keeps_all_whole() -> None:
    lengths = {"whole": (90, 0), "some": (100, 7), "most": (100, 40)}
    records = [TokenizedRecord(key, [1] * n, [1] * n, lost) for key, (n, lost) in lengths.items()]
    assert shortened_note(records[:1], 100) == ""
    note = shortened_note(records, 100)
    assert note.startswith("SHORTENED CONTEXTS: 2 of 3 records lost 7 to 40 tokens")
    assert "to fit --max-seq-length 100;" in note
    assert note.endswith("--max-seq-length 140, or none, keeps all whole")


def test_question_choices_and_answer_are_never_shortened(
    question: MakeQuestion, byte_tokenizer: MakeTokenizer
) -> None:
    tokenizer = byte_tokenizer()
    record = make_record(
        question(context="## 民法\n" + "".join(SENTENCES)), PromptSpec(condition="gold")
    )
    with pytest.raises(DataError, match="more than --max-seq-length 100"):
        tokenize_record(record, tokenizer, 100)
    closed = make_record(question(), PromptSpec())
    with pytest.raises(DataError, match="more than --max-seq-length 100"):
        tokenize_record(closed, tokenizer, 100)


OF_GOLD = {
    "prompt_spec": "direct-gold-v1",
    "prompt_hash": spec_hash(PromptSpec(condition="gold"), ""),
}


@pytest.mark.parametrize(
    "line",
    ['{"input": "問題は次のとおりです。", "output": "c"}', json.dumps(RECORD | OF_GOLD)],
    ids=["the lab's old record", "without its question"],
)
def test_a_record_whose_question_is_not_known_is_never_shortened(
    tmp_path: Path, byte_tokenizer: MakeTokenizer, line: str
) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(line, encoding="utf-8")
    (record,) = load_records(path).records
    with pytest.raises(DataError, match="more than --max-seq-length 20"):
        tokenize_record(record, byte_tokenizer(), 20)


def test_records_of_another_wording_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(json.dumps({**RECORD, "prompt_hash": "0123"}), encoding="utf-8")
    with pytest.raises(DataError, match="worded differently when it was written"):
        load_records(path)


def test_records_keep_the_group_of_their_question(question: MakeQuestion, tmp_path: Path) -> None:
    texts = ("一", "二", "三")
    asked = [question(id=f"民法_{i}", text=texts[i]) for i in range(2)]
    asked.append(question(id="民法_2", text=texts[2], context="", choices=("甲", "乙", "丙", "丁")))
    made = make_question_records(asked, [(PromptSpec(), 1)], permutations=4)
    groups = {record.question_id: record.group for record in made}
    assert groups["民法_0"] == groups["民法_1"] != groups["民法_2"]
    write_records(tmp_path / "records.jsonl", made)
    read = load_records(tmp_path / "records.jsonl").records
    assert [record.group for record in read] == [record.group for record in made]
