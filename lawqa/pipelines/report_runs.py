"""Stored runs as a report wants them: every answer with its prompt, text, times and retrieved articles."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lawqa.files import read_json
from lawqa.pipelines.stored import StoredResult, StoredRun, read_stored_run
from lawqa.report.content import Entry, ReportRun, RetrievedArticle, Training
from lawqa.runs.directory import MANIFEST, read_manifest
from lawqa.runs.result_log import find_results
from lawqa.runs.rows import check_row
from lawqa.scoring import By, outcome_of
from lawqa.statutes.locations import egov_url
from lawqa.training.monitoring.log import LOG, read_log

Row = Mapping[str, Any]
_Key = tuple[str, tuple[int, ...], int]


@dataclass(frozen=True)
class ReadRun:
    """A run as it was read, before the report knows the questions."""

    run: ReportRun
    """The run; its retrieved articles are not marked yet."""
    rows: tuple[Row, ...]
    """Its stored results, in the sequence of its entries."""


def is_training(path: Path) -> bool:
    """Whether a path is an adapter's directory, not an evaluation."""
    return (path / MANIFEST).is_file() and read_manifest(path).get("kind") == "train"


def read_report_run(
    path: Path, run_id: str, name: str, *, recorded: bool, by: By = "own"
) -> ReadRun:
    """Read a run directory, an output file of `lawqa evaluate`, or one of the lab's result files.

    Args:
        path: the run.
        run_id: what the report calls it.
        name: its name there.
        recorded: labels as they were recorded; else as today's parser reads them.
        by: how the prompts of a question become its final answer.

    Raises:
        DataError: it is none of these, or cannot be read.
    """
    stored = read_stored_run(path)
    stored.check_by(by)
    # Read after the run was checked, so that every checked answer is among them, even if it goes on.
    rows = {_key(row): row for row in _rows(path)}
    chosen = [
        rows[result.question_id, tuple(result.order), result.repeat] for result in stored.results
    ]
    entries = tuple(
        _entry(result, row, recorded=recorded)
        for result, row in zip(stored.results, chosen, strict=True)
    )
    about = _about(path, stored)
    reread = 0
    if not recorded:
        reread = sum(
            entry.answer.predicted != result.as_recorded().predicted
            for entry, result in zip(entries, stored.results, strict=True)
        )
    run = ReportRun(
        id=run_id,
        name=name,
        path=str(path),
        entries=entries,
        notes=stored.notes,
        reread=reread,
        legacy=stored.legacy,
        by=by,
        spec=", ".join(sorted({entry.spec for entry in entries if entry.spec})),
        **about,
    )
    return ReadRun(run, tuple(chosen))


def read_training(path: Path, evaluated: Mapping[str, Any] | None = None) -> Training:
    """What is known of an adapter's training; says why where nothing is.

    Args:
        path: the adapter's directory.
        evaluated: what the manifest of an evaluation says of it; a training begun at another time is another.

    Raises:
        DataError: its manifest or log is broken.
    """
    if not (path / MANIFEST).is_file():
        return Training(str(path), None, (), f"{path / MANIFEST}: is not there any more")
    manifest = read_manifest(path)
    if evaluated and evaluated.get("started") not in (None, manifest.get("started")):
        return Training(
            str(path),
            None,
            (),
            f"{path}: was trained anew since it was evaluated; its log is not shown",
        )
    log = read_log(path)
    missing = "" if log else f"{path / LOG}: is not there"
    return Training(str(path), manifest, tuple(log), missing)


def command_of(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """The lines that make a run again: the state of code and packages as remarks, then the command."""
    environment = manifest.get("environment") or {}
    packages = environment.get("packages") or {}
    versions = " ".join(f"{name}=={found}" for name, found in packages.items())
    lines = [
        f"# lawqa {environment.get('lawqa', '?')}, Python {environment.get('python', '?')} {versions}".strip()
    ]
    commit = environment.get("git_commit")
    if commit:
        changed = "+changes" in commit
        lines.append(
            f"git checkout {commit.partition('+')[0]}"
            + ("  # with changes that were not committed" if changed else "")
        )
    return (*lines, shlex.join(["lawqa", *map(str, manifest["argv"][1:])]))


def _rows(path: Path) -> Sequence[Row]:
    if path.is_dir():
        found = find_results(path)
        return list(found.rows(found.places))
    return [
        check_row(row).row if "schema_version" in row else row for row in read_json(path)["results"]
    ]


def _key(row: Row) -> _Key:
    order = row["permutation"] if "schema_version" in row else (0, 1, 2, 3)
    return row["file_name"], tuple(order), int(row.get("repeat", 0))


def _entry(result: StoredResult, row: Row, *, recorded: bool) -> Entry:
    rule, span = row.get("rule") or "", row.get("span")
    answer = result.as_recorded() if recorded else result.as_reparsed()
    if not recorded and result.generated and not result.failed:
        found = result.parsed()
        rule, span = found.rule, found.span
    forced = row.get("forced_answer") if answer.predicted is None else None
    return Entry(
        answer=answer,
        choices=result.choices,
        generated=result.generated,
        response=result.response,
        rule=str(rule),
        span=(int(span[0]), int(span[1])) if span else None,
        spec=str(row.get("prompt_spec") or ""),
        prompt=str(row.get("prompt") or ""),
        prompt_tokens=row.get("prompt_tokens"),
        completion_tokens=row.get("completion_tokens"),
        seconds=row.get("seconds"),
        hit_limit=result.hit_limit,
        stopped=str(row.get("stopped") or ""),
        error=str(row.get("error") or (result.response if result.failed else "")),
        label_mass=row.get("label_mass"),
        forced=forced,
        forced_outcome=(
            replace(answer, predicted=forced, outcome=outcome_of(result.gold, forced, "answered"))
            if forced
            else None
        ),
        articles=tuple(_article(one) for one in row.get("retrieved_articles") or ()),
    )


def _article(row: Row) -> RetrievedArticle:
    return RetrievedArticle(
        str(row["law_title"]),
        str(row["article"] or ""),
        float(row["score"]),
        bool(row["complete"]),
        None,
        passages=tuple(map(str, row.get("passages") or ())),
        url=egov_url(str(row.get("law_id") or "")),
    )


def _about(path: Path, stored: StoredRun) -> dict[str, Any]:
    """Model, adapter, manifest, command and trainings of a run."""
    if not path.is_dir():
        content = read_json(path)
        config = content.get("config") or {}
        adapter = config.get("adapter")
        return {
            "model": str(
                config.get("model_name") or config.get("llm_model") or config.get("backend") or "?"
            ),
            "adapter": str(adapter or ""),
            "manifest": {key: value for key, value in content.items() if key != "results"},
            "trainings": () if stored.legacy or not adapter else (read_training(Path(adapter)),),
        }
    manifest = read_manifest(path)
    model = manifest["model"]
    known = [str(model.get("name") or model.get("backend") or "?"), model.get("quantisation")]
    adapters = _adapters(manifest)
    return {
        "model": ", ".join(str(part) for part in known if part),
        "adapter": _adapter_name([str(one["path"]) for one in adapters]),
        "manifest": manifest,
        "command": command_of(manifest),
        "trainings": tuple(
            read_training(Path(one["path"]), one.get("manifest")) for one in adapters
        ),
    }


def _adapters(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a manifest says of its adapter, or of each fold's."""
    found = manifest.get("adapter") or {}
    return [one for one in found.get("folds", [found]) if one and one.get("path")]


def _adapter_name(paths: Sequence[str]) -> str:
    if len(paths) < 2:
        return "".join(paths)
    return f"{os.path.commonpath(paths)} ({len(paths)} folds)"
