"""What an evaluation is to do, as settings and as the JSON that its manifest keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lawqa.backends.base import GenerationSettings
from lawqa.errors import ConfigError
from lawqa.pipelines.evaluation.rag import RagConfig
from lawqa.pipelines.evaluation.servers import ServerConfig
from lawqa.prompting import PromptSpec
from lawqa.settings import (
    PLACE,
    RESULT,
    SPEED,
    AnswerBy,
    AskedSettings,
    GenerationChoices,
    ModelSettings,
    RunSettings,
    by_content,
    declaration,
    named,
    plain,
)
from lawqa.settings.ranges import out_of_range


@dataclass(frozen=True)
class EvaluationConfig(RunSettings, GenerationChoices, AskedSettings, ModelSettings):
    """What is asked, of which model, and where the answers go."""

    data: Path = field(metadata=by_content(RESULT))
    """The questions."""
    spec: PromptSpec = field(metadata=by_content(RESULT))
    """How they are put."""
    answer_by: AnswerBy = field(metadata=RESULT)
    """`logits`: the likeliest label of one forward pass; `generate`: parsed from generated text."""
    backend: Literal["hf", "ollama", "openai", "scripted"] = field(
        metadata=named(RESULT, evaluate="--llm-backend")
    )
    """Who answers."""
    # Other backends than hf load no model, and a Python caller says how long a text may be.
    model_name: str = field(
        default="", kw_only=True, metadata=declaration(ModelSettings, "model_name")
    )
    """The model, for `hf`; its name on the server for a server."""
    max_new_tokens: int = field(
        default=32, kw_only=True, metadata=declaration(GenerationChoices, "max_new_tokens")
    )
    """The most tokens of one completion."""
    temperature: float = field(
        default=0.0, kw_only=True, metadata=declaration(GenerationChoices, "temperature")
    )
    """0 for greedy decoding."""
    server: ServerConfig | None = field(default=None, kw_only=True, metadata=by_content(RESULT))
    """The model server, for `ollama` and `openai`."""
    rag: RagConfig | None = field(default=None, kw_only=True, metadata=by_content(RESULT))
    """Where contexts are retrieved, for the condition `rag`."""
    retries: int = field(default=1, kw_only=True, metadata=SPEED)
    """How often a question that failed is asked again before that is stored."""
    place: str = field(default="any", kw_only=True, metadata=PLACE)
    """Where this runs; decides what is forbidden."""
    quiet: bool = field(default=False, kw_only=True, metadata=PLACE)
    """No progress line."""

    @property
    def forces_answers(self) -> bool:
        """Whether texts without an answer get a forced one: there are texts, and it was not refused."""
        return self.force_answers and self.answer_by == "generate"

    def generation(self) -> GenerationSettings:
        """How text is generated."""
        return GenerationSettings(
            max_new_tokens=self.max_new_tokens,
            temperature=self.temperature,
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
        """The settings in plain JSON types."""
        return plain(self)


def check_config(config: EvaluationConfig) -> None:
    """Make sure that the settings can be meant together.

    Raises:
        ConfigError: they cannot; all contradictions are named.
    """
    generates = config.answer_by == "generate"
    rules = (
        (config.ensemble == 1 or generates,
         f"--ensemble {config.ensemble} needs --answer-by generate: scored labels are the same every time"),
        (config.ensemble == 1 or not generates or config.temperature > 0,
         f"--ensemble {config.ensemble} needs a --temperature above 0: greedy texts are all the same"),
        (config.thinking_budget is None or config.spec.thinking,
         "--thinking-budget needs --thinking"),
        (config.thinking_budget is None or config.thinking_budget < config.max_new_tokens,
         f"--thinking-budget is {config.thinking_budget}, expected 1 or more and below "
         f"--max-new-tokens ({config.max_new_tokens})"),
        (not (config.resume and config.fresh),
         "--resume resumes a run and --fresh replaces it: leave one of them out"),
        (not config.resume or config.run_dir is not None,
         "--resume needs --run-dir: which run is to be resumed?"),
    )  # fmt: skip
    problems = out_of_range(config) + [problem for holds, problem in rules if not holds]
    if problems:
        raise ConfigError("\n".join(problems), "lawqa evaluate --help  explains every option")
