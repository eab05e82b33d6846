"""What one statute offers to its questions: its wording, its quantities, its actors, its defined terms.

Wrong answers are taken from here, so that they are of the statute's own kind, and are checked against the
wording, so that none of them is what the statute says.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lawqa.augment.numerals import Quantity, quantities
from lawqa.augment.provisions import Provision
from lawqa.augment.questions.excerpts import Excerpt, excerpts

_SUBJECT = re.compile(
    r"(?:^|(?<=[、。）]))((?:建物の)?(?![当各前同本])(?:[一-龠々ァ-ヴー]|あつせん){2,20})は、",
    re.MULTILINE,
)
_DEFINED = re.compile(r"「((?!第)[^「」（）]{3,20})」とは、")
_AUTHORITY = re.compile(
    r"(?<![一-龠々])[一-龠々]{1,8}(?:大臣|庁長官|財務局長|都道府県知事|裁判所|監視委員会|税務署長)(?![一-龠々])"
)
_MANY = 6
"""This many quantities of a unit are enough to choose wrong answers from."""

_VAGUE = re.compile(r"^(?:当該|各|前|同|主務|所管|特定関係|所轄|関係|本|他|受訴|管轄)")

PROCEDURES = ("登録", "許可", "承認", "認可", "免許", "認定", "確認", "指定", "認証")
"""The acts by which an authority lets somebody do something; each has its own meaning in law."""

# An actor's class is how its name ends: only actors of one class are answers to one question.
_CLASSES = (
    (
        "authority",
        r"大臣|長官|知事|市長|局長|支局長|区長|裁判所|証券取引等監視委員会|税務署長|公安委員会",
    ),
    ("body", r"協会|機関|機構|法人|取引所|基金|会社|団体|センター|委員会|理事会|総会"),
    ("officer", r"理事|監事|理事長|役員|審判官|審判長|委員|会長|清算人|発起人|指定職員|職員|会員"),
    ("person", r"者|者等|人|人等|業者|販売士"),
)
_CLASS_PATTERNS = tuple((name, re.compile(rf"(?:{ends})$")) for name, ends in _CLASSES)


@dataclass(frozen=True)
class Statute:
    """One statute, seen from the questions that are made of it."""

    law: str
    """Its title."""
    excerpts: tuple[Excerpt, ...]
    """The sentences and items that questions may be made of, in order."""
    provisions: tuple[Provision, ...]
    """The paragraphs that questions may be made of, in order."""
    wording: str
    """Everything it says, also where no question may be made of it."""
    articles: dict[str, str]
    """The text of each article, by its id."""
    quantities: dict[str, tuple[Quantity, ...]]
    """The quantities that wrong answers are taken from, by unit, each once, smallest first."""
    article_quantities: dict[str, tuple[Quantity, ...]]
    """The quantities of each article, by its id."""
    actors: dict[str, str]
    """Those whom the statute makes do something, and all authorities, with their classes; busiest first."""
    procedures: tuple[str, ...]
    """Those of `PROCEDURES` that it knows."""
    terms: tuple[str, ...]
    """Terms that it defines (「…」とは)."""

    def says(self, text: str) -> bool:
        """Return whether these words are anywhere in the statute."""
        return text in self.wording


def statutes_of(every: Sequence[Provision], usable: Iterable[Provision]) -> tuple[Statute, ...]:
    """Return the statutes of a file.

    Args:
        every: all paragraphs, in order; wrong answers are checked against them.
        usable: those that questions may be made of and wrong answers taken from.
    """
    allowed = {provision.key for provision in usable}
    by_law: dict[str, list[Provision]] = {}
    for provision in every:
        by_law.setdefault(provision.law, []).append(provision)
    return tuple(_statute(law, own, allowed) for law, own in by_law.items())


def actor_class(name: str) -> str | None:
    """Return authority, body, officer or person, by how the name ends; None for what is no actor."""
    return next((kind for kind, ends in _CLASS_PATTERNS if ends.search(name)), None)


def _statute(law: str, provisions: Sequence[Provision], allowed: set[str]) -> Statute:
    articles: dict[str, list[str]] = {}
    for provision in provisions:
        articles.setdefault(provision.article.id, []).append(provision.text)
    usable = tuple(p for p in provisions if p.key in allowed)
    texts = {key: "\n".join(parts) for key, parts in articles.items()}
    used = "\n".join(p.text for p in usable)
    # A reference to an article that may not be used would put its text into a context.
    whole = tuple(
        excerpt
        for excerpt in excerpts(provisions)
        if excerpt.provision.key in allowed
        and all(p.key in allowed for ref in excerpt.references for p in ref.provisions)
    )
    return Statute(
        law=law,
        excerpts=whole,
        provisions=usable,
        wording="\n".join(texts.values()),
        articles=texts,
        quantities=_by_unit(quantities(used)),
        article_quantities={key: tuple(quantities(text)) for key, text in texts.items()},
        actors=_actors(usable),
        procedures=tuple(word for word in PROCEDURES if f"の{word}を受け" in used),
        terms=tuple(dict.fromkeys(_DEFINED.findall(used))),
    )


def _by_unit(found: Iterable[Quantity]) -> dict[str, tuple[Quantity, ...]]:
    """Return the quantities by unit, each once; where many occur twice, those that occur only once are left
    out.

    A number in one sentence of the statute is right at most once, so it would be known as wrong.
    """
    every = list(found)
    times = Counter(quantity.text for quantity in every)
    units: dict[str, dict[str, Quantity]] = {}
    for quantity in every:
        units.setdefault(quantity.unit, {}).setdefault(quantity.text, quantity)
    chosen = {}
    for unit, named in units.items():
        common = [quantity for quantity in named.values() if times[quantity.text] > 1]
        kept = common if len(common) >= _MANY else list(named.values())
        chosen[unit] = tuple(sorted(kept, key=lambda q: (q.value, q.text)))
    return chosen


def _actors(provisions: Iterable[Provision]) -> dict[str, str]:
    """Return subjects of sentences whose names tell their class, and all authorities, the busiest first."""
    subjects: Counter[str] = Counter()
    authorities: set[str] = set()
    for provision in provisions:
        subjects.update(_SUBJECT.findall(provision.lead))
        authorities.update(_AUTHORITY.findall(provision.text))
    # 規定中都道府県知事 is no authority, but words run together.
    run_together = {
        name
        for name in authorities.difference(subjects)
        if any(name != other and name.endswith(other) for other in authorities.union(subjects))
        and not name.endswith("裁判所")
    }
    names = sorted((authorities | set(subjects)) - run_together, key=lambda n: (-subjects[n], n))
    classes = {name: actor_class(name) for name in names if not _VAGUE.match(name)}
    return {name: kind for name, kind in classes.items() if kind is not None}
