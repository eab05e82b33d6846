"""Loading a causal language model with its tokenizer: 4-bit or plain, with an adapter or without."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lawqa.errors import BackendError
from lawqa.models.adapters.audit import apply_adapter
from lawqa.models.adapters.files import read_adapter_files
from lawqa.models.adapters.state import no_peft_warnings
from lawqa.models.attention.choice import keep_to_safe_kernels
from lawqa.models.attention.hooked import hook_attention
from lawqa.models.defragment import defragment
from lawqa.models.device import (
    compute_dtype,
    describe_device,
    full_memory_named,
    peak_memory_gib,
    pick_device,
)
from lawqa.models.files.adapter_folder import directory_hash
from lawqa.models.files.identity import (
    ModelIdentity,
    model_directory,
    read_identity,
)
from lawqa.models.files.weight_files import WHOLE
from lawqa.models.kept_weights import KeptWeights
from lawqa.models.lean.ahead import WeightsAhead
from lawqa.models.load_errors import out_of_memory
from lawqa.models.loaded import LoadedModel
from lawqa.models.pretrained import (
    check_files,
    load_config,
    load_tokenizer,
    load_weights,
)
from lawqa.models.quantisation import (
    cast_unquantised,
    import_bitsandbytes,
    keep_as_bytes,
    keep_cpu_gradients_right,
    quantisation,
    quantising_counted,
    stored_type,
)
from lawqa.prompting import end_of_turn
from lawqa.settings import ModelSettings, QuantType
from lawqa.stopwatch import part

if TYPE_CHECKING:
    from transformers import (
        GenerationConfig,
        PretrainedConfig,
        PreTrainedModel,
        PreTrainedTokenizerBase,
    )

__all__ = [
    "LoadedModel",
    "apply_adapter",
    "describe_files",
    "load_model",
    "load_tokenizer",
    "no_peft_warnings",
]

logger = logging.getLogger(__name__)


def load_model(
    config: ModelSettings,
    adapter: Path | None = None,
    *,
    sharded: bool = False,
    ahead: WeightsAhead | None = None,
) -> LoadedModel:
    """Load model and tokenizer onto the GPU, or the CPU where there is none.

    Args:
        config: which model, and how.
        adapter: a PEFT adapter directory to apply, unmerged; its weights are kept in float32. Its files are
            read, and refused, before the model is loaded.
        sharded: leave the weights on the CPU until `lawqa.training.processes.sharding` divides them: a GPU
            never holds them all.
        ahead: the model's weights, where threads read them already.

    Raises:
        BackendError: the model or the adapter is not there or does not load.
        MissingExtraError: 4-bit is asked for and bitsandbytes is not installed.
    """
    keep_to_safe_kernels()
    device = pick_device()
    dtype = compute_dtype(config.dtype, device)
    began = time.perf_counter()
    with part("reading"):
        files = read_adapter_files(adapter) if adapter is not None else None
        before = _local_identity(config.model_name)
        config, stored, options = _as_stored(config, dtype)
        check_files(config.model_name, config.revision, options["config"])
        tokenizer = load_tokenizer(config.model_name, config.revision)
        kept = None if sharded or stored else _kept(config, dtype, device, before)
        there = kept is not None and kept.usable()
    with part("weights"):
        made = kept if there else None
        model = _weights(config, options, dtype, device, sharded=sharded, made=made, ahead=ahead)
    if kept is not None and not there:
        kept.keep(model)
    hook_attention(model)
    if config.load_in_4bit:
        _keep_quantised_right(model, stored, dtype, device)
    rows = model.get_input_embeddings().weight.shape[0]
    _require_rows(config.model_name, tokenizer, rows)
    stop_token_ids = _stop_token_ids(config.model_name, model.generation_config, tokenizer, rows)
    if before is not None:
        before.require_unchanged("while the model was loaded")
    loaded = LoadedModel(
        model, tokenizer, config, device, dtype, stop_token_ids,
        stored=stored, sharded=sharded,
        files=_files_json(config.model_name, config.revision, model.config, before),
    )  # fmt: skip
    if files is not None:
        apply_adapter(loaded, files)
    model.eval()
    with part("weights"):
        defragment(loaded.model, model.device)
    logger.debug(
        "loaded in %.1f s; end tokens %s; adapter %s; peak memory %s GiB",
        time.perf_counter() - began, stop_token_ids, adapter, peak_memory_gib(device),
    )  # fmt: skip
    return loaded


def _weights(
    config: ModelSettings,
    options: dict[str, object],
    dtype: torch.dtype,
    device: torch.device,
    *,
    sharded: bool,
    made: KeptWeights | None,
    ahead: WeightsAhead | None,
) -> PreTrainedModel:
    """Load the weights with transformers' options, of which `config` is the model's; raises BackendError.

    Where their 4-bit form is `made` already, it is read instead; where they are read `ahead`, they are taken
    from there.
    """
    counted = quantising_counted() if "quantization_config" in options else nullcontext()
    try:
        with full_memory_named(), _share_of_cores() if sharded else nullcontext(), counted:
            logger.debug(
                "loading %s (revision %s) onto %s: %s, products in %s",
                config.model_name, config.revision, describe_device(device),
                config.quant_type if config.load_in_4bit else "not quantised", dtype,
            )  # fmt: skip
            if made is not None:
                return made.load(config.model_name, options["config"], dtype, device)
            return load_weights(
                config.model_name,
                config.revision,
                options.pop("config"),
                dtype,
                torch.device("cpu") if sharded else device,
                ahead=ahead,
                **options,
            )
    except torch.OutOfMemoryError:
        raise out_of_memory(
            config.model_name,
            on_gpu=device.type == "cuda" and not sharded,
            load_in_4bit=config.load_in_4bit,
        ) from None


def _keep_quantised_right(
    model: PreTrainedModel, stored: QuantType | None, dtype: torch.dtype, device: torch.device
) -> None:
    """Change what would go wrong with 4-bit weights; `stored` is the type in which their files hold them."""
    keep_as_bytes(model)
    if stored is not None:
        cast_unquantised(model, dtype)
    if device.type == "cpu":
        keep_cpu_gradients_right(model)


def _kept(
    config: ModelSettings, dtype: torch.dtype, device: torch.device, local: ModelIdentity | None
) -> KeptWeights | None:
    """Return where the 4-bit weights of a model are kept; None where they are not, or it is not here yet."""
    if config.quantised_cache is None or not config.load_in_4bit:
        return None
    if local is None:
        snapshot = model_directory(config.model_name, config.revision)
        local = read_identity(snapshot) if snapshot else None
    return None if local is None else KeptWeights.of(config, dtype, device, local.content)


def describe_files(name: str, revision: str | None = None) -> dict[str, object]:
    """Return what a manifest says of a model, as far as its config and files tell without loading it.

    Returns:
        `name`, `revision`, `commit`, `content` and `directory_sha256` as in `LoadedModel.describe`; `stored`,
        the 4-bit type in which its files hold the weights, None for whole ones.

    Raises:
        BackendError: the model is not there, or its weights are quantised in another way.
        MissingExtraError: they are in 4 bits, and bitsandbytes is not installed.
    """
    model_config = load_config(name, revision)
    stored = stored_type(name, model_config, torch.bfloat16)
    return {**_files_json(name, revision, model_config, _local_identity(name)), "stored": stored}


def _local_identity(name: str) -> ModelIdentity | None:
    """Return what a model's directory holds before it is loaded; None for a model of the hub."""
    return read_identity(Path(name)) if Path(name).is_dir() else None


def _files_json(
    name: str, revision: str | None, model_config: PretrainedConfig, local: ModelIdentity | None
) -> dict[str, object]:
    """Return what a manifest says of a model's files.

    Args:
        name: the directory, or the name on the hub.
        revision: as it was asked for.
        model_config: transformers' config of the model; of a hub's model it knows the commit.
        local: what was read of a directory before; None for a model of the hub, whose snapshots are named by
            commit and never change, so that they may be read afterwards.
    """
    commit = getattr(model_config, "_commit_hash", None)
    if local is None:
        snapshot = model_directory(name, commit or revision)
        local = read_identity(snapshot) if snapshot else None
    return {
        "name": name,
        "revision": revision,
        "commit": commit,
        "content": dict(local.content) if local else None,
        # What manifests of lawqa 0.1 say of a directory, for comparisons with them.
        "directory_sha256": directory_hash(Path(name)) if Path(name).is_dir() else None,
    }


def _as_stored(
    config: ModelSettings, dtype: torch.dtype
) -> tuple[ModelSettings, QuantType | None, dict[str, object]]:
    """Return the config with the quantisation that the weights get, that of the files, and transformers'
    options.
    """
    model_config = load_config(config.model_name, config.revision)
    options: dict[str, object] = {"config": model_config}
    stored = stored_type(config.model_name, model_config, dtype)
    if stored is None:
        # Never a None: transformers would take it for the files' own, and read 4-bit weights as whole ones.
        if config.load_in_4bit:
            quant_type = config.quant_type or "nf4"
            config = replace(config, quant_type=quant_type)
            options["quantization_config"] = quantisation(quant_type, dtype)
        elif config.quant_type:
            logger.warning(
                "note: --bnb-4bit-quant-type %s changes nothing: the weights stay whole without "
                "--4bit",
                config.quant_type,
            )
        return config, None, options
    import_bitsandbytes()
    if config.quant_type not in (None, stored):
        logger.warning(
            "note: the files of %s hold %s weights already: they are taken, and no %s is made",
            config.model_name, stored, config.quant_type,
        )  # fmt: skip
    return replace(config, load_in_4bit=True, quant_type=stored), stored, options


@contextmanager
def _share_of_cores() -> Iterator[None]:
    """Let this process use its share of the cores: torchrun allows each one, and 8B would take minutes."""
    before, processes = torch.get_num_threads(), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    torch.set_num_threads(max(before, (os.cpu_count() or 1) // processes))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _require_rows(name: str, tokenizer: PreTrainedTokenizerBase, rows: int) -> None:
    """Refuse a tokenizer whose vocabulary is larger than the embedding: it is another model's.

    Tokens that were added to it may lie beyond: Gemma 3 has one for images, which no text holds.
    """
    added = set(tokenizer.get_added_vocab().values())
    beyond = [
        token for token in tokenizer.get_vocab().values() if token >= rows and token not in added
    ]
    ends = [
        token for token in (tokenizer.eos_token_id, tokenizer.pad_token_id) if (token or 0) >= rows
    ]
    if beyond or ends:
        raise BackendError(
            f"{name}: its tokenizer has tokens up to {max(beyond + ends)}, and the model's embedding "
            f"{rows} rows",
            "is the tokenizer another model's? compare the files with the original's",
        )


def _stop_token_ids(
    name: str, generation: GenerationConfig | None, tokenizer: PreTrainedTokenizerBase, rows: int
) -> tuple[int, ...]:
    configured: object = generation.eos_token_id if generation is not None else None
    given = (
        configured
        if isinstance(configured, list)
        else [configured]
        if configured is not None
        else []
    )
    wrong = [token for token in given if type(token) is not int or not 0 <= token < rows]
    if wrong:
        raise BackendError(
            f"{name}: the eos_token_id in its generation_config.json is {wrong[0]!r}, expected ids of "
            f"tokens, 0 to {rows - 1}",
            WHOLE,
        )
    ids = set(given)
    if tokenizer.eos_token_id is not None:
        ids.add(tokenizer.eos_token_id)
    if tokenizer.chat_template:
        end = tokenizer.encode(end_of_turn(tokenizer), add_special_tokens=False)
        ids.update(end if len(end) == 1 else ())
    return tuple(sorted(ids))
