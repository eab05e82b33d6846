"""Model cache, disk space, data and index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lawqa.amounts import counted
from lawqa.doctor.findings import Finding
from lawqa.doctor.planned_run import PlannedRun
from lawqa.doctor.probes import Probes
from lawqa.errors import LawqaError
from lawqa.files import strict_json
from lawqa.questions import file_sha256, read_questions
from lawqa.templates import template_facts, template_warnings
from lawqa.templates.folder import CONFIG_FILE, TEMPLATE_FILE, FolderTemplate, has_second_template

_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_WEIGHTS_INDEX = "model.safetensors.index.json"
_MODEL_GIB, _WORK_GIB, _SHM_GIB = 20, 5, 1


def model(planned: PlannedRun, probes: Probes) -> Iterator[Finding]:
    """Yield whether the model is there and complete, and what the offline variables mean for it."""
    environment = probes.environment()
    offline = [
        name for name in _OFFLINE if environment.get(name, "").lower() not in ("", "0", "false")
    ]
    home = hf_home(planned, environment.get("HF_HOME"))
    directory = cached_model(planned.model, home)
    declared = planned.line("download-model")
    download = declared or (
        planned.line("toy-model") or f"HF_HOME={home} hf download {planned.model}"
    )
    # The declared line fills the place's own cache, which is not looked at while the variable says another.
    if declared and directory is None and home.absolute() != hf_home(planned, None).absolute():
        download = f"unset HF_HOME\n{download}"
    if offline and directory is None:
        download = f"unset {' '.join(offline)}\n{download}"
    if directory is None:
        yield Finding("model", "problem", f"{planned.model} is not in {home}", download)
        return
    lacking = missing_files(directory)
    if lacking:
        shown = ", ".join(lacking[:3]) + (" …" if len(lacking) > 3 else "")
        yield Finding("model", "problem", f"{directory}: not complete: {shown} missing", download)
    elif (fault := probes.model_fault(directory)) is not None:
        yield Finding("model", "problem", fault.message, fault.hint or download)
    else:
        yield from _template(directory)
        size = sum(path.stat().st_size for path in directory.iterdir() if path.is_file()) / 2**30
        yield Finding("model", "ok", f"{planned.model} is complete in {directory} ({size:.1f} GiB)")
    if offline:
        yield Finding("offline", "ok", f"{', '.join(offline)} set: no network is asked")


def _template(directory: Path) -> Iterator[Finding]:
    """Yield what the model's chat template does that is not expected of one; nothing of a plain one."""
    name = "chat template"
    try:
        holder = FolderTemplate(directory)
        if not holder.chat_template and not (directory / CONFIG_FILE).is_file():
            return  # how its tokenizer is made is not known here
        facts = template_facts(holder)
    except LawqaError as problem:
        yield Finding(name, "problem", f"{directory}: {problem.message}", problem.hint)
        return
    for sentence in template_warnings({"chat_template": facts.to_json()}):
        yield Finding(name, "ok", sentence)
    if facts.opens_thought:
        yield Finding(
            name, "warning",
            f"{directory}: every prompt ends inside an open think block ({facts.opens_thought}): no label "
            "can be scored and no direct answer trained",
            "--thinking --answer-by generate",
        )  # fmt: skip
    if has_second_template(directory):
        yield Finding(
            name, "warning",
            f"{directory}: {TEMPLATE_FILE} is used, and {CONFIG_FILE} holds another template",
            f"take one of them out of {directory}",
        )  # fmt: skip


def space(planned: PlannedRun, probes: Probes) -> Iterator[Finding]:
    """Yield whether there is room for runs, for a model that is still to come, and in /dev/shm."""
    home = hf_home(planned, probes.environment().get("HF_HOME"))
    model_there = cached_model(planned.model, home) is not None
    wanted = [("work", planned.work, _WORK_GIB), ("shm", Path("/dev/shm"), _SHM_GIB)]  # noqa: S108
    if not model_there:
        wanted.append(("model cache", home, _MODEL_GIB))
    for name, path, needed in wanted:
        free = probes.free_gib(path)
        if free is None:
            yield Finding(f"space: {name}", "warning", f"{path}: its free space cannot be known")
        elif free < needed:
            # Loaders share tensors through /dev/shm; lawqa loads in one process, so that it only warns.
            yield Finding(
                f"space: {name}",
                "warning" if name == "shm" else "problem",
                f"{path}: {free:.1f} GiB free, at least {needed} are needed",
                f"make room there, or point to another disk in lawqa.toml ({_key(name)})"
                if name != "shm"
                else "",
            )
        else:
            yield Finding(f"space: {name}", "ok", f"{path}: {free:.1f} GiB free")


def data(planned: PlannedRun) -> Finding:
    """Return whether the questions are there, readable, and the version that all results are on."""
    get = "\n".join(filter(None, (planned.line("get-questions"), planned.line("pin-questions"))))
    if not planned.data.is_file():
        return Finding("data", "problem", f"{planned.data}: no such file", get)
    try:
        count = len(read_questions(planned.data))
    except LawqaError as problem:
        return Finding("data", "problem", problem.message, problem.hint or get)
    expected = planned.source.checksums.get(planned.data.name)
    digest = file_sha256(planned.data)
    shown = f"{planned.data}: {counted(count, 'item')}, sha256 {digest[:12]}"
    if expected is not None and digest != expected:
        return Finding(
            "data",
            "warning",
            f"{shown}, expected {expected[:12]}: another version, whose results do not compare",
            planned.line("pin-questions"),
        )
    return Finding("data", "ok", shown + ("" if expected is None else ", the expected version"))


def index(planned: PlannedRun) -> Finding:
    """Return whether the retrieval index is there and whole."""
    from lawqa.pipelines.corpus.indexes.manifest import IndexManifest

    needs = any(
        str(planned.index) in "\0".join(planned.line(step).split())
        for step in planned.source.experiment.commands
    )
    build = "\n".join(
        filter(
            None, map(planned.line, ("make-law-folder", "get-laws", "parse-laws", "build-index"))
        )
    )
    fix = build or "lawqa index build --articles ARTICLES.jsonl --output-dir DIR"
    try:
        counts = IndexManifest.read(planned.index).counts
    except LawqaError as problem:
        level = "problem" if needs else "warning"
        return Finding("index", level, problem.message, fix)  # type: ignore[arg-type]
    return Finding("index", "ok", f"{planned.index}: {counted(counts.articles, 'article')}")


def hf_home(planned: PlannedRun, variable: str | None) -> Path:
    """Return the Hugging Face cache: the environment's, else the place's, else the library's default."""
    return Path(variable or planned.hf_home or "~/.cache/huggingface").expanduser()


def cached_model(model: str, home: Path) -> Path | None:
    """Return where a model's files are: a local directory, or the snapshot that `main` names in the cache."""
    if Path(model).is_dir():
        return Path(model)
    repository = home / "hub" / f"models--{model.replace('/', '--')}"
    reference = repository / "refs" / "main"
    if reference.is_file():
        snapshot = repository / "snapshots" / reference.read_text(encoding="utf-8").strip()
        if snapshot.is_dir():
            return snapshot
    return None


def missing_files(directory: Path) -> list[str]:
    """Return what a model directory lacks to be loaded: configuration, tokenizer, or shards of
    its weights.
    """
    lacking = [] if (directory / "config.json").is_file() else ["config.json"]
    if not any((directory / name).is_file() for name in ("tokenizer.json", "vocab.json")):
        lacking.append("tokenizer.json")
    if (directory / _WEIGHTS_INDEX).is_file():
        try:
            listed = strict_json((directory / _WEIGHTS_INDEX).read_text(encoding="utf-8"))
            shards = sorted(set(listed["weight_map"].values()))
        except (ValueError, KeyError, AttributeError):
            return [*lacking, f"a whole {_WEIGHTS_INDEX}"]
        # A link of the cache whose file has not come yet does not count as a file.
        return lacking + [shard for shard in shards if not (directory / shard).is_file()]
    if not any(directory.glob("*.safetensors")):
        lacking.append("model.safetensors")
    return lacking


def _key(name: str) -> str:
    return "work" if name == "work" else "hf_home"
