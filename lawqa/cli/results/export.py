"""`lawqa export`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, Positional, arg

from lawqa.cli.console import ConsoleFlags
from lawqa.errors import ConfigError
from lawqa.settings import (
    STANDARD_PROMPT,
    Mode,
    OwnCondition,
    PromptSettings,
    RunFormat,
    RunSettings,
    SampleSettings,
    WordingSettings,
    declaration,
)

_OF_A_TASK = ("prompt", "mode", "condition", "few_shot", "data")


@dataclass(frozen=True)
class Export:
    """Write a run's answers, or a prompt as a task, for other tools: CSV, Parquet, lm-eval, inspect_ai."""

    form: Annotated[Literal[RunFormat, "lm-eval-task"], arg(name="format")]
    """csv and parquet: a row an answer. lm-eval: results and samples as lm-evaluation-harness logs them.
    inspect: a log that `inspect view` opens. lm-eval-task: no run, but a task of lm-evaluation-harness that
    asks lawqa_jp in lawqa's words."""
    output_path: Annotated[Path, arg(aliases=["-o"])]
    """The file to write: .csv, .parquet or, for inspect, .eval or .json; for the others a directory."""
    run_path: Annotated[Positional[Path | None], arg(metavar="RUN")] = None
    """A run directory or result file; none for lm-eval-task."""
    recorded: FlagCreatePairsOff[bool] = False
    """Take the labels as they were recorded instead of reading the stored texts again."""
    prompt: str = field(default=STANDARD_PROMPT, metadata=declaration(WordingSettings, "prompt"))
    """For lm-eval-task: the wording of the prompt; see `lawqa prompts`."""
    mode: Mode = field(default="direct", metadata=declaration(PromptSettings, "mode"))
    """For lm-eval-task: score the four letters (direct), or generate and read the last answer line (cot)."""
    condition: OwnCondition = field(
        default="closed", metadata=declaration(PromptSettings, "condition")
    )
    """For lm-eval-task: without context, or with the data set's own."""
    few_shot: FlagCreatePairsOff[bool] = False
    """For lm-eval-task: put two solved questions before each question."""
    data: Path | None = field(default=None, metadata=declaration(SampleSettings, "data"))
    """For lm-eval-task: a question file to put beside the task. Without it the reader brings lawqa_jp's."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Replace earlier files."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        return self._export_task() if self.form == "lm-eval-task" else self._export_run()

    def _export_run(self) -> int:
        from lawqa.pipelines.interchange.export import export_run

        if self.run_path is None:
            raise ConfigError(
                f"--format {self.form} needs a run",
                f"lawqa export RUN --format {self.form} -o {self.output_path}",
            )
        defaults = type(self).__dataclass_fields__
        given = [name for name in _OF_A_TASK if getattr(self, name) != defaults[name].default]
        if given:
            flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise ConfigError(
                f"{flags}: for --format lm-eval-task only; a run was asked already",
                "leave it out",
            )
        assert self.form != "lm-eval-task"  # noqa: S101 - see run
        exported = export_run(
            self.run_path, self.form, self.output_path, recorded=self.recorded, fresh=self.fresh
        )
        for note in exported.notes:
            print(f"! {note}")
        count = f"{exported.answers:,} answer{'s' if exported.answers != 1 else ''}"
        print(f"{count} of {self.run_path}")
        for path in exported.files:
            print(f"wrote {path}")
        return 0

    def _export_task(self) -> int:
        from lawqa.pipelines.interchange.lm_eval_task import export_task

        if self.run_path is not None or self.recorded:
            what = f"{self.run_path} is given" if self.run_path else "--recorded is given"
            raise ConfigError(
                f"--format lm-eval-task: {what}, but a task is made of a prompt, not of a run",
                f"lawqa export --format lm-eval-task --prompt {self.prompt} -o {self.output_path}",
            )
        written = export_task(
            self.output_path, prompt=self.prompt, mode=self.mode, condition=self.condition,
            few_shot=self.few_shot, data=self.data, fresh=self.fresh,
        )  # fmt: skip
        print(f"task {written.name}: prompt spec {written.spec.id}")
        for path in written.files:
            print(f"wrote {path}")
        print(f"next: {written.files[0].parent / 'README.md'} has the command of lm_eval")
        return 0
