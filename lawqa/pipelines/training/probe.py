"""Which modes of a model still work: a few questions in each, without and with an adapter, whenever asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lawqa.backends.base import Backend, Failure, RendersPrompts
from lawqa.bars import Say
from lawqa.errors import ConfigError
from lawqa.files import JsonObject
from lawqa.pipelines.adapters.manifest import AdapterManifest
from lawqa.pipelines.adapters.modes import AskedMode, ProbedMode
from lawqa.pipelines.evaluation.config import EvaluationConfig
from lawqa.pipelines.evaluation.job import DECLARED, Job, prepare_evaluation, with_base_notes
from lawqa.pipelines.evaluation.opening import BackendFactory, base_of, open_backend
from lawqa.pipelines.training.dev_generation import draw_dev_questions
from lawqa.pipelines.training.mode_asking import (
    TextsOfMode,
    is_trained,
    specs_of_modes,
    texts_of_mode,
    trained_specs,
    unbudgeted,
)
from lawqa.prompting import Prompt, PromptSpec
from lawqa.questions import Question, read_questions
from lawqa.settings import (
    LocalAnswererSettings,
    ModelSettings,
    OwnCondition,
    PlaceSettings,
    ProbeSettings,
    PromptSettings,
    declaration,
    values_of,
)
from lawqa.settings.ranges import require_in_range

_HELP = "lawqa probe --help  explains every option"


@dataclass(frozen=True, kw_only=True)
class ProbeConfig(ProbeSettings, LocalAnswererSettings, ModelSettings, PlaceSettings):
    """Which questions are asked of which model in every mode."""

    condition: OwnCondition | None = field(
        default=None, metadata=declaration(PromptSettings, "condition")
    )
    """With which context; None for what the adapter learnt, else closed."""


@dataclass(frozen=True)
class Probe:
    """What came of it."""

    modes: tuple[ProbedMode | AskedMode, ...]
    """A pair of figures a mode with an adapter, else those of the base model."""
    left_out: dict[str, str]
    """Modes that this model does not have, by prompt spec, with the reason."""
    failures: dict[str, tuple[Failure, ...]]
    """What the backend could not answer, by prompt spec; only of modes with some."""
    notes: tuple[str, ...]
    """What a reader of the figures must know first."""

    @property
    def lost(self) -> tuple[str, ...]:
        """What the adapter took from modes that it did not learn."""
        warnings = (mode.warning for mode in self.modes if isinstance(mode, ProbedMode))
        return tuple(warning for warning in warnings if warning)

    def to_json(self) -> JsonObject:
        """Return everything in plain JSON types."""
        failures = {
            spec: [{"key": one.key, "reason": one.reason} for one in failed]
            for spec, failed in self.failures.items()
        }
        return {
            "modes": [mode.to_json() for mode in self.modes],
            "lost": list(self.lost),
            "left_out": self.left_out,
            "failures": failures,
            "notes": list(self.notes),
        }


def probe(
    config: ProbeConfig, backend_factory: BackendFactory | None = None, say: Say = str
) -> Probe:
    """Ask a few questions as direct, cot and thinking, and count what the texts look like.

    Everything that can be wrong with the options and files is checked before a model is loaded; nothing is
    written.

    Args:
        config: what to do.
        backend_factory: makes the backend; for callers that hold a loaded model.
        say: receives what is done on the way, a line each.

    Raises:
        LawqaError: a file, option, model or policy does not allow it.
    """
    _check(config)
    trained = _trained(config)
    specs = specs_of_modes(trained, read_questions(config.data), config.condition)
    jobs = [_job(config, spec, trained) for spec in specs]
    backend = (backend_factory or open_backend)(jobs[0].config, jobs[0].adapter)
    modes, notes = list[ProbedMode | AskedMode](), _unknown(config, trained)
    left_out, failures = dict[str, str](), dict[str, tuple[Failure, ...]]()
    for job in jobs:
        spec = job.config.spec
        put = list(zip(job.questions, job.prompts, strict=True))
        drawn = draw_dev_questions(put, config.probe_questions)
        if why := _not_there(backend, drawn[0][1]):
            left_out[spec.id] = why
            continue
        notes += with_base_notes(job, backend).notes
        how = "" if config.adapter is None else ", without and with the adapter"
        say(f"asking {len(drawn)} questions as {spec.id}{how}")
        sides = [_asked(one, job, drawn) for one in _sides(backend, config)]
        if failed := tuple(failure for side in sides for failure in side.failures):
            failures[spec.id] = failed
        figures = [side.figures for side in sides]
        if len(figures) == 1:
            modes.append(AskedMode(spec.id, figures[0]))
        else:
            modes.append(ProbedMode(spec.id, is_trained(spec, trained), figures[0], figures[1]))
    return Probe(tuple(modes), left_out, failures, _of_all_modes(notes))


def _check(config: ProbeConfig) -> None:
    require_in_range(config, _HELP)
    if config.probe_questions == 0:
        raise ConfigError("--probe-questions 0: nothing would be asked", "1 or more")
    if config.adapter is not None and config.backend != "hf":
        raise ConfigError("--hf-lora-path is for --llm-backend hf", "a table has no adapter")


def _unknown(config: ProbeConfig, trained: Sequence[PromptSpec]) -> list[str]:
    if config.adapter is None or trained:
        return []
    return [
        f"NO MODE COUNTS AS TRAINED: nothing says in which {config.adapter} was trained, so MODE LOST "
        "may name the one that it learnt"
    ]


def _trained(config: ProbeConfig) -> list[PromptSpec]:
    training = AdapterManifest.read(config.adapter).training if config.adapter else None
    return trained_specs(training.prompt_specs if training else ())


def _job(config: ProbeConfig, spec: PromptSpec, trained: Sequence[PromptSpec]) -> Job:
    """Return an evaluation in this mode, of which nothing is written."""
    asked = EvaluationConfig(
        **{
            **values_of(EvaluationConfig, config),
            "spec": spec,
            "answer_by": "generate",
            "model_name": config.model_name if config.backend == "hf" else "",
            "max_new_tokens": config.probe_max_new_tokens if spec.reasons else None,
            "score_labels": False,
            # Figures of form: what is asked may have been trained on, and in another mode.
            "allow_leak": True,
            "allow_prompt_mismatch": True,
            "learnt_as": trained[0] if trained else None,
        }
    )
    return prepare_evaluation(asked, claims=False)


def _not_there(backend: Backend, prompt: Prompt) -> str | None:
    """Return why the model's chat template has no such mode; None where it has, or where there is no
    template.
    """
    if not isinstance(backend, RendersPrompts) or not prompt.spec.thinking:
        return None
    try:
        backend.render(prompt)
    except ConfigError as problem:
        return problem.message
    return None


def _sides(backend: Backend, config: ProbeConfig) -> tuple[Backend, ...]:
    return (backend,) if config.adapter is None else (base_of(backend), backend)


def _asked(backend: Backend, job: Job, drawn: Sequence[tuple[Question, Prompt]]) -> TextsOfMode:
    questions, prompts = [one for one, _ in drawn], [prompt for _, prompt in drawn]
    return texts_of_mode(backend, questions, prompts, unbudgeted(job.config.generation()))


def _of_all_modes(notes: Sequence[str]) -> tuple[str, ...]:
    """Return each note once, without those on a mode that was not trained: that is what is looked at."""
    foreign = (DECLARED, "MODE LOST")
    return tuple(dict.fromkeys(note for note in notes if not note.startswith(foreign)))
