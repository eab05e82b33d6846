"""`lawqa evaluate`."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes

from lawqa.cli.asking.evaluate_text import base_text, result_text
from lawqa.cli.asking.generation_flags import GenerationFlags
from lawqa.cli.asking.prompt_options import (
    ConditionFlag,
    ModeFlag,
    resolve_condition,
    resolve_mode,
)
from lawqa.cli.asking.retrieval_flags import RetrievalFlags
from lawqa.cli.asking.server_flags import ServerFlags
from lawqa.cli.console import ConsoleFlags
from lawqa.cli.rerun import resume_command
from lawqa.errors import ConfigError
from lawqa.prompting import PromptSpec

if TYPE_CHECKING:
    from lawqa.pipelines.evaluate import EvaluationConfig, EvaluationResult
    from lawqa.pipelines.servers import ServerConfig

AnswerBy = Literal["logits", "generate"]

EXIT_SOME_FAILED = 3
DEFAULT_MODEL = "Qwen/Qwen3-8B"
DEFAULT_DATA = Path("datasets/lawqa_jp/data/selection.json")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evaluate:
    """Ask a model the questions and score its answers."""

    data: Path = DEFAULT_DATA
    """The questions: lawqa_jp JSON, or JSONL."""
    output: Path | None = None
    """Also write config, summary and results as one JSON file."""
    samples: int | None = None
    """Ask only the first N questions."""
    condition: ConditionFlag = None
    """Context: none (closed), the data set's own (gold), retrieved (rag). Default closed."""
    no_rag: FlagCreatePairsOff[bool] = False
    """The same as --condition closed."""
    mode: ModeFlag = None
    """direct: one letter; cot: reasoning and a final answer line. Default direct."""
    use_cot: FlagCreatePairsOff[bool] = False
    """The same as --mode cot."""
    thinking: FlagCreatePairsOff[bool] = False
    """Switch the model's own thinking on."""
    answer_by: AnswerBy | None = None
    """logits: likeliest label of one forward pass; generate: parsed text. Default fits the mode."""
    few_shot: bool = False
    """Put two solved questions before each question."""
    permutations: Literal[1, 4, 24] = 1
    """Ask each question in N orders of its choices."""
    llm_backend: Literal["hf", "ollama", "openai", "scripted"] = "hf"
    """Who answers: a model in Hugging Face format, an Ollama or OpenAI-style server, or a table."""
    script: Path | None = None
    """The table of answers for --llm-backend scripted: JSON, question id to text."""
    hf_model_name: str = DEFAULT_MODEL
    """A local model directory, or a name in the Hugging Face cache."""
    revision: str | None = None
    """The revision of a cached model."""
    hf_lora_path: Path | None = None
    """An adapter directory; it is applied unmerged."""
    with_base: FlagCreatePairsOff[bool] = False
    """Also score the base model without the adapter, in the same process."""
    hf_load_in_4bit: FlagCreatePairsOff[bool] = False
    """Quantise the model to 4 bits while loading. An adapter trained over 4 bits implies it."""
    bnb_4bit_quant_type: Literal["nf4", "fp4"] | None = None
    """The 4-bit data type. Without it: that of the adapter's training or of the model's files, else nf4."""
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    """The dtype of products; auto: half precision on a GPU, else float32 (with AMX, bfloat16 is faster)."""
    token_budget: int = 0
    """Tokens of one batch, 0 for what the memory holds; halved when memory runs out."""
    seed: int = 0
    """The seed of sampling."""
    place: str | None = None
    """Where this runs: local-3080, heart01, practice or any. Without it: LAWQA_PLACE, lawqa.toml, or any."""
    run_dir: Path | None = None
    """The run directory. Without it: a new one under runs/."""
    resume: FlagCreatePairsOff[bool] = False
    """Resume the run in --run-dir: ask what is missing or failed. A new run where there is none."""
    fresh: FlagCreatePairsOff[bool] = False
    """Replace an earlier run in the run directory, and an earlier output file."""
    allow_leak: FlagCreatePairsOff[bool] = False
    """Score questions that the adapter was trained on; the summary says so."""
    allow_prompt_mismatch: FlagCreatePairsOff[bool] = False
    """Use a prompt that the adapter was not trained on; the summary says so."""
    allow_base_mismatch: FlagCreatePairsOff[bool] = False
    """Apply the adapter to another base model than it was trained over; the summary says so."""
    generation: OmitArgPrefixes[GenerationFlags] = field(default_factory=GenerationFlags)
    retrieval: OmitArgPrefixes[RetrievalFlags] = field(default_factory=RetrievalFlags)
    server: OmitArgPrefixes[ServerFlags] = field(default_factory=ServerFlags)
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.commands import current_place, require_backend
        from lawqa.pipelines.ranks import Ranks, check_launch

        check_launch(os.environ)
        require_backend(current_place(self.place), self.llm_backend)
        config, remarks = self.resolve()
        for remark in remarks:
            logger.warning("note: %s", remark)
        from lawqa.pipelines.evaluate import new_run_dir

        ranks = Ranks.of(os.environ)
        if not ranks.several:
            config = replace(config, run_dir=config.run_dir or new_run_dir(config))
        try:
            results = self._results(config)
        except KeyboardInterrupt as stop:
            from lawqa.pipelines.interrupts import exit_code

            logger.error("interrupted")  # noqa: TRY400 - it is no bug
            if ranks.rank == 0 and config.run_dir and holds_run(config.run_dir):
                logger.error(f"hint: {self._again(config.run_dir)}  resumes it")  # noqa: TRY400
            return exit_code(stop)
        failed = sum(result.summary.outcomes["failed"] for result in results)
        if ranks.rank == 0:
            self._print(results)
            if failed and config.run_dir:
                what = "1 question" if failed == 1 else f"{failed} questions"
                logger.warning("%s failed: see error in results.jsonl", what)
                logger.warning("hint: %s  asks them again", self._again(config.run_dir))
        return EXIT_SOME_FAILED if failed else 0

    def _results(self, config: EvaluationConfig) -> tuple[EvaluationResult, ...]:
        from lawqa.pipelines.evaluate import evaluate, evaluate_with_base

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
        named = ("llm_backend", "hf_model_name") if self.llm_backend == "hf" else ()
        return resume_command("evaluate", self, run_dir, named)

    def resolve(self) -> tuple[EvaluationConfig, list[str]]:
        """The settings that the flags mean, and remarks on flags without effect.

        Raises:
            ConfigError: the flags contradict each other.
        """
        from lawqa.commands import current_place
        from lawqa.pipelines.evaluation_config import EvaluationConfig, check_config

        condition, remarks = resolve_condition(
            self.condition, no_rag=self.no_rag, retrieval_flags=self.retrieval.given()
        )
        mode = resolve_mode(self.mode, use_cot=self.use_cot)
        self._check_backend_flags()
        server = self.server.config(self.llm_backend)
        tokenizer = self.hf_model_name if self.llm_backend == "hf" else self.server.tokenizer
        config = EvaluationConfig(
            data=self.data,
            spec=PromptSpec(mode, condition, self.thinking, self.few_shot),
            answer_by=self._answer_by(mode),
            backend=self.llm_backend,
            samples=self.samples,
            model_name=self._model_name(server),
            revision=self.revision,
            adapter=self.hf_lora_path,
            load_in_4bit=self.hf_load_in_4bit,
            quant_type=self.bnb_4bit_quant_type,
            dtype=self.dtype,
            script=self.script,
            server=server,
            permutations=self.permutations,
            max_new_tokens=self.generation.chosen_max_new_tokens(mode=mode, thinking=self.thinking),
            temperature=self.generation.chosen_temperature(),
            **self.generation.settings(),
            token_budget=self.token_budget,
            seed=self.seed,
            place=current_place(self.place),
            run_dir=self.run_dir,
            output=self.output,
            resume=self.resume,
            fresh=self.fresh,
            allow_leak=self.allow_leak,
            allow_prompt_mismatch=self.allow_prompt_mismatch,
            allow_base_mismatch=self.allow_base_mismatch,
            rag=self.retrieval.config((condition,), tokenizer, self.revision),
            quiet=self.console.quiet,
        )
        check_config(config)
        return config, remarks + self._unused_flags(config)

    def _unused_flags(self, config: EvaluationConfig) -> list[str]:
        """A remark on every flag that was given and changes nothing."""
        remarks = []
        no_model = {
            "--hf-load-in-4bit": self.hf_load_in_4bit,
            "--bnb-4bit-quant-type": self.bnb_4bit_quant_type,
            "--dtype": self.dtype != "auto",
            "--revision": self.revision,
        }
        given = [flag for flag, value in no_model.items() if value]
        if config.backend != "hf" and given:
            remarks.append(f"{', '.join(given)} unused: no model is loaded")
        generates = config.answer_by == "generate"
        unused = self.generation.unused(generates=generates)
        if unused:
            why = "the temperature is 0" if generates else "labels are scored, no text is generated"
            remarks.append(f"{', '.join(unused)} unused: {why}")
        return remarks

    def _answer_by(self, mode: str) -> AnswerBy:
        free_text = mode == "cot" or self.thinking
        if free_text and self.answer_by == "logits":
            why = "a think block" if self.thinking else "reasoning"
            raise ConfigError(
                f"--answer-by logits cannot be: the next token after this prompt opens {why}, "
                "not an answer",
                "--answer-by generate",
            )
        sampled = self.generation.ensemble > 1
        return self.answer_by or ("generate" if free_text or sampled else "logits")

    def _check_backend_flags(self) -> None:
        problems = []
        if self.script is not None and self.llm_backend != "scripted":
            problems.append("--script is for --llm-backend scripted")
        if self.llm_backend != "hf" and self.hf_lora_path is not None:
            problems.append("--hf-lora-path is for --llm-backend hf")
        problems += self.server.problems(self.llm_backend)
        if problems:
            raise ConfigError("\n".join(problems), "lawqa evaluate --help  explains every option")

    def _model_name(self, server: ServerConfig | None) -> str:
        if server is not None:
            return server.model
        return "" if self.llm_backend == "scripted" else self.hf_model_name


def holds_run(run_dir: Path) -> bool:
    """Whether a run was begun there."""
    from lawqa.runs.manifest import MANIFEST

    return (run_dir / MANIFEST).exists()
