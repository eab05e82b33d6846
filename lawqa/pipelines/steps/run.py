"""Running declared steps in order: skipped when done, logged, stopped at the first failure, resumable.

work/steps/ID.json   what the step ran with and how it ended
work/steps/ID.log    what it printed
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lawqa.amounts import counted
from lawqa.bars import Say
from lawqa.commands.expand import Rendered, expand, render_command
from lawqa.commands.model import CommandSource, Place
from lawqa.commands.policy import check_policy
from lawqa.errors import ConfigError, DataError
from lawqa.files import open_own, write_json
from lawqa.pipelines.steps.processes import Ended, run_logged
from lawqa.pipelines.steps.state import StepState, inputs_now, read_state
from lawqa.runs.manifest import now
from lawqa.settings import Settings

Action = Literal["skip", "run", "resume", "fresh", "adopt"]
Runner = Callable[[Sequence[str], Mapping[str, str], Path], Ended]

EXIT_INTERRUPTED = (129, 130, 143)


@dataclass(frozen=True)
class StepsConfig(Settings):
    """Which steps run, and where."""

    steps: tuple[str, ...]
    """Their ids, in order."""
    place: str
    overrides: Mapping[str, str]
    """Variables of the user's own place file."""
    fresh: bool = False
    """Repeat steps whose outputs are stale, or there already."""
    adopt: bool = False
    """Take outputs that are there, but were not made by `lawqa step`, as they are."""


@dataclass(frozen=True)
class StepDecision:
    """What is to be done with a step, and why."""

    action: Action
    """What."""
    reason: str
    """Why."""


def rendered_steps(source: CommandSource, config: StepsConfig) -> tuple[Rendered, ...]:
    """Return the steps as they are at the place, checked against its policy.

    Raises:
        ConfigError: a step is not declared, or not for this place.
        PolicyError: the place forbids one.
    """
    place = source.place(config.place)
    found = []
    for step in config.steps:
        command = source.command(step)
        if place.id not in command.places:
            raise ConfigError(
                f"{step}: is not a step of {place.id}, but of {', '.join(command.places)}",
                f"lawqa place init {command.places[0]}  says that this machine is {command.places[0]}; "
                f"lawqa step list --place {place.id}  shows the steps of {place.id}",
            )
        rendered = render_command(command, place, config.overrides)
        check_policy(place, rendered.argv, rendered.env, name=step, evaluates=command.evaluates)
        found.append(rendered)
    return tuple(found)


def run_steps(
    source: CommandSource, config: StepsConfig, say: Say, runner: Runner = run_logged
) -> int:
    """Run steps until one fails.

    Args:
        source: the declared commands.
        config: which steps, and where.
        say: prints what is being done, a line each.
        runner: starts a process and writes what it prints into a log as well.

    Returns:
        0, or the exit code of the step that failed or was interrupted.

    Raises:
        ConfigError: a step is typed by a person, an input is missing, or outputs are in the way.
        PolicyError: the place forbids a step.
    """
    steps = rendered_steps(source, config)
    for rendered in steps:
        if rendered.command.manual:
            raise ConfigError(
                f"{rendered.command.id}: is typed by a person: {rendered.purpose}",
                f"lawqa step show {rendered.command.id} --place {config.place}",
            )
    place = source.place(config.place)
    directory = steps_directory(place, config.overrides)
    with _locked(directory):
        for number, rendered in enumerate(steps, start=1):
            say(f"[{number}/{len(steps)}] {rendered.command.id}: {rendered.title}")
            code = _run_one(source, config, rendered, directory, say, runner)
            if code != 0:
                return code
    say(f"{'all ' if steps[1:] else ''}{counted(len(steps), 'step is', 'steps are')} done")
    return 0


def steps_directory(place: Place, overrides: Mapping[str, str]) -> Path:
    """Return where states and logs of steps are kept."""
    return Path(expand("{work}", {**place.variables, **overrides}, place.id)) / "steps"


def decide_step(rendered: Rendered, state: StepState | None, config: StepsConfig) -> StepDecision:
    """Return what is to be done with a step.

    Raises:
        ConfigError: outputs are in the way that another call made, and neither `fresh` nor `adopt` is given.
    """
    command = rendered.command
    if not rendered.outputs:
        return StepDecision("run", "a check: runs every time")
    there = [path for path in rendered.outputs if Path(path).exists()]
    whole = len(there) == len(rendered.outputs)
    same = state is not None and state.ran_with == inputs_now(rendered)
    # Hours of GPU time are at stake: what is there is never replaced unless the same call made it and cannot
    # resume, or --fresh says so. `same` therefore comes before every flag, and what another call made is
    # refused at the end rather than guessed about.
    # How a command that resumes by itself stores its progress is its own affair.
    stopped = same and state is not None and state.status != "done" and command.continues
    begun = bool(there) or _leftovers(rendered) or stopped
    if same and state is not None and state.status == "done" and whole:
        return StepDecision("skip", "done already, with the same command, inputs and version")
    if not begun:
        return StepDecision("run", "its outputs are not there")
    if same:
        if command.continues or command.resume:
            return StepDecision("resume", "resumes where it stopped")
        return StepDecision("fresh", "was not finished; starts over")
    if config.fresh:
        return StepDecision("fresh", "made again, as --fresh asks")
    if state is None and config.adopt and whole:
        return StepDecision("adopt", "its outputs are taken as they are")
    if state is None and not whole and (command.continues or command.resume):
        return StepDecision("resume", "resumes from what is there")
    if state is None:
        raise ConfigError(
            f"{command.id}: {(there or rendered.outputs)[0]} is there, but `lawqa step` did not make it",
            "--adopt takes it as it is, --fresh makes it again (with make: STEP_FLAGS=--adopt)",
        )
    changed = ", ".join(state.ran_with.differences(inputs_now(rendered)))
    raise ConfigError(
        f"{command.id}: its outputs were made with another {changed}",
        f"lawqa step run {command.id} --place {config.place} --fresh  makes them again and replaces "
        "the earlier ones",
    )


def _run_one(
    source: CommandSource,
    config: StepsConfig,
    rendered: Rendered,
    directory: Path,
    say: Say,
    runner: Runner,
) -> int:
    command = rendered.command
    state_file, log = directory / f"{command.id}.json", directory / f"{command.id}.log"
    missing = [path for path in rendered.inputs if not Path(path).exists()]
    if missing:
        raise ConfigError(
            f"{command.id}: its input {missing[0]} is not there", _maker(source, config, missing[0])
        )
    decision = decide_step(rendered, read_state(state_file), config)
    say(f"  {decision.reason}")
    ran_with = inputs_now(rendered)
    if decision.action == "skip":
        return 0
    if decision.action == "adopt":
        write_json(state_file, StepState("done", ran_with, now(), now(), None).to_json())
        return 0
    extra = {"resume": command.resume, "fresh": command.fresh}.get(decision.action, ())
    started = now()
    write_json(state_file, StepState("running", ran_with, started, None, None).to_json())
    say(f"  log: {log}")
    ended = runner((*rendered.argv, *extra), {**rendered.env, "LAWQA_PLACE": config.place}, log)
    done = ended.code in command.accepts
    still_missing = [path for path in rendered.outputs if not Path(path).exists()] if done else []
    status: Literal["done", "interrupted", "failed"] = "done" if done else "failed"
    if ended.code in EXIT_INTERRUPTED or ended.killed:
        status = "interrupted"
    if still_missing:
        status = "failed"
    write_json(state_file, StepState(status, ran_with, started, now(), ended.code).to_json())
    if still_missing:
        raise DataError(
            f"{command.id}: ended well, but {still_missing[0]} is not there", f"see {log}"
        )
    if status == "done" and ended.asked is not None:
        # It was in its last moments, or some library ate the signal; whoever asked wants no further step.
        say(f"stopped after {command.id}, which is done; run the same command again to resume")
        return 128 + ended.asked
    if status == "done":
        return 0
    say(_what_to_do(source, rendered, status, ended.code, log))
    return ended.code


def _what_to_do(
    source: CommandSource, rendered: Rendered, status: str, code: int, log: Path
) -> str:
    command = rendered.command
    if status == "interrupted":
        return f"{command.id}: interrupted; run the same command again to resume. Log: {log}"
    lines = [f"{command.id}: failed with exit code {code}. Log: {log}", "what to do:"]
    for failure in (source.failures[name] for name in command.failures):
        lines += [f"  when {failure.when}:", f"      {failure.do}"]
        lines += [f"    （{failure.when_ja}）", f"      {failure.do_ja}"]
    if not command.failures:
        lines.append("  read the log's last lines: error says what was found, hint what fixes it")
    return "\n".join(lines)


def _leftovers(rendered: Rendered) -> bool:
    """Return whether an unfinished attempt left something: a run directory, or files beside the output."""
    for path in map(Path, rendered.outputs):
        if (
            path.name in ("summary.json", "manifest.json")
            and (path.parent / "manifest.json").exists()
        ):
            return True
        if path.parent.is_dir() and any(path.parent.glob(f"{path.name}.*")):
            return True
    return False


def _maker(source: CommandSource, config: StepsConfig, path: str) -> str:
    """Return which step makes this path, as a hint."""
    place = source.place(config.place)
    for command in source.at(place.id):
        made = render_command(command, place, config.overrides).outputs
        if any(path == output or path.startswith(f"{output}/") for output in made):
            verb = "show" if command.manual else "run"
            return (
                f"the step {command.id} makes it: lawqa step {verb} {command.id} --place {place.id}"
            )
    return f"it is given, not made: see lawqa step list --place {place.id}"


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Keep a second runner out; the system frees the lock however this process ends."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with os.fdopen(open_own(directory / "lock", os.O_WRONLY), "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConfigError(
                    f"{directory}: other steps are running there", "wait until they are done"
                ) from None
            yield
    except OSError as problem:
        raise ConfigError(f"{directory}: cannot be written: {problem.strerror}") from None


def step_status(
    source: CommandSource, place_id: str, overrides: Mapping[str, str]
) -> dict[str, str]:
    """Return how far each step of a place is: `done`, `stale`, `interrupted`, `failed`, `there`, or empty."""
    place = source.place(place_id)
    directory = steps_directory(place, overrides)
    status: dict[str, str] = {}
    for command in source.at(place_id):
        rendered = render_command(command, place, overrides)
        state = read_state(directory / f"{command.id}.json")
        whole = bool(rendered.outputs) and all(Path(path).exists() for path in rendered.outputs)
        if state is None:
            status[command.id] = "there" if whole else ""
        elif state.status != "done" or not rendered.outputs:
            status[command.id] = state.status
        else:
            current = whole and state.ran_with == inputs_now(rendered)
            status[command.id] = "done" if current else "stale"
    return status
