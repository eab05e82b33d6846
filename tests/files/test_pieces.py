from __future__ import annotations

from pathlib import Path

import pytest

from lawqa.errors import DataError
from lawqa.files import Pieces

pytestmark = pytest.mark.every_python


def test_pieces_of_several_files_are_read_by_their_places(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"abcdef")
    two.write_bytes(b"ghi")
    pieces = Pieces()
    pieces.append(one, 1, 3)
    pieces.append(two, 0, 3)
    assert (len(pieces), pieces.read(0), pieces.read(1)) == (2, b"bc", b"ghi")
    pieces.replace(1, one, 5, 6)
    assert (pieces.place(1), pieces.read(1)) == ((one, 5, 6), b"f")


def test_a_file_that_is_removed_after_it_was_first_read_can_still_be_read(tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.write_bytes(b"abcdef")
    pieces = Pieces()
    pieces.append(path, 0, 2)
    pieces.append(path, 2, 4)
    assert pieces.read(0) == b"ab"
    path.unlink()
    assert pieces.read(1) == b"cd"


def test_a_file_that_is_gone_or_cut_is_an_error(tmp_path: Path) -> None:
    pieces = Pieces()
    pieces.append(tmp_path / "gone", 0, 1)
    with pytest.raises(DataError, match="gone: cannot be read"):
        pieces.read(0)
    path = tmp_path / "cut"
    path.write_bytes(b"ab")
    pieces.append(path, 1, 3)
    with pytest.raises(DataError, match="cut: was cut while it was read"):
        pieces.read(1)
