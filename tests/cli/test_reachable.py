"""A path that the operating system cannot follow is named with its flag before anything runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lawqa.cli.reachable import require_reachable
from lawqa.errors import ConfigError


@dataclass(frozen=True)
class _Inner:
    data: tuple[Path, ...] = ()


@dataclass(frozen=True)
class _Command:
    run_dir: Path = Path("nowhere/yet")
    inner: _Inner = field(default_factory=_Inner)


def test_what_is_not_there_is_for_the_command_to_say() -> None:
    require_reachable(_Command(inner=_Inner((Path("q.json"),))))


def test_a_link_to_itself_is_named_wherever_it_was_given(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(ConfigError) as refused:
        require_reachable(_Command(run_dir=loop, inner=_Inner((loop, tmp_path))))
    assert f"--run-dir {loop}: cannot be reached" in str(refused.value)
    assert f"--data {loop}: cannot be reached" in str(refused.value)
    assert str(refused.value).count("cannot be reached") == 2


def test_a_zero_byte_is_no_path() -> None:
    with pytest.raises(ConfigError, match=r"--run-dir .*: is not a path"):
        require_reachable(_Command(run_dir=Path("a\0b")))
