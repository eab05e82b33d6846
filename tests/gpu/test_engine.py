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

    from lawqa.models.load import load_model, no_peft_warnings
    from lawqa.models.tiny import train_tiny_tokenizer
    from lawqa.settings import ModelSettings

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
    found = load_model(ModelSettings(model_name=str(directory), load_in_4bit=True))
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
    from lawqa.backends.hf.encoded import encode
    from lawqa.backends.hf.engine.opening import open_engine
    from lawqa.backends.hf.engine.sequence import Finished, Request
    from lawqa.models.decoder import read_decoder
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


def judged(loaded: Any, questions: Any, texts: dict[int, tuple[int, ...]]) -> Any:
    """Every token under transformers' probabilities after the same tokens."""
    from lawqa.backends.hf.encoded import encode
    from lawqa.backends.hf.plain_model import PlainModel
    from lawqa.models.agreement import judge_tokens
    from lawqa.prompting import PromptSpec, build_prompt

    plain = PlainModel(loaded, adapter=True)
    logits, tokens = [], []
    for number, text in texts.items():
        ids = encode(build_prompt(questions[number], PromptSpec()), loaded.tokenizer).ids
        logits.append(plain.following_logits(ids, text))
        tokens.extend(text)
    found = judge_tokens(torch.cat(logits), torch.tensor(tokens, device=loaded.device))
    print(f"{found.same} of {found.rows} tokens the likeliest, margin {found.margin:.3f} nats")
    return found


@pytest.mark.parametrize("kernels", [False, True])
def test_replayed_and_launched_steps_write_what_transformers_finds_likeliest(
    loaded: Any, questions: Any, *, kernels: bool
) -> None:
    # The rows differ: a graph computes a bucket of them, of which some hold nothing.
    for graphs in (False, True):
        texts = written(loaded, questions[:21], kernels=kernels, graphs=graphs)
        found = judged(loaded, questions, texts)
        assert found.rows == 21 * NEW
        assert found.margin < 2 * HALF_TOLERANCE
        assert found.same > 0.9 * found.rows


@pytest.mark.parametrize("kernels", [False, True])
def test_keys_and_values_in_8_bits_write_what_is_likeliest(
    loaded: Any, questions: Any, *, kernels: bool
) -> None:
    texts = written(loaded, questions[:21], kernels=kernels, graphs=True, kv_cache="int8")
    found = judged(loaded, questions, texts)
    assert found.margin < 2 * HALF_TOLERANCE
    assert found.same > 0.9 * found.rows


@pytest.mark.parametrize("kernels", [False, True])
def test_a_replayed_step_samples_what_a_launched_step_samples(
    loaded: Any, questions: Any, *, kernels: bool
) -> None:
    settings = {"temperature": 0.8, "top_k": 20, "top_p": 0.9}
    launched = written(loaded, questions[:16], kernels=kernels, graphs=False, **settings)
    replayed = written(loaded, questions[:16], kernels=kernels, graphs=True, **settings)
    assert len(set(launched.values())) > 1
    alike = sum(replayed[number] == launched[number] for number in launched)
    # 16 rows are a bucket of their own. Plain torch also pads lengths to a bucket, and may round otherwise.
    assert alike == 16 if kernels else alike > 12


@pytest.mark.parametrize("kernels", [False, True])
def test_samples_of_one_prompt_share_its_pages_and_write_what_is_likeliest(
    loaded: Any, questions: Any, *, kernels: bool
) -> None:
    from lawqa.backends.base import GenerationSettings
    from lawqa.backends.hf.encoded import encode
    from lawqa.backends.hf.engine.opening import open_engine
    from lawqa.backends.hf.engine.sequence import Finished, Request
    from lawqa.models.decoder import read_decoder
    from lawqa.prompting import PromptSpec, build_prompt

    decoder, samples = read_decoder(loaded.model, loaded.dtype), 4
    asked = [
        tuple(encode(build_prompt(question, PromptSpec()), loaded.tokenizer).ids)
        for question in questions[:8]
    ]
    requests = [
        Request(number, asked[number % len(asked)], number, NEW)
        for number in range(samples * len(asked))
    ]
    engine = open_engine(
        decoder, requests, GenerationSettings(NEW), (), loaded.tokenizer, kernels=kernels
    )
    texts = {d.number: d.tokens for d in engine.run(requests) if isinstance(d, Finished)}
    assert sorted(texts) == list(range(len(requests)))
    assert engine.stats.prefill_tokens < 1.5 * sum(map(len, asked))
    for sample in range(samples):
        own = {number: texts[sample * len(asked) + number] for number in range(len(asked))}
        assert judged(loaded, questions, own).margin < 2 * HALF_TOLERANCE


def fused_kinds() -> list[Any]:
    from lawqa.backends.hf.engine.triton_forward import GluonForward, TritonForward
    from lawqa.models.kernels.nf4_products import gluon_obstacle

    return [TritonForward] if gluon_obstacle() else [GluonForward, TritonForward]


@pytest.mark.parametrize("rows", [2, 17, 48, 96, 140])
def test_fused_steps_give_the_probabilities_of_transformers(
    loaded: Any, questions: Any, rows: int
) -> None:
    from lawqa.backends.hf.encoded import encode
    from lawqa.backends.hf.engine.cache import PagedCache
    from lawqa.backends.hf.engine.triton_forward import fused_step_obstacle
    from lawqa.backends.hf.plain_model import PlainModel
    from lawqa.backends.hf.self_check import step_logits
    from lawqa.models.agreement import HALF, compare_logits
    from lawqa.models.decoder import read_decoder
    from lawqa.prompting import PromptSpec, build_prompt

    decoder = read_decoder(loaded.model, loaded.dtype)
    assert fused_step_obstacle(decoder) is None
    ids = [
        encode(build_prompt(question, PromptSpec()), loaded.tokenizer).ids
        for question in questions[:8]
    ]
    expected = PlainModel(loaded, adapter=True).last_logits(ids)
    for kind in fused_kinds():
        cache = PagedCache(decoder.shape, decoder.dtype, decoder.device, 100)
        found = step_logits(decoder, cache, kind(decoder, cache), ids, rows)
        agreement = compare_logits(expected[[row % len(ids) for row in range(rows)]], found)
        print(kind.__name__, agreement)
        assert agreement.within(HALF)


def test_what_the_fused_step_keeps_is_what_was_reckoned_with(loaded: Any) -> None:
    from lawqa.backends.hf.engine.cache import PagedCache
    from lawqa.backends.hf.engine.triton_forward import extra_bytes
    from lawqa.models.decoder import read_decoder

    decoder = read_decoder(loaded.model, loaded.dtype)
    cache = PagedCache(decoder.shape, decoder.dtype, decoder.device, 10)
    before = torch.cuda.memory_allocated()
    forward = fused_kinds()[0](decoder, cache)
    kept = torch.cuda.memory_allocated() - before
    tensors = 4 * len(decoder.layers) * 5
    assert forward.fixed_length
    assert 0.9 * extra_bytes(decoder) < kept < extra_bytes(decoder) + 512 * tensors


def test_in_float32_the_engine_writes_exactly_what_transformers_generates(
    tmp_path: Path, questions: Any
) -> None:
    from lawqa.backends.base import Completion, GenerationSettings
    from lawqa.backends.hf.backend import HFBackend
    from lawqa.models.load import load_model
    from lawqa.models.tiny import train_tiny_tokenizer, write_tiny_model
    from lawqa.prompting import PromptSpec, build_prompt
    from lawqa.settings import ModelSettings

    tokenizer = train_tiny_tokenizer(q.text + "\n" + "\n".join(q.choices) for q in questions)
    write_tiny_model(tmp_path, tokenizer)
    exact = load_model(ModelSettings(model_name=str(tmp_path), dtype="float32"))
    asked = [build_prompt(question, PromptSpec()) for question in questions[:16]]
    fast, plain = (
        {
            item.key: item.text
            for item in HFBackend(exact, path=path).generate(asked, GenerationSettings(NEW))  # type: ignore[arg-type]
            if isinstance(item, Completion)
        }
        for path in ("fast", "plain")
    )
    assert len(fast) == len(asked)
    assert fast == plain


def test_the_check_before_a_run_trusts_the_fused_step(
    loaded: Any, questions: Any, caplog: pytest.LogCaptureFixture
) -> None:
    from lawqa.backends.base import GenerationSettings
    from lawqa.backends.hf.backend import HFBackend
    from lawqa.prompting import PromptSpec, build_prompt

    backend = HFBackend(loaded)
    asked = [build_prompt(question, PromptSpec()) for question in questions[:20]]
    assert len(list(backend.score_choices(asked))) == len(asked)
    assert len(list(backend.generate(asked, GenerationSettings(NEW)))) == len(asked)
    assert backend.describe()["decoding"] == fused_kinds()[0].__name__
    assert backend.describe()["path"] == "flat tokens, TritonElementwise"
    assert not [record for record in caplog.records if record.name.startswith("lawqa")]


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
