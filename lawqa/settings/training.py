"""How an adapter is trained."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from lawqa.errors import ConfigError
from lawqa.settings.accepted import Settings
from lawqa.settings.declared import GIVEN, PLACE, RESULT, declaration, named, only_with
from lawqa.settings.evaluation import AnswererSettings
from lawqa.settings.ranges import out_of_range

ALL_LINEAR = ("all-linear",)
"""All linear layers of the blocks; never `lm_head`."""

_NO_TARGETS = {*ALL_LINEAR, "lm_head", "embed_tokens"}

_OF_DEV = only_with(RESULT, dev_file=GIVEN, dev_size=GIVEN)

Schedule = Literal["cosine", "linear", "constant"]
"""How the learning rate falls after the warm-up: half a cosine or a line down to 0, or not at all."""


@dataclass(frozen=True, kw_only=True)
class OptimiserSettings(Settings):
    """What is learnt, how fast, and how often it is saved."""

    num_epochs: float = field(default=3.0, metadata=RESULT)
    """Passes over the records."""
    batch_size: int = field(default=2, metadata=RESULT)
    """Records of one accumulation step."""
    gradient_accumulation_steps: int = field(default=4, metadata=RESULT)
    """Accumulation steps of one optimiser step; times --batch-size it gives the records per step."""
    learning_rate: float = field(default=2e-4, metadata=RESULT)
    """The highest learning rate; --lr-scheduler says how it falls after the warm-up."""
    lr_scheduler: Schedule = field(default="cosine", metadata=RESULT)
    """How the learning rate falls after the warm-up."""
    max_seq_length: int = field(default=0, metadata=RESULT)
    """The most tokens of one record: a longer one loses the end of its context, never question or answer, and
    that is reported. 0 keeps all records whole."""
    token_budget: int = field(default=0, metadata=declaration(AnswererSettings, "token_budget"))
    """Tokens that go through the model at once, 0 for what the memory holds; never changes the result."""
    warmup_ratio: float = field(default=0.1, metadata=RESULT)
    """Share of the steps over which the learning rate rises from 0."""
    weight_decay: float = field(default=0.0, metadata=RESULT)
    """AdamW's; over the few steps of a small training it does next to nothing."""
    neftune_alpha: float = field(default=0.0, metadata=RESULT)
    """Noise on the embeddings while training (NEFTune, arXiv:2310.05914; 5 in the paper); 0 for none."""
    lora_r: int = field(default=16, metadata=RESULT)
    """Rank of the adapter."""
    lora_alpha: int = field(default=32, metadata=RESULT)
    """Scale of the adapter: its update is multiplied by alpha / r."""
    lora_dropout: float = field(default=0.05, metadata=RESULT)
    """Dropout on the adapter's inputs."""
    use_rslora: bool = field(default=False, metadata=RESULT)
    """Scale the adapter by alpha / sqrt(r) instead of alpha / r (rsLoRA, arXiv:2312.03732)."""
    use_dora: bool = field(default=False, metadata=RESULT)
    """Train the length of weight columns apart from their direction (DoRA, arXiv:2402.09353); slower."""
    target_modules: tuple[str, ...] = field(default=ALL_LINEAR, metadata=RESULT)
    """Layers that get an adapter, such as q_proj v_proj."""
    max_steps: int = field(default=-1, metadata=named(RESULT, train="--max-steps-override"))
    """Optimiser steps to take, whatever --num-epochs says; -1 for all epochs."""
    logging_steps: int = field(default=1, metadata=PLACE)
    """Optimiser steps between two lines of the log."""
    save_minutes: float = field(default=10.0, metadata=PLACE)
    """Minutes between two checkpoints: what a power cut costs at most; 0 for none by the clock."""
    save_steps: int = field(default=0, metadata=PLACE)
    """Optimiser steps between two checkpoints, besides those by the clock; 0 for none by steps."""
    save_total_limit: int = field(default=2, metadata=PLACE)
    """How many checkpoints are kept while training, as one may be torn; afterwards none is."""
    seed: int = field(default=0, metadata=declaration(AnswererSettings, "seed"))
    """Decides the adapter's first weights, the order of records, and dropout."""


@dataclass(frozen=True, kw_only=True)
class DevSettings(Settings):
    """How the dev questions decide which step is kept."""

    eval_steps: int = field(default=0, metadata=_OF_DEV)
    """Optimiser steps between two scorings of the dev questions; 0 for one an epoch."""
    patience: int = field(default=0, metadata=_OF_DEV)
    """Stop after N scorings in a row without a higher dev accuracy; 0 for never."""
    dev_questions: int | None = field(default=None, metadata=_OF_DEV)
    """How many dev questions are asked, drawn by their ids: the same ones at every scoring and in every
    training. Without it: all where one letter is scored, 32 where the records reason."""
    dev_samples: int | None = field(default=None, metadata=_OF_DEV)
    """Where the records reason: texts for each dev question, whose majority is the answer. Without it: 1,
    greedy for cot, sampled with thinking as lawqa evaluate samples; --seed decides what is sampled."""
    dev_max_new_tokens: int | None = field(default=None, metadata=_OF_DEV)
    """Where the records reason: the most tokens of one such text. Without it: 1024 cot, 4096 thinking."""
    stop_on_collapse: bool = field(default=False, metadata=_OF_DEV)
    """Stop where dev answers pile up on one label on which they did not before training."""


@dataclass(frozen=True, kw_only=True)
class Hyperparameters(DevSettings, OptimiserSettings):
    """How an adapter is trained.

    The defaults are for about 100 questions of which only the letter is learnt: 2 tokens with loss a record,
    39 optimiser steps in all.

    learning_rate 2e-4  QLoRA's for 7B to 13B (arXiv:2305.14314, table 9), with LoRA's usual scale of 2
        (`lora_alpha / lora_r`). Short runs tolerate more, small data less; `lawqa sweep` measures yours.
    num_epochs 3        each question is seen three times; with dev questions, `patience` ends it earlier.
    max_seq_length 0    evaluation shows whole contexts, and so does training; memory is planned for the
        longest record.
    lora_r 16           holds far more than 200 tokens of answers; a higher rank costs memory and buys
        nothing where data, not capacity, is short (arXiv:2405.09673).
    warmup_ratio 0.1    4 of 39 steps. Adam's second moments are estimates from nothing before; 0.03, made
        for thousands of steps, would be a single one.
    lora_dropout 0.05   QLoRA's for models up to 13B: the records are few and seen several times.
    weight_decay 0      AdamW shrinks a weight by rate times decay a step: at 0.01 that is less than 0.01%
        over the whole run, so a value here would only look like restraint.
    neftune_alpha 0     noise on the embeddings helped free-text answers (arXiv:2310.05914); the answer here
        is a letter. 5 is the paper's value for those who want to try.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
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
        """Return the optimiser steps of one pass over `records` records."""
        return -(-records // self.records_per_step)

    def total_steps(self, records: int) -> int:
        """Return the optimiser steps of the whole training on `records` records."""
        if self.max_steps > 0:
            return self.max_steps
        return math.ceil(self.num_epochs * self.steps_per_epoch(records))
