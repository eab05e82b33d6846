"""What the source declares: places with their rules, commands, the experiment, targets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from lawqa.commands.experiment import Experiment, KnownAccuracy
from lawqa.commands.recipe import Recipe
from lawqa.commands.work import Card, Work
from lawqa.errors import ConfigError

CommandRole = Literal["primary", "support", "exploration"]

_PLACEHOLDER = re.compile(r"[A-Z]+(_[A-Z]+)+")


@dataclass(frozen=True)
class PlaceRule:
    """One thing that a place forbids or demands; each part that is filled in is checked."""

    id: str
    """What messages call it."""
    reason: str
    """Why, in English."""
    reason_ja: str
    """Why, in Japanese."""
    commands: tuple[str, ...] = ()
    """The subcommands of `lawqa` that it applies to, such as `crossval run`; empty for every command."""
    programs: tuple[str, ...] = ()
    """Programs that may not run."""
    modules: tuple[str, ...] = ()
    """Modules that may not run with `python -m`."""
    phrases: tuple[str, ...] = ()
    """Programs with their first words that may not run, such as `git push`."""
    words: tuple[str, ...] = ()
    """Parts that an argument or environment value may not contain."""
    required: tuple[str, ...] = ()
    """Flags that must be named."""
    adapter_flag: str = ""
    """The flag that must be named where an adapter is evaluated."""
    model_flags: tuple[str, ...] = ()
    """Flags whose value is a model."""
    models: tuple[str, ...] = ()
    """The only models that those flags may name; a directory counts by its name."""
    max_billion: float | None = None
    """The most parameters, in billions, of a model that those flags name."""
    forbidden_values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Values that a flag may not have."""


@dataclass(frozen=True)
class Place:
    """A kind of machine with its rules."""

    id: str
    """What `--place` calls it."""
    title: str
    """What it is, in English."""
    title_ja: str
    """What it is, in Japanese."""
    backends: tuple[str, ...]
    """The backends that may run there."""
    reason: str = ""
    """Why the others may not."""
    model_ja: str = ""
    """Which model belongs there, in a Japanese sentence; every document has it."""
    model: str = ""
    """The same in English."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Names that stand for paths, models and settings in its commands."""
    given: Mapping[str, str] = field(default_factory=dict)
    """Inputs that no command makes, by path, each with where it comes from (Japanese)."""
    programs: tuple[str, ...] = ()
    """The only programs that its commands may name; empty for any."""
    rules: tuple[PlaceRule, ...] = ()
    """What it forbids and demands."""
    card: str = ""
    """Its GPU among the declared cards; empty where there is none."""

    @property
    def placeholders(self) -> dict[str, str]:
        """Variables that nobody has set yet, such as `REPOSITORY_URL`, by name."""
        return {
            name: value for name, value in self.variables.items() if _PLACEHOLDER.fullmatch(value)
        }


@dataclass(frozen=True)
class KnownFailure:
    """Something that goes wrong, and what to do then."""

    id: str
    """What commands call it."""
    when: str
    """How it shows, in English."""
    when_ja: str
    """How it shows, in Japanese."""
    do: str
    """What to do, in English."""
    do_ja: str
    """What to do, in Japanese."""


@dataclass(frozen=True)
class Command:
    """A command of the project's practice; `{name}` in its texts is a variable of the place."""

    id: str
    """What `lawqa step` calls it."""
    step: str
    """The part of the practice that it belongs to, such as `StepI`; a document shows the steps it names."""
    places: tuple[str, ...]
    """Where it runs."""
    title: str
    """A line on it, in English."""
    title_ja: str
    """A line on it, in Japanese."""
    purpose: str
    """What it is for, in English."""
    purpose_ja: str
    """What it is for, in Japanese."""
    argv: tuple[str, ...]
    """Program and arguments."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Variables that differ from the place's for this command, such as the condition of a variant."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that it needs."""
    inputs: tuple[str, ...] = ()
    """Files and directories that must be there."""
    outputs: tuple[str, ...] = ()
    """Files and directories that it makes; a command without any runs every time."""
    role: CommandRole = "support"
    """`primary`: part of the experiment that decides; `exploration`: decides nothing."""
    evaluates: Literal["", "base", "adapter"] = ""
    """What it evaluates."""
    manual: bool = False
    """Typed by a person only, because it changes the shell, the machine or another machine."""
    background: str = ""
    """The log of a command that is left running in the background; empty for the foreground."""
    alternative_to: str = ""
    """The command that it can replace."""
    resume: tuple[str, ...] = ()
    """Flags that resume an interrupted run."""
    fresh: tuple[str, ...] = ()
    """Flags that replace an earlier output."""
    continues: bool = False
    """The same command resumes where it was interrupted, and may run over its own outputs."""
    accepts: tuple[int, ...] = (0,)
    """Exit codes that count as done."""
    duration_ja: str = ""
    """How long it takes, where that does not follow from its `work`."""
    work: tuple[Work, ...] = ()
    """What it asks of a model; its time at a place is computed of it."""
    memory_ja: str = ""
    """How much GPU memory it takes, where that matters."""
    shows: str = ""
    """What it prints when it went well; a line of `…` means lines left out."""
    check_ja: str = ""
    """What to check afterwards."""
    failures: tuple[str, ...] = ()
    """What may go wrong."""


@dataclass(frozen=True)
class MakeTarget:
    """A target of `make` that runs steps."""

    id: str
    """What `make` calls it."""
    place: str
    """Where it runs unless another place is named."""
    title: str
    """A line for `make help`."""
    commands: tuple[str, ...]
    """Its steps, in order."""


@dataclass(frozen=True)
class Chapter:
    """A chapter of a document that its template fills, in the order of the declaration."""

    title: str
    """Its heading, without a number."""
    steps: tuple[str, ...] = ()
    """Ids of commands, or names of steps for all of their commands."""
    text: str = ""
    """Markdown between heading and steps."""


@dataclass(frozen=True)
class Document:
    """A document that is made whole from a template."""

    file: str
    """Where it goes, from the repository's root."""
    place: str
    """The place whose commands it shows."""
    template: str = ""
    """Its template in `docs_src/templates`; empty for the file's name up to its first `_`, and `.md.j2`."""
    title: str = ""
    """Its first heading."""
    steps: tuple[str, ...] = ()
    """The steps whose commands it shows."""
    chapters: tuple[Chapter, ...] = ()
    """Its chapters, where the declaration and not the template lists them."""

    @property
    def template_file(self) -> str:
        """The name of the template."""
        return self.template or f"{PurePosixPath(self.file).stem.partition('_')[0]}.md.j2"


@dataclass(frozen=True)
class RepeatedNumber:
    """A number that texts repeat, and the variable that it has to agree with."""

    pattern: str
    """A regular expression whose only group is the number, such as `(\\d+) 分割`."""
    variables: tuple[str, ...]
    """The number has to be the value of one of these at the text's place."""


@dataclass(frozen=True)
class CommandSource:
    """Everything that is declared."""

    places: Mapping[str, Place]
    """By id."""
    commands: Mapping[str, Command]
    """By id, in order."""
    failures: Mapping[str, KnownFailure]
    """By id."""
    experiment: Experiment
    """The recommended one."""
    targets: Mapping[str, MakeTarget]
    """By id."""
    checksums: Mapping[str, str]
    """SHA-256 of data files by file name."""
    documents: tuple[Document, ...] = ()
    """What is made whole from templates, in order."""
    numbers: tuple[RepeatedNumber, ...] = ()
    """Numbers in texts that are compared with variables."""
    registered: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By experiment id: the values that were fixed before it was run."""
    references: tuple[KnownAccuracy, ...] = ()
    """Accuracies of other people's runs, for the second claim."""
    recipe: Recipe | None = None
    """The stages of a training on made questions."""
    cards: Mapping[str, Card] = field(default_factory=dict)
    """GPUs by id, with their published rates."""
    tested: Mapping[str, str] = field(default_factory=dict)
    """What the doctor calls the tested set: package -> version specifier."""

    def place(self, place_id: str) -> Place:
        """Return the place of this id.

        Raises:
            ConfigError: there is none.
        """
        if place_id not in self.places:
            raise ConfigError(
                f"--place {place_id}: no such place", f"known: {', '.join(self.places)}"
            )
        return self.places[place_id]

    def command(self, command_id: str) -> Command:
        """Return the command of this id.

        Raises:
            ConfigError: there is none.
        """
        if command_id not in self.commands:
            raise ConfigError(f"{command_id}: no such step", "lawqa step list  shows all")
        return self.commands[command_id]

    def at(self, place_id: str, *steps: str) -> tuple[Command, ...]:
        """Return the commands of a place, in order; of these steps, or of all."""
        self.place(place_id)
        return tuple(
            command
            for command in self.commands.values()
            if place_id in command.places and (not steps or command.step in steps)
        )
