"""What `lawqa runs` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lawqa.amounts import counted, size_text

if TYPE_CHECKING:
    from lawqa.runs.diff import Difference
    from lawqa.runs.manifest import Manifest
    from lawqa.runs.upkeep.find import FoundRun
    from lawqa.runs.upkeep.remove import Removal


def list_text(runs: Sequence[FoundRun]) -> str:
    """Return a line a run."""
    from lawqa.report.table import Table, render_text

    columns = [
        "started (UTC)",
        "status",
        "kind",
        "accuracy",
        "95% interval",
        "n",
        "prompt",
        "model",
        "adapter",
        "run",
    ]
    rows: list[list[str]] = []  # fmt: skip
    for run in runs:
        a = run.accuracy
        figures = ["", "", ""]
        if a is not None:
            figures = [
                f"{a.value:.1%}",
                f"{a.interval.low:.1%} - {a.interval.high:.1%}",
                str(a.asked),
            ]
        adapters = run.adapters
        shown = (
            adapters[0] + (f" +{len(adapters) - 1}" if len(adapters) > 1 else "")
            if adapters
            else ""
        )
        rows.append([
            run.started[:16].replace("T", " "), run.status, run.kind, *figures, " ".join(run.specs),
            run.model, shown, str(run.path),
        ])  # fmt: skip
    return render_text(Table(columns, rows))


def show_text(run: FoundRun, m: Manifest) -> str:
    """Return what must be known first, what ran, its figures, and the command.

    Args:
        run: what was read of it.
        m: its manifest.
    """
    from lawqa.pipelines.comparing.report_runs import rerun_lines

    rows = [
        ("run", str(run.path)),
        ("what", f"{run.kind}, {run.status}"),
        ("started", f"{run.started} (ended {m.ended or 'not yet'})"),
        ("model", run.model),
        ("adapter", ", ".join(run.adapters) or ("" if run.kind == "train" else "none")),
        ("prompt", " ".join(run.specs)),
        ("data", f"{m.data.get('path', 'pooled folds')}, {counted(len(m.questions), 'question')}"),
        ("seed", str(m.seed)),
        ("figures", ", ".join(f"{k} {_short(v)}" for k, v in m.figures.items()
                              if not isinstance(v, (dict, list)) and v is not None)),
    ]  # fmt: skip
    if run.accuracy is not None:
        a = run.accuracy
        rows.append(
            (
                "accuracy",
                f"{a.value:.1%} ({a.interval.low:.1%} - {a.interval.high:.1%}), {a.correct} / {a.asked}",
            )
        )
    lines = [f"! {note}" for note in m.notes]
    lines += [f"{name:<9} {value}" for name, value in rows if value]
    return "\n".join([*lines, "", *rerun_lines(m)])


def run_differences_text(differences: Sequence[Difference]) -> str:
    """Return a line a key, in the sequence of the kinds."""
    from lawqa.report.table import Table, render_text

    columns = ["", "first", "second"]
    rows: list[list[str]] = []
    for kind in ("settings", "environment", "circumstances"):
        rows += [[d.key, _short(d.before), _short(d.after)] for d in differences if d.kind == kind]
    return render_text(Table(columns, rows))


def removal_text(removal: Removal) -> str:
    """Return what would go."""
    named = ", ".join(str(run.path) for run in removal.runs)
    return f"{named}: {counted(removal.files, 'file')}, {size_text(removal.size)}"


def _short(value: object) -> str:
    from lawqa.runs.diff import ABSENT

    if value is ABSENT:
        return "-"
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:59]}…"
