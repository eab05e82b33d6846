"""Training speed of other architectures beside TRL: `python benchmarks/architectures.py --questions FILE`.

Models have the published shapes and random weights in NF4, LoRA r=16 on all linear layers; the tokenizer is
trained on the questions, so that its ids fit every vocabulary. Both tools train on 100 questions of lawqa_jp
over the same token ids under the same memory cap, each in a process of its own, with each of the batch sizes
given. Figures are real tokens (padding not counted) a second of the loop, optimiser included, once it is
warm; the peak is of tensors. While one process measures, the next imports its packages.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

CLOSED, GOLD = "closed-book", "with context"
INTRODUCTION = "あなたは日本の法律に精通したアシスタントです。次の4択問題に答えてください。\n\n"
REQUEST = "\n\n正しい選択肢の記号を a, b, c, d から1つだけ答えてください。"
LEARNING_RATE = 2e-5
MODELS = ("Llama-3.1-8B", "Mistral-7B", "Gemma-3-4B", "Phi-3-mini", "Qwen2.5-1.5B", "Llama-3.2-1B",
          "Gemma-2-2B", "Gemma-3-270M", "OLMo-2-1B", "Qwen2.5-3B", "Qwen3-1.7B", "Qwen3-4B",
          "Qwen3-8B")  # fmt: skip
LEAST_STEPS = 2
"""Steps of TRL that are timed, however long they take."""
WARM_RECORDS = 40
"""Records that lawqa trains on before it is timed, so that its kernels are compiled."""


def texts(file: str, condition: str) -> list[tuple[str, str]]:
    """(prompt, label) of the first 100 questions."""
    samples = json.loads(Path(file).read_text(encoding="utf-8"))["samples"][:100]
    pairs = []
    for sample in samples:
        law = f"【法令条文】\n{sample['コンテキスト']}\n\n" if condition == GOLD else ""
        asked = f"【質問】\n{sample['問題文']}\n\n【選択肢】\n{sample['選択肢']}"
        pairs.append((INTRODUCTION + law + asked + REQUEST, sample["output"]))
    return pairs


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


def report(tool: str, condition: str, batch: int, tokens: int, seconds: float, **more: Any) -> None:
    """One line with the figures of one measurement."""
    figures = {
        "tool": tool, "condition": condition, "batch": batch, "tokens": tokens,
        "seconds": round(seconds, 3), "tokens_per_s": round(tokens / seconds), **_peak(), **more,
    }  # fmt: skip
    print("RESULT", json.dumps(figures), flush=True)


def _peak() -> dict[str, float]:
    import torch

    return {"peak_gib": round(torch.cuda.max_memory_allocated() / 2**30, 2)} if _cuda() else {}


def _cuda() -> bool:
    import torch

    there: bool = torch.cuda.is_available()
    return there


def now() -> float:
    """The time, once the card is idle."""
    import torch

    if _cuda():
        torch.cuda.synchronize()
    return time.perf_counter()


def fresh() -> None:
    """Forget what earlier measurements left, the peak included."""
    import torch

    gc.collect()
    if _cuda():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def run_lawqa(folder: Path, options: argparse.Namespace, *, plain: bool) -> None:
    """Lawqa's trainer on the path that it chooses, or on its plain path."""
    from hf_common import cap_memory
    from random_models import random_loaded

    from lawqa.records import IGNORED, TokenizedRecord
    from lawqa.settings import Hyperparameters
    from lawqa.training import path_choice
    from lawqa.training.adapter import add_adapter
    from lawqa.training.figures import TrainingFigures
    from lawqa.training.fit import fit

    if plain:
        path_choice._common_obstacle = lambda *_: "the benchmark asks for it"
    began = now()
    loaded = random_loaded(folder)
    cap_memory(options.cap_gib)
    model = None
    print(f"made in {now() - began:.1f} s", file=sys.stderr, flush=True)

    def train(records: list[TokenizedRecord], batch: int, epochs: int) -> TrainingFigures:
        nonlocal model
        config = Hyperparameters(
            num_epochs=epochs, batch_size=batch, gradient_accumulation_steps=1, lora_dropout=0.0,
            learning_rate=LEARNING_RATE, warmup_ratio=0.0, max_seq_length=4096, save_minutes=0,
        )  # fmt: skip
        model = model or add_adapter(loaded, config)
        with tempfile.TemporaryDirectory() as directory:
            return fit(loaded, model, records, config, Path(directory), quiet=True)

    name = "lawqa, plain path" if plain else "lawqa"
    for condition in options.conditions:
        records = [
            TokenizedRecord(str(number), [*asked, *answer], [IGNORED] * len(asked) + answer)
            for number, (asked, answer) in enumerate(
                encoded(loaded.tokenizer, options.questions, condition)
            )
        ]
        began = now()
        train(records[:WARM_RECORDS], 20, 1)
        print(f"warm after {now() - began:.1f} s", file=sys.stderr, flush=True)
        epochs = 1
        for batch in options.lawqa_batches:
            for _ in range(2):
                fresh()
                began = now()
                figures = train(records, batch, epochs)
                whole = now() - began
                again = math.ceil(options.seconds * epochs / figures.seconds)
                enough, epochs = figures.seconds >= 0.8 * options.seconds, again
                if enough:
                    break
            report(
                name, condition, batch, figures.tokens, figures.seconds,
                with_rehearsal_and_checkpoint=round(figures.tokens / whole),
                loss=[round(figures.first_loss, 4), round(figures.last_loss, 4)],
            )  # fmt: skip


def run_trl(folder: Path, options: argparse.Namespace) -> None:
    """TRL's SFTTrainer as its documentation sets up QLoRA, on token ids."""
    import torch
    from datasets import Dataset
    from hf_common import cap_memory
    from peft import LoraConfig
    from random_models import random_model
    from transformers import AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    device = torch.device("cuda" if _cuda() else "cpu")
    model = random_model(folder, device)
    cap_memory(options.cap_gib)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    lora: Any = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")

    class Timed(SFTTrainer):  # type: ignore[misc]  # TRL is not checked
        """Counts the real tokens of every step."""

        real = 0

        def training_step(self, model: Any, inputs: Any, *more: Any, **named: Any) -> Any:
            self.real += int(inputs["attention_mask"].sum())
            return super().training_step(model, inputs, *more, **named)

    class Clock(TrainerCallback):  # type: ignore[misc]  # transformers is not checked
        """Marks the end of each step, and ends the training after the seconds wanted."""

        def __init__(self) -> None:
            self.marks: list[tuple[float, int]] = []
            self.trainer: Any = None

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            del args, state
            self.marks.append((now(), self.trainer.real))
            late = self.marks[-1][0] - self.marks[0][0] >= options.seconds
            control.should_training_stop = late and len(self.marks) > LEAST_STEPS

    for condition in options.conditions:
        rows = [
            {
                "input_ids": [*asked, *answer],
                "completion_mask": [0] * len(asked) + [1] * len(answer),
            }
            for asked, answer in encoded(tokenizer, options.questions, condition)
        ]
        for batch in options.batches:
            clock = Clock()
            try:
                trainer = Timed(
                    model=model, processing_class=tokenizer, train_dataset=Dataset.from_list(rows),
                    args=SFTConfig(
                        output_dir=tempfile.mkdtemp(), per_device_train_batch_size=batch,
                        num_train_epochs=50, learning_rate=LEARNING_RATE,
                        optim="paged_adamw_8bit" if _cuda() else "adamw_torch", logging_steps=1,
                        report_to="none", bf16=_cuda(), max_length=4096, save_strategy="no",
                        warmup_steps=0, gradient_checkpointing=True, completion_only_loss=True,
                        disable_tqdm=True, dataloader_drop_last=True,
                    ),
                    peft_config=lora, callbacks=[clock],
                )  # fmt: skip
                model, lora, clock.trainer = trainer.model, None, trainer
                fresh()
                trainer.train()
                (began, before), (ended, after) = clock.marks[0], clock.marks[-1]
                report("TRL", condition, batch, after - before, ended - began)
            except torch.OutOfMemoryError:
                print("RESULT", json.dumps({"tool": "TRL", "condition": condition, "batch": batch,
                                            "left_out": "out of memory"}), flush=True)  # fmt: skip
                model.zero_grad(set_to_none=True)
                gc.collect()


@dataclass
class Worker:
    """A process that has imported its packages and waits to be let onto the card."""

    model: str
    tool: str
    process: subprocess.Popen[bytes]
    out: Path
    said: Path

    @classmethod
    def start(cls, model: str, tool: str, options: argparse.Namespace, scratch: Path) -> Worker:
        """Start one; it touches the card only after `measure`."""
        out, said = (scratch / f"{model}-{tool}.{kind}" for kind in ("out", "err"))
        command = [
            sys.executable, __file__, "--inside", tool, "--models", model,
            "--questions", options.questions, "--conditions", *options.conditions,
            "--batches", *map(str, options.batches),
            "--lawqa-batches", *map(str, options.lawqa_batches),
            "--cap-gib", str(options.cap_gib), "--seconds", str(options.seconds),
            "--scratch", str(scratch), *(["--narrow"] if options.narrow else []),
        ]  # fmt: skip
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        # Where transformers' trainer sees two GPUs it wraps the model in nn.DataParallel, which TRL refuses.
        environment.setdefault("CUDA_VISIBLE_DEVICES", "0")
        with out.open("wb") as to, said.open("wb") as errors:
            process = subprocess.Popen(  # noqa: S603 - our own script
                command, env=environment, stdin=subprocess.PIPE, stdout=to, stderr=errors
            )
        return cls(model, tool, process, out, said)

    def measure(self, timeout: float) -> Iterator[str]:
        """Let it onto the card; its lines of figures as they come. It is ended after `timeout` seconds."""
        stdin: IO[bytes] | None = self.process.stdin
        if stdin is None:
            raise RuntimeError("no pipe to the process")
        began = time.perf_counter()
        stdin.write(b"\n")
        stdin.close()
        seen = 0
        while True:
            code = self.process.poll()
            lines = [
                line.removeprefix("RESULT ")
                for line in self.out.read_text(encoding="utf-8").split("\n")[:-1]
                if line.startswith("RESULT ")
            ]
            yield from lines[seen:]
            seen = len(lines)
            late = time.perf_counter() - began > timeout
            if code is not None or late:
                break
            time.sleep(0.2)
        if late:
            self.process.kill()
        self._explain(time.perf_counter() - began, late=late)

    def _explain(self, seconds: float, *, late: bool) -> None:
        said = self.said.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        for line in said:
            if " path: " in line or " after " in line or "made in" in line:
                print(f"{self.model}, {self.tool}: {line.strip()}", flush=True)
        if late or self.process.wait():
            reason = f"no end within {seconds:.0f} s: " if late else ""
            print(f"{self.model}, {self.tool}: {reason}{' / '.join(said[-4:])[:700]}", flush=True)
        print(f"{self.model}, {self.tool}: {seconds:.0f} s in all", flush=True)


def inside(options: argparse.Namespace) -> int:
    """What a worker does: import, make the folder, wait, measure."""
    import random_models

    from lawqa.models.tiny import train_tiny_tokenizer

    if options.inside == "TRL":
        import trl  # noqa: F401 - before the wait
        from trl import SFTTrainer  # noqa: F401
    else:
        import lawqa.training.fit  # noqa: F401
    (name,) = options.models
    folder = Path(options.scratch) / f"{name}-{options.inside}"
    tokenizer = train_tiny_tokenizer(
        (text for text, _ in texts(options.questions, GOLD)), vocab_size=700
    )
    random_models.write_folder(name, folder, tokenizer, narrow=options.narrow)
    sys.stdin.readline()
    if options.inside == "TRL":
        run_trl(folder, options)
    else:
        run_lawqa(folder, options, plain=options.inside == "plain")
    return 0


def main() -> int:
    """Run each tool over each model, and append every figure to a file as it comes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--questions", required=True, help="lawqa_jp's selection.json")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS[:5]))
    parser.add_argument("--tools", nargs="+", default=["lawqa", "TRL"],
                        choices=["lawqa", "plain", "TRL"])  # fmt: skip
    parser.add_argument("--conditions", nargs="+", choices=(CLOSED, GOLD), default=[GOLD])
    parser.add_argument("--batches", nargs="+", type=int, default=[8, 16, 32], help="TRL's")
    parser.add_argument("--lawqa-batches", nargs="+", type=int, default=[8, 16, 32])
    parser.add_argument("--seconds", type=float, default=15, help="of each measurement, at least")
    parser.add_argument("--cap-gib", type=float, default=19.0, help="memory that a process may use")
    parser.add_argument(
        "--timeout", type=float, default=120, help="seconds on the card of a process"
    )
    parser.add_argument(
        "--deadline", type=float, default=3600, help="no process starts after this many seconds"
    )
    parser.add_argument("--out", default="architectures.jsonl", help="where figures are appended")
    parser.add_argument("--narrow", action="store_true",
                        help="two narrow layers of each shape, to try the script on any machine")  # fmt: skip
    parser.add_argument("--inside", help=argparse.SUPPRESS)  # the tool that this process runs
    parser.add_argument("--scratch", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return inside(options)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        waiting = [(model, tool) for model in options.models for tool in options.tools]
        following: Worker | None = Worker.start(*waiting.pop(0), options, Path(scratch))
        while following is not None:
            worker, following = following, None
            left = options.deadline - (time.perf_counter() - began)
            if left < 0:
                worker.process.kill()
                print(f"left out: {worker.model}, {worker.tool}, {waiting}", flush=True)
                break
            if waiting:
                following = Worker.start(*waiting.pop(0), options, Path(scratch))
            for line in worker.measure(min(options.timeout, left)):
                figures = {"model": worker.model, **json.loads(line)}
                with Path(options.out).open("a", encoding="utf-8") as file:
                    file.write(json.dumps(figures) + "\n")
                print(figures, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
