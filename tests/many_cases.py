"""Tables of cases as one test each: pytest needs milliseconds for an item, and there are thousands of cases.

A function whose arguments are all given by `parametrize` (so that its cases share no fixture) runs in a loop.
Every case runs, whatever became of those before it; the test fails with all that failed, each under the name
that pytest gives it. `--each-case`, or a node id on the command line, collects them one by one.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import traceback
from collections.abc import Callable, Iterator, Sequence
from types import FunctionType
from typing import Any, NamedTuple

import pytest

FEWEST = 6
"""Cases below which a function is left as it is."""
_SHOWN = 40
"""Failed cases that are shown whole."""


class Case(NamedTuple):
    """A case of a table."""

    name: str
    """As between the brackets of a node id."""
    arguments: dict[str, Any]


def pytest_pycollect_makeitem(collector: Any, name: str, obj: object) -> Any:
    """Collect a function with a table as one item."""
    if not isinstance(collector, pytest.Module) or not isinstance(obj, FunctionType):
        return None
    if not collector.istestfunction(obj, name) or _wants_each(collector.config):
        return None
    cases = cases_of(obj)
    if cases is None or len(cases) < FEWEST:
        return None
    return pytest.Function.from_parent(collector, name=name, callobj=in_a_loop(obj, cases))


def _wants_each(config: pytest.Config) -> bool:
    named = any("::" in argument for argument in config.invocation_params.args)
    return named or bool(config.getoption("--each-case"))


def cases_of(function: FunctionType) -> list[Case] | None:
    """Return the cases of a function; None where they need more than a loop: fixtures, marks, no table."""
    if hasattr(function, "hypothesis"):
        return None
    tables, given = [], set[str]()
    for mark in getattr(function, "pytestmark", []):
        if mark.name != "parametrize":
            continue
        if len(mark.args) != 2 or not set(mark.kwargs) <= {"ids"}:
            return None
        names = mark.args[0]
        names = [n.strip() for n in names.split(",")] if isinstance(names, str) else list(names)
        table = list(_rows(names, list(mark.args[1]), mark.kwargs.get("ids")))
        if any(row is None for row in table):
            return None
        tables.append([row for row in table if row is not None])
        given.update(names)
    if not tables or set(inspect.signature(function).parameters) != given:
        return None
    return [
        Case(
            "-".join(row.name for row in rows),
            {name: value for row in rows for name, value in row.arguments.items()},
        )
        for rows in itertools.product(*tables)
    ]


def _rows(names: Sequence[str], values: Sequence[Any], ids: Any) -> Iterator[Case | None]:
    """The rows of one table; None for one with marks of its own, such as a skip."""
    listed = None if ids is None or callable(ids) else list(ids)
    for number, value in enumerate(values):
        name = listed[number] if listed is not None else None
        if isinstance(value, type(pytest.param())):
            if value.marks:
                yield None
                continue
            name, row = value.id or name, value.values
        else:
            row = tuple(value) if len(names) > 1 else (value,)
        if name is None:
            label = ids if callable(ids) else (lambda _: None)
            name = "-".join(
                str(label(one) if label(one) is not None else _short(one, argument, number))
                for one, argument in zip(row, names, strict=True)
            )
        yield Case(str(name), dict(zip(names, row, strict=True)))


def _short(value: object, argument: str, number: int) -> str:
    if isinstance(value, str | int | float | bool | None):
        return str(value)
    return getattr(value, "__name__", f"{argument}{number}")


def in_a_loop(function: FunctionType, cases: Sequence[Case]) -> Callable[[], None]:
    """Return a test that runs the function on every case and then reports those that failed."""

    @functools.wraps(function)
    def run() -> None:
        failed, skipped = [], []
        for case in cases:
            try:
                function(**case.arguments)
            except pytest.skip.Exception as reason:
                skipped.append(reason)
            except (Exception, pytest.fail.Exception) as problem:  # noqa: BLE001 - reported below
                failed.append(f"[{case.name}] {_told(problem, whole=len(failed) < _SHOWN)}")
        if failed:
            pytest.fail(f"{len(failed)} of {len(cases)} cases\n" + "\n".join(failed), pytrace=False)
        if len(skipped) == len(cases):
            raise skipped[0]

    # pytest would follow it to the arguments of the function.
    del run.__wrapped__  # type: ignore[attr-defined]
    run.pytestmark = [m for m in function.pytestmark if m.name != "parametrize"]  # type: ignore[attr-defined]
    return run


def _told(problem: BaseException, *, whole: bool) -> str:
    last = traceback.extract_tb(problem.__traceback__)[-1]
    text = f"{type(problem).__name__} at {last.filename}:{last.lineno}: {problem}"
    return text if whole else text.splitlines()[0]
