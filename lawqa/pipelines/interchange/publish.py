"""Publish: a copy of an adapter or merged model without texts of questions, host name and folders."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from lawqa.errors import ConfigError, DataError
from lawqa.files import JsonObject, JsonValue, read_json, write_json, write_text
from lawqa.models.files.adapter_folder import CONFIG
from lawqa.models.files.identity import read_identity
from lawqa.pipelines.adapters.card import CARD, adapter_card, licence_of, merged_card
from lawqa.pipelines.adapters.manifest import MERGED
from lawqa.pipelines.experiments.merge_writing import written_beside
from lawqa.runs.identity import content_is_known, model_differences
from lawqa.runs.manifest import MANIFEST, Manifest
from lawqa.runs.outputs import refuse_working_directory
from lawqa.runs.stored import read_stored_run
from lawqa.scoring import Accuracy, summarise, wilson
from lawqa.settings import StrPath, as_path, as_paths, checks_arguments

PLOT = "training.png"
_COPIED = (
    "*.safetensors", "*.safetensors.index.json", "tokenizer*", "vocab.json", "merges.txt",
    "special_tokens_map.json", "added_tokens.json", "chat_template.jinja",
    "generation_config.json", "config.json", PLOT,
)  # fmt: skip
_NAMING = ("config.json", "tokenizer_config.json", "generation_config.json")
_WHY = {
    "trained_on*.jsonl": "texts of questions; their ids and fingerprints are in manifest.json",
    ".lock": "the lock of a process",
    "tensorboard": "names the host",
    "checkpoint*": "only resumes a training",
    "log.jsonl": "steps of the training; the curve is in training.png",
}
_PATH = re.compile(r"(?<![\w:/.<])(?:~/|/[\w.@+~=-]+/|[A-Za-z]:[\\/])[\w./\\@+~=-]*")
_IS_PATH = re.compile(r"(?:~?/|[A-Za-z]:[\\/]).*")


@dataclass(frozen=True)
class Published:
    """What was written to be pushed."""

    directory: Path
    """Where it is."""
    files: tuple[str, ...]
    """The names of its files."""
    left_out: tuple[tuple[str, str], ...]
    """What was left out, and why."""
    notes: tuple[str, ...]
    """What is still to be done by who publishes it."""


@checks_arguments
def publish(
    directory: StrPath,
    output_dir: StrPath,
    *,
    base_model: str = "",
    licence: str = "",
    results: StrPath | Iterable[StrPath] = (),
    fresh: bool = False,
) -> Published:
    """Write a copy of an adapter or merged model that may be pushed to a hub.

    Example:
        >>> import lawqa
        >>> lawqa.publish("runs/base", "out")
        Traceback (most recent call last):
        lawqa.errors.ConfigError: runs/base: is neither an adapter of lawqa nor a model that it merged

    Args:
        directory: the adapter, or the merged model.
        output_dir: the copy; a new directory.
        base_model: the base model's name on the hub, where it was loaded from a folder.
        licence: as the hub names it, such as apache-2.0; empty for that of the base model where it is known.
        results: evaluations of it, for the card.
        fresh: replace an earlier copy.

    Raises:
        ConfigError: it is neither of the two, the output is there already, or a run is of another adapter.
        DataError: a file of it cannot be read.
    """
    source, target = as_path(directory, "directory"), as_path(output_dir, "output_dir")
    is_merged = (source / MERGED).is_file()
    if not is_merged and not ((source / CONFIG).is_file() and (source / MANIFEST).is_file()):
        raise ConfigError(
            f"{source}: is neither an adapter of lawqa nor a model that it merged",
            "lawqa export RUN  shares the answers of a run",
        )
    _require_free(target, source, fresh=fresh)
    content = read_json(source / (MERGED if is_merged else MANIFEST))
    if not is_merged and content.get("status") != "done":
        raise ConfigError(
            f"{source}: its training is {content.get('status')}, expected done",
            "lawqa train --do-train --resume  finishes it",
        )
    measured = _measured(source, content, as_paths(results, "results"), is_merged=is_merged)
    kept, left_out = _sorted_out(source)
    with written_beside(target, "copy") as writing:
        for name in kept:
            shutil.copyfile(source / name, writing / name)
            (writing / name).chmod(0o644)
            if name in _NAMING:
                _without_paths(writing / name)
        base = _write_described(source, writing, content, base_model, is_merged=is_merged)
        card = _card(writing, is_merged=is_merged, licence=licence or None, results=measured)
        write_text(writing / CARD, card)
    names = tuple(sorted(path.name for path in target.iterdir()))
    cleaned = [
        (
            _describes(is_merged=is_merged),
            "command line, host name and folders of this machine, within",
        )
    ]
    return Published(
        target, names, (*cleaned, *left_out), tuple(_open_ends(base, licence, measured))
    )


def _require_free(target: Path, source: Path, *, fresh: bool) -> None:
    refuse_working_directory(target, "--output-dir")
    if target.resolve() == source.resolve() or target.resolve() in source.resolve().parents:
        raise ConfigError(
            f"--output-dir {target}: is or holds what is published", "--output-dir NEW_DIRECTORY"
        )
    if target.exists() and not target.is_dir():
        raise ConfigError(f"--output-dir {target}: is a file, expected a directory", "name another")
    if target.is_dir() and any(target.iterdir()):
        ours = (target / CARD).is_file() and (
            (target / MANIFEST).is_file() or (target / MERGED).is_file()
        )
        if not (fresh and ours):
            raise ConfigError(
                f"--output-dir {target}: is not empty",
                "--fresh replaces an earlier copy" if ours else "--output-dir NEW_DIRECTORY",
            )


def _sorted_out(source: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the files that are copied as they are, and the others with the reason; without
    those rewritten.
    """
    kept, left_out = list[str](), list[tuple[str, str]]()
    rewritten = {MANIFEST, MERGED, CONFIG, CARD}
    for entry in sorted(source.iterdir()):
        if entry.name in rewritten:
            continue
        if (
            entry.is_file()
            and not entry.is_symlink()
            and any(fnmatch(entry.name, one) for one in _COPIED)
        ):
            kept.append(entry.name)
            continue
        why = next((why for name, why in _WHY.items() if fnmatch(entry.name, name)), "not known")
        left_out.append((entry.name, why))
    if not any(name.endswith(".safetensors") for name in kept):
        raise DataError(f"{source}: holds no weights (*.safetensors)", "was the copy cut off?")
    return kept, left_out


def _without_paths(path: Path) -> None:
    """Shorten the values of a small JSON file that are paths, such as where a model was loaded from."""
    content = read_json(path)
    if isinstance(content, dict):
        short = {
            key: _last(value) if isinstance(value, str) and _IS_PATH.fullmatch(value) else value
            for key, value in content.items()
        }
        if short != content:
            write_json(path, short)


def _write_described(
    source: Path, writing: Path, content: JsonObject, base_model: str, *, is_merged: bool
) -> str:
    """Write the manifest and PEFT's configuration without this machine's names; returns the base model."""
    manifest = (content.get("manifest") or {}) if is_merged else content
    named = str((manifest.get("model") or {}).get("name") or "")
    base = base_model or _without_folders(named)
    host = str((manifest.get("environment") or {}).get("host") or "")
    clean = _Cleaner(content, host).clean(content)
    inner = (clean.get("manifest") or {}) if is_merged else clean
    if inner:
        inner["argv"] = []
        inner["environment"] = {
            key: value
            for key, value in inner.get("environment", {}).items()
            if key not in ("host", "platform")
        }
        inner["model"] = {**inner["model"], "name": base}
        inner["config"] = {**inner["config"], "model_name": base}
    write_json(writing / (MERGED if is_merged else MANIFEST), clean)
    if not is_merged:
        config = dict(read_json(source / CONFIG))
        config["base_model_name_or_path"] = base
        write_json(writing / CONFIG, config)
    return base


class _Cleaner:
    """Takes folders and the host's name out of the texts of a JSON value.

    Args:
        content: whose texts; one that is a path as a whole is found within others too, spaces and all.
        host: the machine's name; empty for none.
    """

    def __init__(self, content: object, host: str = "") -> None:
        paths = set(_whole_paths(content))
        folders = {f"{above}/" for path in paths for above in PurePosixPath(path).parents}
        # A folder of one level, such as /home, says nothing and may be part of a word.
        deep = {folder for folder in folders if folder.count("/") > 2}
        self._paths = sorted(paths | deep, key=len, reverse=True)
        self._host = re.compile(rf"\b{re.escape(host)}\b") if host else None

    def clean(self, value: JsonValue) -> JsonValue:
        """Return the value without them."""
        if isinstance(value, dict):
            return {self.text(key): self.clean(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self.clean(one) for one in value]
        return self.text(value) if isinstance(value, str) else value

    def text(self, text: str) -> str:
        """Return a text without them."""
        for path in self._paths:
            text = text.replace(path, "" if path.endswith("/") else _last(path))
        text = _PATH.sub(lambda path: _last(path[0]), text)
        return self._host.sub("HOST", text) if self._host else text


def _whole_paths(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            if key != "notes":  # sentences, which may begin with a path
                yield from _whole_paths(one)
    elif isinstance(value, list):
        for one in value:
            yield from _whole_paths(one)
    elif isinstance(value, str) and len(value) > 1 and _IS_PATH.fullmatch(value):
        yield value


def _last(path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).name


def _without_folders(name: str) -> str:
    """Return a hub id as it is; of a path its last part."""
    path = PurePosixPath(name)
    return (
        name
        if not path.is_absolute() and len(path.parts) == 2 and path.parts[0] not in (".", "..")
        else path.name
    )


def _card(
    writing: Path, *, is_merged: bool, licence: str | None, results: Sequence[tuple[str, Accuracy]]
) -> str:
    if is_merged:
        return merged_card(read_json(writing / MERGED), licence=licence, results=results)
    manifest = Manifest.read(writing)
    figures = manifest.figures
    dev = [
        (f"dev accuracy {name}", _dev_text(result))
        for name, result in (
            ("before training", next(iter(figures.get("dev") or ()), None)),
            ("of the step that was kept", figures.get("best")),
        )
        if result
    ]
    plot = PLOT if (writing / PLOT).is_file() else None
    return adapter_card(
        manifest, figures, dev_rows=dev, plot=plot, results=results, licence=licence
    )


def _dev_text(result: JsonObject) -> str:
    correct, asked = int(result["correct"]), int(result["asked"])
    interval = wilson(correct, asked)
    between = f"95% interval {interval.low:.1%} - {interval.high:.1%}"
    return f"{correct / asked:.1%} ({correct} / {asked}, {between})"


def _measured(
    source: Path, content: JsonObject, runs: Sequence[Path], *, is_merged: bool
) -> list[tuple[str, Accuracy]]:
    """Read the accuracies of runs, each of which must be of what is published.

    Raises:
        ConfigError: one is of another adapter or model.
    """
    own = {"content": dict(read_identity(source).content)} if is_merged and runs else {}
    measured = []
    for path in runs:
        run = read_stored_run(path)
        if is_merged:
            same = run.manifest is not None and _is_model(own, run.manifest)
            what, flag = "model", "--model-name"
        else:
            adapters = run.manifest.adapters if run.manifest else []
            trained = {str((one.get("manifest") or {}).get("started")) for one in adapters}
            same, what, flag = str(content.get("started")) in trained, "adapter", "--hf-lora-path"
        if not same:
            raise ConfigError(
                f"--results {path}: is not of the {what} in {source}",
                f"lawqa evaluate {flag} {source} --run-dir RUN  makes one",
            )
        specs = ", ".join(run.manifest.prompt_specs) if run.manifest else ""
        name = f"{path.resolve().name} ({specs})" if specs else path.resolve().name
        measured.append((name, summarise(run.answers()).final.accuracy))
    return measured


def _is_model(own: JsonObject, run: Manifest) -> bool:
    """Return whether a run asked a model of this content, and no adapter over it."""
    return (
        content_is_known(run.model) and not run.adapters and not model_differences(own, run.model)
    )


def _describes(*, is_merged: bool) -> str:
    return MERGED if is_merged else f"{MANIFEST}, {CONFIG}"


def _open_ends(base: str, licence: str, results: Sequence[object]) -> list[str]:
    notes = []
    if "/" not in base:
        notes.append(
            f"the base model is called {base or 'nothing'}, not as on a hub: --base-model OWNER/NAME"
        )
    if not licence and licence_of(base) is None:
        notes.append(f"the licence of {base or 'the base model'} is not known here: --licence ID")
    if not results:
        notes.append("the card has no results: --results RUN")
    return notes
