"""Which distribution a package comes from, without listing the files of all that are installed."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping

import pytest

from lawqa.models.lean.distributions import _CALLED, distributions_when_asked

WHOLE = {"pytest": ["pytest"], "_pytest": ["pytest"], "lawqa": ["lawqa"]}


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What has listed everything so far."""
    calls: list[str] = []

    def list_all() -> Mapping[str, list[str]]:
        calls.append("all")
        return WHOLE

    monkeypatch.setattr(importlib.metadata, "packages_distributions", list_all)
    return calls


def asked() -> Mapping[str, list[str]]:
    with distributions_when_asked():
        return importlib.metadata.packages_distributions()


def test_packages_called_as_they_are_imported_are_found_alone(listed: list[str]) -> None:
    mapping = asked()
    assert mapping["pytest"] == ["pytest"]
    assert mapping.get("no_such_package", []) == []
    assert "no_such_package" not in mapping
    assert listed == []


def test_a_package_of_another_name_is_found_among_all(listed: list[str]) -> None:
    mapping = asked()
    assert mapping["_pytest"] == ["pytest"]
    assert mapping.get("json", []) == []  # importable, of no distribution
    assert listed == ["all"]


def test_whoever_wants_all_gets_all_once(listed: list[str]) -> None:
    mapping = asked()
    assert dict(mapping) == WHOLE
    assert len(mapping) == 3
    assert mapping["lawqa"] == ["lawqa"]
    assert listed == ["all"]


def test_afterwards_everything_is_as_it_was() -> None:
    own = importlib.metadata.packages_distributions
    with pytest.raises(KeyError), distributions_when_asked():
        importlib.metadata.packages_distributions()["no_such_package"]
    assert importlib.metadata.packages_distributions is own


def test_what_is_found_alone_is_what_a_whole_listing_says() -> None:
    whole = importlib.metadata.packages_distributions()
    mapping = asked()
    for package in ("numpy", "pytest", *_CALLED):
        assert mapping.get(package, [])[:1] == whole.get(package, [])[:1]
