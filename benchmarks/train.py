"""Training speed beside TRL and Unsloth: `python benchmarks/train.py --model DIR --questions FILE`.

100 questions of lawqa_jp, LoRA r=16 on all linear layers over NF4, the second of two trainings of --epochs
epochs in one process, everybody with the same prompt and under the same memory cap, each in a process of its
own. A model directory without weights gets random ones. A tool that is not installed is left
out with a reason. Figures are real tokens (padding not counted) a second; the peak is of tensors.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CLOSED, GOLD = "closed-book", "with context"
# The batch of each tool is the fastest of those tried within 19 GiB of an H200.
CONTENDERS = {
    "lawqa": ("lawqa_fast.py", {CLOSED: 32, GOLD: 32}),
    "lawqa, plain path": ("lawqa_plain.py", {CLOSED: 32, GOLD: 32}),
    "TRL": ("trl_sft.py", {CLOSED: 32, GOLD: 16}),
    "Unsloth": ("unsloth_sft.py", {CLOSED: 32, GOLD: 8}),
}


def main() -> int:
    """Run everybody and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="a model directory with its tokenizer")
    parser.add_argument("--questions", required=True, help="lawqa_jp's selection.json")
    parser.add_argument("--cap-gib", default="19.0", help="memory that a process may use")
    parser.add_argument("--only", nargs="*", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--conditions", nargs="*", choices=(CLOSED, GOLD), default=[CLOSED, GOLD])
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=1, help="rounds over all contenders")
    parser.add_argument("--timeout", type=float, default=240, help="seconds for one measurement")
    options = parser.parse_args()
    environment = {
        **os.environ, "BENCH_MODEL": options.model, "BENCH_QUESTIONS": options.questions,
        "BENCH_CAP_GIB": options.cap_gib, "BENCH_EPOCHS": str(options.epochs),
        "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false",
    }  # fmt: skip
    rows = []
    for context in options.conditions * options.repeats:
        for name in options.only:
            script, batches = CONTENDERS[name]
            figures = measure(script, context, batches[context], environment, options.timeout)
            rows.append((context, name, batches[context], figures))
            print(f"{context}, {name}: {figures}", file=sys.stderr, flush=True)
    print(
        "| questions | trained by | batch | real tokens/s | in the loop alone | seconds | peak GiB |"
    )
    print("|---|---|---|---|---|---|---|")
    for context, name, batch, figures in rows:
        shown = (
            f"{figures['tokens'] / figures['seconds']:,.0f} | {figures.get('loop_tokens_per_s', '')} | "
            f"{figures['seconds']:.2f} | "
            f"{figures['peak_gib']:.2f}"
            if isinstance(figures, dict)
            else f"left out: {figures} | | |"
        )
        print(f"| {context} | {name} | {batch} | {shown} |")
    return 0


def measure(
    script: str, context: str, batch: int, environment: dict[str, str], timeout: float
) -> dict[str, float] | str:
    """What one contender printed, or why there is nothing."""
    try:
        done = subprocess.run(  # noqa: S603 - our own scripts
            [sys.executable, str(HERE / "training_peers" / script), context, str(batch)],
            env=environment, capture_output=True, text=True, check=False, timeout=timeout,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"no result in {timeout:.0f} s"
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            figures: dict[str, float] = json.loads(line.removeprefix("RESULT "))
            return figures
    last = (done.stderr.strip() or "no output").splitlines()[-1]
    return last[:160]


if __name__ == "__main__":
    sys.exit(main())
