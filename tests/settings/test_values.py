"""A list of values is written once: a new value is one word in one place."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from lawqa.settings import By, Condition, FinalRule, LogFormat, OwnCondition, RunBy, RunFormat

# The same words with another meaning.
BY_CHANCE = {
    frozenset({"evaluate", "train"}): "the lab's two scripts, and the kinds of runs that are listed"
}


def lists_of_values(text: str) -> Iterator[tuple[int, frozenset[object]]]:
    """Line and members of every Literal of two or more constants in a module."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
            members = node.slice.elts
            if ast.unparse(node.value) in ("Literal", "typing.Literal") and all(
                isinstance(one, ast.Constant) for one in members
            ):
                yield node.lineno, frozenset(ast.literal_eval(one) for one in members)


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("A = Literal['x', 'y']", [{"x", "y"}]),
        ("def f(a: Literal['y', 'x'] | None = None): ...", [{"x", "y"}]),
        ("a: tuple[int, str]; b: Literal['one']; C = Literal[A, 'z']", []),
    ],
)
def test_lists_of_values_are_seen_wherever_a_type_is_written(
    text: str, members: list[set[object]]
) -> None:
    assert [found for _, found in lists_of_values(text)] == members


def test_no_list_of_values_is_written_twice(checkout: Path) -> None:
    places: dict[frozenset[object], list[str]] = defaultdict(list)
    for path in sorted((checkout / "lawqa").rglob("*.py")):
        for line, members in lists_of_values(path.read_text(encoding="utf-8")):
            places[members].append(f"{path.relative_to(checkout)}:{line}")
    assert len(places) > 40
    twice = {members: where for members, where in places.items() if len(where) > 1}
    assert twice.keys() - BY_CHANCE.keys() == set(), twice
    assert BY_CHANCE.keys() <= twice.keys()


def test_lists_that_hold_one_another_keep_their_order_as_help_shows_it() -> None:
    assert get_args(RunBy) == ("own", *get_args(FinalRule))
    assert get_args(By) == (*get_args(RunBy), "prompts")
    assert get_args(RunFormat) == ("csv", "parquet", *get_args(LogFormat))
    assert set(get_args(OwnCondition)) < set(get_args(Condition))
