"""Numbers of articles and paragraphs in e-Gov's law XML: the `Num` attribute and the title beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from lawqa.statutes.folding import fold
from lawqa.statutes.numerals import to_kanji

_ONE = re.compile(r"[0-9]{1,5}(?:_[0-9]{1,5})*")


def normalised_number(num: str | None) -> str | None:
    """Return a `Num` attribute with ASCII digits and without blanks; None if there is none.

    Known forms: `9`, `9_9`, `9_9_9`, a range `55:63` (deleted articles) and a pair `15,16`. Any other is
    kept as it stands, since the number is what the article is found by.
    """
    return fold(num or "") or None


def restates_paragraph(mark: str, num: int | None) -> bool:
    """Return whether the number before a paragraph (`２`, `②`) says only what `num` says."""
    return num is not None and fold(mark) == str(num)


def restates_article(title: str, number: str | None) -> bool:
    """Return whether the title of an article (`第二条の二`, `第２条ノ２`) says only what its number says."""
    return number is not None and fold(title).replace("ノ", "の") in _titles(number)


_WRITINGS: tuple[Callable[[int], str], ...] = (to_kanji, str)


def _titles(number: str) -> Iterator[str]:
    """Yield the titles that an article of this number may have."""
    ends = re.split("[:,]", number)
    if not all(_ONE.fullmatch(end) for end in ends) or len(ends) > 2:
        return
    for write in _WRITINGS:
        names = [_title(end, write) for end in ends]
        if len(names) == 1:
            yield names[0]
            continue
        yield f"{names[0]}から{names[1]}まで"
        yield from (f"{names[0]}{mark}{names[1]}" for mark in ("及び", "、", "・"))


def _title(number: str, write: Callable[[int], str]) -> str:
    head, *branches = number.split("_")
    return f"第{write(int(head))}条" + "".join(f"の{write(int(branch))}" for branch in branches)
