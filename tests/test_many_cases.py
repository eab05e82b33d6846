"""Tables of cases that run as one test: none is left out, and every one that fails is named."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def many(request: pytest.FixtureRequest) -> ModuleType:
    found = request.config.pluginmanager.get_plugin("lawqa_test_many_cases")
    assert isinstance(found, ModuleType)
    return found


@pytest.mark.parametrize("one", [1, 2, 3])
@pytest.mark.parametrize(("text", "size"), [("a", 1), pytest.param("bb", 2, id="two"), ("", 0)])
def _table(one: int, text: str, size: int) -> None:
    assert len(text) == size
    if one == 2 and size:
        raise ValueError(f"{one}{text}")
    if one == 3:
        pytest.skip("three")


def test_every_case_runs_and_every_failure_is_named(many: ModuleType) -> None:
    cases = many.cases_of(_table)
    assert [case.name for case in cases][:4] == ["a-1-1", "a-1-2", "a-1-3", "two-1"]
    assert len(cases) == 9
    with pytest.raises(pytest.fail.Exception) as caught:
        many.in_a_loop(_table, cases)()
    text = str(caught.value)
    assert text.startswith("2 of 9 cases\n")
    assert "ValueError" in text
    assert f"{__file__}:" in text
    assert "2a" in text
    assert "2bb" in text


def test_a_table_of_skipped_cases_is_skipped(many: ModuleType) -> None:
    skipped = [case for case in many.cases_of(_table) if case.arguments["one"] == 3]
    with pytest.raises(pytest.skip.Exception, match="three"):
        many.in_a_loop(_table, skipped)()


@pytest.mark.parametrize("name", [pytest.param("a", marks=pytest.mark.slow), "b"])
def _with_marks(name: str) -> None:
    assert name


@pytest.mark.parametrize("name", ["a", "b"])
def _with_a_fixture(name: str, tmp_path: object) -> None:
    assert tmp_path or name


def _without_a_table() -> None:
    return


@pytest.mark.parametrize("function", [_with_marks, _with_a_fixture, _without_a_table])
def test_what_needs_more_than_a_loop_is_left_to_pytest(
    many: ModuleType, function: Callable[..., None]
) -> None:
    assert many.cases_of(function) is None
