"""Questions that must be read: no choice is recognised by its wording.

wording      the law in other words
ruby         readings that are in a text as if they were part of it
statements   true and false statements made of one sentence
judged       which of four statements is right, or wrong; how many are
listed       what a list holds
excepted     the exception to a rule
penalised    what a breach of a rule is punished with
defined      what holds for somebody described by a definition
referred     whose permission a rule speaks of that names another by number
applying     provisions that apply others mutatis mutandis (準用), read
applied      what holds where a provision applies another one
thinning     questions left out until no cheap solver does well
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from lawqa.augment.comprehension.applied import applied_drafts
from lawqa.augment.comprehension.defined import defined_drafts
from lawqa.augment.comprehension.excepted import excepted_drafts
from lawqa.augment.comprehension.judged import counted_drafts, judged_drafts
from lawqa.augment.comprehension.listed import listed_drafts
from lawqa.augment.comprehension.penalised import penalised_drafts
from lawqa.augment.comprehension.referred import referred_drafts
from lawqa.augment.comprehension.statements import sources
from lawqa.augment.comprehension.thinning import thinned
from lawqa.augment.question_types import ReadingType
from lawqa.augment.questions.drafts import Draft
from lawqa.augment.questions.statute_facts import Statute

__all__ = ["reading_drafts", "thinned"]

_BY_STATEMENT = {"judged": judged_drafts, "counted": counted_drafts}
_BY_STATUTE = {
    "listed": listed_drafts,
    "excepted": excepted_drafts,
    "penalised": penalised_drafts,
    "defined": defined_drafts,
    "referred": referred_drafts,
    "applied": applied_drafts,
}


def reading_drafts(statute: Statute, types: Collection[ReadingType], seed: int) -> Iterator[Draft]:
    """Yield the questions of these types that a statute gives, before any is left out."""
    wanted = [kind for kind in _BY_STATEMENT if kind in types]
    usable = list(sources(statute, seed)) if wanted else []
    for kind in wanted:
        yield from _BY_STATEMENT[kind](usable, seed)
    for kind, maker in _BY_STATUTE.items():
        if kind in types:
            yield from maker(statute, seed)
