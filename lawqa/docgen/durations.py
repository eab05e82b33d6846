"""How long a command takes, from speeds that were measured: at its place, else on another card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from lawqa.commands.expand import amount
from lawqa.commands.model import Command, CommandSource, Place
from lawqa.commands.recipe import Stage
from lawqa.commands.work import Card, Work
from lawqa.errors import ConfigError
from lawqa.models.shapes import read_shape
from lawqa.pipelines.measuring.speeds import Speeds, read_speeds

_CLOSED_BOOK = 1000
"""Tokens below which a record has no context, for the rate of its training."""


@dataclass(frozen=True)
class PlaceBasis:
    """Speeds, and what they are multiplied with for the place that is asked about."""

    speeds: Speeds
    """As they were measured."""
    computing: float = 1.0
    """How many times longer products take."""
    copying: float = 1.0
    """How many times longer it takes to read the weights, which is what writing a text waits for."""
    measured: bool = True
    """Whether they are of this place."""


def measured_file(place: Place, folder: Path) -> Path | None:
    """Return where the measurement of a place lies in a folder of sources; None where it was not brought
    there.
    """
    path = folder / f"speeds-{place.id}.json"
    return path if place.card and path.is_file() else None


def bases_for(source: CommandSource, place: Place, measured: Path | None) -> tuple[PlaceBasis, ...]:
    """Return the speeds that times at a place are made of, the best first.

    Args:
        source: the declared cards.
        place: its card and its model.
        measured: what `lawqa plan --measure` wrote there, if it was measured.

    Returns:
        none where the place has no card.

    Raises:
        ConfigError: the measurement is of another model or quantisation.
        DataError: it cannot be read.
    """
    if not place.card:
        return ()
    model = place.variables["model"]
    guess = _of_another_card(source, source.cards[place.card], model)
    if measured is None:
        return (guess,)
    speeds = read_speeds(measured)
    if Path(speeds.model).name != Path(model).name or speeds.quantisation != "nf4":
        raise ConfigError(
            f"{measured}: was measured with {speeds.model} ({speeds.quantisation or 'whole weights'}), but "
            f"{place.id} uses {model} in NF4",
            f"lawqa plan --measure --model {model} --speeds FILE  there, then bring that file",
        )
    return (PlaceBasis(speeds), guess)


def _of_another_card(source: CommandSource, card: Card, model: str) -> PlaceBasis:
    """Return the speeds that come with lawqa, by what is published of both cards and by the
    models' weights.
    """
    speeds = read_speeds(Path(str(files("lawqa").joinpath("assets", "speeds-h200.json"))))
    theirs = _measured_card(source, speeds)
    larger = read_shape(model).linear_parameters / speeds.parameters
    return PlaceBasis(
        speeds,
        larger * theirs.tflops / card.tflops,
        larger * theirs.gb_per_second / card.gb_per_second,
        measured=False,
    )


def seconds_of(
    work: Work, variables: Mapping[str, str], basis: PlaceBasis, where: str
) -> float | None:
    """Return the seconds that a piece of work takes; None where a speed that it needs was not measured."""

    def of(name: str) -> float:
        return amount(getattr(work, name), variables, f"{where}: work: {name}")

    speeds, texts, record_tokens = basis.speeds, of("texts"), of("record_tokens")
    trained = [speeds.trained_context_per_second, speeds.trained_closed_per_second]
    if record_tokens < _CLOSED_BOOK:
        trained.reverse()
    parts = (
        (of("prompts") * of("prompt_tokens") * basis.computing, speeds.scored_per_second),
        (texts * of("text_tokens") * basis.copying, speeds.written_per_second(int(texts) or 1)),
        (of("records") * record_tokens * basis.computing, trained[0] or trained[1]),
    )  # fmt: skip
    total = of("loads") * speeds.loading_seconds
    for tokens, rate in parts:
        if tokens and not rate:
            return None
        total += tokens / rate if rate else 0.0
    return total


def known_seconds(
    command: Command, place: Place, bases: tuple[PlaceBasis, ...]
) -> tuple[float, PlaceBasis] | None:
    """Return the seconds of a command's work, with the speeds that they are of; None where it has no work.

    Raises:
        ConfigError: an amount of its work is none.
    """
    variables = {**place.variables, **command.variables}
    for basis in bases if command.work else ():
        parts = [
            seconds_of(work, variables, basis, f"{command.id} at {place.id}")
            for work in command.work
        ]
        if None not in parts:
            return sum(part for part in parts if part is not None), basis
    return None


def duration_ja(command: Command, place: Place, bases: tuple[PlaceBasis, ...]) -> str:
    """Return how long a command takes at a place, in Japanese: computed of its work, else as declared.

    Raises:
        ConfigError: an amount of its work is none.
    """
    known = known_seconds(command, place, bases)
    if known is None:
        return command.duration_ja
    return _said(*known, at_most=_writes(command, place))


def stage_duration_ja(
    stage: Stage, source: CommandSource, place: Place, bases: tuple[PlaceBasis, ...]
) -> str:
    """Return how long the commands of a stage take that load a model, in Japanese.

    Raises:
        ConfigError: that is more than its budget, or an amount is none.
    """
    commands = [source.command(step) for step in stage.steps]
    commands = [one for one in commands if one.alternative_to not in stage.steps]
    known = [found for one in commands if (found := known_seconds(one, place, bases))]
    seconds = sum(one for one, _ in known)
    if seconds > 3600 * stage.budget_hours:
        raise ConfigError(
            f"recipe: {stage.id}: takes {time_ja(seconds, at_most=True)}, but its budget is "
            f"{stage.budget_hours:g} hours",
            "raise budget_hours, or ask for less (hard_limit, samples_per_question, epochs)",
        )
    guessed = [basis for _, basis in known if not basis.measured]
    return _said(
        seconds,
        (guessed or [basis for _, basis in known])[0],
        at_most=any(_writes(one, place) for one in commands),
    )


def _writes(command: Command, place: Place) -> bool:
    """Return whether texts are written, which may be shorter than reckoned."""
    variables = {**place.variables, **command.variables}
    return any(amount(one.texts, variables, command.id) for one in command.work)


def _said(seconds: float, basis: PlaceBasis, *, at_most: bool) -> str:
    shown = time_ja(seconds, at_most=at_most)
    return f"{shown}（実測から）" if basis.measured else f"目安 {shown}"


def time_ja(seconds: float, *, at_most: bool = False) -> str:
    """Return a time as a person says it: two figures and no seconds, which is all that an estimate can
    promise.
    """
    if seconds < 90:
        return "2 分以内"
    if seconds < 5400:
        shown = f"{round(seconds / 60)} 分"
    else:
        hours = seconds / 3600
        shown = f"{hours:.1f} 時間" if hours < 10 else f"{round(hours)} 時間"
    return f"{'最長' if at_most else '約'} {shown}"


def basis_ja(source: CommandSource, place: Place, bases: tuple[PlaceBasis, ...]) -> str:
    """Return what the times of a document rest on, in Japanese sentences; empty where the place
    has no card.
    """
    if not bases:
        return ""
    best, longest = bases[0], "「最長」は、すべての回答が長さの上限まで続いたときの時間です。"
    if best.measured:
        return (
            f"所要の「実測から」は、この計算機（{best.speeds.card}）で {best.speeds.measured_on} に "
            f"`lawqa plan --measure` で測った速さから計算した時間です。{longest}"
            "「目安」は、測っていないものの推定です。"
        )
    card, theirs = source.cards[place.card], _measured_card(source, best.speeds)
    return (
        f"所要の「目安」は、この計算機ではなく {theirs.name_ja} で測った速さ"
        f"（{best.speeds.measured_on}）からの推定です。公表値の比から、{card.name_ja} では"
        f"計算に {theirs.tflops / card.tflops:.0f} 倍、"
        f"文を書くのに {theirs.gb_per_second / card.gb_per_second:.0f} 倍の時間がかかるとしました"
        f"（公表値の出典：{theirs.source_ja}、{card.source_ja}）。{longest}"
    )


def _measured_card(source: CommandSource, speeds: Speeds) -> Card:
    """Return the declared card on which the speeds were measured that come with lawqa.

    Raises:
        ConfigError: it is not declared.
    """
    for card in source.cards.values():
        if card.name_ja == speeds.card:
            return card
    raise ConfigError(f"cards: {speeds.card} is not declared", "its measurement comes with lawqa")
