"""The rules of the house hold for all of `lawqa`: sizes, docstrings, and how often `Any` is said."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

LONGEST_MODULE = 400
LONGEST_FUNCTION = 50
"""Lines of code, with its signature and without its docstring."""

MOST_ANY = 2
"""Lines of a thousand with the word, imports and comments included; JSON has aliases in `lawqa.files`."""

MOST_MODULES = 18
"""In a folder, its `__init__` aside; 15 are the aim."""

LONGER = {
    "models/kernels/triton_attention.py _rotate_and_store": "a Triton kernel, whose parts share their tiles",
    "models/kernels/triton_pages.py attend_words_kernel": "a Triton kernel, whose products are four each",
    "models/kernels/gluon_nf4.py product": "a Triton kernel, whose parts share their tiles",
}
"""Functions that are longer, each with the reason."""

SHARED_NAMES = {
    "main": "the entry point of a program: of lawqa, and of the process that renders templates",
    "read_chat": "what a chat endpoint answered, in either protocol",
    "read_models": "which models a server has, in either protocol",
    "require_packages": "refuses where an extra is not installed: that of servers, that of models",
}
"""Public classes and functions whose name several modules define, with the one meaning that they share."""

USERS = ("lawqa", "tests", "benchmarks", "scripts", "examples")
"""Folders whose code may use what a module defines."""

Function = ast.FunctionDef | ast.AsyncFunctionDef

_NO_VERBS = """
    a about after all an another any as at before behind between both by each every everything few
    for from half how in into it its many most no nobody none not nothing of on one only others over
    per several some something such that the their there these they this those to two under what
    when where whether which who whose why with within without
"""
NO_VERBS = frozenset(_NO_VERBS.split())
READ_LIKE_FIELDS = frozenset({"property", "cached_property", "lazy", "setter"})
"""Decorators of what a reader takes for a field: a noun says what it is."""


@cache
def modules(checkout: Path) -> tuple[tuple[str, ast.Module], ...]:
    package = checkout / "lawqa"
    return tuple(
        (path.relative_to(package).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(package.rglob("*.py"))
    )


def functions(tree: ast.Module) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def reads_like_a_field(function: Function) -> bool:
    names = (ast.unparse(one).rpartition(".")[2] for one in function.decorator_list)
    return not READ_LIKE_FIELDS.isdisjoint(names)


def opens_without_a_verb(docstring: str) -> bool:
    return docstring.split()[0].rstrip(",:;").lower() in NO_VERBS


@pytest.mark.parametrize(
    ("docstring", "verbless"),
    [
        ("Return the names.", False),
        ("The names.", True),
        ("What was asked.", True),
        ("Refuse: no endpoint continues a text.", False),
        ("Where, behind a line, a question begins.", True),
    ],
)
def test_a_docstring_without_a_verb_is_seen(docstring: str, verbless: bool) -> None:
    assert opens_without_a_verb(docstring) is verbless


def test_docstrings_of_functions_open_with_a_verb(checkout: Path) -> None:
    seen, verbless = 0, []
    for name, tree in modules(checkout):
        if name.startswith("answers/rules/"):
            continue  # there the docstring is the reason for a rule, which --explain-text prints
        for function in functions(tree):
            docstring = ast.get_docstring(function)
            if docstring is None or reads_like_a_field(function):
                continue
            seen += 1
            if opens_without_a_verb(docstring):
                verbless.append(f"{name}:{function.lineno} {function.name}: {docstring[:60]}")
    assert seen > 2000
    assert verbless == []


def lines_of_code(function: Function) -> int:
    first = function.body[0]
    documented = ast.get_docstring(function, clean=False) is not None
    docstring = first.end_lineno - first.lineno + 1 if documented else 0
    return function.end_lineno - function.lineno + 1 - docstring


def test_lines_of_code_are_counted_without_the_docstring() -> None:
    (function,) = ast.parse(
        'def f(\n    x,\n):\n    """One.\n\n    Two.\n    """\n    return x\n'
    ).body
    assert lines_of_code(function) == 4


def test_no_function_is_longer_than_a_screen(checkout: Path) -> None:
    longer = {
        f"{name} {function.name}"
        for name, tree in modules(checkout)
        for function in functions(tree)
        if lines_of_code(function) > LONGEST_FUNCTION
    }
    assert longer == set(LONGER)


def test_no_module_is_longer_than_a_few_screens(checkout: Path) -> None:
    lengths = {
        path.relative_to(checkout).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in (checkout / "lawqa").rglob("*.py")
    }
    assert len(lengths) > 500
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def test_any_is_said_seldom(checkout: Path) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (checkout / "lawqa").rglob("*.py")]
    lines = [line for text in texts for line in text.splitlines()]
    said = sum(bool(re.search(r"\bAny\b", line)) for line in lines)
    assert 0 < 1000 * said / len(lines) <= MOST_ANY


def test_a_public_name_means_one_thing(checkout: Path) -> None:
    homes: dict[str, list[str]] = {}
    for name, tree in modules(checkout):
        for node in tree.body:
            if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(name)
    assert {name for name, places in homes.items() if len(places) > 1} == set(SHARED_NAMES)


def test_no_folder_is_an_attic(checkout: Path) -> None:
    folders = Counter(Path(name).parent for name, _ in modules(checkout) if "__init__" not in name)
    assert len(folders) > 50
    assert {folder: n for folder, n in folders.items() if n > MOST_MODULES} == {}


def test_modules_that_a_package_lists_are_there(checkout: Path) -> None:
    listed: list[str] = []
    missing: list[str] = []
    for name, tree in modules(checkout):
        folder = (checkout / "lawqa" / name).parent
        if not name.endswith("/__init__.py"):  # lawqa itself lists functions
            continue
        for module in re.findall(r"^    (\w+) {2,}\S", ast.get_docstring(tree) or "", re.MULTILINE):
            listed.append(module)
            if not (folder / f"{module}.py").is_file() and not (folder / module).is_dir():
                missing.append(f"{name}: {module}")
    assert len(listed) > 30
    assert missing == []


def defined(tree: ast.Module) -> Iterator[str]:
    """Give the constants, functions and classes that a module defines."""
    for node in tree.body:
        match node:
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def test_what_a_module_defines_is_used(checkout: Path) -> None:
    """By lawqa itself, or by what comes with it."""
    sources = [path for folder in USERS for path in (checkout / folder).rglob("*.py")]
    words = Counter(
        word for path in sources for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))
    )
    unused = [
        f"{name}: {one}"
        for name, tree in modules(checkout)
        for one in defined(tree)
        if words[one] == 1
    ]
    assert unused == []
