"""`lawqa plan`."""

from __future__ import annotations

import json
import logging
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tyro.conf import OmitArgPrefixes

from lawqa.cli.training.power import power_json, power_text
from lawqa.errors import ConfigError
from lawqa.files import JsonObject
from lawqa.settings import (
    ALL_LINEAR,
    Hyperparameters,
    ModelSettings,
    PlanSettings,
    PowerSettings,
)

if TYPE_CHECKING:
    from lawqa.models.shapes import ModelShape
    from lawqa.pipelines.measuring.estimates import Basis
    from lawqa.settings import QuantType
    from lawqa.training.planning.plan import TrainingPlan

logger = logging.getLogger(__name__)

_UNITS = {
    "": 2**30, "tib": 2**40, "gib": 2**30, "mib": 2**20, "tb": 10**12, "gb": 10**9, "mb": 10**6,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Plan(PlanSettings):
    """Show what fits a GPU and how long it takes; with --measure, measure this machine first."""

    powered: OmitArgPrefixes[PowerSettings] = field(default_factory=PowerSettings)

    def run(self) -> int:
        if self.measure and self.power:
            raise ConfigError("--measure and --power are two questions", "ask one at a time")
        if self.power:
            print(power_json(self.powered) if self.json else power_text(self.powered))
            return 0
        from lawqa.models.shapes import read_shape
        from lawqa.pipelines.measuring.estimates import (
            estimates_json,
            estimates_text,
            measured_text,
        )
        from lawqa.training.planning.memory import MemorySetting
        from lawqa.training.planning.plan import plan_training, usable_memory

        if self.max_seq_length < 2:
            raise ConfigError(f"--max-seq-length is {self.max_seq_length}, expected 2 or more")
        Hyperparameters(
            lora_r=self.lora_r, lora_dropout=self.lora_dropout, target_modules=self.target_modules,
            batch_size=self.batch_size,
            gradient_accumulation_steps=self.gradient_accumulation_steps,
        )  # fmt: skip  # raises where one of them cannot be
        card, shape = parse_memory(self.memory), read_shape(self.model)
        unknown = {*self.target_modules} - {*shape.linears, *ALL_LINEAR}
        if unknown:
            raise ConfigError(
                f"--target-modules: {shape.name} has no linear layer called {', '.join(sorted(unknown))}",
                f"it has {' '.join(shape.linears)}",
            )
        setting = MemorySetting(
            four_bit=not self.no_4bit, lora_r=self.lora_r, lora_dropout=self.lora_dropout,
            target_modules=self.target_modules, fast=shape.written_out,
        )  # fmt: skip
        plan = plan_training(
            shape, setting, memory=usable_memory(card), longest=self.max_seq_length
        )
        memory = plan_figures(
            plan, self.max_seq_length, self.batch_size * self.gradient_accumulation_steps
        )
        figures = {**memory, "dev": self._dev(plan)}
        basis = self._measured() if self.measure else self._basis(shape)
        if self.json:
            print(json.dumps({**figures, "times": estimates_json(basis)}, indent=1))
            return 0
        if self.measure:
            print(measured_text(basis.speeds), end="\n\n")
        print(memory_plan_text(plan, figures, card), estimates_text(basis), sep="\n")
        return 0

    def _quantisation(self) -> QuantType | None:
        return None if self.no_4bit else "nf4"

    def _basis(self, shape: ModelShape) -> Basis:
        from lawqa.pipelines.measuring.estimates import known_basis

        return known_basis(shape, self._quantisation())

    def _measured(self) -> Basis:
        from lawqa.pipelines.measuring.estimates import Basis
        from lawqa.pipelines.measuring.measure import measure_and_keep
        from lawqa.pipelines.measuring.speeds import claim_speeds, write_speeds

        if self.speeds is not None:  # before two minutes are spent
            claim_speeds(self.speeds)
        settings = ModelSettings(model_name=self.model, load_in_4bit=not self.no_4bit)
        speeds = measure_and_keep(settings, logger.info, seconds=self.measure_seconds)
        if self.speeds is not None:
            write_speeds(speeds, self.speeds)
        return Basis(speeds, 1.0, None)

    def _dev(self, plan: TrainingPlan) -> JsonObject | None:
        if self.dev_max_new_tokens is None:
            return None
        from lawqa.training.planning.dev_texts import dev_texts

        texts = dev_texts(
            plan.shape,
            plan.setting,
            usable=plan.usable,
            prompt_tokens=self.max_seq_length,
            texts=self.dev_questions * self.dev_samples,
            max_new_tokens=self.dev_max_new_tokens,
        )
        return {**vars(texts), "steps": texts.steps}


def parse_memory(text: str) -> int:
    """Return the bytes of an amount such as 20GiB, 19.5 GB or 20480MiB; a bare number counts GiB.

    Raises:
        ConfigError: it is none.
    """
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z]*)\s*", text)
    unit = _UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None or float(match[1]) == 0:
        raise ConfigError(f"--memory {text}: not an amount of memory", "for example --memory 20GiB")
    return int(float(match[1]) * unit)


def plan_figures(plan: TrainingPlan, longest: int, records_per_step: int) -> JsonObject:
    """Return everything the plan says, in GiB and tokens."""
    from lawqa.training.planning.memory import (
        GIB,
        SCORED_TOKENS,
        cache_per_token,
        generating_memory,
        scoring_memory,
    )

    shape, setting, budget = plan.shape, plan.setting, plan.token_budget
    empty = scoring_memory(shape, setting, tokens=0)
    per_scored = scoring_memory(shape, setting, tokens=1) - empty
    scored = min(SCORED_TOKENS, max(0, plan.usable - empty) // per_scored)
    free = max(0, plan.usable - generating_memory(shape, setting, cached_tokens=0))
    cached = free // cache_per_token(shape, setting)
    memory = plan.memory
    return {
        "model": shape.name,
        "usable_gib": round(plan.usable / GIB, 2),
        "training": {
            "path": "fast" if setting.fast else "plain",
            "token_budget": budget,
            "recomputed_blocks": shape.layers - plan.kept_blocks(budget),
            "blocks": shape.layers,
            "micro_batches_per_step": math.ceil(
                records_per_step / max(1, budget // longest)
            ),
            "records_per_step": records_per_step,
            "peak_gib": round(memory.total / GIB, 2),
            "peak_by_part_gib": {
                part: round(value / GIB, 2) for part, value in vars(memory).items()
            },
        },
        "scoring": {
            "token_budget": scored,
            "peak_gib": round(scoring_memory(shape, setting, tokens=scored) / GIB, 2),
        },
        "generating": {
            "cached_tokens": cached,
            "cached_tokens_int8": free // cache_per_token(shape, setting, eight_bit=True),
            "peak_gib": round(generating_memory(shape, setting, cached_tokens=cached) / GIB, 2),
        },
    }  # fmt: skip


_MEANINGS = {
    "weights": "the frozen model",
    "adapter": "LoRA's float32 weights and their copies for products",
    "gradients": "of the adapter, float32",
    "optimiser": "AdamW's two moments, float32",
    "streams": "the input of every block",
    "kept": "what blocks keep for the backward pass",
    "passing": "one block's backward pass, dequantised weights included",
    "logits": "logits of the answer tokens",
}


def memory_plan_text(plan: TrainingPlan, figures: JsonObject, card: int) -> str:
    """Return the plan as a person reads it."""
    from lawqa.training.planning.memory import GIB, lora_parameters, weight_bytes

    shape, setting, training = plan.shape, plan.setting, figures["training"]
    how = "4-bit" if setting.four_bit else "16-bit"
    again, blocks = training["recomputed_blocks"], training["blocks"]
    policy = "no block is computed again" if not again else f"{again} of {blocks} computed again"
    lines = [
        f"model       {shape.name}: {blocks} blocks of width {shape.hidden}, {how}, "
        f"{weight_bytes(shape, setting) / GIB:.2f} GiB",
        f"memory      {card / GIB:.1f} GiB, of which a plan may fill {plan.usable / GIB:.1f} "
        "(CUDA's context and fragments take the rest)",
        f"adapter     r={setting.lora_r}, {lora_parameters(shape, setting):,} weights train",
        "",
        f"training    {training['path']} path, micro-batches of {training['token_budget']} tokens, "
        f"{policy}",
        f"            a step of {training['records_per_step']} records: up to "
        f"{training['micro_batches_per_step']} micro-batches",
        f"            {training['peak_gib']:.2f} GiB at the peak:",
    ]
    lines += [
        f"            {value:6.2f}  {part:<10} {_MEANINGS[part]}"
        for part, value in training["peak_by_part_gib"].items()
    ]
    scoring, generating = figures["scoring"], figures["generating"]
    lines += [
        f"scoring     batches of up to {scoring['token_budget']} tokens, {scoring['peak_gib']:.2f} GiB",
        f"generating  {generating['cached_tokens']:,} tokens of keys and values, "
        f"{generating['cached_tokens_int8']:,} with --kv-cache int8, {generating['peak_gib']:.2f} GiB",
    ]
    dev = figures["dev"]
    if dev:
        lines += [
            f"dev         {dev['texts']} texts a scoring, at most {dev['most_tokens']:,} tokens; "
            f"{dev['cached_tokens']:,} tokens of keys and values beside the optimiser:",
            f"            {dev['at_once']} texts of full length at once, at most {dev['steps']:,} decoding "
            "steps a scoring",
        ]
    return "\n".join(lines)
