"""How answers are drawn: what decides each value, what the manifest says of it, what a resumed run keeps."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.errors import ConfigError
from lawqa.models.files.generation_config import own_sampling
from lawqa.pipelines.evaluation.config import EvaluationConfig, check_config
from lawqa.prompting import Mode, PromptSpec
from lawqa.questions import Question, write_questions

pytestmark = pytest.mark.every_python

QWEN3 = {"do_sample": True, "temperature": 0.6, "top_p": 0.95, "top_k": 20, "eos_token_id": [1, 2]}
OWN = {"temperature": 0.33, "top_p": 0.9, "top_k": 7}


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: Callable[..., Question]
) -> Path:
    monkeypatch.chdir(tmp_path)
    write_questions(tmp_path / "q.json", [question(id=f"民法_{n}", text=f"問{n}") for n in (1, 2)])
    return tmp_path


def model(here: Path, content: object) -> str:
    folder = here / "model"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text("{}", encoding="utf-8")
    (folder / "generation_config.json").write_text(json.dumps(content), encoding="utf-8")
    own_sampling.cache_clear()
    return str(folder)


def config(mode: Mode = "cot", *, thinking: bool = False, **settings: Any) -> EvaluationConfig:
    return EvaluationConfig(Path("q.json"), PromptSpec(mode, thinking=thinking), **settings)


def drawn(one: EvaluationConfig) -> tuple[float, float, int, float]:
    generation = one.generation()
    return generation.temperature, generation.top_p, generation.top_k, generation.min_p


THINKING, PLAIN, GREEDY = (0.6, 0.95, 20, 0.0), (0.7, 0.8, 20, 0.0), (0.0, 1.0, 0, 0.0)


@pytest.mark.parametrize(
    ("mode", "thinking", "ensemble", "expected"),
    [
        ("cot", True, 1, THINKING),
        ("direct", True, 1, THINKING),
        ("cot", True, 5, THINKING),
        ("cot", False, 5, PLAIN),
        ("direct", False, 5, PLAIN),
        ("cot", False, 1, GREEDY),
    ],
)
def test_makers_say_how_answers_are_drawn(
    mode: Mode, thinking: bool, ensemble: int, expected: tuple[float, ...]
) -> None:
    one = config(mode, thinking=thinking, ensemble=ensemble, backend="scripted")
    assert drawn(one) == expected
    said = set(one.sampling_sources().values())
    if expected == GREEDY:
        assert said == {"greedy: one answer without thinking"}
    else:
        assert said == {f"recommended {'with' if thinking else 'without'} thinking"}


@pytest.mark.parametrize(("mode", "thinking"), [("cot", False), ("cot", True), ("direct", True)])
def test_the_models_own_file_decides_where_it_says_so(
    here: Path, mode: Mode, thinking: bool
) -> None:
    one = config(mode, thinking=thinking, ensemble=3, model_name=model(here, OWN))
    assert drawn(one) == (0.33, 0.9, 7, 0.0)
    assert one.sampling_sources() == {
        "temperature": "generation_config.json",
        "top_p": "generation_config.json",
        "top_k_sampling": "generation_config.json",
        "min_p": f"recommended {'with' if thinking else 'without'} thinking",
    }


def test_qwen3s_file_speaks_of_its_thinking_only(here: Path) -> None:
    name = model(here, QWEN3)
    thinking, plain = (config(thinking=on, ensemble=3, model_name=name) for on in (True, False))
    assert drawn(thinking) == THINKING
    assert set(thinking.sampling_sources().values()) >= {"generation_config.json"}
    assert drawn(plain) == PLAIN


def test_flags_win_over_the_file(here: Path) -> None:
    one = config(thinking=True, model_name=model(here, OWN), temperature=1.1, top_k_sampling=0)
    assert drawn(one) == (1.1, 0.9, 0, 0.0)
    assert one.sampling_sources()["temperature"] == "given"


def test_a_file_that_samples_nothing_says_nothing(here: Path) -> None:
    one = config(thinking=True, model_name=model(here, {**OWN, "do_sample": False}))
    assert drawn(one) == THINKING


def test_what_the_file_asks_for_beside_is_named(here: Path) -> None:
    one = config(thinking=True, model_name=model(here, {**OWN, "repetition_penalty": 1.05}))
    assert "repetition_penalty 1.05" in "".join(one.sampling_notes())


@pytest.mark.parametrize(
    "wrong",
    [{"temperature": "hot"}, {"top_p": 2}, {"top_k": 1.5}, {"temperature": -1}, {"min_p": True}],
)
def test_a_file_with_a_value_that_cannot_be_is_refused_by_name(here: Path, wrong: Any) -> None:
    with pytest.raises(ConfigError, match=r"generation_config\.json") as caught:
        config(thinking=True, model_name=model(here, wrong)).resolved()
    assert next(iter(wrong)) in caught.value.message


def test_greedy_thinking_is_done_when_asked_for_and_warned_of(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(here, "r", "--thinking", "--temperature", "0") == 0
    out, err = capsys.readouterr()
    assert "GREEDY THINKING" in err
    assert "! GREEDY THINKING" in out
    assert asked(here, "s", "--thinking") == 0
    assert "GREEDY" not in "".join(capsys.readouterr())


@pytest.mark.parametrize("flags", [{"top_p": 0.9}, {"top_k_sampling": 5}, {"min_p": 0.1}])
def test_sampling_flags_with_temperature_0_are_refused(flags: Any) -> None:
    with pytest.raises(ConfigError, match="nothing is sampled at --temperature 0"):
        check_config(config(temperature=0.0, backend="scripted", **flags))


@pytest.mark.parametrize(
    ("condition", "most", "budget"),
    [("closed", None, 3072), ("gold", None, 2048), ("rag", None, 2048), ("closed", 400, 300),
     ("closed", 1, None)],
)  # fmt: skip
def test_think_blocks_have_a_budget_by_condition(
    condition: Any, most: int | None, budget: int | None
) -> None:
    one = config(thinking=True, backend="scripted", max_new_tokens=most)
    one = replace(one, spec=replace(one.spec, condition=condition))
    assert one.generation().thinking_budget == budget
    assert not one.generation().budget_required


def test_a_server_gets_no_budget_that_nobody_asked_for() -> None:
    from lawqa.pipelines.evaluation.servers import ServerConfig

    one = config(thinking=True, backend="openai", server=ServerConfig(kind="openai", llm_model="m"))
    assert one.generation().thinking_budget is None


def asked(here: Path, run: str, *flags: str) -> int:
    (here / "script.json").write_text('{"*": "理由。\\n最終回答：a"}', encoding="utf-8")
    return main([
        "evaluate", "--data", "q.json", "--llm-backend", "scripted", "--script", "script.json",
        "--mode", "cot", "--run-dir", run, *flags,
    ])  # fmt: skip


def manifest(run: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(run, "manifest.json").read_text(encoding="utf-8"))
    return content


def test_a_run_is_resumed_as_it_was_begun(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(here, "r", "--thinking") == 0
    old = manifest("r")
    for name in ("samples_per_prompt", "sampling_from", "score_labels"):
        del old["config"][name]
    old["config"] |= {
        "temperature": 0.0, "top_p": 1.0, "top_k_sampling": 0, "min_p": 0.0, "thinking_budget": None,
    }  # fmt: skip
    Path("r/manifest.json").write_text(
        json.dumps({**old, "status": "interrupted"}), encoding="utf-8"
    )
    lines = Path("r/results.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    Path("r/results.jsonl").write_text(lines[0], encoding="utf-8")
    capsys.readouterr()
    assert asked(here, "r", "--thinking", "--resume") == 0
    assert "resumed as it was begun: temperature 0.0 (today 0.6)" in capsys.readouterr().err
    now = manifest("r")["config"]
    assert (now["temperature"], now["top_p"], now["thinking_budget"]) == (0.0, 1.0, None)
    assert set(now["sampling_from"].values()) == {"as the run was begun"}
    assert asked(here, "r", "--thinking", "--resume", "--temperature", "0.6") == 2
    assert "--temperature: then 0.0, now 0.6" in capsys.readouterr().err


def test_a_run_whose_orders_each_had_all_samples_is_resumed_so(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(here, "r", "--permutations", "4", "--ensemble", "8") == 0
    old = manifest("r")
    assert old["config"].pop("samples_per_prompt") == 2
    old["config"]["ensemble"] = 2
    Path("r/manifest.json").write_text(
        json.dumps({**old, "status": "interrupted"}), encoding="utf-8"
    )
    assert asked(here, "r", "--permutations", "4", "--ensemble", "2", "--resume") == 0
    assert "2 orders" not in capsys.readouterr().err
    assert len(Path("r/results.jsonl").read_text(encoding="utf-8").splitlines()) == 2 * 4 * 2
