"""Flags that count only beside another one: refused without it, by name, before anything runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lawqa.cli import main
from lawqa.errors import ConfigError
from lawqa.settings import GIVEN, Settings, only_with, require_belonging
from lawqa.settings.belonging import misplaced


@dataclass(frozen=True)
class _Inner(Settings):
    width: int = field(default=1, metadata=only_with({}, shape=("box", "bar")))
    every: int = field(default=1, metadata=only_with({}, times=GIVEN, days=GIVEN))


@dataclass(frozen=True)
class _Outer(Settings):
    shape: str = "none"
    days: int = 0
    whole: bool = False
    kind: str = field(default="a", metadata=only_with({}, whole=False))
    tidy: bool = field(default=True, metadata=only_with({}, whole=True))
    foreign: int = field(default=0, metadata=only_with({}, no_such_field=GIVEN))
    inner: _Inner = field(default_factory=_Inner)


@pytest.mark.parametrize(
    ("settings", "problems"),
    [
        (_Outer(), []),
        (_Outer(inner=_Inner(width=2)), ["--width without --shape box or bar"]),
        (_Outer("bar", inner=_Inner(width=2)), []),
        (_Outer(inner=_Inner(every=2)), ["--every without --days"]),
        (_Outer(days=3, inner=_Inner(every=2)), []),
        (_Outer(whole=True, kind="b"), ["--kind with --whole"]),
        (_Outer(tidy=False), ["--no-tidy without --whole"]),
        (_Outer(foreign=9), []),
        (_Inner(width=2, every=2), []),
    ],
)
def test_what_is_given_without_what_it_needs_is_named(
    settings: Settings, problems: list[str]
) -> None:
    assert misplaced(settings) == problems
    if problems:
        with pytest.raises(ConfigError, match=problems[0]):
            require_belonging(settings)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("crossval run --input Q --output-dir D --samples-per-question 4 --keep 1",
         "--samples-per-question, --keep without --learn-from distilled"),
        ("crossval run --input Q --output-dir D --dev-questions 4 --patience 2",
         "--patience, --dev-questions without --dev-size"),
        ("crossval run --input Q --output-dir D --condition closed --probe-max-new-tokens 8",
         "--probe-max-new-tokens without --probe-questions"),
        ("crossval run --input Q --output-dir D --no-4bit --bnb-4bit-quant-type fp4",
         "--bnb-4bit-quant-type with --no-4bit"),
        ("crossval run --input Q --output-dir D --thinking-budget 9", "--thinking-budget needs --thinking"),
        ("sweep --train-file Q --output-dir D --keep 3", "--keep without --learn-from distilled"),
        ("sweep --train-file Q --output-dir D --stop-on-collapse", "--stop-on-collapse without --dev-size"),
        ("sweep --train-file Q --output-dir D --max-steps-override 3", "--epochs 2 4"),
        ("train --train-file Q --output-dir D --eval-steps 4 --dev-condition gold",
         "--dev-condition, --eval-steps without --dev-file"),
        ("train --train-file Q --output-dir D --probe-max-new-tokens 9",
         "--probe-max-new-tokens without --probe-questions"),
        ("merge A --output-dir D --dev-condition gold", "--dev-condition without --dev-file"),
        ("distill --data Q --output-path R --script S", "--script without --llm-backend scripted"),
        ("distill --data Q --output-path R --thinking-budget 9", "--thinking-budget needs --thinking"),
        ("pool sample --data Q --pool R --script S", "--script without --llm-backend scripted"),
        ("augment hard Q --output H --script S", "--script without --llm-backend scripted"),
        ("probe --data Q --script S", "--script without --llm-backend scripted"),
        ("ladder --run-dir D --script S", "--script without --llm-backend scripted"),
        ("evaluate --script S", "--script without --llm-backend scripted"),
        ("evaluate --thinking-budget 9", "--thinking-budget needs --thinking"),
        ("records --output-path R --seed 3", "--seed without --mix or --distractors or --without-gold"),
        ("records --output-path R --hf-model-name M", "--hf-model-name without --index"),
        ("compare A B --data Q", "--data without --clusters group"),
        ("split --input Q --output-dir D --folds 3", "--folds says nothing to --scheme holdout"),
        ("plan --power --memory 10GB", "--memory with --power"),
        ("plan --measure-seconds 5", "--measure-seconds without --measure"),
        ("plan --votes 4", "--votes without --power"),
        ("plan --dev-samples 4", "--dev-samples without --dev-max-new-tokens"),
    ],
)  # fmt: skip
def test_a_flag_without_effect_is_refused_by_every_command(
    command: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Q").write_text("[]", encoding="utf-8")
    assert main(command.split()) == 2
    assert said in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["Q"]


@pytest.mark.parametrize(
    "command",
    [
        "crossval run --mix closed=1,gold=1 --input Q --output-dir D --top-k 3",
        "records --mix closed=1,gold=1 --lawqa-path Q --output-path R --index I",
    ],
)
def test_retrieval_flags_without_a_retrieved_condition_are_named(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Q").write_text("[]", encoding="utf-8")
    main(command.split())
    flag = command.split()[-2]
    assert f"note: {flag} unused: no prompt has a retrieved context" in capsys.readouterr().err
