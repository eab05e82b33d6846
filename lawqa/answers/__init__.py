"""From a model's raw text to a label or none: ordered, named rules, strict before loose.

Pure: the parser knows the text and, where given, the four choice texts; it knows neither the model nor
the right answer. `evidence.RULES` lists what it looks for. Each rule yields marks (a commitment to a label, a
refusal, a retraction, second thoughts); the last genuine commitment that nothing firmer contradicts is
the answer. `explanation` gives what was found and what became of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lawqa.choices import LABELS, Label, Status

__all__ = ["SOFT", "VERDICTS", "ParsedAnswer", "Status", "parse"]

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
    # Compiling the patterns of all rules takes a fifth of a second, and scored labels are no text to read.
    from lawqa.answers.evidence import find_evidence
    from lawqa.answers.text.page import read_page

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
