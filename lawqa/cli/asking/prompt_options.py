"""What several commands share: how a question is put, and what the lab's flags mean for that."""

from __future__ import annotations

from dataclasses import dataclass

from tyro.conf import FlagCreatePairsOff

from lawqa.errors import ConfigError
from lawqa.prompting import Condition, Mode, PromptSpec
from lawqa.prompts import wording_of
from lawqa.settings import PromptSettings, ThinkingSettings


@dataclass(frozen=True, kw_only=True)
class PromptFlags(PromptSettings):
    """How questions are put, in the lab's words, too."""

    no_rag: FlagCreatePairsOff[bool] = False
    """The same as --condition closed."""


@dataclass(frozen=True, kw_only=True)
class ThinkingFlags(PromptFlags, ThinkingSettings):
    """The same where the model may think."""

    use_cot: FlagCreatePairsOff[bool] = False
    """The same as --mode cot."""

    def spec(self, condition: Condition, *, few_shot: bool = False, wording: str) -> PromptSpec:
        """Return the prompt spec that the flags mean.

        Args:
            condition: what `resolve_condition` made of --condition and --no-rag.
            few_shot: whether solved questions come first.
            wording: the id of the words around the question.

        Raises:
            ConfigError: --mode and --use-cot contradict each other.
        """
        mode = resolve_mode(self.mode, use_cot=self.use_cot)
        return PromptSpec(mode, condition, self.thinking, few_shot, wording)


@dataclass(frozen=True, kw_only=True)
class FewShotFlag:
    """Whether solved questions come first."""

    few_shot: bool = False
    """Put two solved questions before each question."""


def resolve_condition(
    condition: Condition | None, *, no_rag: bool, retrieval_flags: dict[str, object]
) -> tuple[Condition, list[str]]:
    """Return the condition that the flags mean, and remarks on flags without effect.

    Args:
        condition: `--condition`; None where it was not given.
        no_rag: `--no-rag`, the lab's word for `closed`.
        retrieval_flags: the flags that only retrieval uses, by name; None or False where not given.

    Raises:
        ConfigError: they contradict each other.
    """
    given = [
        name for name, value in retrieval_flags.items() if value is not None and value is not False
    ]
    if no_rag and condition not in (None, "closed"):
        raise ConfigError(
            f"--condition {condition} and --no-rag contradict each other", "leave one of them out"
        )
    if condition is None:
        condition = "rag" if given and not no_rag else "closed"
    if condition != "rag" and given:
        return condition, [f"{', '.join(given)} unused: the condition is {condition}"]
    return condition, []


def resolve_mode(mode: Mode | None, *, use_cot: bool = False) -> Mode:
    """Return the mode that the flags mean; `direct` where none is given.

    Raises:
        ConfigError: `--mode direct` and `--use-cot` contradict each other.
    """
    if use_cot and mode == "direct":
        raise ConfigError(
            "--mode direct and --use-cot contradict each other", "leave one of them out"
        )
    return "cot" if use_cot else mode or "direct"


def resolve_prompt(prompt: str) -> str:
    """Return the id of the wording that `--prompt` names.

    Raises:
        ConfigError: there is none; the known ones are listed.
    """
    return wording_of(prompt).id
