"""What an evaluation is to do, as settings and as the JSON that its manifest keeps."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from lawqa.backends.base import GenerationSettings
from lawqa.errors import ConfigError
from lawqa.pipelines.evaluation.rag import RagConfig
from lawqa.pipelines.evaluation.servers import ServerConfig
from lawqa.prompting import PromptSpec
from lawqa.settings import (
    DEFAULT_MODEL,
    PLACE,
    RESULT,
    SPEED,
    AnswerBy,
    AskedSettings,
    GenerationChoices,
    ModelSettings,
    Resolved,
    RunSettings,
    by_content,
    declaration,
    defaults_of,
    named,
    plain,
    resolved,
)
from lawqa.settings.ranges import out_of_range


@dataclass(frozen=True)
class EvaluationConfig(RunSettings, GenerationChoices, AskedSettings, ModelSettings):
    """What is asked, of which model, and where the answers go."""

    data: Path = field(metadata=by_content(RESULT))
    """The questions."""
    spec: PromptSpec = field(default_factory=PromptSpec, metadata=by_content(RESULT))
    """How they are put."""
    answer_by: AnswerBy | None = field(default=None, metadata=RESULT)
    """`logits`: the likeliest label of one forward pass; `generate`: parsed from generated text. Without it:
    what fits the prompt spec."""
    backend: Literal["hf", "ollama", "openai", "scripted"] = field(
        default="hf", metadata=named(RESULT, evaluate="--llm-backend")
    )
    """Who answers."""
    # Other backends than hf load no model.
    model_name: str = field(
        default="", kw_only=True, metadata=declaration(ModelSettings, "model_name")
    )
    """The model, for `hf` (empty for the command's default); its name on the server for a server."""
    server: ServerConfig | None = field(default=None, kw_only=True, metadata=by_content(RESULT))
    """The model server, for `ollama` and `openai`."""
    rag: RagConfig | None = field(default=None, kw_only=True, metadata=by_content(RESULT))
    """Where contexts are retrieved, for the condition `rag`."""
    retries: int = field(default=1, kw_only=True, metadata=SPEED)
    """How often a question that failed is asked again before that is stored."""
    place: str | None = field(default=None, kw_only=True, metadata=PLACE)
    """Where this runs; decides what is forbidden. None for what the environment or `lawqa.toml` says."""
    quiet: bool = field(default=True, kw_only=True, metadata=PLACE)
    """No progress line."""

    def __post_init__(self) -> None:
        super().__post_init__()
        defaults: dict[str, object] = {}
        if self.backend == "hf":
            name = self.model_name or DEFAULT_MODEL
            defaults["model_name"] = name
            if self.rag is not None and self.rag.tokenizer is None:
                # What the model reads is counted as the model counts it.
                defaults["rag"] = replace(self.rag, tokenizer=name, revision=self.revision)
        elif self.backend != "scripted":
            server = self.server or ServerConfig(
                kind=self.backend, llm_model=self.model_name or None
            )
            defaults |= {"server": server, "model_name": server.model}
        for setting, value in defaults.items():
            object.__setattr__(self, setting, value)

    @property
    def forces_answers(self) -> bool:
        """Whether texts without an answer get a forced one: there are texts, and it was not refused."""
        return self.force_answers and self.generates

    @property
    def generates(self) -> bool:
        """Whether answers are parsed from generated text."""
        return self.resolved().answer_by == "generate"

    def resolved(self) -> Resolved:
        """Return the settings that follow the prompt spec where they were not given."""
        spec = self.spec
        defaults = defaults_of(spec.mode, thinking=spec.thinking, samples=self.ensemble)
        return resolved(self, defaults)

    def generation(self) -> GenerationSettings:
        """How text is generated."""
        chosen = self.resolved()
        return GenerationSettings(
            max_new_tokens=chosen.max_new_tokens,
            temperature=chosen.temperature,
            top_p=self.top_p,
            top_k=self.top_k_sampling,
            min_p=self.min_p,
            seed=self.seed,
            repeats=self.ensemble,
            thinking_budget=self.thinking_budget,
            stop_at_final_answer=self.stop_at_final_answer,
            stop_at_loops=self.stop_at_loops,
        )

    def to_json(self) -> dict[str, Any]:
        """The settings in plain JSON types, defaults resolved."""
        return {**plain(self), **vars(self.resolved())}


def check_config(config: EvaluationConfig) -> None:
    """Make sure that the settings can be meant together.

    Raises:
        ConfigError: they cannot; all contradictions are named.
    """
    generates, chosen = config.generates, config.resolved()
    free_text = config.spec.reasons
    opened = "a think block" if config.spec.thinking else "reasoning"
    rules = (
        (generates or not free_text,
         f"--answer-by logits cannot be: the next token after this prompt opens {opened}, not an answer"),
        (config.ensemble == 1 or generates,
         f"--ensemble {config.ensemble} needs --answer-by generate: scored labels are the same every time"),
        (config.ensemble == 1 or not generates or chosen.temperature > 0,
         f"--ensemble {config.ensemble} needs a --temperature above 0: greedy texts are all the same"),
        (config.thinking_budget is None or config.spec.thinking,
         "--thinking-budget needs --thinking"),
        (config.thinking_budget is None or config.thinking_budget < chosen.max_new_tokens,
         f"--thinking-budget is {config.thinking_budget}, expected 1 or more and below "
         f"--max-new-tokens ({chosen.max_new_tokens})"),
        (not (config.resume and config.fresh),
         "--resume resumes a run and --fresh replaces it: leave one of them out"),
        (not config.resume or config.run_dir is not None,
         "--resume needs --run-dir: which run is to be resumed?"),
    )  # fmt: skip
    problems = out_of_range(config) + [problem for holds, problem in rules if not holds]
    if problems:
        scored = free_text and not generates
        hint = "--answer-by generate" if scored else "lawqa evaluate --help  explains every option"
        raise ConfigError("\n".join(problems), hint)
