"""The prior of the letters: estimated without right answers, removed from other questions only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from lawqa.choices import LABELS, Label, Order, cyclic_orders, permute_label
from lawqa.errors import DataError
from lawqa.scoring import ScoredAnswer, fit_prior, prior_effect, without_prior
from lawqa.scoring.outcomes import outcome_of

PRIOR = (0.7, 0.1, 0.1, 0.1)
"""A model that likes "a" whatever is asked."""


def scored(
    question: str, gold: Label, knows: Sequence[float], order: Order = (0, 1, 2, 3)
) -> ScoredAnswer:
    """A question whose choices the model finds this likely, seen through its prior."""
    shown = [PRIOR[place] * knows[choice] for place, choice in enumerate(order)]
    a, b, c, d = (math.log(value / sum(shown)) for value in shown)
    displayed, best = permute_label(gold, order), LABELS[shown.index(max(shown))]
    return ScoredAnswer(
        question, displayed, best, outcome_of(displayed, best, "answered"), order=order,
        label_logprobs=(a, b, c, d),
    )  # fmt: skip


def in_orders(question: str, gold: Label, knows: Sequence[float]) -> list[ScoredAnswer]:
    return [scored(question, gold, knows, order) for order in cyclic_orders()]


KNOWS = (0.1, 0.6, 0.2, 0.1)
FITTING = [answer for n in range(6) for answer in in_orders(f"t{n}", "b", KNOWS)]
HELD_OUT = [scored(f"h{n}", "b", KNOWS) for n in range(5)]


def test_the_prior_is_that_of_the_letters_and_not_of_the_choices() -> None:
    assert fit_prior(FITTING) == pytest.approx(PRIOR)


def test_a_model_that_answers_one_letter_is_read_by_what_it_knows() -> None:
    assert {answer.predicted for answer in HELD_OUT} == {"a"}
    corrected = without_prior(HELD_OUT, fit_prior(FITTING))
    assert [answer.outcome for answer in corrected] == ["correct"] * 5
    assert corrected[0].label_logprobs == pytest.approx([math.log(p) for p in KNOWS])


def test_the_effect_stands_beside_the_plain_figure() -> None:
    effect = prior_effect(HELD_OUT, [({answer.question_id for answer in HELD_OUT}, FITTING)])
    assert (effect.plain.correct, effect.corrected.correct) == (0, 5)
    assert "100.0% (56.6% - 100.0%) beside 0.0% as answered" in effect.sentence
    assert "a 0.70 b 0.10 c 0.10 d 0.10" in effect.sentence


def test_held_out_labels_do_not_enter() -> None:
    """Neither the right answers of held-out questions nor those of the others move the prior."""
    held = {answer.question_id for answer in HELD_OUT}
    before = prior_effect(HELD_OUT, [(held, FITTING)])
    regraded = [
        replace(a, gold="c", outcome=outcome_of("c", a.predicted, "answered")) for a in HELD_OUT
    ]
    of_fitting = [
        replace(a, gold="c", outcome=outcome_of("c", a.predicted, "answered")) for a in FITTING
    ]
    after = prior_effect(regraded, [(held, of_fitting)])
    assert after.priors == before.priors
    one, other = (without_prior(rows, before.priors[0]) for rows in (HELD_OUT, regraded))
    assert [a.predicted for a in one] == [a.predicted for a in other]


def test_a_prior_of_the_held_out_questions_themselves_is_refused() -> None:
    with pytest.raises(DataError, match="1 question that it is removed from: t0"):
        prior_effect(FITTING[:4], [({"t0"}, FITTING)])
    with pytest.raises(DataError, match="question h1 is in no held-out part"):
        prior_effect(HELD_OUT[:2], [({"h0"}, FITTING)])


def test_unbalanced_orders_say_nothing_of_the_prior() -> None:
    one_order = [answer for answer in FITTING if answer.order == (0, 1, 2, 3)]
    with pytest.raises(DataError, match="balanced orders") as problem:
        fit_prior(one_order)
    assert problem.value.hint.startswith("--permutations 4")
    assert fit_prior([*one_order[:1], *FITTING[4:]]) == pytest.approx(PRIOR)


def test_answers_without_probabilities_stay_as_they_are() -> None:
    text = ScoredAnswer("q", "a", "b", "wrong")
    assert without_prior([text], PRIOR) == (text,)
