"""What the templates of a document may name."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lawqa.commands.expand import Rendered, expand, render_command
from lawqa.commands.experiment import Experiment, OutcomeText
from lawqa.commands.model import Chapter, CommandSource, Document, KnownFailure, Place
from lawqa.commands.placefile import PLACE_KEYS
from lawqa.commands.recipe import Recipe
from lawqa.docgen.durations import (
    bases_for,
    basis_ja,
    duration_ja,
    measured_file,
    stage_duration_ja,
)
from lawqa.docgen.verify import ParseArguments
from lawqa.report.grid.verdict import VERDICT_FIGURES, VERDICT_NAMES

NOTICE = (
    "自動生成：`make docs`（docs_src/commands.toml と docs_src/templates から）。直接編集しない。"
    " / Generated; do not edit."
)


@dataclass(frozen=True)
class Interface:
    """What documents need to know of the command line."""

    parse: ParseArguments
    """Its parser."""
    help_text: Callable[[Sequence[str]], str]
    """The help of a subcommand, given its words."""
    subcommands: tuple[tuple[str, ...], ...]
    """All subcommands, in order."""


def template_context(
    source: CommandSource, document: Document, interface: Interface, folder: Path
) -> dict[str, object]:
    """Return what templates may name; measurements of places lie in the folder of the sources."""
    place = source.place(document.place)
    bases = bases_for(source, place, measured_file(place, folder))

    def chapter_steps(chapter: Chapter) -> list[Rendered]:
        commands = itertools.chain.from_iterable(
            [source.command(step)] if step in source.commands else source.at(place.id, step)
            for step in chapter.steps
        )
        return [render_command(command, place) for command in commands]

    def steps(*names: str) -> list[Rendered]:
        return [render_command(command, place) for command in source.at(place.id, *names)]

    def one(command_id: str) -> Rendered:
        return render_command(source.command(command_id), place)

    return {
        **_declared(source, document, place),
        "chapter_steps": chapter_steps,
        "steps": steps,
        "one": one,
        "failures_of": lambda rendered: _failures(source, rendered),
        "duration": lambda rendered: duration_ja(rendered.command, place, bases),
        "stage_steps": lambda stage: [one(step) for step in stage.steps],
        "stage_duration": lambda stage: stage_duration_ja(stage, source, place, bases),
        "basis_of_durations": basis_ja(source, place, bases),
        "value": lambda name: value_of(name, place),
        "expanded": lambda text: expand(text, place.variables, document.file),
        # Functions, because only one document needs each of them and they take a second.
        "power_table": lambda: _power_table(
            int(value_of("n_questions", place)), int(value_of("votes", place))
        ),
        "subcommands": lambda: [
            (" ".join(words), interface.help_text(words)) for words in interface.subcommands
        ],
    }


def _declared(source: CommandSource, document: Document, place: Place) -> dict[str, object]:
    """Return what is declared, with the place's variables put in."""
    return {
        "notice": f"<!-- {NOTICE} -->",
        "document": document,
        "source": source,
        "place": place,
        "places": source.places,
        "experiment": _expanded(source.experiment, place),
        "outcomes": [_as_form(outcome, place) for outcome in source.experiment.outcomes],
        "references": source.references,
        "fixed": {name: value_of(name, place) for name in source.experiment.variables},
        "targets": source.targets,
        "recipe": _expanded_recipe(source.recipe, place),
        "place_keys": PLACE_KEYS,
        "placeholders": place.placeholders,
    }


def _expanded(experiment: Experiment, place: Place) -> Experiment:
    """Put the place's variables into what the experiment says."""
    return replace(
        experiment,
        title_ja=expand(experiment.title_ja, place.variables, "experiment: title_ja"),
        second_claim_ja=expand(
            experiment.second_claim_ja, place.variables, "experiment: second_claim_ja"
        ),
        points_ja=tuple(
            expand(point, place.variables, "experiment: points_ja")
            for point in experiment.points_ja
        ),
    )


def _expanded_recipe(recipe: Recipe | None, place: Place) -> Recipe | None:
    """Put the place's variables into what the recipe says."""

    def put(text: str) -> str:
        return expand(text, place.variables, "recipe")

    return recipe and replace(
        recipe,
        title_ja=put(recipe.title_ja),
        stages=tuple(
            replace(
                stage,
                title_ja=put(stage.title_ja),
                text_ja=put(stage.text_ja),
                outcomes=tuple(
                    replace(one, when_ja=put(one.when_ja), then_ja=put(one.then_ja))
                    for one in stage.outcomes
                ),
            )
            for stage in recipe.stages
        ),
    )


def _as_form(outcome: OutcomeText, place: Place) -> OutcomeText:
    """Return an outcome with ○ for the figures that only a result has."""
    blank = {**dict.fromkeys(VERDICT_FIGURES, "○"), **VERDICT_NAMES}

    def put(text: str) -> str:
        return expand(text, {**blank, **place.variables}, f"experiment: outcomes: {outcome.id}")

    return replace(
        outcome,
        when_ja=put(outcome.when_ja),
        sentence_ja=put(outcome.sentence_ja),
        means_ja=put(outcome.means_ja),
    )


def _power_table(questions: int, votes: int) -> list[list[str]]:
    """Return the detectable differences in points, by the share that exactly one of two single answers gets
    right.
    """
    from lawqa.scoring.comparisons import Design, detectable_difference

    rows = []
    for discordance in (0.1, 0.2, 0.3):
        designs = (
            Design(questions, discordance, votes=votes),
            Design(questions, discordance, votes=votes, seeds=3),
            Design(questions, discordance),
        )
        differences = [detectable_difference(design) for design in designs]
        shown = ["—" if one is None else f"{100 * one:.1f}" for one in differences]
        rows.append([f"{discordance:.0%}", *shown])
    return rows


def value_of(name: str, place: Place) -> str:
    """Return the value of a place's variable, those that it names put in."""
    return expand(f"{{{name}}}", place.variables, name)


def _failures(source: CommandSource, every: Sequence[Rendered]) -> list[KnownFailure]:
    """Return the failures of these commands, each once, in the order of the source."""
    named = {name for rendered in every for name in rendered.command.failures}
    return [failure for failure in source.failures.values() if failure.id in named]
