"""The tensors of an attached adapter, taken and given as its file has them; nothing is left over unseen."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch

from lawqa.amounts import few_of
from lawqa.errors import BackendError


def adapter_state(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return the tensors of the adapter on a model, by the names that they have in its file; not copied."""
    from peft import get_peft_model_state_dict

    with audited():
        state: dict[str, torch.Tensor] = get_peft_model_state_dict(
            model, save_embedding_layers=False
        )
    return state


def put_adapter_state(model: torch.nn.Module, tensors: Mapping[str, torch.Tensor]) -> None:
    """Give an attached adapter these tensors.

    Raises:
        BackendError: a tensor has no parameter, or a parameter no tensor.
    """
    from peft import set_peft_model_state_dict

    try:
        with audited():
            result = set_peft_model_state_dict(model, dict(tensors))
    except (KeyError, RuntimeError, ValueError) as problem:
        raise _not_whole(f"{type(problem).__name__}: {problem}") from problem
    if result.unexpected_keys:
        raise _not_whole(f"no place for {few_of(sorted(result.unexpected_keys))}")
    landed = adapter_state(model)
    lost = sorted({*landed} ^ {*tensors})
    lost += [
        name
        for name, tensor in tensors.items()
        if name in landed and not same_tensor(tensor, landed[name])
    ]
    if lost:
        raise _not_whole(f"{few_of(lost)} is not what was given")


def _not_whole(problem: str) -> BackendError:
    return BackendError(
        f"the adapter's tensors did not all land: {problem}",
        "its files must be those that one training wrote: copy them again, or train again",
    )


def same_tensor(given: torch.Tensor, landed: torch.Tensor) -> bool:
    """Return whether a tensor lies where it should, as far as the dtype there can hold it."""
    return bool(torch.equal(given.to(landed.device, landed.dtype), landed))


@contextmanager
def no_peft_warnings() -> Iterator[None]:
    """Keep a warning from the user that only PEFT can fix.

    PEFT asks transformers 5.22 and later by a name that is deprecated there.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        yield


@contextmanager
def audited() -> Iterator[None]:
    """Leave out PEFT's warnings of what may go wrong: what does go wrong is checked here, and is an error."""
    with no_peft_warnings():
        for kind in (UserWarning, RuntimeWarning):
            warnings.simplefilter("ignore", kind)
        yield


def one_line(problem: Exception) -> str:
    """Return an error of somebody else's, for a message."""
    return f"{type(problem).__name__}: {' '.join(str(problem).split())[:300]}"
