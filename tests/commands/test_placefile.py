"""lawqa.toml and what comes before it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lawqa.cli import main
from lawqa.commands.placefile import PLACE_KEYS, current_place, read_place_file
from lawqa.commands.source import packaged_source
from lawqa.errors import ConfigError

pytestmark = pytest.mark.every_python


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, text: str) -> None:
    (path / "lawqa.toml").write_text(text, encoding="utf-8")


def test_flag_before_environment_before_file_before_default(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert current_place() == "any"
    write(here, 'place = "heart01"')
    assert current_place() == "heart01"
    monkeypatch.setenv("LAWQA_PLACE", "local-3080")
    assert current_place() == "local-3080"
    assert current_place("practice") == "practice"


def test_the_file_is_found_from_a_folder_below_it(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(here, 'place = "practice"')
    (here / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(here / "a" / "b")
    assert current_place() == "practice"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("place = ", "cannot be read"),
        ('plaze = "any"', "unknown key 'plaze'"),
        ("place = 3", "place is 3, expected a text"),
        ('place = ""', "place is '', expected a text"),
        ('host = "other-*"', "is for hosts named other-*, this one is"),
        ('place = "heart02"', "lawqa.toml: place heart02: no such place"),
    ],
)
def test_a_wrong_file_is_refused_by_every_command(
    here: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    write(here, text)
    assert main(["data", "check", "q.json"]) == 2
    captured = capsys.readouterr().err
    assert message in captured
    assert "hint: " in captured


def test_a_file_for_this_host_is_taken(tmp_path: Path) -> None:
    write(tmp_path, 'place = "heart01"\nhost = "jupyter-*"\nhf_home = "cache"\nwork = "w"')
    file = read_place_file(tmp_path / "lawqa.toml", host="jupyter-mia")
    assert file.overrides == {"hf_home": "cache", "work": "w"}
    assert file.hf_home == (tmp_path / "cache").resolve()


def test_init_writes_a_file_that_is_read_back_and_explains_every_key(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["place", "init", "heart01"]) == 0
    assert "wrote lawqa.toml: place heart01, host " in capsys.readouterr().out
    text = (here / "lawqa.toml").read_text(encoding="utf-8")
    assert all(key.meaning in text and key.meaning_ja in text for key in PLACE_KEYS)
    file = read_place_file(here / "lawqa.toml")
    assert file.place == "heart01"
    assert file.overrides == {"hf_home": "hf_home"}
    assert main(["place", "init", "practice"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["place", "init", "practice", "--fresh"]) == 0
    assert current_place() == "practice"


def test_a_renamed_machine_and_a_broken_file_are_mended_as_the_hint_says(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for text, hint in (
        ('place = "heart01"\nhost = "other"', "lawqa place init heart01 --fresh"),
        ('place = "heart01"\nhos', "lawqa place init PLACE --fresh"),
    ):
        write(here, text)
        assert main(["place", "show"]) == 2
        assert hint in capsys.readouterr().err
        assert main(["place", "init", "heart01", "--fresh"]) == 0
        assert main(["place", "show"]) == 0
        capsys.readouterr()


def test_what_the_machine_forbids_no_other_place_allows(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "lawqa.toml").write_text('place = "heart01"\n', encoding="utf-8")
    asked = ["evaluate", "--llm-backend", "ollama", "--hf-model-name", "Qwen/Qwen3-8B"]
    for other in ("local-3080", "any"):
        assert main([*asked, "--place", other]) == 2
        assert "forbidden at heart01 by the rule no-model-server" in capsys.readouterr().err
    assert main(["step", "list", "--place", "local-3080"]) == 0  # to read is no harm

    (here / "lawqa.toml").write_text('place = "local-3080"\n', encoding="utf-8")
    train = [
        "train",
        "--train-file",
        "t.jsonl",
        "--output-dir",
        "a",
        "--model-name",
        "Qwen/Qwen3-8B",
    ]
    assert main([*train, "--do-train", "--place", "heart01"]) == 2
    assert "forbidden at local-3080" in capsys.readouterr().err


def test_the_examples_of_a_new_file_are_the_places_own(here: Path) -> None:
    assert main(["place", "init", "local-3080"]) == 0
    text = (here / "lawqa.toml").read_text(encoding="utf-8")
    variables = packaged_source().place("local-3080").variables
    for name in ("index", "model"):
        assert f'# {name} = "{variables[name]}"' in text


def test_init_refuses_an_unknown_place(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["place", "init", "moon"]) == 2
    assert "--place moon: no such place" in capsys.readouterr().err
    assert not (here / "lawqa.toml").exists()


def test_show_says_where_each_setting_comes_from(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(here, 'place = "heart01"\nmodel = "models/Qwen3-8B"')
    monkeypatch.setenv("LAWQA_PLACE", "heart01")
    assert main(["place", "show"]) == 0
    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "place heart01 LAWQA_PLACE" in rows
    assert f"model models/Qwen3-8B {here / 'lawqa.toml'}" in rows
    assert "work results/heart01 the place heart01" in rows
    assert f"hf_home {os.environ['HF_HOME']} HF_HOME" in rows
    monkeypatch.delenv("HF_HOME")
    assert main(["place", "show"]) == 0
    assert f"{here / 'hf_home'} the place heart01" in " ".join(capsys.readouterr().out.split())
    write(here, 'place = "heart01"\nhf_home = "cache"')
    assert main(["place", "show"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"hf_home {here / 'cache'} {here / 'lawqa.toml'}" in shown
    assert any(row.startswith("rule no-curl: ") for row in rows)


def test_the_cache_comes_from_the_environment_or_else_from_the_file(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(here, 'hf_home = "cache"')
    main(["data", "check", "q.json"])
    assert Path(os.environ["HF_HOME"]).name == "huggingface"  # the suite's own
    monkeypatch.delenv("HF_HOME")
    main(["data", "check", "q.json"])
    assert os.environ["HF_HOME"] == str((here / "cache").resolve())


def test_a_place_file_read_without_a_host_asks_the_system(tmp_path: Path) -> None:
    write(tmp_path, 'host = "no-such-host-anywhere"')
    with pytest.raises(ConfigError, match="is for hosts named"):
        read_place_file(tmp_path / "lawqa.toml")
