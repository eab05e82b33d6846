"""How far trainings with other seeds differ, and what that adds to an interval and to a p-value."""

from __future__ import annotations

import pytest


def test_the_spread_is_the_anova_component_that_statsmodels_style_sums_give() -> None:
    import numpy as np

    from lawqa.scoring.comparisons import training_spread

    table = np.random.default_rng(1).random((4, 50)) < np.array([[0.3], [0.45], [0.5], [0.7]])
    grand = table.mean()
    ss_seed = 50 * ((table.mean(1) - grand) ** 2).sum()
    ss_question = 4 * ((table.mean(0) - grand) ** 2).sum()
    ss_rest = ((table - grand) ** 2).sum() - ss_seed - ss_question
    expected = (ss_seed / 3 - ss_rest / (3 * 49)) / 50
    found = training_spread(table.tolist())
    assert found is not None
    assert found.deviation**2 == pytest.approx(expected)
    assert training_spread([[True, False]]) is None
