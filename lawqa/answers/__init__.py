"""From a model's raw text to a label or none: ordered, named rules, strict before loose.

Pure: the parser knows the text and, where given, the four choice texts; it knows neither the model nor
the right answer. `RULES` lists what it looks for. Each rule yields marks (a commitment to a label, a
refusal, a retraction, second thoughts); the last genuine commitment that nothing firmer contradicts is
the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lawqa.answers.evidence import RULES, find_evidence
from lawqa.answers.marks import Mark, Rule
from lawqa.answers.text.page import Page, read_page
from lawqa.choices import LABELS, Label, Status

__all__ = [
    "RULES",
    "SOFT",
    "VERDICTS",
    "EvidenceFound",
    "Explanation",
    "ParsedAnswer",
    "Rule",
    "Status",
    "explain",
    "parse",
]

SOFT = ("soft-choice", "soft-closing", "soft-answer", "soft-forced")
"""What `ParsedAnswer.rule` says of a commitment that was only likely, or made under protest."""

VERDICTS = (
    "empty",
    "unclosed-think",
    "enumeration",
    "contradiction",
    "choice-text",
    *SOFT[2:],
    "no-rule",
)
"""What `ParsedAnswer.rule` says when no rule decided."""


@dataclass(frozen=True, slots=True)
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


_BARE: dict[str, Label] = {form: label for label in LABELS for form in (label, label.upper())}
"""By far the most common answers; they need no looking at."""


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
    bare = text.strip()
    if bare in _BARE and not in_thought:
        at = text.index(bare)
        return ParsedAnswer(_BARE[bare], "answered", "sole-label", (at, at + 1))
    page = read_page(text, tuple(choices or ()), in_thought=in_thought)
    missing: Status = "truncated" if hit_limit else "unanswered"
    if page.unclosed_think:
        return ParsedAnswer(None, "truncated", "unclosed-think", None)
    if not page.text.strip():
        return ParsedAnswer(None, missing, "empty", None)
    deciding = find_evidence(page).decision.mark
    if deciding is None:
        return ParsedAnswer(None, missing, "no-rule", None)
    status: Status = "answered" if deciding.label else missing
    return ParsedAnswer(deciding.label, status, deciding.rule, page.original_span(deciding.span))


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
