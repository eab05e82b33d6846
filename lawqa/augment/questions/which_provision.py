"""Which provision says it: a quoted sentence or item, and four provisions of one statute to choose from.

All four are in the context, so that a heading alone gives nothing away; and the quoted words, or words much
like them, are in only one of the four.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import cast

from lawqa.augment.numerals import LARGE_NUMERAL
from lawqa.augment.provisions import Provision, ProvisionItem, context_of, deleted
from lawqa.augment.questions.drafts import Draft, rank, shuffled
from lawqa.augment.questions.excerpts import Excerpt
from lawqa.augment.questions.self_contained import item_stands_alone, stands_unaided
from lawqa.augment.questions.statute_facts import Statute
from lawqa.choices import LABELS

MAX_QUOTE, MAX_LEAD = 200, 450
"""The most characters of the quoted sentence, and of the paragraphs shown with it."""

MIN_QUOTE = 28
MAX_OVERLAP = 0.5
"""The largest share of the quote's 4-grams that a wrong choice's text may hold."""

_NEIGHBOURS = 9
"""Wrong choices are drawn from the N nearest provisions."""

_GRAM = 4
_BELOW_ARTICLE = re.compile(rf"第{LARGE_NUMERAL}+[項号]")
# What comes before 第一項 where it is the first paragraph of another article: 第五条第一項, 同条第一項 …
_ITS_ARTICLE = re.compile(rf"(?:条(?:の{LARGE_NUMERAL}+)*|[項号法令])$")
# … also in an enumeration: 第五条第一項、第二項又は第三項.
_ENUMERATED = re.compile(r"[項号](?:（[^（）]*）)?(?:、|及び|又は|若しくは|並びに|から)$")
_THIS_PLACE = re.compile(r"この[条項号款節章目]|同項|本条")
_STEMS = (
    "{law}において、「{quote}」と定めている条項を教えてください。",
    "次の内容を定めている{law}の条項を教えてください。「{quote}」",
    "「{quote}」ことの根拠となる{law}の条項を教えてください。",
)
_ITEM_STEM = "{law}{name}の各号のうち、「{quote}」を掲げている号を教えてください。"


def which_drafts(statute: Statute, seed: int) -> Iterator[Draft]:
    """Yield one question for each paragraph that has a sentence of its own, and for each four items of a
    list.
    """
    asked: set[str] = set()
    places = {provision.key: place for place, provision in enumerate(statute.provisions)}
    grams = {provision.key: _grams(provision.text) for provision in statute.provisions}
    for excerpt in statute.excerpts:
        key = excerpt.provision.key
        if key in asked or not _is_quotable(excerpt, statute):
            continue
        place, quoted = places[key], _grams(excerpt.text)
        near = statute.provisions[max(0, place - _NEIGHBOURS) : place + _NEIGHBOURS + 1]
        wrong = [
            other
            for other in near
            if _is_choice(other, excerpt.provision)
            and _overlap(quoted, grams[other.key]) < MAX_OVERLAP
        ]
        if len(wrong) >= 3:
            asked.add(key)
            yield _draft(excerpt, shuffled(wrong, lambda p: p.key, seed, "which", key)[:3], seed)
    for provision in statute.provisions:
        yield from _item_draft(provision, seed)


def _is_quotable(excerpt: Excerpt, statute: Statute) -> bool:
    text = excerpt.text
    return (
        excerpt.item is None
        and not excerpt.below
        and stands_unaided(text)
        and MIN_QUOTE <= len(text) <= MAX_QUOTE
        and len(excerpt.provision.lead) <= MAX_LEAD
        and not speaks_of_its_place(text)
        and statute.wording.count(text) == 1
    )


def speaks_of_its_place(text: str) -> bool:
    """Return whether it holds 第一項 without an article, or この条: words that only their place
    makes clear.
    """
    if _THIS_PLACE.search(text):
        return True
    places = (text[: match.start()] for match in _BELOW_ARTICLE.finditer(text))
    return not all(_ITS_ARTICLE.search(p) or _ENUMERATED.search(p) for p in places)


def _is_choice(other: Provision, right: Provision) -> bool:
    return other.key != right.key and 0 < len(other.lead) <= MAX_LEAD and not deleted(other.lead)


def _grams(text: str) -> frozenset[str]:
    return frozenset(text[i : i + _GRAM] for i in range(len(text) - _GRAM + 1))


def _overlap(quoted: frozenset[str], text: frozenset[str]) -> float:
    return len(quoted & text) / max(len(quoted), 1)


def _draft(excerpt: Excerpt, wrong: Sequence[Provision], seed: int) -> Draft:
    provision = excerpt.provision
    stem = _STEMS[int(rank(seed, "stem", "which", provision.key), 16) % len(_STEMS)]
    return Draft(
        type="which",
        kind="paragraph",
        provisions=(provision, *wrong),
        text=stem.format(law=provision.law, quote=excerpt.text.removesuffix("。")),
        right=provision.name,
        wrong=cast("tuple[str, str, str]", tuple(other.name for other in wrong)),
        context=context_of([provision, *wrong]),
        excerpt=excerpt.text,
        facts=(provision.name,),
    )


def _item_draft(provision: Provision, seed: int) -> Iterator[Draft]:
    """Yield a question on one item in four of a list, counting those that are short and unlike all others."""
    context = context_of([provision])
    if not all(item.text in context for item in provision.items):
        return  # too long to be shown whole
    apart: list[ProvisionItem] = []
    for item in shuffled(provision.items, lambda i: i.number, seed, "items", provision.key):
        own = _grams(item.text)
        if _is_plain(item) and all(
            max(_overlap(own, _grams(other.text)), _overlap(_grams(other.text), own)) < MAX_OVERLAP
            for other in provision.items
            if other is not item
        ):
            apart.append(item)
    for right in apart[: len(apart) // len(LABELS)]:
        wrong = [item for item in apart if item is not right]
        wrong = shuffled(wrong, lambda i: i.number, seed, "items", provision.key, right.number)
        yield Draft(
            type="which",
            kind="item",
            provisions=(provision,),
            text=_ITEM_STEM.format(law=provision.law, name=provision.name, quote=right.text),
            right=provision.name + right.name,
            wrong=cast(
                "tuple[str, str, str]", tuple(provision.name + item.name for item in wrong[:3])
            ),
            context=context,
            excerpt=right.text,
            facts=(right.name,),
        )


def _is_plain(item: ProvisionItem) -> bool:
    return (
        not item.below
        and 4 <= len(item.text) <= 120
        and not deleted(item.text)
        and "当該" not in item.text
        and item_stands_alone(item.text)
        and stands_unaided(item.text)
    )
