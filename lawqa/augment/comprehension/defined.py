"""What the law says of somebody who is described by the words of a definition instead of the defined term."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from lawqa.augment.comprehension.applying import applying_sentences
from lawqa.augment.comprehension.statements import is_quotable
from lawqa.augment.comprehension.wording import (
    TRUE_OF,
    commanded,
    loosened,
    modern,
    without_definitions,
)
from lawqa.augment.provisions import MAX_CONTEXT, Provision, context_of
from lawqa.augment.questions.actors import may_coincide
from lawqa.augment.questions.drafts import Draft, rank, shuffled
from lawqa.augment.questions.excerpts import Excerpt
from lawqa.augment.questions.modality import DeonticSentence, deontic_sentence
from lawqa.augment.questions.self_contained import stands_unaided
from lawqa.augment.questions.statute_facts import Statute, actor_class
from lawqa.choices import LABELS

_END = "者|人|法人|会社|団体|機関|事業者|組合"
_STATED = (
    re.compile(
        rf"「(?P<term>[^「」（）第]{{2,24}})」とは、(?P<body>[^。「」]{{8,90}}?(?:{_END}))をいう。"
    ),
    re.compile(
        rf"^(?P<term>[^「」（）\u3000 。、]{{2,24}})[\u3000 ]+(?P<body>[^。「」]{{8,90}}?(?:{_END}))をいう。$"
    ),
    re.compile(
        # After a comma the phrase may be the end of a longer one: 試験の実施、記録、報告等に責任を有する者.
        rf"(?:^|。)(?P<body>[^、。「」（）]{{8,60}}(?:{_END}))"
        r"（以下(?:この法律において)?(?:単に)?「(?P<term>[^「」]{2,24})」という。）"
    ),
)
_HARD = re.compile(
    r"次に|各号|又はその|及びその|[前次同本][項条号]|この(?:[条項号章節]|法律|政令|省令|府令|規則)|以下|^(?:その|当該|前|又は|及び|同)|第[一二三四五六七八九十]+[項号]"
    r"|(?<![一-龠])[法令]第"
)
_TOPIC = re.compile(r"^(?P<who>[^、。「」（）]{2,30})は、")
# Whoever is described may be this as well: a warehouse keeper is a merchant, any company may merge.
_ALSO = re.compile(
    r"^(?:何人|全て|すべて|商人|会社|法人|事業者|株式会社|当事者)$|^(?:何人|全て|すべて|清算)|合併|分割|消滅|存続"
)
_LEANS = re.compile(r"^(?:その|当該|これ|自己|自ら)")
_MAX_RULE, _NEAR = 140, 60
_MAX_OVERLAP = 0.35
"""Trigrams of a wrong choice shared by one provision on the right subject, above which it may hold too."""
_MAX_ALIKE = 0.5
"""Trigrams that two rules on different subjects share, above which they are taken for one rule."""

_STEMS = (
    "{body}について、{law}が定めていることとして、正しいものを教えてください。",
    "{law}によれば、{body}に関して正しいものはどれですか。次のうちから教えてください。",
)


@dataclass(frozen=True)
class _Definition:
    provision: Provision
    term: str
    body: str
    """What the term means, as a noun phrase."""


@dataclass(frozen=True)
class _Rule:
    provision: Provision
    who: str
    """Its subject."""
    said: str
    """What it says of its subject, in other words, without the subject."""


def defined_drafts(statute: Statute, seed: int) -> Iterator[Draft]:
    """Yield questions on what holds for somebody described by a definition; other choices hold for others."""
    definitions = _definitions(statute)
    if not definitions:
        return
    rules = [rule for excerpt in statute.excerpts if (rule := _rule(excerpt, seed)) is not None]
    # What is applied mutatis mutandis may hold for the one who is asked about, too.
    applied = frozenset[str | None]().union(
        *(m.articles for m in applying_sentences(statute.provisions))
    )
    for place, rule in enumerate(rules):
        own = definitions.get(rule.who)
        if own is None or own.provision.key == rule.provision.key:
            continue
        same = [_grams(p.lead) for p in statute.provisions if _speaks_of(p, own.term)]
        # Only those that the law defines too: 登録者でない者 or 事業者 may well be the same person.
        near = [
            r
            for r in rules[max(0, place - _NEAR) : place + _NEAR + 1]
            if r.who in definitions
            and r.provision.article.article not in applied
            and not _is_said(r.said, same)
            and not _is_general(r, rules)
        ]
        yield from _draft(own, rule, near, seed)


def _definitions(statute: Statute) -> dict[str, _Definition]:
    """Return the definitions by term; none of a term that has two, or that two terms have."""
    definitions: dict[str, list[_Definition]] = {}
    for provision in statute.provisions:
        for text in (provision.lead, *(item.text for item in provision.items if not item.below)):
            for pattern in _STATED:
                for match in pattern.finditer(text):
                    body = without_definitions(match["body"])
                    if _is_body(body):
                        each = _Definition(provision, match["term"], body)
                        definitions.setdefault(match["term"], []).append(each)
    times = Counter(each.body for same in definitions.values() for each in same)
    once = {term: each[0] for term, each in definitions.items() if len(each) == 1}
    return {term: each for term, each in once.items() if times[each.body] == 1}


def _is_body(body: str) -> bool:
    return (
        not _HARD.search(body)
        and stands_unaided(body)
        and body.count("（") == body.count("）")
        and re.search(r"[をにがでるた]", body) is not None
        and re.match(r".{0,14}(?<!又)は", body) is None
    )


def _rule(excerpt: Excerpt, seed: int) -> _Rule | None:
    text = without_definitions(excerpt.text)
    topic = _TOPIC.match(text)
    if topic is None or excerpt.item or excerpt.below or excerpt.references or excerpt.excepted:
        return None
    command = deontic_sentence(text)
    if command is None or len(text) > _MAX_RULE or not is_quotable(text):
        return None
    clause = command.clause[topic.end() :]
    if _LEANS.match(clause) or actor_class(topic["who"]) is None or len(clause) < 12:
        return None
    rest = DeonticSentence(command.force, clause, command.negative[topic.end() :])
    name = f"{excerpt.provision.key}/{clause[:20]}"
    said = commanded(rest, TRUE_OF[rest.force][0], seed, name, may_turn=False)
    return _Rule(excerpt.provision, topic["who"], modern(loosened(said, seed, name)))


def _speaks_of(provision: Provision, term: str) -> bool:
    """Return whether its subject is the term, alone or among others: 旅行業者等は."""
    topic, found, _ = provision.lead.partition("は、")
    return bool(found) and term in topic


def _is_said(said: str, same: Sequence[frozenset[str]]) -> bool:
    """Return whether something like it is also said of the one who is asked about."""
    own = _grams(said)
    return any(len(own & other) > _MAX_OVERLAP * len(own) for other in same)


def _is_general(rule: _Rule, rules: Sequence[_Rule]) -> bool:
    """Return whether the law says nearly the same of somebody else: it may then hold for everybody of the
    kind.
    """
    own = _grams(rule.said)
    return any(
        other.who != rule.who and len(own & _grams(other.said)) > _MAX_ALIKE * len(own)
        for other in rules
    )


@lru_cache(maxsize=4096)
def _grams(text: str) -> frozenset[str]:
    text = modern(text)
    return frozenset(text[i : i + 3] for i in range(len(text) - 2))


def _draft(own: _Definition, rule: _Rule, near: Sequence[_Rule], seed: int) -> Iterator[Draft]:
    name = f"{rule.provision.key}/{own.term}"
    others = [r for r in near if _is_other(r.who, own) and r.said != rule.said]
    false = shuffled(others, lambda r: r.said, seed, "other", name)[: len(LABELS) - 1]
    context = context_of([own.provision, rule.provision, *(r.provision for r in false)])
    if len({rule.said, *(r.said for r in false)}) < len(LABELS) or len(context) > MAX_CONTEXT:
        return
    if own.body not in without_definitions(context):
        return
    stem = _STEMS[int(rank(seed, "stem", name), 16) % len(_STEMS)]
    yield Draft(
        type="defined",
        kind="rule",
        provisions=(rule.provision, own.provision, *(r.provision for r in false)),
        text=stem.format(law=own.provision.law, body=modern(own.body)),
        right=f"{rule.said}。",
        wrong=cast("tuple[str, str, str]", tuple(f"{r.said}。" for r in false)),
        context=context,
        excerpt=f"{own.term}\n{rule.said}",
        facts=(
            f"{own.term}: {own.body}",
            *(f"{r.who}: {r.provision.name}" for r in (rule, *false)),
        ),
    )


def _is_other(who: str, own: _Definition) -> bool:
    """Return whether a subject is certainly not the one defined, nor everybody, nor a kind of it."""
    return (
        who != own.term
        and not may_coincide(who, own.term)
        and own.term not in who
        and who not in own.term
        and who not in own.body
        and not _ALSO.search(who)
        and actor_class(who) == actor_class(own.term)
    )
