"""Every test file is where the module that it tests is."""

from __future__ import annotations

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


def test_what_is_declared_is_there(checkout: Path) -> None:
    assert [name for name in ELSEWHERE if not (checkout / "tests" / name).exists()] == []


def test_the_files_that_are_begun_first_are_there(checkout: Path) -> None:
    tests = checkout / "tests"
    table = (tests / "conftest.py").read_text(encoding="utf-8").partition("_LONGEST = (")[2]
    names = re.findall(r'"(.+\.py)"', table.partition("\n)")[0])
    assert len(names) > 10
    assert [name for name in names if not (tests / name).is_file()] == []
