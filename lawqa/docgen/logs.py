"""The lab's log forms: empty, or filled with everything that a run's files know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from lawqa.errors import ConfigError, MissingExtraError, tame

LOG_TEMPLATES = ("ベースライン結果", "学習ログ", "評価ログ")

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
    """Law, accuracy, 95 % interval, n."""
    notes: tuple[str, ...] = ()
    """What a reader must know first."""


def log_text(
    template: str, runs: Sequence[RunFacts], *, comparison: str = "", notice: str = ""
) -> str:
    """A log form as Markdown.

    Args:
        template: one of `LOG_TEMPLATES`.
        runs: the runs that it is about; none for the empty form.
        comparison: what `lawqa compare` says of them, as Markdown; empty where there is nothing to compare.
        notice: a first line for the empty form.

    Raises:
        ConfigError: there is no such form.
        MissingExtraError: jinja2 is not installed.
    """
    if template not in LOG_TEMPLATES:
        raise ConfigError(
            f"--template {template}: no such form", f"known: {', '.join(LOG_TEMPLATES)}"
        )
    try:
        from jinja2 import DictLoader, Environment, StrictUndefined
    except ImportError:
        raise MissingExtraError("jinja2", "docs") from None
    folder = files("lawqa").joinpath("assets", "logs")
    sources = {
        name: folder.joinpath(f"{name}.md.j2").read_text(encoding="utf-8") for name in LOG_TEMPLATES
    }
    environment = Environment(
        loader=DictLoader(sources),
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
    }
    return str(environment.get_template(template).render(**context))


def _known(runs: Sequence[RunFacts], key: str) -> str:
    """What all runs say together; for a person to write where one of them does not know it."""
    said = [run.fields.get(key, "") for run in runs]
    return cell(" / ".join(dict.fromkeys(said))) if said and all(said) else BY_HAND


def cell(text: str) -> str:
    """A text that may stand in a Markdown table's cell; a dash where there is none."""
    flat = tame(" ".join(text.split()))
    return flat.replace("|", "\\|").replace("<", "&lt;") or "—"


def left_to_person(text: str) -> int:
    """How many fields of a log are left for a person."""
    return text.count(BY_HAND)
