"""Whether an adapter that learnt one format still answers in the others.

Training on letters alone can teach a model to stop reasoning, and training on reasoning to never stop
(reasoning-trace collapse). A few texts in every mode show it, where the accuracy of the trained mode cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lawqa.amounts import counted
from lawqa.backends.base import GenerationSettings
from lawqa.errors import ConfigError
from lawqa.pipelines.adapters.modes import ProbedMode
from lawqa.pipelines.training.dev_generation import DevGeneration, draw_dev_questions
from lawqa.pipelines.training.mode_asking import (
    is_trained,
    specs_of_modes,
    texts_of_mode,
    trained_specs,
    unbudgeted,
)
from lawqa.pipelines.training.prepared import Prepared
from lawqa.prompting import Prompt, PromptSpec, build_prompt, render
from lawqa.questions import Question
from lawqa.settings import ModelSettings, TrainingRun, part_of

if TYPE_CHECKING:
    from lawqa.pipelines.training.prepared import TrainingSource


def probe_modes(prepared: Prepared, say: Callable[[str], object] = str) -> tuple[ProbedMode, ...]:
    """Ask a few questions in every mode, with the adapter switched off and on.

    Args:
        prepared: a training whose model has its final adapter.
        say: prints what is being done, a line each.

    Raises:
        BackendError: the model cannot be asked.
    """
    from lawqa.backends.hf.backend import DEFAULT_TOKEN_BUDGET, HFBackend

    config, adapter = prepared.config, prepared.config.output_dir
    loaded = replace(prepared.loaded, model=prepared.model, adapter=adapter)
    budget = config.training.token_budget or DEFAULT_TOKEN_BUDGET
    backend = HFBackend(loaded, budget)
    questions = probed_questions(config, prepared.source, prepared)
    trained = trained_specs(record.prompt_spec for record in prepared.source.records)
    probed = []
    for spec in specs_of_modes(trained, questions):
        prompts = [build_prompt(question, spec) for question in questions]
        try:
            render(prompts[0].messages, loaded.tokenizer, thinking=spec.thinking)
        except ConfigError as problem:
            say(f"{spec.id} is not probed: {problem.message}")
            continue
        say(
            f"asking {counted(len(questions), 'question')} as {spec.id}, without and with the adapter"
        )
        settings = _settings(prompts, config)
        before = texts_of_mode(backend.without_adapter(), questions, prompts, settings)
        after = texts_of_mode(backend, questions, prompts, settings)
        for failure in (*before.failures, *after.failures):
            say(f"! {spec.id}: {failure.key} failed: {failure.reason}")
        trained_so = is_trained(spec, trained)
        probed.append(ProbedMode(spec.id, trained_so, before.figures, after.figures))
    return tuple(probed)


def probed_questions(
    config: TrainingRun, source: TrainingSource, prepared: Prepared | None = None
) -> list[Question]:
    """Return the questions that are asked: dev questions, else those of the records.

    Form is measured, not what is known, so questions that were trained on serve as well.

    Raises:
        ConfigError: the records do not say which questions they were made of.
    """
    dev = prepared.dev if prepared is not None else None
    known = dev.questions if dev else tuple(r.origin for r in source.records if r.origin)
    by_id = {question.id: question for question in reversed(known)}
    if not by_id and config.dev_file is None:
        raise ConfigError(
            "--probe-questions: the training file does not say which questions could be asked",
            "--dev-file  names some; or make the records with lawqa records",
        )
    spec = PromptSpec()
    put = [(question, build_prompt(question, spec)) for question in by_id.values()]
    return [question for question, _ in draw_dev_questions(put, config.probe_questions)]


def _settings(prompts: Sequence[Prompt], config: TrainingRun) -> GenerationSettings:
    most = config.probe_max_new_tokens if prompts[0].spec.reasons else None
    model = part_of(ModelSettings, config)
    generation = DevGeneration.of(
        prompts, model, samples=1, max_new_tokens=most, seed=config.training.seed
    )
    return unbudgeted(generation.settings)
