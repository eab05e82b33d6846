"""When completions stop, and how tokens are sampled."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from lawqa.backends.base import GenerationSettings
from lawqa.backends.hf.engine.sampling import next_tokens, sampling_key
from lawqa.backends.hf.engine.stops import Stop, StopRules, has_final_answer, loop_period

pytestmark = pytest.mark.torch


class Letters:
    """A tokenizer in which a token is a code point."""

    def decode(self, tokens: list[int]) -> str:
        return "".join(map(chr, tokens))


def rules(**settings: Any) -> StopRules:
    return StopRules(GenerationSettings(100, **settings), (0,), Letters())


def codes(text: str) -> list[int]:
    return [ord(char) for char in text]


@pytest.mark.parametrize(
    ("text", "finished"),
    [
        ("理由。\n最終回答：c\n", True),
        ("最終回答: ｂ \n", True),
        ("**最終回答：ウ**\n", True),
        ("最終回答：c", False),
        ("最終回答：\n", False),
        ("最終回答：まだ分からない\n", False),
        ("「最終回答：a」と書くこと\n", False),
    ],
)
def test_a_final_answer_line_is_finished_when_its_line_ends(text: str, finished: bool) -> None:
    assert has_final_answer(text) is finished


def test_the_completion_ends_with_the_first_reason() -> None:
    text = codes("ab\n最終回答：c\n残り")
    assert rules(stop_at_final_answer=True).check(text, 0, 100) == Stop(10, "final-answer")
    assert rules().check(text, 0, 100) is None
    assert rules().check([*text[:3], 0, *text], 0, 100) == Stop(3, "end")
    assert rules().check(text, 0, 5) == Stop(5, "limit")
    assert rules(stop_at_final_answer=True).check(text, 0, 100, answer_from=None) is None
    assert rules(stop_at_final_answer=True).check(text, 0, 100, answer_from=11) is None


def test_only_exact_repetition_that_goes_on_is_a_loop() -> None:
    assert loop_period([9, 8, 7] + [1, 2, 3] * 30) == 3
    assert loop_period([5] * 64) == 1
    assert loop_period([5] * 63) is None
    assert loop_period(list(range(40)) * 4) == 40
    assert loop_period(list(range(40)) * 3) is None
    assert loop_period([*([1, 2, 3] * 30), 4]) is None
    broken = [1, 2, 3] * 30
    broken[-20] = 9
    assert loop_period(broken) is None
    looping = rules(stop_at_loops=True).check(codes("あ" + "a\n" * 60), 0, 100)
    assert looping == Stop(80, "loop")


def chosen(settings: GenerationSettings, logits: torch.Tensor, seeds: int = 400) -> list[int]:
    rows = logits.expand(seeds, -1).contiguous()
    keys = torch.tensor([sampling_key(seed, "q#1", 0) for seed in range(seeds)])
    return next_tokens(rows, settings, keys, torch.full((seeds,), 7)).tolist()


LOGITS = torch.tensor([[0.5, 0.3, 0.1, 0.06, 0.04]]).log()


@pytest.mark.parametrize(
    ("settings", "possible"),
    [
        ({"temperature": 1.0}, {0: 0.5, 1: 0.3, 2: 0.1, 3: 0.06, 4: 0.04}),
        ({"temperature": 1.0, "top_k": 2}, {0: 0.625, 1: 0.375}),
        ({"temperature": 1.0, "top_p": 0.75}, {0: 0.625, 1: 0.375}),
        ({"temperature": 1.0, "min_p": 0.15}, {0: 5 / 9, 1: 3 / 9, 2: 1 / 9}),
        ({"temperature": 1.0, "top_p": 1e-6}, {0: 1.0}),
        ({"temperature": 0.0}, {0: 1.0}),
    ],
)
def test_tokens_come_as_often_as_they_should(
    settings: dict[str, float], possible: dict[int, float]
) -> None:
    seeds = 4000
    found = chosen(GenerationSettings(1, **settings), LOGITS, seeds)  # type: ignore[arg-type]
    assert set(found) <= set(possible)
    for token, share in possible.items():
        off = 4 * math.sqrt(share * (1 - share) / seeds)
        assert abs(found.count(token) / seeds - share) <= off, token
