"""How a model's own generation_config.json says that tokens are drawn."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lawqa.errors import ConfigError
from lawqa.models.files.generation_config import deciding_sampling, own_sampling
from lawqa.settings import Sampling

NOTHING = (None, None, None, None)


def model(directory: Path, **content: object) -> str:
    (directory / "config.json").write_text("{}", encoding="utf-8")
    (directory / "generation_config.json").write_text(json.dumps(content), encoding="utf-8")
    return str(directory)


def test_what_the_file_says_is_taken_and_the_rest_is_named(tmp_path: Path) -> None:
    own = own_sampling(
        model(tmp_path, temperature=0.6, top_k=20, repetition_penalty=1.05, typical_p=1.0), None
    )
    assert own.sampling == Sampling(0.6, None, 20, None)
    assert own.left_out == ("repetition_penalty 1.05",)


@pytest.mark.parametrize("content", [{"do_sample": False, "temperature": 0.6}, {}])
def test_a_file_that_does_not_say_how_to_sample_says_nothing(
    content: dict[str, object], tmp_path: Path
) -> None:
    assert own_sampling(model(tmp_path, **content), None).sampling == Sampling()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"temperature": 0}, "temperature is 0"),
        ({"top_p": "high"}, "top_p is 'high'"),
        ({"top_k": 1.5}, "top_k is 1.5"),
        ({"min_p": True}, "min_p is True"),
    ],
)
def test_a_value_out_of_range_is_named(
    content: dict[str, object], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as refused:
        own_sampling(model(tmp_path, **content), None)
    assert said in str(refused.value)


@pytest.mark.parametrize(("given", "draws"), [((0.7, 0.8, 20, 0.0), True), (NOTHING, False)])
def test_the_file_decides_only_what_is_drawn_and_was_not_given(
    given: tuple[float | None, ...], draws: bool, tmp_path: Path
) -> None:
    name = model(tmp_path, temperature=0.6)
    assert deciding_sampling(name, None, given, draws=draws).sampling == Sampling()
    assert deciding_sampling(name, None, NOTHING, draws=True).sampling.temperature == 0.6
