"""A question with its answer as chat text."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lawqa.choices import ORIGINAL_ORDER, orders
from lawqa.errors import ConfigError
from lawqa.prompting import Message, PromptSpec, answer_text, build_prompt, spec_hash
from lawqa.questions import Question, fingerprint, reordered
from lawqa.settings import Permutations
from lawqa.splits import find_groups

LEGACY_SPEC = "lab-legacy"
"""The prompt spec id of the lab's old records, whose prompts lawqa did not write."""

CHAT_SPEC = "chat"
"""The same of general chats, which put no question of the data set."""

FOREIGN_SPECS = frozenset({LEGACY_SPEC, CHAT_SPEC})
"""Prompts that lawqa did not write: no `PromptSpec` has these ids."""


@dataclass(frozen=True)
class TrainingRecord:
    """One prompt with the answer that is to be learnt."""

    messages: tuple[Message, ...]
    """The chat up to and including the user's turn."""
    answer: str
    """The assistant's turn, without any end token."""
    question_id: str
    """The id of the question; empty where it is not known (the lab's old records)."""
    order: int
    """The number of the choice order shown."""
    prompt_spec: str
    """The id of the prompt spec that made the messages."""
    prompt_hash: str = ""
    """`prompting.spec_hash` of the spec without a chat template; empty for the lab's old records."""
    fingerprint: str = ""
    """`questions.fingerprint` of the question; empty where it is not known."""
    source: str = "question"
    """What the record was made from."""
    group: str = ""
    """The group that the question belongs to among those it was made with; empty where it is not known."""
    retrieved: str = ""
    """The retrieved context that the prompt shows, for the condition `rag`; else empty."""
    origin: Question | None = None
    """The question it was made of, whole, so that a leak audit sees also what the prompt does not show;
    None where it is not known."""

    @property
    def key(self) -> str:
        """What error messages call this record."""
        return f"{self.question_id or 'unknown question'}#{self.order}"

    @property
    def thinking(self) -> bool:
        """Whether the answer begins with a think block."""
        if self.prompt_spec in FOREIGN_SPECS:
            return False
        return PromptSpec.from_id(self.prompt_spec).thinking

    @property
    def wording(self) -> str | None:
        """The id of its prompt's wording; None for the lab's old records and chats."""
        return (
            None
            if self.prompt_spec in FOREIGN_SPECS
            else PromptSpec.from_id(self.prompt_spec).wording
        )


def make_record(
    question: Question,
    spec: PromptSpec,
    *,
    reasoning: str = "",
    source: str = "question",
    retrieved: str = "",
) -> TrainingRecord:
    """Return the record that teaches to answer this question as the spec asks.

    Args:
        question: the question, in the order of choices to show.
        spec: how it is put.
        reasoning: what comes before the answer, where the spec wants it.
        source: what the record is made from.
        retrieved: the retrieved context, for the condition `rag` only.

    Raises:
        ConfigError: the spec wants reasoning and none is given, or wants a context that is not there.
    """
    if spec.reasons and not reasoning.strip():
        raise ConfigError(
            f"{question.key}: a {spec.id} record needs real reasoning, and there is no source of it",
            "lawqa distill  samples reasoning from the base model; or --mode direct",
        )
    return TrainingRecord(
        messages=build_prompt(question, spec, retrieved=retrieved).messages,
        answer=answer_text(question.gold, spec, reasoning),
        question_id=question.id,
        order=question.order,
        prompt_spec=spec.id,
        prompt_hash=spec_hash(spec, ""),
        fingerprint=fingerprint(question),
        source=source,
        retrieved=retrieved if spec.condition == "rag" else "",
        origin=question,
    )


def make_question_records(
    questions: Sequence[Question],
    specs: Sequence[tuple[PromptSpec, int]],
    *,
    permutations: Permutations = 1,
    seed: int = 0,
    source_of: Callable[[str], str] | None = None,
    retrieved_of: Callable[[Question], str] | None = None,
) -> tuple[TrainingRecord, ...]:
    """Return one record for every question and order, with the prompt specs in the given ratio.

    Args:
        questions: the questions, in their original order where `permutations` is not 1.
        specs: prompt specs with their weights, whole numbers above 0.
        permutations: in how many orders each question appears; 4 and 24 put every right choice at
            every label equally often, so that no label is favoured.
        seed: decides which question gets which spec.
        source_of: what a question of this id was made from; empty for a question of its own.
        retrieved_of: the retrieved context of a question, whatever the order of its choices; needed for
            specs of the condition `rag`.

    Raises:
        ConfigError: a spec wants reasoning, or a context that is not there.
        DataError: orders are asked for of questions that are reordered already.
    """
    shown = [
        question if order == ORIGINAL_ORDER else reordered(question, order)
        for question in questions
        for order in orders(permutations)
    ]
    dealt = [spec for spec, weight in specs for _ in range(weight)]
    places = sorted(range(len(shown)), key=lambda i: shown[i].key)
    random.Random(seed).shuffle(places)  # noqa: S311 - repeatable, not secret
    spec_of = {place: dealt[rank % len(dealt)] for rank, place in enumerate(places)}
    sources = [source_of(question.id) if source_of else "" for question in shown]
    group_of = {q.key: group.name for group in find_groups(questions) for q in group.members}
    own_key = [question.key for question in questions for _ in orders(permutations)]
    retrieved = [
        retrieved_of(question) if retrieved_of and spec_of[i].condition == "rag" else ""
        for i, question in enumerate(shown)
    ]
    return tuple(
        replace(
            make_record(
                question, spec_of[i], source=sources[i] or "question", retrieved=retrieved[i]
            ),
            group=group_of[own_key[i]],
        )
        for i, question in enumerate(shown)
    )
