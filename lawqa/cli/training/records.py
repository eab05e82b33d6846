"""`lawqa records`."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, get_args

from tyro.conf import OmitArgPrefixes

from lawqa.amounts import counted
from lawqa.cli.asking.prompt_options import (
    FewShotFlag,
    PromptFlags,
    resolve_condition,
    resolve_mode,
)
from lawqa.cli.asking.retrieval_flags import RetrievalFlags
from lawqa.cli.console import ConsoleFlags
from lawqa.errors import ConfigError
from lawqa.prompting import Condition
from lawqa.settings import RaftSettings, RecordFileSettings, WordingSettings

if TYPE_CHECKING:
    from lawqa.pipelines.evaluation.contexts import RagConfig

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Records(RaftSettings, WordingSettings, RecordFileSettings, FewShotFlag, PromptFlags):
    """Make training records of questions."""

    retrieval: OmitArgPrefixes[RetrievalFlags] = field(default_factory=RetrievalFlags)
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.corpus.training_records import make_records

        conditions, remarks = self._conditions()
        rag = self.retrieval.config(
            tuple(condition for condition, _ in conditions), self.model_name, self.revision
        )
        if self.mix is not None:
            remarks = self.retrieval.unused(rag)
        for remark in remarks:
            logger.warning("note: %s", remark)
        made = make_records(
            self.data,
            self.output_path,
            mode=resolve_mode(self.mode),
            mix=dict(conditions),
            few_shot=self.few_shot,
            prompt=self.prompt,
            permutations=self.permutations,
            samples=self.samples,
            seed=self.seed,
            rag=self._raft(rag),
            fresh=self.fresh,
            quiet=self.console.quiet,
        )
        counts = ", ".join(
            counted(count, f"{spec_id} record") for spec_id, count in made.counts.items()
        )
        print(f"wrote {counts} to {made.path}")
        if made.retrieved:
            print(made.retrieved)
        return 0

    def _raft(self, rag: RagConfig | None) -> RagConfig | None:
        """Return the retrieval settings with distractors and left-out gold text, where they are asked for."""
        from lawqa.pipelines.corpus.raft_config import RaftConfig

        raft = RaftConfig(self.distractors, self.without_gold, self.seed)
        if raft == RaftConfig(seed=self.seed):
            return rag
        if rag is None:
            raise ConfigError(
                "--distractors and --without-gold change retrieved contexts, and there are none",
                "--condition rag --index DIR",
            )
        return replace(rag, raft=raft)

    def _conditions(self) -> tuple[list[tuple[Condition, int]], list[str]]:
        """Return the conditions with their weights, and remarks on flags without effect."""
        if self.mix is not None:
            if self.condition is not None or self.no_rag:
                raise ConfigError(
                    "--mix and --condition contradict each other", "leave one of them out"
                )
            return parse_mix(self.mix), []
        condition, remarks = resolve_condition(
            self.condition,
            no_rag=self.no_rag,
            retrieval_flags=self.retrieval.given(),
        )
        return [(condition, 1)], remarks


def parse_mix(text: str) -> list[tuple[Condition, int]]:
    """Return the conditions and weights of a text such as `closed=1,gold=2`.

    Raises:
        ConfigError: it is not of this form.
    """
    weights: list[tuple[Condition, int]] = []
    for part in text.split(","):
        name, _, weight = part.strip().partition("=")
        known = next((c for c in get_args(Condition) if c == name), None)
        if (
            known is None
            or not weight.isascii()
            or not weight.isdigit()
            or not 1 <= int(weight) <= 99
        ):
            raise ConfigError(
                f"--mix {text}: {part.strip()!r} is not a condition and a weight from 1 to 99",
                "for example --mix closed=1,gold=2",
            )
        weights.append((known, int(weight)))
    if len({name for name, _ in weights}) != len(weights):
        raise ConfigError(
            f"--mix {text}: a condition is given twice", "for example --mix closed=1,gold=2"
        )
    return weights
