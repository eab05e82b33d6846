"""Every test file is where the module that it tests is, and most modules have one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

# What tests more than a module, with the reason.
ELSEWHERE = {
    "test_examples.py": "runs the notebooks of examples",
    "assets": "the questions that ship with lawqa are data",
    "gpu": "runs as a whole where there is a CUDA device",
    "rough": "harm done to files, disks and processes, whichever module meets it",
    "test_architecture.py": "reads ARCHITECTURE.md",
    "test_house.py": "reads the source of the whole package",
    "test_imports.py": "watches whole commands",
    "test_many_cases.py": "tests the tests",
    "test_mirror.py": "tests the tests",
    "test_no_network.py": "watches whole commands",
    "test_project_files.py": "the files beside the package, which forges and other tools read",
}


def mirrored(package: Path, parts: tuple[str, ...]) -> bool:
    """Whether room/test_x_y.py has a module or package x_y or x there, or is named after the room itself."""
    *room, name = parts
    folder = package.joinpath(*room)
    words = name.removeprefix("test_").removesuffix(".py").split("_")
    names = ["_".join(words[:n]) for n in range(1, len(words) + 1)]
    if names == ["public"]:  # what the room's __init__ offers
        return (folder / "__init__.py").is_file()
    return any(
        name == folder.name
        or (folder / f"{name}.py").is_file()
        or (folder / name / "__init__.py").is_file()
        for name in names
    )


def test_every_test_file_mirrors_a_module_or_room_or_is_declared(checkout: Path) -> None:
    tests = checkout / "tests"
    found = sorted(path.relative_to(tests) for path in tests.rglob("test_*.py"))
    assert [
        str(p)
        for p in found
        if not (p.parts[0] in ELSEWHERE or mirrored(checkout / "lawqa", p.parts))
    ] == []


FEW_STATEMENTS = 10
"""A module with fewer than these in all its functions only declares something: no test is asked of it."""

SHARE = 0.6
"""The least share of the other modules that have a test file of their own name."""


def statements_of(path: Path) -> int:
    """How many statements the functions of a module hold, without docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return sum(
        sum(isinstance(one, ast.stmt) for one in ast.walk(function)) - 1
        - (ast.get_docstring(function) is not None)
        for function in functions
    )  # fmt: skip


def behaves(path: Path) -> bool:
    """Whether a module has behaviour of its own that runs without a GPU."""
    return (
        path.name not in ("__init__.py", "__main__.py")
        and not path.name.startswith("triton_")
        and statements_of(path) >= FEW_STATEMENTS
    )


def has_mirror(package: Path, tests: Path, module: Path) -> bool:
    """Whether a module has a test file beside its own place: room/x.py in room/test_x.py or test_x_y.py."""
    folder, name = tests / module.relative_to(package).parent, module.stem
    return any(folder.glob(f"test_{name}.py")) or any(folder.glob(f"test_{name}_*.py"))


def without_mirror(package: Path, tests: Path) -> tuple[list[str], int]:
    """The modules with behaviour that have no test file of their name, and how many have behaviour."""
    modules = [path for path in sorted(package.rglob("*.py")) if behaves(path)]
    return [
        path.relative_to(package).as_posix()
        for path in modules
        if not has_mirror(package, tests, path)
    ], len(modules)


def test_most_modules_have_a_test_of_their_name_and_every_new_one_needs_it(checkout: Path) -> None:
    tests = checkout / "tests"
    missing, modules = without_mirror(checkout / "lawqa", tests)
    known = set((tests / "unmirrored.txt").read_text(encoding="utf-8").split())
    new = [name for name in missing if name not in known]
    assert new == [], "write tests/ROOM/test_NAME.py for each"
    assert sorted(known - set(missing)) == [], "take out of tests/unmirrored.txt what has one now"
    assert 1 - len(missing) / modules >= SHARE


def test_a_module_without_a_test_is_seen_and_a_declaration_needs_none(tmp_path: Path) -> None:
    package, tests = tmp_path / "lawqa", tmp_path / "tests"
    (package / "room").mkdir(parents=True)
    (tests / "room").mkdir(parents=True)
    body = 'def f(x):\n    """Do."""\n' + FEW_STATEMENTS * "    x += 1\n"
    for name in ("x.py", "y.py", "triton_x.py", "__init__.py"):
        (package / "room" / name).write_text(body, encoding="utf-8")
    (package / "room" / "names.py").write_text(
        "A = 1\n\n\ndef f():\n    return A\n", encoding="utf-8"
    )
    (tests / "room" / "test_x_more.py").touch()
    assert without_mirror(package, tests) == (["room/y.py"], 2)


def test_what_is_declared_is_there(checkout: Path) -> None:
    assert [name for name in ELSEWHERE if not (checkout / "tests" / name).exists()] == []


def test_the_files_that_are_begun_first_are_there(checkout: Path) -> None:
    tests = checkout / "tests"
    table = (tests / "conftest.py").read_text(encoding="utf-8").partition("_LONGEST = (")[2]
    names = re.findall(r'"(.+\.py)"', table.partition("\n)")[0])
    assert len(names) > 10
    assert [name for name in names if not (tests / name).is_file()] == []
