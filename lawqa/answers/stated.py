"""Rules that read an answer announced as such."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lawqa.answers.context import conditional
from lawqa.answers.labels import FORM, label_at
from lawqa.answers.marks import Mark, Strength
from lawqa.answers.slots import Manner, Reading

_SOLE = re.compile(
    rf"[\s?>\-(\[\"'$]{{0,8}}(?:選択肢|選項|选项|option|choice)? ?[(\"']{{0,2}}([{FORM}])"
    r"(?:[)\]\"'.。、,\s]{1,4}\1){0,}[)\]\"'$.:。、! ]{0,6}(?:です|である)?[。.\s]*\Z"
)


def sole_label(reading: Reading) -> Iterator[Mark]:
    """The whole text is one label: what a prompt for a single letter asks for."""
    page = reading.page
    found = _SOLE.match(page.text)
    label = label_at(page, found.start(1)) if found else None
    if found and label:
        yield Mark("claim", label, Strength.STATED, found.start(1), found.span(1))


def final_answer(reading: Reading) -> Iterator[Mark]:
    """Under `最終回答：` or `Final answer:` the model gives its last word, as our prompts ask it to."""
    return _claims(reading, "final")


def boxed(reading: Reading) -> Iterator[Mark]:
    r"""`\\boxed{b}` is how models trained on mathematics hand in an answer."""
    return _claims(reading, "boxed")


def answer_line(reading: Reading) -> Iterator[Mark]:
    """A heading such as `回答：` or `**Answer:**` with a label behind or below it is an answer sheet."""
    return _claims(reading, "line")


def answer_sentence(reading: Reading) -> Iterator[Mark]:
    """`正解は b です` and `the correct answer is b` commit in words."""
    return _claims(reading, "sentence")


def several(reading: Reading) -> Iterator[Mark]:
    """`正解は b と d` names more than one label as the answer, which is no single choice."""
    for slot in reading.slots:
        if slot.found == "several":
            yield Mark("void", None, Strength.STATED, slot.at, slot.span)


def retraction(reading: Reading) -> Iterator[Mark]:
    """`正解は b ではない` takes back a b that was said before, and claims nothing in its stead."""
    for slot in reading.slots:
        if slot.found == "denied":
            yield Mark("retract", slot.label, Strength.STATED, slot.at, slot.span)


def refused_answer(reading: Reading) -> Iterator[Mark]:
    """`Answer: None of the options` and `回答：なし` fill the place of the answer with a refusal."""
    for slot in reading.slots:
        if slot.found == "none":
            yield Mark("void", None, Strength.STATED, slot.at, slot.span)


def _claims(reading: Reading, manner: Manner) -> Iterator[Mark]:
    for slot in reading.slots:
        if slot.manner != manner or slot.found != "label":
            continue
        # A condition weakens a sentence; on an answer line the letter is handed in all the same.
        text = reading.page.text
        forced = manner == "sentence" and (
            conditional(text, slot.span[0]) or text.startswith(" if ", slot.span[1])
        )
        yield Mark(
            "claim",
            slot.label,
            Strength.FORCED if forced else Strength.STATED,
            slot.at,
            slot.span,
            in_line=manner in ("final", "line"),
        )
