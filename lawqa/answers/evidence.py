"""What a text says about its answer: the rules in order, the marks they find, what is set aside."""

from __future__ import annotations

import re
from typing import NamedTuple

from lawqa.answers.decide import Decision, decide
from lawqa.answers.marks import Mark, Rule, Strength
from lawqa.answers.naming import Named, name_choices
from lawqa.answers.other_questions import example_stretches, next_question_at, speaks_of_others
from lawqa.answers.rules import (
    announced,
    chinese,
    choice_texts,
    claimed,
    closing,
    grades,
    likely,
    refusals,
    standalone,
    verdicts,
)
from lawqa.answers.slots import Reading, read_slots
from lawqa.answers.text.mapping import back, back_span
from lawqa.answers.text.page import Page

RULES: tuple[Rule, ...] = (
    # The answer under its name: `回答：b`, `正解は b です`.
    Rule("final-answer", announced.final_answer, slots=True),
    Rule("sole-label", announced.sole_label),
    Rule("boxed", announced.boxed, slots=True),
    Rule("answer-line", announced.answer_line, slots=True),
    Rule("answer-sentence", announced.answer_sentence, slots=True),
    Rule("quoted-answer", choice_texts.quoted_answer, slots=True),
    Rule("refused-answer", announced.refused_answer, slots=True),
    Rule("several-answers", announced.several),
    Rule("outside-answer", announced.outside, slots=True),
    # What takes an answer back, or opens it again.
    Rule("retraction", announced.retraction, slots=True),
    Rule("also-right", announced.also_right, families=(announced.ALSO, announced.ALSO_LIKELY)),
    Rule("withdrawal", announced.withdrawal, families=(announced.WITHDRAWN,)),
    Rule("correction", announced.correction, families=(announced.CORRECTED,)),
    Rule("second-thoughts", announced.second_thoughts, families=(announced.SECOND_THOUGHTS,)),
    Rule("denial", grades.denial, families=(grades.DENIED, announced.SECOND_THOUGHTS)),
    # A claim in other words.
    Rule("singled-out", claimed.singled_out, families=(claimed.SINGLED_OUT,)),
    Rule("asserted", claimed.asserted, families=(claimed.ASSERTED, claimed.TOPIC_ANSWERS)),
    Rule("concluded", claimed.concluded, families=(claimed.CONCLUDED,)),
    Rule("chosen", claimed.chosen, families=(claimed.CHOSEN,)),
    Rule("verdict-drawn", claimed.drawn, families=(claimed.VERDICT_DRAWN,)),
    Rule("verdicts-summed-up", verdicts.verdicts_summed_up, verbatim=True),
    Rule("chinese", chinese.claimed_in_chinese, families=(chinese.CHINESE,)),
    Rule("soft-choice", likely.likely_choice),
    # A label by itself.
    Rule("headed-line", standalone.headed_line),
    Rule("lone-line", standalone.lone_line),
    Rule("opening-label", standalone.opening_label),
    Rule("quoted-line", choice_texts.quoted_line, verbatim=True),
    # No answer at all.
    Rule("no-such-answer", refusals.no_such_answer, families=(refusals.NO_ANSWER,)),
    Rule("cannot-tell", refusals.cannot_tell, families=(refusals.CANNOT,)),
    # Hints, where nothing else was found.
    Rule("soft-closing", closing.closing_choice, last_resort=True),
    Rule("closing-grade", grades.closing_grade, last_resort=True, families=(grades.GRADED,)),
    Rule("verdict-table", verdicts.verdict_table, last_resort=True, verbatim=True),
    Rule("elimination", verdicts.elimination, last_resort=True, families=(verdicts.DENIED,)),
    Rule("quoted-item", choice_texts.quoted_item, last_resort=True, verbatim=True),
    Rule("quoted-choice", choice_texts.quoted_choice, last_resort=True, verbatim=True),
)
"""Every rule, strict before loose."""


class Evidence(NamedTuple):
    """What was found in a text.

    Args:
        decision: what the marks come to.
        examples: marks inside of worked examples, which were set aside.
        after: marks behind the beginning of a made-up next question, which were set aside.
    """

    decision: Decision
    examples: tuple[Mark, ...] = ()
    after: tuple[Mark, ...] = ()


_HANDED_IN = tuple(
    rule
    for rule in RULES
    if rule.name in ("final-answer", "boxed", "answer-line", "answer-sentence")
)
_NOTHING_MORE = re.compile(r"[)\]}\"'$.。\s]*\Z")


def find_evidence(page: Page, *, complete: bool = False) -> Evidence:
    """Find the marks of every rule, set aside those that speak of another question, and resolve the rest.

    Args:
        page: the text.
        complete: also look for what cannot change the answer.
    """
    sole = next(announced.sole_label(Reading(page, (), page)), None)
    if sole is not None:
        return Evidence(decide([sole._replace(rule="sole-label")]))
    named = name_choices(page)
    reading = read_slots(named.page, page)
    plain = None if complete else _plain_ending(reading, named)
    if plain is not None:
        return Evidence(decide(plain))
    marks: list[Mark] = []
    settled = False
    for rule in RULES:
        if (rule.last_resort and settled) or not rule.may_find(reading):
            continue
        of_rule = [_on_the_page(mark, rule, named) for mark in rule.find(reading)]
        if of_rule:
            if rule.name == "sole-label":
                return Evidence(decide(of_rule))
            marks += of_rule
            settled = settled or any(map(_settles, of_rule))
    stretches = list(example_stretches(page)) if marks else []
    examples = [m for m in marks if any(first <= m.at < last for first, last in stretches)]
    if examples:
        marks = [mark for mark in marks if mark not in examples]
    cut = next_question_at(page, marks)
    after = [] if cut is None else [mark for mark in marks if mark.at >= cut]
    if cut is not None:
        marks = [mark for mark in marks if mark.at < cut]
    return Evidence(decide(marks), tuple(examples), tuple(after))


def _settles(mark: Mark) -> bool:
    """Return whether a mark is more than second thoughts or a doubt in passing."""
    return mark.kind != "reopen" and not (mark.kind == "void" and mark.rule == "cannot-tell")


def _plain_ending(reading: Reading, named: Named) -> list[Mark] | None:
    """Return the marks of a text that ends on an answer line and announces no other answer; None for other
    texts.

    The last word is then firm, and nothing before it can change the label: the other rules need not look.
    """
    slots, text = reading.slots, reading.page.text
    if not slots or any(slot.content not in ("label", "other") for slot in slots):
        return None
    labels = {slot.label for slot in slots if slot.content == "label"}
    last = slots[-1]
    if len(labels) != 1 or last.manner == "sentence" or last.content != "label":
        return None
    if not _NOTHING_MORE.match(text, last.span[1]) or speaks_of_others(reading.verbatim):
        return None
    lines = [
        mark.label
        for find in (standalone.lone_line, standalone.headed_line)
        for mark in find(reading)
    ]
    marks = [_on_the_page(mark, rule, named) for rule in _HANDED_IN for mark in rule.find(reading)]
    firm = bool(marks) and max(marks, key=lambda m: m.at).strength >= Strength.STATED
    return marks if firm and {*lines} <= labels else None


def _on_the_page(mark: Mark, rule: Rule, named: Named) -> Mark:
    """Return a mark with the name of its rule and its places in the text as the model wrote it."""
    name, strength = mark.soft or rule.name, mark.strength
    if rule.verbatim:
        return mark._replace(rule=name)
    if mark.kind == "claim" and mark.at in named.by_text and not mark.soft:
        name, strength = "choice-text", min(strength, Strength.CLAIM)
    at, span = mark.at, mark.span
    if len(named.pieces) > 1:
        at, span = back(named.pieces, at), back_span(named.pieces, span)
    return Mark(mark.kind, mark.label, strength, at, span, mark.in_line, name, mark.soft)
