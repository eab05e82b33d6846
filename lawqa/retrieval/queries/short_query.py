"""A query that a person types, 「借地借家法 正当事由」: words, the statute it names, captions.

Questions keep the ranking of `retriever`; a query is short, has no choices, and asks no full question.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lawqa.retrieval.queries.words import Cut, other_spellings, words_of
from lawqa.statutes.law_names import LawNames
from lawqa.statutes.normalise import normalise

LONGEST = 40
"""More characters than this are a question."""

_ASKS = re.compile(
    r"[。？?]|第[0-9]+[条項号]|(?:です|ます|でしょう|だろう|まで|もの|の|何)か$|ください$|正しい|誤って"
)


@dataclass(frozen=True)
class ShortQuery:
    """What is searched for."""

    words: tuple[str, ...]
    """Its words, normalised, without names of statutes."""
    others: tuple[str, ...]
    """What statutes may write instead."""
    laws: tuple[int, ...]
    """The statutes it names."""

    def parts(self, text: str) -> list[tuple[str, float]]:
        """Return texts with their weights: bigrams inside words count whole, those between them little."""
        parts = [("\n".join(self.words), 1.0), (text, _BETWEEN)]
        return [*parts, ("\n".join(self.others), _OTHERS)] if self.others else parts


_BETWEEN = 0.2
"""The weight of the query as it was typed, whose words may be a phrase of the statute."""
_OTHERS = 0.7
"""The weight of words that the person did not type."""


def read_short_query(
    text: str, choices: Sequence[str], names: LawNames, cut: Cut | None = None
) -> ShortQuery | None:
    """Return the words and statutes of a short query; None where the text is a question, or names statutes
    only.
    """
    normalised = normalise(text).strip()
    if choices or len(normalised) > LONGEST or _ASKS.search(normalised):
        return None
    laws, rest, end = [], [], 0
    for mention in names.mentions(normalised):
        rest.append(normalised[end : mention.start])
        laws.append(mention.law)
        end = mention.end
    bare = " ".join([*rest, normalised[end:]])
    words = [normalise(word) for word in words_of(bare, cut)]
    if not words:
        return None
    others = [normalise(word) for word in other_spellings(bare)]
    return ShortQuery(tuple(words), tuple(others), tuple(dict.fromkeys(laws)))
