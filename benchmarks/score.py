"""How fast labels are scored, beside transformers' own forward pass on padded batches.

    python benchmarks/score.py MODEL_DIR QUESTIONS.json [--adapter DIR] [--token-budget 8192] [--plain]

Prints seconds, tokens a second, peak memory and the largest difference of a log-probability.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from hf_common import cap_memory, load, peak, reset_peak, synchronised

from lawqa.backends.base import ChoiceScores
from lawqa.backends.hf.backend import HFBackend
from lawqa.choices import cyclic_orders
from lawqa.prompting import Prompt, PromptSpec, build_prompt
from lawqa.questions import read_questions, reordered


def scored(backend: HFBackend, asked: list[Prompt], name: str) -> dict[str, ChoiceScores]:
    """One run, its figures printed."""
    reset_peak()
    began = synchronised()
    found = {item.key: item for item in backend.score_choices(asked)}
    seconds = synchronised() - began
    answered = {key: item for key, item in found.items() if isinstance(item, ChoiceScores)}
    tokens = sum(item.prompt_tokens for item in answered.values())
    print(
        f"{name:44s} {len(answered):4d} prompts {tokens:7d} tokens {seconds:6.2f} s "
        f"{tokens / seconds:8.0f} tok/s peak {peak():.2f} GiB",
        flush=True,
    )
    return answered


def compared(one: dict[str, ChoiceScores], other: dict[str, ChoiceScores]) -> None:
    """How far two ways of asking are from each other."""
    pairs = [(one[key], other[key]) for key in one]
    far = max(abs(a - b) for p, q in pairs for a, b in zip(p.logprobs, q.logprobs, strict=True))
    same = sum(
        p.logprobs.index(max(p.logprobs)) == q.logprobs.index(max(q.logprobs)) for p, q in pairs
    )
    print(
        f"  largest difference {far:.3f} nats; the same label on {same} of {len(pairs)}", flush=True
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("questions", type=Path)
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--memory-gib", type=float, default=19.0)
    parser.add_argument("--token-budget", type=int, nargs="+", default=[8192])
    parser.add_argument("--plain", action="store_true", help="transformers' forward pass as well")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    cap_memory(args.memory_gib)
    loaded = load(args.model, args.adapter)
    questions = read_questions(args.questions)
    for condition in ("closed", "gold"):
        spec = PromptSpec(condition=condition)
        asked = [build_prompt(question, spec) for question in questions]
        orders = [
            build_prompt(reordered(question, order), spec)
            for question in questions
            for order in cyclic_orders()
        ]
        for budget in args.token_budget:
            fast = HFBackend(loaded, budget)
            scored(fast, asked[:16], f"{condition}, warming up")
            one = scored(fast, asked, f"{condition}, fast, budget {budget}")
            again = scored(fast, asked, f"{condition}, fast, budget {budget}, again")
            compared(one, again)
            four = scored(fast, orders, f"{condition}, fast, budget {budget}, four orders")
            compared(one, {key: item for key, item in four.items() if key in one})
        if args.plain:
            plain = HFBackend(loaded, args.token_budget[0], path="plain")
            scored(plain, asked[:16], f"{condition}, warming up")
            compared(one, scored(plain, asked, f"{condition}, transformers"))


if __name__ == "__main__":
    main()
