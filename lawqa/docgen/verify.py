"""Every declared command is checked: policy, inputs, and the real command line's parser."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lawqa.commands import CommandSource, check_inputs, check_policy, render_command
from lawqa.docgen.extract import shown_commands
from lawqa.errors import ConfigError

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
    """Check every command that a document shows, as its text has it.

    Returns:
        how many there are.

    Raises:
        ConfigError: the parser refuses one.
        PolicyError: the place forbids one.
    """
    place, checked, refused = source.place(place_id), 0, []
    for shown in shown_commands(markdown):
        check_policy(place, shown.argv, shown.env, name=f"{where}: {shown.line}")
        refused += _refusals(shown.argv, f"{where}: {shown.line}", parse)
        checked += 1
    _raise_all(refused)
    return checked


def _refusals(argv: Sequence[str], name: str, parse: ParseArguments) -> list[str]:
    """What the parser says against a command of lawqa; empty where it takes it."""
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
