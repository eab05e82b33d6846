"""How long the lab's usual work takes on a card, from speeds that were measured there, or from another's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from lawqa.files import JsonObject
from lawqa.models.shapes import ModelShape
from lawqa.pipelines.measuring.measure import installed_versions, this_card
from lawqa.pipelines.measuring.speeds import Speeds, read_speeds, speeds_directory, speeds_path

QUESTIONS = 140
"""Of lawqa_jp."""
EPOCHS, VOTES = 3, 8
CLOSED_TOKENS, CONTEXT_TOKENS = 300, 2300
"""Of a prompt, about: without context, and with one that fills its 2,048 tokens."""
NOT_MEASURED = "not measured: the time was up"
COT_TOKENS, THINKING_TOKENS = 1024, 2048
"""The most tokens of a text, as evaluations with context have it."""


@dataclass(frozen=True)
class Basis:
    """Speeds, and how far they hold for the model and card that are asked about."""

    speeds: Speeds
    """As they were measured."""
    slower: float
    """How many times more arithmetic the model has than the measured one."""
    guess: str | None
    """Why the times are a guess, as words after "a guess: "; None where this very card and model were
    measured with these versions."""


@dataclass(frozen=True)
class Estimate:
    """How long some work takes."""

    work: str
    """What is done."""
    seconds: float
    """In all, loading included."""
    at_most: bool
    """Whether every text was taken to be as long as it may get."""


def known_basis(shape: ModelShape, quantisation: str | None) -> Basis:
    """Choose the speeds that estimates for a model on this machine are made of.

    torch is asked for the card only where something was ever measured here.

    Raises:
        DataError: a measurement of this card cannot be read.
        BackendError: there is a GPU that this torch cannot use.
    """
    measured = any(speeds_directory().glob("*.json")) and find_spec("torch") is not None
    return basis_for(shape, quantisation, this_card() if measured else None, installed_versions())


def basis_for(
    shape: ModelShape, quantisation: str | None, card: str | None, versions: dict[str, str]
) -> Basis:
    """Choose the speeds that estimates for a model on a card are made of.

    Args:
        shape: the model's.
        quantisation: how it would be loaded; None for whole weights.
        card: the device's name; None where it is not known.
        versions: what is installed here.

    Raises:
        DataError: the measurement of this card cannot be read.
    """
    own = speeds_path(card, shape.name, quantisation) if card else None
    if own is not None and own.is_file():
        speeds = read_speeds(own)
        changed = sorted(
            name for name in speeds.versions.keys() | versions.keys()
            if name != "python" and speeds.versions.get(name) != versions.get(name)
        )  # fmt: skip
        guess = f"measured here with another {', '.join(changed)}" if changed else None
        return Basis(speeds, 1.0, guess)
    for path in sorted(speeds_directory().glob("*.json")) if card else ():
        speeds = read_speeds(path)
        if speeds.card == card and speeds.quantisation == quantisation:
            slower = shape.linear_parameters / speeds.parameters
            return Basis(
                speeds, slower, f"measured here with {speeds.model}, scaled by its weights"
            )
    speeds = read_speeds(Path(str(files("lawqa").joinpath("assets", "speeds-h200.json"))))
    return Basis(
        speeds, shape.linear_parameters / speeds.parameters,
        f"measured on another card, one whole {speeds.card}; a 20 GB slice of an A100 has about a tenth "
        "of its published rates",
    )  # fmt: skip


def estimates(basis: Basis) -> Iterator[Estimate]:
    """Return how long each piece of the lab's usual work takes; what was not measured is left out."""
    speeds, slower = basis.speeds, basis.slower

    def estimated(work: str, seconds: float | None, *, at_most: bool = False) -> Iterator[Estimate]:
        if seconds is not None:
            yield Estimate(work, speeds.loading_seconds + seconds * slower, at_most)

    def read(tokens: int) -> float | None:
        return tokens / speeds.scored_per_second if speeds.scored_per_second else None

    def written(texts: int, tokens: int) -> float | None:
        rate, reading = speeds.written_per_second(texts), read(QUESTIONS * CONTEXT_TOKENS)
        return None if rate is None or reading is None else reading + texts * tokens / rate

    def trained(rate: float | None, tokens: int) -> float | None:
        return EPOCHS * QUESTIONS * tokens / rate if rate else None

    asked = f"{QUESTIONS} questions"
    yield from estimated(f"labels of {asked}, closed-book", read(QUESTIONS * CLOSED_TOKENS))
    yield from estimated(f"labels of {asked}, with context", read(QUESTIONS * CONTEXT_TOKENS))
    yield from estimated(
        f"CoT over {asked}, with context", written(QUESTIONS, COT_TOKENS), at_most=True
    )
    yield from estimated(
        f"thinking over {asked}, {VOTES} votes, with context",
        written(VOTES * QUESTIONS, THINKING_TOKENS), at_most=True,
    )  # fmt: skip
    epochs = f"{QUESTIONS} records, {EPOCHS} epochs"
    yield from estimated(
        f"training on {epochs}, closed-book",
        trained(speeds.trained_closed_per_second, CLOSED_TOKENS),
    )
    yield from estimated(
        f"training on {epochs}, with context", trained(speeds.trained_context_per_second, CONTEXT_TOKENS)
    )  # fmt: skip


def time_text(seconds: float) -> str:
    """Return a time as a person says it: two figures are all that an estimate can promise."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def measured_text(speeds: Speeds) -> str:
    """Return a measurement as a person reads it."""
    how = f"4-bit {speeds.quantisation}" if speeds.quantisation else "not quantised"
    tflops, copied = speeds.product_tflops, speeds.memory_gb_per_second
    trained = {
        "with context": speeds.trained_context_per_second,
        "closed-book": speeds.trained_closed_per_second,
    }
    lines = [
        f"measured    {speeds.card}, {speeds.model}, {how}, on {speeds.measured_on}",
        f"loading     {speeds.loading_seconds:.1f} s",
        f"products    {f'{tflops:.3g} TFLOP/s' if tflops else NOT_MEASURED}",
        f"memory      {f'{copied:.3g} GB/s' if copied else NOT_MEASURED}",
        f"scoring     {_rates({'of prompts': speeds.scored_per_second})}",
        *(
            f"writing     {int(rows) / step:,.0f} tokens/s, {rows} text{'' if rows == '1' else 's'} side "
            f"by side, {step * 1e3:.3g} ms a step"
            for rows, step in (speeds.step_seconds or {}).items()
        ),
        *([] if speeds.step_seconds else [f"writing     {NOT_MEASURED}"]),
        f"training    {_rates(trained)}"
        + (f" ({speeds.training_path.partition(':')[0]})" if speeds.training_path else ""),
    ]
    return "\n".join(lines)


def estimates_text(basis: Basis) -> str:
    """Return the usual work with its times, and what they rest on."""
    rows = [
        (one.work, ("at most " if one.at_most else "") + time_text(one.seconds))
        for one in estimates(basis)
    ]
    width = max((len(work) for work, _ in rows), default=0)
    lines = [f"times       {work:<{width}}  {time}" for work, time in rows[:1]]
    lines += [f"            {work:<{width}}  {time}" for work, time in rows[1:]]
    if basis.guess is None:
        return "\n".join(
            [*lines, f"            measured on this card on {basis.speeds.measured_on}"]
        )
    return "\n".join(
        [
            *lines,
            f"            a guess: {basis.guess};",
            "            lawqa plan --measure  measures here",
        ]
    )


def estimates_json(basis: Basis) -> JsonObject:
    """Return the same as data."""
    return {
        "basis": asdict(basis.speeds),
        "guess": basis.guess,
        "work": [asdict(one) for one in estimates(basis)],
    }


def _rates(rates: Mapping[str, float | None]) -> str:
    """Return rates by what they are of, and which of them are missing."""
    known = [f"{rate:,.0f} tokens/s {of}" for of, rate in rates.items() if rate is not None]
    if not known:
        return NOT_MEASURED
    missing = [f"{of} {NOT_MEASURED}" for of, rate in rates.items() if rate is None]
    return ", ".join([*known, *missing])
