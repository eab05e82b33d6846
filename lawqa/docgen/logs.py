"""The lab's log forms: empty, or filled with everything that a run's files know."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from lawqa.errors import ConfigError, MissingExtraError, tame

_KIND = re.compile(r"\{# kind: (train|evaluate) #\}")

BY_HAND = "【記入】"
BY_MACHINE = "（自動）"


@dataclass(frozen=True)
class RunFacts:
    """What a log says of one run; every value is text, and empty where the run does not know it."""

    name: str
    """What the log calls the run."""
    kind: str
    """`evaluate` or `train`."""
    fields: dict[str, str] = field(default_factory=dict)
    """The run's facts by field of the forms."""
    by_law: tuple[tuple[str, str, str, str], ...] = ()
    """Law, accuracy, 95% interval, n."""
    notes: tuple[str, ...] = ()
    """What a reader must know first."""
    seconds: float | None = None
    """How long it took; None where nobody knows."""


def log_forms() -> dict[str, str]:
    """Return the source of every form by its name; a new form is a file beside the others, and
    nothing else.
    """
    folder = files("lawqa").joinpath("assets", "logs")
    suffix = ".md.j2"
    forms = {
        item.name.removesuffix(suffix): item.read_text(encoding="utf-8")
        for item in folder.iterdir()
        if item.name.endswith(suffix)
    }
    return dict(sorted(forms.items()))


def kind_of_form(source: str) -> str:
    """Return what a form is about, `train` or `evaluate`, as its first line says: `{# kind: train #}`."""
    match = _KIND.search(source.partition("\n")[0])
    return match[1] if match else "evaluate"


def log_text(
    template: str,
    runs: Sequence[RunFacts],
    *,
    comparison: str = "",
    verdict: str = "",
    notice: str = "",
    sources: Mapping[str, str] | None = None,
) -> str:
    """Return a log form as Markdown.

    Args:
        template: the form's name, one of `log_forms()`.
        runs: the runs that it is about; none for the empty form.
        comparison: what `lawqa compare` says of them, as Markdown; empty where there is nothing to compare.
        verdict: the sentence on them that was decided beforehand; empty where a person writes it.
        notice: a first line for the empty form.
        sources: the forms; None for those of the package.

    Raises:
        ConfigError: there is no such form.
        MissingExtraError: jinja2 is not installed.
    """
    sources = log_forms() if sources is None else sources
    if template not in sources:
        raise ConfigError(f"--template {template}: no such form", f"known: {', '.join(sources)}")
    try:
        from jinja2 import DictLoader, Environment, StrictUndefined
    except ImportError:
        raise MissingExtraError("jinja2", "docs") from None
    environment = Environment(
        loader=DictLoader(dict(sources)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown; what comes from runs is escaped by `cell`
    )
    environment.filters["cell"] = cell
    shown = list(runs) or [RunFacts("", "")]
    context: dict[str, object] = {
        "notice": f"<!-- {notice} -->" if notice else "",
        "runs": shown,
        "filled": bool(runs),
        "hand": BY_HAND,
        "get": lambda run, key: cell(run.fields.get(key, "")) if runs else BY_MACHINE,
        "known": lambda key: _known(runs, key),
        "cell": cell,
        "comparison": comparison,
        "verdict": cell(verdict) if verdict else BY_HAND,
        "whole": _whole(runs) if runs else BY_MACHINE,
    }
    return str(environment.get_template(template).render(**context))


def _whole(runs: Sequence[RunFacts]) -> str:
    """Return how long all runs took together, and from when to when."""
    known = [run.seconds for run in runs if run.seconds is not None]
    said = seconds_ja(sum(known)) if known else "—"
    if 0 < len(known) < len(runs):
        said += f"（{len(runs)} 件のうち {len(known)} 件）"
    moments = [run.fields.get(key, "") for run in runs for key in ("started", "ended")]
    moments = sorted(moment for moment in moments if moment)
    return f"{said}（{moments[0]} 〜 {moments[-1]}）" if moments else said


def seconds_ja(seconds: float) -> str:
    """Return a time in Japanese: 40 秒, 12 分, 3 時間 5 分."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} 秒"
    return f"{minutes} 分" if minutes < 120 else f"{minutes // 60} 時間 {minutes % 60} 分"


def _known(runs: Sequence[RunFacts], key: str) -> str:
    """Return what all runs say together; for a person to write where one of them does not know it."""
    said = [run.fields.get(key, "") for run in runs]
    return cell(" / ".join(dict.fromkeys(said))) if said and all(said) else BY_HAND


def cell(text: str) -> str:
    """Return a text that fits a Markdown table's cell; a dash where there is none."""
    flat = tame(" ".join(text.split()))
    return flat.replace("|", "\\|").replace("<", "&lt;") or "—"


def left_to_person(text: str) -> int:
    """Return how many fields of a log are left for a person."""
    return text.count(BY_HAND)
