"""How fast transformers' own continuous batching writes texts beside `thinking.py`.

    python benchmarks/continuous_batching.py MODEL_DIR QUESTIONS.json [--texts 64] [--new 16 256]
        [--seconds 40] [--memory-gib 19] [--out FILE]

The same prompts under the same cap, tokens drawn as Qwen3's makers say for thinking, every text of --new
tokens. The runs become longer, and none is begun after --seconds. Each makes its cache and captures its
graphs, which is counted: a manager that is kept holds its cache beside that of the next run. The cache has
the pages that the texts need, for left to itself transformers takes more than the cap leaves.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from pathlib import Path
from typing import Any

import transformers
from hf_common import cap_memory, load, peak, prompts, reset_peak, synchronised
from transformers import GenerationConfig
from transformers.generation.configuration_utils import ContinuousBatchingConfig

from lawqa.backends.hf.encoded import encode

BLOCK = 256
"""Tokens of a page of transformers' cache, as it is by default."""


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("questions", type=Path)
    parser.add_argument("--texts", type=int, nargs="+", default=[64])
    parser.add_argument("--new", type=int, nargs="+", default=[16, 256])
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--memory-gib", type=float, default=19.0)
    parser.add_argument("--condition", choices=("closed", "gold"), default="gold")
    parser.add_argument("--blocks", type=int, help="of 256 tokens; as many as the texts need")
    parser.add_argument("--out", type=Path, help="where figures are appended")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    options = arguments()
    cap_memory(options.memory_gib)
    loaded = load(options.model, None)
    model: Any = loaded.model
    model.set_attn_implementation("paged|sdpa")
    asked = itertools.cycle(
        list(encode(prompt, loaded.tokenizer).ids)
        for prompt in prompts(options.questions, options.condition, "cot")
    )
    ids = list(itertools.islice(asked, max(options.texts)))
    began = time.perf_counter()
    for new, texts in itertools.product(options.new, options.texts):
        if time.perf_counter() - began > options.seconds:
            print(f"left out for time: {texts} texts of {new} tokens", flush=True)
            continue
        asked_now = ids[:texts]
        reset_peak()
        start = synchronised()
        given = model.generate_batch(
            inputs=asked_now,
            generation_config=GenerationConfig(
                max_new_tokens=new, eos_token_id=-1, pad_token_id=loaded.tokenizer.pad_token_id,
                do_sample=True, temperature=0.6, top_p=0.95, top_k=20,
            ),
            continuous_batching_config=ContinuousBatchingConfig(
                num_blocks=options.blocks or sum(-(-(len(one) + new) // BLOCK) for one in asked_now),
                max_batch_tokens=1024,
            ),
        )  # fmt: skip
        seconds = synchronised() - start
        tokens = sum(len(one.generated_tokens) for one in given.values())
        if not tokens:
            raise SystemExit(f"transformers wrote nothing: {[o.error for o in given.values()][:1]}")
        figures = {
            "tool": f"transformers {transformers.__version__}, continuous batching",
            "texts": texts, "new": new, "tokens": tokens, "seconds": round(seconds, 1),
            "tokens_per_s": round(tokens / seconds), "peak_gib": round(peak(), 2),
        }  # fmt: skip
        print("RESULT", json.dumps(figures), flush=True)
        if options.out:
            with options.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
