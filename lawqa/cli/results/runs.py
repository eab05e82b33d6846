"""`lawqa runs`: list, look at, compare, remove, pack and unpack runs."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import FlagCreatePairsOff, Positional, arg, subcommand

from lawqa.amounts import counted, size_text
from lawqa.cli.command_table import CommandGroup
from lawqa.cli.console import JsonFlag
from lawqa.cli.results.runs_text import list_text, removal_text, run_differences_text, show_text
from lawqa.errors import ConfigError, DataError
from lawqa.files import JsonObject, json_pieces
from lawqa.settings import Condition, PromptSettings, RunSettings, declaration

if TYPE_CHECKING:
    from lawqa.runs.manifest import Manifest
    from lawqa.runs.upkeep.find import FoundRun
    from lawqa.runs.upkeep.remove import Removal

DEFAULT_ROOT = Path("runs")
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class List:
    """A table of the runs below some directories, newest first."""

    roots: Positional[tuple[Path, ...]] = (DEFAULT_ROOT,)
    """Directories that hold runs, at any depth."""
    model: str = ""
    """Only models whose name holds this."""
    adapter: str = ""
    """Only adapters whose path holds this, and their evaluations."""
    condition: Condition | None = field(
        default=None, metadata=declaration(PromptSettings, "condition")
    )
    """Only this condition."""
    kind: Literal["evaluate", "train"] | None = None
    """Only evaluations, or only trainings."""
    as_json: JsonFlag = False
    """Print JSON."""

    def run(self) -> int:
        from lawqa.runs.upkeep.find import RunFilter, find_runs

        wanted = RunFilter(self.model, self.adapter, self.condition or "", self.kind or "")
        runs = find_runs(self.roots, wanted)
        if self.as_json:
            rows = [_json(run) for run in runs]
            print(
                json.dumps(
                    {"schema_version": SCHEMA_VERSION, "runs": rows}, ensure_ascii=False, indent=1
                )
            )
        elif not runs:
            print(f"no run in {', '.join(map(str, self.roots))}", file=sys.stderr)
        else:
            print(list_text(runs))
        for run in runs:
            if run.problem:
                print(f"! {run.path}: {run.problem}", file=sys.stderr)
        return 0


@dataclass(frozen=True)
class ShowRun:
    """What one run was, in a screenful."""

    path: Annotated[Positional[Path], arg(metavar="RUN")]
    """A run directory or adapter."""
    as_json: JsonFlag = False
    """Print its manifest."""

    def run(self) -> int:
        run, manifest = _run(self.path)
        if self.as_json:
            sys.stdout.writelines(json_pieces(manifest.to_json()))
        else:
            print(show_text(run, manifest))
        return 0


@dataclass(frozen=True)
class Diff:
    """What differs between two runs, what could change their results first."""

    before: Positional[Path]
    """A run directory or adapter."""
    after: Positional[Path]
    """Another."""
    everything: Annotated[FlagCreatePairsOff[bool], arg(name="all")] = False
    """Also versions and machine, and what only says when, where to and how fast."""
    as_json: JsonFlag = False
    """Print JSON."""

    def run(self) -> int:
        from lawqa.runs.diff import manifest_differences, question_differences

        before, after = _run(self.before)[1], _run(self.after)[1]
        differing = manifest_differences(before, after)
        questions = question_differences(before, after)
        if self.as_json:
            rows = [
                {"key": d.key, "kind": d.kind, "before": _plain(d.before), "after": _plain(d.after)}
                for d in differing
            ]
            content = {
                "schema_version": SCHEMA_VERSION,
                "questions": vars(questions),
                "differences": rows,
            }
            print(json.dumps(content, ensure_ascii=False, indent=1))
            return 0
        shown = [d for d in differing if self.everything or d.kind == "settings"]
        print(run_differences_text(shown) if shown else "no setting differs")
        print(
            f"questions: {questions.shared} shared ({questions.reworded} worded differently), "
            f"{questions.only_before} only in the first, {questions.only_after} only in the second"
        )
        hidden = len(differing) - len(shown)
        if hidden:
            print(f"{hidden} more differ in versions, machine, times or paths: --all shows them")
        return 0


@dataclass(frozen=True)
class Remove:
    """Remove runs: whole run directories, and only what lies in --root."""

    paths: Annotated[Positional[tuple[Path, ...]], arg(metavar="RUN...")]
    """Run directories or adapters."""
    root: Path = DEFAULT_ROOT
    """Nothing outside this directory is removed; runs that need an adapter are looked for in it."""
    yes: FlagCreatePairsOff[bool] = False
    """Do not ask."""
    force: FlagCreatePairsOff[bool] = False
    """Also an adapter that a run names, a training that may still be running, and other people's files."""

    def run(self) -> int:
        from lawqa.runs.upkeep.remove import plan_removal, remove

        removal = plan_removal(self.paths, self.root)
        if not self.force:
            _refuse(removal)
        what = removal_text(removal)
        if not self.yes:
            if not sys.stdin.isatty():
                raise ConfigError(f"nobody can be asked: {what}", "--yes removes without asking")
            print(f"{what}\nremove? [y/N] ", end="", file=sys.stderr, flush=True)
            if sys.stdin.readline().strip().lower() not in ("y", "yes"):
                print("nothing was removed", file=sys.stderr)
                return 1
        remove(removal)
        print(f"removed {what}")
        return 0


@dataclass(frozen=True)
class Pack:
    """Pack a folder of runs into one archive with checksums; weights stay out."""

    folder: Annotated[Positional[Path], arg(metavar="FOLDER")]
    """The folder, below the current directory."""
    output: Path = Path("lawqa-results.tar.gz")
    """The archive."""
    with_adapters: FlagCreatePairsOff[bool] = False
    """Also the weights of finished adapters (not their checkpoints)."""

    def run(self) -> int:
        from lawqa.pipelines.steps.pack import pack_folder

        packed = pack_folder(self.folder, self.output, with_adapters=self.with_adapters)
        size = self.output.stat().st_size
        print(
            f"packed {counted(packed.files, 'file')} of {self.folder} in "
            f"{self.output} ({size_text(size)}); left out: {packed.left_out} "
            "(weights, checkpoints, locks, links)"
        )
        return 0


@dataclass(frozen=True)
class Unpack:
    """Unpack what `lawqa runs pack` packed, every file compared with its checksum."""

    archive: Annotated[Positional[Path], arg(metavar="ARCHIVE")]
    """The archive."""
    output_dir: Path = Path()
    """Below which folder the files go."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Replace files that are there and differ."""

    def run(self) -> int:
        from lawqa.pipelines.steps.pack import unpack

        unpacked = unpack(self.archive, self.output_dir, fresh=self.fresh)
        print(
            f"unpacked {unpacked.files} {'file' if unpacked.files == 1 else 'files'}; every checksum agrees"
        )
        return 0


@dataclass(frozen=True)
class Runs(CommandGroup):
    """List, look at, compare, remove, pack and unpack runs."""

    command: Annotated[
        Annotated[List, subcommand("list")]
        | Annotated[ShowRun, subcommand("show")]
        | Annotated[Diff, subcommand("diff")]
        | Annotated[Remove, subcommand("rm")]
        | Annotated[Pack, subcommand("pack")]
        | Annotated[Unpack, subcommand("unpack")],
        arg(name=""),
    ]


def _refuse(removal: Removal) -> None:
    if removal.needed_by:
        adapter, run = removal.needed_by[0]
        more = f" and {len(removal.needed_by) - 1} more" if len(removal.needed_by) > 1 else ""
        raise ConfigError(
            f"{adapter}: is the adapter of {run}{more}",
            "remove those first, or name them too; --force removes it all the same",
        )
    going = [run for run in removal.runs if (run.kind, run.status) == ("train", "running")]
    if going:
        raise ConfigError(
            f"{going[0].path}: is a training that has not ended and may still be running",
            "--force removes it all the same",
        )
    if removal.foreign:
        named = ", ".join(map(str, removal.foreign[:3])) + (
            ", …" if len(removal.foreign) > 3 else ""
        )
        raise ConfigError(
            f"holds {counted(len(removal.foreign), 'file')} that lawqa did not write: {named}",
            "move them away, or --force removes them too",
        )


def _run(path: Path) -> tuple[FoundRun, Manifest]:
    from lawqa.runs.manifest import MANIFEST
    from lawqa.runs.upkeep.find import RUN_KINDS, read_run

    if not (path / MANIFEST).is_file():
        raise DataError(
            f"{path}: is not a run: {MANIFEST} is missing", "lawqa runs list  shows the runs"
        )
    run = read_run(path)
    if run.manifest is None:
        raise DataError(run.problem)
    if run.kind not in RUN_KINDS:
        raise DataError(
            f"{path}: is not a run but an {run.kind}", "lawqa runs list  shows the runs"
        )
    return run, run.manifest


def _json(run: FoundRun) -> JsonObject:
    a = run.accuracy
    return {
        "path": str(run.path),
        "kind": run.kind,
        "status": run.status,
        "started": run.started,
        "model": run.model,
        "adapters": list(run.adapters),
        "prompt_specs": list(run.specs),
        "accuracy": None if a is None else a.value,
        "interval": None if a is None else [a.interval.low, a.interval.high],
        "asked": None if a is None else a.asked,
        "problem": run.problem or None,
    }


def _plain(value: object) -> object:
    from lawqa.runs.diff import ABSENT

    return None if value is ABSENT else value
