"""What a training would do, in words."""

from __future__ import annotations

import os
import statistics
from typing import TYPE_CHECKING

from lawqa.amounts import counted
from lawqa.records import masked_text

if TYPE_CHECKING:
    from lawqa.pipelines.training.dev import DevQuestions
    from lawqa.pipelines.training.prepared import Prepared
    from lawqa.settings import Hyperparameters


def plan_text(prepared: Prepared) -> str:
    """Return what training would do, and one record token by token with its mask."""
    config, training = prepared.config, prepared.config.training
    from lawqa.training.adapter import parameter_counts

    lengths = [len(record.input_ids) for record in prepared.records]
    trainable, total = parameter_counts(prepared.model)
    described = prepared.loaded.describe()
    per_epoch = training.steps_per_epoch(prepared.units)
    steps = training.total_steps(prepared.units)
    objective = objective_text(prepared)
    unit = "pairs" if prepared.preference else "prompts" if prepared.policy else "records"
    epochs = steps / per_epoch if training.max_steps > 0 else training.num_epochs
    specs = (
        ", ".join(sorted({record.prompt_spec for record in prepared.source.records})) or "reading"
    )
    shortened = sum(record.shortened for record in prepared.records)
    limit = f"limit {training.max_seq_length}" if training.max_seq_length else "no limit"
    contexts = f"; {shortened} with a shortened context" if shortened else ""
    lines = [
        f"model      {config.model_name}, {described['quantisation'] or 'not quantised'}, "
        f"{described['dtype']}, on {prepared.loaded.device}{_shared_text(prepared)}",
        f"adapter    LoRA r={training.lora_r} alpha={training.lora_alpha} on "
        f"{' '.join(training.target_modules)}: {trainable:,} of {total:,} parameters train",
        *([f"start      {config.init_adapter}, not new weights"] if config.init_adapter else []),
        f"{unit:<11}{prepared.units} from {config.train_file} ({specs}){_mixture_text(prepared)}"
        f"{_orders_text(prepared)}",
        f"tokens     {sum(lengths):,} an epoch; a record has {min(lengths)} to {max(lengths)}, "
        f"median {statistics.median(lengths):g}, {limit}{contexts}",
        *([f"objective  {objective}"] if objective else []),
        f"steps      {steps} of {training.records_per_step} {unit} "
        f"({training.batch_size} x {training.gradient_accumulation_steps}), "
        f"{per_epoch} an epoch, {epochs:.3g} epochs",
        f"rate       {training.learning_rate:g} after {training.warmup_ratio:.0%} warm-up, "
        f"{training.lr_scheduler}",
        f"dev        {dev_text(prepared)}",
        f"saving     {_saving_text(training)}",
    ]
    if prepared.policy is None:
        first = masked_text(prepared.records[0], prepared.loaded.tokenizer)
        lines += ["", "the first record:", first]
    return "\n".join(lines)


def _orders_text(prepared: Prepared) -> str:
    """Return how prompts that a policy answers came about; empty for other trainings."""
    if prepared.policy is None:
        return ""
    orders = prepared.policy.permutations
    return f": {counted(prepared.units // orders, 'question')} in {counted(orders, 'order')}"


def objective_text(prepared: Prepared) -> str:
    """Return how pairs or own samples are learnt from, in words; empty where answers are learnt."""
    policy, preference = prepared.policy, prepared.preference
    if policy is not None:
        return (
            f"RLOO, {policy.samples_per_question} texts of at most {policy.max_new_tokens} tokens for each "
            f"prompt of a step, {policy.kl_weight:g} a nat from the base model"
        )
    if preference is None:
        return ""
    per_token = ", rewards per token" if preference.length_normalised else ""
    own = f", {preference.sft_weight:g} times the right answer's own loss beside it"
    return f"DPO, beta {preference.beta:g}{per_token}{own if preference.sft_weight else ''}"


def _mixture_text(prepared: Prepared) -> str:
    source = prepared.source
    lines = [
        f"of them {len(one.records)} from {one.path}, each {one.weight:g} times"
        for one in source.extra
    ]
    synthetic = source.describe_mixture()["synthetic"]
    if synthetic["records"] or synthetic["left_out"]:
        out = f"; {synthetic['left_out']} left out" if synthetic["left_out"] else ""
        share = synthetic["records"] / len(prepared.records)
        lines.append(f"{synthetic['records']} synthetic, {share:.0%} of all{out}")
    return "".join(f"\n           {line}" for line in lines)


def _shared_text(prepared: Prepared) -> str:
    if not prepared.loaded.sharded:
        return ""
    return f", its weights shared out over {os.environ['WORLD_SIZE']} processes"


def dev_text(prepared: Prepared) -> str:
    """Return which dev questions are asked when, how, and what that costs at most."""
    dev, training = prepared.dev, prepared.config.training
    if dev is None:
        return "none: the last step is kept, whatever it is worth (--dev-file decides better)"
    every = training.eval_steps or training.steps_per_epoch(len(prepared.records))
    share = counted(dev.in_file, "question")
    if dev.in_file > len(dev.questions):
        share = f"{len(dev.questions)} of {share}"
    patience = (
        f"; stops after {training.patience} without a better accuracy" if training.patience else ""
    )
    return (
        f"{share} of {dev.path} ({dev.specs}) every {counted(every, 'step')}{patience}; "
        f"the best step is kept{_texts_text(dev)}"
    )


def _texts_text(dev: DevQuestions) -> str:
    if dev.generation is None:
        return ""
    settings = dev.generation.settings
    drawn = (
        f"at temperature {settings.temperature:g}, seed {settings.seed}, the same draws at every scoring"
        if settings.temperature
        else "greedy"
    )
    texts = (
        "1 text"
        if settings.repeats == 1
        else f"the majority of {counted(settings.repeats, 'text')}"
    )
    cost = f"\n           {dev.cost.sentence}" if dev.cost else ""
    return f"\n           answered by {texts} of at most {settings.max_new_tokens} tokens, {drawn}{cost}"


def _saving_text(training: Hyperparameters) -> str:
    rhythms = [
        f"every {training.save_minutes:g} minutes" if training.save_minutes else "",
        f"every {counted(training.save_steps, 'step')}" if training.save_steps else "",
    ]
    when = " and ".join(filter(None, rhythms)) or "never before the end"
    return f"a checkpoint {when}, and when a signal asks to stop; --resume resumes it"
