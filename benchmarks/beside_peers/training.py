"""Train the same small records in TRL, Unsloth or LLaMA-Factory, as `docs/other_tools.md` reports it.

    python training.py trl|unsloth|llamafactory whole|killed|packing|leak

It runs beside `toy.py`'s files, in the environment of the tool. `whole` trains in 4 bits, six steps, a
checkpoint at every second; `killed` does the same, ends as an out-of-memory killer would before the fifth
step, resumes in a second process and compares the weights; `packing` packs and asks whether a record changes
the logits of the next one; `leak` measures on the questions that it trains on and shows what is printed.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

TOOL = sys.argv[1]
if TOOL == "unsloth":
    os.environ["UNSLOTH_DISABLE_STATISTICS"] = "1"
    import unsloth  # before the others, which it patches
if TOOL == "llamafactory":
    import importlib.machinery
    import types

    import transformers

    _ = transformers.PreTrainedModel  # before the stand-in: no record holds sound
    sound = types.ModuleType("torchaudio")
    sound.__spec__ = importlib.machinery.ModuleSpec("torchaudio", None)
    sys.modules.setdefault("torchaudio", sound)

import torch  # noqa: E402 - Unsloth comes first
from transformers import TrainerCallback  # noqa: E402

LORA = {"r": 8, "lora_alpha": 16}
STEPS = {
    "per_device_train_batch_size": 4, "learning_rate": 5e-3, "max_steps": 6, "save_steps": 2,
    "logging_steps": 1, "seed": 1, "use_cpu": True, "bf16": False, "save_strategy": "steps",
}  # fmt: skip


class Killed(TrainerCallback):  # type: ignore[misc]  # transformers is not checked
    """Ends the process as the kernel does when memory runs out, before the fifth step."""

    def on_step_begin(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
        """Kill at the fifth."""
        if state.global_step == 4:
            os.kill(os.getpid(), signal.SIGKILL)


def records() -> list[dict[str, Any]]:
    """Return the records of `train.jsonl` as turns."""
    lines = Path("train.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def trl_trainer(out: str, callbacks: list[Any], **options: Any) -> Any:
    """Return TRL's trainer over a 4-bit model, TRL's or Unsloth's."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
    from trl import SFTConfig, SFTTrainer

    rows = [
        {
            "prompt": r["messages"],
            "completion": [{"role": "assistant", "content": r["answer"]}],
            "chat_template_kwargs": {"enable_thinking": False},
        }
        for r in records()
    ]
    data = Dataset.from_list(rows)
    lora: Any = None
    if TOOL == "unsloth":
        model, tokenizer = unsloth.FastLanguageModel.from_pretrained(
            "model", max_seq_length=2048, load_in_4bit=True
        )
        model = unsloth.FastLanguageModel.get_peft_model(model, random_state=1, **LORA)
    else:
        tokenizer = AutoTokenizer.from_pretrained("model")
        four = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")
        model = AutoModelForCausalLM.from_pretrained("model", quantization_config=four)
        lora = LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear", **LORA)
    measured = options.pop("measured", False)
    return SFTTrainer(
        model=model, processing_class=tokenizer, train_dataset=data, peft_config=lora, callbacks=callbacks,
        eval_dataset=data if measured else None,
        args=SFTConfig(out, report_to="none", max_length=2048, **{**STEPS, **options}),
    )  # fmt: skip


def factory(out: str, callbacks: list[Any], **options: Any) -> None:
    """Train in LLaMA-Factory, by the arguments that its YAML files hold."""
    from llamafactory.train.tuner import run_exp

    turns = [
        {"messages": [*r["messages"], {"role": "assistant", "content": r["answer"]}]}
        for r in records()
    ]
    Path("factory").mkdir(exist_ok=True)
    lines = [json.dumps(t, ensure_ascii=False) + "\n" for t in turns]
    Path("factory/lawqa.jsonl").write_text("".join(lines), encoding="utf-8")
    tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant",
            "system_tag": "system"}  # fmt: skip
    info = {"lawqa": {"file_name": "lawqa.jsonl", "formatting": "sharegpt",
                      "columns": {"messages": "messages"}, "tags": tags}}  # fmt: skip
    Path("factory/dataset_info.json").write_text(json.dumps(info), encoding="utf-8")
    run_exp(
        {
            "model_name_or_path": "model", "stage": "sft", "do_train": True, "finetuning_type": "lora",
            "lora_rank": 8, "lora_alpha": 16, "lora_target": "all", "quantization_bit": 4,
            "dataset": "lawqa", "dataset_dir": "factory", "template": "qwen3", "enable_thinking": False,
            "cutoff_len": 2048, "output_dir": out, "report_to": "none", "plot_loss": True,
            "overwrite_cache": True, **STEPS, **options,
        },
        callbacks,
    )  # fmt: skip


def train(out: str, callbacks: list[Any], **options: Any) -> None:
    """Train into a directory; `resume_from_checkpoint` as the tool calls it."""
    if TOOL == "llamafactory":
        factory(out, callbacks, **options)
        return
    resume = options.pop("resume_from_checkpoint", None)
    trainer = trl_trainer(out, callbacks, **options)
    trainer.train(resume_from_checkpoint=bool(resume))
    trainer.save_model(out)
    if options.get("measured"):
        print(trainer.evaluate())


def differing(first: str, second: str) -> str:
    """Return how many weights of two adapters differ, and by how much."""
    from safetensors.torch import load_file

    one, other = (load_file(f"{d}/adapter_model.safetensors") for d in (first, second))
    gaps = [(one[name].float() - other[name].float()).abs().max().item() for name in one]
    return f"{sum(gap > 0 for gap in gaps)} of {len(gaps)} weights differ, at most {max(gaps):.2g}"


def killed() -> None:
    """Train, be killed, resume, and compare with the training that was not."""
    shutil.rmtree(f"{TOOL}-killed", ignore_errors=True)
    code = subprocess.run([sys.executable, __file__, TOOL, "die"]).returncode  # noqa: S603
    kept = sorted(path.name for path in Path(f"{TOOL}-killed").glob("checkpoint*"))
    print(f"ended with {code}; kept {kept}")
    last = f"{TOOL}-killed/{kept[-1]}"
    train(f"{TOOL}-killed", [], resume_from_checkpoint=last if TOOL == "llamafactory" else True)
    print("RESULT resumed beside whole:", differing(f"{TOOL}-whole", f"{TOOL}-killed"))
    train(f"{TOOL}-again", [])
    print("RESULT whole beside whole:", differing(f"{TOOL}-whole", f"{TOOL}-again"))


def packing() -> None:
    """Pack the records, and ask whether changing the first one changes the logits of the second."""
    found: dict[str, Any] = {}

    class Look(TrainerCallback):  # type: ignore[misc]  # transformers is not checked
        def on_step_begin(self, _args: Any, _state: Any, _control: Any, **kwargs: Any) -> None:
            batch = next(iter(kwargs["train_dataloader"]))
            found["keys"] = {n: list(getattr(value, "shape", ())) for n, value in batch.items()}
            found["leaks"] = leaks(kwargs["model"], batch)

    pack: dict[str, Any] = {"packing": True}
    if TOOL == "llamafactory" and "neat" in sys.argv:
        pack = {"neat_packing": True}
    train(f"{TOOL}-packing", [Look()], **{**pack, "max_steps": 1, "per_device_train_batch_size": 1})
    print("RESULT", pack, found)


def leaks(model: Any, batch: Any) -> str:
    """Return how far the logits of the last answer move when tokens of the first record are changed."""
    answers = (batch["labels"][0] >= 0).nonzero().flatten().tolist()
    packed = sum(after - before > 50 for before, after in itertools.pairwise(answers)) + 1
    if packed == 1:
        return "one record in the batch"
    given = {name: value for name, value in batch.items() if name != "labels"}
    changed = dict(given, input_ids=given["input_ids"].clone())
    changed["input_ids"][:, :20] = (changed["input_ids"][:, :20] + 7) % 1000
    model.eval()
    with torch.no_grad():
        before, after = (
            model(**each).logits[0, answers[-1] - 1].float() for each in (given, changed)
        )
    model.train()
    return f"{packed} records in the batch, moved by {(before - after).abs().max().item():.2g}"


def main() -> None:
    """Do what the second argument names."""
    match sys.argv[2]:
        case "whole":
            train(f"{TOOL}-whole", [])
            print("RESULT", sorted(path.name for path in Path(f"{TOOL}-whole").iterdir()))
        case "die":
            train(f"{TOOL}-killed", [Killed()])
        case "killed":
            killed()
        case "packing":
            packing()
        case "leak":
            measured = {"measured": True} if TOOL != "llamafactory" else {
                "eval_dataset": "lawqa", "do_eval": True}  # fmt: skip
            train(f"{TOOL}-leak", [], **{**measured, "max_steps": 1})


if __name__ == "__main__":
    main()
