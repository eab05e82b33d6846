"""Training speed of several versions of lawqa, which train in turn while all are loaded.

    python benchmarks/train_in_turn.py MODEL_DIR QUESTIONS.json before=FOLDER after=FOLDER [--rounds 3]
        [--conditions closed-book "with context"] [--epochs 3 1] [--take 100] [--batch 32] [--cap-gib 19]

A version is a name and a checkout; its process has that folder first in PYTHONPATH, and these benchmarks' own
modules, so it must be recent enough for them. One process after the other differs by more than most
changes do, as clocks and neighbours change meanwhile: so in each round every version trains once, in an order
that is reversed from round to round, after a round that only warms up. The card must hold all of them.

100 questions of lawqa_jp, LoRA r=16 on all linear layers over NF4. "In the loop" is real tokens a second of
the loop; "whole" also counts the rehearsal, the start and the last checkpoint. A model directory without
weights gets random ones; one made with `random_models.py --narrow` is tried on a CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from architectures import CLOSED, GOLD, encoded

READY, RESULT = "READY", "RESULT"
LEARNING_RATE = 2e-5
Figures = dict[tuple[str, str], list[dict[str, Any]]]
"""The figures of each round, by condition and version."""


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("questions", help="lawqa_jp's selection.json")
    parser.add_argument("versions", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--rounds", type=int, default=3, help="after one that warms up")
    parser.add_argument("--conditions", nargs="+", choices=(CLOSED, GOLD), default=[CLOSED, GOLD])
    parser.add_argument("--epochs", nargs="+", type=int, default=[3, 1], help="of each condition")
    parser.add_argument("--take", type=int, default=100, help="questions, at most 100")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--cap-gib", type=float, default=19.0, help="memory that a process may use")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)  # a worker
    options = parser.parse_args()
    if len(options.epochs) != len(options.conditions):
        parser.error("--epochs: one number for each of --conditions")
    for version in options.versions:
        _, mark, folder = version.partition("=")
        if not mark or not (Path(folder) / "lawqa").is_dir():
            parser.error(f"{version}: expected NAME=FOLDER, a checkout with the folder lawqa")
    return options


def inside(options: argparse.Namespace) -> None:
    """What a worker does: import, wait, load, then train whenever a line says so."""
    import logging

    from hf_common import cap_memory, load, peak, reset_peak, synchronised

    from lawqa.records import IGNORED, TokenizedRecord
    from lawqa.settings import Hyperparameters
    from lawqa.training.adapter import add_adapter
    from lawqa.training.fit import fit

    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("lawqa").setLevel(logging.INFO)
    print(READY, flush=True)
    sys.stdin.readline()
    cap_memory(options.cap_gib)
    loaded = load(options.model, None)

    def records(condition: str) -> list[TokenizedRecord]:
        rows = encoded(loaded.tokenizer, options.questions, condition)[: options.take]
        return [
            TokenizedRecord(str(number), [*asked, *answer], [IGNORED] * len(asked) + answer)
            for number, (asked, answer) in enumerate(rows)
        ]

    def config(epochs: int) -> Hyperparameters:
        return Hyperparameters(
            num_epochs=epochs, batch_size=options.batch, gradient_accumulation_steps=1,
            lora_dropout=0.0, learning_rate=LEARNING_RATE, warmup_ratio=0.0, max_seq_length=4096,
            save_minutes=0,
        )  # fmt: skip

    data = {condition: records(condition) for condition in options.conditions}
    model = add_adapter(loaded, config(1))
    print(READY, flush=True)
    for line in sys.stdin:
        condition, epochs = json.loads(line)
        reset_peak()
        retries, began = _retries(), synchronised()
        with tempfile.TemporaryDirectory() as folder:
            done = fit(loaded, model, data[condition], config(epochs), Path(folder), quiet=True)
        seconds = synchronised() - began
        figures = {
            "loop": round(done.tokens / done.seconds), "whole": round(done.tokens / seconds),
            "seconds": round(seconds, 2), "tokens": done.tokens, "peak_gib": round(peak(), 2),
            "retries": _retries() - retries,
        }  # fmt: skip
        print(RESULT, json.dumps(figures), flush=True)


def _retries() -> int:
    """How often the allocator has had to return memory and ask again."""
    import torch

    if not torch.cuda.is_available():
        return 0
    return int(torch.cuda.memory_stats().get("num_alloc_retries", 0))


@dataclass
class Worker:
    """The process of one version."""

    name: str
    process: subprocess.Popen[str]
    said: Path
    """Its standard error."""

    @classmethod
    def start(cls, version: str, scratch: Path) -> Worker:
        """Start one; it loads its model only after a line."""
        name, _, folder = version.partition("=")
        path = filter(None, [str(Path(folder).resolve()), os.environ.get("PYTHONPATH")])
        environment = {
            **os.environ, "PYTHONPATH": os.pathsep.join(path), "HF_HUB_OFFLINE": "1",
            "TOKENIZERS_PARALLELISM": "false",
        }  # fmt: skip
        said = scratch / f"{name}.err"
        with said.open("wb") as errors:
            process = subprocess.Popen(  # noqa: S603 - our own script
                [sys.executable, __file__, "--inside", *sys.argv[1:]], env=environment, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
            )  # fmt: skip
        return cls(name, process, said)

    def say(self, line: str) -> None:
        """Send it a line."""
        if self.process.stdin is None:
            raise RuntimeError("no pipe to the process")
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def wait(self, word: str) -> str:
        """What follows this word in the next line that begins with it.

        Raises:
            SystemExit: the process ended before that.
        """
        for line in self.process.stdout or ():
            if line.startswith(word):
                return line.removeprefix(word).strip()
        raise SystemExit(f"{self.name} ended: {self.said.read_text(encoding='utf-8')[-1500:]}")

    def paths(self) -> set[str]:
        """Lines on the way that it trains."""
        lines = self.said.read_text(encoding="utf-8", errors="replace").splitlines()
        return {line for line in lines if " path: " in line}


def in_turn(workers: Sequence[Worker], options: argparse.Namespace) -> Figures:  # fmt: skip
    """Train round by round; the figures of each condition and version, the first round left out."""
    began = time.perf_counter()
    figures: Figures = {}
    for number in range(options.rounds + 1):
        for condition, epochs in zip(options.conditions, options.epochs, strict=True):
            for worker in workers[:: 1 if number % 2 else -1]:
                worker.say(json.dumps([condition, epochs if number else 1]))
                one = json.loads(worker.wait(RESULT))
                if number:
                    figures.setdefault((condition, worker.name), []).append(one)
                what = f"round {number}" if number else "warm-up"
                passed = f"after {time.perf_counter() - began:.0f} s"
                print(f"{what}, {condition}, {worker.name}: {one}, {passed}", flush=True)
    return figures


def table(figures: Figures) -> None:
    """Print rounds and medians."""
    print("| questions | version | in the loop | median | whole | median | peak GiB |")
    print("|---|---|---|---|---|---|---|")
    for (condition, name), rounds in figures.items():
        cells = []
        for key in ("loop", "whole"):
            rates = [one[key] for one in rounds]
            cells += [", ".join(f"{rate:,}" for rate in rates), f"{statistics.median(rates):,.0f}"]
        peak = max(one["peak_gib"] for one in rounds)
        print(f"| {condition} | {name} | {' | '.join(cells)} | {peak:.2f} |")


def main() -> None:
    """Start all versions, load them one after the other, and let them train."""
    options = arguments()
    if options.inside:
        inside(options)
        return
    workers: list[Worker] = []
    with tempfile.TemporaryDirectory() as scratch:
        try:
            workers.extend(Worker.start(version, Path(scratch)) for version in options.versions)
            for worker in workers:
                worker.wait(READY)
            for worker in workers:
                worker.say("")
                worker.wait(READY)
            figures = in_turn(workers, options)
            for worker in workers:
                print(f"{worker.name}: {'; '.join(sorted(worker.paths()))}")
            table(figures)
        finally:
            for worker in workers:
                worker.process.kill()
                worker.process.wait()


if __name__ == "__main__":
    main()
