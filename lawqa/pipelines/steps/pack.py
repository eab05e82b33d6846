"""One archive of what a work folder says, to carry home: every file with its checksum, weights left out.

The archive is a gzipped tar file whose last member is `SHA256SUMS`, in the form that `sha256sum --check`
reads. It needs no program but Python at either end.
"""

from __future__ import annotations

import filecmp
import gzip
import io
import os
import tarfile
import tempfile
import zlib
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import IO

from lawqa.errors import ConfigError, DataError
from lawqa.files import replaced_whole

SUMS = "SHA256SUMS"

_WEIGHTS = frozenset({".safetensors", ".bin", ".pt", ".pth", ".gguf", ".npy", ".npz"})
_SKIPPED_FOLDERS = frozenset({"checkpoints", "__pycache__"})
_SKIPPED_SUFFIXES = frozenset({".lock", ".partial", ".tmp"})
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Packed:
    """What an archive holds."""

    files: int
    bytes: int
    """Of the files, before they are compressed."""
    left_out: int
    """Weights, files of checkpoints, locks and links that were not packed."""


def pack_folder(folder: Path, archive: Path, *, with_adapters: bool = False) -> Packed:
    """Write the archive of a folder: logs, reports, summaries, manifests, answers and records.

    Args:
        folder: what to pack; a path below the current directory, under which `unpack` puts it back.
        archive: the file, which appears whole or not at all.
        with_adapters: also the weights of finished adapters, not their checkpoints.

    Raises:
        ConfigError: the folder is missing, holds nothing to pack or is not below the current directory, or
            the archive lies in it.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder", "name the folder with the results")
    root = Path.cwd().resolve()
    if not folder.resolve().is_relative_to(root) or folder.resolve() == root:
        raise ConfigError(
            f"{folder}: is not below {root}",
            "change to the folder that holds it, then pack it by its name",
        )
    if archive.resolve().is_relative_to(folder.resolve()):
        raise ConfigError(f"--output {archive}: is in the folder that is packed", "write it beside")
    inside = folder.resolve().relative_to(root)
    everything = sorted(
        path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()
    )
    wanted = [
        path for path in everything if _is_wanted(path.relative_to(folder), path, with_adapters)
    ]
    if not wanted:
        raise ConfigError(f"{folder}: holds nothing to pack", "are the results in another folder?")
    sums, total = [], 0
    with replaced_whole(archive) as partial, tarfile.open(partial, "w:gz") as tar:
        for path in wanted:
            name = (inside / path.relative_to(folder)).as_posix()
            with path.open("rb") as file:
                info = tarfile.TarInfo(name)
                # A log that grows meanwhile is taken as long as it is now.
                info.size, info.mode = os.fstat(file.fileno()).st_size, 0o644
                reader = _Hashing(file)
                tar.addfile(info, reader)
            sums.append(f"{reader.digest.hexdigest()}  {name}\n")
            total += info.size
        content = "".join(sums).encode()
        info = tarfile.TarInfo(SUMS)
        info.size, info.mode = len(content), 0o644
        tar.addfile(info, io.BytesIO(content))
    return Packed(len(wanted), total, len(everything) - len(wanted))


def unpack(archive: Path, root: Path, *, fresh: bool = False) -> Packed:
    """Put the files of an archive back below a folder, each compared with its checksum first.

    No file takes its place before the whole archive was read and compared.

    Args:
        archive: what `pack` wrote.
        root: the folder below which the files go, under their own names.
        fresh: files that are there and differ are replaced.

    Raises:
        ConfigError: the archive is missing, or a file is there already and differs.
        DataError: it is not such an archive, was cut off, or a file differs from its checksum.
    """
    if not archive.is_file():
        raise ConfigError(
            f"{archive}: no such file", "name the archive that `lawqa runs pack` wrote"
        )
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix=".unpacking-") as scratch:
        try:
            with tarfile.open(archive, "r:gz") as tar:
                names = _extracted(tar, archive, Path(scratch))
        except (
            tarfile.TarError,
            EOFError,
            zlib.error,
            UnicodeDecodeError,
            gzip.BadGzipFile,
        ) as problem:
            raise DataError(
                f"{archive}: cannot be read as an archive of `lawqa runs pack`: {problem}",
                "was the copy cut off? fetch it again",
            ) from None
        for name in names:
            _require_free(root, name, Path(scratch) / name, fresh=fresh)
        total = 0
        for name in names:
            source, target = Path(scratch) / name, root / name
            total += source.stat().st_size
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)
    return Packed(len(names), total, 0)


class _Hashing:
    """A file that is read once, for an archive and for its checksum."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = sha256()

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(size)
        self.digest.update(content)
        return content


def _is_wanted(name: Path, path: Path, with_adapters: bool) -> bool:
    if path.is_symlink() or not path.is_file() or _SKIPPED_FOLDERS & set(name.parts):
        return False
    if path.suffix in _WEIGHTS:
        return with_adapters and path.name == "adapter_model.safetensors"
    return path.suffix not in _SKIPPED_SUFFIXES and not path.name.startswith(".")


def _extracted(tar: tarfile.TarFile, archive: Path, scratch: Path) -> list[str]:
    """Write the members below a folder of ours; raises DataError where one is not what its checksum says."""
    digests: dict[str, str] = {}
    listed: str | None = None
    for member in tar:
        path = PurePosixPath(member.name)
        plain = not path.is_absolute() and ".." not in path.parts and str(path) == member.name
        content = tar.extractfile(member) if member.isfile() and plain else None
        if content is None or member.name in digests:
            raise DataError(
                f"{archive}: {member.name!r} is not a file below the folder, or there twice",
                "was it packed by `lawqa runs pack`? do not unpack it with another tool",
            )
        if member.name == SUMS:
            listed = content.read().decode()
            continue
        reader = _Hashing(content)
        target = scratch / member.name
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            while chunk := reader.read(_CHUNK):
                file.write(chunk)
        digests[member.name] = reader.digest.hexdigest()
    if listed is None:
        raise DataError(
            f"{archive}: holds no {SUMS}", "was it packed by `lawqa runs pack`, and is it whole?"
        )
    lines = (line.partition("  ") for line in listed.splitlines())
    sums: dict[str, str] = {name: digest for digest, _, name in lines}
    for name in sorted(sums.keys() | digests.keys()):
        if sums.get(name) != digests.get(name):
            raise DataError(
                f"{archive}: {name} differs from its checksum", "fetch the archive again"
            )
    return list(digests)


def _require_free(root: Path, name: str, source: Path, *, fresh: bool) -> None:
    target = root / name
    parts = [root / part for part in PurePosixPath(name).parents] + [target]
    if any(part.is_symlink() for part in parts):
        raise ConfigError(
            f"{target}: is a link, or lies behind one", "unpack it into another folder"
        )
    if target.is_dir() or any(part.exists() and not part.is_dir() for part in parts[:-1]):
        raise ConfigError(f"{target}: something else is there", "unpack it into another folder")
    if target.exists() and not fresh and not filecmp.cmp(target, source, shallow=False):
        raise ConfigError(
            f"{target}: is there already and differs",
            "--fresh replaces it; --output-dir unpacks into another folder",
        )
