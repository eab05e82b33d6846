"""`--config` and `--save-config`: flags in a TOML file, one table for each command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main, parse_arguments
from lawqa.cli.config_file import with_config
from lawqa.errors import ConfigError

TRAIN = ["train", "--train-file", "t.jsonl", "--output-dir", "a"]


def file(tmp_path: Path, text: str) -> str:
    path = tmp_path / "lawqa-run.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_command_line_comes_before_the_file_and_that_before_the_defaults(
    tmp_path: Path,
) -> None:
    path = file(
        tmp_path,
        "[train]\ntrain-file = 't.jsonl'\noutput_dir = 'a'\nlora-r = 8\nlearning-rate = 1e-3\nfsdp = true\n"
        "target-modules = ['q_proj', 'v_proj']\nuse-4bit = true\npatience = 3\n[evaluate]\nseed = 5\n",
    )
    parsed: Any = parse_arguments(with_config(["train", "--config", path, "--patience", "4"]))
    assert (parsed.lora_r, parsed.learning_rate, parsed.fsdp, parsed.patience) == (
        8,
        0.001,
        True,
        4,
    )
    assert parsed.target_modules == ("q_proj", "v_proj")
    assert parsed.train_file == Path("t.jsonl")
    assert (parsed.load_in_4bit, parsed.batch_size) == (True, 2)


@pytest.mark.parametrize("given", ["--no-4bit", "--4bit", "--hf-load-in-4bit"])
@pytest.mark.parametrize(
    "key", ["4bit = false", "no-4bit = true", "use-4bit = true", "load_in_4bit = true"]
)
def test_either_flag_of_a_pair_overrides_the_file_by_any_name(
    given: str, key: str, tmp_path: Path
) -> None:
    path = file(tmp_path, f"[train]\n{key}\n")
    parsed: Any = parse_arguments(with_config([*TRAIN, given, f"--config={path}"]))
    assert parsed.in_4bit() is (given != "--no-4bit")


def test_a_subcommand_has_a_table_in_that_of_its_command(tmp_path: Path) -> None:
    path = file(tmp_path, "[crossval.run]\ninput = 'q.json'\nfolds = 3\nextra = [['x:2', 'y:1']]\n")
    words = with_config(["crossval", "run", "--config", path, "--output-dir", "o"])
    parsed: Any = parse_arguments(words)
    assert (parsed.command.split.folds, parsed.command.split.input) == (3, Path("q.json"))
    assert parsed.command.records.extra == (("x:2", "y:1"),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[train]\nlora-rr = 8\n", "[train] has the unknown key lora-rr"),
        ("[train]\nconfig = 'x'\n", "[train] has the unknown key config"),
        ("[train]\nhelp = true\n", "[train] has the unknown key help"),
        ("[trian]\nlora-r = 8\n", "[trian] is not a command of lawqa"),
        ("lora-r = 8\n", "[lora-r] is not a command of lawqa"),
        ("[evaluate]\nseed = 1\n", "has no table [train]"),
        ("train = 3\n", "has no table [train]"),
        ("[train]\nfsdp = 'yes'\n", "[train] fsdp is 'yes', expected true or false"),
        ("[train]\nlora-r = [8, 16]\n", "[train] lora-r is [8, 16], expected one value"),
        ("[train]\nlora-r = true\n", "[train] lora-r is True, expected one value"),
        ("[train]\ntarget-modules = [true]\n", "expected a list of values"),
        ("[train]\nuse-4bit = true\nhf-load-in-4bit = false\n", "which are one setting"),
        ("[train\n", "is not TOML"),
    ],
)
def test_what_the_command_does_not_know_is_refused(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = file(tmp_path, text)
    assert main([*TRAIN, "--config", path]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert path in err
    assert "Traceback" not in err


def test_a_near_key_is_suggested_and_a_missing_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        with_config([*TRAIN, "--config", file(tmp_path, "[train]\nlora-rnk = 8\n")])
    assert caught.value.hint.startswith("did you mean lora-r? ")
    for words, message in (
        (["--config", str(tmp_path / "no.toml")], "no such file"),
        (["--config", str(tmp_path)], "cannot be read: Is a directory"),
        (["--config"], "--config names no file"),
        (["--config", "--resume"], "--config names no file"),
        (["--config", "a", "--config", "b"], "--config is given twice"),
    ):
        with pytest.raises(ConfigError, match=message):
            with_config([*TRAIN, *words])
    with pytest.raises(ConfigError, match="lawqa crossval has subcommands: run, pool"):
        with_config(["crossval", "--config", "a.toml"])
    with pytest.raises(ConfigError, match="belong behind a command"):
        with_config(["--config", "a.toml"])


def test_a_saved_file_gives_the_same_command(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    words = [*TRAIN, "--lora-r", "8", "--learning-rate", "5e-3", "--fsdp", "--no-4bit",
             "--target-modules", "q_proj", "v_proj", "--revision", "1.10", "--dtype=float16",
             "--place", 'a "b" 法\\']  # fmt: skip
    assert with_config([*words, "--save-config", str(path)]) == words
    again = with_config(["train", "--config", str(path)])
    assert parse_arguments(again) == parse_arguments(words)


def test_saving_keeps_the_tables_and_comments_of_other_commands(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(
        "# ours\n[evaluate]\nseed = 1 # first\n\n[train]\nlora-r = 4\n", encoding="utf-8"
    )
    with_config([*TRAIN, "--lora-r", "8", "--save-config", str(path)])
    with_config(["crossval", "run", "--folds", "4", "--save-config", str(path)])
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ours\n[evaluate]\nseed = 1 # first\n\n[train]\n")
    assert "lora-r = 8" in text
    assert "lora-r = 4" not in text
    assert text.endswith("[crossval.run]\nfolds = 4\n")
    with_config(["crossval", "run", "--folds", "5", "--save-config", str(path)])
    assert path.read_text(encoding="utf-8") == text.replace("folds = 4", "folds = 5")


def test_a_run_from_a_file_keeps_its_flags_in_the_manifest(
    tmp_path: Path, embedded_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "s.json").write_text('{"default": "a"}', encoding="utf-8")
    path = file(
        tmp_path,
        f"[evaluate]\ninput = '{embedded_file}'\nsamples = 2\nllm-backend = 'scripted'\n"
        f"script = '{tmp_path / 's.json'}'\nanswer-by = 'generate'\noutput-dir = '{tmp_path / 'r'}'\n",
    )
    monkeypatch.setattr("sys.argv", ["lawqa", "evaluate", "--config", path])
    assert main() in (0, 3)
    manifest = json.loads((tmp_path / "r/manifest.json").read_text(encoding="utf-8"))
    assert "--samples=2" in manifest["argv"]
    assert "--config" not in manifest["argv"]
    assert len(manifest["questions"]) == 2
