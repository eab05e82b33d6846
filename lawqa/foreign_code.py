"""Code that comes with a model: named where it is needed, never run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lawqa.errors import BackendError, DataError
from lawqa.files import read_json

_CONFIGS = ("config.json", "tokenizer_config.json", "processor_config.json")
_GENERATE = "custom_generate/generate.py"
_MODULES = "modules.json"
_LIBRARY = "sentence_transformers."


def code_named_in(directory: Path) -> tuple[str, ...]:
    """Return the code that a model asks transformers to run (`auto_map`, `custom_generate`), as files or
    references.

    A config that cannot be read names none: whoever loads the model says what is wrong with it.
    """
    found = {_GENERATE} if (directory / _GENERATE).exists() else set()
    for name in _CONFIGS:
        content = _content(directory / name)
        found.update(_files(content.get("auto_map") if isinstance(content, dict) else None))
    return tuple(sorted(found))


def code_refused(named: str, code: tuple[str, ...]) -> BackendError:
    """Return a model that does not load without its own code.

    Args:
        named: what the user called it.
        code: what it names, from `code_named_in`.
    """
    return BackendError(
        f"{named}: needs code that comes with it ({', '.join(code) or 'its own'}), and lawqa never runs "
        "such code",
        "take a model whose architecture transformers knows itself, such as Qwen/Qwen3-8B",
    )


def refuse_unsafe_modules(named: str, directory: Path) -> None:
    """Refuse a ranking model made of modules that are not sentence-transformers' own, or read from a pickle.

    Before version 6 that library imports them from a local directory whatever `trust_remote_code` says.

    Raises:
        BackendError: `modules.json` names one, or weights are there as a pickle only.
    """
    content = _content(directory / _MODULES)
    kinds = [
        str(module.get("type"))
        for module in (content if isinstance(content, list) else [])
        if isinstance(module, dict)
    ]
    foreign = tuple(kind for kind in kinds if not kind.startswith(_LIBRARY))
    if foreign:
        raise code_refused(named, foreign)
    for pickle in sorted(directory.rglob("pytorch_model.bin")):
        if not (pickle.parent / "model.safetensors").exists():
            raise BackendError(
                f"{named}: {pickle.relative_to(directory)} is a pickle, which can run any code when it is "
                "read: it is not loaded; expected model.safetensors",
                "take a model whose weights are in safetensors format",
            )


def _content(path: Path) -> object:
    try:
        return read_json(path) if path.is_file() else None
    except DataError:
        return None


def _files(auto_map: object) -> Iterator[str]:
    """Yield the files behind `auto_map`'s references, such as modeling_x.XForCausalLM or
    owner/repo--file.Class.
    """
    if isinstance(auto_map, dict):
        for value in auto_map.values():
            yield from _files(value)
    elif isinstance(auto_map, list):
        for value in auto_map:
            yield from _files(value)
    elif isinstance(auto_map, str):
        repository, _, reference = auto_map.rpartition("--")
        name = f"{reference.rsplit('.', 1)[0]}.py"
        yield f"{repository}: {name}" if repository else name
