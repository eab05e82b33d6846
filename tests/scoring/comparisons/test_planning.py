"""What a planned comparison could see."""

from __future__ import annotations

import math

import pytest

from lawqa.scoring.comparisons import (
    Design,
    detectable_difference,
    final_discordance,
    minimum_detectable_difference,
)


def test_single_answers_give_the_exact_difference() -> None:
    for n, discordance in ((42, 0.25), (140, 0.15), (140, 0.35)):
        expected = minimum_detectable_difference(n, discordance)
        assert detectable_difference(Design(n, discordance)) == pytest.approx(expected)
        # Greedy answers in one order do not change when they are asked again.
        assert detectable_difference(
            Design(n, discordance, votes=8), repeatable=1
        ) == pytest.approx(expected)


def test_votes_orders_and_seeds_lower_it_and_four_orders_of_two_are_eight_votes() -> None:
    single = detectable_difference(Design(140, 0.25)) or 0
    vote = detectable_difference(Design(140, 0.25, votes=8)) or 0
    seeds = detectable_difference(Design(140, 0.25, seeds=3)) or 0
    assert vote < seeds < single
    assert detectable_difference(Design(140, 0.25, orders=4, votes=2)) == vote
    assert detectable_difference(Design(5, 0.25)) is None


def test_the_discordance_of_a_vote_is_that_of_simulated_models_that_know_the_same() -> None:
    import numpy as np

    rng = np.random.default_rng(4)
    repeatable, votes, n = 0.6, 5, 200_000
    shape = (1 / repeatable - 1) / 2
    known = rng.beta(shape, shape, n)
    single = [rng.random(n) < known for _ in range(2)]
    assert np.corrcoef(single)[0, 1] == pytest.approx(repeatable, abs=0.01)
    discordance = (1 - repeatable) / 2
    assert (single[0] != single[1]).mean() == pytest.approx(discordance, abs=0.005)
    voted = [rng.binomial(votes, known) > votes / 2 for _ in range(2)]
    found = final_discordance(Design(140, discordance, votes=votes), repeatable)
    assert (voted[0] != voted[1]).mean() == pytest.approx(found, abs=0.005)


def test_a_spread_between_trainings_adds_up_as_a_variance_over_the_seeds() -> None:
    alone = detectable_difference(Design(140, 0.25, seeds=3)) or 0
    reach = 1.959964 + 0.841621  # of a two-sided test at .05 with 80% power
    spread = detectable_difference(Design(140, 0.25, seeds=3), spread=0.04) or 0
    assert spread == pytest.approx(math.hypot(alone, reach * 0.04 / math.sqrt(3)), rel=1e-5)


@pytest.mark.parametrize("repeatable", [-0.1, 1.1])
def test_an_impossible_agreement_is_refused(repeatable: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        detectable_difference(Design(140, 0.25), repeatable=repeatable)
    with pytest.raises(ValueError, match="1 or more"):
        final_discordance(Design(140, 0.25, votes=0), 0.5)
