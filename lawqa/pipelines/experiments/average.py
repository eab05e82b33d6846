"""Several adapters of one base model averaged into one, such as the seeds of a training."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from lawqa.amounts import counted
from lawqa.bars import Say
from lawqa.errors import BackendError, ConfigError
from lawqa.files import JsonObject, write_json
from lawqa.models.files.adapter_folder import CONFIG, WEIGHTS, read_adapter_config
from lawqa.pipelines.adapters.manifest import TRAINED_ON
from lawqa.pipelines.adapters.record import adapter_record
from lawqa.pipelines.adapters.stages import Start
from lawqa.pipelines.experiments.merge_writing import written_beside
from lawqa.questions import file_sha256
from lawqa.runs.directory import RunDirectory
from lawqa.runs.environment import describe_environment
from lawqa.runs.manifest import Manifest, now
from lawqa.runs.outputs import claim_directory, refuse_working_directory
from lawqa.runs.upkeep.remove import OF_ADAPTER
from lawqa.settings import AverageSettings


def average(config: AverageSettings, say: Say = str) -> Path:
    """Write the exact mean of several adapters as one of higher rank, with the provenance of all of them.

    Args:
        config: which, and where to.
        say: prints what is being done, a line each.

    Returns:
        Its directory.

    Raises:
        ConfigError: there are fewer than two, one is named twice, of one nothing is known, or they were
            trained over different base models or prompts.
        LawqaError: an adapter is broken or no plain LoRA, or the output directory is not free.
    """
    members = _members(config)
    from lawqa.models import require_packages

    require_packages(quantised=False, training=True)
    from safetensors.torch import save_file

    from lawqa.models.adapters.averaging import mean_adapter
    from lawqa.models.adapters.files import read_adapter_files

    say(f"averaging {counted(len(members), 'adapter')} over {members[0].training.model['name']}")
    tensors, rank = mean_adapter([read_adapter_files(member.path) for member in members])
    for member in members:
        member.content.require_unchanged()
    with written_beside(config.output_dir, "adapter") as directory:
        save_file(tensors, directory / WEIGHTS, metadata={"format": "pt"})
        (directory / WEIGHTS).chmod(0o644)
        kept = read_adapter_config(members[0].path)
        own = {"r": rank, "lora_alpha": rank, "use_rslora": False, "lora_dropout": 0.0}
        write_json(directory / CONFIG, {**kept, **own})
        stages = _copy_records(members, directory)
        _copy_tokenizer(members[0].path, directory)
        _manifest(config, members, stages, rank, directory).write(directory)
    say(f"rank {rank}: the sum of theirs, so that no update is rounded away")
    return config.output_dir


def _members(config: AverageSettings) -> list[Start]:
    """Return the adapters, after everything that can be checked without their tensors."""
    if len(config.adapters) < 2:
        raise ConfigError(
            f"{counted(len(config.adapters), 'adapter')} to average, expected two or more",
            "lawqa average ADAPTER ADAPTER... --output-dir DIR",
        )
    places = [path.resolve() for path in config.adapters]
    twice = next((path for path in places if places.count(path) > 1), None)
    if twice is not None:
        raise ConfigError(f"{twice}: is named twice", "name each adapter once")
    sources = {f"the adapter {path}": path for path in config.adapters}
    claim_directory(config.output_dir, "--output-dir", sources=sources, ours=OF_ADAPTER)
    refuse_working_directory(config.output_dir, "--output-dir")
    RunDirectory.check_free(config.output_dir, fresh=config.fresh, kind="train")
    members = [Start.read(path) for path in config.adapters]
    first = members[0]
    for member in members[1:]:
        try:
            member.adapter.check_identity(first.training.model)
        except BackendError as problem:
            raise ConfigError(problem.message, "average adapters of one base model") from None
        for key in ("quantisation", "dtype"):
            one, other = first.training.model[key], member.training.model[key]
            if one != other:
                raise ConfigError(
                    f"{member.path} was trained with {key} {other or 'none'}, "
                    f"{first.path} with {one or 'none'}",
                    "average adapters of one base model, loaded alike",
                )
        for spec, digest in member.training.prompt_specs.items():
            if first.training.prompt_specs.get(spec, digest) != digest:
                raise ConfigError(
                    f"{member.path} and {first.path} were trained on {spec} in different words or with "
                    "different chat templates",
                    "train them again with one version of lawqa",
                )
    return members


def _copy_records(members: Sequence[Start], directory: Path) -> list[JsonObject]:
    """Copy what they were trained on, each file once, and return the trainings that they went through."""
    shutil.copyfile(members[0].path / TRAINED_ON, directory / TRAINED_ON)
    names = {file_sha256(members[0].path / TRAINED_ON): TRAINED_ON}
    stages: list[JsonObject] = []
    for member in members:
        *before, own = member.stages()
        files = [(stage, member.path / stage["trained_on"]) for stage in before]
        for stage, source in [*files, (own, member.path / TRAINED_ON)]:
            digest = file_sha256(source)
            if digest not in names:
                names[digest] = f"trained_on.stage{len(names)}.jsonl"
                shutil.copyfile(source, directory / names[digest])
            stages.append({**stage, "trained_on": names[digest]})
    return stages


def _copy_tokenizer(adapter: Path, directory: Path) -> None:
    for pattern in ("tokenizer*", "chat_template.jinja", "special_tokens_map.json", "added_tokens.json",
                    "vocab.json", "merges.txt"):  # fmt: skip
        for path in adapter.glob(pattern):
            shutil.copyfile(path, directory / path.name)


def _manifest(
    config: AverageSettings,
    members: Sequence[Start],
    stages: list[JsonObject],
    rank: int,
    directory: Path,
) -> Manifest:
    first, began = members[0].training, now()
    questions = first.questions
    for member in members[1:]:
        questions = member.questions(questions)
    specs = {spec: digest for m in members for spec, digest in m.training.prompt_specs.items()}
    averaged = [
        {"path": str(m.path), "weights_sha256": m.content.weights_sha256, "seed": m.training.seed}
        for m in members
    ]
    training = {**first.config["training"], "lora_r": rank, "lora_alpha": rank, "use_rslora": False}
    notes = list(dict.fromkeys(note for member in members for note in member.training.notes))
    return Manifest(
        kind="train",
        config={**first.config, "output_dir": str(config.output_dir), "training": training},
        model=first.model,
        prompt_specs=specs,
        data={**first.data, "stages": stages, "averaged": averaged},
        questions=questions,
        written=adapter_record(directory),
        notes=[f"the mean of {counted(len(members), 'adapter')}", *notes],
        seed=first.seed,
        environment=describe_environment(None),
        started=began,
        ended=now(),
        status="done",
    )
