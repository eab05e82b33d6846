"""Groups: sets of questions that must stay on one side of a split, with the reasons."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from lawqa.questions import Question
from lawqa.splits.audit_items import item_of_question
from lawqa.splits.reasons import Reason, pairs_within


@dataclass(frozen=True, order=True)
class Link:
    """Two questions and one thing that they have in common."""

    first: str
    """`Question.key` of the one that comes first by id and order."""
    second: str
    """`Question.key` of the other."""
    reason: Reason
    """What they have in common."""


@dataclass(frozen=True)
class Group:
    """Questions that must stay together."""

    members: tuple[Question, ...]
    """By id and order."""
    links: tuple[Link, ...]
    """Why they belong together: enough links to connect all members, every near pair among them."""

    @property
    def name(self) -> str:
        """The key of its first member."""
        return self.members[0].key


def find_groups(questions: Sequence[Question]) -> tuple[Group, ...]:
    """Return the finest division into groups of which no two have anything in common.

    Questions belong together if they share id, question and choices, question text and right answer,
    context, or a main paragraph, or come near in context, question or question text (`Reason`), or are linked
    so through others.

    Args:
        questions: in any order; the groups do not depend on it.

    Returns:
        All groups, those of one question too, by the id and order of their first member.
    """
    ordered = sorted(questions, key=lambda q: (q.id, q.order))
    items = [item_of_question(question) for question in ordered]
    forest = list(range(len(items)))
    pairs = sorted(set(pairs_within(items)))
    for first, second, _ in pairs:
        one, other = sorted((_root(forest, first), _root(forest, second)))
        forest[other] = one
    links: defaultdict[int, list[Link]] = defaultdict(list)
    for first, second, reason in pairs:
        link = Link(items[first].name, items[second].name, reason)
        links[_root(forest, first)].append(link)
    members: defaultdict[int, list[Question]] = defaultdict(list)
    for index, question in enumerate(ordered):
        members[_root(forest, index)].append(question)
    return tuple(Group(tuple(members[root]), tuple(links[root])) for root in sorted(members))


def _root(forest: list[int], index: int) -> int:
    while forest[index] != index:
        forest[index] = forest[forest[index]]
        index = forest[index]
    return index
