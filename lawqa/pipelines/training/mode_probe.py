"""Whether an adapter that learnt one format still answers in the others.

Training on letters alone can teach a model to stop reasoning, and training on reasoning to never stop
(reasoning-trace collapse). A few texts in every mode show it, where the accuracy of the trained mode cannot.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lawqa.backends.base import Completion, GenerationSettings
from lawqa.errors import ConfigError
from lawqa.pipelines.adapters.modes import ModeFigures, ProbedMode
from lawqa.pipelines.evaluation.results import result_of
from lawqa.pipelines.training.dev_generation import DevGeneration, draw_dev_questions
from lawqa.pipelines.training.prepared import Prepared
from lawqa.prompting import Condition, Mode, Prompt, PromptSpec, build_prompt, render
from lawqa.questions import Question
from lawqa.settings import ModelSettings, TrainingRun, part_of
from lawqa.thinking import closes_thought, open_thought

if TYPE_CHECKING:
    from lawqa.backends.hf.backend import HFBackend
    from lawqa.pipelines.training.prepared import TrainingSource

_MODES: tuple[tuple[Mode, bool], ...] = (("direct", False), ("cot", False), ("direct", True))
"""Mode, and whether the model's own thinking is on."""


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
    probed = []
    for spec in _specs(prepared, questions):
        prompts = [build_prompt(question, spec) for question in questions]
        try:
            render(prompts[0].messages, loaded.tokenizer, thinking=spec.thinking)
        except ConfigError as problem:
            say(f"{spec.id} is not probed: {problem.message}")
            continue
        say(f"asking {len(questions)} questions as {spec.id}, without and with the adapter")
        settings = _settings(prompts, config)
        before = _figures(backend.without_adapter(), questions, prompts, settings)
        after = _figures(backend, questions, prompts, settings)
        probed.append(ProbedMode(spec.id, _is_trained(spec, prepared.source), before, after))
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


def _specs(prepared: Prepared, questions: Sequence[Question]) -> list[PromptSpec]:
    """Direct, cot and thinking, in a condition that was trained and that the questions have a context for."""
    trained = [PromptSpec.from_id(name) for name in _spec_ids(prepared.source)]
    first = trained[0] if trained else PromptSpec()
    in_gold = any(spec.condition != "closed" for spec in trained)
    condition: Condition = "gold" if in_gold and all(q.context for q in questions) else "closed"
    return [
        PromptSpec(mode, condition, thinking=thinking, wording=first.wording)
        for mode, thinking in _MODES
    ]


def _spec_ids(source: TrainingSource) -> list[str]:
    from lawqa.records import FOREIGN_SPECS

    return sorted({record.prompt_spec for record in source.records} - FOREIGN_SPECS)


def _is_trained(spec: PromptSpec, source: TrainingSource) -> bool:
    trained = [PromptSpec.from_id(name) for name in _spec_ids(source)]
    return (spec.mode, spec.thinking) in {(one.mode, one.thinking) for one in trained}


def _settings(prompts: Sequence[Prompt], config: TrainingRun) -> GenerationSettings:
    most = config.probe_max_new_tokens if prompts[0].spec.reasons else None
    model = part_of(ModelSettings, config)
    generation = DevGeneration.of(
        prompts, model, samples=1, max_new_tokens=most, seed=config.training.seed
    )
    # A budget would close the blocks that the probe is to see left open.
    return replace(generation.settings, thinking_budget=None)


def _figures(
    backend: HFBackend,
    questions: Sequence[Question],
    prompts: Sequence[Prompt],
    settings: GenerationSettings,
) -> ModeFigures:
    asked, texts = {question.key: question for question in questions}, list[Completion]()
    correct = unparsed = 0
    for answer in backend.generate(prompts, settings):
        result = result_of(asked[answer.key], prompts[0].spec, "generate", answer)
        unparsed += result.label is None
        correct += result.outcome == "correct"
        if isinstance(answer, Completion):
            texts.append(answer)
    closed = [closes_thought(text.text) for text in texts]
    opened = [
        ends or text.in_thought or open_thought(text.text) is not None
        for text, ends in zip(texts, closed, strict=True)
    ]
    return ModeFigures(
        texts=len(prompts),
        opened=sum(opened),
        closed=sum(closed),
        unparsed=unparsed,
        cut=sum(text.hit_limit for text in texts),
        correct=correct,
        median_tokens=statistics.median([text.completion_tokens for text in texts] or [0]),
    )
