"""Several completions of one prompt hold its pages together; what they say is what each says alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from lawqa.backends.base import GenerationSettings
from lawqa.backends.hf.encoded import encode
from lawqa.backends.hf.engine.beginnings import PromptBeginnings
from lawqa.backends.hf.engine.cache import PagedCache
from lawqa.backends.hf.engine.loop import Engine, EngineOptions
from lawqa.backends.hf.engine.prefill import prefill
from lawqa.backends.hf.engine.sampling import sampling_key
from lawqa.backends.hf.engine.sequence import Finished, Request, Running
from lawqa.backends.hf.engine.steps import TorchForward
from lawqa.backends.hf.engine.stops import StopRules
from lawqa.models.decoder import Decoder, read_decoder
from lawqa.models.load import LoadedModel, load_model
from lawqa.prompting import PromptSpec, build_prompt
from lawqa.settings import ModelSettings

pytestmark = pytest.mark.torch

SAMPLED = GenerationSettings(99, temperature=1.0, top_p=0.95)
GREEDY = GenerationSettings(99)


@pytest.fixture(scope="module")
def loaded(tiny_dir: Path) -> LoadedModel:
    return load_model(ModelSettings(model_name=str(tiny_dir)))


@pytest.fixture(scope="module")
def decoder(loaded: LoadedModel) -> Decoder:
    return read_decoder(loaded.model, loaded.dtype)


@pytest.fixture(scope="module")
def prompts(loaded: LoadedModel, questions: Any) -> list[tuple[int, ...]]:
    """Three short ones out of their middles, the last two of one length."""
    asked = [encode(build_prompt(q, PromptSpec()), loaded.tokenizer).ids for q in questions[:3]]
    found = [tuple(ids[70 : 70 + n]) for ids, n in zip(asked, (60, 47, 47), strict=True)]
    assert [len(ids) for ids in found] == [60, 47, 47]
    assert len(set(found)) == 3
    return found


def requests(prompts: Sequence[tuple[int, ...]], repeats: int) -> list[Request]:
    """Each prompt several times, as a backend numbers them; completions of different lengths."""
    return [
        Request(repeat * len(prompts) + number, ids, sampling_key(0, str(number), repeat),
                5 + 7 * (repeat % 4) + number)
        for repeat in range(repeats)
        for number, ids in enumerate(prompts)
    ]  # fmt: skip


def write(
    loaded: LoadedModel, decoder: Decoder, asked: Sequence[Request], settings: GenerationSettings,
    *, pages: int = 400, page: int = 8, rows: int = 32, steps: int = 3, prefill: int = 4000,
) -> tuple[dict[int, tuple[int, ...]], Engine]:  # fmt: skip
    cache = PagedCache(decoder.shape, decoder.dtype, decoder.device, pages, page)
    engine = Engine(
        decoder, cache, TorchForward(decoder, cache), settings,
        StopRules(settings, (), loaded.tokenizer), None,
        EngineOptions(rows, prefill, steps, graphs=False),
    )  # fmt: skip
    found: dict[int, tuple[int, ...]] = {}
    for done in engine.run(asked):
        assert isinstance(done, Finished)
        assert done.stopped == "limit"
        found[done.number] = done.tokens
    assert cache.free == pages, "pages were lost"
    return found, engine


@pytest.fixture(scope="module")
def alone(
    loaded: LoadedModel, decoder: Decoder, prompts: list[tuple[int, ...]]
) -> dict[GenerationSettings, dict[int, tuple[int, ...]]]:
    """What each completion says where nobody else is asked."""
    found: dict[GenerationSettings, dict[int, tuple[int, ...]]] = {GREEDY: {}, SAMPLED: {}}
    for settings, texts in found.items():
        for request in requests(prompts, 6):
            texts.update(write(loaded, decoder, [request], settings)[0])
    assert len(set(found[SAMPLED].values())) == 18, "samples that are all the same test nothing"
    return found


@pytest.mark.slow
@pytest.mark.parametrize("settings", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
@pytest.mark.parametrize(
    ("division", "waits"),
    [
        pytest.param({}, False, id="all at once"),
        pytest.param({"rows": 2}, False, id="joining while others run"),
        pytest.param({"rows": 5, "steps": 1, "page": 16}, False, id="one step, other pages"),
        pytest.param({"rows": 3, "page": 47}, False, id="a prompt fills a page"),
        pytest.param({"rows": 3, "page": 46}, False, id="one token more than a page"),
        pytest.param({"rows": 3, "page": 128}, False, id="no page is full"),
        pytest.param({"rows": 4, "page": 1}, False, id="pages of one token"),
        pytest.param({"rows": 18, "prefill": 50}, False, id="small prefills"),
        pytest.param({"rows": 18, "pages": 14, "page": 8}, True, id="few pages"),
        pytest.param({"rows": 9, "pages": 50, "page": 2, "steps": 2}, True, id="few small pages"),
    ],
)
def test_texts_are_those_of_completions_that_share_nothing(
    loaded: LoadedModel, decoder: Decoder, prompts: list[tuple[int, ...]], alone: Any,
    settings: GenerationSettings, division: dict[str, int], waits: bool,
) -> None:  # fmt: skip
    found, engine = write(loaded, decoder, requests(prompts, 6), settings, **division)
    assert found == alone[settings]
    assert (engine.stats.preempted > 0) == waits


@pytest.mark.slow
def test_a_prompt_is_computed_once_however_many_complete_it(
    loaded: LoadedModel, decoder: Decoder, prompts: list[tuple[int, ...]]
) -> None:
    one = write(loaded, decoder, requests(prompts, 1), SAMPLED)[1].stats.prefill_tokens
    together = write(loaded, decoder, requests(prompts, 6), SAMPLED)[1].stats
    assert together.prefill_tokens <= one  # less where the prompts begin alike
    late = write(loaded, decoder, requests(prompts[:1], 6), SAMPLED, rows=3)[1].stats
    assert (late.prefills, late.prefill_tokens) == (1, len(prompts[0]))


def test_a_prompt_is_stored_once(
    loaded: LoadedModel, decoder: Decoder, prompts: list[tuple[int, ...]]
) -> None:
    # 60 tokens are 7 whole pages and one begun; 6 completions grow to 86 tokens, 4 pages of their own.
    found, engine = write(
        loaded, decoder, requests(prompts[:1], 6), SAMPLED, pages=7 + 6 * 4, page=8
    )
    assert len(found) == 6
    assert (engine.stats.most_rows, engine.stats.preempted) == (6, 0)


@pytest.fixture(scope="module")
def alike(prompts: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Four prompts of 60 tokens that begin alike for 50, as a question in four orders behind one context."""
    tails = [(*prompts[1], *prompts[2])[n : n + 10] for n in (0, 12, 24, 36)]
    assert len({tail[0] for tail in tails}) == 4
    return [prompts[0][:50] + tail for tail in tails]


@pytest.mark.slow
def test_prompts_that_begin_alike_share_pages_and_say_what_each_says_alone(
    loaded: LoadedModel, decoder: Decoder, alike: list[tuple[int, ...]]
) -> None:
    asked = requests(alike, 3)
    expected: dict[int, tuple[int, ...]] = {}
    for request in asked:
        expected.update(write(loaded, decoder, [request], SAMPLED)[0])
    assert len(set(expected.values())) == 12
    for division in (
        {}, {"rows": 2}, {"rows": 5, "steps": 1, "page": 16}, {"rows": 3, "page": 50}, {"page": 128},
        {"rows": 12, "prefill": 50}, {"rows": 4, "page": 1}, {"pages": 24}, {"pages": 12},
    ):  # fmt: skip
        found, engine = write(loaded, decoder, asked, SAMPLED, **division)
        assert found == expected, division
    assert engine.stats.preempted > 0  # with few pages


def test_a_common_beginning_is_stored_once(
    loaded: LoadedModel, decoder: Decoder, alike: list[tuple[int, ...]]
) -> None:
    # 50 common tokens are 6 whole pages; each grows to 68 tokens at most, 3 pages of its own. Without
    # sharing they would be 36.
    _, engine = write(loaded, decoder, requests(alike, 1), SAMPLED, pages=6 + 4 * 3, page=8)
    assert (engine.stats.most_rows, engine.stats.preempted) == (4, 0)
    assert engine.stats.prefill_tokens == 50 + 4 * 10


def test_what_is_shared_is_what_each_would_have_stored(
    decoder: Decoder, alike: list[tuple[int, ...]]
) -> None:
    """Up to the rounding of another batch."""
    caches = [PagedCache(decoder.shape, decoder.dtype, decoder.device, 40, 8) for _ in range(2)]
    pages = [[cache.take(60) or [] for _ in alike] for cache in caches]
    lent = [pages[0][0], *([*pages[0][0][:6], *own[6:]] for own in pages[0][1:])]
    together, computed = prefill(decoder, caches[0], alike, lent, [0, 48, 48, 48])
    assert computed == 90
    for number, (ids, own) in enumerate(zip(alike, pages[1], strict=True)):
        alone, _ = prefill(decoder, caches[1], [ids], [own])
        torch.testing.assert_close(together[number].log_softmax(-1), alone[0].log_softmax(-1))
        slots = [
            cache.slots(held, 60) for cache, held in zip(caches, (lent[number], own), strict=True)
        ]
        for stored in ("keys", "values"):
            one, other = (
                getattr(cache, stored)[:, at] for cache, at in zip(caches, slots, strict=True)
            )
            torch.testing.assert_close(one, other)


def test_a_lender_is_who_holds_most_and_still_holds_it() -> None:
    def running(*ids: int) -> Running:
        return Running(Request(0, ids, 0, 5))

    beginnings = PromptBeginnings(page=2)
    short, long = running(1, 2, 9, 9, 9), running(1, 2, 3, 4, 9, 9, 9)
    for one in (short, long):
        beginnings.add(one)
    assert beginnings.lender(running(1, 2, 3, 4, 5, 6)) == (long, 2)
    assert beginnings.lender(running(1, 2, 3, 4)) in [
        (short, 1),
        (long, 1),
    ]  # its last token is its own
    assert beginnings.lender(running(2, 1, 3, 4, 5)) == (None, 0)
    beginnings.remove(long)
    assert beginnings.lender(running(1, 2, 3, 4, 5, 6)) == (short, 1)
    beginnings.remove(short)
    beginnings.remove(short)
    assert beginnings.lender(running(1, 2, 3, 4, 5, 6)) == (None, 0)


@pytest.mark.slow
def test_out_of_memory_in_a_prefill_of_many_completions_ends_with_one_at_a_time(
    loaded: LoadedModel, decoder: Decoder, prompts: list[tuple[int, ...]], alone: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    whole = Engine._first_tokens

    def first_tokens(self: Engine, joined: Any) -> list[int]:
        if len(joined) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(self, joined)

    monkeypatch.setattr(Engine, "_first_tokens", first_tokens)
    assert write(loaded, decoder, requests(prompts, 6), SAMPLED)[0] == alone[SAMPLED]


def test_a_page_is_free_when_its_last_holder_gives_it_back(decoder: Decoder) -> None:
    cache = PagedCache(decoder.shape, decoder.dtype, decoder.device, pages=4, page=2)
    pages = cache.take(5)
    assert pages is not None
    again = cache.share(pages[:2])
    cache.give_back(pages)
    assert cache.free == 2
    assert cache.take(5) is None
    cache.give_back(again)
    assert cache.free == 4
    for use in (cache.give_back, cache.share):
        with pytest.raises(ValueError, match="nobody holds"):
            use(again)
    assert cache.free == 4


def test_a_copied_page_is_one_of_its_own(decoder: Decoder) -> None:
    cache = PagedCache(decoder.shape, decoder.dtype, decoder.device, pages=3, page=2)
    cache.keys[:, 2:4], cache.values[:, 2:4] = 1.0, 2.0
    cache.copy(1, 3)
    cache.keys[:, 2:4] = 9.0
    assert cache.keys[0, :, 0, 0].tolist() == [0, 0, 9, 9, 0, 0, 1, 1]
    assert cache.values[-1, :, 0, 0].tolist() == [0, 0, 2, 2, 0, 0, 2, 2]


def test_a_sequence_is_equal_to_itself_only_whatever_another_has_written() -> None:
    request = Request(0, (1, 2), 0, 8)
    one, other = Running(request), Running(request)
    assert one == one
    assert one != other
    running = [one, other]
    running.remove(other)
    assert running[0] is one
