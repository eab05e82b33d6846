"""`lawqa ladder`."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import OmitArgPrefixes, UseAppendAction

from lawqa.amounts import counted
from lawqa.cli import EXIT_SOME_FAILED
from lawqa.cli.asking.evaluate import Evaluate
from lawqa.cli.asking.generation_flags import GenerationFlags
from lawqa.cli.asking.prompt_options import resolve_prompt
from lawqa.cli.asking.retrieval_flags import RetrievalFlags
from lawqa.cli.console import ConsoleFlags, resume_hint_on_interrupt
from lawqa.cli.model_flags import ModelFlags, of_run
from lawqa.errors import ConfigError
from lawqa.settings import (
    DEFAULT_DATA,
    STANDARD_PROMPT,
    AskedSettings,
    FoldSettings,
    LocalAnswererSettings,
    ModelSettings,
    PlaceSettings,
    RunSettings,
    SampleSettings,
    declaration,
    values_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lawqa.pipelines.evaluation.config import EvaluationConfig
    from lawqa.pipelines.experiments.ladder.rungs import Rung

DEFAULT_VOTES = 8

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Ladder(LocalAnswererSettings, PlaceSettings, ModelFlags):
    """Ask a base model in every way, the cheapest first: one table, settings chosen on one half.

    The rungs are direct (one letter), orders (the mean of that over 4 orders of the choices, in which a
    liking for a letter cancels), cot and thinking (votes, over the 4 orders), each closed, gold and rag. The
    same command resumes.
    """

    run_dir: Path = field(metadata=declaration(RunSettings, "run_dir"))
    """Where the rungs' runs, the table (ladder.json) and the report (report.html) go."""
    data: Path = field(default=DEFAULT_DATA, metadata=declaration(SampleSettings, "data"))
    """The questions: lawqa_jp JSON, or JSONL."""
    prompt: UseAppendAction[tuple[tuple[str, ...], ...]] = ()
    """The wording of the prompts, by its id; `lawqa prompts` lists them. A second one is tried on the tuning
    half, and asked everything where it is better there. Without it: standard."""
    only: UseAppendAction[tuple[tuple[str, ...], ...]] = ()
    """Only these rungs: by name (cot-gold), by way (cot) or by condition (gold)."""
    time_budget: float | None = None
    """Minutes after which nothing more is asked; what fits is printed first. Without it: all rungs."""
    samples: int | None = field(default=None, metadata=declaration(AskedSettings, "samples"))
    """Ask only the first N questions."""
    prior_correction: bool = field(
        default=False, metadata=declaration(FoldSettings, "prior_correction")
    )
    """Also show direct answers without the model's prior for each letter, fitted on the tuning half."""
    seed: int = field(default=0, metadata=declaration(LocalAnswererSettings, "seed"))
    """The seed of sampling, and of the half of the questions that settings are chosen on."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Replace the rungs that are in --run-dir, and start over."""
    generation: OmitArgPrefixes[GenerationFlags] = field(
        default_factory=lambda: GenerationFlags(ensemble=DEFAULT_VOTES)
    )
    retrieval: OmitArgPrefixes[RetrievalFlags] = field(default_factory=RetrievalFlags)
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.cli.asking.ladder_text import ladder_text
        from lawqa.commands.backends import require_backend
        from lawqa.commands.placefile import current_place
        from lawqa.pipelines.experiments.ladder.run import LadderConfig, run_ladder
        from lawqa.runs.directory import RESULTS

        require_backend(current_place(self.place), self.backend)
        rungs, left_out = self._rungs()
        if self.prior_correction and not any(rung.way == "orders" for rung in rungs):
            raise ConfigError(
                "--prior-correction is fitted on answers in several orders, and no rung asks for them",
                "--only direct orders",
            )
        first, *others = self._wordings()
        asked = [(rung, self._asked(rung, first)) for rung in rungs]
        for wording in others:
            tried = [replace(rung, wording=wording) for rung in rungs]
            asked += [(rung, self._asked(rung, wording)) for rung in tried]
        config = LadderConfig(
            run_dir=self.run_dir,
            rungs=tuple(asked),
            left_out=left_out,
            notes=self._notes(rungs),
            seed=self.seed,
            time_budget=self.time_budget,
            prior_correction=self.prior_correction,
            fresh=self.fresh,
        )
        again = "run the same command again to resume" + (", without --fresh" if self.fresh else "")
        with resume_hint_on_interrupt(f"answers so far are kept; {again}"):
            result = run_ladder(config, say=logger.info)
        print(ladder_text(result, again))
        failed = [rung for rung in result.rungs if rung.failed]
        for one in failed:
            logger.warning(
                "%s: %d of %s failed: see error in %s",
                one.rung.name, one.failed, counted(one.answers, "answer"), one.run_dir / RESULTS,
            )  # fmt: skip
        if failed:
            logger.warning("hint: once fixed: %s", again.replace("to resume", "to ask them again"))
        return EXIT_SOME_FAILED if failed else 0

    def _rungs(self) -> tuple[tuple[Rung, ...], tuple[str, ...]]:
        """Return the rungs that are asked for, and a sentence on those that are left out."""
        from lawqa.pipelines.experiments.ladder.rungs import chosen_rungs

        only = [name for names in self.only for name in names]
        return chosen_rungs(only, has_index=self.retrieval.index is not None)

    def _notes(self, rungs: Sequence[Rung]) -> tuple[str, ...]:
        """Return what flags do not do in these rungs."""
        notes = []
        given = [name for name, value in self.retrieval.given().items() if value]
        if given and not any(rung.condition == "rag" for rung in rungs):
            notes.append(f"{', '.join(given)} unused: no rung is asked with retrieved contexts")
        standard = GenerationFlags(ensemble=DEFAULT_VOTES)
        text = {
            name
            for name, value in vars(self.generation).items()
            if value != getattr(standard, name)
        }
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(text))
        if text and not any(rung.writes for rung in rungs):
            notes.append(f"{flags} unused: no rung writes text")
        elif "thinking_budget" in text and not any(rung.thinks for rung in rungs):
            notes.append("--thinking-budget unused: no rung thinks")
        votes = self.generation.ensemble
        in_one_order = [rung.name for rung in rungs if rung.writes and rung.orders(votes) == 1]
        if in_one_order:
            notes.append(
                f"{', '.join(in_one_order)}: --ensemble {votes} cannot be divided over 4 orders and is asked "
                "in one, in which a liking for a letter does not cancel; --ensemble 4 or 8 can"
            )
        return tuple(f"note: {note}" for note in notes)

    def _wordings(self) -> list[str]:
        """Return the ids of the wordings, the ladder's first one first.

        Raises:
            ConfigError: one is unknown, or named twice.
        """
        named = [resolve_prompt(name) for names in self.prompt for name in names]
        twice = [name for name in named if named.count(name) > 1]
        if twice:
            raise ConfigError(f"--prompt {twice[0]} is given twice", "name each wording once")
        return named or [STANDARD_PROMPT]

    def _asked(self, rung: Rung, wording: str) -> EvaluationConfig:
        """Return the settings of a rung: those that `lawqa evaluate` would make of the same flags."""
        generation = GenerationFlags()
        if rung.writes:
            budget = self.generation.thinking_budget if rung.thinks else None
            generation = replace(self.generation, thinking_budget=budget)
        retrieval = self.retrieval if rung.condition == "rag" else RetrievalFlags()
        run_dir = self.run_dir / rung.name
        in_4bit = self.in_4bit(lambda: of_run(None if self.fresh else run_dir))
        if self.backend == "scripted":
            in_4bit = False
        command = Evaluate(
            **{**values_of(ModelSettings, self), "load_in_4bit": in_4bit, "no_4bit": not in_4bit},
            prompt=wording,
            data=self.data,
            condition=rung.condition,
            mode=rung.mode,
            thinking=rung.thinks,
            permutations=rung.orders(self.generation.ensemble),
            samples=self.samples,
            script=self.script,
            token_budget=self.token_budget,
            seed=self.seed,
            backend=self.backend,
            place=self.place,
            run_dir=run_dir,
            generation=generation,
            retrieval=retrieval,
            console=self.console,
        )
        try:
            return command.resolve()[0]
        except ConfigError as problem:
            raise ConfigError(
                problem.message, problem.hint.replace("lawqa evaluate", "lawqa ladder")
            ) from None
