"""What a text has named so far, so that 同法, 法 and 同条 mean something further on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

LawKind = Literal["act", "order", "rule"]
"""法律, 政令, or what ministries and commissions make (府令, 省令, 規則)."""


@dataclass(frozen=True)
class Antecedents:
    """What words that point back (同法, 法, 令, 同条, 前条) refer to."""

    own: int | None = None
    """The statute whose text this is, which an article without a statute belongs to; None for a question."""
    law: int | None = None
    """The statute named last; None where none was, or one that is not in the list."""
    foreign: bool = False
    """Whether the statute named last is one that is not in the list."""
    last: Mapping[LawKind, int] = field(default_factory=dict)
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


def law_kind(title: str) -> LawKind:
    """Return whether a title is that of an act, a cabinet order, or a rule."""
    bare = re.sub(r"[(（].*[)）]$", "", title)
    if bare.endswith(("法", "法律", "憲法")):
        return "act"
    return "order" if bare.endswith("令") and not bare.endswith(("府令", "省令")) else "rule"
