"""The flags of how held-out questions are asked, shared by the commands that cross-validate."""

from __future__ import annotations

from dataclasses import dataclass

from tyro.conf import FlagCreatePairsOff

from lawqa.cli.asking.prompt_options import ConditionFlag, ModeFlag, resolve_mode
from lawqa.prompting import Condition, PromptSpec
from lawqa.settings import HeldOutSettings


@dataclass(frozen=True, kw_only=True)
class HeldOutFlags(HeldOutSettings):
    """How the held-out questions are asked."""

    condition: ConditionFlag = None
    """Context: none (closed), the data set's own (gold), retrieved (rag). Default closed."""
    no_rag: FlagCreatePairsOff[bool] = False
    """The same as --condition closed."""
    mode: ModeFlag = None
    """direct: one letter; cot: reasoning and a final answer line. Default direct."""
    use_cot: FlagCreatePairsOff[bool] = False
    """The same as --mode cot."""
    thinking: FlagCreatePairsOff[bool] = False
    """Switch the model's own thinking on."""

    def spec(self, condition: Condition, *, few_shot: bool = False, wording: str) -> PromptSpec:
        """Return the prompt spec that the flags mean.

        Raises:
            ConfigError: they contradict each other.
        """
        mode = resolve_mode(self.mode, use_cot=self.use_cot)
        return PromptSpec(mode, condition, self.thinking, few_shot, wording)
