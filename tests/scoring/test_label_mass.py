from __future__ import annotations

import pytest

from lawqa.scoring import LOW_MASS, label_mass_of


def test_masses_below_the_threshold_are_counted() -> None:
    found = label_mass_of([0.0002, 0.99, 0.0999, 0.1, 1.0])
    assert found is not None
    assert (found.scored, found.low, found.threshold) == (5, 2, LOW_MASS)
    assert (found.median, found.lowest) == (0.1, 0.0002)
    assert found.share == pytest.approx(0.4)


def test_the_alarm_says_share_and_threshold() -> None:
    found = label_mass_of([0.0002] * 3 + [0.98])
    assert found is not None
    assert found.sentence is not None
    assert found.sentence.startswith(
        "LOW LABEL MASS: in 3 of 4 scored answers (75%) all labels together have less than 0.1 of the "
        "probability (median 0.0002, lowest 0.0002)"
    )


def test_where_the_labels_have_the_mass_there_is_no_alarm() -> None:
    found = label_mass_of([0.97, 0.1])
    assert found is not None
    assert found.sentence is None


@pytest.mark.parametrize("masses", [[], [None, None], [float("nan")]])
def test_what_is_not_known_is_absent_and_not_zero(masses: list[float | None]) -> None:
    assert label_mass_of(masses) is None


def test_unknown_masses_are_left_out() -> None:
    found = label_mass_of([None, 0.5, None])
    assert found is not None
    assert (found.scored, found.lowest) == (1, 0.5)
