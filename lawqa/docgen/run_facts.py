"""What the files of a run know, in the words of the lab's log forms."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from lawqa.choices import LABELS
from lawqa.commands.expand import render_command
from lawqa.commands.source import packaged_source
from lawqa.docgen.logs import RunFacts, seconds_ja
from lawqa.docgen.old_files import read_old_facts
from lawqa.errors import DataError
from lawqa.files import JsonObject
from lawqa.report.grid.verdict import side_of
from lawqa.report.note_words import note_phrase
from lawqa.report.words import rule_phrase
from lawqa.runs.directory import SUMMARY
from lawqa.runs.manifest import MANIFEST, Manifest
from lawqa.runs.result_log import read_results
from lawqa.runs.rows import Asked

_NEEDED = ("kind", "status", "started", "notes", "model", "figures", "environment", "argv")
"""What runs of every kind say of themselves."""


def logged_paths(path: Path) -> tuple[Path, ...]:
    """Return what a log is about where this path is given: of a cross-validation the training of every fold.

    Raises:
        DataError: it is a cross-validation without a finished training.
    """
    if not (path / "crossval.json").is_file():
        return (path,)
    adapters = [one.parent for one in path.glob(f"fold*/seed*/adapter/{MANIFEST}")]
    if not adapters:
        raise DataError(f"{path}: is a cross-validation in which nothing is trained yet")
    return tuple(sorted(adapters, key=lambda one: (len(one.parts[-3]), one)))


def read_run_facts(path: Path) -> RunFacts:
    """Return the facts of a run directory, an adapter, or one of the lab's old result files.

    Raises:
        DataError: it is none of these, or its files are broken.
    """
    if path.is_file():
        return read_old_facts(path)
    if not (path / MANIFEST).is_file():
        raise DataError(
            f"{path}: is not a run: {MANIFEST} is missing",
            "give a --run-dir of lawqa evaluate, a pooled run of lawqa crossval, or an adapter",
        )
    manifest = Manifest.read(path, _NEEDED)
    if manifest.kind != "train":
        manifest.require_evaluation(path)
    shared = {
        "started": _local(manifest.started),
        "ended": _local(manifest.ended) if manifest.ended else "",
        "status": _STATUS.get(manifest.status, manifest.status),
        "path": str(path),
        "environment": _environment(manifest.environment),
        "hardware": _hardware(manifest.environment.get("accelerator")),
        "model": _model(manifest.model),
        "command": shlex.join(["lawqa", *manifest.argv[1:]]),
        "memory": _memory(manifest),
        **_declared(manifest.argv),
    }
    notes = list(manifest.notes)
    if manifest.status != "done":
        notes.insert(0, f"UNFINISHED: {manifest.status}")
    seconds = manifest.figures.get("seconds")
    if manifest.kind == "train":
        name = _training_name(path)
        fields = {**shared, **_training(manifest)}
        return RunFacts(name, "train", fields, notes=_in_japanese(notes), seconds=seconds)
    name = side_of(manifest, str(path))
    summary = _summary(path / SUMMARY)
    stored = read_results(path, asked=Asked.of(manifest))
    notes += [n for n in (*summary.get("notes", []), *stored.notes) if n not in notes]
    fields = {**shared, **_evaluation(manifest), **_figures(summary)}
    return RunFacts(name, "evaluate", fields, _laws(summary), _in_japanese(notes), seconds)


_STATUS = {"done": "完了", "interrupted": "中断", "failed": "失敗", "running": "実行中"}
_IN_FOLD = re.compile(r"/([^/]+)/fold(\d+)/seed(\d+)/adapter$")


def _local(moment: str) -> str:
    """Return a stored moment, which is in UTC, on the clock of this machine, with its zone."""
    return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M %Z}"


def _in_japanese(notes: Sequence[str]) -> tuple[str, ...]:
    return tuple(note_phrase(note).ja for note in notes)


def _training_name(path: Path) -> str:
    """Return what a training is: of which fold of which cross-validation, or of which adapter."""
    match = _IN_FOLD.search(path.resolve().as_posix())
    if match:
        return f"交差検証 {match[1]} の組 {match[2]}（seed {match[3]}）の学習"
    return f"アダプタ {path.name} の学習"


def _declared(argv: Sequence[str]) -> dict[str, str]:
    """Return which declared step made a run, and what it is for; empty where none did."""
    source = packaged_source()
    for place in source.places.values():
        for command in source.at(place.id):
            extra = {*command.resume, *command.fresh}
            typed = [word for word in argv[1:] if word not in extra]
            if typed and typed == list(render_command(command, place).argv[1:]):
                experiment = source.experiment
                if place.id == "practice":
                    return {
                        "experiment": "練習",
                        "purpose": place.title_ja,
                        "role": f"練習（手順 {command.id}）",
                    }
                primary = command.role == "primary"
                role = {"primary": "主実験", "exploration": "探索", "support": "補助"}[command.role]
                return {
                    "experiment": experiment.id if primary else f"{experiment.id} の探索",
                    "purpose": experiment.title_ja if primary else command.purpose_ja,
                    "role": f"{role}（手順 {command.id}、{place.id}）",
                }
    return {}


def _summary(path: Path) -> JsonObject:
    """Return the figures; empty for a run that is not finished."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as problem:
        raise DataError(f"{path}: broken JSON: {problem}") from None
    if not isinstance(content, dict) or "statistics" not in content:
        raise DataError(f"{path}: has no statistics", "lawqa rescore RUN  reads the answers again")
    return content


def _environment(environment: JsonObject) -> str:
    packages = environment.get("packages") or {}
    named = [
        f"{name} {packages[name]}" for name in ("torch", "transformers", "peft") if name in packages
    ]
    commit = environment.get("git_commit")
    said = [f"{environment.get('host', '')}", f"lawqa {environment.get('lawqa', '')}"]
    said += (
        [f"git {commit[:12]}{'（記録していない変更あり）' if '+changes' in commit else ''}"]
        if commit
        else []
    )
    return ", ".join([*said, f"Python {environment.get('python', '')}", *named])


def _hardware(device: JsonObject | None) -> str:
    if not device or device.get("type") != "cuda":
        return "CPU"
    mig = f", MIG {device['mig_profile']}" if device.get("mig_profile") else ""
    return f"{device.get('name')}, {device.get('memory_gib')} GiB{mig}, CUDA {device.get('cuda')}"


def _model(model: JsonObject) -> str:
    said = [str(model.get("name", model.get("backend", "")))]
    for key in ("quantisation", "dtype", "commit", "directory_sha256"):
        if model.get(key):
            said.append(f"{key} {model[key]}")
    return ", ".join(said)


def _memory(manifest: Manifest) -> str:
    peak = manifest.figures.get("peak_memory_gib") or manifest.model.get("peak_memory_gib")
    return f"{peak} GiB" if peak else ""


def _prompt(manifest: Manifest) -> str:
    return ", ".join(f"{spec} ({hashed[:8]})" for spec, hashed in manifest.prompt_specs.items())


def _evaluation(manifest: Manifest) -> dict[str, str]:
    config, data = manifest.config, manifest.data
    prompt = [_prompt(manifest), f"answer-by {config.get('answer_by', '')}"]
    if config.get("answer_by") == "generate":
        prompt.append(f"max-new-tokens {config.get('max_new_tokens')}")
        prompt.append(f"temperature {config.get('temperature')}")
    named = [f"{path} (sha256 {(sha256 or '')[:12]})" for path, sha256 in manifest.question_files]
    return {
        "prompt": ", ".join(prompt),
        "rag": _rag(manifest),
        "data": f"{data.get('questions', '')} 問：{'、'.join(named)}",
        "adapter": ", ".join(str(one["path"]) for one in manifest.adapters) or "なし（base）",
    }


def _rag(manifest: Manifest) -> str:
    """Return retrieval settings, wherever the manifest keeps them."""
    retrieval = manifest.retrieval or manifest.config.get("rag")
    if not retrieval:
        return "なし"
    corpus = retrieval.get("corpus") or {}
    said = [
        f"{key} {retrieval[key]}" for key in ("top_k", "max_context_tokens") if key in retrieval
    ]
    said += [f"index sha256 {str(retrieval.get('index_sha256', ''))[:12]}"]
    said += [f"corpus {corpus.get('path', '')} (sha256 {str(corpus.get('sha256', ''))[:12]})"]
    retriever = retrieval.get("retriever") or {}
    said += [f"{key} {retriever[key]}" for key in ("dense", "reranker_model") if retriever.get(key)]
    return ", ".join(said)


def _figures(summary: JsonObject) -> dict[str, str]:
    if not summary:
        return {}
    statistics = summary["statistics"]
    # Runs from before final answers were stored say the accuracy of their prompts.
    final, outcomes = statistics.get("final"), statistics["outcomes"]
    accuracy = final["accuracy"] if final else statistics["accuracy"]
    by = f"（{rule_phrase(final['name']).ja}）" if final and final["by"] != "plain" else ""
    floors = statistics["floors"]
    return {
        "accuracy": f"{accuracy['value']:.1%}{by}",
        "interval": _interval(accuracy),
        "correct": str(accuracy["correct"]),
        "total": str(accuracy["asked"]),
        **{key: str(outcomes[key]) for key in ("unparsed", "truncated", "failed")},
        "predicted": " ".join(str(statistics["predicted"][label]) for label in LABELS),
        "gold": " ".join(str(statistics["gold"][label]) for label in LABELS),
        "floors": f"{floors['chance']:.1%} / {floors['constant']:.1%} ({floors['constant_label']})",
        "seconds": seconds_ja(float(summary["seconds"])),
    }


def _interval(accuracy: JsonObject) -> str:
    interval = accuracy["interval"]
    return f"{interval['low']:.1%} – {interval['high']:.1%}"


def _laws(summary: JsonObject) -> tuple[tuple[str, str, str, str], ...]:
    by_law = summary.get("statistics", {}).get("by_law", {})
    return tuple(
        (law or "不明", f"{a['value']:.1%}", _interval(a), str(a["asked"]))
        for law, a in by_law.items()
    )


def _training(manifest: Manifest) -> dict[str, str]:
    config, figures, data = manifest.config, manifest.figures, manifest.data
    training = config["training"]
    lora = ", ".join(f"{key} {training[key]}" for key in ("lora_r", "lora_alpha", "lora_dropout"))
    targets = training.get("target_modules")
    others = [
        f"{key} {value}" for key, value in training.items()
        if not key.startswith("lora_") and key != "target_modules" and value is not None
    ]  # fmt: skip
    loss = "first_loss" in figures and f"{figures['first_loss']:.3f} → {figures['last_loss']:.3f}"
    steps = (
        "steps" in figures and f"{figures['steps']} ステップ、{figures.get('tokens', 0):,} トークン"
    )
    seconds = figures.get("seconds")
    speed = (
        f"、毎秒 {figures['tokens'] / seconds:,.0f} トークン"
        if seconds and figures.get("tokens")
        else ""
    )
    return {
        "data": f"{data.get('records', '')} 件：{data.get('path', '')} "
        f"(sha256 {str(data.get('sha256', ''))[:12]})",
        "prompt": _prompt(manifest),
        "lora": f"{lora}, {' '.join(targets) if isinstance(targets, list) else targets}",
        "training": ", ".join(others),
        "loss": loss or "",
        "steps": steps or "",
        "seconds": f"{seconds_ja(seconds)}{speed}" if seconds else "",
        **_dev(figures),
    }


def _dev(figures: JsonObject) -> dict[str, str]:
    """Return the accuracies on the dev questions: before training, at each look, and of the step that was
    kept.
    """
    looks, kept = figures.get("dev") or [], figures.get("best")
    if not looks or not kept:
        return {"dev": "測っていない"}
    said = [f"ステップ {look['step']}：{look['accuracy']:.1%}" for look in looks]
    fields = {
        "dev": f"{'、'.join(said)}。残したのはステップ {kept['step']}",
        "dev_asked": str(kept["asked"]),
        "dev_kept": f"{kept['accuracy']:.1%} ({kept['correct']} / {kept['asked']})",
    }
    first = looks[0]
    if first["step"] == 0:
        fields["dev_base"] = f"{first['accuracy']:.1%} ({first['correct']} / {first['asked']})"
        fields["dev_gain"] = f"{100 * (kept['accuracy'] - first['accuracy']):+.1f} ポイント"
    return fields
