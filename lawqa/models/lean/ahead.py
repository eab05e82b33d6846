"""Weights brought to the device by threads, from before transformers is imported until it asks for them.

transformers reads one tensor after the other where it quantises them, and only once everything else is
done. Here threads read the files into pinned memory, in the order in which it will ask, and copy from there;
both let the interpreter run. What is read ahead is bounded; a tensor that is asked for before a thread has
come to it is read by whoever asks.
"""

from __future__ import annotations

import errno
import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from threading import Condition, Event, Thread, local
from typing import TYPE_CHECKING, Any

import torch

from lawqa.digests import Stamp, require_unchanged
from lawqa.errors import BackendError
from lawqa.models.device import free_bytes, pick_device
from lawqa.models.files.model_folder import find_folder
from lawqa.models.files.weight_files import StoredTensor, read_tensors
from lawqa.settings import ModelSettings

if TYPE_CHECKING:
    from typing import Self

logger = logging.getLogger(__name__)

_THREADS = 8
_PIECE = 16 << 20
"""Bytes read at once; each thread has two pieces of pinned memory, one filled while the other is copied."""
_AT_FIRST, _LATER = 3 << 30, 1 << 30
"""Bytes on the device that nobody has asked for yet: before the first tensor is, when embedding and output
layer of an 8B model come first and stay as they are; and after that, when memory that is given back between
quantised weights leaves gaps."""
_SHARES = 4, 12
"""At most one part in N of the free memory, before and after that likewise."""

_DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8,
}  # fmt: skip


@dataclass
class _Piece:
    """Main memory on its way to the device."""

    memory: torch.Tensor
    """Bytes, pinned for CUDA."""
    copied: torch.cuda.Event | None = None
    """When what it held last has left it; None where nothing has to."""


@dataclass
class _Thread:
    """What one thread reads with."""

    device: torch.device
    closed: Event
    """Set when nobody wants anything any more."""
    stream: torch.cuda.Stream | None = None
    pieces: list[_Piece] = field(default_factory=list)

    def __post_init__(self) -> None:
        pinned = self.device.type == "cuda"
        self.stream = torch.cuda.Stream(self.device) if pinned else None
        self.pieces = [
            _Piece(torch.empty(_PIECE, dtype=torch.uint8, device="cpu", pin_memory=pinned))
            for _ in range(2)
        ]

    def read(self, tensor: StoredTensor) -> torch.Tensor:
        """Return a tensor of a file, on the device.

        Raises:
            OSError: the file cannot be read, or ends before the tensor does; or reading was closed.
        """
        size = tensor.end - tensor.start
        out = torch.empty(size, dtype=torch.uint8, device=self.device)
        if self.stream is not None:
            # Its memory may have been another tensor's, with which the default stream is not done yet.
            self.stream.wait_stream(torch.cuda.current_stream(self.device))
        try:
            self._copy(tensor, out)
        finally:  # before the memory is anybody else's
            if self.stream is not None:
                self.stream.synchronize()
        return out.view(_DTYPES[tensor.dtype]).view(tensor.shape)

    def _copy(self, tensor: StoredTensor, out: torch.Tensor) -> None:
        with tensor.file.open("rb", buffering=0) as file:
            for number, offset in enumerate(range(0, len(out), _PIECE)):
                if self.closed.is_set():
                    raise OSError(errno.ECANCELED, os.strerror(errno.ECANCELED))
                piece = self.pieces[number % len(self.pieces)]
                if piece.copied is not None:
                    piece.copied.synchronize()
                memory = piece.memory[: len(out) - offset]
                _fill(memory, file.fileno(), tensor, tensor.start + offset)
                with torch.cuda.stream(self.stream) if self.stream else nullcontext():
                    out[offset : offset + len(memory)].copy_(memory, non_blocking=True)
                    piece.copied = self.stream.record_event() if self.stream else None


def _fill(memory: torch.Tensor, file: int, tensor: StoredTensor, offset: int) -> None:
    into, filled = memoryview(memory.numpy()), 0
    while filled < len(into):
        read = os.preadv(file, [into[filled:]], offset + filled)
        if not read:
            raise OSError(errno.EIO, "ends before its last tensor does", str(tensor.file))
        filled += read


class WeightsAhead:
    """The tensors of a model's files, brought to a device in the order in which they will be asked for.

    Args:
        tensors: by name, as the files' headers give them.
        device: where to.
        at_first: bytes on the device that nobody has asked for, before the first tensor is.
        later: the same after that.
    """

    def __init__(
        self,
        tensors: Mapping[str, StoredTensor],
        device: torch.device,
        *,
        at_first: int = _AT_FIRST,
        later: int = _LATER,
    ) -> None:
        self._tensors = {
            name: tensor
            for name, tensor in sorted(tensors.items(), key=lambda item: in_order(item[0]))
            if tensor.dtype in _DTYPES and tensor.end > tensor.start
        }
        self.device = device
        self.stamps = {file: Stamp.of(file) for file in {t.file for t in tensors.values()}}
        """The files as they were before anything was read."""
        self._most_ahead, self._later = at_first, later
        self._ahead = 0
        self._waiting = list(reversed(self._tensors))
        self._under_way: set[str] = set()
        self._read: dict[str, torch.Tensor] = {}
        self._changed = Condition()
        self._closed = Event()
        self._asking = local()
        self._threads = [
            Thread(target=self._work, name=f"weights-{number}", daemon=True)
            for number in range(_THREADS)
        ]
        for thread in self._threads:
            thread.start()

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def take(self, name: str) -> torch.Tensor:
        """Return a tensor, on the device; it is not kept here.

        Raises:
            OSError: its file cannot be read to its end.
            torch.OutOfMemoryError: there is no room for it.
        """
        with self._changed:
            self._most_ahead = self._later
            while name in self._under_way:
                self._changed.wait()
            tensor = self._read.pop(name, None)
            if tensor is not None:
                self._ahead -= self._size(name)
                self._changed.notify_all()
                return tensor
            if name in self._waiting:
                self._waiting.remove(name)
        # Nobody has come to it yet, or a thread could not read it: then this says why.
        if not hasattr(self._asking, "own"):
            self._asking.own = _Thread(self.device, self._closed)
        read: torch.Tensor = self._asking.own.read(self._tensors[name])
        return read

    def close(self) -> None:
        """Stop reading, and let go of what nobody asked for."""
        with self._changed:
            self._closed.set()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        self._read.clear()
        self._asking = local()

    def _size(self, name: str) -> int:
        return self._tensors[name].end - self._tensors[name].start

    def _next(self) -> str | None:
        """Return what is to be read next, when there is room for it; None once there is nothing more."""
        with self._changed:
            while not self._closed.is_set() and self._waiting:
                name = self._waiting[-1]
                if not self._ahead or self._ahead + self._size(name) <= self._most_ahead:
                    self._waiting.pop()
                    self._under_way.add(name)
                    self._ahead += self._size(name)
                    return name
                self._changed.wait()
            return None

    def _work(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)  # each thread has its own
        own: _Thread | None = None
        while (name := self._next()) is not None:
            tensor = None
            try:
                own = own or _Thread(self.device, self._closed)
                tensor = own.read(self._tensors[name])
            except (OSError, RuntimeError) as problem:
                logger.debug("%s is not read ahead: %s", name, problem)
            finally:
                with self._changed:
                    self._under_way.discard(name)
                    if tensor is None:
                        self._ahead -= self._size(name)
                    else:
                        self._read[name] = tensor
                    self._changed.notify_all()


def in_order(name: str) -> list[tuple[int, int, str]]:
    """Return the key by which transformers sorts the names of tensors before it loads them."""
    return [
        (0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"[.]", name)
    ]


def read_ahead(config: ModelSettings) -> WeightsAhead | None:
    """Begin to read the weights of a model that is here, onto a GPU.

    Returns:
        None where nothing is gained or known: no GPU, no files yet, files that loading will refuse, or
        weights whose 4-bit form may be kept elsewhere.

    Raises:
        BackendError: there is a GPU that this torch cannot use.
    """
    device = pick_device()
    if device.type != "cuda" or config.quantised_cache is not None:
        return None
    try:
        folder = find_folder(config.model_name, config.revision)
        tensors = read_tensors(folder) if folder is not None else {}
    except BackendError:
        return None  # loading says so, with all that is known then
    if not tensors:
        return None
    free = free_bytes(device)
    at_first, later = min(_AT_FIRST, free // _SHARES[0]), min(_LATER, free // _SHARES[1])
    return WeightsAhead(tensors, device, at_first=at_first, later=later)


@contextmanager
def reading_ahead(config: ModelSettings) -> Iterator[WeightsAhead | None]:
    """Read weights ahead while the block runs; see `read_ahead`."""
    ahead = read_ahead(config)
    try:
        yield ahead
    finally:
        if ahead is not None:
            ahead.close()


@contextmanager
def served(ahead: WeightsAhead | None) -> Iterator[None]:
    """Let transformers, inside the block, find the tensors of its files on the device already.

    It opens the files, and asks them for names, shapes and dtypes, as ever; only the numbers come from here.

    Raises:
        DataError: a file is not what it was when reading began.
    """
    if ahead is None:
        yield
        return
    from transformers import modeling_utils

    require_unchanged(ahead.stamps, "while the model was loaded")
    own = modeling_utils.safe_open
    modeling_utils.safe_open = lambda *arguments, **options: _Opened(
        own(*arguments, **options), ahead
    )
    try:
        yield
    finally:
        modeling_utils.safe_open = own


class _Delegating:
    """Something of safetensors, with its own answers to all that is not overridden."""

    def __init__(self, own: Any, ahead: WeightsAhead) -> None:
        self._own = own
        self._ahead = ahead

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)


class _Opened(_Delegating):
    """An open file of weights."""

    def __enter__(self) -> Self:
        self._own.__enter__()
        return self

    def __exit__(self, *how: object) -> None:
        self._own.__exit__(*how)

    def get_slice(self, name: str) -> Any:
        """Return what a tensor is read from."""
        own = self._own.get_slice(name)
        return _Slice(own, self._ahead, name) if name in self._ahead else own


class _Slice(_Delegating):
    """A tensor that is read when it is indexed."""

    def __init__(self, own: Any, ahead: WeightsAhead, name: str) -> None:
        super().__init__(own, ahead)
        self._name = name

    def __getitem__(self, index: Any) -> torch.Tensor:
        if index is ...:
            return self._ahead.take(self._name)
        tensor: torch.Tensor = self._own[index]
        return tensor
