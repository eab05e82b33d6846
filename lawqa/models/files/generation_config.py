"""How a model's own files say that its answers are to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from lawqa.errors import ConfigError, DataError
from lawqa.files import read_json
from lawqa.models.files.identity import model_directory
from lawqa.settings import Sampling
from lawqa.settings.ranges import RANGES

_NAMES = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k_sampling",
    "min_p": "min_p",
}  # transformers' names, and ours
_LEFT_OUT = {"repetition_penalty": 1.0, "no_repeat_ngram_size": 0, "typical_p": 1.0}
"""What a file may ask for beside them and lawqa does not do, with the values that ask for nothing."""


@dataclass(frozen=True)
class OwnSampling:
    """What a model's generation_config.json says."""

    sampling: Sampling
    """How to draw tokens; all None where it does not say."""
    left_out: tuple[str, ...] = ()
    """What else it asks for, such as `repetition_penalty 1.05`, and is not done."""


def deciding_sampling(
    name: str, revision: str | None, given: Sequence[float | None], *, draws: bool
) -> OwnSampling:
    """Return what a model's own file decides; nothing where all is given, nothing drawn, or no model named.

    Args:
        name: a model directory, or a name in the Hugging Face cache; empty for a backend that loads none.
        revision: the branch, tag or commit of a cached model.
        given: temperature, top_p, top_k_sampling and min_p as they were given; None for what was not.
        draws: whether answers are sampled.

    Raises:
        ConfigError: a value in the file is not a number of its range.
    """
    if not name or not draws or None not in given:
        return OwnSampling(Sampling())
    return own_sampling(name, revision)


@cache
def own_sampling(name: str, revision: str | None) -> OwnSampling:
    """Read what a model's own generation_config.json says; nothing where neither model nor file are here.

    A file that says `do_sample: false` does not say how to sample.

    Raises:
        ConfigError: a value is not a number of its range.
    """
    directory = model_directory(name, revision)
    path = directory / "generation_config.json" if directory else None
    if path is None or not path.is_file():
        return OwnSampling(Sampling())
    try:
        content = read_json(path)
    except DataError:
        return OwnSampling(Sampling())  # loading the model reports it
    if not isinstance(content, dict) or content.get("do_sample") is False:
        return OwnSampling(Sampling())
    problems, known = [], {}
    for theirs, ours in _NAMES.items():
        value = content.get(theirs)
        if value is None:
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        whole = ours != "top_k_sampling" or isinstance(value, int)
        if (
            not number
            or not whole
            or not RANGES[ours].holds(value)
            or (ours == "temperature" and not value)
        ):
            problems.append(f"{theirs} is {value!r}, expected {RANGES[ours]}")
        else:
            known[ours] = value
    if problems:
        flags = " ".join(f"--{name.replace('_', '-')}" for name in _NAMES.values())
        raise ConfigError(
            f"{path}: {'; '.join(problems)}", f"correct the file, or say it all with {flags}"
        )
    others = [
        f"{key} {content[key]}"
        for key, nothing in _LEFT_OUT.items()
        if content.get(key, nothing) not in (None, nothing)
    ]
    return OwnSampling(Sampling(**known), tuple(others))
