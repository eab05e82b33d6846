"""From a model's raw text to a label or none: ordered, named rules, strict before loose.

Pure: the parser knows the text and, where given, the four choice texts; it knows neither the model nor
the right answer. `RULES` lists what it looks for. Each rule yields marks (a commitment to a label, a
refusal, a retraction, second thoughts); the last genuine commitment that nothing firmer contradicts is
the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lawqa.answers import graded, lone, quotes, refusals, stated, tables, worded
from lawqa.answers.decide import decide
from lawqa.answers.fresh import example_stretches, fresh_prompt_at
from lawqa.answers.mapping import back, back_span
from lawqa.answers.marks import Mark, Rule, Strength
from lawqa.answers.naming import Named, name_choices
from lawqa.answers.page import Page, read_page
from lawqa.answers.slots import Reading, read_slots
from lawqa.choices import Label

__all__ = [
    "RULES",
    "VERDICTS",
    "ParsedAnswer",
    "Rule",
    "Status",
    "parse",
]

Status = Literal["answered", "unanswered", "truncated"]
"""`answered`: a label. `unanswered`: the model finished without one. `truncated`: it ran out of tokens."""

RULES: tuple[Rule, ...] = (
    Rule("final-answer", stated.final_answer),
    Rule("sole-label", stated.sole_label),
    Rule("boxed", stated.boxed),
    Rule("answer-line", stated.answer_line),
    Rule("answer-sentence", stated.answer_sentence),
    Rule("quoted-answer", quotes.quoted_answer),
    Rule("refused-answer", stated.refused_answer),
    Rule("several-answers", stated.several),
    Rule("outside-answer", stated.outside),
    Rule("retraction", stated.retraction),
    Rule("also-right", stated.also_right),
    Rule("withdrawal", stated.withdrawal),
    Rule("correction", stated.correction),
    Rule("second-thoughts", stated.second_thoughts),
    Rule("denial", graded.denial),
    Rule("singled-out", worded.singled_out),
    Rule("asserted", worded.asserted),
    Rule("concluded", worded.concluded),
    Rule("chosen", worded.chosen),
    Rule("verdict-drawn", worded.drawn),
    Rule("chinese", worded.chinese),
    Rule("soft-choice", worded.guessed),
    Rule("headed-line", lone.headed_line),
    Rule("lone-line", lone.lone_line),
    Rule("opening-label", lone.opening_label),
    Rule("quoted-line", quotes.quoted_line, verbatim=True),
    Rule("no-such-answer", refusals.no_such_answer),
    Rule("cannot-tell", refusals.cannot_tell),
    Rule("closing-grade", graded.closing_grade, last_resort=True),
    Rule("verdict-table", tables.verdict_table, last_resort=True, verbatim=True),
    Rule("elimination", tables.elimination, last_resort=True),
    Rule("quoted-choice", quotes.quoted_choice, last_resort=True, verbatim=True),
)
"""Every rule, strict before loose."""

SOFT = ("soft-choice", "soft-answer", "soft-forced")
"""What `ParsedAnswer.rule` says of a commitment that was only likely, or made under protest."""

VERDICTS = (
    "empty",
    "unclosed-think",
    "enumeration",
    "contradiction",
    "choice-text",
    *SOFT[1:],
    "no-rule",
)
"""What `ParsedAnswer.rule` says when no rule decided."""


@dataclass(frozen=True)
class ParsedAnswer:
    """What a text commits to.

    Args:
        label: the choice, or None.
        status: answered, unanswered or truncated.
        rule: name of the rule that decided, also when it decided for none; see `RULES` and `VERDICTS`.
        span: half-open offsets into the text given to `parse` of what the rule read; None for nothing.
    """

    label: Label | None
    status: Status
    rule: str
    span: tuple[int, int] | None

    @property
    def soft(self) -> bool:
        """Whether the label was only called likely, or chosen under protest."""
        return self.rule in SOFT


def parse(
    text: str,
    choices: Sequence[str] | None = None,
    *,
    hit_limit: bool = False,
    in_thought: bool = False,
) -> ParsedAnswer:
    """Read the label that a completion commits to.

    Args:
        text: the completion as the model gave it; any Unicode string.
        choices: the four choice texts without their letters; an answer may quote one without a letter.
        hit_limit: the completion ended because it ran out of tokens. It only decides between
            `unanswered` and `truncated`: a loop that committed before is an answer.
        in_thought: the prompt ended inside a thought that the completion has to close; without a
            closing mark all of it is thinking, and `truncated`.

    Returns:
        The label or none, how the text ended, the rule that decided and what it read. Never raises, and
        takes time linear in the text.
    """
    page = read_page(text, tuple(choices or ()), in_thought=in_thought)
    missing: Status = "truncated" if hit_limit else "unanswered"
    if page.unclosed_think:
        return ParsedAnswer(None, "truncated", "unclosed-think", None)
    if not page.text.strip():
        return ParsedAnswer(None, missing, "empty", None)
    found = _read(page)
    if found is None:
        return ParsedAnswer(None, missing, "no-rule", None)
    status: Status = "answered" if found.label else missing
    return ParsedAnswer(found.label, status, found.rule, page.original_span(found.span))


def _read(page: Page) -> Mark | None:
    sole = next(stated.sole_label(Reading(page, (), page)), None)
    if sole is not None:
        return sole._replace(rule="sole-label")
    named = name_choices(page)
    reading = read_slots(named.page, page)
    marks: list[Mark] = []
    for rule in RULES:
        if rule.last_resort and any(mark.kind != "reopen" for mark in marks):
            continue
        found = [_on_the_page(mark, rule, named) for mark in rule.find(reading)]
        if found and rule.name == "sole-label":
            return found[0]
        marks += found
    for first, last in example_stretches(page):
        marks = [mark for mark in marks if not first <= mark.at < last]
    cut = fresh_prompt_at(page, marks)
    if cut is not None:
        marks = [mark for mark in marks if mark.at < cut]
    return decide(marks).mark


def _on_the_page(mark: Mark, rule: Rule, named: Named) -> Mark:
    """A mark with the name of its rule and its places in the text as the model wrote it."""
    name, strength = mark.soft or rule.name, mark.strength
    if rule.verbatim:
        return mark._replace(rule=name)
    if mark.kind == "claim" and mark.at in named.by_text and not mark.soft:
        name, strength = "choice-text", min(strength, Strength.CLAIM)
    at, span = back(named.pieces, mark.at), back_span(named.pieces, mark.span)
    return Mark(mark.kind, mark.label, strength, at, span, mark.in_line, name, mark.soft)
