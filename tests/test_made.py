from __future__ import annotations

import pytest

from lawqa.made import Made, where

pytestmark = pytest.mark.every_python


def test_items_are_made_when_they_are_asked_for_and_not_before() -> None:
    made: list[int] = []
    squares = Made(lambda n: made.append(n) or n * n, range(5))  # type: ignore[func-returns-value]
    assert (len(squares), made) == (5, [])
    assert (squares[2], squares[-1], made) == (4, 16, [2, 4])
    later = squares[3:]
    assert (len(later), made) == (2, [2, 4])
    assert list(later) == [9, 16]


def test_it_equals_a_tuple_of_the_same_items_only() -> None:
    squares = Made(lambda n: n * n, range(3))
    assert squares == (0, 1, 4)
    assert squares == Made(abs, (0, -1, 4))
    assert squares != (0, 1)
    assert squares != (0, 1, 5)
    assert squares != [0, 1, 4]


def test_a_place_outside_is_an_error() -> None:
    with pytest.raises(IndexError):
        Made(abs, range(3))[3]


def test_what_is_kept_is_kept_by_its_place() -> None:
    kept = where(("a", "bb", "c", "dd"), lambda text: len(text) == 2)
    assert (list(kept), kept[1], len(kept)) == (["bb", "dd"], "dd", 2)
