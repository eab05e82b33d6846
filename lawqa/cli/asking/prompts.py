"""`lawqa prompts`."""

from __future__ import annotations

from dataclasses import dataclass, field

from tyro.conf import FlagCreatePairsOff

from lawqa.prompting import PromptSpec, build_prompt, wording_hash
from lawqa.prompts import wording_of, wordings
from lawqa.questions import Question
from lawqa.settings import Mode, OwnCondition, PromptSettings, WordingSettings, declaration

_SHOWN = Question("…", "（問題文）", ("…", "…", "…", "…"), "a", context="（条文）")


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """List the wordings of prompts with their hashes; with --prompt show one whole."""

    prompt: str | None = field(default=None, metadata=declaration(WordingSettings, "prompt"))
    """Show this wording, as the chat that a model gets."""
    mode: Mode = field(default="direct", metadata=declaration(PromptSettings, "mode"))
    """Which of its texts to show."""
    condition: OwnCondition = field(
        default="gold", metadata=declaration(PromptSettings, "condition")
    )
    """Whether to show it with statute text (gold, and the same for rag) or without (closed)."""
    few_shot: FlagCreatePairsOff[bool] = False
    """Show it with the two solved questions."""

    def run(self) -> int:
        if self.prompt is None:
            for wording in wordings().values():
                print(f"{wording.id}  {wording_hash(wording.id)}  {wording.about}")
            return 0
        wording = wording_of(self.prompt)
        spec = PromptSpec(self.mode, self.condition, few_shot=self.few_shot, wording=wording.id)
        print(f"# {spec.id}, wording {wording.id} {wording_hash(wording.id)}: {wording.about}")
        for message in build_prompt(_SHOWN, spec).messages:
            print(f"\n[{message.role}]\n{message.content}")
        return 0
