"""`lawqa.commands.backends`: which backends a place allows."""

from __future__ import annotations

from typing import get_args

import pytest

from lawqa.commands.backends import require_backend
from lawqa.commands.placefile import DEFAULT_PLACE
from lawqa.commands.source import packaged_source
from lawqa.errors import ConfigError, PolicyError
from lawqa.settings import BackendName


def test_the_default_place_forbids_nothing_so_it_need_not_be_read() -> None:
    place = packaged_source().place(DEFAULT_PLACE)
    assert {*place.backends} == {*get_args(BackendName)}
    assert (place.rules, place.programs) == ((), ())


@pytest.mark.parametrize("place", ["any", "local-3080"])
@pytest.mark.parametrize("backend", ["hf", "ollama", "openai", "scripted"])
def test_every_backend_may_run_here(place: str, backend: str) -> None:
    require_backend(place, backend)


@pytest.mark.parametrize("backend", ["ollama", "openai"])
def test_heart01_forbids_model_servers_and_says_why(backend: str) -> None:
    require_backend("heart01", "hf")
    with pytest.raises(PolicyError) as caught:
        require_backend("heart01", backend)
    assert caught.value.message == (
        f"--llm-backend {backend} is forbidden on heart01: "
        "heart01 runs the Hugging Face backend only: no Ollama and no other model server"
    )
    assert caught.value.hint == "--llm-backend hf"


def test_an_unknown_place_is_an_error_for_a_backend_too() -> None:
    with pytest.raises(ConfigError, match="--place moon: no such place"):
        require_backend("moon", "hf")
