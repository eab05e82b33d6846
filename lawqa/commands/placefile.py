"""`lawqa.toml`: what is particular to one machine, beside the work.

The place comes from `--place`, else the environment variable `LAWQA_PLACE`, else the file, else it is
`any`. The other settings come from the environment (`HF_HOME` alone), else the file, else the place.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from lawqa.errors import ConfigError

if TYPE_CHECKING:
    from lawqa.commands.model import Place

if sys.version_info >= (3, 11):
    import tomllib
else:  # tomllib entered the standard library with 3.11
    import tomli as tomllib

PLACE_FILE = "lawqa.toml"
PLACE_FILE_VARIABLE = "LAWQA_PLACE_FILE"
"""The environment variable that names a place file; one that is named is read whoever owns it."""
DEFAULT_PLACE = "any"
"""It is always there and forbids nothing, so the declared commands are not read for it."""


@dataclass(frozen=True)
class PlaceKey:
    """A key of the place file."""

    name: str
    meaning: str
    """What it says, in English."""
    meaning_ja: str
    """What it says, in Japanese."""
    example: str
    """A value."""


PLACE_KEYS = (
    PlaceKey("place", "the place of this machine", "この計算機の場所の名前", "heart01"),
    PlaceKey(
        "host",
        "a pattern of the host name; on another host the file is refused, so that a copied one does no harm",
        "ホスト名のパターン。別のホストではこのファイルを拒む（写したまま使わないため）",
        "jupyter-*",
    ),
    PlaceKey(
        "hf_home",
        "the Hugging Face cache, used where HF_HOME is not set; relative to the file",
        "Hugging Face のキャッシュ。HF_HOME が未設定のときに使う。このファイルからの相対パス",
        "hf_home",
    ),
    PlaceKey("model", "the model of the steps", "手順で使うモデル", "Qwen/Qwen3-8B"),
    PlaceKey(
        "data",
        "the questions of the steps",
        "手順で使う問題ファイル",
        "datasets/lawqa_jp/data/selection.json",
    ),
    PlaceKey(
        "index", "the retrieval index of the steps", "手順で使う検索用の索引", "datasets/index"
    ),
    PlaceKey("work", "where the steps write", "手順の書き込み先", "results/heart01"),
)

_OVERRIDES = ("hf_home", "model", "data", "index", "work")


@dataclass(frozen=True)
class PlaceFile:
    """A place file that was read and fits this host."""

    path: Path
    """Where it is."""
    place: str | None = None
    """The place of this machine."""
    host: str | None = None
    """The pattern that the host's name matched."""
    values: Mapping[str, str] = field(default_factory=dict)
    """The other keys as they are there."""

    @property
    def overrides(self) -> dict[str, str]:
        """Variables that come before the place's own."""
        return {key: value for key, value in self.values.items() if key in _OVERRIDES}

    @property
    def hf_home(self) -> Path | None:
        """The Hugging Face cache as an absolute path."""
        value = self.values.get("hf_home")
        return (self.path.parent / Path(value).expanduser()).resolve() if value else None


@dataclass(frozen=True)
class PlaceSetting:
    """A setting in force."""

    name: str
    value: str
    origin: str
    """Where it comes from: `--place`, an environment variable, the file's path, or `default`."""


def find_place_file(start: Path | None = None) -> Path | None:
    """Return the nearest place file: in the working directory or above it."""
    here = (start or Path.cwd()).resolve()
    return next((d / PLACE_FILE for d in (here, *here.parents) if (d / PLACE_FILE).is_file()), None)


def read_place_file(path: Path, *, host: str | None = None) -> PlaceFile:
    """Read a place file.

    Args:
        path: the file.
        host: the name of this host; None to ask the system.

    Raises:
        ConfigError: it is not TOML, has an unknown key or value, or is made for another host.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise ConfigError(
            f"{path}: cannot be read: {problem}",
            "lawqa place init PLACE --fresh  writes a good one",
        ) from None
    known = [key.name for key in PLACE_KEYS]
    for key, value in content.items():
        if key not in known:
            raise ConfigError(f"{path}: unknown key {key!r}", f"known: {', '.join(known)}")
        if not isinstance(value, str) or not value:
            example = next(k.example for k in PLACE_KEYS if k.name == key)
            raise ConfigError(
                f"{path}: {key} is {value!r}, expected a text", f'for example {key} = "{example}"'
            )
    pattern, name = content.pop("host", None), host or socket.gethostname()
    if pattern is not None and not fnmatchcase(name, pattern):
        raise ConfigError(
            f"{path}: is for hosts named {pattern}, this one is {name}",
            "where this is the machine, now with another name: lawqa place init "
            f"{content.get('place', 'PLACE')} --fresh  writes the file again",
        )
    return PlaceFile(path, content.pop("place", None), pattern, content)


def current_place_file(start: Path | None = None) -> PlaceFile | None:
    """Return the place file in force; None where there is none.

    The one that `LAWQA_PLACE_FILE` names, else the nearest; an empty value means none.

    Raises:
        ConfigError: see `read_place_file`; or the nearest belongs to somebody else.
    """
    named = os.environ.get(PLACE_FILE_VARIABLE)
    if named is not None:
        return read_place_file(Path(named)) if named else None
    path = find_place_file(start)
    if path is None:
        return None
    _require_owner(path)
    return read_place_file(path)


def _require_owner(path: Path) -> None:
    """Make sure that a file that was found, not named, is the user's own or the system's.

    It decides which model is loaded and where data go. Whoever can write to a directory above the working
    directory could put one there; git refuses a repository for the same reason (CVE-2022-24765).

    Raises:
        ConfigError: it belongs to somebody else.
    """
    user = os.geteuid()
    trusted = {user, 0}
    sudo = os.environ.get("SUDO_UID", "")
    if user == 0 and sudo.isdecimal():
        trusted.add(int(sudo))
    owners = {path.lstat().st_uid, path.stat().st_uid}
    if not owners <= trusted:
        raise ConfigError(
            f"{path}: belongs to user {max(owners - trusted)}, not to you (user {user}), and is not read",
            f"where you trust it: {PLACE_FILE_VARIABLE}={path}  in front of the command; "
            f"to do without it: {PLACE_FILE_VARIABLE}=",
        )


def place_settings(
    flag: str | None = None, environment: Mapping[str, str] | None = None
) -> tuple[PlaceSetting, PlaceFile | None]:
    """Return the place in force with where it comes from, and the place file.

    Args:
        flag: `--place`; None where it was not given.
        environment: environment variables; None for this process's.

    Raises:
        ConfigError: see `read_place_file`; or there is no such place.
    """
    env = os.environ if environment is None else environment
    file = current_place_file()
    if flag:
        chosen = PlaceSetting("place", flag, "--place")
    elif env.get("LAWQA_PLACE"):
        chosen = PlaceSetting("place", env["LAWQA_PLACE"], "LAWQA_PLACE")
    elif file is not None and file.place:
        chosen = PlaceSetting("place", file.place, str(file.path))
    else:
        chosen = PlaceSetting("place", DEFAULT_PLACE, "default")
    if chosen.value != DEFAULT_PLACE:
        _require_declared(chosen, by_flag=bool(flag))
    return chosen, file


def _require_declared(chosen: PlaceSetting, *, by_flag: bool) -> None:
    """Make sure that there is such a place.

    Raises:
        ConfigError: there is not.
    """
    # All declared commands: to read them takes 60 ms, which the default place does without.
    from lawqa.commands.source import places

    if chosen.value not in places():
        said = "--place" if by_flag else f"{chosen.origin}: place"
        raise ConfigError(f"{said} {chosen.value}: no such place", f"known: {', '.join(places())}")


def current_place(flag: str | None = None) -> str:
    """Return the id of the place in force: `--place`, else `LAWQA_PLACE`, else the file, else `any`.

    Raises:
        ConfigError: see `read_place_file`.
    """
    return place_settings(flag)[0].value


def place_file_text(place: Place, host: str, hf_home: str) -> str:
    """Return a place file for this place, every key explained; those without a value are left
    commented out.
    """
    given = {"place": place.id, "host": host, "hf_home": hf_home}
    lines = ["# What is particular to this machine; `lawqa place show` says what is in force."]
    for key in PLACE_KEYS:
        value = given.get(key.name)
        example = place.variables.get(key.name, key.example)
        shown = json.dumps(value or example, ensure_ascii=False)
        lines += ["", f"# {key.meaning}", f"# {key.meaning_ja}"]
        lines.append(f"{'' if value else '# '}{key.name} = {shown}")
    return "\n".join(lines) + "\n"
