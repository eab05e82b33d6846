"""Settings of an evaluation that nobody gave follow the way of asking, from Python as on the command line."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest

from lawqa.backends.base import GenerationSettings
from lawqa.errors import ConfigError
from lawqa.pipelines.corpus.indexes.retriever_config import RetrieverConfig
from lawqa.pipelines.evaluation.config import EvaluationConfig, check_config
from lawqa.pipelines.evaluation.contexts import RagConfig
from lawqa.pipelines.evaluation.evaluate import evaluate
from lawqa.prompting import PromptSpec
from lawqa.settings import DEFAULT_MODEL, GenerationChoices

DIRECT, COT, THINKING = PromptSpec(), PromptSpec("cot"), PromptSpec(thinking=True)


@pytest.mark.parametrize(
    ("spec", "given", "answer_by", "tokens", "temperature"),
    [
        (DIRECT, {}, "logits", 32, 0.0),
        (DIRECT, {"ensemble": 3}, "generate", 32, 0.7),
        (DIRECT, {"answer_by": "generate"}, "generate", 32, 0.0),
        (COT, {}, "generate", 1024, 0.0),
        (COT, {"max_new_tokens": 64}, "generate", 64, 0.0),
        (THINKING, {}, "generate", 4096, 0.6),
    ],
)
def test_what_is_not_given_follows_the_way_of_asking(
    spec: PromptSpec, given: dict[str, object], answer_by: str, tokens: int, temperature: float
) -> None:
    config = EvaluationConfig(Path("q.json"), spec, **given)  # type: ignore[arg-type]
    check_config(config)
    generation, stored = config.generation(), config.to_json()
    assert (config.resolved().answer_by, generation.max_new_tokens) == (answer_by, tokens)
    assert generation.temperature == temperature
    assert (stored["answer_by"], stored["max_new_tokens"], stored["temperature"]) == (
        answer_by, tokens, temperature,
    )  # fmt: skip


def test_a_changed_prompt_changes_what_follows_from_it() -> None:
    config = replace(EvaluationConfig(Path("q.json")), spec=COT)
    assert (config.resolved().answer_by, config.generation().max_new_tokens) == ("generate", 1024)


@pytest.mark.parametrize(("spec", "opened"), [(COT, "reasoning"), (THINKING, "a think block")])
def test_labels_are_not_scored_where_the_model_writes_first(spec: PromptSpec, opened: str) -> None:
    with pytest.raises(ConfigError, match=f"opens {opened}, not an answer") as refused:
        check_config(EvaluationConfig(Path("q.json"), spec, "logits"))
    assert refused.value.hint


def test_a_model_or_server_that_is_not_named_is_that_of_the_command() -> None:
    assert EvaluationConfig(Path("q.json")).model_name == DEFAULT_MODEL
    ollama = EvaluationConfig(Path("q.json"), backend="ollama")
    assert ollama.server is not None
    assert (ollama.server.kind, ollama.model_name) == ("ollama", "qwen3:8b")
    named = EvaluationConfig(Path("q.json"), backend="openai", model_name="m")
    assert named.server is not None
    assert named.server.model == "m"
    with pytest.raises(ConfigError, match="needs --llm-model"):
        EvaluationConfig(Path("q.json"), backend="openai")


def test_retrieved_contexts_are_counted_by_the_tokenizer_of_the_model_that_reads_them() -> None:
    rag = RagConfig(RetrieverConfig(Path("index")))
    config = EvaluationConfig(Path("q.json"), rag=rag, model_name="m", revision="r")
    assert config.rag is not None
    assert (config.rag.tokenizer, config.rag.revision) == ("m", "r")
    assert EvaluationConfig(Path("q.json"), rag=rag, backend="scripted").rag == rag


def test_a_place_that_forbids_a_backend_is_obeyed_without_naming_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAWQA_PLACE", "heart01")
    from lawqa.errors import PolicyError

    with pytest.raises(PolicyError):
        evaluate(EvaluationConfig(tmp_path / "q.json", backend="ollama"))


def test_the_manifest_keeps_what_the_defaults_were(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from lawqa.demo import embedded_questions
    from lawqa.questions import write_questions

    write_questions(tmp_path / "q.json", embedded_questions()[:2])
    (tmp_path / "script.json").write_text('{"*": "最終回答：a"}', encoding="utf-8")
    result = evaluate(
        EvaluationConfig(
            str(tmp_path / "q.json"),  # type: ignore[arg-type]
            COT,
            backend="scripted",
            script=str(tmp_path / "script.json"),  # type: ignore[arg-type]
            run_dir=str(tmp_path / "run"),  # type: ignore[arg-type]
        )
    )
    config = json.loads((result.run_dir / "manifest.json").read_text(encoding="utf-8"))["config"]
    assert (config["answer_by"], config["max_new_tokens"], config["place"]) == (
        "generate",
        1024,
        "any",
    )
    assert capfd.readouterr() == ("", "")


# What a backend calls otherwise, or whoever asks it does.
ELSEWHERE = {"top_k_sampling": "top_k", "ensemble": "repeats", "force_answers": ""}


def test_every_choice_of_how_text_is_generated_reaches_the_backend() -> None:
    theirs = {field.name for field in fields(GenerationSettings)}
    ours = {field.name for field in fields(GenerationChoices)} - ELSEWHERE.keys()
    assert ours <= theirs, "declare it in GenerationSettings, too"
    given = {
        "max_new_tokens": 7, "temperature": 0.5, "top_p": 0.6, "top_k_sampling": 8, "min_p": 0.1,
        "ensemble": 3, "thinking_budget": 5, "stop_at_final_answer": False, "stop_at_loops": False,
        "kv_cache": "int8", "score_labels": False, "force_answers": False,
    }  # fmt: skip
    assert given.keys() == {field.name for field in fields(GenerationChoices)}, "give it a value"
    config = EvaluationConfig(Path("q.json"), PromptSpec(thinking=True), seed=4, **given)  # type: ignore[arg-type]
    settings = config.generation()
    for name, value in given.items():
        if called := ELSEWHERE.get(name, name):
            assert getattr(settings, called) == value, name
    assert (settings.seed, settings.budget_required) == (4, True)
