"""Training speed of other architectures beside TRL: `python benchmarks/architectures.py --questions FILE`.

Models have the published shapes and random weights, NF4, LoRA r=16 on all linear layers; the tokenizer is
trained on the questions, so that its ids fit every vocabulary. One warm epoch over 100 questions of lawqa_jp,
both tools over the same token ids and under the same memory cap, each in a process of its own; TRL with each
of the batch sizes given. Figures are real tokens (padding not counted) a second, the peak is of tensors.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

CLOSED, GOLD = "closed-book", "with context"
INTRODUCTION = "あなたは日本の法律に精通したアシスタントです。次の4択問題に答えてください。\n\n"
REQUEST = "\n\n正しい選択肢の記号を a, b, c, d から1つだけ答えてください。"
LEARNING_RATE = 2e-5


def _llama(*numbers: int, **more: Any) -> dict[str, Any]:
    names = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
             "num_key_value_heads", "head_dim", "vocab_size")  # fmt: skip
    return {**dict(zip(names, numbers, strict=True)), **more}


_GEMMA3 = {"query_pre_attn_scalar": 256, "tie_word_embeddings": True}
SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "Qwen2.5-1.5B": ("qwen2", _llama(1536, 8960, 28, 12, 2, 128, 151936, tie_word_embeddings=True)),
    "Qwen2.5-3B": ("qwen2", _llama(2048, 11008, 36, 16, 2, 128, 151936, tie_word_embeddings=True)),
    "Qwen3-1.7B": ("qwen3", _llama(2048, 6144, 28, 16, 8, 128, 151936, tie_word_embeddings=True)),
    "Qwen3-4B": ("qwen3", _llama(2560, 9728, 36, 32, 8, 128, 151936, tie_word_embeddings=True)),
    "Llama-3.2-1B": ("llama", _llama(2048, 8192, 16, 32, 8, 64, 128256, tie_word_embeddings=True)),
    "Llama-3.1-8B": ("llama", _llama(4096, 14336, 32, 32, 8, 128, 128256)),
    "Mistral-7B": ("mistral", _llama(4096, 14336, 32, 32, 8, 128, 32768, sliding_window=None)),
    "Gemma-2-2B": ("gemma2", _llama(2304, 9216, 26, 8, 4, 256, 256000, tie_word_embeddings=True)),
    "Gemma-3-4B": ("gemma3_text", _llama(2560, 10240, 34, 8, 4, 256, 262208, **_GEMMA3)),
    "Gemma-3-270M": ("gemma3_text", _llama(640, 2048, 18, 4, 1, 256, 262144, sliding_window=512,
                                           **_GEMMA3)),
    "Phi-3-mini": ("phi3", _llama(3072, 8192, 32, 32, 32, 96, 32064, sliding_window=2047)),
}  # fmt: skip


def texts(file: str, condition: str) -> list[tuple[str, str]]:
    """(prompt, label) of the first 100 questions."""
    samples = json.loads(Path(file).read_text(encoding="utf-8"))["samples"][:100]
    pairs = []
    for sample in samples:
        law = f"【法令条文】\n{sample['コンテキスト']}\n\n" if condition == GOLD else ""
        asked = f"【質問】\n{sample['問題文']}\n\n【選択肢】\n{sample['選択肢']}"
        pairs.append((INTRODUCTION + law + asked + REQUEST, sample["output"]))
    return pairs


def write_checkpoint(name: str, directory: Path, file: str) -> None:
    """A model of the shape with random weights, and the tokenizer."""
    from transformers import AutoConfig, AutoModelForCausalLM

    from lawqa.models.tiny import train_tiny_tokenizer

    kind, numbers = SHAPES[name]
    tokenizer = train_tiny_tokenizer((text for text, _ in texts(file, GOLD)), vocab_size=700)
    config = AutoConfig.for_model(
        kind, **numbers, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )  # fmt: skip
    with torch.device("cuda"):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(directory, max_shard_size="8GB")
    tokenizer.save_pretrained(directory)


def encoded(tokenizer: Any, file: str, condition: str) -> list[tuple[list[int], list[int]]]:
    """(prompt ids, answer ids) of every question."""
    rows = []
    for prompt, label in texts(file, condition):
        chat = tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True,
            enable_thinking=False,
        )  # fmt: skip
        asked = tokenizer.encode(chat, add_special_tokens=False)
        rows.append((asked, tokenizer.encode(f"{label}<|im_end|>", add_special_tokens=False)))
    return rows


def cap_memory(gib: float) -> None:
    """Hold this process to a share of the card, to stand for a slice."""
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, gib * 2**30 / total))


def report(tool: str, condition: str, batch: int, tokens: int, seconds: float, **more: Any) -> None:
    """One line with the figures of one timed epoch."""
    figures = {
        "tool": tool, "condition": condition, "batch": batch, "tokens": tokens,
        "seconds": round(seconds, 3), "tokens_per_s": round(tokens / seconds),
        "peak_gib": round(torch.cuda.max_memory_allocated() / 2**30, 2), **more,
    }  # fmt: skip
    print("RESULT", json.dumps(figures), flush=True)


def fresh() -> None:
    """Forget what earlier epochs left, the peak included."""
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    torch.cuda.synchronize()


def run_lawqa(model_directory: str, file: str, conditions: list[str], *, plain: bool) -> None:
    """Lawqa's trainer on the path that it chooses, or on its plain path."""
    from lawqa.models.load import load_model
    from lawqa.records import IGNORED, TokenizedRecord
    from lawqa.settings import Hyperparameters, ModelSettings
    from lawqa.training import path_choice
    from lawqa.training.adapter import add_adapter
    from lawqa.training.fit import fit

    if plain:
        path_choice._common_obstacle = lambda *_: "the benchmark asks for it"
    loaded = load_model(ModelSettings(model_name=model_directory, load_in_4bit=True))
    config = Hyperparameters(
        num_epochs=1, batch_size=32, gradient_accumulation_steps=1, lora_dropout=0.0,
        learning_rate=LEARNING_RATE, warmup_ratio=0.0, max_seq_length=4096, save_minutes=0,
    )  # fmt: skip
    model = add_adapter(loaded, config)
    for condition in conditions:
        records = [
            TokenizedRecord(str(number), [*asked, *answer], [IGNORED] * len(asked) + answer)
            for number, (asked, answer) in enumerate(encoded(loaded.tokenizer, file, condition))
        ]
        tokens = sum(len(record.input_ids) for record in records)
        for timed in (False, True):
            fresh()
            began = time.perf_counter()
            with tempfile.TemporaryDirectory() as directory:
                figures = fit(loaded, model, records, config, Path(directory), quiet=not timed)
            torch.cuda.synchronize()
            seconds = time.perf_counter() - began
            if timed:
                report(
                    "lawqa, plain path" if plain else "lawqa", condition, 32, tokens, seconds,
                    loss=[round(figures.first_loss, 4), round(figures.last_loss, 4)],
                    loop=round(figures.tokens / max(figures.seconds, 1e-9)),
                )  # fmt: skip


def run_trl(model_directory: str, file: str, conditions: list[str], batches: list[int]) -> None:
    """TRL's SFTTrainer as its documentation sets up QLoRA, on token ids."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
    from trl import SFTConfig, SFTTrainer

    quantisation = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_use_double_quant=True, bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=torch.bfloat16,
    )  # fmt: skip
    model: Any = AutoModelForCausalLM.from_pretrained(
        model_directory, quantization_config=quantisation, device_map={"": 0}, dtype=torch.bfloat16
    )
    tokenizer = AutoTokenizer.from_pretrained(model_directory)
    lora: Any = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    for condition in conditions:
        rows = [
            {
                "input_ids": [*asked, *answer],
                "completion_mask": [0] * len(asked) + [1] * len(answer),
            }
            for asked, answer in encoded(tokenizer, file, condition)
        ]
        tokens = sum(len(row["input_ids"]) for row in rows)
        for batch in batches:
            try:
                for part in (rows[: 2 * batch], rows):
                    trainer = SFTTrainer(
                        model=model, processing_class=tokenizer,
                        train_dataset=Dataset.from_list(part),
                        args=SFTConfig(
                            output_dir=tempfile.mkdtemp(), per_device_train_batch_size=batch,
                            num_train_epochs=1, learning_rate=LEARNING_RATE,
                            optim="paged_adamw_8bit", logging_steps=1, report_to="none", bf16=True,
                            max_length=4096, save_strategy="no", warmup_steps=0,
                            gradient_checkpointing=True, completion_only_loss=True,
                            disable_tqdm=True,
                        ),
                        peft_config=lora,
                    )  # fmt: skip
                    model, lora = trainer.model, None
                    fresh()
                    began = time.perf_counter()
                    trainer.train()
                    torch.cuda.synchronize()
                report("TRL", condition, batch, tokens, time.perf_counter() - began)
            except torch.OutOfMemoryError:
                print("RESULT", json.dumps({"tool": "TRL", "condition": condition, "batch": batch,
                                            "left_out": "out of memory"}), flush=True)  # fmt: skip
                model.zero_grad(set_to_none=True)


def main() -> int:
    """Write each model, run each tool over it, append every figure to a file, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", required=True, help="lawqa_jp's selection.json")
    parser.add_argument("--models", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--tools", nargs="+", default=["lawqa", "TRL"],
                        choices=["lawqa", "plain", "TRL"])  # fmt: skip
    parser.add_argument("--conditions", nargs="+", choices=(CLOSED, GOLD), default=[CLOSED, GOLD])
    parser.add_argument("--batches", nargs="+", type=int, default=[8, 16, 32])
    parser.add_argument("--cap-gib", type=float, default=19.0, help="memory that a process may use")
    parser.add_argument("--timeout", type=float, default=120, help="seconds for one process")
    parser.add_argument("--scratch", default=tempfile.gettempdir(), help="where models are written")
    parser.add_argument("--out", default="architectures.jsonl", help="where figures are appended")
    parser.add_argument("--inside", help=argparse.SUPPRESS)  # the tool that this process runs
    options = parser.parse_args()
    if options.inside:
        (name,) = options.models
        directory = str(Path(options.scratch) / f"random-{name}")
        if options.inside == "write":
            write_checkpoint(name, Path(directory), options.questions)
            return 0
        cap_memory(options.cap_gib)
        if options.inside == "TRL":
            run_trl(directory, options.questions, options.conditions, options.batches)
        else:
            plain = options.inside == "plain"
            run_lawqa(directory, options.questions, options.conditions, plain=plain)
        return 0
    for name in options.models:
        if not (Path(options.scratch) / f"random-{name}" / "config.json").is_file():
            _inside("write", name, options)
        for tool in options.tools:
            for line in _inside(tool, name, options):
                figures = {"model": name, **json.loads(line)}
                with Path(options.out).open("a", encoding="utf-8") as file:
                    file.write(json.dumps(figures) + "\n")
                print(figures, flush=True)
    return 0


def _inside(tool: str, name: str, options: argparse.Namespace) -> list[str]:
    """Run a tool over a model in a process of its own; its lines of figures."""
    command = [
        sys.executable, __file__, "--inside", tool, "--models", name, "--questions", options.questions,
        "--conditions", *options.conditions, "--batches", *map(str, options.batches),
        "--cap-gib", str(options.cap_gib), "--scratch", options.scratch,
    ]  # fmt: skip
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    began = time.perf_counter()
    try:
        done = subprocess.run(  # noqa: S603 - our own script
            command, env=environment, capture_output=True, text=True, check=False,
            timeout=options.timeout,
        )  # fmt: skip
        out, said, code = done.stdout, done.stderr, done.returncode
    except subprocess.TimeoutExpired as late:
        out = late.stdout.decode() if isinstance(late.stdout, bytes) else late.stdout or ""
        said, code = f"no end within {options.timeout:.0f} s", -1
    if code:
        print(f"{name}, {tool}: {' / '.join(said.strip().splitlines()[-4:])[:600]}", flush=True)
    for line in said.splitlines():
        if " path: " in line:
            print(f"{name}: {line.strip()}", flush=True)
    print(f"{name}, {tool}: {time.perf_counter() - began:.0f} s in all", flush=True)
    marked = [line for line in out.splitlines() if line.startswith("RESULT ")]
    return [line.removeprefix("RESULT ") for line in marked]


if __name__ == "__main__":
    sys.exit(main())
