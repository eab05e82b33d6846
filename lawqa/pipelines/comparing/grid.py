"""A summary of everything that was measured: runs found below directories, put into cells, compared."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lawqa._version import __version__
from lawqa.commands.experiment import Experiment
from lawqa.commands.source import packaged_source
from lawqa.errors import ConfigError, DataError, LawqaError
from lawqa.pipelines.comparing.comparison import aligned
from lawqa.pipelines.comparing.repeats import repeats
from lawqa.report.grid.content import (
    CONDITIONS,
    WAYS,
    AgainstReference,
    GridContent,
    GridRow,
    GridRun,
)
from lawqa.report.grid.verdict import asked_way, verdict_outcome, verdict_sentence, void_reasons
from lawqa.report.phrase import Phrase
from lawqa.runs.diff import causes
from lawqa.runs.directory import RESULTS
from lawqa.runs.manifest import MANIFEST, Manifest, now, samples_of
from lawqa.runs.stored import StoredRun, read_stored_run, short_names
from lawqa.scoring import summarise_final
from lawqa.scoring.comparisons import (
    Judged,
    PairedComparison,
    compare_repeats,
    difference_line,
    judge_by_holm,
    newcombe_independent,
    verdict,
)
from lawqa.settings import Settings

_REFERENCE = re.compile(r"(?P<name>.+)=(?P<correct>\d+)/(?P<asked>\d+)")
_FOLD = re.compile(r"fold\d+")


@dataclass(frozen=True)
class GridConfig(Settings):
    """What a summary is about."""

    paths: tuple[Path, ...]
    """Run directories, result files, and what holds runs: ladders, cross-validations, work folders."""
    base: Path | None = None
    """The run whose row the experiment decides by; None for no such row."""
    references: tuple[str, ...] = ()
    """Earlier figures as `NAME=CORRECT/ASKED`, held against both sides of that row."""
    title: str = ""
    """The title; empty for a plain one."""


@dataclass(frozen=True)
class _Read:
    """A run with what its cell shows of it."""

    stored: StoredRun
    shown: GridRun


def make_grid(config: GridConfig) -> GridContent:
    """Find the runs, read them, and compare base with adapter in every cell.

    A run that is damaged is named in the summary and left out.

    Raises:
        ConfigError: a path is not there, none holds a run, the base is not among them, or a reference has
            another form.
    """
    references = [_reference(one) for one in config.references]
    if references and config.base is None:
        raise ConfigError(
            "--reference without --base", "--base names the run that is held against it"
        )
    below = _runs_below(config.paths)
    if not below:
        raise ConfigError(
            f"{', '.join(map(str, config.paths))}: holds no run",
            "name run directories, or directories that hold them",
        )
    names = short_names(below)
    runs, problems = list[_Read](), list[str]()
    for path in below:
        try:
            stored = read_stored_run(path)
            runs.append(_Read(stored, _shown(stored, names[path])))
        except (DataError, ConfigError) as problem:
            problems.append(problem.message)
    primary = _primary(config.base, runs)
    rows, others = _rows(runs, primary)
    experiment = packaged_source().experiment
    rows = _judged(rows, {run.shown.path: run.stored for run in runs})
    return GridContent(
        title=config.title or "まとめ / Summary",
        made=now(),
        version=__version__,
        rows=tuple(rows),
        others=tuple(others),
        references=tuple(_against(rows, references)),
        problems=tuple(problems),
        verdict=_verdict(rows, experiment),
    )


def _reference(text: str) -> tuple[str, int, int]:
    match = _REFERENCE.fullmatch(text)
    if (
        match is None
        or not 0 <= int(match["correct"]) <= int(match["asked"])
        or not int(match["asked"])
    ):
        raise ConfigError(
            f"--reference {text}: expected NAME=CORRECT/ASKED", '--reference "earlier=73/140"'
        )
    return match["name"], int(match["correct"]), int(match["asked"])


def _runs_below(paths: Sequence[Path]) -> list[Path]:
    """Return evaluations at and below these paths; of a cross-validation the pooled runs, not the folds'."""
    found: dict[Path, Path] = {}
    for path in paths:
        if not path.exists():
            raise ConfigError(f"{path}: is not there")
        for run in [path] if path.is_file() else _walked(path):
            found.setdefault(run.resolve(), run)
    return list(found.values())


def _walked(top: Path) -> Iterator[Path]:
    for directory, below, names in os.walk(top):
        below[:] = sorted(name for name in below if not _FOLD.fullmatch(name))
        if MANIFEST in names and RESULTS in names:
            yield Path(directory)
            below.clear()


def _shown(stored: StoredRun, name: str) -> GridRun:
    manifest, answers = stored.manifest, stored.answers()
    final = summarise_final(answers)
    way, condition = _cell(manifest)
    return GridRun(
        path=str(stored.path),
        name=name,
        way=way,
        condition=condition,
        adapter=bool(manifest and manifest.adapters),
        how=asked_way(manifest),
        accuracy=final.accuracy,
        by=final.name,
        failed=sum(answer.outcome == "failed" for answer in answers),
        notes=stored.notes,
        finished=manifest is None or manifest.status == "done",
        manifest=manifest,
    )


def _cell(manifest: Manifest | None) -> tuple[str, str]:
    """Return the way and condition of a run."""
    if manifest is None:
        return "?", "?"
    spec = manifest.config.get("spec") or {}
    condition = str(spec.get("condition") or "?")
    if spec.get("thinking"):
        return "thinking", condition
    if spec.get("mode") == "cot":
        return "cot", condition
    several = int(manifest.config.get("permutations") or 1) > 1 and samples_of(manifest) == 1
    return "orders" if several else "direct", condition


def _primary(base: Path | None, runs: Sequence[_Read]) -> _Read | None:
    if base is None:
        return None
    for run in runs:
        if run.stored.path.resolve() == base.resolve():
            return run
    raise ConfigError(f"--base {base}: is not among the runs", "name it, or a directory above it")


def _rows(runs: Sequence[_Read], primary: _Read | None) -> tuple[list[GridRow], list[GridRun]]:
    """Return every way and condition with its runs, and the runs that found no place."""
    rows, placed = [], set[str]()
    for way in WAYS:
        for condition in CONDITIONS:
            here = [run for run in runs if (run.shown.way, run.shown.condition) == (way, condition)]
            mine = primary is not None and primary in here
            base = _side([run for run in here if not run.shown.adapter], primary if mine else None)
            adapter = _side([run for run in here if run.shown.adapter], None)
            placed |= {run.path for run in (*base, *adapter)}
            rows.append(GridRow(way, condition, base, adapter, primary=mine))
    return rows, [run.shown for run in runs if run.shown.path not in placed]


def _side(runs: Sequence[_Read], chosen: _Read | None) -> tuple[GridRun, ...]:
    """Return the run of a cell that was asked most, with its repeats by other seeds; finished ones come
    first.
    """
    if not runs:
        return ()
    sides = repeats([(run.stored.path, run.stored.manifest) for run in runs])
    groups = [[runs[number] for number in side] for side in sides]
    if chosen is not None:
        best = next(group for group in groups if chosen in group)
    else:
        best = max(
            groups, key=lambda group: (group[0].shown.finished, group[0].shown.accuracy.asked)
        )
    return tuple(run.shown for run in best)


def _judged(rows: Sequence[GridRow], stored: Mapping[str, StoredRun]) -> list[GridRow]:
    """Return the rows with their comparisons: the primary one by itself, the others with Holm's
    correction.
    """
    compared: dict[int, PairedComparison] = {}
    for number, row in enumerate(rows):
        comparison = _comparison(row, stored)
        if comparison is not None:
            compared[number] = comparison
    judged: dict[str, Judged] = {}
    for primary in (True, False):
        judged |= judge_by_holm(
            {str(n): c for n, c in compared.items() if rows[n].primary == primary}
        )
    made = list(rows)
    for number, comparison in compared.items():
        row = rows[number]
        runs = (*row.base, *row.adapter)
        made[number] = replace(
            row,
            judged=judged[str(number)],
            reasons=void_reasons(
                [note for run in runs for note in run.notes],
                comparison,
                sum(run.failed for run in runs),
                max(run.accuracy.asked for run in runs),
            ),
            differs=_differs(row),
        )
    return made


def _comparison(row: GridRow, stored: Mapping[str, StoredRun]) -> PairedComparison | None:
    runs = (*row.base, *row.adapter)
    if not row.base or not row.adapter or not all(run.finished for run in runs):
        return None
    first = stored[row.base[0].path]
    sides = [
        [aligned(first, stored[run.path]).answers() for run in side]
        for side in (row.base, row.adapter)
    ]
    try:
        return compare_repeats(*sides)
    except LawqaError:  # they share no question: both are shown, and nothing is compared
        return None


def _differs(row: GridRow) -> tuple[str, ...]:
    base, adapter = row.base[0].manifest, row.adapter[0].manifest
    return causes(base, adapter) if base and adapter else ()


def _against(
    rows: Sequence[GridRow], references: Sequence[tuple[str, int, int]]
) -> Iterator[AgainstReference]:
    """Yield both sides of the primary row beside every earlier figure."""
    for row in rows:
        for run in (*row.base, *row.adapter) if row.primary else ():
            a = run.accuracy
            for name, correct, asked in references if run.finished else ():
                interval = newcombe_independent(a.correct, a.asked, correct, asked)
                difference = a.value - correct / asked
                yield AgainstReference(run, name, correct, asked, difference, interval)


def _verdict(rows: Sequence[GridRow], experiment: Experiment) -> Phrase:
    """Return the sentence of the primary row; where there is none, how many differences are significant."""
    judged = {f"{row.way}-{row.condition}": row for row in rows if row.judged is not None}
    for name, row in judged.items():
        if row.primary and row.judged is not None:
            english = difference_line(f"adapter {name}", "base", row.judged)
            if verdict_outcome(row.judged, row.reasons) == "void":
                english = f"{name}: may not be judged"
            return Phrase(
                english,
                verdict_sentence(
                    experiment, row.judged, way=row.adapter[0].how, reasons=row.reasons
                ),
            )
    waiting = next((row for row in rows if row.primary), None)
    if waiting is not None:
        name = f"{waiting.way}-{waiting.condition}"
        return Phrase(
            f"{name}: there is no adapter to compare the base with yet.",
            f"主実験（{name}）：base と比べるアダプタの結果がまだない。",
        )
    kept = {name: row.judged for name, row in judged.items() if row.judged is not None}
    significant = sum(one.significant for one in kept.values())
    return Phrase(
        verdict(kept, "base") if kept else "Nothing can be compared yet.",
        f"base とアダプタを比べた {len(kept)} 件のうち {significant} 件は、偶然とは言えない差（Holm 補正）。"
        if kept
        else "base とアダプタがそろった聞き方がまだないので、比べられない。",
    )
