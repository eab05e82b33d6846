"""Python, packages, system and place."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from lawqa.commands.policy import violations
from lawqa.doctor.findings import Finding
from lawqa.doctor.planned_run import PlannedRun
from lawqa.doctor.probes import Probes

_OLDEST, _NEWEST = (3, 10), (3, 13)
_ACCELERATE_KERNEL = (5, 5)
_INSTALL = "pip install -c constraints.txt -e '.[all]'"


def python(probes: Probes) -> Finding:
    """Return whether Python is one that lawqa is tested with."""
    version = probes.python()
    shown = ".".join(map(str, version))
    tested = f"tested with {_OLDEST[0]}.{_OLDEST[1]} to {_NEWEST[0]}.{_NEWEST[1]}"
    if version[:2] < _OLDEST:
        return Finding(
            "python", "problem", f"{shown} is too old: {tested}", "python3.11 -m venv .venv"
        )
    if version[:2] > _NEWEST:
        return Finding("python", "warning", f"{shown} is newer than what lawqa is {tested}")
    return Finding("python", "ok", f"{shown}, {tested}")


def packages(planned: PlannedRun, probes: Probes) -> Iterator[Finding]:
    """Yield whether the packages of training and evaluation are there, in tested versions."""
    for name, wanted in planned.source.tested.items():
        installed = probes.package(name)
        # A torch for the driver at hand comes first: the others would bring the newest.
        fix = f"pip install '{planned.place.variables['torch']}'" if name == "torch" else _INSTALL
        if installed is None:
            yield Finding(name, "problem", f"is not installed, tested with {wanted}", fix)
        elif not SpecifierSet(wanted).contains(Version(installed), prereleases=True):
            yield Finding(name, "warning", f"{installed}, tested with {wanted}", fix)
        else:
            yield Finding(name, "ok", f"{installed}, tested with {wanted}")


def kernel(probes: Probes) -> Finding:
    """Return what the warning about an old kernel means."""
    system, release = probes.kernel()
    numbers = tuple(int(part) for part in release.split("-")[0].split(".")[:2] if part.isdigit())
    if system == "Linux" and numbers and numbers < _ACCELERATE_KERNEL:
        return Finding(
            "kernel",
            "ok",
            f"Linux {release}: accelerate will warn that it is below 5.5 and that a process may hang. "
            "That is about several processes on one machine; lawqa runs one here, so the warning can "
            "be ignored",
        )
    return Finding("kernel", "ok", f"{system} {release}")


def encodings(probes: Probes) -> Finding:
    """Return whether Japanese text can be read and printed."""
    codings = dict(zip(("files", "output", "file names"), probes.encodings(), strict=True))
    wrong = [
        f"{name} {value}" for name, value in codings.items()
        if value.lower().replace("-", "").replace("_", "") != "utf8"
    ]  # fmt: skip
    if wrong:
        return Finding(
            "locale",
            "problem",
            f"not UTF-8: {', '.join(wrong)}; Japanese text cannot be printed or stored",
            "export PYTHONUTF8=1 LC_ALL=C.UTF-8",
        )
    return Finding("locale", "ok", "UTF-8 for files, output and file names")


def place(planned: PlannedRun, probes: Probes) -> Iterator[Finding]:
    """Yield whether the place is known, and whether what is going to be run is allowed there."""
    if planned.place_origin == "default":
        yield Finding(
            "place",
            "warning",
            "no place is set, so no rule of a place is checked",
            "lawqa place init heart01  (or local-3080, practice)",
        )
    else:
        yield Finding("place", "ok", f"{planned.place.id}, from {planned.place_origin}")
    train = ("lawqa", "train", "--model-name", planned.model)
    evaluate = ("lawqa", "evaluate", "--llm-backend", "hf", "--hf-model-name", planned.model)
    commands = {"training": train, "evaluation": evaluate}
    for what, argv in commands.items():
        for broken in violations(planned.place, argv, {}):
            yield Finding(
                "policy",
                "problem",
                f"{what} with {planned.model} is forbidden at {planned.place.id} by the rule "
                f"{broken.rule.id}: {broken.rule.reason}",
                f"use {planned.place.model}",
            )
    server = probes.environment().get("OLLAMA_HOST")
    if server and "ollama" not in planned.place.backends:
        yield Finding(
            "policy",
            "warning",
            f"OLLAMA_HOST is {server}, but {planned.place.id} uses no model server",
            "unset OLLAMA_HOST",
        )
