"""How fast labels are scored, beside transformers' own forward pass and lm-evaluation-harness.

    python benchmarks/score.py MODEL_DIR QUESTIONS.json [--adapter DIR] [--token-budget N] [--peers]

Prints seconds, tokens a second, peak memory, the largest difference of a log-probability, and, where two
ways choose other labels, how near those labels were. Ends with exit code 1 where a difference is larger
than half precision explains.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import torch
from hf_common import cap_memory, load, peak, reset_peak, synchronised

from lawqa.backends.base import ChoiceScores
from lawqa.backends.hf.backend import HFBackend
from lawqa.backends.hf.encoded import encode
from lawqa.backends.hf.labels import label_token_ids
from lawqa.choices import LABELS, cyclic_orders
from lawqa.models.agreement import tolerance_of
from lawqa.models.load import LoadedModel
from lawqa.prompting import Prompt, PromptSpec, build_prompt
from lawqa.questions import Question, read_questions, reordered

Scores = dict[str, ChoiceScores]


def scored(backend: HFBackend, asked: list[Prompt], name: str) -> Scores:
    """One run, its figures printed."""
    reset_peak()
    began = synchronised()
    found = {item.key: item for item in backend.score_choices(asked)}
    seconds = synchronised() - began
    answered = {key: item for key, item in found.items() if isinstance(item, ChoiceScores)}
    tokens = sum(item.prompt_tokens for item in answered.values())
    said(name, len(answered), tokens, seconds)
    return answered


def compared(one: Scores, other: Scores, tolerance: float) -> bool:
    """Print how far two ways of asking are from each other; whether that is within the tolerance."""
    pairs = [(one[key], other[key].logprobs) for key in one]
    far = max(abs(a - b) for p, q in pairs for a, b in zip(p.logprobs, q, strict=True))
    margins = [max(q) - q[chosen(p.logprobs)] for p, q in pairs]
    apart = sum(margin > 0 for margin in margins)
    good = far <= tolerance and max(margins) <= 2 * tolerance
    print(
        f"  largest difference {far:.3f} nats ({tolerance} allowed); the same label on "
        f"{len(pairs) - apart} of {len(pairs)}"
        + (f", the others' labels {max(margins):.3f} nats apart at most" if apart else "")
        + ("" if good else "  OUTSIDE"),
        flush=True,
    )
    return good


def chosen(logprobs: tuple[float, ...]) -> int:
    """The number of the likeliest label."""
    return logprobs.index(max(logprobs))


def harness(loaded: LoadedModel, asked: list[Prompt], name: str) -> Scores | None:
    """The same labels from lm-evaluation-harness; None, said, where it is not installed.

    Every form of a label is a continuation of its own; they share a forward pass, as a label's forms do
    in ours. It counts the white space before the label to the continuation: the same for all.
    """
    if find_spec("lm_eval") is None:
        print("lm-evaluation-harness: not installed, left out")
        return None
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    tokenizer = loaded.tokenizer
    # It keeps the logits of every position: more in a batch would not fit beside the model.
    peer = HFLM(
        pretrained=loaded.model, tokenizer=tokenizer, batch_size=4, max_length=8192,
        softmax_dtype="float32",
    )  # fmt: skip
    encoded = [encode(prompt, tokenizer) for prompt in asked]
    forms = [[tokenizer.decode([token]) for token in ids]
             for ids in label_token_ids(tokenizer, encoded[0].text)]  # fmt: skip
    requests = [
        Instance("loglikelihood", {}, (item.text, form), 0)
        for item in encoded for label in forms for form in label
    ]  # fmt: skip
    adapted = (
        loaded.adapter is not None and loaded.dtype != torch.float32
    )  # as transformers runs one
    reset_peak()
    began = synchronised()
    with torch.no_grad(), torch.autocast(loaded.device.type, loaded.dtype, enabled=adapted):
        found = iter([value for value, _ in peer.loglikelihood(requests, disable_tqdm=True)])
    seconds = synchronised() - began
    result: Scores = {}
    for item in encoded:
        labels = torch.tensor(
            [torch.tensor([next(found) for _ in label]).double().logsumexp(0) for label in forms]
        )
        a, b, c, d = labels.log_softmax(0).tolist()
        result[item.prompt.key] = ChoiceScores(
            item.prompt.key, (a, b, c, d), 1.0, item.text, len(item.ids), 0.0
        )
    tokens = sum(len(item.ids) for item in encoded)
    said(name, len(asked), tokens, seconds)
    return result


def said(name: str, prompts: int, tokens: int, seconds: float) -> None:
    """Print the figures of one run."""
    print(
        f"{name:44s} {prompts:4d} prompts {tokens:7d} tokens {seconds:6.2f} s "
        f"{tokens / seconds:8.0f} tok/s peak {peak():.2f} GiB",
        flush=True,
    )


def accuracy(found: Scores, questions: Sequence[Question], asked: list[Prompt]) -> str:
    """How many labels are right."""
    right = sum(
        LABELS[chosen(found[prompt.key].logprobs)] == question.gold
        for question, prompt in zip(questions, asked, strict=True)
    )
    return f"{right} of {len(asked)} right"


def main() -> int:
    """Measure and print; 1 where two ways differ by more than the tolerance."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("questions", type=Path)
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--memory-gib", type=float, default=19.0)
    parser.add_argument("--token-budget", type=int, nargs="+", default=[0],
                        help="0 for what the memory holds")  # fmt: skip
    parser.add_argument("--asked", type=int, default=140, help="ask the first N questions")
    parser.add_argument("--peers", action="store_true",
                        help="transformers and lm-evaluation-harness as well")  # fmt: skip
    parser.add_argument("--dense", action="store_true", help="do not quantise to 4 bits")
    args = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    cap_memory(args.memory_gib)
    loaded = load(args.model, args.adapter, four_bit=not args.dense)
    tolerance = tolerance_of(loaded.dtype).largest
    questions = read_questions(args.questions)[: args.asked]
    good = True
    for condition in ("closed", "gold"):
        spec = PromptSpec(condition=condition)
        asked = [build_prompt(question, spec) for question in questions]
        orders = [
            build_prompt(reordered(question, order), spec)
            for question in questions
            for order in cyclic_orders()
        ]
        for budget in args.token_budget:
            fast = HFBackend(loaded, budget or None)
            scored(fast, asked[:16], f"{condition}, warming up")
            name = f"{condition}, fast, budget {fast.describe()['token_budget']}"
            one = scored(fast, asked, name)
            again = scored(fast, asked, f"{name}, again")
            good = compared(one, again, tolerance) and good
            print(f"  {accuracy(one, questions, asked)}")
            four = scored(fast, orders, f"{name}, four orders")
            four = {key: item for key, item in four.items() if key in one}
            good = compared(one, four, tolerance) and good
        if args.peers:
            plain = HFBackend(loaded, path="plain")
            scored(plain, asked[:16], f"{condition}, warming up")
            ours = scored(plain, asked, f"{condition}, transformers")
            good = compared(one, ours, tolerance) and good
            alone = HFBackend(loaded, 1, path="plain")
            single = scored(alone, asked[:24], f"{condition}, transformers, one by one")
            some = {key: item for key, item in ours.items() if key in single}
            print("  transformers against itself, batches against one by one:")
            good = compared(some, single, tolerance) and good
            peer = harness(loaded, asked, f"{condition}, lm-evaluation-harness, batch 4")
            if peer is not None:
                good = compared(one, peer, tolerance) and good
                print(f"  {accuracy(peer, questions, asked)}")
    print("all within the tolerance" if good else "OUTSIDE THE TOLERANCE")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
