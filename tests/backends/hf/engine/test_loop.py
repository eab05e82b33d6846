"""The decode engine on the tiny model: the same texts as transformers, whatever the batch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lawqa.backends.base import ChoiceScores, Completion, Failure, GenerationSettings
from lawqa.backends.hf.backend import HFBackend, label_token_ids
from lawqa.backends.hf.encoded import encode
from lawqa.backends.hf.engine.cache import PagedCache
from lawqa.backends.hf.engine.loop import Engine, EngineOptions
from lawqa.backends.hf.engine.sequence import Finished, Request, ThinkBlocks, Unfit
from lawqa.backends.hf.engine.steps import Rows, TorchForward
from lawqa.backends.hf.engine.stops import StopRules
from lawqa.backends.hf.prefixes import common_length
from lawqa.errors import ConfigError
from lawqa.models.decoder import read_decoder
from lawqa.models.load import LoadedModel, load_model, no_peft_warnings
from lawqa.prompting import Prompt, PromptSpec, build_prompt
from lawqa.settings import ModelSettings

pytestmark = pytest.mark.torch

NEW = 11


@pytest.fixture(scope="module")
def loaded(tiny_dir: Path) -> LoadedModel:
    """With an adapter that changes what the model says."""
    from peft import LoraConfig, get_peft_model

    made = load_model(ModelSettings(model_name=str(tiny_dir)))
    torch.manual_seed(0)
    lora = LoraConfig(
        r=4, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False
    )
    with no_peft_warnings():
        model = get_peft_model(made.model, lora).eval()
    return replace(made, model=model, adapter=Path("made here"))


@pytest.fixture(scope="module")
def prompts(questions: Any) -> list[Prompt]:
    return [build_prompt(question, PromptSpec()) for question in questions[:6]]


@pytest.fixture(scope="module")
def expected(loaded: LoadedModel, prompts: list[Prompt]) -> list[tuple[int, ...]]:
    """What transformers writes, one prompt at a time."""
    rows = []
    for prompt in prompts:
        ids = torch.tensor([encode(prompt, loaded.tokenizer).ids])
        output = loaded.model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW, do_sample=False,
            eos_token_id=None,
        )  # fmt: skip
        rows.append(tuple(output[0, ids.shape[1] :].tolist()))
    return rows


def run(
    loaded: LoadedModel,
    prompts: list[Prompt],
    *,
    settings: GenerationSettings | None = None,
    stop_ids: tuple[int, ...] = (),
    pages: int = 200,
    page: int = 16,
    rows: int = 4,
    prefill: int = 1000,
    steps: int = 3,
    thinking: ThinkBlocks | None = None,
    forward: Any = TorchForward,
    graphs: bool = False,
    eight_bit: bool = False,
) -> tuple[dict[int, Finished | Unfit], Engine]:
    settings = settings or GenerationSettings(NEW)
    decoder = read_decoder(loaded.model, loaded.dtype)
    cache = PagedCache(
        decoder.shape, decoder.dtype, decoder.device, pages, page, eight_bit=eight_bit
    )
    requests = [
        Request(number, tuple(encode(prompt, loaded.tokenizer).ids), number,
                settings.max_new_tokens, thinking=thinking is not None)
        for number, prompt in enumerate(prompts)
    ]  # fmt: skip
    engine = Engine(
        decoder, cache, forward(decoder, cache), settings,
        StopRules(settings, stop_ids, loaded.tokenizer), thinking,
        EngineOptions(rows, prefill, steps, graphs=graphs),
    )  # fmt: skip
    found = {done.number: done for done in engine.run(requests)}
    assert sorted(found) == list(range(len(prompts)))
    assert cache.free == pages, "pages were lost"
    return found, engine


def tokens_of(found: dict[int, Finished | Unfit]) -> list[tuple[int, ...]]:
    assert all(isinstance(done, Finished) for done in found.values()), found
    return [found[number].tokens for number in sorted(found)]  # type: ignore[union-attr]


@pytest.mark.slow
@pytest.mark.parametrize(
    "division",
    [
        {},
        {"rows": 1, "steps": 1},
        {"rows": 6, "steps": 4, "page": 64},
        {"rows": 2, "steps": 7, "prefill": 1},
    ],
)
def test_greedy_texts_are_those_of_transformers_however_the_work_is_divided(
    loaded: LoadedModel,
    prompts: list[Prompt],
    expected: list[tuple[int, ...]],
    division: dict[str, int],
) -> None:
    found, engine = run(loaded, prompts, **division)  # type: ignore[arg-type]
    assert tokens_of(found) == expected
    assert all(done.stopped == "limit" for done in found.values() if isinstance(done, Finished))
    assert engine.stats.most_rows <= division.get("rows", 4)


def test_sequences_that_must_make_room_are_computed_again(
    loaded: LoadedModel, prompts: list[Prompt], expected: list[tuple[int, ...]]
) -> None:
    lengths = [len(encode(prompt, loaded.tokenizer).ids) for prompt in prompts]
    pages = sum(sorted(lengths)[-2:]) // 2 + 4  # of 2 tokens: two long prompts, little room to grow
    settings = {"page": 2, "rows": 6, "steps": 2}
    found, engine = run(loaded, prompts, pages=pages, **settings)  # type: ignore[arg-type]
    assert tokens_of(found) == expected
    assert engine.stats.prefills > 1


def test_keys_and_values_in_8_bits_write_nearly_the_same_texts(
    loaded: LoadedModel, prompts: list[Prompt], expected: list[tuple[int, ...]]
) -> None:
    found, engine = run(loaded, prompts, eight_bit=True)
    assert engine._cache.keys.dtype == engine._cache.values.dtype == torch.int8
    pairs = [
        pair
        for text, exact in zip(tokens_of(found), expected, strict=True)
        for pair in zip(text, exact, strict=True)
    ]
    # A text parts for good from the other at the first near tie.
    assert sum(one == other for one, other in pairs) > 0.6 * len(pairs)
    assert all(text[0] == exact[0] for text, exact in zip(tokens_of(found), expected, strict=True))


def test_a_backend_keeps_what_it_was_asked_to_keep(
    loaded: LoadedModel,
    prompts: list[Prompt],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept: list[tuple[bool, torch.dtype]] = []
    built = PagedCache.__init__

    def noted(self: PagedCache, *args: Any, **options: Any) -> None:
        built(self, *args, **options)
        kept.append((self.eight_bit, self.keys.dtype))

    monkeypatch.setattr(PagedCache, "__init__", noted)
    for settings in (GenerationSettings(2), GenerationSettings(2, kv_cache="int8")):
        backend = HFBackend(loaded)
        assert len(list(backend.generate(prompts[:2], settings))) == 2
        assert backend.describe()["kv_cache"] == settings.kv_cache
    assert kept == [(False, loaded.dtype), (True, torch.int8)]
    assert "--kv-cache" not in caplog.text
    plain = HFBackend(loaded, path="plain")
    assert len(list(plain.generate(prompts[:2], settings))) == 2
    assert len(kept) == 2
    assert "--kv-cache int8 has no effect" in caplog.text
    assert plain.describe()["kv_cache"].startswith("model: ")


@pytest.mark.slow
def test_growing_sequences_take_pages_from_those_that_joined_last(
    loaded: LoadedModel, prompts: list[Prompt]
) -> None:
    settings = GenerationSettings(60)
    roomy, _ = run(loaded, prompts[:3], settings=settings)
    ids = [encode(prompt, loaded.tokenizer).ids for prompt in prompts[:3]]
    first, *others = map(np.asarray, ids)
    shared = min(common_length(first, other) for other in others) // 4
    pages = sum(-(-len(one) // 4) for one in ids) - 2 * shared + 12
    tight, engine = run(loaded, prompts[:3], settings=settings, pages=pages, page=4)
    assert engine.stats.preempted > 0
    assert tokens_of(tight) == tokens_of(roomy)


def test_what_outgrows_the_memory_keeps_its_text_and_what_never_fits_is_given_up(
    loaded: LoadedModel, prompts: list[Prompt], expected: list[tuple[int, ...]]
) -> None:
    lengths = [len(encode(prompt, loaded.tokenizer).ids) for prompt in prompts]
    room = sorted(lengths)[2] + 6
    found, _ = run(loaded, prompts, pages=room, page=1, rows=2)
    ended: list[str] = []
    for number, length in enumerate(lengths):
        done = found[number]
        if isinstance(done, Unfit):
            assert done.reason.startswith("out of memory: ")
            assert done.reason.endswith(f"holds {room}")
            assert length + 1 > room - 3
            ended.append("unfit")
            continue
        ended.append(done.stopped)
        assert done.tokens == expected[number][: len(done.tokens)]
        assert (len(done.tokens) == NEW) == (done.stopped == "limit") == (length + NEW <= room)
        assert done.tokens
    assert set(ended) == {"unfit", "memory", "limit"}


def test_a_completion_that_fills_the_memory_reads_as_one_that_hit_its_limit(
    loaded: LoadedModel, prompts: list[Prompt], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(_: Engine, requests: Any) -> Any:
        for request in requests:
            yield Finished(request.number, (5, 6), "memory", False, 0.0)

    monkeypatch.setattr(Engine, "run", ended)
    for item in HFBackend(loaded).generate(prompts[:2], GenerationSettings(NEW)):
        assert isinstance(item, Completion)
        assert (item.stopped, item.hit_limit, item.completion_tokens) == ("memory", True, 2)


def test_steps_that_cannot_be_captured_are_launched_and_the_reason_is_logged(
    loaded: LoadedModel,
    prompts: list[Prompt],
    expected: list[tuple[int, ...]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    found, _ = run(loaded, prompts, graphs=True)  # on a CPU, where nothing can be captured
    assert tokens_of(found) == expected
    assert caplog.text.count("decoding without CUDA graphs from here on") == 1


def test_out_of_memory_in_a_step_halves_the_rows(
    loaded: LoadedModel, prompts: list[Prompt], expected: list[tuple[int, ...]]
) -> None:
    class Narrow(TorchForward):
        def __call__(self, rows: Rows, longest: int) -> torch.Tensor:
            if len(rows.ids) > 1:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().__call__(rows, longest)

    found, engine = run(loaded, prompts, rows=4, forward=Narrow)
    assert tokens_of(found) == expected
    assert engine.stats.preempted >= 3


def test_out_of_memory_in_a_prefill_halves_it(
    loaded: LoadedModel,
    prompts: list[Prompt],
    expected: list[tuple[int, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[int] = []
    whole = Engine._first_tokens

    def first_tokens(self: Engine, joined: Any) -> list[int]:
        tried.append(len(joined))
        if len(joined) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(self, joined)

    monkeypatch.setattr(Engine, "_first_tokens", first_tokens)
    found, _ = run(loaded, prompts, rows=6, prefill=100_000)
    assert tokens_of(found) == expected
    assert tried[0] == 6


def test_an_end_token_ends_a_completion_and_stands_outside_it(
    loaded: LoadedModel, prompts: list[Prompt], expected: list[tuple[int, ...]]
) -> None:
    stop = expected[0][4]
    found, _ = run(loaded, prompts, stop_ids=(stop,))
    for tokens, whole in zip(tokens_of(found), expected, strict=True):
        assert tokens == (whole[: whole.index(stop)] if stop in whole else whole)
    first = found[0]
    assert isinstance(first, Finished)
    assert first.stopped == "end"


@pytest.mark.parametrize("steps", [1, 3, 8])
def test_a_think_block_that_reaches_its_budget_is_closed_and_the_answer_goes_on(
    loaded: LoadedModel, prompts: list[Prompt], expected: list[tuple[int, ...]], steps: int
) -> None:
    closing = tuple(loaded.tokenizer.encode("\n</think>\n\n", add_special_tokens=False))
    end = loaded.tokenizer.convert_tokens_to_ids("</think>")
    budget, limit = 5, 5 + len(closing) + 4
    found, _ = run(
        loaded, prompts[:2], settings=GenerationSettings(limit), steps=steps,
        thinking=ThinkBlocks(end, closing, budget),
    )  # fmt: skip
    for number, prompt in enumerate(prompts[:2]):
        start = (*encode(prompt, loaded.tokenizer).ids, *expected[number][:budget], *closing)
        ids = torch.tensor([start])
        output = loaded.model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=4, do_sample=False,
            eos_token_id=None,
        )  # fmt: skip
        done = found[number]
        assert isinstance(done, Finished)
        assert done.thinking_closed
        answer = tuple(output[0, len(start) :].tolist())
        assert done.tokens == (*expected[number][:budget], *closing, *answer)


def by_key(found: Any) -> dict[tuple[str, int], str]:
    found = list(found)
    assert all(isinstance(item, Completion) for item in found)
    return {(item.key, item.repeat): item.text for item in found}


@pytest.mark.slow
def test_what_is_sampled_does_not_depend_on_who_else_is_asked(
    loaded: LoadedModel, prompts: list[Prompt]
) -> None:
    settings = GenerationSettings(9, temperature=1.0, top_p=0.95, seed=3, repeats=2)
    together = by_key(HFBackend(loaded).generate(prompts, settings))
    assert len(together) == 2 * len(prompts)
    assert any(together[p.key, 0] != together[p.key, 1] for p in prompts)
    for prompt in prompts[:3]:
        alone = by_key(HFBackend(loaded).generate([prompt], settings))
        assert alone.items() <= together.items()
    other = by_key(HFBackend(loaded).generate(prompts, replace(settings, seed=4)))
    assert other != together


@pytest.mark.slow
def test_both_ways_of_sampling_agree_and_no_batch_mate_changes_either(
    loaded: LoadedModel, prompts: list[Prompt]
) -> None:
    settings = GenerationSettings(9, temperature=1.0, top_p=0.95, top_k=50, seed=3, repeats=3)
    plain = by_key(HFBackend(loaded, path="plain").generate(prompts, settings))
    assert plain == by_key(HFBackend(loaded).generate(prompts, settings))
    rest = replace(settings, repeats=2, first_repeat=1)  # as after an interruption
    alone = by_key(HFBackend(loaded, path="plain").generate(prompts[:1], rest))
    assert len(alone) == 2
    assert alone.items() <= plain.items()


def test_a_models_own_penalties_are_not_applied(
    loaded: LoadedModel, prompts: list[Prompt], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = by_key(HFBackend(loaded).generate(prompts, GenerationSettings(NEW)))
    monkeypatch.setattr(loaded.model.generation_config, "repetition_penalty", 1.5)
    backend = HFBackend(loaded, path="plain")
    assert by_key(backend.generate(prompts, GenerationSettings(NEW))) == expected
    assert loaded.model.generation_config.repetition_penalty == 1.5


def test_both_ways_of_generating_agree(loaded: LoadedModel, prompts: list[Prompt]) -> None:
    settings = GenerationSettings(NEW)
    fast = {
        c.key: c for c in HFBackend(loaded).generate(prompts, settings) if isinstance(c, Completion)
    }
    for item in HFBackend(loaded, path="plain").generate(prompts, settings):
        assert isinstance(item, Completion)
        other = fast[item.key]
        assert (item.text, item.stopped, item.hit_limit) == (
            other.text,
            other.stopped,
            other.hit_limit,
        )


@pytest.mark.parametrize("budget", [2, 5, NEW])
@pytest.mark.parametrize("end_at", [None, 3])
def test_both_ways_close_think_blocks_alike(
    loaded: LoadedModel, questions: Any, budget: int,
    end_at: int | None, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    asked = [build_prompt(question, PromptSpec(thinking=True)) for question in questions[:4]]
    if end_at is not None:  # let what the model writes anyway be the token that ends a block
        first = next(iter(HFBackend(loaded).generate(asked[:1], GenerationSettings(NEW))))
        assert isinstance(first, Completion)
        end = loaded.tokenizer.encode(first.text, add_special_tokens=False)[end_at]
        blocks = ThinkBlocks(end, (7, end, 8), budget)
        opening = "lawqa.backends.hf.engine.opening"
        monkeypatch.setattr(f"{opening}.think_blocks", lambda *_: blocks)
    settings = GenerationSettings(budget + 9, thinking_budget=budget)
    fast, plain = (
        {
            item.key: (item.text, item.stopped, item.thinking_closed)
            for item in HFBackend(loaded, path=path).generate(asked, settings)  # type: ignore[arg-type]
            if isinstance(item, Completion)
        }
        for path in ("fast", "plain")
    )
    assert len(fast) == len(asked)
    assert plain == fast
    assert any(closed for *_, closed in fast.values()) or end_at is not None


def scores(found: Any) -> dict[str, tuple[float, ...]]:
    assert not any(isinstance(item, Failure) for item in found)
    return {item.key: item.logprobs for item in found if isinstance(item, ChoiceScores)}


@pytest.mark.slow
def test_the_adapter_can_be_switched_off_on_both_paths(
    loaded: LoadedModel, prompts: list[Prompt], tiny_dir: Path
) -> None:
    base = scores(
        list(HFBackend(load_model(ModelSettings(model_name=str(tiny_dir)))).score_choices(prompts))
    )
    adapted = scores(list(HFBackend(loaded).score_choices(prompts)))
    for path in ("fast", "plain"):
        backend = HFBackend(loaded, path=path)  # type: ignore[arg-type]
        assert scores(list(backend.score_choices(prompts))).keys() == base.keys()
        for key, logprobs in scores(list(backend.without_adapter().score_choices(prompts))).items():
            assert logprobs == pytest.approx(base[key], abs=1e-4)
            assert logprobs != pytest.approx(adapted[key], abs=1e-3)
        for key, logprobs in scores(list(backend.score_choices(prompts))).items():
            assert logprobs == pytest.approx(adapted[key], abs=1e-4)
    with pytest.raises(ConfigError, match="loaded without an adapter"):
        HFBackend(replace(loaded, adapter=None)).without_adapter()


def test_scores_after_a_text_are_those_of_prompt_and_text(
    loaded: LoadedModel, prompts: list[Prompt]
) -> None:
    texts = [f"理由は{number}。\n最終回答：" for number in range(len(prompts))]
    found = list(HFBackend(loaded).score_after(prompts, texts))
    assert len(found) == len(prompts)
    for item in found:
        assert isinstance(item, ChoiceScores)
        number = [prompt.key for prompt in prompts].index(item.key)
        assert item.prompt_text.endswith(texts[number])
        ids = torch.tensor([loaded.tokenizer.encode(item.prompt_text, add_special_tokens=False)])
        with torch.no_grad():
            logits = loaded.model(input_ids=ids).logits[0, -1].double()
        labels = label_token_ids(loaded.tokenizer, item.prompt_text)
        mass = torch.stack([logits.softmax(dim=0)[tokens].sum() for tokens in labels])
        assert item.logprobs == pytest.approx((mass / mass.sum()).log().tolist(), abs=1e-4)


def test_an_unknown_architecture_goes_through_transformers_and_says_so(
    loaded: LoadedModel, prompts: list[Prompt], caplog: pytest.LogCaptureFixture
) -> None:
    loaded_elsewhere = replace(loaded, model=loaded.model)
    config = loaded.model.get_base_model().config
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(config, "hidden_act", "gelu")
        backend = HFBackend(loaded_elsewhere)
        assert len(list(backend.score_choices(prompts))) == len(prompts)
    assert "the activation gelu" in caplog.text
    assert "transformers: the activation gelu" in backend.describe()["path"]
