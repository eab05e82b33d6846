"""The power table of `lawqa plan --power`."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from lawqa.amounts import counted
from lawqa.errors import ConfigError
from lawqa.settings import PowerSettings

if TYPE_CHECKING:
    from lawqa.scoring.comparisons import Design


@dataclass(frozen=True)
class PowerRow:
    """A design of a comparison with what it detects."""

    design: Design
    detectable_points: float | None
    """None where no difference is detected in 80% of comparisons."""


def power_rows(flags: PowerSettings) -> list[PowerRow]:
    """Return the detectable difference of every design, in points.

    Raises:
        ConfigError: a number is out of its range.
    """
    from lawqa.scoring.comparisons import Design, detectable_difference

    _check(flags)
    rows = []
    for n, discordance, orders, votes, seeds in itertools.product(
        flags.questions, flags.discordance, flags.orders, flags.votes, flags.seeds
    ):
        design = Design(n, discordance, orders, votes, seeds)
        detectable = detectable_difference(
            design,
            repeatable=flags.repeatable,
            spread=flags.spread / 100,
            alpha=0.05 / flags.comparisons,
        )
        points = None if detectable is None else round(100 * detectable, 1)
        rows.append(PowerRow(design, points))
    return rows


def power_json(flags: PowerSettings) -> str:
    """Return the table as JSON."""
    content = {
        "schema_version": 1,
        "alpha": 0.05 / flags.comparisons,
        "power": 0.8,
        "repeatable": flags.repeatable,
        "spread_points": flags.spread,
        "rows": [
            {**asdict(row.design), "detectable_points": row.detectable_points}
            for row in power_rows(flags)
        ],
    }
    return json.dumps(content, indent=1)


def power_text(flags: PowerSettings) -> str:
    """Return the table as a person reads it: a row for questions and discordance, a column for each way to
    ask.
    """
    from lawqa.report.table import Table, render_text

    rows = power_rows(flags)
    ways = [*itertools.product(flags.orders, flags.votes, flags.seeds)]
    columns = ["questions", "discordance", *(_way(*way) for way in ways)]
    cells: list[list[str]] = []
    for start in range(0, len(rows), len(ways)):
        part = rows[start : start + len(ways)]
        shown = [
            "none" if row.detectable_points is None else f"{row.detectable_points:.1f}"
            for row in part
        ]
        cells.append([str(part[0].design.questions), f"{part[0].design.discordance:.2f}", *shown])
    level = f"p = 0.05 / {flags.comparisons}" if flags.comparisons > 1 else "p = 0.05"
    return "\n".join([
        f"smallest true difference, in points, that 80% of comparisons detect at {level}",
        "",
        render_text(Table(columns, cells)),
        "",
        "discordance: questions that exactly one of two single answers gets right; exact McNemar for single "
        "answers.",
        f"votes, orders and seeds: answers of one run to a question correlate by {flags.repeatable:g} "
        "(--repeatable);",
        f"trainings differ by {flags.spread:g} points (--spread): "
        + ("without it the table flatters adapters." if flags.spread == 0 else "a standard deviation."),
    ])  # fmt: skip


def _way(orders: int, votes: int, seeds: int) -> str:
    asked = (
        "single"
        if orders * votes == 1
        else f"vote of {votes}"
        if orders == 1
        else f"{counted(orders, 'order')}"
    )
    if orders > 1 and votes > 1:
        asked += f" x {votes}"
    return asked if seeds == 1 else f"{asked}, {counted(seeds, 'seed')}"


def _check(flags: PowerSettings) -> None:
    problems = [
        f"--{name} is {value}, expected 1 or more"
        for name in ("questions", "orders", "votes", "seeds", "comparisons")
        for value in _each(getattr(flags, name))
        if value < 1
    ]
    problems += [
        f"--discordance is {value:g}, expected a share from 0 to 1"
        for value in flags.discordance
        if not 0 <= value <= 1
    ]
    if not 0 <= flags.repeatable <= 1:
        problems.append(f"--repeatable is {flags.repeatable:g}, expected 0 to 1")
    if not 0 <= flags.spread <= 100:
        problems.append(f"--spread is {flags.spread:g}, expected points from 0 to 100")
    problems += [
        f"--{name} names nothing"
        for name in ("questions", "discordance", "orders", "votes", "seeds")
        if not getattr(flags, name)
    ]
    if problems:
        raise ConfigError(
            "\n".join(problems), "lawqa plan --power --questions 140 --discordance 0.25"
        )


def _each(value: int | tuple[int, ...]) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,)
