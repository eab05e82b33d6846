"""Stored runs as a report wants them: every answer with its prompt, text, times and retrieved articles."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from lawqa.amounts import counted
from lawqa.files import JsonObject
from lawqa.made import Made
from lawqa.report.content import Entry, ReportRun, ShownArticle, Training
from lawqa.runs.context import RetrievedArticle
from lawqa.runs.manifest import MANIFEST, Manifest
from lawqa.runs.result import ReadingName
from lawqa.runs.stored import StoredRun
from lawqa.settings import By
from lawqa.statutes.locations import egov_url
from lawqa.training.monitoring.log import LOG, read_log


def read_report_run(
    stored: StoredRun, run_id: str, name: str, *, recorded: bool, by: By = "own"
) -> ReportRun:
    """Return a stored run as a report shows it; its retrieved articles are not marked yet.

    Args:
        stored: the run.
        run_id: what the report calls it.
        name: its name there.
        recorded: labels as they were recorded; else as today's parser reads them.
        by: how the prompts of a question become its final answer.

    Raises:
        DataError: the rule needs label probabilities that the run lacks, or a file of a training is broken.
    """
    stored.check_by(by)
    reading: ReadingName = "recorded" if recorded else "today"
    answers = stored.answers(reading)

    def entry(place: int) -> Entry:
        result = stored.results[place]
        return Entry(result, reading, tuple(map(_shown, result.articles)), scored=answers[place])

    return ReportRun(
        id=run_id,
        name=name,
        path=str(stored.path),
        entries=Made(entry, range(len(answers))),
        answers=answers,
        notes=stored.notes,
        legacy=stored.legacy,
        by=by,
        spec=", ".join(sorted({one.prompt_spec for one in stored.results if one.prompt_spec})),
        **_about(stored),
    )


def read_training(
    path: Path,
    evaluated: JsonObject | None = None,
    manifest: Manifest | None = None,
) -> Training:
    """Return what is known of an adapter's training; says why where nothing is.

    Args:
        path: the adapter's directory.
        evaluated: what the manifest of an evaluation says of it; a training begun at another time is another.
        manifest: the adapter's own where it was read already.

    Raises:
        DataError: its manifest or log is broken.
    """
    manifest = manifest or Manifest.read_if_there(path)
    if manifest is None:
        return Training(str(path), None, (), f"{path / MANIFEST}: is not there any more")
    if evaluated and evaluated.get("started") not in (None, manifest.started):
        return Training(
            str(path),
            None,
            (),
            f"{path}: was trained again since it was evaluated; its log is not shown",
        )
    log = read_log(path)
    missing = "" if log else f"{path / LOG}: is not there"
    return Training(str(path), manifest, tuple(log), missing)


def rerun_lines(manifest: Manifest) -> tuple[str, ...]:
    """Return the lines that make a run again: the state of code and packages as remarks, then the command."""
    environment = manifest.environment
    packages = environment.get("packages") or {}
    versions = " ".join(f"{name}=={version}" for name, version in packages.items())
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
    return (*lines, shlex.join(["lawqa", *map(str, manifest.argv[1:])]))


def _shown(article: RetrievedArticle) -> ShownArticle:
    return ShownArticle(
        article.law_title,
        article.article or "",
        article.score,
        article.complete,
        None,
        passages=article.passages,
        url=egov_url(article.law_id),
    )


def _about(stored: StoredRun) -> JsonObject:
    """Return the model, adapter, manifest, command and trainings of a run."""
    manifest = stored.manifest
    if manifest is None:
        config = stored.about.get("config") or {}
        adapter = config.get("adapter")
        return {
            "model": str(
                config.get("model_name") or config.get("llm_model") or config.get("backend") or "?"
            ),
            "adapter": str(adapter or ""),
            "about": stored.about,
            "trainings": () if stored.legacy or not adapter else (read_training(Path(adapter)),),
        }
    model = manifest.model
    known = [str(model.get("name") or model.get("backend") or "?"), model.get("quantisation")]
    adapters = manifest.adapters
    return {
        "model": ", ".join(str(part) for part in known if part),
        "adapter": _adapter_name([str(one["path"]) for one in adapters]),
        "manifest": manifest,
        "command": rerun_lines(manifest),
        "trainings": tuple(
            read_training(Path(one["path"]), one.get("manifest")) for one in adapters
        ),
    }


def _adapter_name(paths: Sequence[str]) -> str:
    if len(paths) < 2:
        return "".join(paths)
    return f"{os.path.commonpath(paths)} ({counted(len(paths), 'fold')})"
