"""What knows no law."""

from __future__ import annotations

import pytest

from lawqa.choices import all_orders, permute_label
from lawqa.errors import DataError
from lawqa.scoring import ScoredAnswer, floors_of, summarise


def test_the_constant_label_is_the_most_frequent_gold_label() -> None:
    golds = "a" * 23 + "b" * 37 + "c" * 48 + "d" * 32
    floors = floors_of([ScoredAnswer(f"q{i}", g, None, "unparsed") for i, g in enumerate(golds)])  # type: ignore[arg-type]
    assert (floors.chance, floors.constant_label) == (0.25, "c")
    assert floors.constant == 48 / 140
    assert floors.longest_choice is None


def test_equally_frequent_labels_go_by_label() -> None:
    answers = [ScoredAnswer(f"q{i}", g, None, "failed") for i, g in enumerate("dbdb")]  # type: ignore[arg-type]
    assert floors_of(answers).constant_label == "b"


def test_the_longest_choice_counts_and_equals_share() -> None:
    answers = [ScoredAnswer(f"q{i}", "a", None, "unparsed") for i in range(4)]
    lengths = {
        "q0": [9, 1, 1, 1],  # right
        "q1": [1, 9, 1, 1],  # wrong
        "q2": [9, 9, 1, 1],  # one of two
        "q3": [5, 5, 5, 5],  # one of four
    }
    assert floors_of(answers, lengths).longest_choice == (1 + 0 + 1 / 2 + 1 / 4) / 4


def test_lengths_are_those_of_the_original_order() -> None:
    for order in all_orders():
        answer = ScoredAnswer("q", permute_label("c", order), None, "unparsed", order=order)
        assert floors_of([answer], {"q": [1, 2, 9, 3]}).longest_choice == 1
        assert floors_of([answer], {"q": [9, 2, 1, 3]}).longest_choice == 0


@pytest.mark.parametrize("lengths", [{}, {"q": [1, 2, 3]}, {"other": [1, 2, 3, 4]}])
def test_missing_lengths_are_an_error_that_names_the_question(
    lengths: dict[str, list[int]],
) -> None:
    with pytest.raises(DataError, match="question q: found"):
        summarise([ScoredAnswer("q", "a", "a", "correct")], choice_lengths=lengths)


def test_no_prompts_have_no_floors() -> None:
    with pytest.raises(DataError, match="no floors"):
        floors_of([])
