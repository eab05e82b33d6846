"""What holds where one provision applies another mutatis mutandis (準用), reworded where it says so.

Four choices, two by two: the provision that is applied and another one, each once as it is and once altered.
Where words are changed (読み替え), the other one is the same provision with its words unchanged.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

from lawqa.augment.comprehension.applying import (
    Application,
    ApplyingSentence,
    applications,
    applying_sentences,
)
from lawqa.augment.comprehension.statements import (
    Statement,
    StatementSource,
    least_used,
    sources,
    statement_source,
)
from lawqa.augment.comprehension.wording import modern
from lawqa.augment.provisions import MAX_CONTEXT, Provision, context_of
from lawqa.augment.questions.drafts import Draft, rank, shuffled
from lawqa.augment.questions.self_contained import stands_unaided
from lawqa.augment.questions.statute_facts import Statute
from lawqa.choices import LABELS

_HARD = re.compile(
    r"第[〇一二三四五六七八九十百千]+[条項号]|前[各二三四五六七八九十]*[条項号]|^(?:その|当該|この|これ|同)|同[条項号法]|この(?:条|項|法律|政令|省令)"
    r"|(?<![一-龠])[法令](?:第|の|に)|は、|次に|各号|別表|準用"
)
_REFERENCE = re.compile(r"[条項号]|法|令")
_NEAR = 30
"""Sentences between the provision that is applied and another that is not."""

_PLAIN = (
    "{law}において、{subject}について準用される規定の内容として、正しいものを教えてください。",
    "{law}によれば、{subject}についてはどのような規定が準用されますか。その内容として正しいものを教えてください。",
)
_REREAD = (
    "{law}において、{subject}について準用される規定を、定められたとおりに読み替えた内容として、正しいものを教えてください。",
    "{law}により{subject}について準用される規定は、読み替えるとどのような内容になりますか。正しいものを教えてください。",
)


def applied_drafts(statute: Statute, seed: int) -> Iterator[Draft]:
    """Yield questions on what is applied to something by a provision that only names the other's number."""
    found = [a for a in applications(statute.provisions) if _is_clear(a)]
    if not found:
        return
    known = {source.provision.key: source for source in sources(statute, seed)}
    every = applying_sentences(statute.provisions)
    asked: set[str] = set()
    for application in found:
        name = application.provision.key
        applied = shuffled(application.applied, lambda p: p.key, seed, "applied", name)
        own = next((known[p.key] for p in applied if p.key in known), None)
        if own is None or application.subject in asked or application.subject in own.sentence:
            continue
        if application.changes:
            draft = _reread(application, own, statute, seed)
        else:
            draft = _plain(application, own, list(known.values()), every, seed)
        if draft is not None:
            asked.add(application.subject)
            yield draft


def _is_clear(application: Application) -> bool:
    """Return whether its subject means the same wherever it is quoted."""
    subject = application.subject
    return not _HARD.search(subject) and stands_unaided(subject)


def _plain(
    application: Application,
    own: StatementSource,
    known: Sequence[StatementSource],
    every: Sequence[ApplyingSentence],
    seed: int,
) -> Draft | None:
    place = known.index(own)
    covered = _also_applied(application, every)
    near = [
        other
        for other in known[max(0, place - _NEAR) : place + _NEAR + 1]
        if other.provision.article.article not in covered
        and application.subject not in other.provision.text
    ]
    for other in shuffled(near, lambda s: s.provision.key, seed, "applied", own.provision.key):
        shown = (own.provision, application.provision, other.provision)
        if len(context_of(shown)) <= MAX_CONTEXT:
            return _draft(application, own, other, shown, _PLAIN, seed)
    return None


def _also_applied(
    application: Application, every: Sequence[ApplyingSentence]
) -> frozenset[str | None]:
    """Return the articles that may be applied to the same subject, whatever applies them."""
    named = {provision.article.article for provision in application.applied}
    for mention in every:
        if application.subject in mention.text:
            named |= mention.articles
    return frozenset(named)


def _reread(
    application: Application, own: StatementSource, statute: Statute, seed: int
) -> Draft | None:
    changes = {before: after for before, after in application.changes if before in own.sentence}
    if not changes or any(_REFERENCE.search(word) for pair in changes.items() for word in pair):
        return None
    if any(_within(before, own.sentence) for before in changes):
        return None
    excerpt = own.excerpt
    changed = statement_source(
        replace(excerpt, text=_changed(excerpt.text, changes)), statute, seed
    )
    if changed is None:
        return None
    words = [modern(after) for after in changes.values()]
    kept = tuple(s for s in own.false if not all(word in s.text for word in words))
    if not kept:
        return None
    shown = (own.provision, application.provision)
    if len(context_of(shown)) > MAX_CONTEXT:
        return None
    return _draft(application, changed, replace(own, false=kept), shown, _REREAD, seed)


def _within(word: str, text: str) -> bool:
    """Return whether a word is also part of a longer one: what 麻薬輸出業者 becomes is not said by 麻薬."""
    return (
        re.search(rf"[一-龠々ァ-ヴー]{re.escape(word)}|{re.escape(word)}[一-龠々ァ-ヴー]", text)
        is not None
    )


def _changed(text: str, changes: Mapping[str, str]) -> str:
    words = sorted(changes, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, words)), lambda match: changes[match[0]], text)


def _draft(
    application: Application,
    own: StatementSource,
    other: StatementSource,
    shown: Sequence[Provision],
    stems: Sequence[str],
    seed: int,
) -> Draft | None:
    name = f"{application.provision.key}/applied"
    # The first says what the provision says; that a power is no duty only follows from it.
    right = own.true[0]
    wrong = (
        _said(own.false, seed, f"{name}/altered"),
        other.true[0],
        _said(other.false, seed, f"{name}/other altered"),
    )
    if len({right.text, *(s.text for s in wrong)}) < len(LABELS):
        return None
    stem = stems[int(rank(seed, "stem", name), 16) % len(stems)]
    changes = tuple(f"{before}→{after}" for before, after in application.changes)
    return Draft(
        type="applied",
        kind="reread" if changes else "plain",
        provisions=tuple(dict.fromkeys(shown)),
        text=stem.format(law=application.provision.law, subject=modern(application.subject)),
        right=right.text,
        wrong=cast("tuple[str, str, str]", tuple(s.text for s in wrong)),
        context=context_of(shown),
        excerpt=f"{application.subject}\n{right.text}",
        facts=(
            f"{application.provision.name} → {own.provision.name}",
            *changes,
            *(f"{s.provision.name}: {s.fact or 'そのまま'}" for s in wrong),
        ),
    )


def _said(statements: Sequence[Statement], seed: int, name: str) -> Statement:
    return least_used(statements, Counter(), seed, name)
