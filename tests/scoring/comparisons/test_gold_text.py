"""Reader and retriever separated."""

from __future__ import annotations

from lawqa.scoring import ScoredAnswer
from lawqa.scoring.comparisons import by_gold_text


def run(cells: list[tuple[bool, bool | None]]) -> list[ScoredAnswer]:
    return [
        ScoredAnswer(
            f"q{i:02}", "a", "a" if ok else "b", "correct" if ok else "wrong", gold_retrieved=hit
        )
        for i, (ok, hit) in enumerate(cells)
    ]


def test_the_four_parts_have_their_own_comparisons() -> None:
    base = run([(False, True)] * 4 + [(False, False)] * 6 + [(True, True)] * 3 + [(False, False)])
    other = run([(True, True)] * 4 + [(True, True)] * 6 + [(False, False)] * 3 + [(False, False)])
    parts = by_gold_text(base, other)
    said = [(part.where("old", "new"), part.questions, part.base.correct, part.other.correct)
            for part in parts]  # fmt: skip
    assert said == [
        ("in both prompts", 4, 0, 4),
        ("only in the prompt of old", 3, 3, 0),
        ("only in the prompt of new", 6, 0, 6),
        ("in neither prompt", 1, 0, 0),
    ]
    comparison = parts[2].comparison
    assert comparison is not None
    assert (comparison.difference, comparison.p_value) == (1.0, 2 / 2**6)
    assert parts[3].comparison is None, "one question cannot be compared"


def test_a_run_without_retrieval_is_split_by_the_other_alone() -> None:
    parts = by_gold_text(run([(True, None)] * 6), run([(True, True)] * 2 + [(False, False)] * 4))
    assert [part.where("old", "new") for part in parts] == [
        "in the prompt of new", "not in the prompt of new",
    ]  # fmt: skip
    assert by_gold_text(run([(True, None)] * 3), run([(False, None)] * 3)) == ()


def test_questions_of_which_nobody_knows_are_left_out() -> None:
    parts = by_gold_text(run([(True, None)] * 4), run([(True, True)] * 2 + [(True, None)] * 2))
    assert [part.questions for part in parts] == [2]
