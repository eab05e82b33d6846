"""What templates may name: the declared, a place's values put in."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from lawqa.commands.expand import Rendered
from lawqa.commands.model import KnownFailure
from lawqa.commands.source import packaged_source
from lawqa.docgen.context import Interface, template_context, value_of
from lawqa.errors import ConfigError

SOURCE = packaged_source()
DOCUMENT = next(one for one in SOURCE.documents if one.place == "heart01")
INTERFACE = Interface(
    parse=lambda _: None,
    help_text=lambda words: f"help of {' '.join(words)}",
    subcommands=(("train",), ("runs", "diff")),
)


@pytest.fixture(scope="module")
def context(checkout: Path) -> dict[str, object]:
    return template_context(SOURCE, DOCUMENT, INTERFACE, checkout / "docs_src")


def test_values_of_a_place_are_put_in(context: dict[str, object]) -> None:
    place = SOURCE.place("heart01")
    assert context["place"] == place
    assert context["fixed"] == {name: value_of(name, place) for name in SOURCE.experiment.variables}
    assert not [text for text in (value_of(name, place) for name in place.variables) if "{" in text]
    with pytest.raises(ConfigError, match="no_such_variable"):
        value_of("no_such_variable", place)


def test_figures_that_only_a_result_has_are_circles(context: dict[str, object]) -> None:
    outcomes = cast("list[object]", context["outcomes"])
    assert len(outcomes) == len(SOURCE.experiment.outcomes)
    assert any("○" in str(outcome) for outcome in outcomes)
    assert not any("{" in str(outcome) for outcome in outcomes)


def test_help_is_asked_for_by_the_template_only(context: dict[str, object]) -> None:
    subcommands = context["subcommands"]
    assert callable(subcommands)
    assert subcommands() == [("train", "help of train"), ("runs diff", "help of runs diff")]


def test_a_failure_that_several_steps_meet_is_named_once(context: dict[str, object]) -> None:
    steps, failures_of = context["steps"], context["failures_of"]
    assert callable(steps)
    assert callable(failures_of)
    several: list[Rendered] = [one for one in steps(*DOCUMENT.steps) if one.command.failures]
    assert len(several) > 1
    failures: list[KnownFailure] = failures_of([*several, *several])
    assert [one.id for one in failures] == [
        name for name in SOURCE.failures if any(name in step.command.failures for step in several)
    ]
