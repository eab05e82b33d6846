"""Every declared command is checked: policy, inputs, and the real command line's parser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from lawqa.commands.chain import check_inputs
from lawqa.commands.expand import expand, render_command
from lawqa.commands.experiment import Experiment
from lawqa.commands.model import Command, CommandSource, Place
from lawqa.commands.policy import check_policy, forbidden_programs, without_demands
from lawqa.docgen.extract import mentioned_commands, shown_commands
from lawqa.errors import ConfigError

_VARIABLE = re.compile(r"\{([a-z0-9_]+)\}")

ParseArguments = Callable[[Sequence[str]], None]
"""Parses the arguments of `lawqa`; raises ConfigError where they are wrong."""


def verify(source: CommandSource, parse: ParseArguments) -> int:
    """Check every command at every place where it is declared.

    Args:
        source: the declarations.
        parse: the real parser.

    Returns:
        how many commands were checked, each at each of its places.

    Raises:
        ConfigError: a flag does not exist, a value has the wrong type, an input comes from nowhere, a
            variable is not defined.
        PolicyError: a place forbids one of its commands.
    """
    checked, refused = 0, []
    for place in source.places.values():
        check_inputs(source, place)
        for command in source.at(place.id):
            rendered = render_command(command, place)
            check_policy(
                place, rendered.argv, rendered.env, name=command.id, evaluates=command.evaluates
            )
            # The flags that the runner may add belong to the command.
            for more in dict.fromkeys(((), command.resume, command.fresh)):
                name = " ".join([f"{command.id} at {place.id}", *more])
                refused += _refusals((*rendered.argv, *more), name, parse)
            checked += 1
    _raise_all(refused)
    check_registered(source)
    for target in source.targets.values():
        for step in target.commands:
            if source.command(step).manual:
                raise ConfigError(
                    f"{target.id}: {step} is typed by a person, and no step of a target"
                )
    return checked


def verify_text(
    source: CommandSource, place_id: str, markdown: str, where: str, parse: ParseArguments
) -> int:
    """Check every command that a document shows, as its text has it, and the numbers that it repeats.

    Returns:
        how many commands there are.

    Raises:
        ConfigError: the parser refuses one, or a number disagrees with its variable.
        PolicyError: the place forbids one, in a block, in inline code or in a sentence.
    """
    place, checked, refused = source.place(place_id), 0, []
    for shown in shown_commands(markdown):
        check_policy(place, shown.argv, shown.env, name=f"{where}: {shown.line}")
        refused += _refusals(shown.argv, f"{where}: {shown.line}", parse)
        checked += 1
    fragments = without_demands(place)
    for mention in mentioned_commands(markdown, forbidden_programs(place)):
        check_policy(fragments, mention.argv, mention.env, name=f"{where}: {mention.line}")
    refused += _disagreeing(source, place, markdown, where)
    _raise_all(refused)
    return checked


def check_registered(source: CommandSource) -> None:
    """Compare the experiment, value by value and word by word, with what was registered before it was run.

    Raises:
        ConfigError: it is not registered, a value or a command was changed under the same id, or a command
            has a setting that is not among the values.
    """
    experiment = source.experiment
    place = source.place(source.targets["eval-heart01"].place)
    now = {
        name: expand(f"{{{name}}}", place.variables, f"experiment: variables: {name}")
        for name in experiment.variables
    }
    now |= {"mode": experiment.mode, "commands": " ".join(experiment.commands)}
    for command in map(source.command, experiment.commands):
        _require_fixed(command, experiment)
        # As declared, not as expanded: a path may change with the place, a flag may not.
        now[f"argv of {command.id}"] = " ".join(command.argv)
    fixed = source.registered.get(experiment.id)
    lines = "\n".join(
        f"{name if name.isidentifier() else json.dumps(name)} = {json.dumps(value, ensure_ascii=False)}"
        for name, value in now.items()
    )
    if fixed is None:
        raise ConfigError(
            f"experiment {experiment.id}: what is fixed before it is run is not registered",
            f"add to docs_src/commands.toml:\n[registered.{experiment.id}]\n{lines}",
        )
    for name in sorted(now.keys() | fixed.keys()):
        if now.get(name) != fixed.get(name):
            raise ConfigError(
                f"experiment {experiment.id}: {name} is {now.get(name, 'not fixed')}, but was registered as "
                f"{fixed.get(name, 'not fixed')} before the experiment was run",
                "another value is another experiment: give it a new id, and register that beside the old one:"
                f"\n[registered.NEW-ID]\n{lines}",
            )


def _require_fixed(command: Command, experiment: Experiment) -> None:
    """Make sure that every variable of a deciding command is fixed beforehand, or is part of a path.

    Raises:
        ConfigError: one is not.
    """
    paths = set(_VARIABLE.findall(" ".join((*command.inputs, *command.outputs))))
    free = [
        name
        for name in _VARIABLE.findall(" ".join(command.argv))
        if name not in paths and name not in experiment.variables
    ]
    if free:
        raise ConfigError(
            f"experiment {experiment.id}: {command.id} uses {{{free[0]}}}, which is not fixed beforehand",
            f'add "{free[0]}" to the variables of [experiment]',
        )


def _disagreeing(source: CommandSource, place: Place, markdown: str, where: str) -> list[str]:
    """Return the numbers in a text that are not the value of their variable."""
    wrong = []
    for number in source.numbers:
        known = {
            name: expand(f"{{{name}}}", place.variables, f"numbers: {number.pattern}")
            for name in number.variables
        }
        wrong += [
            f"{where}: says {said.group()!r}, but "
            + " and ".join(f"{name} is {value}" for name, value in known.items())
            for said in re.finditer(number.pattern, markdown)
            if said.group(1) not in known.values()
        ]
    return wrong


def _refusals(argv: Sequence[str], name: str, parse: ParseArguments) -> list[str]:
    """Return what the parser says against a command of lawqa; empty where it takes it."""
    if argv[:1] != ("lawqa",) or tuple(argv[1:]) == ("--version",):
        return []
    try:
        parse(argv[1:])
    except ConfigError as problem:
        return [f"{name}: the command line does not take it: {problem.message}"]
    return []


def _raise_all(refused: Sequence[str]) -> None:
    if refused:
        raise ConfigError("\n".join(refused), "fix docs_src/commands.toml or its templates")
