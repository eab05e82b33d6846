"""Putting an adapter onto a loaded model, and seeing that it is all there and that the base is untouched.

PEFT warns, no more, where tensors of an adapter find no place or a place finds no tensor, and some kinds of
adapter change the base model's weights while they are attached. So what is expected is asked of the attached
adapter before a tensor is loaded, and is compared with the file; what landed is compared with it again; and
the model with the adapter switched off must give the logits that it gave before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lawqa.amounts import few_of
from lawqa.errors import BackendError
from lawqa.models.adapters.files import AdapterFiles, read_adapter_files
from lawqa.models.adapters.probe import effect_of, largest_change, probe_ids, probe_logits
from lawqa.models.adapters.settings import require_bounded_patterns
from lawqa.models.adapters.state import (
    adapter_state,
    audited,
    one_line,
    put_adapter_state,
    same_tensor,
)
from lawqa.models.files.adapter_folder import CONFIG, WEIGHTS
from lawqa.models.load_errors import out_of_memory
from lawqa.models.loaded import LoadedModel

if TYPE_CHECKING:
    from peft import PeftModel


_NAME = "default"
_PREFIX = "base_model.model."
# The same kernels on the same numbers; a GPU may add in another order, a rewritten weight moves tenths.
_SAME_IN_FULL, _SAME_IN_HALF = 1e-4, 2e-2


def apply_adapter(loaded: LoadedModel, adapter: Path | AdapterFiles) -> None:
    """Put a PEFT adapter onto a loaded model, unmerged, and make sure that all of it is applied.

    Args:
        loaded: the model; after an error it must not be used any more.
        adapter: its directory, or its files as they were read.

    Raises:
        BackendError: it is not an adapter, does not fit the model, or changes the model's own weights.
    """
    files = adapter if isinstance(adapter, AdapterFiles) else read_adapter_files(adapter)
    base = loaded.model
    require_bounded_patterns(
        files.path / CONFIG, vars(files.config), (name for name, _ in base.named_modules())
    )
    probe = probe_ids(loaded, files)
    untouched = probe_logits(base, probe, loaded)
    before = _places(base)
    wrapped = _attached(loaded, files)
    expected = adapter_state(wrapped)
    _require_targets(files, wrapped)
    tensors = _without_base_tensors(files, before, expected)
    _require_fit(loaded, files, tensors, expected)
    put_adapter_state(wrapped, tensors)
    wrapped.eval()
    _require_untouched(files, before, wrapped)
    with _refused(loaded, files):
        with wrapped.disable_adapter():
            off = probe_logits(wrapped, probe, loaded)
            off_rounded = probe_logits(wrapped, probe, loaded, rounded=True)
        on = probe_logits(wrapped, probe, loaded, rounded=True)
    _require_base(files, untouched, off, loaded.dtype)
    loaded.model, loaded.adapter = wrapped, files.path
    loaded.effect = effect_of(files, off_rounded, on, probe)


@contextmanager
def _refused(loaded: LoadedModel, files: AdapterFiles) -> Iterator[None]:
    """Turn what PEFT raises over an adapter that it cannot apply into an error that names both."""
    try:
        with audited():
            yield
    except torch.OutOfMemoryError:
        raise out_of_memory(
            loaded.config.model_name,
            on_gpu=loaded.device.type == "cuda",
            load_in_4bit=loaded.config.load_in_4bit,
        ) from None
    # Each kind of adapter has errors of its own for layers and settings that it does not know.
    except (
        ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, RuntimeError,
        TypeError, ValueError, re.error,
    ) as problem:  # fmt: skip
        raise BackendError(
            f"{files.path}: does not fit {_over(loaded)}: {one_line(problem)}",
            _hint(loaded, files),
        ) from problem


def _attached(loaded: LoadedModel, files: AdapterFiles) -> PeftModel:
    from peft import MODEL_TYPE_TO_PEFT_MODEL_MAPPING, PeftModel

    maker = MODEL_TYPE_TO_PEFT_MODEL_MAPPING.get(files.config.task_type, PeftModel)
    with _refused(loaded, files):
        return maker(loaded.model, files.config, _NAME)


def _hint(loaded: LoadedModel, files: AdapterFiles) -> str:
    base = f" ({files.base_name})" if files.base_name else ""
    if loaded.config.load_in_4bit and files.kind != "LORA":
        return f"PEFT may not know {files.kind} over 4-bit weights: try --no-4bit"
    return (
        f"{CONFIG} and {WEIGHTS} must be those that one training wrote, and the model the one that it was "
        f"trained over{base}; copy them again, or train again"
    )


def _over(loaded: LoadedModel) -> str:
    kind = f" in {loaded.config.quant_type}" if loaded.config.load_in_4bit else ""
    return f"{loaded.config.model_name}{kind}"


# --- what its config asks for


def _require_targets(files: AdapterFiles, wrapped: PeftModel) -> None:
    """Require that every name in the config matches a module: else it is not the config of these tensors."""
    from peft.tuners.tuners_utils import BaseTunerLayer
    from peft.utils.other import AuxiliaryTrainingWrapper

    config, layers, saved, every = files.config, [], [], []
    for name, module in wrapped.get_base_model().named_modules():
        every.append(name.replace(".base_layer", ""))
        if isinstance(module, BaseTunerLayer):
            layers.append(name)
        elif isinstance(module, AuxiliaryTrainingWrapper):
            saved.append(name)
    # Where modules or layers are left out on purpose, a name may match nothing.
    narrowed = any(getattr(config, key, None) for key in ("exclude_modules", "layers_to_transform"))
    adapted = every if narrowed else [*layers, *saved]
    for key, modules in (("target_modules", adapted), ("modules_to_save", saved)):
        asked = getattr(config, key, None)
        if isinstance(asked, list | tuple | set):
            _refuse_unmet(
                files, key, (name for name in asked if not _ends(modules, re.escape(name)))
            )
    for key in ("rank_pattern", "alpha_pattern"):
        patterns = getattr(config, key, None) or {}
        _refuse_unmet(files, key, (name for name in patterns if not _ends(layers, name)))
    numbers = getattr(config, "layers_to_transform", None)
    numbers = [numbers] if isinstance(numbers, int) else numbers or []
    met = {int(number) for name in layers for number in re.findall(r"\.(\d+)\.", name)}
    _refuse_unmet(
        files, "layers_to_transform", (str(number) for number in numbers if number not in met)
    )
    # PEFT passes over it where a target is named in full.
    beyond = sorted(met - {*numbers}) if numbers else []
    if beyond:
        raise BackendError(
            f"{files.path / CONFIG}: layers_to_transform leaves out {few_of(list(map(str, beyond)))}, which "
            "target_modules names in full",
            "compare it with what the training wrote",
        )


def _ends(names: Iterable[str], pattern: str) -> bool:
    return any(re.fullmatch(rf"(.*\.)?({pattern})", name) for name in names)


def _refuse_unmet(files: AdapterFiles, key: str, unmet: Iterable[str]) -> None:
    lacking = sorted(unmet)
    if lacking:
        raise BackendError(
            f"{files.path / CONFIG}: {key} names {few_of(lacking)}, for which the model has no module",
            "compare it with what the training wrote; it was trained over "
            f"{files.base_name or 'a model that it does not name'}",
        )


# --- whether its tensors are those


def _without_base_tensors(
    files: AdapterFiles,
    base: Mapping[str, _Place],
    expected: Mapping[str, torch.Tensor],
) -> dict[str, torch.Tensor]:
    """Return the file's tensors without copies of the base model's own, such as PEFT saves of embeddings.

    Raises:
        BackendError: one of them is not the base model's: loading it would change the base.
    """
    kept = {}
    for name, tensor in files.tensors.items():
        bare = name.removeprefix(_PREFIX).replace(".base_layer.", ".")
        own = base.get(bare)
        if name in expected or own is None:
            kept[name] = tensor
        elif own.tensor.shape != tensor.shape or not same_tensor(tensor, own.tensor):
            raise BackendError(
                f"{files.path / WEIGHTS}: {name} would replace a weight of the base model, and no base "
                "figures could be had beside it",
                "train the embeddings with modules_to_save, or leave them out",
            )
    return kept


def _require_fit(
    loaded: LoadedModel,
    files: AdapterFiles,
    tensors: Mapping[str, torch.Tensor],
    expected: Mapping[str, torch.Tensor],
) -> None:
    missing = sorted(expected.keys() - tensors.keys())
    foreign = sorted(tensors.keys() - expected.keys())
    misshapen = sorted(
        f"{name} is {list(tensors[name].shape)}, expected {list(expected[name].shape)}"
        for name in expected.keys() & tensors.keys()
        if tensors[name].shape != expected[name].shape
    )
    unlike = sorted(
        f"{name} is {tensors[name].dtype}, expected {expected[name].dtype}"
        for name in expected.keys() & tensors.keys()
        if tensors[name].is_floating_point() != expected[name].is_floating_point()
    )
    misfits = [
        f"{len(names)} {what}: {few_of(names)}"
        for names, what in (
            (missing, "that its config asks for are missing"),
            (foreign, "have no place"),
            (misshapen, "have another shape"),
            (unlike, "have another dtype"),
        )
        if names
    ]
    if misfits:
        raise BackendError(
            f"{files.path}: does not fit {_over(loaded)}: of its {len(tensors)} tensors, "
            f"{'; '.join(misfits)}",
            _hint(loaded, files),
        )


# --- whether the base model is what it was


@dataclass(frozen=True)
class _Place:
    """A weight or buffer, where it lies, and how often it was written to."""

    tensor: torch.Tensor
    address: int
    version: int


def _places(model: torch.nn.Module) -> dict[str, _Place]:
    """Return every weight and buffer; a tied one under each of its names."""
    every = [*model.named_parameters(remove_duplicate=False), *model.named_buffers()]
    return {name: _Place(tensor, tensor.data_ptr(), tensor._version) for name, tensor in every}


def _require_untouched(
    files: AdapterFiles, before: Mapping[str, _Place], wrapped: PeftModel
) -> None:
    """Require that no weight of the base was moved, written to or taken out."""
    there = {id(tensor) for tensor in (*wrapped.parameters(), *wrapped.buffers())}
    changed = sorted(
        name
        for name, place in before.items()
        if id(place.tensor) not in there
        or place.tensor.data_ptr() != place.address
        or place.tensor._version != place.version
    )
    if changed:
        raise _rewrites(files, f"it changed {few_of(changed)}")


def _require_base(
    files: AdapterFiles, untouched: torch.Tensor, off: torch.Tensor, dtype: torch.dtype
) -> None:
    allowed = _SAME_IN_FULL if dtype == torch.float32 else _SAME_IN_HALF
    apart = largest_change(untouched, off)
    if not torch.equal(untouched, off) and untouched.isfinite().all() and not apart <= allowed:
        raise _rewrites(files, f"switched off, it leaves a difference of {apart:.3g} nats")


def _rewrites(files: AdapterFiles, what: str) -> BackendError:
    return BackendError(
        f"{files.path}: an adapter of the kind {files.kind} is not applied: it changes the "
        f"base model's own weights ({what}), and no base figures could be had beside it",
        "train a LoRA adapter: lawqa train",
    )
