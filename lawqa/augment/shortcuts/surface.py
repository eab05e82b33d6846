"""What can be seen of a choice without understanding it.

Texts are compared after folding: width, blanks and punctuation, the old large つ, and numerals, so
that 三十日 and 30日 are the same. A paraphrase that only changes how things are written hides
nothing from these rules.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from lawqa.augment.numerals import LARGE_NUMERAL
from lawqa.questions import Question
from lawqa.statutes.numerals import to_int

SURFACE_GRAM = 3

_NUMBER = re.compile(rf"{LARGE_NUMERAL}+")
_DROPPED = re.compile(r"[\s、。，．,.「」『』（）()【】・\-#]")
_NAMED = re.compile(r"^第\d+条(?:の\d+)*(?:第\d+項)?(?:第\d+号(?:の\d+)*)?(?:によれば|では|は)")
_STATED = re.compile(r"^\s*[アイウエオ][ \u3000.．、](.+)$", re.MULTILINE)

_HEDGES = re.compile(
    r"場合がある|ことがある|できる|得る|原則|おそれ|限り|限る|等|その他|一定の|必要に応じ|政令で|省令で|ときは|場合"
)
_ABSOLUTES = re.compile(
    r"必ず|いかなる|常に|全て|すべて|のみ|だけ|一切|に限|直ちに|何ら|例外なく|一律"
)
_NEGATIONS = re.compile(r"ない|ず、|ずに|ぬ|なく|なかつ|なかっ|禁|不要|除")
_FIGURES = re.compile(r"\d+")


@dataclass(frozen=True)
class Surface:
    """A choice seen from outside."""

    length: int
    """Characters, folded."""
    verbatim: bool
    """Whether the whole of it, less the name of a provision at its head, is in the context."""
    run: float
    """The longest piece of it that is in the context, as a share of its length."""
    in_context: float
    """The share of its 3-grams that are in the context."""
    in_text: float
    """The share of its 3-grams that are in the question."""
    in_choices: float
    """The mean share of its 3-grams that another choice has too."""
    hedges: int
    """Words that qualify."""
    absolutes: int
    """Words that admit no exception."""
    negations: int
    """Words that deny."""
    figures: int
    """Numbers."""
    first_seen: float
    """Where in the context its longest piece begins, as a share of the context; 1 where it has none."""
    apart: float
    """How far that is from the next of the other choices."""


def surfaces(question: Question) -> tuple[Surface, Surface, Surface, Surface]:
    """Return what can be seen of the four choices."""
    context, text = folded(question.context), folded(question.text)
    known, asked = _grams(context), _grams(text)
    choices = [_NAMED.sub("", unicodedata.normalize("NFKC", c)) for c in question.choices]
    flat = [folded(choice) for choice in choices]
    grams = [_grams(each) for each in flat]
    runs = [longest_run(each, context) for each in flat]
    places = [at / max(len(context), 1) if run else 1.0 for run, at in runs]
    first, second, third, fourth = (
        _surface(place, choices, flat, grams, runs, places, context, known, asked)
        for place in range(4)
    )
    return first, second, third, fourth


def statements_in(text: str) -> tuple[str, ...]:
    """Return the statements ア, イ, ウ, … that a question lists, one a line."""
    return tuple(_STATED.findall(text))


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """Return the text as the rules compare it."""
    text = unicodedata.normalize("NFKC", text)
    text = _NUMBER.sub(_digits, text)
    return _DROPPED.sub("", text).replace("つた", "った").replace("つて", "って")


def without_name(statement: str) -> str:
    """Return a statement without the name of the provision that it begins with."""
    return _NAMED.sub("", unicodedata.normalize("NFKC", statement))


def longest_run(text: str, context: str) -> tuple[int, int]:
    """Return the length of the longest piece of a text that is in the context, and where it begins there."""
    best, place, start = 0, -1, 0
    while start + best < len(text):
        if text[start : start + best + 1] in context:
            best += 1
            while start + best < len(text) and text[start : start + best + 1] in context:
                best += 1
            place = context.find(text[start : start + best])
        start += 1
    return best, place


def _surface(
    place: int,
    choices: list[str],
    flat: list[str],
    grams: list[frozenset[str]],
    runs: list[tuple[int, int]],
    places: list[float],
    context: str,
    known: frozenset[str],
    asked: frozenset[str],
) -> Surface:
    own, mine = flat[place], grams[place]
    run, _ = runs[place]
    others = [grams[other] for other in range(len(flat)) if other != place]
    return Surface(
        length=len(own),
        verbatim=bool(own) and own in context,
        run=run / max(len(own), 1),
        in_context=_share(mine, known),
        in_text=_share(mine, asked),
        in_choices=sum(_share(mine, other) for other in others) / len(others),
        hedges=len(_HEDGES.findall(choices[place])),
        absolutes=len(_ABSOLUTES.findall(choices[place])),
        negations=len(_NEGATIONS.findall(choices[place])),
        figures=len(_FIGURES.findall(own)),
        first_seen=places[place],
        apart=min(abs(places[place] - places[o]) for o in range(len(flat)) if o != place),
    )


@lru_cache(maxsize=4096)
def _grams(text: str) -> frozenset[str]:
    return frozenset(text[i : i + SURFACE_GRAM] for i in range(len(text) - SURFACE_GRAM + 1))


def _share(own: frozenset[str], other: frozenset[str]) -> float:
    return len(own & other) / len(own) if own else 0.0


def _digits(numeral: re.Match[str]) -> str:
    value = to_int(numeral[0])
    return numeral[0] if value is None else str(value)
