"""Reading `commands.toml`: every key is known, every value has its type, every reference leads somewhere."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import get_args

from lawqa.amounts import counted, part_of_whole
from lawqa.commands.experiment import Experiment, KnownAccuracy, OutcomeId, OutcomeText
from lawqa.commands.model import (
    Chapter,
    Command,
    CommandRole,
    CommandSource,
    Document,
    KnownFailure,
    MakeTarget,
    Place,
    PlaceRule,
    RepeatedNumber,
)
from lawqa.commands.recipe import Recipe, Stage, StageOutcome
from lawqa.commands.tables import Made, made_of, table, tables, texts
from lawqa.commands.work import Card, Work
from lawqa.errors import ConfigError
from lawqa.files import JsonObject

if sys.version_info >= (3, 11):
    import tomllib
else:  # tomllib entered the standard library with 3.11
    import tomli as tomllib

SCHEMA_VERSION = 2


@cache
def packaged_source() -> CommandSource:
    """Return what the package declares."""
    text = files("lawqa").joinpath("assets", "commands.toml").read_text(encoding="utf-8")
    return read_source(text, "commands.toml")


def places() -> dict[str, Place]:
    """Return all declared places by id."""
    return dict(packaged_source().places)


def read_source(text: str, name: str) -> CommandSource:
    """Read a declaration.

    Args:
        text: TOML.
        name: what errors call it.

    Raises:
        ConfigError: it is not TOML, has an unknown key, lacks one, or refers to what is not there.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise ConfigError(f"{name}: is not TOML: {problem}") from None
    _check_keys(content, name)
    references = _references(content, name)
    shared = {
        **texts(content.get("variables", {}), f"{name}: variables"),
        **{f"reference_{one.id}": one.argument for one in references},
    }
    source = CommandSource(
        places={
            key: _place(key, value, shared, f"{name}: places.{key}")
            for key, value in _tables_by_id(content, "places", name).items()
        },
        commands=_by_id(
            _extended(_listed(content, "commands", name), f"{name}: commands"),
            _command,
            f"{name}: commands",
        ),
        failures=_made_by_id(KnownFailure, content, "failures", name),
        experiment=_experiment(
            table(content.get("experiment"), f"{name}: experiment"), f"{name}: experiment"
        ),
        references=references,
        targets=_made_by_id(MakeTarget, content, "targets", name),
        documents=tuple(
            _document(value, f"{name}: documents") for value in _listed(content, "documents", name)
        ),
        numbers=tuple(
            _number(value, f"{name}: numbers") for value in _listed(content, "numbers", name)
        ),
        registered={
            key: texts(value, f"{name}: registered.{key}")
            for key, value in _tables_by_id(content, "registered", name).items()
        },
        recipe=_recipe(content["recipe"], f"{name}: recipe") if "recipe" in content else None,
        cards=_made_by_id(Card, content, "cards", name),
        checksums=texts(content.get("checksums", {}), f"{name}: checksums"),
        tested=texts(content.get("tested", {}), f"{name}: tested"),
    )
    _check_references(source, name)
    return source


_KNOWN = frozenset({
    "schema_version", "variables", "places", "failures", "commands", "experiment", "targets",
    "checksums", "tested", "documents", "numbers", "registered", "references", "cards", "recipe",
})  # fmt: skip


def _check_keys(content: JsonObject, name: str) -> None:
    version = content.get("schema_version")
    if version != SCHEMA_VERSION:
        raise ConfigError(f"{name}: schema_version is {version}, expected {SCHEMA_VERSION}")
    if unknown := sorted(content.keys() - _KNOWN):
        raise ConfigError(
            f"{name}: unknown key {unknown[0]!r}", f"known: {', '.join(sorted(_KNOWN))}"
        )


def _made_by_id(
    kind: Callable[..., Made], content: JsonObject, key: str, name: str
) -> dict[str, Made]:
    """Make an object of each table below a key, whose own name is its id."""
    return {
        each: made_of(kind, {"id": each, **value}, f"{name}: {key}.{each}")
        for each, value in _tables_by_id(content, key, name).items()
    }


def _listed(content: JsonObject, key: str, name: str) -> list[JsonObject]:
    return tables(content.get(key, []), f"{name}: {key}")


def _tables_by_id(content: JsonObject, key: str, name: str) -> dict[str, JsonObject]:
    entries = table(content.get(key, {}), f"{name}: {key}")
    return {entry: table(value, f"{name}: {key}.{entry}") for entry, value in entries.items()}


def _place(key: str, value: JsonObject, shared: Mapping[str, str], where: str) -> Place:
    rules = tuple(
        _rule(rule, f"{where}: rules") for rule in tables(value.get("rules", []), f"{where}: rules")
    )
    merged = {**value, "id": key, "rules": rules}
    own = texts(value.get("variables", {}), f"{where}.variables")
    merged["variables"] = with_counts({**shared, **own})
    return made_of(Place, merged, where)


def with_counts(variables: Mapping[str, str]) -> dict[str, str]:
    """Add what follows from the sizes of the split: `n_test`, `n_dev` and `n_train` of `n_questions`.

    Texts that repeat these numbers name the variable, so that they follow `test_size` and `dev_size`. A size
    is a share, rounded as `lawqa split` rounds it, or a count.
    """
    sizes = [variables.get(name) for name in ("n_questions", "test_size", "dev_size")]
    if None in sizes:
        return dict(variables)
    try:
        total, test, dev = (float(size) for size in sizes if size is not None)
    except ValueError:
        # The command line refuses the size by its name, when the commands are parsed.
        return {**variables, "n_test": "…", "n_dev": "…", "n_train": "…"}
    test, dev = (part_of_whole(size, int(total)) for size in (test, dev))
    counts = {"n_test": test, "n_dev": dev, "n_train": int(total) - test - dev}
    return {**variables, **{name: str(count) for name, count in counts.items()}}


def _references(content: JsonObject, name: str) -> tuple[KnownAccuracy, ...]:
    """Read the accuracies of other runs; each says where it comes from."""
    references = tuple(
        made_of(KnownAccuracy, value, f"{name}: references")
        for value in _listed(content, "references", name)
    )
    for one in references:
        here = f"{name}: references: {one.id}"
        if not re.fullmatch(r"[a-z0-9_]+", one.id):
            raise ConfigError(f"{here}: is not a name of a variable", "letters, digits and _")
        if not 0 <= one.correct <= one.asked or not one.asked:
            raise ConfigError(f"{here}: {one.correct} of {one.asked} is not an accuracy")
        if "=" in one.title_ja or not (one.source_ja.strip() and one.conditions_ja.strip()):
            raise ConfigError(
                f"{here}: needs conditions_ja and source_ja, and a title_ja without `=`",
                "a figure without its source is not quoted",
            )
    return references


def _experiment(value: JsonObject, where: str) -> Experiment:
    here = f"{where}: outcomes"
    outcomes = tuple(
        made_of(OutcomeText, one, here) for one in tables(value.get("outcomes", []), here)
    )
    if outcomes and sorted(one.id for one in outcomes) != sorted(get_args(OutcomeId)):
        raise ConfigError(f"{here}: expected one for each of {', '.join(get_args(OutcomeId))}")
    return made_of(Experiment, {**value, "outcomes": outcomes}, where)


def _recipe(value: object, where: str) -> Recipe:
    stages = []
    for stage in tables(table(value, where).get("stages", []), f"{where}: stages"):
        here = f"{where}: stages: {stage.get('id', '')}"
        outcomes = tuple(
            made_of(StageOutcome, one, f"{here}: outcomes")
            for one in tables(stage.get("outcomes", []), f"{here}: outcomes")
        )
        stages.append(made_of(Stage, {**stage, "outcomes": outcomes}, here))
    return made_of(Recipe, {**table(value, where), "stages": tuple(stages)}, where)


def _check_recipe(recipe: Recipe, source: CommandSource, name: str) -> None:
    """Require that every stage has commands that are declared, and outcomes that skip later stages only."""
    ids = [stage.id for stage in recipe.stages]
    for number, stage in enumerate(recipe.stages):
        here = f"{name}: recipe: {stage.id}"
        if missing := [step for step in stage.steps if step not in source.commands]:
            raise ConfigError(f"{here}: {missing[0]} is not declared")
        if not (
            stage.steps and stage.outcomes and stage.budget_hours > 0 and ids.count(stage.id) == 1
        ):
            raise ConfigError(
                f"{here}: needs steps, outcomes, budget_hours above 0 and an id of its own"
            )
        for outcome in stage.outcomes:
            if earlier := [one for one in outcome.skips if one not in ids[number + 1 :]]:
                raise ConfigError(f"{here}: skips {earlier[0]!r}, which is not a later stage")


def _document(value: JsonObject, where: str) -> Document:
    here = f"{where}: {value.get('file', '')}"
    chapters = tuple(
        made_of(Chapter, chapter, f"{here}: chapters")
        for chapter in tables(value.get("chapters", []), f"{here}: chapters")
    )
    return made_of(Document, {**value, "chapters": chapters}, here)


def _number(value: JsonObject, where: str) -> RepeatedNumber:
    number = made_of(RepeatedNumber, value, where)
    try:
        groups = re.compile(number.pattern).groups
    except re.error as problem:
        raise ConfigError(f"{where}: {number.pattern!r} is not a pattern: {problem}") from None
    if groups != 1:
        raise ConfigError(
            f"{where}: {number.pattern!r} has {counted(groups, 'group')}, expected the number"
        )
    return number


def _extended(commands: Sequence[JsonObject], where: str) -> list[JsonObject]:
    """Return the tables of commands, each with what it takes over from the one that its `extends` names.

    What a variant says itself replaces what it takes over, key by key; `variables` are joined.
    """
    by_id = {command.get("id"): command for command in commands}

    def whole(command: JsonObject, above: Sequence[object]) -> JsonObject:
        parent = command.get("extends")
        if parent is None:
            return command
        here = f"{where}: {command.get('id')}: extends"
        if parent in above:
            raise ConfigError(f"{here}: {parent} extends itself in the end")
        if parent not in by_id:
            raise ConfigError(f"{here}: {parent} is not declared")
        taken = whole(by_id[parent], (*above, parent))
        own = {key: item for key, item in command.items() if key != "extends"}
        variables = {**taken.get("variables", {}), **own.get("variables", {})}
        return {**taken, **own, **({"variables": variables} if variables else {})}

    return [whole(command, (command.get("id"),)) for command in commands]


def _rule(value: JsonObject, where: str) -> PlaceRule:
    values = table(value.get("forbidden_values", {}), f"{where}: forbidden_values")
    forbidden = {flag: tuple(words) for flag, words in values.items()}
    return made_of(PlaceRule, {**value, "forbidden_values": forbidden}, where)


def _command(value: JsonObject, where: str) -> Command:
    here = f"{where}: {value.get('id', '')}: work"
    work = tuple(made_of(Work, one, here) for one in tables(value.get("work", []), here))
    command = made_of(Command, {**value, "work": work}, where)
    if command.role not in get_args(CommandRole):
        raise ConfigError(
            f"{where}: {command.id}: role is {command.role!r}",
            f"known: {', '.join(get_args(CommandRole))}",
        )
    if not command.argv:
        raise ConfigError(f"{where}: {command.id}: argv is empty")
    return command


def _by_id(
    entries: list[JsonObject], make: Callable[[JsonObject, str], Command], where: str
) -> dict[str, Command]:
    made: dict[str, Command] = {}
    for entry in entries:
        command = make(entry, where)
        if command.id in made:
            raise ConfigError(f"{where}: {command.id} is declared twice")
        made[command.id] = command
    return made


def _check_references(source: CommandSource, name: str) -> None:
    def check(named: tuple[str, ...], known: Mapping[str, object], where: str) -> None:
        if missing := [item for item in named if item not in known]:
            raise ConfigError(f"{name}: {where}: {missing[0]} is not declared")

    for command in source.commands.values():
        check(command.places, source.places, f"{command.id}: places")
        check(command.failures, source.failures, f"{command.id}: failures")
        other = (command.alternative_to,) if command.alternative_to else ()
        check(other, source.commands, f"{command.id}: alternative_to")
    if source.recipe is not None:
        _check_recipe(source.recipe, source, name)
    for place in source.places.values():
        check((place.card,) if place.card else (), source.cards, f"places.{place.id}: card")
    for target in source.targets.values():
        check((target.place,), source.places, f"{target.id}: place")
        check(target.commands, source.commands, f"{target.id}: commands")
    named = {command.step for command in source.commands.values()}
    for document in source.documents:
        here = f"documents: {document.file}"
        check((document.place,), source.places, f"{here}: place")
        _check_steps(document.steps, named, f"{name}: {here}: steps")
        for chapter in document.chapters:
            known = {*named, *source.commands}
            _check_steps(chapter.steps, known, f"{name}: {here}: chapters: {chapter.title}")
    experiment = source.experiment
    check((experiment.decides, *experiment.commands), source.commands, "experiment: commands")
    for command in source.commands.values():
        if (command.role == "primary") != (command.id in experiment.commands):
            raise ConfigError(
                f"{name}: {command.id}: role is {command.role!r}, but the experiment's commands are "
                f"{', '.join(experiment.commands)}"
            )


def _check_steps(steps: Sequence[str], known: set[str], where: str) -> None:
    if missing := [step for step in steps if step not in known]:
        raise ConfigError(
            f"{where}: no command belongs to {missing[0]!r}", f"known: {', '.join(sorted(known))}"
        )
