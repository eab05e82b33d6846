"""How often intervals cover, tests err and alarms ring: seeded simulations, written to docs/statistics.md.

    python benchmarks/rates.py -o docs/statistics.md

takes some minutes on one core; `--runs 200` is a quick look. The tests run the same functions with few runs.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from lawqa.choices import LABELS, Label
from lawqa.report.table import Table, pipes_escaped, render_markdown
from lawqa.scoring import ScoredAnswer, collapse_alarm, final_answers
from lawqa.scoring.comparisons import (
    compare,
    compare_repeats,
    holm,
    minimum_detectable_difference,
    newcombe_paired,
    sign_flip_p,
)

Labels = NDArray[np.int64]
"""Places of labels, one a question."""
GOLD = [0] * 23 + [1] * 37 + [2] * 48 + [3] * 32
"""How often each label is right among lawqa_jp's 140 questions."""
NUMBERS = (18, 27, 42, 140)
ALPHA = 0.05
RUNS = 400
"""Of docs/statistics.md."""


@dataclass(frozen=True)
class Coverage:
    """Of the interval of a paired difference at one prompt a question."""

    percentile: float
    """Share of runs in which the percentile bootstrap holds the true difference."""
    newcombe: float
    """The same of Newcombe's interval."""
    shipped: float
    """The same of what `compare` gives: Newcombe's, held to the exact test."""
    contradicted: float
    """Share of runs in which the percentile bootstrap excludes 0 and the exact test does not."""
    contradicts: float
    """The same of what `compare` gives, in either direction."""
    size: float
    """Share of runs that exact McNemar rejects."""


def paired(rng: Generator, n: int, base: float, difference: float, discordance: float) -> list[int]:
    """Counts of both, only base, only other, neither."""
    won, lost = (discordance + difference) / 2, (discordance - difference) / 2
    both = base - lost
    return [int(k) for k in rng.multinomial(n, [both, lost, won, 1 - both - lost - won])]


def answers(right: Sequence[bool], repeat: int = 0) -> list[ScoredAnswer]:
    """A run that is right on these questions."""
    return [
        ScoredAnswer(
            f"q{i:03}", "a", "a" if ok else "b", "correct" if ok else "wrong", repeat=repeat
        )
        for i, ok in enumerate(right)
    ]


def of_counts(counts: Sequence[int]) -> tuple[list[ScoredAnswer], list[ScoredAnswer]]:
    """Two runs with these counts."""
    both, lost, won, neither = counts
    cells = [(True, True)] * both + [(True, False)] * lost + [(False, True)] * won
    cells += [(False, False)] * neither
    return answers([b for b, _ in cells]), answers([o for _, o in cells])


def coverage(n: int, difference: float, runs: int, seed: int, base: float = 0.5) -> Coverage:
    """Coverage and agreement at one prompt a question; a quarter of the questions are discordant."""
    rng = default_rng(seed)
    hits = Counter[str]()
    for _ in range(runs):
        counts = paired(rng, n, base, difference, 0.25)
        both, lost, won, neither = counts
        p = sign_flip_p([1] * won + [-1] * lost)
        drawn = rng.multinomial(n, [won / n, lost / n, (both + neither) / n], size=2000)
        low, high = np.quantile((drawn[:, 0] - drawn[:, 1]) / n, (0.025, 0.975))
        newcombe = newcombe_paired(both, lost, won, neither)
        shipped = compare(*of_counts(counts)).interval
        tiny = 1e-12
        hits["percentile"] += bool(low - tiny <= difference <= high + tiny)
        hits["newcombe"] += newcombe.low <= difference <= newcombe.high
        hits["shipped"] += shipped.low <= difference <= shipped.high
        hits["contradicted"] += bool(p > ALPHA and not low <= 0 <= high)
        hits["contradicts"] += (p > ALPHA) != (shipped.low <= 0 <= shipped.high)
        hits["size"] += p <= ALPHA
    names = ("percentile", "newcombe", "shipped", "contradicted", "contradicts", "size")
    return Coverage(*(hits[name] / runs for name in names))


def grouped_size(runs: int, seed: int) -> tuple[float, float]:
    """Size by question and by group where the 37 groups of 140 questions are won or lost together in part."""
    rng = default_rng(seed)
    group_of = np.sort(rng.integers(37, size=140))
    names = {f"q{i:03}": f"g{group}" for i, group in enumerate(group_of)}
    by_question = by_group = 0
    for _ in range(runs):
        lean = rng.normal(0, 2.0, 37)[group_of]  # how far a group favours one of the two runs
        won = rng.random(140) < 1 / (1 + np.exp(-lean))
        discordant = rng.random(140) < 0.35
        base, other = answers(list(discordant & ~won)), answers(list(discordant & won))
        by_question += compare(base, other).p_value <= ALPHA
        by_group += compare(base, other, groups=names, resamples=10).p_value <= ALPHA
    return by_question / runs, by_group / runs


def alarms(n: int, accuracy: float, pile: float, runs: int, seed: int) -> tuple[float, float]:
    """How often the old alarm (against being drawn from gold) and the new one ring.

    The model knows `accuracy`, errs evenly, and gives one label unseen for a share `pile` of the questions.
    """
    rng = default_rng(seed)
    old = new = 0
    for _ in range(runs):
        gold = rng.permutation(GOLD)[:n]
        right = rng.random(n) < accuracy
        given = np.where(right, gold, (gold + rng.integers(1, 4, n)) % 4)
        given = np.where(rng.random(n) < pile, rng.integers(4), given)
        old += _old_alarm(gold, given)
        new += collapse_alarm(list(_labelled(gold, given))) is not None
    return old / runs, new / runs


def _labelled(gold: Labels, given: Labels) -> Iterator[ScoredAnswer]:
    for i, (g, p) in enumerate(zip(gold, given, strict=True)):
        yield ScoredAnswer(f"q{i:03}", LABELS[g], LABELS[p], "correct" if g == p else "wrong")


def _old_alarm(gold: Labels, given: Labels) -> bool:
    """Pearson's chi-square of the answers against the shares of gold, and 15 points of excess."""
    from scipy.special import chdtrc

    n = len(gold)
    counted, asked = np.bincount(given, minlength=4), np.bincount(gold, minlength=4)
    expected = n * (asked + 0.5) / (n + 2)
    statistic = ((counted - expected) ** 2 / expected).sum()
    return bool(chdtrc(3, statistic) <= ALPHA and (counted - asked).max() / n >= 0.15)


@dataclass(frozen=True)
class SeedRates:
    """Of three training seeds compared with one base on 140 questions."""

    apart: float
    """Any of the seeds is significant after Holm's correction."""
    flips: float
    """The sign-flip test over all seeds rejects, blind to the spread between trainings."""
    together: float
    """`compare_repeats` rejects."""
    covers: float
    """Its interval holds the true difference."""


def seeds(difference: float, spread: float, runs: int, seed: int, number: int = 3) -> SeedRates:
    """Trainings whose accuracy differs by `spread` (standard deviation), at a true mean difference."""
    rng = default_rng(seed)
    hits = Counter[str]()
    for _ in range(runs):
        chance = np.clip(rng.beta(1.2, 1.2, 140), 0.02, 0.98)  # how well each question is known
        base = rng.random(140) < chance
        moved = [np.clip(chance + difference + rng.normal(0, spread), 0, 1) for _ in range(number)]
        # Trainings of one recipe answer much alike: half of the luck of a question is shared.
        luck = rng.random(140)
        trained = [np.where(rng.random(140) < 0.5, luck, rng.random(140)) < m for m in moved]
        others = [answers(list(run)) for run in trained]
        single = [sign_flip_p((run.astype(int) - base).tolist()) for run in trained]
        hits["apart"] += min(holm(single)) <= ALPHA
        found = compare_repeats([answers(list(base))], others, resamples=400)
        hits["flips"] += sign_flip_p(found.gains) <= ALPHA
        hits["together"] += found.p_value <= ALPHA
        # Clipping at 0 and 1 takes a little of the shift away.
        truth = float(np.mean(np.clip(chance + difference, 0, 1)) - np.mean(chance))
        hits["covers"] += found.interval.low <= truth <= found.interval.high
    return SeedRates(*(hits[name] / runs for name in ("apart", "flips", "together", "covers")))


def pooled_size(spread: float, runs: int, seed: int) -> tuple[float, float]:
    """Size of exact McNemar for one seed of five pooled folds whose trainings differ by `spread`.

    First where each fold's training moves by itself, then where all five move together.
    """
    rng = default_rng(seed)
    rejected = [0, 0]
    for _ in range(runs):
        for together in (0, 1):
            shift = rng.normal(0, spread, 1 if together else 5)
            per_question = np.repeat(shift, 140 if together else 28)
            won = rng.random(140) < np.clip(0.125 + per_question / 2, 0, 0.25)
            lost = ~won & (
                rng.random(140)
                < np.clip(0.125 - per_question / 2, 0, 0.25) / np.where(won, 1, 0.875)
            )
            rejected[together] += (
                sign_flip_p([1] * int(won.sum()) + [-1] * int(lost.sum())) <= ALPHA
            )
    return rejected[0] / runs, rejected[1] / runs


@dataclass(frozen=True)
class Ties:
    """The vote of four samples of a model that often guesses, on 140 questions."""

    tied: float
    """Tied questions of a run."""
    first: float
    """Accuracy where ties go to the first letter, from 0 to 1."""
    broken: float
    """Accuracy of the final answers."""
    shared: float
    """Expected accuracy with shared ties."""


def ties(runs: int, seed: int) -> Ties:
    """How ties are broken, over runs."""
    rng = default_rng(seed)
    found = []
    for _ in range(runs):
        gold = rng.permutation(GOLD)
        knows = rng.random(140) < 0.2
        votes = np.where(
            knows[:, None] & (rng.random((140, 4)) < 0.8),
            gold[:, None],
            rng.integers(4, size=(140, 4)),
        )
        run = [
            ScoredAnswer(
                f"q{i:03}", _label(g), _label(v), "correct" if g == v else "wrong", repeat=k
            )
            for i, g in enumerate(gold)
            for k, v in enumerate(votes[i])
        ]
        finals = final_answers(run)
        first = np.array([np.bincount(row, minlength=4).argmax() for row in votes])
        found.append((
            sum(bool(one.level) for one in finals), float(np.mean(first == gold)),
            float(np.mean([one.outcome == "correct" for one in finals])),
            float(np.mean([one.expected for one in finals])),
        ))  # fmt: skip
    return Ties(*(float(np.mean(column)) for column in zip(*found, strict=True)))


def _label(number: int) -> Label:
    return LABELS[number]


def power(n: int, discordance: float, runs: int, seed: int) -> tuple[float, float]:
    """The detectable difference, and how often exact McNemar sees it."""
    difference = minimum_detectable_difference(n, discordance)
    assert difference is not None  # noqa: S101 - these n are large enough
    rng = default_rng(seed)
    share = max(discordance, difference)
    seen = 0
    for _ in range(runs):
        _, lost, won, _ = paired(rng, n, 0.5, difference, share)
        seen += sign_flip_p([1] * won + [-1] * lost) <= ALPHA
    return difference, seen / runs


def document(runs: int) -> str:
    """docs/statistics.md."""
    few = max(100, runs // 2)
    parts = [
        _HEAD.format(runs=runs, few=few, error=f"{0.5 / math.sqrt(few):.3f}"),
        "## Interval and test at one prompt a question\n",
        _table(
            ["n", "true difference", "percentile bootstrap", "Newcombe", "`lawqa compare`",
             "bootstrap excludes 0 while p > .05", "`compare` contradicts p", "McNemar rejects"],
            [[str(n), f"{100 * d:+.0f}", *(_rate(v) for v in vars(coverage(n, d, runs, n)).values())]
             for n in NUMBERS for d in (0.0, 0.1)],
        ),
        "\nBase accuracy 50%, a quarter of the questions discordant. The last column is the size at +0 and "
        "the power at +10 points.\n",
        "\n## Clusters: 140 questions in 37 linked groups whose answers are correlated\n",
        _table(["unit", "size at .05"], [[unit, _rate(rate)] for unit, rate in
               zip(("question", "group (`--clusters group`)"), grouped_size(runs, 1), strict=True)]),
        "\n\n## Collapse alarm: how often it fires\n",
        _table(
            ["n", "model", "against gold (before)", "among wrong answers (now)"],
            [[str(n), name, *map(_rate, alarms(n, accuracy, pile, runs, n))]
             for n in (20, 42, 140)
             for name, accuracy, pile in (
                 ("guesses evenly", 0.25, 0.0), ("knows 50%, errs evenly", 0.5, 0.0),
                 ("knows 80%, errs evenly", 0.8, 0.0), ("60% one letter, else guesses", 0.25, 0.6),
                 ("60% one letter, else knows 50%", 0.5, 0.6))],
        ),
        "\nThe first three rows of each n are false alarms, the others are power.\n",
        "\n## Training seeds: three of them against one base, 140 questions\n",
        _table(
            ["true difference", "spread between trainings", "any seed significant after Holm",
             "sign-flip over all seeds", "`lawqa compare` (with the spread)", "its interval covers"],
            [[f"{100 * d:+.0f}", f"{100 * s:.0f}", *(_rate(v) for v in vars(seeds(d, s, few, 7)).values())]
             for d, s in ((0.0, 0.0), (0.0, 0.02), (0.0, 0.04), (0.0, 0.06), (0.09, 0.0), (0.09, 0.04))],
        ),
        "\nDifference and spread in points. At +0 a rejection is an error, at +9 it is power.\n",
        "\n## One seed of five pooled folds: size of exact McNemar, which cannot see the spread\n",
        _table(
            ["spread between trainings", "each fold by itself", "all folds together"],
            [[f"{100 * s:.0f}", *map(_rate, pooled_size(s, 2 * runs, 3))] for s in (0.0, 0.02, 0.04, 0.06)],
        ),
        "\n\n## Ties: the vote of four samples of a model that mostly guesses, 140 questions\n",
        _ties_table(few),
        "\n\n## Detectable differences: what `lawqa plan --power` predicts, and how often it is detected\n",
        _table(
            ["n", "discordance", "detectable (points)", "detected in"],
            [[str(n), f"{d:.2f}", f"{100 * mdd:.1f}", _rate(seen)]
             for n in (42, 140, 280) for d in (0.15, 0.25, 0.35) for mdd, seen in [power(n, d, runs, n)]],
        ),
        "",
    ]  # fmt: skip
    return "\n".join(parts)


_HEAD = """<!-- Generated by: python benchmarks/rates.py -o docs/statistics.md ; do not edit. -->

# How reliable the statistics are

Every figure is a share of {runs} simulated comparisons ({few} for seeds and ties), seeded, so that the script
reproduces the tables exactly; the standard error of a share is at most {error}. The docstrings of
`lawqa.scoring` say what is computed and why. Formulas are tested against SciPy, statsmodels, published
examples and brute force in `tests/scoring`.
"""


def _ties_table(runs: int) -> str:
    found = ties(runs, 5)
    return _table(
        [
            "tied questions",
            "ties to the first letter (before)",
            "ties broken (now)",
            "ties shared (expected)",
        ],
        [[f"{found.tied:.1f}", f"{found.first:.1%}", f"{found.broken:.1%}", f"{found.shared:.1%}"]],
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return render_markdown(Table(head, rows), escape=pipes_escaped)


def _rate(share: float) -> str:
    return f"{share:.3f}"


def main() -> int:
    """Write the document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    text = document(options.runs)
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    else:
        print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
