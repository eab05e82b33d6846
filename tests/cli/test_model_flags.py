"""`--4bit` and `--no-4bit`: the same pair in every command that loads a model, on unless turned off."""

from __future__ import annotations

import importlib.util
import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main, parse_arguments
from lawqa.cli.model_flags import as_in_the_lab, of_adapter, of_run
from lawqa.errors import ConfigError, LawqaError
from lawqa.models import require_packages

COMMANDS = {
    "evaluate": "evaluate --data q.json",
    "train": "train --train-file t --output-dir a",
    "crossval": "crossval run --input q --output-dir o --folds 2",
    "sweep": "sweep --train-file t --output-dir o",
    "distill": "distill --data q --output-path d",
    "pool": "pool sample --data q --pool p.jsonl",
    "probe": "probe --data q",
    "ladder": "ladder --run-dir r --data q.json",
}


def flags_of(command: str, *more: str) -> Any:
    parsed: Any = parse_arguments([*COMMANDS[command].split(), *more])
    parsed = getattr(parsed, "command", parsed)
    return getattr(parsed, "training", parsed)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_the_pair_with_its_aliases_and_is_on_without(command: str) -> None:
    assert flags_of(command).in_4bit() is True
    for flag in ("--4bit", "--use-4bit", "--hf-load-in-4bit"):
        assert flags_of(command, flag).in_4bit(lambda: False) is True
    assert flags_of(command, "--no-4bit").in_4bit(lambda: True) is False
    assert flags_of(command).in_4bit(lambda: None, lambda: False) is False
    with pytest.raises(ConfigError, match="--4bit and --no-4bit contradict each other"):
        flags_of(command, "--4bit", "--no-4bit").in_4bit()


def written(directory: Path, **fields: object) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"schema_version": 1, "kind": "evaluate", **fields})
    (directory / "manifest.json").write_text(text, encoding="utf-8")
    return directory


def test_an_evaluation_quantises_unless_its_run_or_adapter_says_otherwise(tmp_path: Path) -> None:
    def quantises(*more: str) -> bool:
        return bool(flags_of("evaluate", *more).resolve()[0].load_in_4bit)

    assert quantises()
    assert not quantises("--no-4bit")
    table = tmp_path / "s.json"
    assert not quantises("--llm-backend", "scripted", "--script", str(table))
    whole = written(tmp_path / "r", config={"load_in_4bit": False})
    assert not quantises("--resume", "--run-dir", str(whole))
    assert quantises("--run-dir", str(whole))
    assert quantises("--resume", "--run-dir", str(whole), "--4bit")
    plain = written(tmp_path / "a", kind="train", model={"quantisation": None})
    assert not quantises("--hf-lora-path", str(plain))
    in_4bit = written(tmp_path / "b", kind="train", model={"quantisation": "nf4"})
    assert quantises("--hf-lora-path", str(in_4bit))
    assert quantises("--hf-lora-path", str(tmp_path / "c"))


def test_a_training_is_resumed_as_it_began(tmp_path: Path) -> None:
    whole = written(tmp_path / "a", kind="train", config={"load_in_4bit": False})
    command = ["train", "--train-file", "t", "--output-dir", str(whole)]
    for more, expected in (([], True), (["--resume"], False), (["--resume", "--4bit"], True)):
        parsed: Any = parse_arguments([*command, *more])
        assert parsed._config().load_in_4bit is expected, more


def test_what_says_nothing_decides_nothing(tmp_path: Path) -> None:
    old = written(tmp_path / "old")
    assert [of_run(None), of_run(tmp_path / "no"), of_run(old), of_adapter(old)] == [None] * 4


def test_missing_bitsandbytes_is_named_with_the_way_without_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(
        "lawqa.models.find_spec", lambda name: None if name == "bitsandbytes" else there("json")
    )
    require_packages(quantised=False)
    with pytest.raises(LawqaError) as caught:
        require_packages(quantised=True)
    assert caught.value.message == "bitsandbytes is not installed"
    assert "--no-4bit loads the weights whole" in caught.value.hint


def test_no_model_is_quantised_where_none_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], embedded_file: Path
) -> None:
    (tmp_path / "s.json").write_text('{"default": "a"}', encoding="utf-8")
    asked = ["evaluate", "--data", str(embedded_file), "--samples", "2", "--llm-backend", "scripted",
             "--script", str(tmp_path / "s.json"), "--answer-by", "generate"]  # fmt: skip
    assert main([*asked, "--run-dir", str(tmp_path / "r")]) in (0, 3)
    assert "4bit" not in capsys.readouterr().err
    assert main([*asked, "--run-dir", str(tmp_path / "s"), "--no-4bit"]) in (0, 3)
    assert "--no-4bit unused: no model is loaded" in capsys.readouterr().err
    config = json.loads((tmp_path / "r/manifest.json").read_text(encoding="utf-8"))["config"]
    assert config["load_in_4bit"] is False


@pytest.mark.parametrize("script", ["train_qwen_law_ft", "evaluate_multiple_choice"])
def test_the_scripts_of_the_lab_leave_weights_whole_unless_asked(
    script: str, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr("lawqa.cli.main", lambda argv: seen.append(argv) or 0)
    for given in ([], ["--use-4bit"], ["--hf-load-in-4bit"], ["--no-4bit"]):
        monkeypatch.setattr("sys.argv", ["x", "--data", "q", *given])
        with pytest.raises(SystemExit):
            runpy.run_path(str(checkout / "scripts" / f"{script}.py"), run_name="__main__")
    assert ["--no-4bit" in argv for argv in seen] == [True, False, False, True]
    assert as_in_the_lab(["--4bit"]) == ["--4bit"]
