"""The flags of a model and of its training, shared by the commands that train."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes

from lawqa.cli.console import ConsoleFlags
from lawqa.cli.evaluate import DEFAULT_MODEL
from lawqa.errors import ConfigError
from lawqa.training.config import ALL_LINEAR, Schedule, TrainingConfig
from lawqa.training.monitoring.trackers import Tracker

Dtype = Literal["auto", "bfloat16", "float16", "float32"]


@dataclass(frozen=True, kw_only=True)
class TrainingFlags:
    """Which model is trained, and how."""

    model_name: str = DEFAULT_MODEL
    """A local model directory, or a name in the Hugging Face cache."""
    revision: str | None = None
    """The revision of a cached model."""
    num_epochs: float = 3.0
    """Passes over the records."""
    batch_size: int = 2
    """Records of one accumulation step."""
    gradient_accumulation_steps: int = 4
    """Accumulation steps of one optimiser step; times --batch-size it gives the records per step."""
    learning_rate: float = 2e-4
    """The highest learning rate; --lr-scheduler says how it falls after the warm-up."""
    lr_scheduler: Schedule = "cosine"
    """How the learning rate goes on after the warm-up."""
    max_seq_length: int = 0
    """The most tokens of one record: a longer one loses the end of its context, never question or answer, and
    that is said. 0 keeps all records whole."""
    token_budget: int = 0
    """Tokens that go through the model at once, 0 for what the memory holds; never changes the result."""
    warmup_ratio: float = 0.1
    """Share of the steps over which the learning rate rises."""
    weight_decay: float = 0.0
    """AdamW's; over the few steps of a small training it does next to nothing."""
    neftune_alpha: float = 0.0
    """Noise on the embeddings while training (NEFTune; 5 in its paper); 0 for none."""
    lora_r: int = 16
    """Rank of the adapter."""
    lora_alpha: int = 32
    """Scale of the adapter."""
    lora_dropout: float = 0.05
    """Dropout on the adapter's inputs."""
    use_rslora: FlagCreatePairsOff[bool] = False
    """Scale the adapter by alpha / sqrt(r) instead of alpha / r (rsLoRA)."""
    use_dora: FlagCreatePairsOff[bool] = False
    """Train the length of weight columns apart from their direction (DoRA); slower."""
    target_modules: tuple[str, ...] = ALL_LINEAR
    """Layers that get an adapter, such as q_proj v_proj."""
    use_4bit: FlagCreatePairsOff[bool] = False
    """Quantise the base model to 4 bits while loading."""
    bnb_4bit_compute_dtype: Dtype = "auto"
    """The dtype of products; auto: bfloat16, float16 on older GPUs, float32 on a CPU."""
    bnb_4bit_quant_type: Literal["nf4", "fp4"] | None = None
    """The 4-bit data type. Without it: that of the model's files, else nf4."""
    fp16: FlagCreatePairsOff[bool] = False
    """The same as --bnb-4bit-compute-dtype float16."""
    bf16: FlagCreatePairsOff[bool] = False
    """The same as --bnb-4bit-compute-dtype bfloat16."""
    max_steps_override: int = -1
    """Take so many optimiser steps, whatever --num-epochs says; -1 for all epochs."""
    logging_steps: int = 1
    """Optimiser steps between two lines of the log."""
    save_minutes: float = 10.0
    """Minutes between two checkpoints; a power cut costs no more; 0 for none by the clock."""
    save_steps: int = 0
    """Optimiser steps between two checkpoints, besides; 0 for none by steps."""
    save_total_limit: int = 2
    """How many checkpoints are kept while training; afterwards none is."""
    seed: int = 0
    """Decides the adapter's first weights, the order of records, and dropout."""
    report_to: tuple[Tracker, ...] = ()
    """Also give the figures to these trackers. TensorBoard's events are always written, and nothing is sent
    anywhere without this flag."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def dtype(self) -> Dtype:
        named = {
            "--fp16": "float16" if self.fp16 else None,
            "--bf16": "bfloat16" if self.bf16 else None,
            "--bnb-4bit-compute-dtype": (
                None if self.bnb_4bit_compute_dtype == "auto" else self.bnb_4bit_compute_dtype
            ),
        }
        given = {flag: dtype for flag, dtype in named.items() if dtype}
        if len(set(given.values())) > 1:
            raise ConfigError(
                " and ".join(f"{flag} ({dtype})" for flag, dtype in given.items())
                + " contradict each other",
                "give one dtype",
            )
        choices: tuple[Dtype, ...] = ("bfloat16", "float16", "float32")
        return next((dtype for dtype in choices if dtype in given.values()), "auto")

    def training(self) -> TrainingConfig:
        return TrainingConfig(
            num_epochs=self.num_epochs,
            batch_size=self.batch_size,
            gradient_accumulation_steps=self.gradient_accumulation_steps,
            learning_rate=self.learning_rate,
            warmup_ratio=self.warmup_ratio,
            max_seq_length=self.max_seq_length,
            token_budget=self.token_budget,
            max_steps=self.max_steps_override,
            lora_r=self.lora_r,
            lora_alpha=self.lora_alpha,
            lora_dropout=self.lora_dropout,
            target_modules=self.target_modules,
            lr_scheduler=self.lr_scheduler,
            weight_decay=self.weight_decay,
            neftune_alpha=self.neftune_alpha,
            use_rslora=self.use_rslora,
            use_dora=self.use_dora,
            logging_steps=self.logging_steps,
            save_minutes=self.save_minutes,
            save_steps=self.save_steps,
            save_total_limit=self.save_total_limit,
            seed=self.seed,
        )
