"""Which statement is right, which is wrong, and how many of them are right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import cast

from lawqa.augment.comprehension.statements import Statement, StatementSource, least_used
from lawqa.augment.provisions import MAX_CONTEXT, context_of
from lawqa.augment.questions.drafts import Draft, rank, shuffled
from lawqa.choices import LABELS

_OFFSETS = (0, 2, 1, 3)
"""Where the groups of four begin, round by round."""

_RIGHT = (
    "次のうち、{law}の規定に照らして正しいものを教えてください。",
    "{law}に関する次の記述のうち、正しいものを教えてください。",
    "{law}の規定の内容として、正しいものを教えてください。",
)
_WRONG = (
    "次のうち、{law}の規定に照らして誤っているものを教えてください。",
    "{law}に関する次の記述のうち、誤っているものを教えてください。",
    "{law}の規定の内容として、誤っているものを教えてください。",
)
_COUNT_RIGHT = "{law}に関する次のア～エの記述のうち、正しいものはいくつありますか。"
_COUNT_WRONG = "{law}に関する次のア～エの記述のうち、誤っているものはいくつありますか。"
_NUMBERS = ("一つ", "二つ", "三つ", "四つ")
_MARKS = "アイウエ"
_WRONG_SHARE = 34
"""Percent of drafts that ask for the wrong statement: more than are kept, so that a quarter of all can be."""


def judged_drafts(found: Sequence[StatementSource], seed: int) -> Iterator[Draft]:
    """Yield questions on four neighbouring provisions in other words: one is right, or one is wrong."""
    used: Counter[str] = Counter()
    for turn, group in _groups(found):
        yield _judged(group, turn, seed, used)


def counted_drafts(found: Sequence[StatementSource], seed: int) -> Iterator[Draft]:
    """Yield questions on how many of four statements are right, or wrong."""
    used: Counter[str] = Counter()
    for turn, group in _groups(found):
        yield _counted(group, turn, seed, used)


def _groups(found: Sequence[StatementSource]) -> Iterator[tuple[int, Sequence[StatementSource]]]:
    for turn, offset in enumerate(_OFFSETS):
        for start in range(offset, len(found) - 3, 4):
            group = found[start : start + 4]
            if len(context_of([s.provision for s in group])) <= MAX_CONTEXT:
                yield turn, group


def _judged(group: Sequence[StatementSource], turn: int, seed: int, used: Counter[str]) -> Draft:
    name = f"{_name(group)}/{turn}"
    wrong_asked = _number(seed, "polarity", name) % 100 < _WRONG_SHARE
    place = _number(seed, "place", name) % len(group)
    said = [_said(s, (i == place) != wrong_asked, used, seed, name) for i, s in enumerate(group)]
    stems = _WRONG if wrong_asked else _RIGHT
    right, others = said[place], [each for i, each in enumerate(said) if i != place]
    law = group[0].provision.law
    return Draft(
        type="judged",
        kind="+".join(sorted({s.kind for s in said if not s.true})),
        provisions=(right.provision, *(s.provision for s in others)),
        text=stems[_number(seed, "stem", name) % len(stems)].format(law=law),
        right=right.text,
        wrong=cast("tuple[str, str, str]", tuple(s.text for s in others)),
        context=context_of([s.provision for s in said]),
        excerpt=right.text,
        facts=_facts(said),
    )


def _counted(group: Sequence[StatementSource], turn: int, seed: int, used: Counter[str]) -> Draft:
    name = f"{_name(group)}/{turn}/count"
    wrong_asked = _number(seed, "polarity", name) % 100 < _WRONG_SHARE
    number = _number(seed, "number", name) % len(_NUMBERS) + 1
    counted = {s.provision.key for s in shuffled(group, _key, seed, "which", name)[:number]}
    said = [_said(s, (_key(s) in counted) != wrong_asked, used, seed, name) for s in group]
    listed = shuffled(said, lambda s: s.text, seed, "order", name)
    stem = (_COUNT_WRONG if wrong_asked else _COUNT_RIGHT).format(law=group[0].provision.law)
    lines = [f"{mark} {each.text}" for mark, each in zip(_MARKS, listed, strict=True)]
    wrong = tuple(text for text in _NUMBERS if text != _NUMBERS[number - 1])
    return Draft(
        type="counted",
        kind=str(number),
        provisions=tuple(s.provision for s in said),
        text="\n".join([stem, *lines]),
        right=_NUMBERS[number - 1],
        wrong=cast("tuple[str, str, str]", wrong),
        context=context_of([s.provision for s in said]),
        excerpt="\n".join(lines),
        facts=_facts(listed),
        label=LABELS[number - 1],
    )


def _said(
    source: StatementSource, true: bool, used: Counter[str], seed: int, name: str
) -> Statement:
    return least_used(source.true if true else source.false, used, seed, name)


def _facts(said: Sequence[Statement]) -> tuple[str, ...]:
    return tuple(f"{s.provision.name}: {s.fact or '正しい'}" for s in said)


def _name(group: Sequence[StatementSource]) -> str:
    return "/".join(map(_key, group))


def _key(source: StatementSource) -> str:
    return source.provision.key


def _number(seed: int, *names: str) -> int:
    return int(rank(seed, *names), 16)
