"""`lawqa distill`."""

from __future__ import annotations

import logging
import shlex
from dataclasses import dataclass, field
from typing import Literal

from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes

from lawqa.cli import EXIT_SOME_FAILED
from lawqa.cli.asking.prompt_options import ConditionFlag, resolve_condition, resolve_prompt
from lawqa.cli.asking.retrieval_flags import RetrievalFlags
from lawqa.cli.console import ConsoleFlags, resume_hint_on_interrupt
from lawqa.prompting import PromptSpec
from lawqa.settings import (
    AnswererSettings,
    DistillSettings,
    ModelSettings,
    WordingSettings,
    values_of,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Distill(AnswererSettings, WordingSettings, ModelSettings, DistillSettings):
    """Sample reasoned answers from a model and keep the right ones as training records."""

    mode: Literal["direct", "cot"] = "cot"
    """cot: reasoning and a final answer line; direct: one letter (with --thinking only)."""
    thinking: FlagCreatePairsOff[bool] = False
    """Take the reasoning from the model's own think block."""
    condition: ConditionFlag = None
    """Context: none (closed), the data set's own (gold), retrieved (rag). Default closed."""
    llm_backend: Literal["hf", "scripted"] = "hf"
    """Who answers: a model in Hugging Face format, or a table."""
    retrieval: OmitArgPrefixes[RetrievalFlags] = field(default_factory=RetrievalFlags)
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.evaluation.evaluate import EvaluationConfig, open_backend
        from lawqa.pipelines.experiments.distill import distill
        from lawqa.pipelines.experiments.distill_config import DistillConfig

        condition, remarks = resolve_condition(
            self.condition, no_rag=False, retrieval_flags=self.retrieval.given()
        )
        for remark in remarks:
            logger.warning("note: %s", remark)
        tokenizer = self.model_name if self.llm_backend == "hf" else None
        spec = PromptSpec(self.mode, condition, self.thinking, wording=resolve_prompt(self.prompt))
        config = DistillConfig(
            **values_of(DistillSettings, self),
            seed=self.seed,
            spec=spec,
            rag=self.retrieval.config((condition,), tokenizer, self.revision),
            quiet=self.console.quiet,
            model_name=tokenizer or "",
            revision=self.revision,
        )
        backend = open_backend(
            EvaluationConfig(
                data=self.data,
                spec=spec,
                answer_by="generate",
                backend=self.llm_backend,
                **values_of(ModelSettings, self),
                **values_of(AnswererSettings, self),
            )
        )
        with resume_hint_on_interrupt(
            "samples so far are kept; run the same command again to resume"
            + (", without --fresh" if self.fresh else "")
        ):
            result = distill(config, backend, logger.info)
        counts = ", ".join(
            f"{count} {verdict}" for verdict, count in sorted(result.verdicts.items())
        )
        print(f"samples: {counts}")
        for law, share in result.acceptance.items():
            print(f"right answers, {law}: {share:.1%}")
        print(
            f"wrote {len(result.records)} {spec.id} records on {result.covered} of {result.questions} "
            f"questions to {self.output_path}"
        )
        if failed := result.verdicts.get("failed", 0):
            samples = self.output_path.with_name(f"{self.output_path.stem}.samples.jsonl")
            count = (
                "every sample"
                if set(result.verdicts) == {"failed"}
                else f"{failed} of {sum(result.verdicts.values())} samples"
            )
            logger.warning("%s failed: see error in %s", count, samples)
            logger.warning(
                "hint: once fixed: rm %s, and the same command%s asks them again and keeps the others",
                shlex.quote(str(self.output_path)),
                " without --fresh" if self.fresh else "",
            )
            return EXIT_SOME_FAILED
        return 0
