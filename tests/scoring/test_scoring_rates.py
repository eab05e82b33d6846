"""Coverage and size by simulation: few runs here, many in docs/statistics.md and in the long version."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def rates() -> ModuleType:
    path = ROOT / "benchmarks" / "rates.py"
    if not path.is_file():
        pytest.skip("benchmarks are not part of the source distribution")
    spec = importlib.util.spec_from_file_location("lawqa_benchmark_rates", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("n", [18, 27, 42])
def test_the_interval_covers_and_agrees_with_p(rates: ModuleType, n: int, *, rough: bool) -> None:
    runs = 4000 if rough else 150
    found = rates.coverage(n, 0.1, runs, seed=n)
    slack = 3 * (0.05 * 0.95 / runs) ** 0.5
    assert found.shipped >= 0.95 - slack
    assert found.contradicts == 0
    assert found.shipped >= found.percentile
    null = rates.coverage(n, 0.0, runs, seed=n + 1)
    assert null.size <= 0.05
    assert null.shipped >= 0.95 - slack


@pytest.mark.slow
def test_seeds_compared_together_keep_their_size_and_their_power(
    rates: ModuleType, *, rough: bool
) -> None:
    runs = 1500 if rough else 60
    spread = rates.seeds(0.0, 0.06, runs, seed=1)
    assert spread.together <= 0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5
    assert spread.together <= spread.flips
    gain = rates.seeds(0.09, 0.0, runs, seed=2)
    assert gain.together >= gain.apart


@pytest.mark.slow
def test_groups_keep_the_size_where_linked_questions_lean_together(
    rates: ModuleType, *, rough: bool
) -> None:
    by_question, by_group = rates.grouped_size(2000 if rough else 80, seed=1)
    assert by_group <= 0.05 + (0.01 if rough else 0.07)
    assert by_question >= by_group


def test_ties_shared_are_what_broken_ones_reach_on_average(rates: ModuleType) -> None:
    found = rates.ties(15, seed=5)
    assert 15 < found.tied < 45
    assert found.broken == pytest.approx(found.shared, abs=0.02)


def test_the_pooled_note_says_what_the_document_says() -> None:
    from lawqa.pipelines.experiments.crossval_pool import ERRORS_UNSEEN, pooled_note
    from lawqa.scoring.comparisons import Spread

    path = ROOT / "docs" / "statistics.md"
    if not path.is_file():
        pytest.skip("documents are not part of the source distribution")
    text = (
        path.read_text(encoding="utf-8").split("## One seed of five pooled folds")[1].split("##")[0]
    )
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if "|" in line
    ]
    table = {row[0]: [round(100 * float(cell)) for cell in row[1:]] for row in rows[2:]}
    assert {str(points): [low, high] for points, low, high in ERRORS_UNSEEN} == {
        points: table[points] for points in ("2", "4", "6")
    }
    one = pooled_note(5, None)
    assert one.startswith("POOLED: 5 folds;")
    assert "One training seed: neither interval nor p sees" in one
    assert "6: " in one
    assert "3 training seeds, which differ by 2.5 points" in pooled_note(5, Spread(3, 0.025))


@pytest.mark.rough
@pytest.mark.long
def test_the_document_is_what_the_script_makes(rates: ModuleType) -> None:
    text = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")
    assert rates.document(rates.RUNS) == text
