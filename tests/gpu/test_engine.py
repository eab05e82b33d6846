"""On a card: replayed steps are the launched ones, fused and plain steps agree, forests are exact."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

HAS_TORCH = importlib.util.find_spec("torch") is not None
if HAS_TORCH:
    import torch

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        not HAS_TORCH or not torch.cuda.is_available(), reason="no CUDA device (or no torch)"
    ),
]

NEW = 24

HALF_TOLERANCE = 0.2
"""Nats between two orders of the same sums in bfloat16."""


@pytest.fixture(scope="module")
def questions() -> Any:
    from lawqa.demo import embedded_questions

    return embedded_questions()


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory, questions: Any) -> Any:
    """A small model whose layers are large enough for the fused step, in 4 bits, with an adapter."""
    from peft import LoraConfig, get_peft_model
    from transformers import Qwen3Config, Qwen3ForCausalLM

    from lawqa.backends.hf.load import ModelConfig, load_model, no_peft_warnings
    from lawqa.backends.hf.tiny import train_tiny_tokenizer

    directory = tmp_path_factory.mktemp("models") / "small"
    tokenizer = train_tiny_tokenizer(
        f"{q.context}\n{q.text}\n" + "\n".join(q.choices) for q in questions
    )
    config = Qwen3Config(
        vocab_size=len(tokenizer), hidden_size=512, intermediate_size=1024, num_hidden_layers=3,
        num_attention_heads=8, num_key_value_heads=4, head_dim=64, tie_word_embeddings=True,
        initializer_range=0.1, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    torch.manual_seed(0)
    Qwen3ForCausalLM(config).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    found = load_model(ModelConfig(str(directory), load_in_4bit=True))
    torch.manual_seed(0)
    lora = LoraConfig(
        r=8, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False
    )
    with no_peft_warnings():
        found.model = get_peft_model(found.model, lora).eval()
    found.adapter = Path("made here")
    return found


def written(
    loaded: Any, questions: Any, *, kernels: bool, graphs: bool, **settings: Any
) -> dict[int, tuple[int, ...]]:
    from lawqa.backends.base import GenerationSettings
    from lawqa.backends.hf.decoder import read_decoder
    from lawqa.backends.hf.encoded import encode
    from lawqa.backends.hf.engine_sequence import Finished, Request
    from lawqa.backends.hf.generating import open_engine
    from lawqa.prompting import PromptSpec, build_prompt

    decoder = read_decoder(loaded.model, loaded.dtype)
    prompts = [build_prompt(question, PromptSpec()) for question in questions]
    requests = [
        Request(number, tuple(encode(prompt, loaded.tokenizer).ids), number, NEW)
        for number, prompt in enumerate(prompts)
    ]
    engine = open_engine(
        decoder, requests, GenerationSettings(NEW, **settings), (), loaded.tokenizer,
        kernels=kernels, graphs=graphs,
    )  # fmt: skip
    found = {d.number: d.tokens for d in engine.run(requests) if isinstance(d, Finished)}
    assert sorted(found) == list(range(len(prompts)))
    assert all(len(tokens) == NEW for tokens in found.values())
    return found


def agreement(one: dict[int, tuple[int, ...]], other: dict[int, tuple[int, ...]]) -> float:
    """The share of tokens before the first difference."""
    same = 0
    for number, tokens in one.items():
        pairs = zip(tokens, other[number], strict=True)
        same += next((n for n, (a, b) in enumerate(pairs) if a != b), NEW)
    share = same / (NEW * len(one))
    print(f"tokens before the first difference: {share:.3f}")
    return share


@pytest.mark.parametrize("kernels", [False, True])
@pytest.mark.parametrize("settings", [{}, {"temperature": 0.8, "top_k": 20, "top_p": 0.9}])
def test_replayed_steps_write_what_launched_steps_write(
    loaded: Any, questions: Any, settings: dict[str, Any], *, kernels: bool
) -> None:
    # The rows differ: a graph computes a bucket of them, of which some hold nothing.
    launched = written(loaded, questions[:21], kernels=kernels, graphs=False, **settings)
    replayed = written(loaded, questions[:21], kernels=kernels, graphs=True, **settings)
    assert agreement(replayed, launched) > 0.9


def test_fused_steps_write_what_plain_torch_writes(loaded: Any, questions: Any) -> None:
    from lawqa.backends.hf.decoder import read_decoder
    from lawqa.backends.hf.triton_forward import why_not_fused

    assert why_not_fused(read_decoder(loaded.model, loaded.dtype)) is None
    fused = written(loaded, questions, kernels=True, graphs=True)
    plain = written(loaded, questions, kernels=False, graphs=False)
    assert agreement(fused, plain) > 0.8


def test_the_engine_writes_what_transformers_generates(loaded: Any, questions: Any) -> None:
    from lawqa.backends.base import GenerationSettings
    from lawqa.backends.hf.encoded import encode
    from lawqa.backends.hf.plain_generation import generate_plain
    from lawqa.prompting import PromptSpec, build_prompt

    fused = written(loaded, questions[:16], kernels=True, graphs=True)
    batch = [encode(build_prompt(q, PromptSpec()), loaded.tokenizer) for q in questions[:16]]
    with torch.autocast("cuda", dtype=loaded.dtype):
        rows = generate_plain(loaded.model, batch, GenerationSettings(NEW), (), 0, loaded.device)
    assert agreement(fused, {n: tuple(row) for n, row in enumerate(rows)}) > 0.8


@pytest.mark.parametrize("adapter", [True, False])
def test_scores_through_shared_prefixes_are_those_of_transformers(
    loaded: Any, questions: Any, *, adapter: bool
) -> None:
    from lawqa.backends.hf.backend import HFBackend
    from lawqa.choices import cyclic_orders
    from lawqa.prompting import PromptSpec, build_prompt
    from lawqa.questions import reordered

    spec = PromptSpec(condition="gold")
    asked = [
        build_prompt(reordered(question, order), spec)
        for question in questions[:12]
        for order in cyclic_orders()
    ]

    def scores(path: Any) -> dict[str, Any]:
        backend = HFBackend(loaded, path=path)
        backend = backend if adapter else backend.without_adapter()
        return {item.key: item for item in backend.score_choices(asked)}

    fast, plain = scores("fast"), scores("plain")
    difference = max(
        abs(a - b)
        for key, item in fast.items()
        for a, b in zip(item.logprobs, plain[key].logprobs, strict=True)
    )
    print(f"largest difference of a log-probability: {difference:.3f} nats")
    assert len(fast) == len(plain) == len(asked)
    assert difference < HALF_TOLERANCE
