"""`lawqa evaluate`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tyro.conf import FlagCreatePairsOff

from lawqa.cli.prompt_options import (
    ConditionFlag,
    ModeFlag,
    not_built_yet,
    require_no_retrieval,
    resolve_condition,
    resolve_mode,
)
from lawqa.errors import ConfigError
from lawqa.prompting import PromptSpec

if TYPE_CHECKING:
    from lawqa.pipelines.evaluate import EvaluationConfig, EvaluationResult

AnswerBy = Literal["logits", "generate"]

EXIT_SOME_FAILED = 3
DEFAULT_MODEL = "Qwen/Qwen3-8B"
DEFAULT_DATA = Path("datasets/lawqa_jp/data/selection.json")


@dataclass(frozen=True)
class Evaluate:
    """Ask a model the questions and score its answers."""

    data: Path = DEFAULT_DATA
    """The questions: lawqa_jp JSON, or JSONL."""
    output: Path | None = None
    """Also write config, summary and results as one JSON file."""
    samples: int | None = None
    """Ask only the first so many questions."""
    condition: ConditionFlag = None
    """Context: none (closed), the data set's own (gold), retrieved (rag). Default closed."""
    no_rag: FlagCreatePairsOff[bool] = False
    """The same as --condition closed."""
    top_k: int | None = None
    """How many articles to retrieve."""
    index: Path | None = None
    """The retrieval index."""
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
    ensemble: int = 1
    """Ask each question so many times with sampling and take the majority."""
    permutations: Literal[1, 4, 24] = 1
    """Ask each question in so many orders of its choices."""
    llm_backend: Literal["hf", "ollama", "openai", "scripted"] = "hf"
    """Who answers: a model in Hugging Face format, an Ollama or OpenAI-style server, or a table."""
    llm_model: str | None = None
    """The model's name on an Ollama or OpenAI-style server."""
    base_url: str | None = None
    """The address of an OpenAI-style server."""
    script: Path | None = None
    """The table of answers for --llm-backend scripted: JSON, question id to text."""
    use_reranker: FlagCreatePairsOff[bool] = False
    """Rerank retrieved articles."""
    reranker_model: str | None = None
    """The reranking model."""
    rerank_top_n: int | None = None
    """How many articles to keep after reranking."""
    hf_model_name: str = DEFAULT_MODEL
    """A local model directory, or a name in the Hugging Face cache."""
    revision: str | None = None
    """The revision of a cached model."""
    hf_lora_path: Path | None = None
    """An adapter directory; it is applied unmerged."""
    with_base: FlagCreatePairsOff[bool] = False
    """Also score the base model without the adapter, in the same process."""
    hf_load_in_4bit: FlagCreatePairsOff[bool] = False
    """Quantise the model to 4 bits (NF4) while loading. An adapter trained over 4 bits implies it."""
    max_new_tokens: int | None = None
    """The most tokens of one generated answer. Without it: 32 direct, 1024 cot, 4096 thinking."""
    temperature: float | None = None
    """0 for greedy decoding (the default); above 0 answers are sampled."""
    token_budget: int = 8192
    """Padded tokens of one batch; halved when memory runs out."""
    seed: int = 0
    """The seed of sampling."""
    place: str = "any"
    """Where this runs: local-3080, heart01 or any; decides what is forbidden."""
    run_dir: Path | None = None
    """The run directory. Without it: a new one under runs/."""
    resume: FlagCreatePairsOff[bool] = False
    """Go on with an interrupted run."""
    fresh: FlagCreatePairsOff[bool] = False
    """Replace an earlier run in the run directory, and an earlier output file."""
    allow_leak: FlagCreatePairsOff[bool] = False
    """Score questions that the adapter was trained on; the summary says so."""
    allow_prompt_mismatch: FlagCreatePairsOff[bool] = False
    """Use a prompt that the adapter was not trained on; the summary says so."""

    def run(self) -> int:
        self._refuse_what_is_not_built()
        config, remarks = self.resolve()
        for remark in remarks:
            print(f"note: {remark}", file=sys.stderr)
        from lawqa.pipelines.evaluate import evaluate

        result = evaluate(config)
        print(result_text(result))
        if self.output is not None:
            print(f"output: {self.output}")
        failed = result.summary.outcomes["failed"]
        if failed:
            counted = "1 question" if failed == 1 else f"{failed} questions"
            print(f"{counted} failed: see error in results.jsonl", file=sys.stderr)
            return EXIT_SOME_FAILED
        return 0

    def resolve(self) -> tuple[EvaluationConfig, list[str]]:
        """The settings that the flags mean, and remarks on flags without effect.

        Raises:
            ConfigError: the flags contradict each other.
        """
        from lawqa.pipelines.evaluate import EvaluationConfig

        condition, remarks = resolve_condition(
            self.condition, no_rag=self.no_rag, retrieval_flags=self._retrieval_flags()
        )
        require_no_retrieval(condition, self.index)
        mode = resolve_mode(self.mode, use_cot=self.use_cot)
        self._check_backend_flags()
        config = EvaluationConfig(
            data=self.data,
            spec=PromptSpec(mode, condition, self.thinking, self.few_shot),
            answer_by=self._answer_by(mode),
            backend="scripted" if self.llm_backend == "scripted" else "hf",
            samples=self.samples,
            model_name="" if self.llm_backend == "scripted" else self.hf_model_name,
            revision=self.revision,
            adapter=self.hf_lora_path,
            load_in_4bit=self.hf_load_in_4bit,
            script=self.script,
            max_new_tokens=self._max_new_tokens(mode),
            temperature=self.temperature or 0.0,
            token_budget=self.token_budget,
            seed=self.seed,
            place=self.place,
            run_dir=self.run_dir,
            output=self.output,
            fresh=self.fresh,
            allow_leak=self.allow_leak,
            allow_prompt_mismatch=self.allow_prompt_mismatch,
        )
        return config, remarks + self._unused_flags(config)

    def _unused_flags(self, config: EvaluationConfig) -> list[str]:
        """A remark on every flag that was given and changes nothing."""
        unused = {
            "--temperature": self.temperature is not None and config.answer_by == "logits",
            "--max-new-tokens": self.max_new_tokens is not None and config.answer_by == "logits",
            "--hf-load-in-4bit": self.hf_load_in_4bit and config.backend != "hf",
            "--revision": self.revision is not None and config.backend != "hf",
        }
        given = [flag for flag, without_effect in unused.items() if without_effect]
        why = (
            "labels are scored, no text is generated"
            if config.backend == "hf"
            else "no model is loaded"
        )
        return [f"{', '.join(given)} unused: {why}"] if given else []

    def _retrieval_flags(self) -> dict[str, object]:
        return {
            "--top-k": self.top_k,
            "--index": self.index,
            "--use-reranker": self.use_reranker,
            "--reranker-model": self.reranker_model,
            "--rerank-top-n": self.rerank_top_n,
        }

    def _answer_by(self, mode: str) -> AnswerBy:
        free_text = mode == "cot" or self.thinking
        if free_text and self.answer_by == "logits":
            why = "a think block" if self.thinking else "reasoning"
            raise ConfigError(
                f"--answer-by logits cannot be: the next token after this prompt opens {why}, "
                "not an answer",
                "--answer-by generate",
            )
        return self.answer_by or ("generate" if free_text else "logits")

    def _max_new_tokens(self, mode: str) -> int:
        if self.max_new_tokens is not None:
            return self.max_new_tokens
        if self.thinking:
            return 4096
        return 1024 if mode == "cot" else 32

    def _check_backend_flags(self) -> None:
        problems = []
        if self.samples is not None and self.samples < 1:
            problems.append(f"--samples is {self.samples}, expected 1 or more")
        if self.temperature is not None and self.temperature < 0:
            problems.append(f"--temperature is {self.temperature}, expected 0 or more")
        if self.max_new_tokens is not None and self.max_new_tokens < 1:
            problems.append(f"--max-new-tokens is {self.max_new_tokens}, expected 1 or more")
        if self.token_budget < 1:
            problems.append(f"--token-budget is {self.token_budget}, expected 1 or more")
        if self.script is not None and self.llm_backend != "scripted":
            problems.append("--script is for --llm-backend scripted")
        if self.llm_backend == "scripted" and self.hf_lora_path is not None:
            problems.append("--hf-lora-path is for --llm-backend hf")
        if self.llm_model is not None and self.llm_backend in ("hf", "scripted"):
            problems.append(
                f"--llm-model {self.llm_model} names a model on a server, but the backend is "
                f"{self.llm_backend}: say --llm-backend ollama, or --hf-model-name for a local model"
            )
        if self.base_url is not None and self.llm_backend != "openai":
            problems.append("--base-url is for --llm-backend openai")
        if problems:
            raise ConfigError("\n".join(problems), "lawqa evaluate --help  explains every option")

    def _refuse_what_is_not_built(self) -> None:
        if self.llm_backend in ("ollama", "openai"):
            from lawqa.commands import require_backend

            require_backend(self.place, self.llm_backend)
            not_built_yet(f"--llm-backend {self.llm_backend}", "asking a model server")
        if self.ensemble != 1:
            not_built_yet(f"--ensemble {self.ensemble}", "self-consistency")
        if self.permutations != 1:
            not_built_yet(f"--permutations {self.permutations}", "asking in several orders")
        if self.with_base:
            not_built_yet("--with-base", "scoring base and adapter in one process")
        if self.resume:
            not_built_yet("--resume", "going on with an interrupted evaluation")


def result_text(result: EvaluationResult) -> str:
    """What a user reads after an evaluation; what must be known first comes first."""
    from lawqa.report.table import law_table, summary_table

    lines = [f"! {note}" for note in result.notes]
    lines += [summary_table({"this run": result.summary}), "", law_table(result.summary), ""]
    lines.append(f"run: {result.run_dir}")
    return "\n".join(lines)
