"""`lawqa train`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import FlagCreatePairsOff

from lawqa.cli.prompt_options import not_built_yet
from lawqa.cli.training_flags import TrainingFlags


@dataclass(frozen=True, kw_only=True)
class Train(TrainingFlags):
    """Train a QLoRA adapter; without --do-train only rehearse and print the plan."""

    train_file: Path
    """Records from `lawqa records`, or questions, from which direct closed-book records are made."""
    output_dir: Path
    """Where the adapter, its manifest and the log go."""
    dev_file: Path | None = None
    """Questions whose accuracy decides when to stop."""
    resume: FlagCreatePairsOff[bool] = False
    """Go on from the last checkpoint."""
    fresh: FlagCreatePairsOff[bool] = False
    """Replace an earlier adapter in the output directory."""
    do_train: FlagCreatePairsOff[bool] = False
    """Train. Without it nothing is written."""

    def run(self) -> int:
        if self.resume:
            not_built_yet("--resume", "going on with an interrupted training")
        if self.dev_file is not None:
            not_built_yet("--dev-file", "early stopping on dev accuracy")
        dtype = self.dtype()
        training = self.training()
        from lawqa.pipelines.train import TrainConfig, plan_text, prepare, train

        config = TrainConfig(
            train_file=self.train_file,
            output_dir=self.output_dir,
            model_name=self.model_name,
            revision=self.revision,
            load_in_4bit=self.use_4bit,
            quant_type=self.bnb_4bit_quant_type,
            dtype=dtype,
            training=training,
            fresh=self.fresh,
        )
        prepared = prepare(config)
        for warning in prepared.source.warnings:
            print(f"note: {warning}", file=sys.stderr)
        print(plan_text(prepared))
        if not self.do_train:
            print("\nrehearsal only: nothing was trained or written; --do-train trains")
            return 0
        figures = train(prepared)
        print(
            f"\nloss {figures.first_loss:.3f} -> {figures.last_loss:.3f} in {figures.steps} steps, "
            f"{figures.seconds:.0f} s, {figures.tokens / figures.seconds:,.0f} tokens/s"
        )
        print(f"adapter: {self.output_dir}")
        return 0
