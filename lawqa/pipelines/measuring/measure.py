"""Measuring how fast this machine runs a model: labels, texts and training, in about two minutes."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from lawqa._version import __version__
from lawqa.backends.base import Completion, GenerationSettings
from lawqa.bars import Say
from lawqa.errors import BackendError
from lawqa.models.shapes import read_shape
from lawqa.pipelines.measuring.speeds import Speeds, speeds_path, write_speeds
from lawqa.prompting import PromptSpec, build_prompt
from lawqa.questions import Question, read_questions
from lawqa.records import make_record, tokenize_records
from lawqa.runs.environment import describe_environment
from lawqa.settings import Hyperparameters, ModelSettings

if TYPE_CHECKING:
    from lawqa.backends.hf.backend import HFBackend
    from lawqa.models.load import LoadedModel

TIME = 120.0
"""Seconds that a measurement may take; what is left then is not measured."""
ROWS = (1, 16, 64)
"""How many texts are written side by side when decoding is timed."""

_CONTEXT_CHARACTERS = 3200
"""Of a context that fills its 2,048 tokens, about: what most questions of the lab have."""
_SHORT, _LONG, _LONG_ON_CPU = 4, 64, 20
"""Tokens of two texts, whose difference in time is that of the steps between them."""
_SCORED = 8
_CLOSED_RECORDS, _CONTEXT_RECORDS = 16, 4


def measure_machine(settings: ModelSettings, say: Say, *, seconds: float = TIME) -> Speeds:
    """Load a model and measure it on the device there is.

    Everything that decides a speed here is real: the model's weights, the kernels and settings that an
    evaluation or a training would take, prompts of the usual lengths. What is asked is made up of the
    questions that come with lawqa.

    Args:
        settings: which model, and how it is loaded.
        say: prints what is being measured.
        seconds: when to stop, counted from the beginning; the part under way is finished.

    Raises:
        LawqaError: the model is not there or does not load, or memory does not hold a single prompt.
    """
    from lawqa.backends.hf.backend import HFBackend
    from lawqa.models import require_packages
    from lawqa.models.device import describe_device
    from lawqa.models.load import load_model
    from lawqa.models.speed import memory_gb_per_second, product_tflops

    require_packages(quantised=settings.load_in_4bit, training=True)
    began = time.monotonic()

    def time_is_up() -> bool:
        return time.monotonic() - began >= seconds

    say(f"loading {settings.model_name}")
    loaded = load_model(settings)
    loading = time.monotonic() - began
    device = describe_device(loaded.device)
    say("matrix products and copies")
    speeds = Speeds(
        card=card_name(device), memory_gib=float(device.get("memory_gib", 0.0)),
        model=settings.model_name, parameters=read_shape(settings.model_name).linear_parameters,
        quantisation=loaded.config.quant_type if loaded.config.load_in_4bit else None,
        versions=installed_versions(), measured_on=datetime.now().astimezone().date().isoformat(),
        loading_seconds=round(loading, 2),
        product_tflops=_rounded(product_tflops(loaded.device, loaded.dtype)),
        memory_gb_per_second=_rounded(memory_gb_per_second(loaded.device)),
    )  # fmt: skip
    backend, questions = HFBackend(loaded), sample_questions()
    if not time_is_up():
        say("scoring labels, with context")
        speeds = replace(speeds, scored_per_second=_scored(backend, questions))
    steps: dict[str, float] = {}
    tokens = _LONG if device["type"] == "cuda" else _LONG_ON_CPU
    for rows in ROWS:
        if not time_is_up():
            say(f"writing {rows} text{'s' if rows > 1 else ''} side by side")
            step = _decoding_step(backend, questions, rows, tokens)
            steps |= {str(rows): step} if step else {}
    speeds = replace(speeds, step_seconds=steps or None)
    if time_is_up():
        return speeds
    return _with_training(speeds, loaded, questions, say, time_is_up)


def measure_and_keep(settings: ModelSettings, say: Say, *, seconds: float = TIME) -> Speeds:
    """Measure, and keep what was measured for later estimates; where it cannot be kept a line says so.

    Raises:
        LawqaError: as in `measure`.
    """
    speeds = measure_machine(settings, say, seconds=seconds)
    path = speeds_path(speeds.card, speeds.model, speeds.quantisation)
    try:
        write_speeds(speeds, path)
    except OSError as problem:
        say(f"! not kept for later estimates: {path}: {problem.strerror or problem}")
    else:
        say(f"kept in {path}")
    return speeds


def card_name(device: dict[str, object]) -> str:
    """Return what a device of `describe_device` is called; its MIG profile is part of the name."""
    return str(device.get("name") or "CPU")


def this_card() -> str:
    """Return the name of the device that a model would be loaded onto.

    Raises:
        BackendError: there is a GPU that this torch cannot use.
    """
    from lawqa.models.device import describe_device, pick_device

    return card_name(describe_device(pick_device()))


def sample_questions() -> tuple[Question, ...]:
    """Return the questions that come with lawqa, each with a context of the usual length."""
    with as_file(files("lawqa").joinpath("assets", "questions.json")) as path:
        questions = read_questions(path)
    long = []
    for question in questions:
        times = -(-_CONTEXT_CHARACTERS // max(1, len(question.context)))
        context = "\n".join([question.context] * times)[:_CONTEXT_CHARACTERS]
        long.append(replace(question, context=context))
    return tuple(long)


def _scored(backend: HFBackend, questions: Sequence[Question]) -> float:
    # Each prompt begins otherwise, so that no prefix is shared and every token is read.
    prompts = [
        build_prompt(
            replace(question, id=f"{question.id}-{n}", context=f"{n}\n{question.context}"),
            PromptSpec("direct", "gold"),
        )
        for n, question in enumerate([*questions] * _SCORED, 1)
    ][:_SCORED]
    list(backend.score_choices(prompts[:1]))  # kernels are compiled and checked here
    began = time.monotonic()
    answers = list(backend.score_choices(prompts))
    taken = time.monotonic() - began
    tokens = [getattr(answer, "prompt_tokens", None) for answer in answers]
    if not all(tokens):
        raise BackendError(f"the model scored no labels: {answers[0]}")
    return _rounded(sum(filter(None, tokens)) / taken)


def _decoding_step(
    backend: HFBackend, questions: Sequence[Question], rows: int, tokens: int
) -> float | None:
    """Return the seconds of one step with this many texts; None where all texts end at once."""
    spec = PromptSpec("cot", "gold")
    prompts = [build_prompt(question, spec) for question in questions[: max(1, rows // 8)]]
    repeats = -(-rows // len(prompts))

    def run(most: int) -> tuple[float, int]:
        began = time.monotonic()
        settings = GenerationSettings(most, 1.0, repeats=repeats, score_labels=False)
        answers = list(backend.generate(prompts, settings))
        taken = time.monotonic() - began
        return taken, max(
            (one.completion_tokens for one in answers if isinstance(one, Completion)), default=0
        )

    run(_SHORT)  # kernels and graphs of this many rows are made here
    few_seconds, few = run(_SHORT)
    many_seconds, many = run(tokens)
    if many <= few or many_seconds <= few_seconds:
        return None
    return _rounded((many_seconds - few_seconds) / (many - few))


def _with_training(
    speeds: Speeds,
    loaded: LoadedModel,
    questions: Sequence[Question],
    say: Say,
    time_is_up: Callable[[], bool],
) -> Speeds:
    from lawqa.training.adapter import add_adapter
    from lawqa.training.planning.trial import trial_step

    config = Hyperparameters(batch_size=_CLOSED_RECORDS, gradient_accumulation_steps=1)
    model = add_adapter(loaded, config)

    def rate(condition: str, records: int) -> tuple[float, str]:
        spec = PromptSpec("direct", "gold" if condition == "gold" else "closed")
        tokenized = tokenize_records(
            [make_record(question, spec) for question in questions], loaded.tokenizer, 0
        )
        step = trial_step(
            loaded, model, tokenized, replace(config, batch_size=records), time_is_up=time_is_up
        )
        return _rounded(step.tokens / step.seconds), step.path

    say("training, with context")
    context, path = rate("gold", _CONTEXT_RECORDS)
    speeds = replace(speeds, trained_context_per_second=context, training_path=path)
    if time_is_up():
        return speeds
    say("training, closed-book")
    return replace(speeds, trained_closed_per_second=rate("closed", _CLOSED_RECORDS)[0])


def installed_versions() -> dict[str, str]:
    """Return the versions of Python, lawqa and the libraries that set the speed, by name."""
    packages = describe_environment()["packages"]
    return {"lawqa": __version__, "python": platform.python_version(), **packages}


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
