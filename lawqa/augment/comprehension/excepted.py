"""The exception to a rule: provisos (ただし、…、この限りでない) of one law, distinguished by their rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from lawqa.augment.comprehension.ruby import holds_reading
from lawqa.augment.comprehension.statements import has_actor, is_quotable
from lawqa.augment.comprehension.wording import (
    TRUE_OF,
    commanded,
    loosened,
    modern,
    without_definitions,
)
from lawqa.augment.provisions import MAX_CONTEXT, Provision, context_of, sentences
from lawqa.augment.questions.drafts import Draft, rank, shuffled
from lawqa.augment.questions.modality import deontic_sentence
from lawqa.augment.questions.self_contained import stands_unaided
from lawqa.augment.questions.statute_facts import Statute

_PROVISO = re.compile(
    r"^ただし、(?P<case>[^。]{8,80}?)(?P<end>ときは|とき、|場合は|場合には|場合においては|場合にあつては|場合にあっては)、?"
    r"この限りでない。$"
)
_HARD = re.compile(
    r"[（「『〔]|[前次同本][項条号]|第[一二三四五六七八九十百]+[項号]|^(?:その|当該|これ|同|前|又は|若しくは|及び|並びに|かつ)|次[にの]|各号|左の|ヽ"
    r"|この(?:場合|条|項|限り|章|節|款|目|編|法律|政令|省令|規則)|本文|(?<![一-龠])[法令]第"
)
_CONDITION = re.compile(
    r"^(?:[^、。（）]{2,30}は、)?(?P<case>(?:(?!は、)[^。（）]){10,70}?)(?:ときは|場合は|場合には|場合においては)、"
)
_MIN_RULE, _MAX_RULE = 18, 150
_NEAR = 12
"""Provisos in one question are this many places apart at most."""

_GRAM, _MAX_OVERLAP = 2, 0.34
_STEMS = (
    "{law}には、{rule}という原則があります。その例外として定められている場合を教えてください。",
    "{law}は、{rule}という原則を定めています。この原則の例外となる場合を教えてください。",
)


@dataclass(frozen=True)
class _Exception:
    provision: Provision
    rule: str
    """The rule in other words, without a full stop; empty for a case that is no exception."""
    case: str
    """When it does not hold, ending in 場合."""


def excepted_drafts(statute: Statute, seed: int) -> Iterator[Draft]:
    """Yield questions on when a rule does not hold; the other choices are exceptions to other rules of the
    law.
    """
    cases = [_exception(p, seed) or _condition(p) for p in statute.provisions]
    for place, own in enumerate(cases):
        if own is None or not own.rule:
            continue
        near = [
            other
            for other in cases[max(0, place - _NEAR) : place + _NEAR + 1]
            if other is not None
            and other is not own
            and other.provision.article != own.provision.article
            and _apart(own.case, other.case)
        ]
        wrong: list[_Exception] = []
        order = shuffled(near, lambda e: e.provision.key, seed, "except", own.provision.key)
        for other in sorted(order, key=lambda e: not e.rule):
            shown = [e.provision for e in (own, *wrong, other)]
            if len(context_of(shown)) <= MAX_CONTEXT and all(
                _apart(other.case, each.case) for each in wrong
            ):
                wrong.append(other)
            if len(wrong) == 3:
                yield _draft(own, wrong, seed)
                break


def _exception(provision: Provision, seed: int) -> _Exception | None:
    lead = sentences(provision.lead)
    if len(lead) != 2 or provision.items:
        return None
    rule, proviso = without_definitions(lead[0]), _PROVISO.match(without_definitions(lead[1]))
    command = deontic_sentence(rule)
    if proviso is None or not (_MIN_RULE <= len(rule) <= _MAX_RULE and is_quotable(rule)):
        return None
    if _HARD.search(proviso["case"]) or holds_reading(proviso["case"]):
        return None
    name = f"{provision.key}/proviso"
    if command is None or not has_actor(rule):
        said = rule.rstrip("。")  # a pipe is not obliged to anything
    else:
        said = commanded(command, TRUE_OF[command.force][0], seed, name, may_turn=False)
    return _Exception(
        provision, modern(loosened(said, seed, name)), modern(proviso["case"]) + "場合"
    )


def _condition(provision: Provision) -> _Exception | None:
    """Return when a provision without proviso holds: a case that is no exception to any rule."""
    if re.search(r"にかかわらず|適用しない|前条|準用", provision.lead):
        return None
    for match in _CONDITION.finditer(without_definitions(provision.lead)):
        case = match["case"]
        if not _HARD.search(case) and stands_unaided(case) and not holds_reading(case):
            return _Exception(provision, "", modern(match["case"]) + "場合")
    return None


def _draft(own: _Exception, wrong: list[_Exception], seed: int) -> Draft:
    stem = _STEMS[int(rank(seed, "stem", "except", own.provision.key), 16) % len(_STEMS)]
    return Draft(
        type="excepted",
        kind="proviso",
        provisions=(own.provision, *(e.provision for e in wrong)),
        text=stem.format(law=own.provision.law, rule=own.rule),
        right=own.case,
        wrong=cast("tuple[str, str, str]", tuple(e.case for e in wrong)),
        context=context_of([own.provision, *(e.provision for e in wrong)]),
        excerpt=f"{own.rule}\n{own.case}",
        facts=(f"{own.provision.name}: {own.case}",),
    )


def _apart(one: str, other: str) -> bool:
    mine, theirs = _grams(one), _grams(other)
    return len(mine & theirs) <= _MAX_OVERLAP * min(len(mine), len(theirs))


def _grams(text: str) -> frozenset[str]:
    return frozenset(text[i : i + _GRAM] for i in range(len(text) - _GRAM + 1))
