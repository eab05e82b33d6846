"""`lawqa.cli.applied_place`: what a place decides before a command runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from lawqa.cli.applied_place import apply_place
from lawqa.errors import ConfigError, PolicyError

SERVER = ["evaluate", "--llm-backend", "ollama"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HF_HOME")
    return tmp_path


@pytest.mark.usefixtures("here")
def test_without_a_place_nothing_is_decided_and_no_declaration_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "lawqa.commands.source", None)
    apply_place(SERVER)
    assert "HF_HOME" not in os.environ
    with pytest.raises(ImportError):
        apply_place(["evaluate", "--place", "heart01"])


def test_the_cache_of_the_place_file_comes_before_that_of_the_place(here: Path) -> None:
    (here / "lawqa.toml").write_text('place = "heart01"\nhf_home = "cache"\n', encoding="utf-8")
    apply_place(["data", "check", "x"])
    assert os.environ.pop("HF_HOME") == str((here / "cache").resolve())
    (here / "lawqa.toml").write_text('place = "heart01"\n', encoding="utf-8")
    apply_place(["data", "check", "x"])
    assert Path(os.environ["HF_HOME"]).is_absolute()


def test_what_the_machine_forbids_stays_forbidden_where_another_place_is_named(here: Path) -> None:
    (here / "lawqa.toml").write_text('place = "heart01"\n', encoding="utf-8")
    for named in ([], ["--place", "any"], ["--place=local-3080"]):
        with pytest.raises(PolicyError, match="lawqa evaluate: forbidden at heart01 by the rule"):
            apply_place([*SERVER, *named])


def test_a_broken_place_file_stops_every_command_but_the_one_that_replaces_it(here: Path) -> None:
    (here / "lawqa.toml").write_text('place = "moon"\n', encoding="utf-8")
    apply_place(["place", "init", "any"])
    with pytest.raises(ConfigError, match="place moon: no such place"):
        apply_place(SERVER)
