"""How dev questions are answered by text, where the records reason, and what one scoring costs."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TypeVar

from lawqa.amounts import counted
from lawqa.backends.base import Backend, Completion, GenerationSettings
from lawqa.errors import ConfigError
from lawqa.files import JsonObject
from lawqa.models.files.generation_config import own_sampling
from lawqa.prompting import Prompt
from lawqa.questions import Question
from lawqa.settings import Hyperparameters, ModelSettings, Sampling, defaults_of, sources_of

FEW = 32
"""Dev questions that are asked where nothing else is said and texts are written."""

_PROBED_PROMPTS, _PROBED_TOKENS = 4, 16
"""What is written to learn the pace: little, as a full batch is faster a token and never slower."""

_Put = TypeVar("_Put", bound=tuple[Question, Prompt])


@dataclass(frozen=True)
class DevGeneration:
    """How the texts of one scoring are written; the same numbers are drawn at every scoring."""

    settings: GenerationSettings
    """Sampling, limits and the number of samples."""
    sampling_from: dict[str, str]
    """Where temperature, top_p, top_k_sampling and min_p come from."""

    @classmethod
    def of(
        cls,
        prompts: Sequence[Prompt],
        model: ModelSettings,
        *,
        samples: int,
        max_new_tokens: int | None,
        seed: int,
    ) -> DevGeneration:
        """Resolve the defaults as `lawqa evaluate` does.

        Args:
            prompts: all of them answered in the same mode.
            model: whose `generation_config.json` may say how it is sampled.
            samples: texts of each prompt.
            max_new_tokens: the most of one text; None for the mode's default.
            seed: decides what is sampled.

        Raises:
            DataError: that file is broken.
        """
        spec, told = prompts[0].spec, Sampling()
        if samples > 1 or spec.thinking:
            told = own_sampling(model.model_name, model.revision).sampling
        # A budget for think blocks is the one of prompts with context, where any has it.
        condition = next(
            (p.spec.condition for p in prompts if p.spec.condition != "closed"), "closed"
        )
        resolved = defaults_of(
            spec.mode,
            thinking=spec.thinking,
            samples=samples,
            condition=condition,
            own=told,
            max_new_tokens=max_new_tokens,
        )
        settings = GenerationSettings(
            max_new_tokens=resolved.max_new_tokens,
            temperature=resolved.temperature,
            top_p=resolved.top_p,
            top_k=resolved.top_k_sampling,
            min_p=resolved.min_p,
            seed=seed,
            repeats=samples,
            thinking_budget=resolved.thinking_budget,
            budget_required=False,
            stop_at_final_answer=True,
            stop_at_loops=True,
            score_labels=False,
        )
        nothing_given = dict.fromkeys(asdict(told))
        sources = sources_of(
            spec.mode, thinking=spec.thinking, samples=samples, own=told, given=nothing_given
        )
        return cls(settings, sources)

    def to_json(self) -> JsonObject:
        """Return what a manifest keeps of it."""
        return {**asdict(self.settings), "sampling_from": self.sampling_from}


@dataclass(frozen=True)
class DevCost:
    """What the scorings of a training by text cost at most, as known before the first step."""

    scorings: int
    """Scorings in all, the one before training among them."""
    texts: int
    """Texts of one scoring."""
    most_tokens: int
    """Tokens that one scoring writes at most."""
    seconds: float
    """What one scoring takes at most at the pace of a few short texts on this machine."""

    @property
    def sentence(self) -> str:
        """The cost in words."""
        return (
            f"{counted(self.scorings, 'scoring')} of {counted(self.texts, 'text')}, at most "
            f"{self.most_tokens:,} tokens and "
            f"{_duration(self.seconds)} each, {_duration(self.scorings * self.seconds)} in all "
            "(pace of a few short texts; a full batch is faster)"
        )


def scorings_of(training: Hyperparameters, records: int) -> int:
    """Count the scorings of a whole training: before it, at every interval, after the last step.

    Args:
        training: says steps and interval.
        records: how many are trained on.
    """
    every = training.eval_steps or training.steps_per_epoch(records)
    return 1 + -(-training.total_steps(records) // every)


def planned_cost(
    backend: Backend,
    prompts: Sequence[Prompt],
    settings: GenerationSettings,
    scorings: int,
    clock: Callable[[], float] = time.monotonic,
) -> DevCost:
    """Write a few short texts, and say what all of them will take at most.

    Args:
        backend: the model that is trained, before its first step.
        prompts: of one scoring.
        settings: how its texts are written.
        scorings: how often they are.
        clock: seconds.
    """
    texts = len(prompts) * settings.repeats
    short = min(_PROBED_TOKENS, settings.max_new_tokens)
    probe = replace(settings, max_new_tokens=short, repeats=1, thinking_budget=None)
    longest = sorted(prompts, key=lambda prompt: -sum(len(m.content) for m in prompt.messages))
    list(backend.generate(longest[:1], probe))  # what is done once is not part of the pace
    began = clock()
    written = list(backend.generate(longest[:_PROBED_PROMPTS], probe))
    seconds = clock() - began
    tokens = sum(text.completion_tokens for text in written if isinstance(text, Completion))
    most = texts * settings.max_new_tokens
    return DevCost(scorings, texts, most, round(most * seconds / max(tokens, 1), 1))


def draw_dev_questions(put: Sequence[_Put], number: int | None) -> list[_Put]:
    """Take the questions that are asked, in file order; a larger number keeps those of a smaller one.

    Args:
        put: questions with their prompts; a question's orders are taken together.
        number: how many questions; None for all.
    """
    ids = sorted({question.id for question, _ in put}, key=_draw)
    chosen = set(ids[:number])
    return [pair for pair in put if pair[0].id in chosen]


def require_one_way(prompts: Sequence[Prompt]) -> bool:
    """Return whether dev questions are answered by text; they must all be answered alike.

    Raises:
        ConfigError: some answer by a letter, by reasoning or by thinking, and others otherwise.
    """
    ways = {(prompt.spec.mode, prompt.spec.thinking) for prompt in prompts}
    if len(ways) > 1:
        specs = ", ".join(sorted({prompt.spec.id for prompt in prompts}))
        raise ConfigError(
            f"--dev-file: its records answer in several ways: {specs}; one accuracy cannot speak of all",
            "lawqa records --mode direct  (or cot) makes a --dev-file of one way",
        )
    return prompts[0].spec.reasons


def _draw(question_id: str) -> tuple[str, str]:
    return hashlib.sha256(question_id.encode()).hexdigest(), question_id


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
