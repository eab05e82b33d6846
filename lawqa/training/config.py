"""The settings of a training run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from lawqa.errors import ConfigError
from lawqa.ranges import out_of_range

ALL_LINEAR = ("all-linear",)
"""All linear layers of the blocks; never `lm_head`."""

_NO_TARGETS = {*ALL_LINEAR, "lm_head", "embed_tokens"}

Schedule = Literal["cosine", "linear", "constant"]
"""How the learning rate goes on after the warm-up."""


@dataclass(frozen=True)
class TrainingConfig:
    """How an adapter is trained.

    The defaults are for about 100 questions of which only the letter is learnt: 2 tokens with loss a record,
    39 optimiser steps in all.

    learning_rate 2e-4  QLoRA's for 7B to 13B (arXiv:2305.14314, table 9), with LoRA's usual scale of 2
        (`lora_alpha / lora_r`). Short runs bear more, small data less; `lawqa sweep` tells on yours.
    num_epochs 3        each question is seen three times; with dev questions, `patience` ends it earlier.
    max_seq_length 0    evaluation shows whole contexts, and so does training; memory is planned for the
        longest record.
    lora_r 16           holds far more than 200 tokens of answers; a higher rank costs memory and buys
        nothing where data, not capacity, is short (arXiv:2405.09673).
    warmup_ratio 0.1    4 of 39 steps. Adam's second moments are estimates from nothing before; 0.03, made
        for thousands of steps, would be a single one.
    lora_dropout 0.05   QLoRA's for models up to 13B: the records are few and seen several times.
    weight_decay 0      AdamW shrinks a weight by rate times decay a step: at 0.01 that is less than 0.01 %
        over the whole run, so a value here would only look like restraint.
    neftune_alpha 0     noise on the embeddings helped free-text answers (arXiv:2310.05914); the answer here
        is a letter. 5 is the paper's value for those who want to try.
    """

    num_epochs: float = 3.0
    """Passes over the records."""
    batch_size: int = 2
    """Records of one accumulation step; see `records_per_step`."""
    gradient_accumulation_steps: int = 4
    """How many of those one optimiser step sums over."""
    learning_rate: float = 2e-4
    """The highest learning rate."""
    lr_scheduler: Schedule = "cosine"
    """How it goes on after the warm-up: half a cosine or a line down to 0, or not at all."""
    warmup_ratio: float = 0.1
    """Share of the steps over which the learning rate rises from 0."""
    max_seq_length: int = 0
    """The most tokens of one record: a longer one loses the end of its context; 0 keeps all records whole."""
    token_budget: int = 0
    """Tokens of one micro-batch; decides memory and speed, never the result. 0 for what the memory holds."""
    max_steps: int = -1
    """Take this many optimiser steps, whatever `num_epochs` says; -1 to train all epochs."""
    lora_r: int = 16
    """Rank of the adapter."""
    lora_alpha: int = 32
    """Its scale: the update is multiplied by `lora_alpha / lora_r`."""
    lora_dropout: float = 0.05
    """Share of an adapter's inputs that is dropped while training."""
    use_rslora: bool = False
    """Scale the update by `lora_alpha / sqrt(lora_r)` instead (rsLoRA, arXiv:2312.03732)."""
    use_dora: bool = False
    """Train the length of every weight column apart from its direction (DoRA, arXiv:2402.09353)."""
    target_modules: tuple[str, ...] = ALL_LINEAR
    """Names of the layers that get an adapter."""
    weight_decay: float = 0.0
    """AdamW's, on the adapter's weights."""
    neftune_alpha: float = 0.0
    """Noise on the embeddings while training (NEFTune, arXiv:2310.05914); 0 for none."""
    logging_steps: int = 1
    """Optimiser steps between two lines of the log."""
    save_minutes: float = 10.0
    """Minutes between two checkpoints: what a power cut may cost at most; 0 for none by the clock."""
    save_steps: int = 0
    """Optimiser steps between two checkpoints, besides those by the clock; 0 for none by steps."""
    save_total_limit: int = 2
    """How many checkpoints are kept, so that one that is torn has another before it."""
    eval_steps: int = 0
    """Optimiser steps between two scorings of the dev questions; 0 for one an epoch."""
    patience: int = 0
    """Stop after so many scorings in a row without a higher dev accuracy; 0 to train all steps."""
    stop_on_collapse: bool = False
    """Stop where dev answers pile up on a label on which they did not before training."""
    seed: int = 0
    """Decides the adapter's first weights, the order of records, and dropout."""

    def __post_init__(self) -> None:
        broken = out_of_range(self)
        own = bool(self.target_modules and not {*self.target_modules} & _NO_TARGETS)
        if not own and self.target_modules != ALL_LINEAR:
            broken.append(
                f"--target-modules is {' '.join(self.target_modules) or 'empty'}, expected all-linear alone, "
                "or names of linear layers within the blocks"
            )
        if broken:
            raise ConfigError("\n".join(broken), "lawqa train --help  explains every option")

    @property
    def records_per_step(self) -> int:
        """The most records of one optimiser step, over all processes."""
        return self.batch_size * self.gradient_accumulation_steps

    def steps_per_epoch(self, records: int) -> int:
        """Optimiser steps of one pass over so many records."""
        return -(-records // self.records_per_step)

    def total_steps(self, records: int) -> int:
        """Optimiser steps of the whole training on so many records."""
        if self.max_steps > 0:
            return self.max_steps
        return math.ceil(self.num_epochs * self.steps_per_epoch(records))
