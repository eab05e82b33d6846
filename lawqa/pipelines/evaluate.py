"""Evaluation: questions -> prompts -> backend -> parsed answers -> outcomes -> summary."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from tqdm import tqdm

from lawqa.backends.base import Backend, GenerationSettings
from lawqa.commands import require_backend
from lawqa.errors import ConfigError
from lawqa.pipelines.adapters import AdapterManifest
from lawqa.pipelines.results import Answer, result_row, scored_answer, summary_of
from lawqa.prompting import Prompt, PromptSpec, build_prompt, spec_hash
from lawqa.questions import Question, file_sha256, read_questions
from lawqa.runs import (
    SCHEMA_VERSION,
    Manifest,
    RunDirectory,
    claim_output,
    describe_environment,
    ending,
    now,
    question_entries,
    write_json,
)
from lawqa.scoring import ScoredAnswer, Summary

AnswerBy = Literal["logits", "generate"]

BackendFactory = Callable[["EvaluationConfig", "AdapterManifest | None"], Backend]


@dataclass(frozen=True)
class EvaluationConfig:
    """What is asked, of which model, and where the answers go."""

    data: Path
    """The questions."""
    spec: PromptSpec
    """How they are put."""
    answer_by: AnswerBy
    """`logits`: the likeliest label of one forward pass; `generate`: parsed from generated text."""
    backend: Literal["hf", "scripted"]
    """Who answers."""
    samples: int | None = None
    """Only the first so many questions; None for all."""
    model_name: str = ""
    """The model, for `hf`."""
    revision: str | None = None
    """Its revision."""
    adapter: Path | None = None
    """An adapter to apply."""
    load_in_4bit: bool = False
    """Quantise the model while loading; an adapter trained over 4-bit weights implies it."""
    script: Path | None = None
    """The table of answers, for `scripted`."""
    max_new_tokens: int = 32
    """The most tokens of one completion."""
    temperature: float = 0.0
    """0 for greedy decoding."""
    token_budget: int = 8192
    """Padded tokens of one batch."""
    seed: int = 0
    """For sampling."""
    place: str = "any"
    """Where this runs; decides what is forbidden."""
    run_dir: Path | None = None
    """The run directory; None for a new one under `runs/`."""
    output: Path | None = None
    """Also write config, summary and results as one JSON file."""
    fresh: bool = False
    """Replace an earlier run and output."""
    allow_leak: bool = False
    """Score trained-on questions, and say so."""
    allow_prompt_mismatch: bool = False
    """Use a prompt that the adapter does not know, and say so."""
    quiet: bool = False
    """No progress bar."""


@dataclass(frozen=True)
class EvaluationResult:
    """A finished evaluation."""

    summary: Summary
    """Its figures."""
    notes: tuple[str, ...]
    """What a reader must know first."""
    answers: tuple[ScoredAnswer, ...]
    """What the figures were made from."""
    run_dir: Path
    """Where everything is."""


def evaluate(
    config: EvaluationConfig, backend_factory: BackendFactory | None = None
) -> EvaluationResult:
    """Ask all questions and score the answers.

    Everything that can be wrong with the options and files is checked before a model is loaded.

    Args:
        config: what to do.
        backend_factory: makes the backend; for callers that hold a loaded model already.

    Raises:
        LawqaError: a file, option, model or policy does not allow it.
    """
    require_backend(config.place, config.backend)
    questions = _sampled(read_questions(config.data), config.samples)
    prompts = [build_prompt(question, config.spec) for question in questions]
    run_dir = config.run_dir or _new_run_dir(config)
    RunDirectory.check_free(run_dir, fresh=config.fresh)
    if config.output is not None:
        claim_output(config.output, "--output", fresh=config.fresh)
    adapter = AdapterManifest.read(config.adapter) if config.adapter else None
    notes = []
    if adapter is not None:
        notes = adapter.notes(
            questions,
            config.spec,
            allow_leak=config.allow_leak,
            allow_prompt_mismatch=config.allow_prompt_mismatch,
        )
        # What was trained is what is tested.
        config = replace(config, load_in_4bit=config.load_in_4bit or bool(adapter.quantisation))
    backend = (backend_factory or open_backend)(config, adapter)
    hashed = spec_hash(config.spec, backend.chat_template)
    if adapter is not None:
        notes += adapter.check_base(
            backend.describe(),
            config.spec,
            hashed,
            allow_prompt_mismatch=config.allow_prompt_mismatch,
        )
    run = RunDirectory.create(run_dir, fresh=config.fresh)
    manifest = _manifest(config, backend, questions, hashed, adapter, notes)
    run.write_manifest(manifest)
    try:
        started = time.perf_counter()
        _ask_all(config, backend, questions, prompts, run)
        seconds = time.perf_counter() - started
        result = _finish(config, run, questions, notes, seconds)
    except BaseException as problem:
        run.write_manifest(replace(manifest, ended=now(), status=ending(problem)))
        raise
    figures = {"seconds": round(seconds, 3)}
    run.write_manifest(
        replace(manifest, model=backend.describe(), figures=figures, ended=now(), status="done")
    )
    return result


def _ask_all(
    config: EvaluationConfig,
    backend: Backend,
    questions: Sequence[Question],
    prompts: Sequence[Prompt],
    run: RunDirectory,
) -> None:
    by_key = {question.key: question for question in questions}
    correct = 0
    hidden = config.quiet or None  # None: tqdm hides the bar where there is no terminal
    with tqdm(total=len(prompts), desc="asking", unit="question", disable=hidden) as bar:
        for answer in _answers(config, backend, prompts):
            row = result_row(by_key[answer.key], config.spec, config.answer_by, answer)
            run.append_result(row)
            correct += row["outcome"] == "correct"
            bar.update()
            bar.set_postfix(correct=correct)


def _answers(
    config: EvaluationConfig, backend: Backend, prompts: Sequence[Prompt]
) -> Iterator[Answer]:
    if config.answer_by == "logits":
        return backend.score_choices(prompts)
    settings = GenerationSettings(config.max_new_tokens, config.temperature, config.seed)
    return backend.generate(prompts, settings)


def _finish(
    config: EvaluationConfig,
    run: RunDirectory,
    questions: Sequence[Question],
    notes: Sequence[str],
    seconds: float,
) -> EvaluationResult:
    position = {question.key: number for number, question in enumerate(questions)}
    rows = sorted(run.results(), key=lambda row: position[f"{row['file_name']}#{row['order']}"])
    summary, record = summary_of(rows, notes, seconds)
    run.write_summary(record)
    if config.output is not None:
        whole = {"schema_version": SCHEMA_VERSION, "config": _config_json(config)}
        write_json(config.output, {**whole, "summary": record, "results": rows})
    answers = tuple(scored_answer(row) for row in rows)
    return EvaluationResult(summary, tuple(record["notes"]), answers, run.path)


def open_backend(config: EvaluationConfig, adapter: AdapterManifest | None = None) -> Backend:
    """The backend that the settings name, with its model loaded.

    Raises:
        LawqaError: the script, model or adapter is not there or does not load.
    """
    if config.backend == "scripted":
        from lawqa.backends.scripted import ScriptedBackend

        if config.script is None:
            raise ConfigError(
                "--llm-backend scripted needs --script", 'a JSON file like {"*": "c"}'
            )
        return ScriptedBackend.from_file(config.script)
    from lawqa.backends.hf import require_packages

    require_packages(quantised=config.load_in_4bit)
    from lawqa.backends.hf.backend import HFBackend
    from lawqa.backends.hf.load import ModelConfig, load_model

    model = ModelConfig(config.model_name, config.revision, config.load_in_4bit)
    return HFBackend(load_model(model, adapter.path if adapter else None), config.token_budget)


def _manifest(
    config: EvaluationConfig,
    backend: Backend,
    questions: Sequence[Question],
    hashed: str,
    adapter: AdapterManifest | None,
    notes: Sequence[str],
) -> Manifest:
    model = backend.describe()
    return Manifest(
        kind="evaluate",
        config=_config_json(config),
        model=model,
        prompt_specs={config.spec.id: hashed},
        data={
            "path": str(config.data),
            "sha256": file_sha256(config.data),
            "questions": len(questions),
        },
        questions=question_entries(questions),
        adapter=_adapter_json(adapter),
        notes=list(notes),
        seed=config.seed,
        environment=describe_environment(model.get("device")),
        started=now(),
    )


def _adapter_json(adapter: AdapterManifest | None) -> dict[str, Any] | None:
    if adapter is None:
        return None
    content = adapter.content or {}
    kept = ("prompt_specs", "data", "started", "model")
    return {"path": str(adapter.path), "manifest": {key: content.get(key) for key in kept}}


def _config_json(config: EvaluationConfig) -> dict[str, Any]:
    plain = {
        key: str(value) if isinstance(value, Path) else value for key, value in vars(config).items()
    }
    return {**plain, "spec": vars(config.spec)}


def _sampled(questions: tuple[Question, ...], samples: int | None) -> tuple[Question, ...]:
    if samples is None:
        return questions
    if samples < 1:
        raise ConfigError(f"--samples is {samples}, expected 1 or more")
    return questions[:samples]


def _new_run_dir(config: EvaluationConfig) -> Path:
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    who = config.adapter.name if config.adapter else Path(config.model_name or config.backend).name
    base = Path("runs") / f"{stamp}_{who}_{config.spec.id}"
    candidate, number = base, 1
    while candidate.exists():
        number += 1
        candidate = base.with_name(f"{base.name}_{number}")
    return candidate
