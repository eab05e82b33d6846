"""The table of commands. `lawqa --help` prints it; only the command that is asked for is imported."""

from __future__ import annotations

from dataclasses import dataclass, make_dataclass
from importlib import import_module
from keyword import iskeyword
from typing import Annotated, Any, Protocol, Union

from tyro.conf import arg, subcommand

from lawqa.cli.help_text import terminal_width, wrapped
from lawqa.cli.spelling import spelled
from lawqa.settings.declared import Vocabulary


class Runnable(Protocol):
    """A command with its arguments."""

    def run(self) -> int:
        """Do it and return the exit code."""


class CommandGroup:
    """Base of commands that have subcommands: which one was named is their only field."""

    command: Runnable

    def run(self) -> int:
        """Do what the subcommand does."""
        return self.command.run()


@dataclass(frozen=True)
class CommandEntry:
    """A command in the table."""

    kind: str
    """Its class, such as `lab.Demo`: the package of `lawqa.cli` and the class in the module of its name."""
    summary: str
    """What `lawqa --help` says of it: the first line of the class's docstring."""
    vocabulary: Vocabulary | None = None
    """Which of the lab's two scripts its flags are named after."""

    @property
    def class_name(self) -> str:
        """The name of its class."""
        return self.kind.rpartition(".")[2]

    def module(self, name: str) -> str:
        """Return the module that holds the class of a command of this name."""
        package = self.kind.rpartition(".")[0]
        return f"lawqa.cli.{package}.{name}{'_' if iskeyword(name) else ''}"


COMMANDS = {
    "evaluate": CommandEntry(
        "asking.Evaluate", "Ask a model the questions and score its answers.", "evaluate"
    ),
    "ladder": CommandEntry(
        "asking.Ladder",
        "Ask a base model in every way, the cheapest first: one table, settings chosen on one half.",
        "evaluate",
    ),
    "train": CommandEntry(
        "training.Train",
        "Train a QLoRA adapter; without --do-train only rehearse and print the plan.",
        "train",
    ),
    "prefer": CommandEntry(
        "training.Prefer",
        "Teach an adapter to prefer right answers to wrong ones of its own (DPO); rehearses without "
        "--do-train.",
        "train",
    ),
    "probe": CommandEntry(
        "training.ProbeCommand",
        "Ask a few questions in every mode, without and with an adapter: which modes still work?",
        "evaluate",
    ),
    "plan": CommandEntry(
        "training.Plan",
        "Show what fits a GPU and how long it takes; with --measure, measure this machine first.",
        "train",
    ),
    "records": CommandEntry("training.Records", "Make training records of questions.", "evaluate"),
    "prompts": CommandEntry(
        "asking.Prompts",
        "List the wordings of prompts with their hashes; with --prompt show one whole.",
    ),
    "split": CommandEntry(
        "questions.SplitCommand",
        "Divide a question file into parts that do not give each other away.",
    ),
    "distill": CommandEntry(
        "asking.Distill",
        "Sample reasoned answers from a model and keep the right ones as training records.",
        "evaluate",
    ),
    "pool": CommandEntry(
        "asking.Pool",
        "Sample reasoned answers once, and select training records from them as often as wanted.",
        "evaluate",
    ),
    "augment": CommandEntry(
        "questions.Augment",
        "Make more to learn from: questions and reading of statutes; keep hard ones, audit for shortcuts.",
        "evaluate",
    ),
    "crossval": CommandEntry(
        "training.Crossval",
        "Hold every question out once: train and evaluate fold by fold.",
        "train",
    ),
    "sweep": CommandEntry(
        "training.Sweep",
        "Cross-validate a small grid of settings within the training questions, and rank them.",
        "train",
    ),
    "average": CommandEntry(
        "training.Average",
        "Average adapters of one base model, such as the seeds of a training, into one of higher rank.",
        "train",
    ),
    "merge": CommandEntry(
        "training.Merge",
        "Write base model and adapter as one bfloat16 model, and what that does to the scores.",
        "train",
    ),
    "publish": CommandEntry(
        "training.Publish",
        "Copy an adapter or merged model without texts of questions, host name and folders, to be pushed.",
    ),
    "rescore": CommandEntry(
        "results.Rescore", "Read stored answers again with today's parser; no model is needed."
    ),
    "compare": CommandEntry(
        "results.Compare",
        "Compare the final answers of runs on the questions they share: difference, interval, test, "
        "power.",
    ),
    "report": CommandEntry(
        "results.ReportCommand",
        "Show runs on one self-contained HTML page, or as Markdown: claim, warnings, figures, every "
        "question.",
    ),
    "export": CommandEntry(
        "results.Export",
        "Write a run's answers, or a prompt as a task, for other tools: CSV, Parquet, lm-eval, inspect_ai.",
    ),
    "import": CommandEntry(
        "results.Import",
        "Make a run of a log of lm-evaluation-harness or inspect_ai, which then compares and reports.",
    ),
    "runs": CommandEntry("results.Runs", "List, look at, compare, remove, pack and unpack runs."),
    "data": CommandEntry("questions.Data", "Look at question and record files."),
    "statutes": CommandEntry(
        "law.Statutes", "Turn e-Gov's law XML into articles, and look at article files."
    ),
    "index": CommandEntry(
        "law.Index", "Build, search, look at and evaluate retrieval indexes over statutes."
    ),
    "log": CommandEntry(
        "results.Log",
        "Fill one of the lab's log forms from runs; fields that only a person knows stay marked "
        "【記入】.",
    ),
    "step": CommandEntry("lab.StepCommand", "Run, list and show the declared steps of a place."),
    "doctor": CommandEntry(
        "lab.Doctor",
        "Check this machine before hours are spent: exit code 0 well, 1 warnings, 2 problems.",
    ),
    "place": CommandEntry("lab.PlaceCommand", "Set or show which place this machine is."),
    "docs": CommandEntry(
        "lab.Docs", "Make the documents from the declared commands, or check that they are current."
    ),
    "demo": CommandEntry(
        "lab.Demo",
        "Run the whole path once on a toy model: split, score, train a 4-bit adapter, score again.",
    ),
    "completion": CommandEntry(
        "lab.CompletionScript",
        "Print what makes a shell complete commands and flags: bash, zsh or fish.",
    ),
}


_GROUPS = {
    "ask": (
        "evaluate",
        "ladder",
        "compare",
        "report",
        "rescore",
        "runs",
        "export",
        "import",
        "prompts",
    ),
    "train": (
        "plan",
        "train",
        "prefer",
        "probe",
        "crossval",
        "sweep",
        "merge",
        "average",
        "publish",
    ),
    "data": ("data", "split", "records", "distill", "pool", "augment"),
    "law": ("statutes", "index"),
    "lab": ("demo", "doctor", "place", "step", "log", "docs", "completion"),
}
"""The commands as `lawqa --help` groups them, in the sequence in which they are used."""


def command_class(name: str, *, explained: bool = True) -> type[Runnable]:
    """Import the class of a command, its flags spelled as the command line wants them.

    Args:
        name: the command's.
        explained: see `spelled`.
    """
    entry = COMMANDS[name]
    kind = getattr(import_module(entry.module(name)), entry.class_name)
    found: type[Runnable] = spelled(kind, entry.vocabulary, explained=explained)
    return found


def help_of_all(description: str) -> str:
    """Return what `lawqa --help` prints: every command in its group, a line each where the terminal has room.

    Args:
        description: what lawqa is.
    """
    width = max(map(len, COMMANDS))
    columns = terminal_width()
    lines = ["usage: lawqa COMMAND [-h] [OPTIONS]", "       lawqa --version", ""]
    lines.append(wrapped(description, columns))
    for group, names in _GROUPS.items():
        lines += ["", group]
        lines += [
            wrapped(f"  • {name:<{width}}  {COMMANDS[name].summary}", columns, " " * (width + 6))
            for name in names
        ]
    return "\n".join(lines)


def only_named() -> Any:  # a type that is put together here, which typing cannot write
    """Return a type from which tyro prints the table of commands, and refuses what is not in it."""
    members = []
    for name, entry in COMMANDS.items():
        stub = make_dataclass(entry.class_name, [], namespace={"__doc__": entry.summary})
        members.append(Annotated[stub, subcommand(name)])
    return Annotated[Union[tuple(members)], arg(name="")]  # noqa: UP007 - the members are computed
