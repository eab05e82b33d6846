"""How questions are put to a model or a server, in which words, and where the answers go."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lawqa.settings.accepted import Settings
from lawqa.settings.declared import (
    PLACE,
    RESULT,
    SPEED,
    by_content,
    declaration,
    flagged,
    named,
    only_with,
)
from lawqa.settings.values import AnswerBy, BackendName, Condition, LocalBackend, Mode, Permutations

DEFAULT_DATA = Path("datasets/lawqa_jp/data/selection.json")
"""Where the documents put the data set."""


@dataclass(frozen=True, kw_only=True)
class BackendSettings(Settings):
    """Who answers, and how."""

    answer_by: AnswerBy | None = field(default=None, metadata=RESULT)
    """logits: likeliest label of one forward pass; generate: parsed text. Default fits the mode."""
    backend: BackendName = field(default="hf", metadata=flagged(RESULT, "--llm-backend"))
    """Who answers: a model in Hugging Face format, an Ollama or OpenAI-style server, or a table."""


@dataclass(frozen=True, kw_only=True)
class AnswererSettings(Settings):
    """Who answers besides a model, and how much at a time."""

    script: Path | None = field(
        default=None, metadata=only_with(by_content(RESULT), backend="scripted")
    )
    """The table of answers for --llm-backend scripted: JSON, question id to text."""
    token_budget: int = field(default=0, metadata=SPEED)
    """Tokens of one batch, 0 for what the memory holds; halved when memory runs out."""
    seed: int = field(default=0, metadata=RESULT)
    """The seed of sampling."""


LabelForms = Literal["all", "letter"]
"""all: a label is every written form of it together (a, A, full width, each also after a space); letter: the
bare small letter, which is what lm-evaluation-harness scores."""


@dataclass(frozen=True, kw_only=True)
class LocalAnswererSettings(AnswererSettings):
    """The same where no server is asked."""

    backend: LocalBackend = field(default="hf", metadata=declaration(BackendSettings, "backend"))
    """Who answers: a model in Hugging Face format, or a table."""


@dataclass(frozen=True, kw_only=True)
class AskedSettings(AnswererSettings):
    """Which questions are asked, and of whom."""

    samples: int | None = field(default=None, metadata=RESULT)
    """Ask only the first N questions."""
    permutations: Permutations = field(default=1, metadata=RESULT)
    """Ask each question in N orders of its choices."""
    label_forms: LabelForms = field(default="all", metadata=RESULT)
    """What counts as a label where labels are scored: all its written forms together, or the bare letter as
    in lm-evaluation-harness."""
    adapter: Path | None = field(
        default=None, metadata=named(by_content(RESULT), evaluate="--hf-lora-path")
    )
    """An adapter directory; it is applied unmerged."""


KvCache = Literal["model", "int8"]
"""model: keys and values as the model computes them; int8: in 8 bits, with a scale a token and head."""


@dataclass(frozen=True, kw_only=True)
class GenerationChoices(Settings):
    """Generated answers, for --answer-by generate."""

    max_new_tokens: int | None = field(default=None, metadata=RESULT)
    """The most tokens of one generated answer. Without it: 32 direct, 1024 cot, 4096 thinking."""
    temperature: float | None = field(default=None, metadata=RESULT)
    """0 for greedy decoding, above 0 answers are sampled. Without it: 0 for one answer without thinking (cot,
    too); with --thinking or --ensemble the model's generation_config.json, else 0.6 thinking, 0.7 without."""
    top_p: float | None = field(default=None, metadata=RESULT)
    """Sample from the likeliest tokens that hold this share of the probability. Without it, when sampling:
    the model's generation_config.json, else 0.95 thinking, 0.8 without."""
    top_k_sampling: int | None = field(default=None, metadata=RESULT)
    """Sample from the N likeliest tokens; 0 for all. Without it, when sampling: the model's
    generation_config.json, else 20."""
    min_p: float | None = field(default=None, metadata=RESULT)
    """Drop tokens less likely than this share of the likeliest. Without it: the model's
    generation_config.json, else 0."""
    ensemble: int = field(default=1, metadata=RESULT)
    """Ask each question N times with sampling and take the majority; with --permutations, N / orders in each
    order, and the mean over the orders."""
    thinking_budget: int | None = field(default=None, metadata=RESULT)
    """The most tokens of a think block: one that reaches them is closed and the answer asked for. Without it:
    3072 closed, 2048 with context, at most three quarters of --max-new-tokens; servers have none."""
    stop_at_final_answer: bool = field(default=True, metadata=RESULT)
    """Stop after a finished line 最終回答：x."""
    stop_at_loops: bool = field(default=True, metadata=RESULT)
    """Stop when the text repeats itself over and over; stored as the reason."""
    kv_cache: KvCache = field(default="model", metadata=RESULT)
    """How keys and values are kept while text is written, for --llm-backend hf. int8 holds nearly twice the
    texts at once, reads long ones faster and rounds a little: for thinking and votes on a small card."""
    score_labels: bool = field(default=True, metadata=RESULT)
    """Score the labels after reasoning and think blocks, for soft votes, calibration and confidence."""
    force_answers: bool = field(default=True, metadata=PLACE)
    """Score the labels after texts that gave no answer; stored and counted apart."""


@dataclass(frozen=True, kw_only=True)
class QuietSettings(Settings):
    """What is shown of the work; on the command line --quiet is a flag of the console."""

    quiet: bool = field(default=False, metadata=PLACE)
    """No progress bar."""


@dataclass(frozen=True, kw_only=True)
class PlaceSettings(Settings):
    """On which of the lab's machines something runs."""

    place: str | None = field(default=None, metadata=PLACE)
    """Where this runs: local-3080, heart01, practice or any. Without it: LAWQA_PLACE, lawqa.toml, or any."""


@dataclass(frozen=True, kw_only=True)
class RunSettings(PlaceSettings):
    """Where an evaluation goes, and what it may do all the same."""

    run_dir: Path | None = field(default=None, metadata=PLACE)
    """The run directory. Without it: a new one under runs/."""
    output: Path | None = field(default=None, metadata=PLACE)
    """Also write config, summary and results as one JSON file."""
    resume: bool = field(default=False, metadata=PLACE)
    """Resume the run in --run-dir: ask what is missing or failed. A new run where there is none."""
    fresh: bool = field(default=False, metadata=PLACE)
    """Replace an earlier run in the run directory, and an earlier output file."""
    allow_leak: bool = field(default=False, metadata=PLACE)
    """Score questions that the adapter was trained on; the summary says so."""
    allow_prompt_mismatch: bool = field(default=False, metadata=PLACE)
    """Use a prompt that the adapter was not trained on; the summary says so."""
    allow_base_mismatch: bool = field(default=False, metadata=PLACE)
    """Apply the adapter to another base model than it was trained over; the summary says so."""


STANDARD_PROMPT = "standard"
"""The wording that is used where none is named."""


@dataclass(frozen=True, kw_only=True)
class PromptSettings(Settings):
    """How a question is put to a model."""

    condition: Condition | None = field(default=None, metadata=RESULT)
    """Context: none (closed), the data set's own (gold), retrieved (rag). Default closed."""
    mode: Mode | None = field(default=None, metadata=RESULT)
    """direct: one letter; cot: reasoning and a final answer line. Default direct."""


@dataclass(frozen=True, kw_only=True)
class ThinkingSettings(PromptSettings):
    """How a question is put to a model that can think."""

    thinking: bool = field(default=False, metadata=RESULT)
    """Switch the model's own thinking on."""


@dataclass(frozen=True, kw_only=True)
class WordingSettings(Settings):
    """In which words questions are put."""

    # By content: the spec's id and hash are what is compared.
    prompt: str = field(default=STANDARD_PROMPT, metadata=by_content(RESULT))
    """The wording of the prompts, by its id; `lawqa prompts` lists them."""


@dataclass(frozen=True, kw_only=True)
class RequestLimits(Settings):
    """How long a server is waited for, and how many requests it gets at a time."""

    timeout: float = field(default=600.0, metadata=SPEED)
    """Seconds for one answer, its repeats and its waiting in the server's own queue included."""
    concurrency: int = field(default=4, metadata=SPEED)
    """How many requests are in flight; 1 for answers that repeat exactly."""
    max_concurrency: int | None = field(default=None, metadata=SPEED)
    """Let the requests in flight become as many while that makes the server faster. Without it: as many as
    --concurrency."""
    retries: int = field(default=3, metadata=named(SPEED, evaluate="--request-retries"))
    """How often a request is repeated after an error that may pass."""


@dataclass(frozen=True, kw_only=True)
class ServerSettings(RequestLimits):
    """Model servers, for --llm-backend ollama and openai. Keys come from the environment only."""

    llm_model: str | None = field(default=None, metadata=by_content(RESULT))
    """The model's name on the server. Without it: qwen3:8b on Ollama."""
    base_url: str | None = field(default=None, metadata=by_content(RESULT))
    """The server's address. Without it: OLLAMA_HOST or this machine; OPENAI_BASE_URL."""
    tokenizer: str | None = field(default=None, metadata=PLACE)
    """The model's tokenizer (directory or cached name): prompts are counted, not bounded by bytes."""
