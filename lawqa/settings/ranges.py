"""The range of every number that a user may set, in one place.

The command line checks whatever was given before anything runs, the settings behind it check themselves again
for those who call them from Python. The upper ends are not tuned: they are far above what any run needs, and
below what would fill a memory or overflow a counter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass

from lawqa.errors import ConfigError


@dataclass(frozen=True)
class Range:
    """Which values a number may have."""

    low: float
    """The least."""
    high: float
    """The most."""
    above: bool = False
    """Whether `low` itself is excluded."""
    below: bool = False
    """Whether `high` itself is excluded."""
    also: int | None = None
    """One value outside that has a meaning of its own."""
    meaning: str = ""
    """What that is."""

    def holds(self, value: float) -> bool:
        """Return whether a value is allowed; NaN is not."""
        if value == self.also:
            return True
        low = self.low < value if self.above else self.low <= value
        high = value < self.high if self.below else value <= self.high
        return low and high

    def __str__(self) -> str:
        low = f"above {_bound(self.low)}" if self.above else f"{_bound(self.low)} or more"
        high = f"below {_bound(self.high)}" if self.below else f"at most {_bound(self.high)}"
        also = "" if self.also is None else f", or {self.also} for {self.meaning}"
        return f"{low} and {high}{also}"


_TOKENS = 2**20
"""Four times the longest context of today's open models."""
_COUNT = 10**9
_SHARE_BELOW_1 = Range(0, 1, below=True)

RANGES: dict[str, Range] = {
    # what is asked
    "samples": Range(1, _COUNT),
    "ensemble": Range(1, 1000),
    "temperature": Range(0, 100),
    "top_p": Range(0, 1, above=True),
    "top_k_sampling": Range(0, 1_000_000),
    "min_p": _SHARE_BELOW_1,
    "max_new_tokens": Range(1, _TOKENS),
    "thinking_budget": Range(1, _TOKENS),
    "token_budget": Range(0, 2**31 - 1),
    "time_budget": Range(0, 1_000_000, above=True),  # minutes
    "measure_seconds": Range(0, 1_000_000, above=True),
    "seed": Range(0, 2**32, below=True),  # NumPy takes no other
    # servers
    "timeout": Range(0, 7 * 86_400, above=True),
    "concurrency": Range(1, 1024),
    "max_concurrency": Range(1, 1024),
    "request_retries": Range(0, 1000),
    # retrieval
    "k1": Range(0, 1000),
    "b": Range(0, 1),
    "top_k": Range(0, 10_000),  # the lab writes --no-rag --top-k 0
    "rerank_top_n": Range(1, 10_000),
    "rerank_depth": Range(1, 10_000),
    "max_context_tokens": Range(1, _TOKENS),
    "budgets": Range(1, _TOKENS),
    "distractors": Range(0, 1000),
    "without_gold": Range(0, 1),
    # training
    "num_epochs": Range(0, 10_000, above=True),
    "batch_size": Range(1, 65_536),
    "gradient_accumulation_steps": Range(1, 65_536),
    "learning_rate": Range(0, 1, above=True, below=True),
    "max_seq_length": Range(2, _TOKENS, also=0, meaning="whole records"),
    "warmup_ratio": _SHARE_BELOW_1,
    "weight_decay": _SHARE_BELOW_1,
    "neftune_alpha": Range(0, 1000),
    "lora_r": Range(1, 4096),
    "lora_alpha": Range(1, 1_000_000),
    "lora_dropout": _SHARE_BELOW_1,
    "max_steps": Range(1, _COUNT, also=-1, meaning="all epochs"),
    "logging_steps": Range(1, _COUNT),
    "save_minutes": Range(0, 1_000_000),
    "save_steps": Range(0, _COUNT),
    "save_total_limit": Range(1, 10_000),
    "eval_steps": Range(0, _COUNT),
    "patience": Range(0, 1_000_000),
    "probe_questions": Range(0, 100_000),
    "probe_max_new_tokens": Range(1, _TOKENS),
    "max_synthetic_share": _SHARE_BELOW_1,
    "beta": Range(0, 1000, above=True),
    "sft_weight": Range(0, 1000),
    "kl_weight": Range(0, 1000),
    "pairs_per_question": Range(1, 1000),
    "dev_questions": Range(1, _COUNT),
    "dev_samples": Range(1, 1000),
    "dev_max_new_tokens": Range(1, _TOKENS),
    # data
    "n": Range(1, 100_000),
    "limit": Range(1, _COUNT),
    "samples_per_question": Range(1, 1000),
    "keep": Range(1, 1000),
    "length_quantiles": Range(0, 1),
    "difficulty": Range(0, 1),
    "folds": Range(2, 1000),
    "fold": Range(1, 1000),
    "seeds": Range(1, 1000),
    "test_size": Range(0, _COUNT),
    "dev_size": Range(0, _COUNT),
    "workers": Range(1, 1024),
    # designs of a comparison
    "questions": Range(2, 1_000_000),
    "discordance": Range(0, 1, above=True),
    "orders": Range(1, 24),
    "votes": Range(1, 1000),
    "spread": Range(0, 100),
    "repeatable": Range(0, 1),
    "comparisons": Range(1, 1000),
}
"""By the names of settings."""

SAME_RANGE = {
    "max_steps_override": "max_steps",
    "retries": "request_retries",
    "epochs": "num_epochs",
    "ranks": "lora_r",
    "learning_rates": "learning_rate",
    "eval_token_budget": "token_budget",
}
"""Fields that are called otherwise than their setting."""
_FLAGS = {"max_steps": "max_steps_override", "retries": "request_retries"}
"""Settings that are called otherwise on the command line."""


def out_of_range(settings: object) -> list[str]:
    """Return what is wrong with the numbers of a dataclass and those within it: flag, value and range."""
    return [
        f"--{_FLAGS.get(name, name).replace('_', '-')} is {_value(value)}, expected {allowed}"
        for name, value, allowed in _numbers(settings)
        if not allowed.holds(value)
    ]


def require_in_range(settings: object, hint: str = "") -> None:
    """Make sure that every number is in its range.

    Raises:
        ConfigError: some are not; all of them are named.
    """
    problems = out_of_range(settings)
    if problems:
        raise ConfigError("\n".join(problems), hint)


def _numbers(settings: object) -> Iterator[tuple[str, float, Range]]:
    """Yield the numbers that have a range, with the names of their fields."""
    if not is_dataclass(settings) or isinstance(settings, type):
        return
    for field in fields(settings):
        value, allowed = (
            getattr(settings, field.name),
            RANGES.get(SAME_RANGE.get(field.name, field.name)),
        )
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, int | float) and not isinstance(one, bool):
                if allowed is not None:
                    yield field.name, one, allowed
            else:
                yield from _numbers(one)


def _value(value: float) -> str:
    """Return what was given, for a message; a number of a thousand digits is not written out."""
    if isinstance(value, int) and abs(value) >= 10**40:
        return "a number of more than 40 digits"
    return str(value)


def _bound(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else str(value)
