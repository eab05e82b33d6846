"""What was measured of a card, and where that is kept."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import get_type_hints

from lawqa.digests import digest_cache
from lawqa.errors import ConfigError, DataError
from lawqa.files import read_json, write_json
from lawqa.settings.accepted import refusal

SCHEMA = 1
"""Version of the file."""


@dataclass(frozen=True, kw_only=True)
class Speeds:
    """How fast a card ran one model; None for what was not measured, because the time was up."""

    card: str
    """The device's name, with its MIG profile; `CPU` where there is no GPU."""
    memory_gib: float
    """The memory of the card or slice, GiB; 0 on a CPU."""
    model: str
    """What the model was asked for by."""
    parameters: int
    """Weights of its linear layers."""
    quantisation: str | None
    """4-bit type; None for whole weights."""
    versions: dict[str, str]
    """Of Python, lawqa and the libraries that set the speed."""
    measured_on: str
    """The local day, YYYY-MM-DD."""
    loading_seconds: float
    """From nothing to a model that can be asked, its files already read once or not."""
    product_tflops: float | None
    """10^12 floating-point operations a second of a large matrix product."""
    memory_gb_per_second: float | None
    """10^9 bytes a second that a copy reads and writes, both counted."""
    scored_per_second: float | None = None
    """Prompt tokens a second when labels are scored, prompts with context."""
    step_seconds: dict[str, float] | None = None
    """Seconds of one decoding step behind prompts with context, by how many texts are written at a time."""
    trained_closed_per_second: float | None = None
    """Tokens a second in training, closed-book records."""
    trained_context_per_second: float | None = None
    """The same, records with context."""
    training_path: str | None = None
    """Which way to the loss training took."""

    def written_per_second(self, texts: int) -> float | None:
        """Return the tokens a second of this many texts written side by side; None where that is unknown.

        The nearest smaller number that was measured counts: rather too slow than too fast.
        """
        steps = {int(rows): seconds for rows, seconds in (self.step_seconds or {}).items()}
        measured = [rows for rows in steps if rows <= texts] or sorted(steps)[:1]
        if not measured:
            return None
        rows = max(measured)
        return min(rows, texts) / steps[rows]


def speeds_directory() -> Path:
    """Return the folder of measurements in the user's cache directory."""
    return digest_cache().parent / "speeds"


def speeds_path(card: str, model: str, quantisation: str | None) -> Path:
    """Return where the measurement of a card with a model is kept."""
    folder = Path(model)
    if folder.is_dir():  # many models lie in a folder called `model`
        place = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]
        model = f"{folder.resolve().name} {place}"
    name = f"{card} {model} {quantisation or 'whole'}"
    return speeds_directory() / (re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-") + ".json")


def write_speeds(speeds: Speeds, path: Path) -> None:
    """Keep a measurement; an older one of the same card and model is replaced.

    Raises:
        OSError: nothing can be written there.
    """
    write_json(path, {"schema_version": SCHEMA, **asdict(speeds)})


def claim_speeds(path: Path) -> None:
    """Make sure that a measurement can be written here: nothing is, or an earlier measurement.

    Raises:
        ConfigError: something else is there, or no folder can be made there.
    """
    if path.exists():
        try:
            read_speeds(path)
        except DataError:
            raise ConfigError(
                f"{path}: exists, and is not a measurement", "write to another file"
            ) from None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise ConfigError(f"{path}: cannot be written: {problem.strerror}") from None


def read_speeds(path: Path) -> Speeds:
    """Read a kept measurement.

    Raises:
        DataError: it cannot be read, or is not one.
    """
    stored = read_json(path)
    wrong = _problem(stored)
    if wrong:
        raise DataError(f"{path}: {wrong}", "lawqa plan --measure writes it again")
    return Speeds(**{field.name: stored[field.name] for field in fields(Speeds)})


def _problem(stored: object) -> str | None:
    """Return what is wrong with a stored measurement; None for a good one."""
    if not isinstance(stored, Mapping):
        return "expected an object"
    if stored.get("schema_version") != SCHEMA:
        return f"schema_version is {stored.get('schema_version')!r}, expected {SCHEMA}"
    hints = get_type_hints(Speeds)
    for field in fields(Speeds):
        if field.name not in stored:
            return f"key '{field.name}' is missing"
        value = stored[field.name]
        expected = refusal(value, hints[field.name])
        if expected is None and field.name not in ("memory_gib", "versions"):
            rates = value.values() if isinstance(value, Mapping) else [value]
            positive = all(not isinstance(one, int | float) or 0 < one < math.inf for one in rates)
            expected = None if positive else "more than 0"
        if expected is None and field.name == "step_seconds" and value is not None:
            texts = all(re.fullmatch("[1-9][0-9]*", str(rows)) for rows in value)
            numbers = all(isinstance(step, float) for step in value.values())
            expected = None if texts and numbers and value else "seconds by a number of texts"
        if expected:
            return f"key '{field.name}' is {value!r}, expected {expected}"
    return None
