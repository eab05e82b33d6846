"""Who a permission is asked of, where the provision that speaks of it names another by number only.

Two steps: find the provision that is quoted in other words, then the one that it refers to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from lawqa.augment.comprehension.statements import is_plain_text
from lawqa.augment.comprehension.wording import (
    TRUE_OF,
    commanded,
    loosened,
    modern,
    plainly,
    without_definitions,
)
from lawqa.augment.numerals import LARGE_NUMERAL
from lawqa.augment.provisions import MAX_CONTEXT, Provision, context_of, sentences
from lawqa.augment.questions.drafts import Draft, rank, shuffled
from lawqa.augment.questions.excerpts import adjacent
from lawqa.augment.questions.modality import deontic_sentence
from lawqa.augment.questions.statute_facts import Statute, actor_class
from lawqa.statutes.numerals import to_int

_ACTS = "許可|認可|承認|免許|登録|認定|確認|検査"
_DUTY = re.compile(
    rf"^(?P<who>[^、。「」（）]{{5,40}})は、(?:[^。]*[のる、])?(?P<act>{_ACTS})を受けなければならない。"
)
_NOTICE = re.compile(r"^(?P<who>[^、。「」（）]{5,40})は、[^。]*届け出なければならない。")
_OTHER = "届出"
_REFERENCE = re.compile(
    rf"(?:第(?P<article>{LARGE_NUMERAL}+)条(?P<branch>(?:の{LARGE_NUMERAL}+)*)|(?P<before>前条)|(?P<above>前項))"
    rf"(?:第(?P<paragraph>{LARGE_NUMERAL}+)項)?"
    rf"(?:の規定による|の)(?P<act>{_ACTS}|{_OTHER})"
)
_NUMBERED = re.compile(rf"第{LARGE_NUMERAL}+[条項号]|[前次同本][条項号]|各[項号]")
_UNCLEAR = re.compile(
    r"^(?:その|当該|これ|前|同)|者以外|次に|各号|除く|で定める|(?:とき|場合|変更|解散|合併|廃止|議決|決議)$"
)
_MAX_OVERLAP = 0.5
"""Shared trigrams (Jaccard) with another reference, above which it is unclear which of them is meant."""
_STEMS = (
    "{law}には、「{said}」という趣旨の規定があります。ここでいう{act}{must}者を教えてください。",
    "{law}によれば、{said}。ここでいう{act}{must}のはどのような者か、教えてください。",
)
_WRONG = 3


@dataclass(frozen=True)
class _Duty:
    provision: Provision
    who: str
    act: str


def referred_drafts(statute: Statute, seed: int) -> Iterator[Draft]:
    """Yield questions on whose permission, registration or notice a provision speaks of by number only."""
    places = {provision.key: place for place, provision in enumerate(statute.provisions)}
    duties = [duty for p in statute.provisions if (duty := _duty(p)) is not None]
    named = {(d.provision.article.article, d.provision.number): d for d in duties}
    references = {p.key: made for p in statute.provisions if (made := _reference(p)) is not None}
    grams = {key: _grams(_bare(made)) for key, made in references.items()}
    asked: set[str] = set()
    for provision in statute.provisions:
        reference = references.get(provision.key)
        if reference is None or not _is_unlike(provision.key, grams):
            continue
        own = named.get(_target(reference, provision, statute.provisions, places) or ("", 0))
        if own is None or own.act != reference["act"] or own.provision.key in asked:
            continue
        draft = _draft(own, provision, reference, duties, seed)
        if draft is not None:
            asked.add(own.provision.key)
            yield draft


def _bare(reference: re.Match[str]) -> str:
    """Return the sentence with the number of the other provision left out."""
    text = reference.string
    return f"{text[: reference.start()]}別の規定による{reference['act']}{text[reference.end() :]}"


def _grams(text: str) -> frozenset[str]:
    return frozenset(text[i : i + 3] for i in range(len(text) - 2))


def _is_unlike(key: str, grams: dict[str, frozenset[str]]) -> bool:
    """Return whether no other provision says nearly the same, as of a notice that has to be published."""
    own = grams[key]
    return not any(
        len(own & other) > _MAX_OVERLAP * len(own | other)
        for name, other in grams.items()
        if name != key
    )


def _duty(provision: Provision) -> _Duty | None:
    first = without_definitions(next(iter(sentences(provision.lead)), ""))
    duty, act = _DUTY.match(first), None
    if duty is None:
        duty, act = _NOTICE.match(first), _OTHER
    if duty is None or _UNCLEAR.search(duty["who"]) or _NUMBERED.search(duty["who"]):
        return None
    if not duty["who"].endswith("者") and actor_class(duty["who"]) is None:
        return None
    return _Duty(provision, duty["who"], act or duty["act"])


def _reference(provision: Provision) -> re.Match[str] | None:
    """Return the only reference of a provision of one sentence, where it is to an act of another one."""
    lead = without_definitions(provision.lead)
    matches = list(_REFERENCE.finditer(lead))
    if provision.items or len(sentences(provision.lead)) != 1 or len(matches) != 1:
        return None
    rest = lead[: matches[0].start()] + lead[matches[0].end() :]
    return None if _NUMBERED.search(rest) else matches[0]


def _target(
    reference: re.Match[str],
    provision: Provision,
    provisions: Sequence[Provision],
    places: dict[str, int],
) -> tuple[str | None, int] | None:
    """Return the article and paragraph that a reference names; None where it names none of the statute's."""
    number = to_int(reference["paragraph"]) if reference["paragraph"] else 1
    if reference["above"]:
        return provision.article.article, provision.number - 1
    if reference["article"]:
        parts = re.findall(rf"{LARGE_NUMERAL}+", reference["article"] + reference["branch"])
        article: str | None = "_".join(str(to_int(part)) for part in parts)
    else:
        article = _article_before(provision, provisions[: places[provision.key]])
    own = [p for p in provisions if p.article.article == article]
    # An article of several paragraphs that is named without one has the act in its first, or it is not clear.
    if not own or (not reference["paragraph"] and sum(_duty(p) is not None for p in own) > 1):
        return None
    return article, number or 1


def _article_before(provision: Provision, earlier: Sequence[Provision]) -> str | None:
    """Return the number of the article before; None where it is missing, as one is that was repealed."""
    others = (p for p in reversed(earlier) if p.article.id != provision.article.id)
    found = next(others, None)
    return found.article.article if found is not None and adjacent(found, provision) else None


def _draft(
    own: _Duty,
    provision: Provision,
    reference: re.Match[str],
    duties: Sequence[_Duty],
    seed: int,
) -> Draft | None:
    name = f"{provision.key}/referred"
    bare = _bare(reference)
    said = _said(bare, seed, name) if is_plain_text(bare) else None
    if said is None or own.who in bare:
        return None
    wrong: list[_Duty] = []
    order = shuffled(duties, lambda d: d.provision.key, seed, "referred", name)
    for other in sorted(order, key=lambda d: d.act != own.act):
        apart = not any(_is_kind_of(other.who, each.who) for each in (own, *wrong))
        shown = [provision, own.provision, *(d.provision for d in (*wrong, other))]
        if apart and other.who not in bare and len(context_of(shown)) <= MAX_CONTEXT:
            wrong.append(other)
        if len(wrong) == _WRONG:
            break
    if len(wrong) < _WRONG:
        return None
    shown = [provision, own.provision, *(d.provision for d in wrong)]
    stem = _STEMS[int(rank(seed, "stem", name), 16) % len(_STEMS)]
    must = "をしなければならない" if own.act == _OTHER else "を受けなければならない"
    return Draft(
        type="referred",
        kind=own.act,
        provisions=(own.provision, provision, *(d.provision for d in wrong)),
        text=stem.format(law=provision.law, said=said, act=own.act, must=must),
        right=modern(own.who),
        wrong=cast("tuple[str, str, str]", tuple(modern(d.who) for d in wrong)),
        context=context_of(shown),
        excerpt=f"{said}\n{own.who}",
        facts=(f"{provision.name} → {own.provision.name}: {own.who}",),
    )


def _is_kind_of(one: str, other: str) -> bool:
    """Return whether a name is the other with words put in, either way round: 鉄道運送事業者 is
    a 鉄道事業者.
    """
    shorter, longer = sorted((one, other), key=len)
    rest = iter(longer)
    return all(letter in rest for letter in shorter)


def _said(sentence: str, seed: int, name: str) -> str | None:
    command = deontic_sentence(sentence)
    if command is None:
        text = plainly(sentence, seed, name)
    else:
        text = commanded(command, TRUE_OF[command.force][0], seed, name)
    return modern(loosened(text, seed, name)) if text is not None else None
