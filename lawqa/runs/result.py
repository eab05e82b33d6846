"""One stored answer: raw text, parsed answer and outcome side by side, and the JSON that keeps it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from lawqa.answers import SOFT, ParsedAnswer, parse
from lawqa.choices import LABELS, ORIGINAL_ORDER, Label, Order, all_orders
from lawqa.files import JsonObject
from lawqa.prompting import prompt_thought
from lawqa.questions import choices_text
from lawqa.runs.context import RetrievedArticle, StoredContext
from lawqa.scoring import (
    OUTCOMES,
    Outcome,
    ScoredAnswer,
    likeliest_label,
    outcome_of,
    with_tie_drawn,
)
from lawqa.settings import AnswerBy

RESULT_SCHEMA_VERSION = 1
LAB_FILE = 0
"""The `schema_version` of results from the lab's old files, which have none."""

StopReason = Literal["end", "limit", "final-answer", "loop", "memory"]
"""Why a text ended: an end token, `max_new_tokens`, a finished answer line, a loop, or the memory."""

State = Literal["failed", "open", "whole"]
"""failed: the backend broke; open: a text without an answer and without a forced one; whole: all else."""

ReadingName = Literal["recorded", "drawn", "today"]
"""recorded: the label as it was stored; drawn: the same, labels of equal probability drawn as they are now;
today: texts as today's parser reads them, labels of equal probability drawn."""

ItemKey = tuple[str, int]
"""What names an answer within a run: `Prompt.key` and the number of the sample."""

Logprobs = tuple[float, float, float, float]
"""Natural log-probabilities of the labels a-d as displayed, normalised over the four."""


@dataclass(frozen=True)
class Result:
    """One stored answer. Labels and choices are as displayed, after the choices were put into `order`."""

    question_id: str
    question: str
    """Its text; empty where that was not stored."""
    choices: tuple[str, ...]
    """The four texts without their letters; empty where they are stored in a form that is not known."""
    gold: Label
    label: Label | None
    """The label that was read when it was stored."""
    outcome: Outcome
    """What was recorded; for the lab's old files, which store none, made of the labels."""
    response: str
    """The raw text; for `logits` the likeliest label."""
    answer_by: AnswerBy
    prompt_spec: str = ""
    """The prompt spec's id; empty for the lab's old files."""
    order_number: int = 1
    """The data set's number of the choice order shown, from 1."""
    order: Order = ORIGINAL_ORDER
    repeat: int = 0
    """Which of the samples of its prompt it is, from 0."""
    law: str = ""
    references: tuple[str, ...] = ()
    """Where the data set says that the question comes from."""
    status: str | None = None
    """The parser's status; None for failures."""
    rule: str | None = None
    """The parser's rule that read the label."""
    span: tuple[int, int] | None = None
    """What the rule read, as offsets into the response."""
    retrieved_count: int = 0
    """How many articles were retrieved."""
    context: StoredContext | None = None
    """None where nothing was retrieved."""
    label_logprobs: Logprobs | None = None
    label_mass: float | None = None
    """The probability that the next token was any label, 0 to 1."""
    label_at: int | None = None
    """Where the label of a text was scored: characters of the response before it; None where it was not."""
    label_after: str | None = None
    """What was put between them and the label."""
    hit_limit: bool | None = None
    """Whether the text ran into its token limit."""
    stopped: StopReason | None = None
    """None for labels scored by `logits`, and where that was not stored."""
    thinking_closed: bool | None = None
    """Whether the think block was closed at the thinking budget."""
    in_thought: bool | None = None
    """Whether the text begins inside a think block that its prompt opened; None where that was not stored."""
    completion_tokens: int | None = None
    prompt: str | None = None
    """The prompt as sent."""
    prompt_tokens: int | None = None
    seconds: float | None = None
    """Its share of the time of its batch."""
    error: str | None = None
    """What broke; None where nothing did."""
    forced_answer: Label | None = None
    """The likeliest label right after a text that gave no answer; None where none was scored."""
    forced_logprobs: Logprobs | None = None
    forced_label_mass: float | None = None
    forced_after: str | None = None
    """What was put between the text and the forced label."""
    forced_error: str | None = None
    """Why no label could be forced."""
    schema_version: int = RESULT_SCHEMA_VERSION

    @property
    def key(self) -> ItemKey:
        """What names it within its run."""
        return f"{self.question_id}#{self.order_number}", self.repeat

    @property
    def is_failed(self) -> bool:
        """Whether the backend broke."""
        return self.outcome == "failed"

    @property
    def is_text(self) -> bool:
        """Whether there is a text that can be parsed again."""
        return self.answer_by == "generate" and not self.is_failed

    def scored_by_probability(self) -> ScoredAnswer | None:
        """Return a text with the likeliest label where that of its answer belongs; None where it was not
        scored.
        """
        if not self.is_text or self.label_logprobs is None:
            return None
        label = likeliest_label(self.label_logprobs, self.question_id, self.order, self.repeat)
        outcome = outcome_of(self.gold, label, "answered")
        return replace(self.scored("recorded"), predicted=label, outcome=outcome)

    @property
    def state(self) -> State:
        """What is still to be done about it."""
        if self.is_failed:
            return "failed"
        unanswered = self.label is None and self.answer_by == "generate"
        return "open" if unanswered and self.forced_answer is None else "whole"

    @property
    def has_context(self) -> bool:
        """Whether the prompt held statute text."""
        if self.schema_version == LAB_FILE:
            return self.retrieved_count > 0
        return "-closed-" not in self.prompt_spec

    @property
    def gold_retrieved(self) -> bool | None:
        """Whether an article that the question's own context quotes was retrieved; None if unknown."""
        return self.context.gold_retrieved if self.context else None

    @property
    def articles(self) -> tuple[RetrievedArticle, ...]:
        """What was retrieved for it, best first."""
        return self.context.articles if self.context else ()

    @property
    def choice_lengths(self) -> tuple[int, ...]:
        """Characters of the choices in the question's original order; empty where they are not stored."""
        lengths = dict(zip(self.order, map(len, self.choices), strict=False))
        return tuple(lengths[i] for i in range(len(LABELS))) if self.choices else ()

    @property
    def begins_in_thought(self) -> bool:
        """Whether the text begins inside a think block; where that was not stored, as the prompt ends."""
        if self.in_thought is not None:
            return self.in_thought
        return self.prompt is not None and prompt_thought(self.prompt) is not None

    @cached_property
    def parsed(self) -> ParsedAnswer:
        """What today's parser reads in the response; of a text only."""
        return parse(
            self.response,
            self.choices or None,
            hit_limit=bool(self.hit_limit),
            in_thought=self.begins_in_thought,
        )

    def scored(self, reading: ReadingName = "drawn") -> ScoredAnswer:
        """Return what the statistics need of it.

        Raises:
            DataError: outcome and labels contradict each other, or the log-probabilities are none.
        """
        if reading == "today" and self.is_text:
            parsed = self.parsed
            outcome = outcome_of(self.gold, parsed.label, parsed.status)
            label, soft = parsed.label, parsed.soft
        else:
            outcome = self.outcome
            label = None if self.is_failed else self.label
            soft = label is not None and self.rule in SOFT
        answer = ScoredAnswer(
            question_id=self.question_id,
            gold=self.gold,
            predicted=label,
            outcome=outcome,
            law=self.law,
            order=self.order,
            has_context=self.has_context,
            gold_retrieved=self.gold_retrieved,
            label_logprobs=self.label_logprobs,
            repeat=self.repeat,
            soft=soft,
            by_text=self.answer_by == "generate",
        )
        drawn = self.answer_by == "logits" and reading != "recorded" and not self.is_failed
        return with_tie_drawn(answer) if drawn else answer

    def when_forced(self, answer: ScoredAnswer) -> ScoredAnswer:
        """Return its scored answer with the forced label where it gave none of its own and has one."""
        if self.forced_answer is None or answer.predicted is not None:
            return answer
        outcome = outcome_of(answer.gold, self.forced_answer, "answered")
        return replace(answer, predicted=self.forced_answer, outcome=outcome)

    def with_forced(self, after: str, logprobs: Logprobs, label_mass: float) -> Result:
        """Return the result with the label that the model gives when it must; its own answer stays as it is.

        Args:
            after: what was put between the text and the label.
            logprobs: of the labels there.
            label_mass: the probability of any label there.
        """
        label = likeliest_label(logprobs, self.question_id, self.order, self.repeat)
        return replace(
            self, forced_answer=label, forced_logprobs=logprobs, forced_label_mass=label_mass,
            forced_after=after, forced_error=None,
        )  # fmt: skip

    def to_json(self) -> JsonObject:
        """Return the JSON object that is stored: the lab's nine keys first, then lawqa's."""
        return {
            **self._lab_json(),
            **self._asked_json(),
            **self._read_json(),
            **self._written_json(),
            **self._forced_json(),
        }

    def _lab_json(self) -> dict[str, object]:
        """Return the nine keys of the lab's own files."""
        return {
            "question": self.question,
            "choices": choices_text(self.choices),
            "correct_answer": self.gold,
            "predicted_answer": self.label,
            "is_correct": self.outcome == "correct",
            "response": self.response,
            "retrieved_docs_count": self.retrieved_count,
            "file_name": self.question_id,
            "references": list(self.references),
        }

    def _asked_json(self) -> dict[str, object]:
        """Return which prompt this is."""
        return {
            "schema_version": self.schema_version,
            "order": self.order_number,
            "repeat": self.repeat,
            "permutation": list(self.order),
            "law": self.law,
            "prompt_spec": self.prompt_spec,
        }

    def _read_json(self) -> dict[str, object]:
        """Return how the answer was read, what was retrieved for it and how likely each label was."""
        context = self.context
        retrieved: dict[str, object] = {}
        if context:
            retrieved = {
                "retrieved_articles": [article.to_json() for article in context.articles],
                "retrieved_size": context.size,
                "gold_retrieved": context.gold_retrieved,
            }
        labelled: dict[str, object] = {}
        if self.label_at is not None:
            labelled = {"label_at": self.label_at, "label_after": self.label_after}
        return {
            "answer_by": self.answer_by,
            "outcome": self.outcome,
            "status": self.status,
            "rule": self.rule,
            "span": _listed(self.span),
            **retrieved,
            "label_logprobs": _listed(self.label_logprobs),
            "label_mass": self.label_mass,
            **labelled,
        }

    def _written_json(self) -> dict[str, object]:
        """Return what is known of the text that the model wrote, and of the prompt."""
        return {
            "hit_limit": self.hit_limit,
            "stopped": self.stopped,
            "thinking_closed": self.thinking_closed,
            "in_thought": self.in_thought,
            "completion_tokens": self.completion_tokens,
            "prompt": self.prompt,
            "prompt_tokens": self.prompt_tokens,
            "seconds": self.seconds,
            "error": self.error,
        }

    def _forced_json(self) -> dict[str, object]:
        """Return what the model answered when it had to."""
        return {
            "forced_answer": self.forced_answer,
            "forced_logprobs": _listed(self.forced_logprobs),
            "forced_label_mass": self.forced_label_mass,
            "forced_after": self.forced_after,
            "forced_error": self.forced_error,
        }

    @classmethod
    def from_json(cls, row: JsonObject) -> Result:
        """Read a stored object whose fields were checked by `lawqa.runs.rows.check_row`."""
        span = row.get("span")
        return cls(
            question_id=row["file_name"],
            question=row["question"],
            choices=tuple(line[len("a ") :] for line in row["choices"].split("\n")),
            gold=row["correct_answer"],
            label=row["predicted_answer"],
            outcome=_OUTCOMES[row["outcome"]],
            response=row["response"],
            answer_by=row["answer_by"],
            prompt_spec=row["prompt_spec"],
            order_number=row["order"],
            order=_ORDERS[tuple(row["permutation"])],
            repeat=row.get("repeat", 0),
            law=sys.intern(row.get("law", row["file_name"].split("_", 1)[0])),
            references=tuple(row.get("references") or ()),
            span=(span[0], span[1]) if span else None,
            retrieved_count=row.get("retrieved_docs_count") or 0,
            context=StoredContext.of_row(row),
            label_logprobs=_four(row["label_logprobs"]),
            forced_logprobs=_four(row.get("forced_logprobs")),
            schema_version=row["schema_version"],
            **{name: row.get(name) for name in _AS_STORED},
        )


# Each order, outcome and law once, however many results are held.
_ORDERS = {order: order for order in all_orders()}
_OUTCOMES = {outcome: outcome for outcome in OUTCOMES}

_AS_STORED = (
    "status", "rule", "label_mass", "hit_limit", "stopped", "thinking_closed", "in_thought",
    "completion_tokens", "prompt", "prompt_tokens", "seconds", "error", "forced_answer",
    "forced_label_mass", "forced_after", "forced_error", "label_at", "label_after",
)  # fmt: skip
"""Fields that are stored under their own names, and that older rows may lack."""


def _four(values: Sequence[float] | None) -> Logprobs | None:
    if values is None:
        return None
    a, b, c, d = map(float, values)
    return a, b, c, d


def _listed(values: Sequence[object] | None) -> list[object] | None:
    return None if values is None else list(values)
