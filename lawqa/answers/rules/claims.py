"""A claim in words: the parts its wordings are made of, and what the words around it leave of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lawqa.answers.context import REPORTED, conditional, doubtful, in_example, questioned
from lawqa.answers.labels import BRACKETS, FOREIGN, FORM, in_a_list, labels_at
from lawqa.answers.labels import MARK as OURS
from lawqa.answers.marks import Mark, Strength
from lawqa.answers.negation import TAKEN_BACK, denied, doubted, not_ours, only_possible
from lawqa.answers.text.page import Page
from lawqa.answers.wording import Family, find_each

MARK = OURS + FOREIGN
CLOSE = rf"[ {BRACKETS}]{{0,6}}"
OPEN = rf"[ {BRACKETS}]{{0,4}}"
LONE = rf"[{MARK}](?<![a-z0-9_][{MARK}])(?![a-z0-9])"
NAMED = r"(?:選択肢|肢|(?:the )?(?:option|choice|answer|statement|letter) )?"
COPULA = (
    r"(?:のみ|だけ)?"
    r"(?:です|で(?=、)|であ(?:ると|り|ろう|る(?![一-龠ァ-ヶー]|[a-z])|る(?:可能|と|こと|ため))|だ(?!け)"
    r"|とな[りる]|にな[りる]|と(?:判断|考え|結論"
    r"|いえ|言え|思|推)|(?:なの)?ではないか|かも|かと|でしょう|が考え|。|\n|\Z)"
)
_LABEL = re.compile(rf"[{FORM}{FOREIGN}]")


def read_claims(page: Page, wordings: Family) -> Iterator[Mark]:
    """The claims that wordings find; the last label of a match is the one it singles out."""
    text = page.text
    for match in find_each(wordings, page):
        at = last_label_in(page, match)
        labels = labels_at(page, at) if at >= 0 else None
        if labels is None or in_a_list(page, at) or _WEIGHED.search(text, max(0, at - 12), at):
            continue
        soft = "soft-choice" if doubtful(text, at + 1) or _LIKELY.match(text, match.end()) else ""
        if not soft and _talked_about(page, at, match.end()):
            continue
        if _disowned(page.text, match):
            continue
        if labels.only is None:
            if labels.foreign and not labels.labels and not soft:
                yield Mark("void", None, Strength.CLAIM, at, match.span())
            continue
        forced = conditional(text, at)
        strength = Strength.FORCED if forced or soft else Strength.CLAIM
        soft = soft or ("soft-forced" if forced else "")
        yield Mark("claim", labels.only, strength, at, match.span(), soft=soft)


def last_label_in(page: Page, match: re.Match[str]) -> int:
    """Return where the last label of a match is; -1 where it has none."""
    places = [m.start() for m in _LABEL.finditer(page.text, match.start(), match.end())]
    for at in reversed(places):
        if labels_at(page, at) is not None:
            return at
    return -1


_REST = re.compile(
    r"か(?:、|あるいは|または|もしくは|が)|[^。\n、,]{0,8}?(?:とは(?:言|い|限|な)|(?:く|では|で"
    r"|られ)(?:な[いくか]|ありません)"
    r"|か(?:どうか|否か|もしれ|\?|。)"
    r"|の?場合|なら|であれば|可能性が(?:ある|あり)|という(?:説|主張|見解|意見|声|指摘|考え)|と(?:すると|仮定"
    r"|すれば|しても)"
    rf"|{REPORTED}|{TAKEN_BACK})"
)
_WEIGHED = re.compile(
    r"か[、 ]{0,2}(?:あるいは|または|もしくは|それとも)[、 ]{0,2}(?:選択肢)?[ (\"']{0,2}\Z"
)
_LIKELY = re.compile(
    r"[^。\n、,]{0,6}?(?:(?:の)?(?:で|じゃ)は?(?:ない|なかろう|ありません)(?:の)?(?:でしょう"
    r"|だろう)?か(?!ら)|か(?:も(?:しれ|知れ)"
    r"|と(?:思|考|判断))"
    r"|可能性が(?:最も|一番|非常に|極めて|かなり|より)?(?:高|大き)|と(?:思われ(?!な)|推測|推定|推察))"
)
_IS = ("is", "be", "remains", "'s")


def _talked_about(page: Page, at: int, end: int) -> bool:
    """Return whether the words after it deny, doubt or suppose the claim, or the sentence is an example."""
    text = page.text
    return (
        denied(text, at + 1)
        or questioned(text, at + 1)
        or _REST.match(text, end) is not None
        or in_example(text, at)
    )


def _disowned(text: str, match: re.Match[str]) -> bool:
    """Return whether the words before it doubt the claim, leave it open, or speak of others' answers."""
    at = match.start() + len("to ") * match[0].startswith("to ")
    return (
        doubted(text, at)
        or not_ours(text, at)
        or (match[0].startswith(_IS) and only_possible(text, at))
    )
