"""What a place forbids: checked when commands are declared, when documents are built, and when they run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from lawqa.commands.model import Place, PlaceRule
from lawqa.commands.model_work import alike
from lawqa.errors import PolicyError
from lawqa.settings import same_flags

_WRAPPERS = (
    "nohup",
    "env",
    "nice",
    "time",
    "exec",
    "sudo",
    "setsid",
    "bash",
    "sh",
    "tmux",
    "screen",
)
_SIZE = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)[bB](?![a-zA-Z0-9])")


@dataclass(frozen=True)
class Violation:
    """A rule that a command breaks."""

    rule: PlaceRule
    found: str
    """What was found, against what was expected."""


def check_policy(
    place: Place,
    argv: Sequence[str],
    env: Mapping[str, str] | None = None,
    *,
    name: str,
    evaluates: str = "",
) -> None:
    """Make sure that a command may run at a place.

    Args:
        place: where.
        argv: program and arguments.
        env: environment variables that it sets.
        name: what the error calls it.
        evaluates: `adapter` where it is known to evaluate one.

    Raises:
        PolicyError: it breaks a rule; command, rule and reason are named.
    """
    for broken in violations(place, argv, env or {}, evaluates=evaluates):
        raise PolicyError(
            f"{name}: forbidden at {place.id} by the rule {broken.rule.id}: {broken.found}",
            broken.rule.reason,
        )


def violations(
    place: Place, argv: Sequence[str], env: Mapping[str, str], *, evaluates: str = ""
) -> tuple[Violation, ...]:
    """Return every rule of a place that a command breaks."""
    violations = [
        Violation(rule, what)
        for rule in place.rules
        for what in _broken(rule, argv, env, evaluates)
    ]
    allowed = place.programs
    if allowed and argv and Path(argv[0]).name not in allowed:
        rule = PlaceRule(
            "known-programs",
            f"{place.id} has these programs: {', '.join(allowed)}",
            f"{place.id} で使うプログラムは {', '.join(allowed)} に限る",
        )
        violations.append(Violation(rule, f"the program {Path(argv[0]).name}"))
    return tuple(violations)


def forbidden_programs(place: Place) -> frozenset[str]:
    """Return all programs and modules that the rules of a place name as forbidden."""
    return frozenset(
        name
        for rule in place.rules
        for name in (*rule.programs, *rule.modules)
        if not rule.commands
    )


def _broken(
    rule: PlaceRule, argv: Sequence[str], env: Mapping[str, str], evaluates: str
) -> Iterator[str]:
    if rule.commands and subcommand(argv, alike(rule.commands)) is None:
        return
    for program in _programs(argv):
        if program in rule.programs:
            yield f"the program {program}"
    for module in _modules(argv):
        if module.split(".")[0] in rule.modules or module in rule.modules:
            yield f"python -m {module}"
    for phrase in rule.phrases:
        if _begins_with(argv, phrase.split()):
            yield f"the command {phrase}"
    for word in rule.words:
        if any(word in item for item in (*argv, *env.values())):
            yield f"{word!r} in the command"
    for flag in rule.required:
        if not _values(argv, flag):
            yield f"{flag} is not named"
    if rule.adapter_flag and evaluates == "adapter" and not _values(argv, rule.adapter_flag):
        yield f"it evaluates an adapter, but {rule.adapter_flag} is not named"
    for flag, values in rule.forbidden_values.items():
        for value in _values(argv, flag):
            if value in values:
                yield f"{flag} {value}"
    seen: set[str] = set()
    for flag in rule.model_flags:
        if flag not in seen:  # a rule may list several names of one setting
            yield from _model_broken(rule, flag, _values(argv, flag))
        seen.update(same_flags(flag))
    if rule.model_flags and not rule.commands:
        yield from _model_broken(rule, "hf download", _downloaded(argv))


def _model_broken(rule: PlaceRule, flag: str, values: Sequence[str]) -> Iterator[str]:
    for value in values:
        if rule.models and not _is_one_of(value, rule.models):
            yield f"{flag} {value}, expected {' or '.join(rule.models)}"
        billions = parameters_in_billions(value)
        if rule.max_billion is not None and billions is not None and billions > rule.max_billion:
            yield f"{flag} {value} has about {billions:.1f} billion parameters"


def _is_one_of(value: str, models: Sequence[str]) -> bool:
    """Return whether a value names one of the models, or a local copy of it by its directory's name."""
    return value in models or Path(value).name in {model.split("/")[-1] for model in models}


def parameters_in_billions(model: str) -> float | None:
    """Return how large a model is: from its name, else from the sizes in a local `config.json`; None if
    unknown.
    """
    if sizes := _SIZE.findall(Path(model).name):
        return float(sizes[-1])
    try:
        config = json.loads((Path(model) / "config.json").read_text(encoding="utf-8"))
        hidden, layers = int(config["hidden_size"]), int(config["num_hidden_layers"])
        wide, vocabulary = int(config["intermediate_size"]), int(config["vocab_size"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return None  # not a model directory: whoever loads it says so
    # Attention takes somewhat less than 4 h² where key and value heads are shared; a limit needs no more.
    return (layers * (4 * hidden**2 + 3 * hidden * wide) + 2 * vocabulary * hidden) / 1e9


def subcommand(argv: Sequence[str], known: Sequence[str]) -> str | None:
    """Return which of these subcommands of `lawqa` a command is; None for none of them."""
    words = list(argv)
    start = next((i for i, word in enumerate(words) if _is_lawqa(words, i)), None)
    if start is None:
        return None
    rest = [word for word in words[start + 1 :] if not word.startswith("-")]
    return next((name for name in known if rest[: len(name.split())] == name.split()), None)


def _is_lawqa(words: Sequence[str], i: int) -> bool:
    return Path(words[i]).name == "lawqa" and (i == 0 or words[i - 1] in ("-m", *_WRAPPERS))


def _programs(argv: Sequence[str]) -> Iterator[str]:
    """Yield the program, and behind a wrapper every word that could be one."""
    names = [Path(word).name for word in argv]
    for i, name in enumerate(names):
        if i == 0 or names[0] in _WRAPPERS:
            yield name
            # A shell's -c holds a whole command in one word.
            yield from (Path(part).name for part in argv[i].split() if names[0] in _WRAPPERS)


def _begins_with(argv: Sequence[str], phrase: Sequence[str]) -> bool:
    """Return whether a program is run with these first words; options of git before them do not count."""
    for i, word in enumerate(argv):
        if Path(word).name != phrase[0] or not (i == 0 or Path(argv[i - 1]).name in _WRAPPERS):
            continue
        rest = list(argv[i + 1 :])
        while phrase[0] == "git" and rest and rest[0].startswith("-"):
            rest = rest[2:] if rest[0] in ("-C", "-c") else rest[1:]
        if rest[: len(phrase) - 1] == list(phrase[1:]):
            return True
    return False


def without_demands(place: Place) -> Place:
    """Return the place as fragments of commands are judged by: what it forbids, not what whole ones need."""
    rules = tuple(replace(rule, required=(), adapter_flag="") for rule in place.rules)
    return replace(place, rules=rules)


def _modules(argv: Sequence[str]) -> Iterator[str]:
    for before, word in pairwise(argv):
        if before == "-m":
            yield word


def _downloaded(argv: Sequence[str]) -> list[str]:
    """Return what `hf download` fetches: its first word that is not a flag."""
    words = list(argv)
    start = next((i for i, pair in enumerate(pairwise(words)) if pair == ("hf", "download")), None)
    if start is None:
        return []
    return [word for word in words[start + 2 :] if not word.startswith("-")][:1]


def _values(argv: Sequence[str], flag: str) -> list[str]:
    """Return the values that a flag has, by all its names, in both ways of writing; tyro takes
    `_` for `-`.
    """
    names = same_flags(flag)
    values = []
    for i, word in enumerate(argv):
        name, equals, value = word.partition("=")
        if not name.startswith("--") or name.replace("_", "-") not in names:
            continue
        if equals:
            values.append(value)
        elif i + 1 < len(argv):
            values.append(argv[i + 1])
    return values
