"""Going on with a run: is it the same one?"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Literal

from lawqa._version import __version__
from lawqa.errors import ConfigError, DataError
from lawqa.files import JsonObject
from lawqa.models.files.identity import model_content
from lawqa.pipelines.evaluation.config import EvaluationConfig
from lawqa.pipelines.evaluation.contexts import retrieval_differences
from lawqa.pipelines.evaluation.job import Job
from lawqa.prompting import PromptSpec
from lawqa.runs.directory import RESULTS
from lawqa.runs.identity import PARTS, content_is_known, model_differences
from lawqa.runs.manifest import MANIFEST, Manifest
from lawqa.runs.question_entries import QuestionEntries
from lawqa.settings import Resolved, differences

_MODEL = ("backend", "quantisation", "dtype")
_ADAPTER_CONFIG = "the adapter's config"


def earlier_run(job: Job) -> Manifest | None:
    """Return the manifest of the run to resume; None where a new run begins.

    Raises:
        ConfigError: the directory holds another run; every difference is named.
        DataError: the directory holds answers, but what they answer is not known.
    """
    if not job.config.resume:
        return None
    path = job.run_dir
    if not (path / MANIFEST).exists():
        if (path / RESULTS).exists():
            raise DataError(
                f"{path}: holds {RESULTS} but no {MANIFEST}, so what was asked is not known",
                "--fresh asks everything again",
            )
        return None
    try:
        manifest = Manifest.read_evaluation(path)
        earlier = manifest.to_json()
    except DataError as problem:
        raise DataError(
            problem.message,
            f"without it the answers in {path / RESULTS} cannot be resumed: put a copy of it back, "
            "or --fresh asks everything again",
        ) from None
    job = as_begun(job, manifest)
    # Here and not only after loading: a finished run loads none, and a wrong one is better known at once.
    content = None
    if content_is_known(earlier["model"]):
        content = model_content(job.config.model_name, job.config.revision)
    today_known = _known(job)
    before, today = _contents(earlier), _contents(today_known)
    # Where the model's content is known, its name does not matter.
    beside = () if content else ("model_name", "revision")
    asked = earlier["config"], today_known["config"]
    for flag, pair in differences(EvaluationConfig, *asked, "evaluate", beside=beside).items():
        before[flag], today[flag] = pair
    contexts = earlier.get("retrieval"), today_known["retrieval"]
    for name, pair in retrieval_differences(*contexts, tokenizer_is_known=bool(content)).items():
        before[name], today[name] = pair
    if content:
        before |= _differing_parts(earlier, {"content": content}, 0)
        today |= _differing_parts(earlier, {"content": content}, 1)
    if _ADAPTER_CONFIG not in before:  # lawqa 0.1 did not look at it
        today.pop(_ADAPTER_CONFIG, None)
    _refuse(path, before, today)
    _refuse_other_quantisation(path, earlier, job.config)
    return manifest


def as_begun(job: Job, earlier: Manifest | None) -> Job:
    """Return the job with the settings that follow the way of asking as the earlier run had them.

    Their defaults change with versions of lawqa, and a run is resumed as it was begun: what is not given now
    is what it was then.
    """
    if earlier is None:
        return job
    stored, today = earlier.config, vars(job.config.resolved())
    then = {name: stored.get(name, before) for name, before in _BEFORE.items()}
    then = {name: today[name] if value is None else value for name, value in then.items()}
    begun = Resolved(**then, thinking_budget=stored.get("thinking_budget"))
    every = "samples_per_prompt" not in stored
    return replace(job, config=replace(job.config, begun=begun, every_order=every))


_BEFORE: dict[str, object] = {
    "answer_by": None, "max_new_tokens": None, "temperature": None,
    "top_p": 1.0, "top_k_sampling": 0, "min_p": 0.0,
}  # fmt: skip
"""What runs had that do not say it; None for what today's default is."""


def begun_otherwise(job: Job) -> list[str]:
    """Return what a resumed run does as it was begun and would not do today, as `temperature 0.0 (today
    0.6)`.
    """
    config = job.config
    if config.begun is None:
        return []
    today = vars(replace(config, begun=None).resolved())
    return [
        f"{name} {value} (today {today[name]})"
        for name, value in vars(config.resolved()).items()
        if value != today[name]
    ]


def require_same_model(path: Path, before: Manifest, manifest: Manifest) -> None:
    """Compare what is only known once the model is loaded.

    Raises:
        ConfigError: model, wording or chat template differ.
    """
    earlier = before.to_json()
    then, today = (_differing_parts(earlier, manifest.model, side) for side in (0, 1))
    _refuse(path, {**then, **_model(earlier)}, {**today, **_model(manifest.to_json())})


def _differing_parts(
    earlier: JsonObject, model: JsonObject, side: Literal[0, 1]
) -> dict[str, object]:
    """Return what the earlier model (side 0) or this one (side 1) is in the parts in which the two differ.

    End tokens end generated text, and decide nothing where labels are scored.
    """
    generates = earlier["config"].get("answer_by") == "generate"
    parts = [part for part in PARTS if part != "generation" or generates]
    differ = model_differences(earlier["model"], model, parts)
    return {name: _short(pair[side]) for name, pair in differ.items()}


def continued_manifest(manifest: Manifest, earlier: Manifest | None) -> Manifest:
    """Return the manifest of a resumed run: it began when it began, and keeps the time that it
    took so far.
    """
    if earlier is None:
        return manifest
    figures = {**earlier.figures, "resumed": earlier.figures.get("resumed", 0) + 1}
    began = earlier.environment.get("lawqa")
    notes = manifest.notes
    if began != __version__:
        notes = [*notes, f"BEGUN WITH lawqa {began}, resumed with {__version__}"]
    return replace(manifest, started=earlier.started, figures=figures, notes=notes)


def _known(job: Job) -> JsonObject:
    return {
        "config": job.config.to_json(),
        "data": job.data(),
        "questions": job.asked.entries,
        "adapter": job.adapter_json(),
        "retrieval": dict(job.retrieval.manifest) if job.retrieval else None,
    }


def _refuse_other_quantisation(path: Path, earlier: JsonObject, config: EvaluationConfig) -> None:
    """Refuse another 4-bit type, where one is asked for; a model's files may have had their own way."""
    asked, stored = config.quant_type, earlier["model"].get("quantisation")
    same_request = earlier["config"].get("quant_type") == asked
    if asked and config.load_in_4bit and stored and asked != stored and not same_request:
        name = "--bnb-4bit-quant-type"
        _refuse(path, {name: stored}, {name: asked})


def _contents(manifest: JsonObject) -> dict[str, object]:
    """Return what settings name and must be the same before a model is loaded, by the name that
    a user knows.
    """
    return {
        "the prompt": _spec_id(manifest["config"]["spec"]),
        "the data file": manifest["data"].get("sha256", "several files")[:12],
        # A list, of which a message says no more than that it is not the same.
        "the questions": [QuestionEntries(manifest["questions"]).digest],
        **_adapter(manifest.get("adapter")),
    }


def _spec_id(spec: JsonObject) -> object:
    """Return the id of a stored prompt spec; the spec itself where this version knows no such settings."""
    known = {field.name for field in fields(PromptSpec)}
    if not {"mode", "condition"} <= spec.keys() <= known:
        return dict(spec)
    return PromptSpec(**spec).id


def _model(manifest: JsonObject) -> JsonObject:
    model = manifest["model"]
    hashes = {f"the wording of {spec}": digest for spec, digest in manifest["prompt_specs"].items()}
    return {**{f"the model's {key}": model.get(key) for key in _MODEL}, **hashes}


def _adapter(adapter: JsonObject | None) -> JsonObject:
    """Return what identifies an adapter; it may have moved."""
    if adapter is None:
        return {"the adapter": None}
    known = {
        "the adapter": "one",
        "the adapter's weights": _short(adapter.get("weights_sha256")),
        "the adapter's training": (adapter.get("manifest") or {}).get("started"),
    }
    if adapter.get("config_sha256"):
        known[_ADAPTER_CONFIG] = _short(adapter["config_sha256"])
    return known


def _refuse(path: Path, earlier: JsonObject, present: JsonObject) -> None:
    before, today = (json.loads(json.dumps(one)) for one in (earlier, present))
    names = [name for name in {**before, **today} if before.get(name) != today.get(name)]
    if not names:
        return
    # Where only one of the two has an adapter at all, its details say nothing more.
    names = [name for name in names if "'s " not in name or name.split("'s ")[0] not in names]
    lines = [_difference(name, before.get(name), today.get(name)) for name in names]
    raise ConfigError(
        "\n  ".join([f"{path}: is not the same run:", *lines]),
        "give the options it was begun with; or --fresh replaces it, or name another directory",
    )


def _difference(name: str, before: object, today: object) -> str:
    if isinstance(before, (dict, list)) or isinstance(today, (dict, list)):
        return f"{name}: not the same" if before and today else f"{name}: given only once"
    return f"{name}: then {_shown(before)}, now {_shown(today)}"


def _short(value: object) -> object:
    """Return a digest as a message shows it; anything else as it is."""
    return value[:12] if isinstance(value, str) and len(value) == 64 else value


def _shown(value: object) -> str:
    return "none" if value is None else str(value)
