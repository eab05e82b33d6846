from __future__ import annotations

from typing import Any

import pytest

from lawqa.runs.question_entries import QuestionEntries

USUAL: list[Any] = [
    {"id": "民法_1", "order": 1, "fingerprint": "0123456789abcdef"},
    {"id": "民法_1", "order": 24, "fingerprint": "0123456789abcdef"},
    {"id": "刑法_2", "order": 1, "fingerprint": "ffffffffffffffff"},
]
OTHERS: list[Any] = [
    {"id": "民法_1", "order": 1},
    {"id": "民法_1", "order": 1, "fingerprint": "0123456789abcdef", "more": 1},
    {"id": "民法_1", "order": 300, "fingerprint": "0123456789abcdef"},
    {"id": "民法_1", "order": True, "fingerprint": "0123456789abcdef"},
    {"id": 5, "order": 1, "fingerprint": "0123456789abcdef"},
    {"id": "民法_1", "order": 1, "fingerprint": "0123456789ABCDEF"},
    {"id": "民法_1", "order": 1, "fingerprint": None},
    "no object",
]


def test_what_is_put_in_comes_out() -> None:
    entries = QuestionEntries([*USUAL, *OTHERS])
    assert list(entries) == [*USUAL, *OTHERS]
    assert (len(entries), entries[-1], entries[1:3]) == (
        len(USUAL + OTHERS),
        OTHERS[-1],
        USUAL[1:3],
    )
    assert entries == [*USUAL, *OTHERS] == entries
    with pytest.raises(IndexError):
        entries[len(entries)]


def test_keys_and_ids_are_those_of_the_questions() -> None:
    entries = QuestionEntries(USUAL)
    assert [entries.key(n) for n in range(3)] == ["民法_1#1", "民法_1#24", "刑法_2#1"]
    assert entries.question_id(2) == "刑法_2"


@pytest.mark.parametrize("changed", [USUAL[:2], USUAL[::-1], [*USUAL[:2], OTHERS[0]], []])
def test_other_entries_are_not_equal_and_have_another_digest(changed: list[Any]) -> None:
    assert QuestionEntries(USUAL) != QuestionEntries(changed)
    assert QuestionEntries(USUAL).digest != QuestionEntries(changed).digest
    assert QuestionEntries(USUAL) == QuestionEntries(USUAL)
    assert QuestionEntries(USUAL).digest == QuestionEntries(USUAL).digest
