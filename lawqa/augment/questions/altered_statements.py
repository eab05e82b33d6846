"""The true statement among altered ones: four provisions of one statute, three with one fact altered.

Each choice is a different provision, named in it. Four versions of one sentence would be answered without any
knowledge of law: the true one is the version that all others resemble.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import cast

from lawqa.augment.provisions import context_of
from lawqa.augment.questions.alterations import Alteration, alterations
from lawqa.augment.questions.drafts import Draft, rank, shuffled
from lawqa.augment.questions.excerpts import Excerpt
from lawqa.augment.questions.self_contained import stands_unaided
from lawqa.augment.questions.statute_facts import Statute

MAX_STATEMENT = 170
"""The most characters of a statement; four of them must be weighed against each other."""

_OFFSETS = (0, 2, 1)
"""Where the groups of four begin, round by round: a statement is in three questions, in new company."""

_WEIGHTS = {"exemption": 4}
"""How much one use of a kind counts.

Statutes seldom say ことを要しない: if it stood in every second wrong choice, it would give itself away.
"""

_STEMS = (
    "次のうち、{law}の規定の内容として正しいものを教えてください。",
    "{law}について、条文の内容と一致するものを教えてください。",
    "{law}に関する次の記述のうち、正しいものを教えてください。",
)
_Statement = tuple[Excerpt, tuple[Alteration, ...]]


def altered_drafts(statute: Statute, seed: int) -> Iterator[Draft]:
    """Yield questions of four neighbouring statements; each statement is in three of them at most."""
    statements = [
        (excerpt, changes)
        for excerpt in statute.excerpts
        if _is_statement(excerpt) and (changes := tuple(alterations(excerpt, statute, seed)))
    ]
    used: Counter[str] = Counter()
    for turn, offset in enumerate(_OFFSETS):
        for start in range(offset, len(statements) - 3, 4):
            yield _draft(statements[start : start + 4], turn, seed, used)


def _is_statement(excerpt: Excerpt) -> bool:
    """Return whether an excerpt can be true or false by itself: no item, no proviso after it,
    no 前項 in it.
    """
    return (
        excerpt.item is None
        and not excerpt.below
        and not excerpt.excepted
        and stands_unaided(excerpt.text)
        and len(excerpt.text) <= MAX_STATEMENT
    )


def _draft(group: Sequence[_Statement], turn: int, seed: int, used: Counter[str]) -> Draft:
    name = "/".join(f"{excerpt.provision.key}/{excerpt.text[:20]}" for excerpt, _ in group)
    place = int(rank(seed, "true", str(turn), name), 16) % len(group)
    true = group[place][0]
    false = [statement for index, statement in enumerate(group) if index != place]
    changes = [_chosen(changes, f"{name}{turn}", seed, used) for _, changes in false]
    stem = _STEMS[int(rank(seed, "stem", str(turn), name), 16) % len(_STEMS)]
    wrong = [_choice(excerpt, c.text) for (excerpt, _), c in zip(false, changes, strict=True)]
    return Draft(
        type="altered",
        kind="+".join(sorted({change.kind for change in changes})),
        provisions=(true.provision, *(excerpt.provision for excerpt, _ in false)),
        text=stem.format(law=true.provision.law),
        right=_choice(true, true.text),
        wrong=cast("tuple[str, str, str]", tuple(wrong)),
        context=context_of([excerpt.provision for excerpt, _ in group]),
        excerpt=true.text,
        facts=tuple(
            f"{excerpt.name}: {change.before}→{change.after}"
            for (excerpt, _), change in zip(false, changes, strict=True)
        ),
    )


def _choice(excerpt: Excerpt, text: str) -> str:
    return f"{excerpt.name}によれば、{text}"


def _chosen(changes: Sequence[Alteration], name: str, seed: int, used: Counter[str]) -> Alteration:
    """Return one of the alterations: of the kind used least so far, then as the seed has it.

    Without this nine of ten alterations would be of the last words, which every sentence offers.
    """
    least = min(used[change.kind] for change in changes)
    rarest = [change for change in changes if used[change.kind] == least]
    chosen = shuffled(rarest, lambda change: change.text, seed, "alteration", name)[0]
    used[chosen.kind] += _WEIGHTS.get(chosen.kind, 1)
    return chosen
