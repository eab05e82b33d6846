"""What a text says about its answer: the rules in order, the marks they find, what is set aside."""

from __future__ import annotations

import re
from typing import NamedTuple

from lawqa.answers import graded, lone, quotes, refusals, stated, tables, worded
from lawqa.answers.decide import Decision, decide
from lawqa.answers.fresh import example_stretches, fresh_prompt_at, speaks_of_others
from lawqa.answers.mapping import back, back_span
from lawqa.answers.marks import Mark, Rule, Strength
from lawqa.answers.naming import Named, name_choices
from lawqa.answers.page import Page
from lawqa.answers.slots import Reading, read_slots

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
    Rule("quoted-item", quotes.quoted_item, last_resort=True, verbatim=True),
    Rule("quoted-choice", quotes.quoted_choice, last_resort=True, verbatim=True),
)
"""Every rule, strict before loose."""


class Evidence(NamedTuple):
    """What was found in a text.

    Args:
        decision: what the marks come to.
        examples: marks inside of worked examples, which were set aside.
        fresh: marks behind the beginning of a made-up next question, which were set aside.
    """

    decision: Decision
    examples: tuple[Mark, ...] = ()
    fresh: tuple[Mark, ...] = ()


_HANDED_IN = tuple(
    rule
    for rule in RULES
    if rule.find in (stated.final_answer, stated.boxed, stated.answer_line, stated.answer_sentence)
)
_NOTHING_MORE = re.compile(r"[)\]}\"'$.。\s]*\Z")


def find_evidence(page: Page, *, complete: bool = False) -> Evidence:
    """Find the marks of every rule, set aside those that speak of another question, and resolve the rest.

    Args:
        page: the text.
        complete: also look for what cannot change the answer.
    """
    sole = next(stated.sole_label(Reading(page, (), page)), None)
    if sole is not None:
        return Evidence(decide([sole._replace(rule="sole-label")]))
    named = name_choices(page)
    reading = read_slots(named.page, page)
    plain = None if complete else _plain_ending(reading, named)
    if plain is not None:
        return Evidence(decide(plain))
    marks: list[Mark] = []
    for rule in RULES:
        if rule.last_resort and any(_settles(mark) for mark in marks):
            continue
        found = [_on_the_page(mark, rule, named) for mark in rule.find(reading)]
        if found and rule.name == "sole-label":
            return Evidence(decide(found))
        marks += found
    stretches = list(example_stretches(page)) if marks else []
    examples = [m for m in marks if any(first <= m.at < last for first, last in stretches)]
    if examples:
        marks = [mark for mark in marks if mark not in examples]
    cut = fresh_prompt_at(page, marks)
    fresh = [] if cut is None else [mark for mark in marks if mark.at >= cut]
    if cut is not None:
        marks = [mark for mark in marks if mark.at < cut]
    return Evidence(decide(marks), tuple(examples), tuple(fresh))


def _settles(mark: Mark) -> bool:
    """Whether a mark is more than second thoughts or a doubt in passing."""
    return mark.kind != "reopen" and not (mark.kind == "void" and mark.rule == "cannot-tell")


def _plain_ending(reading: Reading, named: Named) -> list[Mark] | None:
    """The marks of a text that ends on an answer line and announces no other answer; None for other texts.

    The last word is then firm, and nothing before it can change the label: the other rules need not look.
    """
    slots, text = reading.slots, reading.page.text
    if not slots or any(slot.found not in ("label", "other") for slot in slots):
        return None
    labels = {slot.label for slot in slots if slot.found == "label"}
    last = slots[-1]
    if len(labels) != 1 or last.manner == "sentence" or last.found != "label":
        return None
    if not _NOTHING_MORE.match(text, last.span[1]) or speaks_of_others(reading.verbatim):
        return None
    lines = [mark.label for find in (lone.lone_line, lone.headed_line) for mark in find(reading)]
    marks = [_on_the_page(mark, rule, named) for rule in _HANDED_IN for mark in rule.find(reading)]
    firm = bool(marks) and max(marks, key=lambda m: m.at).strength >= Strength.STATED
    return marks if firm and {*lines} <= labels else None


def _on_the_page(mark: Mark, rule: Rule, named: Named) -> Mark:
    """A mark with the name of its rule and its places in the text as the model wrote it."""
    name, strength = mark.soft or rule.name, mark.strength
    if rule.verbatim:
        return mark._replace(rule=name)
    if mark.kind == "claim" and mark.at in named.by_text and not mark.soft:
        name, strength = "choice-text", min(strength, Strength.CLAIM)
    at, span = mark.at, mark.span
    if len(named.pieces) > 1:
        at, span = back(named.pieces, at), back_span(named.pieces, span)
    return Mark(mark.kind, mark.label, strength, at, span, mark.in_line, name, mark.soft)
