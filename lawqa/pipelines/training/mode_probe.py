"""Whether an adapter that learnt one format still answers in the others.

Training on letters alone can teach a model to stop reasoning, and training on reasoning to never stop
(reasoning-trace collapse). A few texts in every mode show it, where the accuracy of the trained mode cannot.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from lawqa.backends.base import Completion, GenerationSettings
from lawqa.errors import ConfigError
from lawqa.files import JsonObject
from lawqa.pipelines.evaluation.results import result_of
from lawqa.pipelines.training.dev_generation import DevGeneration, drawn
from lawqa.pipelines.training.prepared import Prepared
from lawqa.prompting import Condition, Mode, Prompt, PromptSpec, build_prompt, render
from lawqa.questions import Question
from lawqa.report.table import Table, render_text
from lawqa.settings import ModelSettings, TrainingRun, part_of
from lawqa.thinking import closes_thought, open_thought

if TYPE_CHECKING:
    from lawqa.backends.hf.backend import HFBackend
    from lawqa.pipelines.training.prepared import TrainingSource

_MODES: tuple[tuple[Mode, bool], ...] = (("direct", False), ("cot", False), ("direct", True))
"""Mode, and whether the model's own thinking is on."""
_LOST_BLOCKS = 0.5
"""Share of the texts whose think block is gone, or never closed, that is an alarm."""
_LOST_ANSWERS = 0.25
"""Share of the texts without an answer that is an alarm, beyond those without the adapter."""
_SHORT = 0.25
"""Reasoning of less than this share of the length without the adapter is an alarm."""


@dataclass(frozen=True)
class ModeFigures:
    """Texts in one mode."""

    texts: int
    """How many."""
    opened: int
    """Those with a think block."""
    closed: int
    """Those with a think block that ends."""
    unparsed: int
    """Those that name no label."""
    cut: int
    """Those that ended in the limit of tokens."""
    correct: int
    """Those that name the right label."""
    median_tokens: float
    """Of a text."""


@dataclass(frozen=True)
class ProbedMode:
    """One mode, without and with the adapter."""

    spec: str
    """The prompt spec."""
    trained: bool
    """Whether the adapter learnt this mode."""
    before: ModeFigures
    """Of the base model: the adapter switched off."""
    after: ModeFigures
    """Of the adapter."""

    @property
    def warning(self) -> str | None:
        """What training took from a mode that it did not teach, in words; None for nothing."""
        was, now, texts = self.before, self.after, self.after.texts
        lost = []
        if was.opened - now.opened >= _LOST_BLOCKS * texts:
            lost.append(f"texts with a think block {was.opened} -> {now.opened}")
        elif was.closed - now.closed >= _LOST_BLOCKS * texts:
            lost.append(f"think blocks that end {was.closed} -> {now.closed}")
        if now.unparsed - was.unparsed >= _LOST_ANSWERS * texts:
            lost.append(f"texts without an answer {was.unparsed} -> {now.unparsed}")
        reasons = PromptSpec.from_id(self.spec).reasons
        if reasons and now.median_tokens < _SHORT * was.median_tokens:
            lost.append(f"median length {was.median_tokens:g} -> {now.median_tokens:g} tokens")
        if self.trained or not lost:
            return None
        return f"{self.spec}, which was not trained: {'; '.join(lost)} (of {texts} texts)"

    def to_json(self) -> JsonObject:
        """Return what the manifest keeps."""
        return {**asdict(self), "warning": self.warning}

    @classmethod
    def from_json(cls, stored: JsonObject) -> ProbedMode:
        """Return what `to_json` described."""
        sides = (ModeFigures(**stored[side]) for side in ("before", "after"))
        return cls(stored["spec"], stored["trained"], *sides)


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
    return [question for question, _ in drawn(put, config.probe_questions)]


def modes_text(modes: Sequence[ProbedMode]) -> str:
    """The modes side by side, and what was lost."""
    rows = []
    for mode in modes:
        for name, figures in (("base", mode.before), ("adapter", mode.after)):
            rows.append(
                (
                    f"{mode.spec}{' (trained)' if mode.trained else ''}" if name == "base" else "",
                    name, f"{figures.opened}/{figures.texts}", f"{figures.closed}/{figures.texts}",
                    f"{figures.median_tokens:g}", f"{figures.unparsed / figures.texts:.0%}",
                    f"{figures.cut / figures.texts:.0%}", f"{figures.correct}/{figures.texts}",
                )
            )  # fmt: skip
    columns = ["mode", "", "think blocks", "closed", "median tokens", "unparsed", "cut", "right"]
    lost = [f"! MODE LOST: {mode.warning}" for mode in modes if mode.warning]
    return "\n".join([render_text(Table(columns, rows)), *lost])


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
