"""Level labels are drawn by the question's id: fair over questions, the same for one."""

from __future__ import annotations

from collections import Counter

from lawqa.scoring.ties import draw, leaders, likeliest_label, tie_seed


def test_the_leaders_are_all_that_are_level() -> None:
    assert leaders({"a": 0.4, "b": 0.1, "c": 0.4, "d": 0.1}) == ("a", "c")
    assert leaders({"b": 2.0, "a": 1.0}) == ("b",)


def test_a_draw_is_the_same_for_one_question_and_even_over_many() -> None:
    drawn = Counter(draw("ac", f"q{n}") for n in range(2000))
    assert drawn.keys() == {"a", "c"}
    assert 900 < drawn["a"] < 1100
    assert draw("ca", "q1") == draw("ac", "q1")


def test_another_order_or_sample_draws_for_itself() -> None:
    assert tie_seed("q") == "q"
    seeds = {tie_seed("q"), tie_seed("q", (1, 0, 2, 3)), tie_seed("q", repeat=1)}
    assert len(seeds) == 3


def test_the_likeliest_label_is_drawn_only_where_it_has_company() -> None:
    assert likeliest_label([-3, -1, -2, -4], "q") == "b"
    assert likeliest_label([-1, -1, -1, -1], "q") == draw("abcd", "q")
