"""What a breach of a rule is punished with: a rule in one place, the penalty for it in another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

from lawqa.augment.comprehension.statements import is_plain_text
from lawqa.augment.comprehension.wording import (
    FORBIDDEN,
    OBLIGED,
    commanded,
    loosened,
    modern,
    without_definitions,
)
from lawqa.augment.numerals import LARGE_NUMERAL
from lawqa.augment.provisions import MAX_CONTEXT, Provision, ProvisionItem, context_of
from lawqa.augment.questions.drafts import Draft, rank, shuffled
from lawqa.augment.questions.modality import deontic_sentence
from lawqa.augment.questions.statute_facts import Statute
from lawqa.statutes.numerals import to_int

_PENALTY = re.compile(
    r"(?:は、|には、)(?P<penalty>[^、。を（）]{4,60})に処する。$"
)  # 役員を…過料 names the punished
_BREACH = re.compile(
    rf"第(?P<article>{LARGE_NUMERAL}+)条(?P<branch>(?:の{LARGE_NUMERAL}+)*)(?:第(?P<paragraph>{LARGE_NUMERAL}+)項)?"
    r"の規定(?:に違反した者|に違反して|に違反し、|に違反したとき)"
)
_ITEMS_SHOWN = 3
_MEANINGS = {"must": OBLIGED, "must not": FORBIDDEN}
_STEMS = (
    "{law}によれば、{rule}。この規定に違反した者に対する罰則として、正しいものを教えてください。",
    "{law}によれば、{rule}。この規定への違反に対する罰則として、正しいものを教えてください。",
)


@dataclass(frozen=True)
class _Penal:
    provision: Provision
    penalty: str


@dataclass(frozen=True)
class _Breach:
    penal: _Penal
    item: ProvisionItem | None
    """Where the rule is named; None for the lead."""


def penalised_drafts(statute: Statute, seed: int) -> Iterator[Draft]:
    """Yield questions on the penalty for a breach; the other choices are other penalties of the same law."""
    penal = [
        _Penal(p, match["penalty"])
        for p in statute.provisions
        if len(p.lead) <= 160 and (match := _PENALTY.search(p.lead))
    ]
    if len({each.penalty for each in penal}) < 4:
        return
    breaches = _breaches(penal)
    named = Counter(key[0] for key in breaches)
    for provision in statute.provisions:
        key = (provision.article.article or "", 0 if provision.sole else provision.number)
        breach = breaches.get(key)
        if breach is not None and (provision.sole or named[key[0]] >= 1):
            yield from _draft(provision, breach, penal, seed)


def _breaches(penal: list[_Penal]) -> dict[tuple[str, int], _Breach]:
    """Return the rules that are named in one penal provision only, by article and paragraph (0:
    the article).
    """
    by_article: dict[tuple[str, int], list[_Breach]] = {}
    mentioned: Counter[str] = Counter()
    for each in penal:
        articles = set()
        for item in (None, *each.provision.items):
            text = each.provision.lead if item is None else item.text
            articles.update(re.findall(rf"第{LARGE_NUMERAL}+条(?:の{LARGE_NUMERAL}+)*", text))
            for match in _BREACH.finditer(text):
                number = match["paragraph"]
                paragraph = to_int(number) if number else 0
                if paragraph is None:
                    continue
                by_article.setdefault((_article(match), paragraph), []).append(_Breach(each, item))
        mentioned.update(articles)
    once = {name for name, times in mentioned.items() if times == 1}
    names = {_number(name) for name in once}
    return {
        key: breaches[0]
        for key, breaches in by_article.items()
        if len(breaches) == 1 and key[0] in names
    }


def _article(match: re.Match[str]) -> str:
    return _number(f"第{match['article']}条{match['branch']}")


def _number(name: str) -> str:
    return "_".join(str(to_int(part)) for part in re.findall(rf"{LARGE_NUMERAL}+", name))


def _draft(
    provision: Provision, breach: _Breach, penal: list[_Penal], seed: int
) -> Iterator[Draft]:
    rule = without_definitions(provision.lead)
    command = deontic_sentence(rule)
    if command is None or command.force not in _MEANINGS or not is_plain_text(rule):
        return
    if provision.items or rule.count("。") != 1:
        return
    name = f"{provision.key}/penalty"
    others: dict[str, _Penal] = {}
    for each in shuffled(penal, lambda p: p.provision.key, seed, "penal", name):
        if each.penalty != breach.penal.penalty:
            others.setdefault(each.penalty, each)
    wrong = list(others.values())[:3]
    if len(wrong) < 3:
        return
    shown = [provision, _shortened(breach.penal, breach.item, seed, name)]
    shown += [_shortened(each, None, seed, name) for each in wrong]
    context = context_of(shown)
    if len(context) > MAX_CONTEXT:
        return
    said = modern(loosened(commanded(command, _MEANINGS[command.force], seed, name), seed, name))
    stem = _STEMS[int(rank(seed, "stem", name), 16) % len(_STEMS)]
    yield Draft(
        type="penalised",
        kind=command.force,
        provisions=(breach.penal.provision, provision, *(each.provision for each in wrong)),
        text=stem.format(law=provision.law, rule=said),
        right=modern(breach.penal.penalty),
        wrong=cast("tuple[str, str, str]", tuple(modern(each.penalty) for each in wrong)),
        context=context,
        excerpt=f"{said}\n{breach.penal.penalty}",
        facts=(f"{provision.name} → {breach.penal.provision.name}: {breach.penal.penalty}",),
    )


def _shortened(penal: _Penal, item: ProvisionItem | None, seed: int, name: str) -> Provision:
    """Return the provision with three of its items at most, as the data set also quotes lists in part."""
    items = penal.provision.items
    drawn = shuffled(items, lambda i: i.number, seed, "items", name, penal.provision.key)
    kept = ([item] if item else []) + [each for each in drawn if each != item]
    shown = set(kept[:_ITEMS_SHOWN])
    return replace(penal.provision, items=tuple(each for each in items if each in shown))
