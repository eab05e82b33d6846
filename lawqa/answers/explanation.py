"""Why a text is read as it is: every piece of evidence, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lawqa.answers import ParsedAnswer, parse
from lawqa.answers.evidence import RULES, find_evidence
from lawqa.answers.marks import Mark
from lawqa.answers.text.page import Page, read_page
from lawqa.choices import Label


@dataclass(frozen=True)
class EvidenceFound:
    """One piece of evidence and what became of it.

    Args:
        rule: name of the rule that found it.
        does: `claim` commits to the label, `void` to none, `retract` takes the label back, `reopen` announces
            second thoughts.
        label: the label, if it is about one.
        strength: how firm it is: hint, forced, claim, stated, final.
        span: half-open offsets into the text.
        fate: `decides`, or why it does not.
        reason: why the rule exists.
    """

    rule: str
    does: str
    label: Label | None
    strength: str
    span: tuple[int, int]
    fate: str
    reason: str


@dataclass(frozen=True)
class Explanation:
    """Why a text is read as it is.

    Args:
        answer: what `parse` says.
        evidence: everything that was found, in the order of the text.
        read: how many characters were read; the rest is thinking, another turn, markup or a loop.
    """

    answer: ParsedAnswer
    evidence: tuple[EvidenceFound, ...]
    read: int


def explain(
    text: str,
    choices: Sequence[str] | None = None,
    *,
    hit_limit: bool = False,
    in_thought: bool = False,
) -> Explanation:
    """Parse a completion, and give the evidence found and what became of each piece of it.

    Args:
        text: as for `parse`.
        choices: as for `parse`.
        hit_limit: as for `parse`.
        in_thought: as for `parse`.
    """
    answer = parse(text, choices, hit_limit=hit_limit, in_thought=in_thought)
    page = read_page(text, tuple(choices or ()), in_thought=in_thought)
    if answer.rule in ("unclosed-think", "empty"):
        return Explanation(answer, (), 0 if answer.rule == "unclosed-think" else len(page.text))
    evidence = find_evidence(page, complete=True)
    fates: list[tuple[Mark, str]] = [
        *evidence.decision.fates,
        *((mark, "in a worked example") for mark in evidence.examples),
        *((mark, "behind a made-up next question") for mark in evidence.after),
    ]
    fates.sort(key=lambda pair: pair[0].at)
    pieces = tuple(_piece(page, mark, fate) for mark, fate in fates)
    return Explanation(answer, pieces, len(page.text))


_REASONS = {rule.name: rule.reason for rule in RULES} | {
    "soft-answer": "The answer under the word 'answer', but only thought likely.",
    "soft-forced": "A choice made under protest (`強いて言えばc`, `if I had to choose`).",
    "choice-text": "The words of exactly one choice where the answer is due.",
    "enumeration": "The claims around here go through the labels instead of naming one.",
    "contradiction": "Two answers one after the other, with no sign of a correction.",
}


def _piece(page: Page, mark: Mark, fate: str) -> EvidenceFound:
    return EvidenceFound(
        mark.rule,
        mark.kind,
        mark.label,
        mark.strength.name.lower(),
        page.original_span(mark.span),
        fate,
        _REASONS.get(mark.rule, ""),
    )
