"""The headers of a model's safetensors files: which tensors they hold, without reading one; imports no torch.

The format: 8 bytes that give the length of a JSON header, the header, and the tensors one after another
(huggingface.co/docs/safetensors, "Format").
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lawqa.errors import BackendError, DataError
from lawqa.files import JsonValue, parse_json, read_json

WEIGHTS_FILE = "model.safetensors"
"""The weights of a model in one file; comes before an index where both are there, as in transformers."""

WEIGHTS_INDEX = "model.safetensors.index.json"
"""Which shard holds which tensor."""

PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
"""Files that can run any code when they are read."""

_LONGEST_HEADER = 100_000_000  # the limit of the safetensors library itself
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "I16": 16, "U16": 16, "F16": 16,
    "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64, "C64": 64, "F4": 4,
    "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip
_CHUNK = 8 << 20

WHOLE = "was the copy cut off? compare its files with the original's"
"""The hint for a file that is not what its maker wrote."""


@dataclass(frozen=True)
class StoredTensor:
    """A tensor in a file."""

    file: Path
    dtype: str
    """The format's name of it, such as BF16."""
    shape: tuple[int, ...]
    """Its dimensions."""
    start: int
    """Its first byte in the file."""
    end: int
    """The byte after its last one."""

    def read(self) -> bytes:
        """Return its bytes; for small ones."""
        with self.file.open("rb") as file:
            file.seek(self.start)
            return file.read(self.end - self.start)


def read_tensors(directory: Path) -> dict[str, StoredTensor]:
    """Return all tensors of a model directory, by name.

    Raises:
        BackendError: there are no weights, only pickled ones, a shard is missing, cut off or damaged, or the
            index and the shards disagree.
    """
    if (directory / WEIGHTS_FILE).is_file():
        return read_header(directory / WEIGHTS_FILE)
    if odd := not_files(directory, (WEIGHTS_FILE, WEIGHTS_INDEX)):
        raise BackendError(f"{directory}: {odd}", WHOLE)
    if not (directory / WEIGHTS_INDEX).is_file():
        raise _no_weights(directory)
    listed = _listed(directory / WEIGHTS_INDEX)
    tensors: dict[str, StoredTensor] = {}
    for shard in sorted(set(listed.values())):
        if Path(shard).name != shard or not shard.endswith(".safetensors"):
            raise BackendError(
                f"{directory / WEIGHTS_INDEX}: names {shard!r} as a shard, expected a .safetensors file of "
                "its own directory",
                WHOLE,
            )
        if not (directory / shard).is_file():
            if odd := not_files(directory, (shard,)):
                raise BackendError(f"{directory}: {odd}", WHOLE)
            raise BackendError(
                f"{directory}: {shard} is missing, which {WEIGHTS_INDEX} names", WHOLE
            )
        for name, tensor in read_header(directory / shard).items():
            if name in tensors:
                raise BackendError(
                    f"{directory}: {tensors[name].file.name} and {shard} both hold {name}", WHOLE
                )
            tensors[name] = tensor
    wrong = [name for name, shard in listed.items()
             if name not in tensors or tensors[name].file.name != shard]  # fmt: skip
    if wrong:
        raise BackendError(
            f"{directory}: {enumerated(wrong)} not in the shard that {WEIGHTS_INDEX} names", WHOLE
        )
    return tensors


def read_header(path: Path) -> dict[str, StoredTensor]:
    """Return the tensors of a safetensors file, by name.

    Raises:
        BackendError: it is cut off, or not such a file.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            (length,) = struct.unpack("<Q", file.read(8).ljust(8, b"\xff"))
            if length > min(size - 8, _LONGEST_HEADER):
                raise _damaged(path, f"is cut off or not a safetensors file ({size:,} bytes)")
            raw = file.read(length)
    except OSError as problem:
        raise BackendError(f"{path}: cannot be read: {problem.strerror}", WHOLE) from None
    try:
        header = parse_json(raw.decode("utf-8"), path)
    except (UnicodeDecodeError, DataError) as problem:
        raise _damaged(path, f"its header is damaged ({str(problem).splitlines()[0]})") from None
    if not isinstance(header, dict):
        raise _damaged(path, "its header is damaged (no JSON object)")
    header.pop("__metadata__", None)
    tensors = {name: _tensor(path, 8 + length, name, entry) for name, entry in header.items()}
    expected = 8 + length
    for tensor in sorted(tensors.values(), key=lambda tensor: (tensor.start, tensor.end)):
        if tensor.start != expected:
            raise _damaged(path, "its tensors overlap or leave gaps")
        expected = tensor.end
    if size != expected:
        raise _damaged(path, f"is {size:,} bytes long, its header says {expected:,}")
    return tensors


def same_bytes(one: StoredTensor, other: StoredTensor) -> bool:
    """Return whether two tensors hold the same numbers in the same dtype, read a piece at a time."""
    if (one.dtype, one.shape) != (other.dtype, other.shape):
        return False
    left = one.end - one.start
    with one.file.open("rb") as first, other.file.open("rb") as second:
        first.seek(one.start)
        second.seek(other.start)
        while left > 0:
            piece = min(left, _CHUNK)
            if first.read(piece) != second.read(piece):
                return False
            left -= piece
    return True


def not_files(directory: Path, names: Iterable[str]) -> str:
    """Return what the first of these names is that is there without being a file; empty where
    there is none.
    """
    for name in names:
        path = directory / name
        if path.is_symlink() and not path.exists():
            return f"{name} is a link to {path.readlink()}, where no file is"
        if path.exists() and not path.is_file():
            return f"{name} is {'a directory' if path.is_dir() else 'not a file'}"
    return ""


def pickled(directory: Path) -> list[str]:
    """Return the names of the files of a directory that look like pickled weights."""
    # Trainers leave `training_args.bin` beside whole weights; nothing reads it.
    return sorted(
        path.name
        for path in directory.iterdir()
        if path.suffix in PICKLE_SUFFIXES and path.name != "training_args.bin"
    )


def enumerated(names: list[str], most: int = 3) -> str:
    """Return the first names, and how many there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _listed(index: Path) -> Mapping[str, str]:
    try:
        content = read_json(index)
    except DataError as problem:
        raise BackendError(problem.message, WHOLE) from None
    listed = content.get("weight_map") if isinstance(content, dict) else None
    if (
        not isinstance(listed, dict)
        or not listed
        or not all(isinstance(shard, str) for shard in listed.values())
    ):
        raise BackendError(f"{index}: has no weight_map of tensors to shards", WHOLE)
    return listed


def _tensor(path: Path, offset: int, name: str, entry: JsonValue) -> StoredTensor:
    try:
        dtype, shape, (start, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        numbers = [*shape, start, end]
        whole = all(type(number) is int and number >= 0 for number in numbers)
        fits = whole and math.prod(shape) * _BITS[dtype] == (end - start) * 8
    except (KeyError, TypeError, ValueError):
        fits = False
    if not fits:
        raise _damaged(path, f"what its header says of {name} is not possible")
    return StoredTensor(path, dtype, tuple(shape), offset + start, offset + end)


def _no_weights(directory: Path) -> BackendError:
    if pickles := pickled(directory):
        return BackendError(
            f"{directory}: {enumerated(pickles)}: pickled weights, which can run any code when they are "
            f"read: they are not loaded; expected {WEIGHTS_FILE}",
            "take a copy in safetensors format; where you trust its maker, load it with transformers "
            "elsewhere and save it with save_pretrained",
        )
    others: Iterator[Path] = (
        path for path in directory.iterdir()
        if path.suffix in (".gguf", ".safetensors", ".h5", ".msgpack")
    )  # fmt: skip
    names = sorted(path.name for path in others)
    return BackendError(
        f"{directory}: has no weights: {WEIGHTS_FILE} or {WEIGHTS_INDEX} is missing"
        + (f" (there is {enumerated(names)})" if names else ""),
        WHOLE,
    )


def _damaged(path: Path, what: str) -> BackendError:
    return BackendError(f"{path}: {what}", WHOLE)
