from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from lawqa.commands import places, require_backend
from lawqa.errors import ConfigError, PolicyError


def test_the_three_places_are_known_by_id() -> None:
    known = places()
    assert list(known) == ["any", "local-3080", "heart01"]
    assert [place.id for place in known.values()] == list(known)
    assert all(place.title.isascii() and not place.title_ja.isascii() for place in known.values())


def test_the_packaged_copy_is_the_source(checkout: Path) -> None:
    packaged = files("lawqa").joinpath("assets", "commands.toml").read_bytes()
    assert packaged == (checkout / "docs_src" / "commands.toml").read_bytes()


@pytest.mark.parametrize("place", ["any", "local-3080"])
@pytest.mark.parametrize("backend", ["hf", "ollama", "openai", "scripted"])
def test_every_backend_may_run_here(place: str, backend: str) -> None:
    assert backend in places()[place].backends
    require_backend(place, backend)


@pytest.mark.parametrize("backend", ["hf", "scripted"])
def test_heart01_runs_what_needs_no_server(backend: str) -> None:
    assert backend in places()["heart01"].backends
    require_backend("heart01", backend)


@pytest.mark.parametrize("backend", ["ollama", "openai"])
def test_heart01_forbids_model_servers_and_says_why(backend: str) -> None:
    with pytest.raises(PolicyError) as caught:
        require_backend("heart01", backend)
    assert caught.value.message == (
        f"--llm-backend {backend} is forbidden on heart01: "
        "heart01 runs the Hugging Face backend only: no Ollama and no other model server"
    )
    assert caught.value.hint == "--llm-backend hf"


def test_a_place_that_forbids_something_says_why() -> None:
    everything = set(places()["any"].backends)
    restricted = [place for place in places().values() if set(place.backends) != everything]
    assert [place.id for place in restricted] == ["heart01"]
    assert all(place.reason for place in restricted)


def test_an_unknown_place_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="--place moon: no such place") as caught:
        require_backend("moon", "hf")
    assert caught.value.hint == "known: any, local-3080, heart01"
