"""What a rule finds: a mark, saying at which place and how firmly the text commits, or takes it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, NamedTuple

from lawqa.answers.slots import Reading
from lawqa.answers.wording import Family, may_match
from lawqa.choices import Label


class Strength(IntEnum):
    """How firmly a mark commits. A later mark replaces an earlier one that is not firmer than it."""

    HINT = 1
    """Named, quoted, but never called the answer; counts only where nothing else was said."""
    FORCED = 2
    """A choice made under protest or only thought likely; a refusal after it takes it back."""
    CLAIM = 3
    """The answer, in words or by a lone letter."""
    STATED = 4
    """The answer, under the very word 'answer'."""
    FINAL = 5
    """The answer as the last word, which is what the prompts ask for; a remark does not replace it."""


Kind = Literal["claim", "void", "retract", "reopen"]
"""`claim` commits to the label, `void` commits to none, `retract` takes back this label only.

`reopen` announces second thoughts: what was said holds until any later claim replaces it.
"""


class Mark(NamedTuple):
    """One commitment, or one refusal to commit.

    Args:
        kind: what it does.
        label: the label of a claim or retraction; None for a void.
        strength: how firmly.
        at: the offset that decides which mark is later.
        span: what was read, as half-open offsets.
        in_line: it is on an answer line of its own or is a single letter, as in a loop or enumeration.
        rule: name of the rule that found it; the decision fills it in.
        soft: the name it goes by where it is thought likely or was forced; else empty.
    """

    kind: Kind
    label: Label | None
    strength: Strength
    at: int
    span: tuple[int, int]
    in_line: bool = False
    rule: str = ""
    soft: str = ""


@dataclass(frozen=True)
class Rule:
    """A named way to commit to an answer, or to none.

    Args:
        name: what `ParsedAnswer.rule` says when this rule decided.
        find: gives the marks of this rule; its docstring is the reason of the rule.
        last_resort: it is only asked where no other rule found anything.
        verbatim: it reads the text in which choices are still named by their words.
        slots: it finds nothing where no answer is announced.
        families: it finds nothing where none of these wordings can match; empty: it looks for itself.
    """

    name: str
    find: Callable[[Reading], Iterator[Mark]]
    last_resort: bool = False
    verbatim: bool = False
    slots: bool = False
    families: tuple[Family, ...] = ()

    def may_find(self, reading: Reading) -> bool:
        """Return whether there is anything for this rule to look at; most rules are not asked."""
        if self.slots:
            return bool(reading.slots)
        return not self.families or any(may_match(each, reading.page) for each in self.families)

    @property
    def reason(self) -> str:
        """Why this rule exists, in one paragraph."""
        return " ".join((self.find.__doc__ or "").split())
