"""Mutation testing of the rooms that decide what a figure is: small faults that no test notices.

    python benchmarks/mutants.py --minutes 30 [--room scoring] [--seed 0]

A mutant is one small change in a copy of the package: to a comparison, operator, number, condition or result.
The tests of its room run against it until one fails. Mutants are drawn at random, the same for the
same seed; those that survive are printed with their line, for somebody to say which a test should see.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
ROOMS = {
    "answers": "tests/answers",
    "scoring": "tests/scoring",
    "splits": "tests/splits",
    "records": "tests/test_records.py",
}
TIMEOUT_SECONDS = 120.0

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
    kinds = (ast.BoolOp, ast.If, ast.IfExp, ast.Return)
    simple = isinstance(node, kinds) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    )
    return int(simple or (isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS))


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


def verdict(mutant: Mutant, checkout: Path) -> str:
    """killed, survived or timed out, by the tests of its room in a process of its own."""
    target = checkout / mutant.path
    original = target.read_text(encoding="utf-8")
    target.write_text(mutant.source, encoding="utf-8")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setsid()
            code = _tests(mutant.room, checkout)
        finally:  # whatever a mutant does, this process must not go on as its parent
            os._exit(code)
    try:
        until = time.monotonic() + TIMEOUT_SECONDS
        while time.monotonic() < until:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return "survived" if os.waitstatus_to_exitcode(status) == 0 else "killed"
            time.sleep(0.02)
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return "timed out"
    finally:
        target.write_text(original, encoding="utf-8")


def _tests(room: str, checkout: Path) -> int:
    import pytest

    os.chdir(checkout)
    sys.path.insert(0, str(checkout))
    sys.dont_write_bytecode = True
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", ROOMS[room]]))


def copied(directory: Path) -> Path:
    """A copy of package and tests to break."""
    checkout = directory / "checkout"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("lawqa", "tests"):
        shutil.copytree(HERE / name, checkout / name, ignore=ignored)
    shutil.copy(HERE / "pyproject.toml", checkout)
    return checkout


def main() -> None:
    """Draw mutants until the time is up."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--room", choices=list(ROOMS), action="append")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    # Imported once, before the forks; lawqa itself is imported by each from the copy. Not hypothesis: pytest
    # wants to be first there.
    import numpy as np
    import pytest
    import scipy.special

    print("with", ", ".join(f"{m.__name__} {m.__version__}" for m in (np, pytest)), scipy.__name__)
    drawn = [
        mutant
        for room in options.room or ROOMS
        for path in sorted((HERE / "lawqa" / room).glob("*.py"))
        for mutant in mutants_of(room, path)
    ]
    random.Random(options.seed).shuffle(drawn)  # noqa: S311 - a sample
    until = time.monotonic() + 60 * options.minutes
    counts: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as directory:
        checkout = copied(Path(directory))
        for room in options.room or ROOMS:
            unbroken = Mutant(
                room, Path("lawqa/errors.py"), 0, "", (HERE / "lawqa/errors.py").read_text("utf-8")
            )
            if verdict(unbroken, checkout) != "survived":
                sys.exit(f"{ROOMS[room]}: fails without a mutant")
        for mutant in drawn:
            if time.monotonic() > until:
                break
            found = verdict(mutant, checkout)
            counts[mutant.room, found] += 1
            if found != "killed":
                print(f"{found}: {mutant.path}:{mutant.line}: {mutant.change}", flush=True)
    print(f"\n{len(drawn)} mutants, {counts.total()} tried")
    for (room, found), number in sorted(counts.items()):
        print(f"{room:8} {found:10} {number}")


if __name__ == "__main__":
    main()
