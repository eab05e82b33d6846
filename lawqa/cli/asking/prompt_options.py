"""What several commands share: how the lab's flags become a condition and a mode."""

from __future__ import annotations

from lawqa.errors import ConfigError
from lawqa.prompting import Condition, Mode
from lawqa.prompts import wording_of

ConditionFlag = Condition | None
ModeFlag = Mode | None


def resolve_condition(
    condition: ConditionFlag, *, no_rag: bool, retrieval_flags: dict[str, object]
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


def resolve_mode(mode: ModeFlag, *, use_cot: bool = False) -> Mode:
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
