"""What a citation is, and what a text that holds citations has spoken of; `citations` finds them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["act", "order", "rule"]
"""法律, 政令, or what ministries and commissions make (府令, 省令, 規則)."""


@dataclass(frozen=True)
class Citation:
    """One article that a text cites."""

    law: int | None
    """The statute's position in the list of titles; None where it is not known."""
    foreign: bool
    """Whether a statute is named that is not in the list. If not and `law` is None, no statute is named."""
    article: str
    """The article as article files name it: 27_13_2 for 第27条の13の2."""
    paragraph: int | None
    """The number of the 項; None where none is named."""
    item: str | None
    """The number of the 号, with branches: 3 or 3_2; None where none is named."""
    start: int
    """Where the citation, with its statute's name, begins in the squeezed text (see `squeeze`)."""
    end: int
    """Where it ends."""


@dataclass(frozen=True)
class Spoken:
    """What has been spoken of, so that 同法, 法 or 同条 mean something."""

    own: int | None = None
    """The statute whose text this is, which an article without a statute belongs to; None for a question."""
    law: int | None = None
    """The statute named last; None where none was, or one that is not in the list."""
    foreign: bool = False
    """Whether the statute named last is one that is not in the list."""
    last: Mapping[Kind, int] = field(default_factory=dict)
    """The statute of each kind named last."""
    defined: Mapping[str, int] = field(default_factory=dict)
    """Words that the text has defined: 「金融商品取引法（以下「法」という。）」."""
    article: str | None = None
    """The article cited last, of `law`: what 同条 means."""
    paragraph: int | None = None
    """The paragraph cited last: what 同項 means."""
    before: str | None = None
    """The article before the one whose text this is: what 前条 means."""
    after: str | None = None
    """The article after it: what 次条 means."""


@dataclass(frozen=True)
class Reading:
    """What a text cites, and what it leaves spoken of."""

    citations: tuple[Citation, ...]
    """In the order of the text."""
    laws: tuple[int, ...]
    """The statutes named, with or without an article, each once, in order."""
    spoken: Spoken
    """For reading the text that follows."""
    bare: bool
    """Whether the text is citations and nothing else, as choices are where the legal basis is asked for."""


def law_kind(title: str) -> Kind:
    """Whether a title is that of an act, a cabinet order, or a rule."""
    bare = re.sub(r"[(（].*[)）]$", "", title)
    if bare.endswith(("法", "法律", "憲法")):
        return "act"
    return "order" if bare.endswith("令") and not bare.endswith(("府令", "省令")) else "rule"
