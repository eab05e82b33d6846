"""What an evaluation is to do, as settings and as the JSON that its manifest keeps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lawqa.backends.base import GenerationSettings
from lawqa.errors import ConfigError
from lawqa.pipelines.rag import RagConfig
from lawqa.pipelines.servers import ServerConfig
from lawqa.prompting import PromptSpec
from lawqa.settings.ranges import out_of_range

AnswerBy = Literal["logits", "generate"]


@dataclass(frozen=True)
class EvaluationConfig:
    """What is asked, of which model, and where the answers go."""

    data: Path
    """The questions."""
    spec: PromptSpec
    """How they are put."""
    answer_by: AnswerBy
    """`logits`: the likeliest label of one forward pass; `generate`: parsed from generated text."""
    backend: Literal["hf", "ollama", "openai", "scripted"]
    """Who answers."""
    samples: int | None = None
    """Only the first N questions; None for all."""
    permutations: Literal[1, 4, 24] = 1
    """In how many orders of its choices each question is asked."""
    ensemble: int = 1
    """How often each prompt is answered; more than once needs sampling."""
    model_name: str = ""
    """The model, for `hf`."""
    revision: str | None = None
    """Its revision."""
    adapter: Path | None = None
    """An adapter to apply."""
    load_in_4bit: bool = False
    """Quantise the model while loading; an adapter trained over 4-bit weights implies it."""
    quant_type: Literal["nf4", "fp4"] | None = None
    """The 4-bit data type; None for that of the adapter's training or of the model's files, else nf4."""
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    """The dtype of products and of weights that are not quantised."""
    script: Path | None = None
    """The table of answers, for `scripted`."""
    server: ServerConfig | None = None
    """The model server, for `ollama` and `openai`."""
    max_new_tokens: int = 32
    """The most tokens of one completion."""
    temperature: float = 0.0
    """0 for greedy decoding."""
    top_p: float = 1.0
    """Sample from the likeliest tokens that hold this share of the probability; 1 for all."""
    top_k_sampling: int = 0
    """Sample from the N likeliest tokens; 0 for all."""
    min_p: float = 0.0
    """Drop tokens less likely than this share of the likeliest; 0 for none."""
    thinking_budget: int | None = None
    """The most tokens of a think block; one that reaches them is closed."""
    stop_at_final_answer: bool = True
    """Stop after a finished answer line."""
    stop_at_loops: bool = True
    """Stop when the text repeats itself over and over."""
    force_answers: bool = True
    """Score the labels after texts that gave none; stored and counted apart."""
    retries: int = 1
    """How often a question that failed is asked again before that is stored."""
    token_budget: int = 0
    """Tokens of one batch; 0 for what the memory holds."""
    seed: int = 0
    """For sampling."""
    place: str = "any"
    """Where this runs; decides what is forbidden."""
    run_dir: Path | None = None
    """The run directory; None for a new one under `runs/`."""
    output: Path | None = None
    """Also write config, summary and results as one JSON file."""
    resume: bool = False
    """Resume the run in the run directory, if there is one."""
    fresh: bool = False
    """Replace an earlier run and output."""
    allow_leak: bool = False
    """Score trained-on questions, and say so."""
    allow_prompt_mismatch: bool = False
    """Use a prompt that the adapter does not know, and say so."""
    allow_base_mismatch: bool = False
    """Apply the adapter to another base model than it was trained over, and say so."""
    rag: RagConfig | None = None
    """Where contexts are retrieved, for the condition `rag`."""
    quiet: bool = False
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
        plain = {key: _plain(value) for key, value in vars(self).items()}
        return {**plain, "spec": vars(self.spec)}


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


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    to_json = getattr(value, "to_json", None)
    return to_json() if callable(to_json) else value
