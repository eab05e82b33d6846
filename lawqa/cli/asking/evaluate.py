"""`lawqa evaluate`."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes

from lawqa.cli import EXIT_SOME_FAILED
from lawqa.cli.asking.evaluate_text import base_text, result_text
from lawqa.cli.asking.generation_flags import GenerationFlags
from lawqa.cli.asking.prompt_options import (
    FewShotFlag,
    ThinkingFlags,
    resolve_condition,
    resolve_prompt,
)
from lawqa.cli.asking.retrieval_flags import RetrievalFlags
from lawqa.cli.asking.server_flags import ServerFlags
from lawqa.cli.console import ConsoleFlags
from lawqa.cli.model_flags import ModelFlags, of_adapter, of_run
from lawqa.cli.rerun import resume_command
from lawqa.errors import ConfigError
from lawqa.settings import (
    DEFAULT_DATA,
    AskedSettings,
    BackendSettings,
    IndexMeasureSettings,
    RunSettings,
    WordingSettings,
    declaration,
    values_of,
)
from lawqa.stopwatch import watched

if TYPE_CHECKING:
    from lawqa.pipelines.evaluation.evaluate import EvaluationConfig, EvaluationResult
    from lawqa.pipelines.evaluation.servers import ServerConfig

logger = logging.getLogger(__name__)

_WORTH_SAYING = 5.0
"""Seconds from which on it is said where they went."""


@dataclass(frozen=True, kw_only=True)
class Evaluate(
    RunSettings,
    AskedSettings,
    WordingSettings,
    ModelFlags,
    FewShotFlag,
    ThinkingFlags,
    BackendSettings,
):
    """Ask a model the questions and score its answers."""

    data: Path = field(
        default=DEFAULT_DATA, metadata=declaration(IndexMeasureSettings, "questions")
    )
    """The questions: lawqa_jp JSON, or JSONL."""
    with_base: FlagCreatePairsOff[bool] = False
    """Also score the base model without the adapter, in the same process."""
    generation: OmitArgPrefixes[GenerationFlags] = field(default_factory=GenerationFlags)
    retrieval: OmitArgPrefixes[RetrievalFlags] = field(default_factory=RetrievalFlags)
    server: OmitArgPrefixes[ServerFlags] = field(default_factory=ServerFlags)
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.commands.backends import require_backend
        from lawqa.commands.placefile import current_place
        from lawqa.pipelines.evaluation.ranks import Ranks, check_launch

        check_launch(os.environ)
        require_backend(current_place(self.place), self.backend)
        config, remarks = self.resolve()
        for remark in remarks:
            logger.warning("note: %s", remark)
        from lawqa.pipelines.evaluation.evaluate import new_run_dir

        ranks = Ranks.of(os.environ)
        if not ranks.several:
            config = replace(config, run_dir=config.run_dir or new_run_dir(config))
        try:
            with watched() as watch:
                results = self._results(config)
        except KeyboardInterrupt as stop:
            from lawqa.pipelines.evaluation.interrupts import exit_code

            logger.error("interrupted")  # noqa: TRY400 - it is no bug
            if ranks.rank == 0 and config.run_dir and holds_run(config.run_dir):
                logger.error(f"hint: {self._again(config.run_dir)}  resumes it")  # noqa: TRY400
            return exit_code(stop)
        failed = sum(result.summary.outcomes["failed"] for result in results)
        if ranks.rank == 0:
            self._print(results)
            if self.backend == "hf" and watch.whole() >= _WORTH_SAYING:
                logger.info("time: %s", watch.sentence())
            if failed and config.run_dir:
                what = "1 question" if failed == 1 else f"{failed} questions"
                logger.warning("%s failed: see error in results.jsonl", what)
                logger.warning("hint: %s  asks them again", self._again(config.run_dir))
        return EXIT_SOME_FAILED if failed else 0

    def _results(self, config: EvaluationConfig) -> tuple[EvaluationResult, ...]:
        from lawqa.pipelines.evaluation.evaluate import evaluate, evaluate_with_base

        def say(line: str) -> None:
            logger.info("note: %s", line)

        return (
            evaluate_with_base(config, say=say) if self.with_base else (evaluate(config, say=say),)
        )

    def _print(self, results: tuple[EvaluationResult, ...]) -> None:
        print(result_text(results[0]))
        if self.output is not None:
            print(f"output: {self.output}")
        if self.with_base:
            print(f"\n{base_text(*results)}")

    def _again(self, run_dir: Path) -> str:
        # A place may want backend and model named, even where they are the defaults.
        named = ("backend", "model_name") if self.backend == "hf" else ()
        return resume_command("evaluate", self, run_dir, named)

    def resolve(self) -> tuple[EvaluationConfig, list[str]]:
        """Return the settings that the flags mean, and remarks on flags without effect.

        Raises:
            ConfigError: the flags contradict each other.
        """
        from lawqa.commands.placefile import current_place
        from lawqa.pipelines.evaluation.config import EvaluationConfig, check_config

        condition, remarks = resolve_condition(
            self.condition, no_rag=self.no_rag, retrieval_flags=self.retrieval.given()
        )
        self._check_backend_flags()
        server = self.server.config(self.backend)
        tokenizer = self.model_name if self.backend == "hf" else self.server.tokenizer
        resolved = {
            "spec": self.spec(
                condition, few_shot=self.few_shot, wording=resolve_prompt(self.prompt)
            ),
            "model_name": self._model_name(server),
            "server": server,
            "place": current_place(self.place),
            "rag": self.retrieval.config((condition,), tokenizer, self.revision),
            "quiet": self.console.quiet,
            "load_in_4bit": self.backend == "hf" and self._quantises(),
        }
        given = values_of(EvaluationConfig, self, self.generation)
        config = EvaluationConfig(**{**given, **resolved})
        check_config(config)
        return config, [*remarks, *self._unused_flags(config), *config.sampling_notes()]

    def _quantises(self) -> bool:
        return self.in_4bit(
            lambda: of_run(self.run_dir if self.resume else None), lambda: of_adapter(self.adapter)
        )

    def _unused_flags(self, config: EvaluationConfig) -> list[str]:
        """Return a remark on every flag that was given and changes nothing."""
        remarks = []
        no_model = {
            "--4bit": self.load_in_4bit,
            "--no-4bit": self.no_4bit,
            "--bnb-4bit-quant-type": self.quant_type,
            "--dtype": self.dtype != "auto",
            "--revision": self.revision,
        }
        given = [flag for flag, value in no_model.items() if value]
        if config.backend != "hf" and given:
            remarks.append(f"{', '.join(given)} unused: no model is loaded")
        unused = self.generation.unused(config.resolved())
        if unused:
            why = (
                "the temperature is 0"
                if config.generates
                else "labels are scored, no text is generated"
            )
            remarks.append(f"{', '.join(unused)} unused: {why}")
        return remarks

    def _check_backend_flags(self) -> None:
        problems = []
        if self.backend != "hf" and self.adapter is not None:
            problems.append("--hf-lora-path is for --llm-backend hf")
        problems += self.server.problems(self.backend)
        if problems:
            raise ConfigError("\n".join(problems), "lawqa evaluate --help  explains every option")

    def _model_name(self, server: ServerConfig | None) -> str:
        if server is not None:
            return server.model
        return self.model_name if self.backend == "hf" else ""


def holds_run(run_dir: Path) -> bool:
    """Return whether a run was begun there."""
    from lawqa.runs.manifest import MANIFEST

    return (run_dir / MANIFEST).exists()
