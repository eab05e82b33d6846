"""What an evaluation is to do, as settings and as the JSON that its manifest keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lawqa.backends.base import GenerationSettings
from lawqa.errors import ConfigError
from lawqa.files import JsonObject
from lawqa.models.files.generation_config import OwnSampling, deciding_sampling
from lawqa.pipelines.evaluation.contexts import RagConfig
from lawqa.pipelines.evaluation.servers import ServerConfig
from lawqa.prompting import PromptSpec
from lawqa.settings import (
    DEFAULT_MODEL,
    PLACE,
    RESULT,
    SPEED,
    AnswerBy,
    AskedSettings,
    BackendName,
    BackendSettings,
    GenerationChoices,
    IndexMeasureSettings,
    ModelSettings,
    QuietSettings,
    Resolved,
    RunSettings,
    Sampling,
    by_content,
    declaration,
    defaults_of,
    plain,
    resolved,
    sources_of,
    values_of,
)
from lawqa.settings.ranges import out_of_range


@dataclass(frozen=True)
class EvaluationConfig(RunSettings, GenerationChoices, AskedSettings, ModelSettings):
    """What is asked, of which model, and where the answers go."""

    data: Path = field(metadata=declaration(IndexMeasureSettings, "questions"))
    spec: PromptSpec = field(default_factory=PromptSpec, metadata=by_content(RESULT))
    """How they are put."""
    answer_by: AnswerBy | None = field(
        default=None, metadata=declaration(BackendSettings, "answer_by")
    )
    """`logits`: the likeliest label of one forward pass; `generate`: parsed from generated text. Without it:
    what fits the prompt spec."""
    backend: BackendName = field(default="hf", metadata=declaration(BackendSettings, "backend"))
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
    quiet: bool = field(default=True, kw_only=True, metadata=declaration(QuietSettings, "quiet"))
    """No progress line."""
    begun: Resolved | None = field(default=None, kw_only=True, metadata=PLACE)
    """What a run that is resumed was begun with: it holds for what is not given now."""
    every_order: bool = field(default=False, kw_only=True, metadata=PLACE)
    """Whether each order gets all samples, as in runs of the time before they were divided."""
    learnt_as: PromptSpec | None = field(default=None, kw_only=True, metadata=PLACE)
    """The prompt spec that the adapter was trained with, where that is declared to be another than it is
    asked with: the first note says so, and every other mismatch is still refused."""

    @property
    def samples_per_prompt(self) -> int:
        """How many answers each question gets in each of its orders: the samples are divided over them."""
        if self.every_order or self.ensemble == 1:
            return self.ensemble
        return self.ensemble // self.permutations

    def __post_init__(self) -> None:
        super().__post_init__()
        defaults: dict[str, object] = {}
        if self.backend == "hf":
            name = self.model_name or DEFAULT_MODEL
            defaults["model_name"] = name
            if self.rag is not None:
                defaults["rag"] = self.rag.counted_by(name, self.revision)
        elif self.backend == "ollama" or self.backend == "openai":
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
        if self.begun is not None:
            return resolved(self, self.begun)
        defaults = defaults_of(
            self.spec.mode,
            thinking=self.spec.thinking,
            samples=self.ensemble,
            condition=self.spec.condition,
            own=self._own_sampling().sampling,
            temperature=self.temperature,
            max_new_tokens=self.max_new_tokens,
            closes_thoughts=self.server is None,
        )
        return resolved(self, defaults)

    def _own_sampling(self) -> OwnSampling:
        """Return what the model's own file decides of how answers are drawn."""
        given = (self.temperature, self.top_p, self.top_k_sampling, self.min_p)
        draws = self.ensemble > 1 or self.spec.thinking or bool(self.temperature)
        name = self.model_name if self.backend == "hf" else ""
        return deciding_sampling(name, self.revision, given, draws=draws)

    def sampling_sources(self) -> dict[str, str]:
        """Return where temperature, top_p, top_k_sampling and min_p come from; nothing where no text is
        written.
        """
        if not self.generates:
            return {}
        given = {name: getattr(self, name) for name in vars(Sampling())}
        if self.begun is not None:
            return {
                name: "as the run was begun" if value is None else "given"
                for name, value in given.items()
            }
        return sources_of(
            self.spec.mode,
            thinking=self.spec.thinking,
            samples=self.ensemble,
            own=self._own_sampling().sampling,
            given=given,
        )

    def sampling_notes(self) -> list[str]:
        """Return what a reader must know of how answers are drawn."""
        notes = []
        if self.generates and self.spec.thinking and self.resolved().temperature == 0:
            notes.append(
                "GREEDY THINKING: the temperature is 0; Qwen's makers warn that greedy thinking repeats "
                "itself and answers worse"
            )
        left_out = self._own_sampling().left_out if self.generates else ()
        if left_out:
            notes.append(
                f"NOT APPLIED: the model's generation_config.json also asks for {', '.join(left_out)}"
            )
        return notes

    def generation(self) -> GenerationSettings:
        """Return how text is generated."""
        # What is called the same is passed on as it is, so that a new setting needs no line here.
        chosen = self.resolved()
        given = values_of(GenerationSettings, chosen, self)
        return GenerationSettings(
            **{
                **given,
                "top_k": chosen.top_k_sampling,
                "repeats": self.samples_per_prompt,
                "budget_required": self.thinking_budget is not None,
            }
        )

    def to_json(self) -> JsonObject:
        """Return the settings in plain JSON types, defaults resolved."""
        settings = {name: value for name, value in plain(self).items() if name not in _OF_RESUMING}
        return {
            **settings,
            **vars(self.resolved()),
            "samples_per_prompt": self.samples_per_prompt,
            "sampling_from": self.sampling_sources(),
        }


def divides(config: EvaluationConfig) -> bool:
    """Return whether the samples can be divided over the orders; one sample is one in each order."""
    return config.ensemble == 1 or config.ensemble % config.permutations == 0


_OF_RESUMING = ("begun", "every_order")
_NOTHING_NARROWED = Sampling(top_p=1.0, top_k_sampling=0, min_p=0.0)


def check_config(config: EvaluationConfig) -> None:
    """Make sure that the settings can be meant together.

    Raises:
        ConfigError: they cannot; all contradictions are named.
    """
    generates, chosen = config.generates, config.resolved()
    free_text = config.spec.reasons
    greedy = config.temperature == 0
    narrowed = [
        f"--{name.replace('_', '-')} {value}"
        for name, value in (
            ("top_p", config.top_p), ("top_k_sampling", config.top_k_sampling), ("min_p", config.min_p)
        )
        if value not in (None, vars(_NOTHING_NARROWED)[name])
    ]  # fmt: skip
    opened = "a think block" if config.spec.thinking else "reasoning"
    rules = (
        (generates or not free_text,
         f"--answer-by logits cannot be: the next token after this prompt opens {opened}, not an answer"),
        (config.ensemble == 1 or generates,
         f"--ensemble {config.ensemble} needs --answer-by generate: scored labels are the same every time"),
        (config.resume or divides(config),
         f"--ensemble {config.ensemble} with --permutations {config.permutations}: the samples are divided "
         f"over the orders, expected a multiple of {config.permutations}"),
        (config.ensemble == 1 or not generates or chosen.temperature > 0,
         f"--ensemble {config.ensemble} needs a --temperature above 0: greedy texts are all the same"),
        (not greedy or not narrowed or not generates,
         f"{', '.join(narrowed)}: nothing is sampled at --temperature 0"),
        (config.label_forms == "all" or config.backend == "hf",
         "--label-forms letter is for --llm-backend hf: servers are asked for all forms of a label"),
        (config.kv_cache == "model" or config.backend == "hf",
         f"--kv-cache {config.kv_cache} is for --llm-backend hf: no other keeps keys and values itself"),
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
