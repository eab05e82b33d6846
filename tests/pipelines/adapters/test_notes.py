"""`lawqa.pipelines.adapters.notes`: what a training allows of what is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lawqa.choices import permute
from lawqa.errors import DataError
from lawqa.pipelines.adapters.manifest import AdapterManifest
from lawqa.pipelines.adapters.notes import notes_on_training
from lawqa.prompting import PromptSpec
from lawqa.questions import Question
from tests.pipelines.adapters.conftest import HASH, SPEC, MakeAdapter, MakeQuestion


def notes_of(
    adapter: AdapterManifest,
    *questions: Question,
    spec: PromptSpec = SPEC,
    allow_leak: bool = False,
    allow_prompt_mismatch: bool = False,
) -> list[str]:
    return notes_on_training(
        adapter, questions, spec, allow_leak=allow_leak, allow_prompt_mismatch=allow_prompt_mismatch
    )


# --- leaks


def test_held_out_questions_give_no_note(adapter: MakeAdapter, held_out: Question) -> None:
    assert notes_of(adapter(), held_out) == []


def test_a_trained_on_id_is_refused(
    adapter: MakeAdapter, adapter_dir: Path, trained_on: Question, held_out: Question,
    question: MakeQuestion,
) -> None:  # fmt: skip
    reworded = question(id=trained_on.id, text="別の文です。", order=3)
    with pytest.raises(DataError) as caught:
        notes_of(adapter(), held_out, reworded)
    assert caught.value.message == (
        f"1 of 2 questions was in the training of {adapter_dir}: {trained_on.id}"
    )
    assert "--allow-leak" in caught.value.hint


def test_a_trained_on_question_under_another_id_and_order_is_refused(
    adapter: MakeAdapter, trained_on: Question, question: MakeQuestion
) -> None:
    renamed = question(
        id="商法_9",
        text=f" {trained_on.text}",
        choices=permute(trained_on.choices, (1, 0, 3, 2)),
        gold="a",
        order=2,
    )
    with pytest.raises(DataError, match=r"1 of 1 question was in the training of .*: 商法_9$"):
        notes_of(adapter(), renamed)


def test_only_the_first_leaks_are_listed(adapter: MakeAdapter, question: MakeQuestion) -> None:
    leaks = [question(id=f"民法_{number}") for number in range(1, 6)]
    trained = [{"id": leak.id, "order": 1, "fingerprint": ""} for leak in leaks]
    with pytest.raises(DataError, match=r"5 of 5 .*: 民法_1, 民法_2, 民法_3, …$"):
        notes_of(adapter(questions=trained), *leaks)


def test_an_allowed_leak_is_counted_in_a_note(
    adapter: MakeAdapter, adapter_dir: Path, trained_on: Question, held_out: Question
) -> None:
    assert notes_of(adapter(), trained_on, held_out, allow_leak=True) == [
        f"LEAK: 1 of 2 questions was in the training of {adapter_dir}; "
        "this accuracy says nothing about new questions"
    ]


def test_allowing_leaks_says_nothing_where_there_are_none(
    adapter: MakeAdapter, held_out: Question
) -> None:
    assert notes_of(adapter(), held_out, allow_leak=True) == []


def test_training_on_records_of_unknown_questions_is_noted(
    adapter: MakeAdapter, adapter_dir: Path, trained_on: Question
) -> None:
    (note,) = notes_of(adapter(questions=[]), trained_on)
    assert note.startswith(f"UNKNOWN TRAINING: the records of {adapter_dir} did not say")


# --- prompts


def test_an_unknown_prompt_spec_is_refused(
    adapter: MakeAdapter, adapter_dir: Path, held_out: Question
) -> None:
    with pytest.raises(DataError) as caught:
        notes_of(adapter(), held_out, spec=PromptSpec("cot", "gold"))
    assert caught.value.message == (
        f"{adapter_dir} was trained on the prompt specs direct-closed-v1, not on cot-gold-v1"
    )
    assert "--allow-prompt-mismatch" in caught.value.hint


def test_an_allowed_prompt_mismatch_is_noted(
    adapter: MakeAdapter, adapter_dir: Path, held_out: Question
) -> None:
    mismatch = PromptSpec("cot", "gold")
    assert notes_of(adapter(), held_out, spec=mismatch, allow_prompt_mismatch=True) == [
        f"PROMPT MISMATCH: {adapter_dir} was trained on the prompt specs direct-closed-v1, "
        "not on cot-gold-v1"
    ]


def test_one_allowance_does_not_allow_the_other(
    adapter: MakeAdapter, trained_on: Question, held_out: Question
) -> None:
    with pytest.raises(DataError, match="not on cot-closed-v1"):
        notes_of(adapter(), held_out, spec=PromptSpec("cot"), allow_leak=True)
    with pytest.raises(DataError, match="was in the training"):
        notes_of(adapter(), trained_on, allow_prompt_mismatch=True)


def test_a_training_with_distractors_is_said_where_contexts_are_retrieved(
    adapter: MakeAdapter, question: Callable[..., Question]
) -> None:
    raft = {"distractors": 2, "without_gold": 0.2, "seed": 0}
    spec = PromptSpec("direct", "rag")
    held_out = question(id="評価", text="別の事柄を問う文である。", context="")

    def said(spec: PromptSpec, retrieval: object) -> list[str]:
        trained = adapter(
            prompt_specs={spec.id: HASH}, data={"path": "t.jsonl", "retrieval": retrieval}
        )
        return notes_of(trained, held_out, spec=spec)

    (note,) = said(spec, {"raft": raft, "questions_without_gold": ["一", "二"]})
    assert note.startswith("RAFT TRAINING: ")
    assert "--distractors 2" in note
    assert "left out for 2 of the questions (--without-gold 0.2)" in note
    assert said(spec, {"raft": None}) == said(spec, None) == []
    assert said(PromptSpec("direct", "gold"), {"raft": raft}) == []
