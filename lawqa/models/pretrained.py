"""Every call that reads a model's files with transformers: without their code, and with one answer to what
they raise.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedTokenizerBase

# bitsandbytes logs advice to install `kernels` when it is imported on a CPU; lawqa does not need it.
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)

from transformers import (  # noqa: E402 - after the log level is set
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
)
from transformers.utils import logging as transformers_logging  # noqa: E402

from lawqa.bars import draws_bars  # noqa: E402
from lawqa.errors import BackendError  # noqa: E402
from lawqa.foreign_code import code_named_in  # noqa: E402
from lawqa.models.files.model_folder import (  # noqa: E402
    ModelFolder,
    check_folder,
    check_tokenizer_files,
    find_folder,
    read_folder,
)
from lawqa.models.lean.ahead import WeightsAhead, served  # noqa: E402
from lawqa.models.load_errors import reading  # noqa: E402
from lawqa.models.tensor_audit import LoadingInfo, audit_tensors, check_loaded  # noqa: E402

logger = logging.getLogger(__name__)

if not draws_bars(sys.stderr):
    transformers_logging.disable_progress_bar()


def load_config(name: str, revision: str | None = None) -> PretrainedConfig:
    """Return the config of a model, of an architecture that transformers knows itself.

    Raises:
        BackendError: the model is not there, its files are damaged, it needs code of its own, or a
            directory is asked for a revision.
    """
    if revision is not None and Path(name).is_dir():
        raise BackendError(
            f"{name}: is a directory, which has no revision {revision}",
            "leave --revision out; or name the model of the Hugging Face hub",
        )
    if (folder := find_folder(name, revision)) is not None:
        check_folder(folder)
    with reading(name, revision):
        return AutoConfig.from_pretrained(
            name, revision=revision or "main", trust_remote_code=False
        )


def load_tokenizer(name: str, revision: str | None = None) -> PreTrainedTokenizerBase:
    """Return the tokenizer of a model, or of a directory that holds only a tokenizer.

    Raises:
        BackendError: it is not there, is damaged, or needs code of its own.
    """
    if (folder := find_folder(name, revision)) is not None:
        check_tokenizer_files(folder)
    with reading(name, revision):
        tokenizer = AutoTokenizer.from_pretrained(
            name, revision=revision or "main", trust_remote_code=False
        )
        tokenizer.encode("a")  # one that holds no vocabulary says so here
        return tokenizer


def check_files(name: str, revision: str | None, config: PretrainedConfig) -> ModelFolder | None:
    """Compare the headers of a model's weights with what its architecture needs; reads no weights.

    Args:
        name: the model, as it is to be loaded.
        revision: its revision.
        config: from `load_config`.

    Returns:
        What the folder holds; None for a model that is still to be fetched.

    Raises:
        BackendError: a tensor is missing, foreign, or of another shape or kind; the files are damaged.
    """
    folder = find_folder(name, revision)
    if folder is None:
        return None
    read = read_folder(folder)
    if code := code_named_in(folder):
        logger.warning(
            "note: %s comes with code of its own (%s): it is not run; transformers' own %s is taken",
            name, ", ".join(code), config.model_type,
        )  # fmt: skip
    audit_tensors(name, revision, read, config)
    return read


def load_weights(
    name: str,
    revision: str | None,
    config: PretrainedConfig,
    dtype: torch.dtype,
    device: torch.device,
    *,
    ahead: WeightsAhead | None = None,
    **options: object,
) -> PreTrainedModel:
    """Return the model with its weights, every one of them from its files, and with nothing attached.

    Args:
        name: the model.
        revision: its revision.
        config: from `load_config`.
        dtype: of what is not quantised.
        device: where to.
        ahead: its weights, where threads read them already.
        options: further ones of transformers' `from_pretrained`.

    Raises:
        DataError: files changed since they began to be read.
        BackendError: as for `check_files`, which is to come first: here the weights have been read.
    """
    with reading(name, revision), served(ahead):
        loaded: tuple[PreTrainedModel, LoadingInfo] = AutoModelForCausalLM.from_pretrained(
            name,
            revision=revision or "main",
            config=config,
            dtype=dtype,
            device_map={"": device},
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
            **options,
        )
    model, info = loaded
    check_loaded(name, model, info)
    return model
