"""Files of e-Gov's bulk download: found in a folder or a zip, and the revision of each law that is in force.

The bulk download (laws.e-gov.go.jp/bulkdownload) holds one XML file for every revision of a law, named
`LAW-ID_DATE_AMENDING-LAW.xml`: 346CO0000000264_20230607_505CO0000000202.xml is in force from 2023-06-07.
Revisions that come into force later, even in 2117, lie among them. Nothing is unpacked to disk.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from types import TracebackType

from lawqa.errors import DataError
from lawqa.statutes.egov.law_xml import LawName

MAX_XML_BYTES = 128 * 2**20
"""A larger file is refused: the largest law has some 30 MB."""

MAX_RATIO = 200
"""A member of a zip that unpacks to more than this times its size is refused: law XML shrinks to a tenth."""
_SMALL = 16 * 2**20
"""Bytes that a member may have whatever its ratio."""

_REVISION = re.compile(r"([0-9A-Za-z]+)_(([0-9]{8})_[0-9A-Za-z]+)")
_MAC_LEFTOVERS = ("__MACOSX", "._")


@dataclass(frozen=True)
class LawFile:
    """One XML file of a folder or zip."""

    path: str
    """Where it lies, from the folder or the zip's root on, with slashes."""
    size: int
    """Bytes, unpacked."""

    @property
    def name(self) -> LawName:
        """What its file name says; a name of another form is taken for the law's id."""
        stem = PurePosixPath(self.path).stem
        match = _REVISION.fullmatch(stem)
        return LawName(match[1], match[2]) if match else LawName(stem)

    @property
    def in_force_from(self) -> str:
        """The date in its name, YYYYMMDD; empty, which is before all dates, if it has none."""
        return self.name.revision[:8]


@dataclass(frozen=True)
class UnreadFile:
    """A file that could not be read, and why."""

    path: str
    """The file, as in `LawFile`."""
    message: str
    """What was found."""


@dataclass(frozen=True)
class Chosen:
    """One file of each law."""

    files: tuple[LawFile, ...]
    """Sorted by law."""
    later: tuple[str, ...]
    """Laws without a revision in force on that day, by id."""


def choose_revisions(files: Iterable[LawFile], as_of: date) -> Chosen:
    """Return for each law the revision in force on a day: the latest that is not dated after it.

    Two files of the same date go by the id of the amending law, the later one wins; two of the same
    name by path, the first one wins.

    Args:
        files: any number of revisions of any number of laws.
        as_of: the day.
    """
    day = as_of.strftime("%Y%m%d").zfill(8)
    best: dict[str, LawFile] = {}
    laws: set[str] = set()
    for file in sorted(files, key=lambda file: file.path, reverse=True):
        laws.add(file.name.law_id)
        if file.in_force_from > day:
            continue
        other = best.get(file.name.law_id)
        if other is None or file.name.revision >= other.name.revision:
            best[file.name.law_id] = file
    return Chosen(
        files=tuple(best[law_id] for law_id in sorted(best)),
        later=tuple(sorted(laws - best.keys())),
    )


class LawStore:
    """A folder, a zip or a single XML file that holds laws.

    Args:
        path: where it is.

    Raises:
        DataError: there is no such file, or it is neither a folder, nor a zip, nor XML.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip: zipfile.ZipFile | None = None
        if path.is_dir() or (path.is_file() and path.suffix.lower() == ".xml"):
            return
        if not path.exists():
            raise DataError(
                f"{path}: no such file",
                "give e-Gov's bulk download: its zip or the unpacked folder",
            )
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, NotImplementedError) as problem:
            raise DataError(
                f"{path}: is not a readable zip: {problem}",
                "give e-Gov's bulk download: its zip or the unpacked folder",
            ) from None

    def __enter__(self) -> LawStore:  # noqa: PYI034 - typing.Self is younger than Python 3.10
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the zip, if it is one."""
        if self._zip is not None:
            self._zip.close()

    def list(self) -> tuple[tuple[LawFile, ...], tuple[UnreadFile, ...]]:
        """Return all XML files, sorted by path, and those that are refused: members that lead outside."""
        files: list[LawFile] = []
        refused: list[UnreadFile] = []
        for path, size in sorted(self._entries()):
            reason = _unsafe(path)
            if reason:
                refused.append(UnreadFile(path, reason))
            else:
                files.append(LawFile(path, size))
        return tuple(files), tuple(refused)

    def read(self, file: LawFile) -> bytes:
        """Return the bytes of one file.

        Raises:
            DataError: it cannot be read, its checksum is wrong, it is encrypted or larger than
                `MAX_XML_BYTES`.
        """
        if file.size > MAX_XML_BYTES:
            raise DataError(f"has {file.size:,} bytes, at most {MAX_XML_BYTES:,} are read")
        try:
            if self._zip is not None:
                return self._member(file)
            return (self.path / file.path if self.path.is_dir() else self.path).read_bytes()
        except OSError as problem:
            raise DataError(f"cannot be read: {problem.strerror or problem}") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as problem:
            raise DataError(f"the zip is damaged here: {problem}") from None
        except (RuntimeError, NotImplementedError) as problem:  # zipfile: a password, a compression
            raise DataError(f"cannot be unpacked: {problem}") from None

    def _member(self, file: LawFile) -> bytes:
        if self._zip is None:
            raise DataError(f"{self.path}: is not a zip")
        packed = self._zip.getinfo(file.path).compress_size
        most = min(MAX_XML_BYTES, max(_SMALL, MAX_RATIO * packed))
        with self._zip.open(file.path) as member:
            content = member.read(most + 1)
        if len(content) > most:
            raise DataError(
                f"its {packed:,} bytes unpack to more than {most:,}, at most that is read"
            )
        return content

    def _entries(self) -> Iterable[tuple[str, int]]:
        if self._zip is not None:
            sizes = {info.filename: info.file_size for info in self._zip.infolist()}
        elif self.path.is_dir():
            sizes = {
                path.relative_to(self.path).as_posix(): path.stat().st_size
                for path in self.path.rglob("*")
                if path.suffix.lower() == ".xml" and path.is_file()
            }
        else:
            sizes = {self.path.name: self.path.stat().st_size}
        return ((path, size) for path, size in sizes.items() if _is_law(path))


def _is_law(path: str) -> bool:
    pure = PurePosixPath(path)
    return pure.suffix.lower() == ".xml" and not any(
        part.startswith(_MAC_LEFTOVERS) for part in pure.parts
    )


def _unsafe(path: str) -> str:
    """Return why a path is not read; empty if it is."""
    if ".." in re.split(r"[/\\]", path):
        return "its path leads out of the archive (..); refused"
    if path.startswith(("/", "\\")) or re.match("[A-Za-z]:", path):
        return "its path is absolute; refused"
    if not PurePosixPath(path).stem.isprintable():
        return "its name holds characters that cannot be printed; refused"
    return ""
