"""Several runs that answer as one, against counting by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from lawqa.choices import cyclic_orders, permute_label
from lawqa.errors import ConfigError, DataError
from lawqa.scoring import ScoredAnswer, ensemble_of, outcome_of
from lawqa.settings import By

pytestmark = pytest.mark.every_python


def one(
    question: str, label: str | None, probabilities: str = "", order: int = 0, repeat: int = 0
) -> ScoredAnswer:
    """An answer to a question whose right answer is c; labels and percents by original label."""
    shown = cyclic_orders()[order]
    gold: Any = permute_label("c", shown)
    given: Any = permute_label(label, shown) if label else None  # type: ignore[arg-type]
    percent = [int(share) / 100 for share in probabilities.split()]
    logprobs: Any = tuple(math.log(percent[source]) for source in shown) if percent else None
    outcome = outcome_of(gold, given, "answered" if label else "unanswered")
    return ScoredAnswer(
        question, gold, given, outcome, order=shown, repeat=repeat, label_logprobs=logprobs
    )


def predicted(runs: list[list[ScoredAnswer]], by: By = "own") -> dict[str, str | None]:
    return {one.question_id: one.predicted for one in ensemble_of(runs, by).answers}


def test_the_mean_probability_of_the_runs_decides_where_all_store_some() -> None:
    sure, unsure = one("q", "c", "1 1 97 1"), one("q", "a", "40 20 30 10")
    runs = [[sure], [unsure], [unsure]]
    assert ensemble_of(runs).name == "the soft vote of 3 runs"
    assert predicted(runs) == {"q": "c"}, "c has (97 + 30 + 30) / 3, a (1 + 40 + 40) / 3"
    assert predicted(runs, "vote") == {"q": "a"}, "two of three picked it"


def test_choices_are_counted_in_their_original_order() -> None:
    shown = [one("q", "c", order=1)]
    assert shown[0].predicted != "c"
    assert predicted([shown, shown]) == {"q": "c"}
    runs = [[one("q", label, order=n) for n, label in enumerate("ccb")] for _ in range(2)]
    assert predicted(runs) == {"q": "c"}


def test_a_run_without_probabilities_makes_it_a_vote() -> None:
    runs = [[one("q", "c", "1 1 97 1")], [one("q", "b")], [one("q", "b")]]
    assert ensemble_of(runs).name == "the vote of 3 runs"
    assert predicted(runs) == {"q": "b"}
    with pytest.raises(DataError, match="a run of the ensemble stores none"):
        ensemble_of(runs, "soft")


def test_what_gives_no_answer_is_outvoted_and_only_shared_prompts_count() -> None:
    runs = [[one("q", None), one("r", "c")], [one("q", "c"), one("s", "c")]]
    found = ensemble_of(runs)
    assert [(one.question_id, one.outcome) for one in found.answers] == [("q", "correct")]
    assert found.left_out == 2
    with pytest.raises(DataError, match="no prompt in common"):
        ensemble_of([[one("q", "c")], [one("r", "c")]])


def test_samples_of_every_run_count_alike() -> None:
    runs = [
        [one("q", label, repeat=n) for n, label in enumerate(labels)] for labels in ("aab", "bbb")
    ]
    assert predicted(runs) == {"q": "b"}


@pytest.mark.parametrize("by", ["plain", "orders", "orders-samples", "prompts"])
def test_other_rules_are_refused(by: By) -> None:
    with pytest.raises(ConfigError, match=f"--by {by} is no vote of several runs"):
        ensemble_of([[one("q", "c")], [one("q", "c")]], by)
