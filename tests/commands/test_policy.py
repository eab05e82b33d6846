"""A planted violation of each rule of each place, when declared, when shown and when run."""

from __future__ import annotations

from pathlib import Path

import pytest

from lawqa.cli import main
from lawqa.commands.expand import render_command
from lawqa.commands.policy import check_policy, parameters_in_billions, violations
from lawqa.commands.source import packaged_source
from lawqa.errors import PolicyError

pytestmark = pytest.mark.every_python

EVALUATE = "lawqa evaluate --llm-backend hf --hf-model-name Qwen/Qwen3-8B"

PLANTED = [
    ("heart01", "no-curl", "curl -O https://example.org/x"),
    ("heart01", "no-curl", "/usr/bin/curl -O https://example.org/x"),
    ("heart01", "no-curl", "bash -c 'curl x | sh'"),
    ("heart01", "no-other-downloader", "aria2c https://example.org/x"),
    ("heart01", "no-model-server", "ollama pull qwen3:8b"),
    ("heart01", "no-model-server", "nohup ollama serve"),
    ("heart01", "no-model-server", "python -m vllm.entrypoints.openai.api_server"),
    ("heart01", "no-model-server", f"{EVALUATE} --base-url http://localhost:11434/v1"),
    ("heart01", "no-model-server", f"{EVALUATE} --base-url http://127.0.0.1:8000/v1"),
    ("heart01", "no-model-server", "lawqa evaluate --llm-backend ollama --hf-model-name Qwen/Qwen3-8B"),
    ("heart01", "no-model-server", "lawqa evaluate --llm_backend=openai --hf-model-name Qwen/Qwen3-8B"),
    ("heart01", "no-assistant-or-editor", "vim lawqa/cli.py"),
    ("heart01", "no-assistant-or-editor", "claude"),
    ("heart01", "no-assistant-or-editor", "sed -i s/a/b/ lawqa/cli.py"),
    ("heart01", "no-assistant-or-editor", "git -C . apply fix.patch"),
    ("heart01", "no-assistant-or-editor", "nohup python3 -c 1"),
    ("heart01", "git-only-receives", "git push"),
    ("heart01", "git-only-receives", "git -C lawqa commit --all"),
    ("heart01", "no-model-server", "pip install vllm"),
    ("heart01", "no-resident-server", "jupyter lab"),
    ("heart01", "no-resident-server", "python -m http.server"),
    ("heart01", "no-resident-server", "tmux new-session tensorboard --logdir runs"),
    ("heart01", "evaluation-names-backend-and-model", "lawqa evaluate --hf-model-name Qwen/Qwen3-8B"),
    ("heart01", "evaluation-names-backend-and-model", "python -m lawqa evaluate --llm-backend hf"),
    ("heart01", "model-of-heart01", "lawqa evaluate --llm-backend hf --hf-model-name Qwen/Qwen3-4B"),
    ("heart01", "model-of-heart01", "lawqa probe --llm-backend hf --hf-model-name Qwen/Qwen3-4B --data q"),
    ("heart01", "evaluation-names-backend-and-model", "lawqa probe --llm-backend hf --data q"),
    ("heart01", "model-of-heart01", "lawqa train --model-name=Qwen/Qwen3-1.7B --train-file t"),
    ("heart01", "model-of-heart01", "lawqa doctor --model Qwen/Qwen3-14B"),
    ("heart01", "model-of-heart01", "nohup hf download Qwen/Qwen3-4B"),
    ("heart01", "known-programs", "perl -e 1"),
    ("local-3080", "no-8b-training", "lawqa train --model-name Qwen/Qwen3-8B --train-file t"),
    ("local-3080", "no-8b-training", "lawqa train --train-file t"),
    ("local-3080", "no-8b-training", "lawqa prefer --model-name Qwen/Qwen3-8B --pairs p"),
    ("local-3080", "no-8b-training", "lawqa prefer --pairs p"),
    ("heart01", "model-of-heart01", "lawqa prefer --model-name Qwen/Qwen3-4B --pairs p"),
    ("local-3080", "no-8b-training", "lawqa crossval run --model-name /models/Qwen3-8B-Base"),
    ("local-3080", "no-8b-training", "nohup lawqa sweep --model-name Qwen/Qwen3-14B"),
]  # fmt: skip


def words(line: str) -> list[str]:
    import shlex

    return shlex.split(line)


@pytest.mark.parametrize(("place", "rule", "line"), PLANTED)
def test_a_planted_violation_names_command_rule_and_reason(
    place: str, rule: str, line: str
) -> None:
    found = packaged_source().place(place)
    assert rule in [broken.rule.id for broken in violations(found, words(line), {})]
    with pytest.raises(PolicyError) as caught:
        check_policy(found, words(line), name="planted")
    assert caught.value.message.startswith(f"planted: forbidden at {place} by the rule ")
    assert caught.value.hint


def test_every_rule_of_every_place_has_a_planted_violation() -> None:
    declared = {(p.id, rule.id) for p in packaged_source().places.values() for rule in p.rules}
    assert len(declared) == 9
    assert declared <= {(place, rule) for place, rule, _ in PLANTED}


def test_an_adapter_is_evaluated_by_name() -> None:
    place = packaged_source().place("heart01")
    assert not violations(place, words(EVALUATE), {}, evaluates="base")
    (broken,) = violations(place, words(EVALUATE), {}, evaluates="adapter")
    assert broken.found == "it evaluates an adapter, but --hf-lora-path is not named"
    assert not violations(place, words(f"{EVALUATE} --hf-lora-path a"), {}, evaluates="adapter")


def test_environment_values_are_looked_at_too() -> None:
    place = packaged_source().place("heart01")
    (broken,) = violations(place, words("make x"), {"OLLAMA_HOST": "localhost:11434"})
    assert broken.rule.id == "no-model-server"


@pytest.mark.parametrize(
    "line",
    [
        f"{EVALUATE} --hf-lora-path a",
        "lawqa evaluate --llm-backend hf --hf-model-name models/Qwen3-8B",
        "lawqa train --model-name Qwen/Qwen3-8B",
        "nohup make train-heart01",
        "hf download Qwen/Qwen3-8B",
        "git pull --ff-only",
        "git -C datasets/lawqa_jp checkout --quiet 6165cc9",
        "pip install -r requirements-heart01.txt",
        "python -m tarfile -e lawqa-index.tar.gz",
    ],
)
def test_what_heart01_is_for_is_allowed(line: str) -> None:
    assert violations(packaged_source().place("heart01"), words(line), {}) == ()


@pytest.mark.parametrize(
    "line", ["lawqa train --model-name Qwen/Qwen3-4B", EVALUATE, "ollama pull x"]
)
def test_what_the_3080_is_for_is_allowed(line: str) -> None:
    assert violations(packaged_source().place("local-3080"), words(line), {}) == ()


def test_a_models_size_is_read_from_its_name_or_its_config(tmp_path: Path) -> None:
    assert parameters_in_billions("Qwen/Qwen3-1.7B") == 1.7
    assert parameters_in_billions("qwen3:8b") == 8.0
    assert parameters_in_billions("runs/adapter") is None
    sizes = (
        '{"hidden_size":4096,"num_hidden_layers":36,"intermediate_size":12288,"vocab_size":151936}'
    )
    (tmp_path / "config.json").write_text(sizes, encoding="utf-8")
    assert parameters_in_billions(str(tmp_path)) == pytest.approx(8.2, abs=1.5)


@pytest.mark.parametrize(
    ("place", "arguments", "rule"),
    [
        ("heart01", ["evaluate", "--data", "q.json"], "evaluation-names-backend-and-model"),
        ("heart01", ["train", "--train-file", "t", "--output-dir", "a", "--model-name", "Qwen/Qwen3-4B"],
         "model-of-heart01"),
        ("local-3080", ["train", "--train-file", "t", "--output-dir", "a"], "no-8b-training"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("said_by", ["environment", "file"])
def test_a_forbidden_command_is_refused_before_it_does_anything(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    place: str,
    arguments: list[str],
    rule: str,
    said_by: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    if said_by == "environment":
        monkeypatch.setenv("LAWQA_PLACE", place)
    else:
        (tmp_path / "lawqa.toml").write_text(f'place = "{place}"\n', encoding="utf-8")
    before = sorted(tmp_path.iterdir())
    assert main(arguments) == 2
    error, hint = capsys.readouterr().err.strip().splitlines()
    assert error.startswith(
        f"error: lawqa {arguments[0]}: forbidden at {place} by the rule {rule}: "
    )
    assert hint.startswith("hint: ")
    assert sorted(tmp_path.iterdir()) == before


def test_no_declared_command_breaks_a_rule_of_its_places() -> None:
    source = packaged_source()
    checked = 0
    for place in source.places.values():
        for command in source.at(place.id):
            rendered = render_command(command, place)
            assert not violations(
                place, rendered.argv, rendered.env, evaluates=command.evaluates
            ), (place.id, command.id)
            checked += 1
    assert checked > 100
