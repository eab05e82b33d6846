"""`lawqa step`: the declared steps of a place, run by id."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, Positional, arg, subcommand

from lawqa.bars import FILE_ONLY
from lawqa.cli.command_table import CommandGroup
from lawqa.cli.console import ConsoleFlags
from lawqa.errors import ConfigError
from lawqa.settings import PlaceSettings, RunSettings, declaration

if TYPE_CHECKING:
    from lawqa.commands.expand import Rendered
    from lawqa.commands.model import CommandSource, Place

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StepRun:
    """Run steps in order; those that are done are skipped, and the same call resumes where it stopped."""

    steps: Positional[tuple[str, ...]]
    """The steps by id; see `lawqa step list`."""
    place: str | None = field(default=None, metadata=declaration(PlaceSettings, "place"))
    """Whose steps. Without it: LAWQA_PLACE, lawqa.toml, or any."""
    dry_run: FlagCreatePairsOff[bool] = False
    """Print the commands as the documents show them; run nothing."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Redo steps that were made with another command, input or version, and replace their outputs."""
    adopt: FlagCreatePairsOff[bool] = False
    """Take outputs as they are that were made by hand."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.steps.run import StepsConfig, rendered_steps, run_steps

        if not self.steps:
            raise ConfigError("no step was given", "lawqa step list  shows all")
        source, place, overrides = _place(self.place)
        config = StepsConfig(self.steps, place.id, overrides, fresh=self.fresh, adopt=self.adopt)
        if self.dry_run:
            for rendered in rendered_steps(source, config):
                print(rendered.shell)
            return 0

        def say(line: str) -> None:
            if not self.console.quiet:
                print(line, flush=True)
            logger.info(line, extra=FILE_ONLY)  # shown already, among what the steps print

        return run_steps(source, config, say)


@dataclass(frozen=True)
class StepList:
    """List the steps of a place, in order, with how far each is."""

    place: str | None = field(default=None, metadata=declaration(PlaceSettings, "place"))
    """Whose steps. Without it: LAWQA_PLACE, lawqa.toml, or any."""

    def run(self) -> int:
        from lawqa.commands.expand import render_command
        from lawqa.pipelines.steps.run import step_status
        from lawqa.report.table import Table, render_text

        source, place, overrides = _place(self.place)
        status = step_status(source, place.id, overrides)
        columns = ["step", "id", "role", "status", "what"]
        rows: list[list[str]] = []
        for command in source.at(place.id):
            state = "by hand" if command.manual else status[command.id]
            title = render_command(command, place, overrides).title
            rows.append([command.step, command.id, command.role, state, title])
        print(f"{place.id}: {place.title}\n")
        print(render_text(Table(columns, rows)))
        return 0


@dataclass(frozen=True)
class StepShow:
    """Show a step: command, inputs, outputs, how long, what to check, what to do when it fails."""

    step: Positional[str]
    """The step by id."""
    place: str | None = field(default=None, metadata=declaration(PlaceSettings, "place"))
    """Whose step. Without it: LAWQA_PLACE, lawqa.toml, or any; and the step's own where it has one only."""
    shell: FlagCreatePairsOff[bool] = False
    """Only the line to type."""

    def run(self) -> int:
        from lawqa.commands.expand import render_command

        source, place, overrides = _place(self.place)
        command = source.command(self.step)
        if place.id not in command.places:
            if self.place is not None or len(command.places) > 1:
                raise ConfigError(
                    f"{self.step}: is not a step of {place.id}, but of {', '.join(command.places)}",
                    f"lawqa step show {self.step} --place {command.places[0]}",
                )
            place, overrides = source.place(command.places[0]), {}
        rendered = render_command(command, place, overrides)
        print(rendered.shell if self.shell else step_text(source, rendered, place))
        return 0


@dataclass(frozen=True)
class StepCommand(CommandGroup):
    """Run, list and show the declared steps of a place."""

    command: Annotated[
        Annotated[StepRun, subcommand("run")]
        | Annotated[StepList, subcommand("list")]
        | Annotated[StepShow, subcommand("show")],
        arg(name=""),
    ]


def step_text(source: CommandSource, rendered: Rendered, place: Place) -> str:
    """Return everything that is declared of a step."""
    from lawqa.commands.expand import expand
    from lawqa.docgen.durations import bases_for, duration_ja

    command = rendered.command
    measured = Path(expand("{work}/speeds.json", place.variables, place.id))
    bases = bases_for(source, place, measured if measured.is_file() else None)
    lines = [f"{command.id} ({command.step}, {place.id}, {command.role}): {rendered.title}"]
    lines += [rendered.title_ja, "", rendered.purpose, rendered.purpose_ja, "", rendered.shell, ""]
    facts = {
        "inputs": " ".join(rendered.inputs) or "none",
        "outputs": " ".join(rendered.outputs) or "none",
        "resume": " ".join(command.resume) or ("the same command" if command.continues else "no"),
        "duration": duration_ja(command, place, bases),
        "memory": command.memory_ja,
        "check": rendered.check_ja,
    }
    lines += [f"{name:9} {value}" for name, value in facts.items() if value]
    for failure in (source.failures[name] for name in command.failures):
        lines += ["", f"when {failure.when}: {failure.do}", f"{failure.when_ja}: {failure.do_ja}"]
    return "\n".join(lines)


def _place(flag: str | None) -> tuple[CommandSource, Place, dict[str, str]]:
    from lawqa.commands.placefile import place_settings
    from lawqa.commands.source import packaged_source

    source = packaged_source()
    chosen, file = place_settings(flag)
    place = source.place(chosen.value)
    # A place file speaks for its own place only.
    applies = file is not None and file.place in (None, place.id)
    if file is not None and not applies:
        logger.warning("note: %s is for %s: not used for %s", file.path, file.place, place.id)
    return source, place, dict(file.overrides) if file is not None and applies else {}
