"""Seconds of `lawqa evaluate` as a whole command, from the start of its process to its end.

    python benchmarks/whole_command.py CHECKPOINT_DIR QUESTIONS.json [--condition closed] [--samples N]
        [--other FOLDER] [--limit 120] [--memory-gib 19] [--imports] [--keep DIR]

The command runs with a home directory of its own, where compiled kernels are kept: "first" finds it empty,
"second" filled, "read-only home" cannot write there. It runs twice with --quantised-cache, then twice with
another version of the code, --other, in a home of its own. Every line gives the seconds of the process, the
command's own account of them, and whether all answers are those of "first". When --limit seconds are over, a
run is left out or ended, with the reason. The page cache is left as it is: read the checkpoint once before,
where disks are not what is measured. --imports adds a run that says which packages take longest to import.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import runpy
import site
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent
FIRST, SECOND, READ_ONLY, IMPORTS = "first", "second", "read-only home", "imports"
# Not even root can make a folder there, whom the mode of a folder does not stop.
CANNOT_WRITE = Path("/proc/self/fdinfo")
CACHES = ("TRITON_CACHE_DIR", "TRITON_HOME", "XDG_CACHE_HOME", "CUDA_CACHE_PATH")
"""Variables that lead past the home directory."""
SHOWN = 15
DEVICE = "lawqa.models.device"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path, help="a checkpoint, weights included")
    parser.add_argument("questions", type=Path, help="lawqa_jp's selection.json")
    parser.add_argument("--condition", choices=("closed", "gold"), default="closed")
    parser.add_argument("--samples", type=int, help="the first N questions")
    parser.add_argument("--other", type=Path, help="a checkout of another version")
    parser.add_argument("--limit", type=float, default=120, help="seconds of all runs together")
    parser.add_argument("--memory-gib", type=float, default=19.0, help="what a process may use")
    parser.add_argument("--imports", action="store_true", help="say what imports take")
    parser.add_argument("--keep", type=Path, help="where runs are kept; else they are removed")
    return parser.parse_args()


@dataclass(frozen=True)
class Run:
    """One run of the command."""

    name: str
    home: Path
    code: Path
    options: tuple[str, ...] = ()
    interpreter: tuple[str, ...] = ()


@dataclass
class Outcome:
    """What came of a run."""

    seconds: float = 0.0
    reason: str = ""
    """Why there is nothing; empty otherwise."""
    said: str = ""
    """Its standard error."""
    answers: list[dict[str, Any]] = field(default_factory=list)

    def account(self) -> str:
        """The command's own account of its seconds; short commands give none."""
        lines = re.findall(r"time: (.*)", self.said)
        return lines[-1] if lines else "no account (under 5 s, or an older version)"


def runs_of(scratch: Path, options: argparse.Namespace) -> list[Run]:
    """The runs in their order."""
    code, home = HERE.parent, scratch / "home"
    cached = ("--quantised-cache", str(scratch / "quantised"))
    runs = [
        Run(FIRST, home, code),
        Run(SECOND, home, code),
        Run(READ_ONLY, CANNOT_WRITE, code),
        Run("quantised cache, first", home, code, cached),
        Run("quantised cache, second", home, code, cached),
    ]
    if options.other:
        other = options.other.resolve()
        there = scratch / "other-home"
        runs += [Run(f"other version, {which}", there, other) for which in (FIRST, SECOND)]
    if options.imports:
        runs.append(Run(IMPORTS, home, code, interpreter=("-X", "importtime")))
    return runs


def measure(
    run: Run, number: int, scratch: Path, left: float, options: argparse.Namespace
) -> Outcome:
    """Run the command once, for at most `limit` seconds."""
    if left <= 0:
        return Outcome(reason=f"the {options.limit:.0f} s are over")
    directory = scratch / f"run-{number}"
    command = [
        sys.executable, *run.interpreter, __file__, "--inside", str(options.memory_gib), "evaluate",
        "--data", str(options.questions.resolve()), "--condition", options.condition, "--4bit",
        "--model-name", str(options.model.resolve()), "--run-dir", str(directory), *run.options,
        *(["--samples", str(options.samples)] if options.samples else []),
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if name not in CACHES}
    path = filter(None, [str(run.code), os.environ.get("PYTHONPATH")])
    environment |= {
        "HOME": str(run.home), "PYTHONUSERBASE": site.getuserbase(), "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": os.pathsep.join(path),
    }  # fmt: skip
    if run.home != CANNOT_WRITE:
        run.home.mkdir(exist_ok=True)
    began = time.perf_counter()
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            command, env=environment, cwd=scratch, capture_output=True, text=True, check=False,
            timeout=left,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Outcome(reason=f"ended after {left:.0f} s, when the {options.limit:.0f} s were over")
    seconds = time.perf_counter() - began
    if done.returncode:
        last = " / ".join((done.stderr.strip() or "no output").splitlines()[-4:])
        return Outcome(reason=f"exit code {done.returncode}: {last[:600]}")
    lines = (directory / "results.jsonl").read_text(encoding="utf-8").splitlines()
    answers = [timeless(json.loads(line)) for line in lines]
    return Outcome(seconds, said=done.stderr, answers=answers)


def timeless(row: dict[str, Any]) -> dict[str, Any]:
    """A row of results without what differs from run to run: the seconds."""
    return {key: value for key, value in row.items() if "second" not in key}


def compared(outcome: Outcome, first: Outcome) -> str:
    """Whether all answers are those of the first run."""
    if outcome is first:
        return f"{len(first.answers)} answers"
    if first.reason:
        return "nothing to compare with"
    if len(outcome.answers) != len(first.answers):
        return f"{len(outcome.answers)} answers, {len(first.answers)} at first"
    differ = sum(one != other for one, other in zip(outcome.answers, first.answers, strict=True))
    return f"{differ} of {len(first.answers)} answers differ" if differ else "all answers identical"


def slowest_imports(said: str) -> str:
    """The packages whose own modules take longest, from the lines of `-X importtime`."""
    own: Counter[str] = Counter()
    for microseconds, module in re.findall(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", said):
        own[module.split(".")[0]] += int(microseconds)
    shown = ", ".join(f"{package} {spent / 1e6:.2f}" for package, spent in own.most_common(SHOWN))
    return f"imports, seconds of {sum(own.values()) / 1e6:.2f}: {shown}"


class CappedOnceImported(MetaPathFinder, Loader):
    """Caps the process's memory on the card as soon as lawqa has picked its device.

    Importing torch beforehand would change what is measured.
    """

    def __init__(self, gib: float) -> None:
        self._gib = gib
        self._spec: ModuleSpec | None = None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Take the place of the loader of lawqa's module of devices."""
        del path, target
        if fullname != DEVICE:
            return None
        sys.meta_path.remove(self)
        self._spec = find_spec(fullname)
        if self._spec is None or self._spec.origin is None:
            return None
        return spec_from_file_location(fullname, self._spec.origin, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, and wrap its choice of a device."""
        if self._spec is None or self._spec.loader is None:
            raise ImportError(DEVICE)
        self._spec.loader.exec_module(module)
        own = module.pick_device

        def pick_device() -> Any:
            import torch

            device = own()
            if device.type == "cuda":
                total = torch.cuda.get_device_properties(device).total_memory
                share = min(1.0, self._gib * 2**30 / total)
                torch.cuda.set_per_process_memory_fraction(share, device)
            return device

        vars(module)["pick_device"] = pick_device


def inside(gib: str, command: list[str]) -> None:
    """Be `python -m lawqa` with the rest of the command line, under a cap on GPU memory."""
    sys.argv = ["lawqa", *command]
    sys.path.remove(str(HERE))  # its scripts have names that others import
    sys.meta_path.insert(0, CappedOnceImported(float(gib)))
    runpy.run_module("lawqa", run_name="__main__", alter_sys=True)


def main() -> None:
    """Run them all and print a line each, and a table at the end."""
    options = arguments()
    began = time.perf_counter()
    outcomes: dict[str, Outcome] = {}
    with tempfile.TemporaryDirectory() as made:
        scratch = (options.keep or Path(made)).resolve()
        scratch.mkdir(parents=True, exist_ok=True)
        if any(scratch.iterdir()):
            raise SystemExit(f"{scratch} is not empty: its kernels and caches would be used")
        for number, run in enumerate(runs_of(scratch, options)):
            left = options.limit - (time.perf_counter() - began)
            outcome = outcomes[run.name] = measure(run, number, scratch, left, options)
            if outcome.reason:
                print(f"{run.name}: left out: {outcome.reason}", flush=True)
                continue
            same = compared(outcome, outcomes[FIRST])
            print(f"{run.name}: {outcome.seconds:.1f} s; {outcome.account()}; {same}", flush=True)
            if run.name == IMPORTS:
                print(slowest_imports(outcome.said), flush=True)
    print("| run | whole command, s | its own account | answers |\n|---|---|---|---|")
    for name, outcome in outcomes.items():
        if outcome.reason:
            print(f"| {name} | left out: {outcome.reason} | | |")
        else:
            same = compared(outcome, outcomes[FIRST])
            print(f"| {name} | {outcome.seconds:.1f} | {outcome.account()} | {same} |")  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(sys.argv[2], sys.argv[3:])
    else:
        main()
