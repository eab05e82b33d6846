"""Mutation testing of the rooms that decide what a figure is: small faults that no test notices.

    python benchmarks/mutants.py --minutes 30 [--room scoring] [--seed 0]
    python benchmarks/mutants.py --at lawqa/scoring/floors.py:40

A mutant is one small change in a copy of the package: to a comparison, operator, number, condition or result.
The tests of its room run against it until one fails, those first that failed for others of its file. Mutants
are drawn at random, the same for the same seed, from each room in turn; those that survive all tests of their
room are printed with their line, for somebody to say which a test should see. The lab's data beside the
checkout is not used.
"""

from __future__ import annotations

import argparse
import ast
import copy
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

HERE = Path(__file__).resolve().parents[1]
ROOMS = {
    "answers": "tests/answers",
    "scoring": "tests/scoring",
    "splits": "tests/splits",
    "records": "tests/records",
}
WALL_SECONDS = 300.0
"""A mutant that waits for ever is given up; one that computes for ever meets its limit of CPU time."""
MEMORY_BYTES = 6 << 30

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change."""

    room: str
    """Whose tests decide."""
    path: Path
    """The file, relative to the checkout."""
    line: int
    """Where."""
    change: str
    """What, for people."""
    source: str
    """The whole file with the change."""


def mutants_of(room: str, path: Path) -> Iterator[Mutant]:
    """Every mutant of a file."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    skipped = {id(inner) for node in ast.walk(tree) for inner in _not_run(node)}
    for position, node in enumerate(ast.walk(tree)):
        if id(node) in skipped:
            continue
        for variant in range(_variants(node)):
            changed = copy.deepcopy(tree)
            twin = next(
                found for number, found in enumerate(ast.walk(changed)) if number == position
            )
            before = ast.unparse(node)
            _change(twin, variant)
            after = ast.unparse(twin)
            if before != after:
                source = ast.unparse(changed)
                line = getattr(node, "lineno", 0)
                yield Mutant(room, path.relative_to(HERE), line, f"{before}  ->  {after}", source)


def _not_run(node: ast.AST) -> Iterator[ast.AST]:
    """Docstrings, annotations and messages of errors: no test has to see them."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        yield from ast.walk(node)
    annotations = [getattr(node, "annotation", None), getattr(node, "returns", None)]
    if isinstance(node, (ast.Raise, ast.JoinedStr, ast.Import, ast.ImportFrom)):
        yield from ast.walk(node)
    for annotation in annotations:
        if annotation is not None:
            yield from ast.walk(annotation)
    for decorator in getattr(node, "decorator_list", []):
        yield from ast.walk(decorator)


def _variants(node: ast.AST) -> int:
    if isinstance(node, ast.Constant):
        return 1 if isinstance(node.value, (bool, int, float)) else 0
    if isinstance(node, ast.Compare):
        return len(node.ops)
    if isinstance(node, (ast.If, ast.IfExp)):
        # Of one comparison or a `not` the turned condition is a mutant already.
        return int(not (_is_not(node.test) or _is_single_comparison(node.test)))
    simple = isinstance(node, (ast.BoolOp, ast.Return)) or _is_not(node)
    return int(simple or (isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS))


def _is_not(node: ast.AST) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _is_single_comparison(node: ast.AST) -> bool:
    """One whose operator has an exact opposite among the mutants."""
    opposites = (ast.Eq, ast.NotEq, ast.In, ast.NotIn, ast.Is, ast.IsNot)
    return (
        isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], opposites)
    )


def _change(node: ast.AST, variant: int) -> None:
    if isinstance(node, ast.Constant):
        value = node.value
        if isinstance(value, bool):
            node.value = not value
        elif isinstance(value, (int, float)):
            node.value = value + 1
    elif isinstance(node, ast.Compare):
        node.ops[variant] = _COMPARISONS[type(node.ops[variant])]()
    elif isinstance(node, ast.BinOp):
        node.op = _OPERATORS[type(node.op)]()
    elif isinstance(node, ast.BoolOp):
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif isinstance(node, (ast.If, ast.IfExp)):
        node.test = ast.UnaryOp(ast.Not(), node.test)
    elif isinstance(node, ast.UnaryOp):
        node.op, node.operand = ast.Not(), ast.UnaryOp(ast.Not(), node.operand)
    elif isinstance(node, ast.Return) and node.value is not None:
        node.value = ast.Constant(None)


class Room:
    """The tests of a room: how long each takes, and which failed for mutants of which file."""

    def __init__(self, name: str, checkout: Path) -> None:
        self.checkout = checkout
        self.tests = ROOMS[name]
        self.seconds: dict[str, float] = {}
        self.kills: dict[Path, Counter[str]] = defaultdict(Counter)
        self.cpu_limit = 600
        before = _children_cpu()
        if self._run(())[0] != "survived":
            sys.exit(f"{self.tests}: fails without a mutant")
        self.cpu_limit = 5 + 2 * int(_children_cpu() - before)

    def verdict(self, mutant: Mutant) -> tuple[str, str]:
        """What became of it (killed, survived, timed out) and the test that killed it."""
        target = self.checkout / mutant.path
        original, times = target.read_text(encoding="utf-8"), target.stat()
        target.write_text(mutant.source, encoding="utf-8")
        kills = self.kills[mutant.path]
        mirror = f"test_{mutant.path.stem}.py"
        order = sorted(
            self.seconds,
            key=lambda test: (-kills[test], f"/{mirror}:" not in test, self.seconds[test]),
        )
        try:
            found, killer = self._run(order)
        finally:
            target.write_text(original, encoding="utf-8")
            os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))
        if killer:
            kills[killer] += 1
        return found, killer

    def _run(self, order: Sequence[str]) -> tuple[str, str]:
        report = self.checkout / "report.json"
        report.unlink(missing_ok=True)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.setsid()
                resource.setrlimit(resource.RLIMIT_CPU, (self.cpu_limit, self.cpu_limit + 5))
                resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
                code = _tests(self.tests, self.checkout, order, report)
            finally:  # whatever a mutant does, this process must not go on as its parent
                os._exit(code)
        until = time.monotonic() + WALL_SECONDS
        done, status = 0, 0
        while not done and time.monotonic() < until:
            time.sleep(0.02)
            done, status = os.waitpid(child, os.WNOHANG)
        if not done:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "timed out", ""
        code = os.waitstatus_to_exitcode(status)
        if code in (-signal.SIGXCPU, -signal.SIGKILL):
            return "timed out", ""
        said = json.loads(report.read_text("utf-8")) if report.exists() else {}
        if not order:
            self.seconds = said.get("seconds", {})
        return ("survived" if code == 0 else "killed"), said.get("failed", "")


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Ordered:
    """A plugin of pytest: tests in the order given, hypothesis without shrinking, and what came of them."""

    def __init__(self, order: Sequence[str], report: Path) -> None:
        self.place = {test: number for number, test in enumerate(order)}
        self.report = report
        self.seconds: dict[str, float] = {}
        self.failed = ""

    def pytest_configure(self) -> None:
        """A failure is enough: nobody reads its smallest example."""
        from hypothesis import Phase, settings

        phases = [Phase.explicit, Phase.generate]
        settings.register_profile("mutants", settings.get_profile("lawqa"), phases=phases)
        settings.load_profile("mutants")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """The order; a test that a mutant of a parameter has renamed comes last."""
        items.sort(key=lambda item: self.place.get(item.nodeid, len(self.place)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep seconds and failure."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed = report.nodeid

    def pytest_sessionfinish(self) -> None:
        """Tell the parent."""
        said = {"seconds": self.seconds, "failed": self.failed}
        self.report.write_text(json.dumps(said), encoding="utf-8")


def _tests(tests: str, checkout: Path, order: Sequence[str], report: Path) -> int:
    import pytest

    os.chdir(checkout)
    sys.path.insert(0, str(checkout))
    # The first run, without a mutant, leaves compiled tests behind; a compiled mutant must not stay.
    sys.dont_write_bytecode = bool(order)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    options = ["-x", "-q", "-p", "no:cacheprovider"]
    # hypothesis was imported before pytest could rewrite its plugin; only its messages suffer.
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return int(pytest.main([*options, tests], plugins=[Ordered(order, report)]))


def copied(directory: Path) -> Path:
    """A copy of package and tests to break."""
    checkout = directory / "checkout"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("lawqa", "tests"):
        shutil.copytree(HERE / name, checkout / name, ignore=ignored)
    shutil.copy(HERE / "pyproject.toml", checkout)
    return checkout


def drawn(rooms: Sequence[str], seed: int) -> list[Mutant]:
    """All mutants of the rooms at random, one of each room in turn."""
    numbered = []
    for room in rooms:
        files = sorted((HERE / "lawqa" / room).glob("*.py"))
        mutants = [mutant for path in files for mutant in mutants_of(room, path)]
        random.Random(f"{seed} {room}").shuffle(mutants)  # noqa: S311 - a sample
        numbered += list(enumerate(mutants))
    return [mutant for _, mutant in sorted(numbered, key=lambda pair: pair[0])]


def main() -> None:
    """Draw mutants until the time is up."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--room", choices=list(ROOMS), action="append")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--at",
        action="append",
        metavar="FILE:LINE",
        help="all of a line, or of a file, instead of a sample",
    )
    options = parser.parse_args()
    # Imported once, before the forks; lawqa itself is imported by each from the copy.
    import hypothesis
    import numpy as np
    import pytest
    import scipy.stats
    import statsmodels.stats.contingency_tables

    modules = (pytest, hypothesis, np, scipy, statsmodels)
    print("Python", sys.version.split()[0], *(f"{m.__name__} {m.__version__}" for m in modules))
    mutants = drawn(options.room or list(ROOMS), options.seed)
    if options.at:
        mutants = [
            mutant
            for mutant in mutants
            if {str(mutant.path), f"{mutant.path}:{mutant.line}"} & set(options.at)
        ]
    counts: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as directory:
        checkout = copied(Path(directory))
        rooms = {name: Room(name, checkout) for name in {mutant.room for mutant in mutants}}
        until = time.monotonic() + 60 * options.minutes
        for mutant in mutants:
            if time.monotonic() > until:
                break
            found, killer = rooms[mutant.room].verdict(mutant)
            counts[mutant.room, found] += 1
            if found != "killed" or options.at:
                place = f"{mutant.path}:{mutant.line}"
                print(f"{counts.total():4} {found}: {place}: {mutant.change} {killer}", flush=True)
    print(f"\n{len(mutants)} mutants, {counts.total()} tried")
    for (room, found), number in sorted(counts.items()):
        print(f"{room:8} {found:10} {number}")


if __name__ == "__main__":
    main()
