"""Small files that would fill a memory: packed ones, endless lines, and large ones where little is asked."""

from __future__ import annotations

import gzip
import json
import lzma
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from lawqa.augment.reading import read_readings
from lawqa.cli import main
from lawqa.errors import DataError
from lawqa.files import LONGEST_LINE, json_lines
from lawqa.records import load_records
from lawqa.statutes.articles import read_articles
from lawqa.statutes.egov.files import LawStore

pytestmark = pytest.mark.rough

Capture = pytest.CaptureFixture[str]
MIB = 2**20


def test_a_zip_that_unpacks_to_far_more_than_laws_do_is_refused(
    tmp_path: Path, capsys: Capture
) -> None:
    bomb = tmp_path / "laws.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        packed.writestr("1.xml", b"<Law>" + b" " * (100 * MIB))
    assert bomb.stat().st_size < 110_000
    tracemalloc.start()
    with LawStore(bomb) as store:
        (file,), _ = store.list()
        with pytest.raises(DataError, match="unpack to more than"):
            store.read(file)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 80 * MIB
    code = main(["statutes", "parse", str(bomb), "--output", str(tmp_path / "a.jsonl")])
    assert code in (2, 3)
    said = capsys.readouterr()
    assert "unpack to more than" in said.out + said.err


@pytest.mark.parametrize(
    ("name", "pack"), [("a.jsonl.xz", lzma.compress), ("a.jsonl.gz", gzip.compress)]
)
def test_a_packed_line_without_an_end_is_refused(tmp_path: Path, name: str, pack: object) -> None:
    assert callable(pack)
    path = tmp_path / name
    path.write_bytes(pack(b'{"id": "' + b"a" * (LONGEST_LINE + MIB)))
    assert path.stat().st_size < MIB
    with pytest.raises(DataError, match="line 1 is longer than 64 MiB"):
        list(read_articles(path))


def test_a_line_of_a_gigantic_file_is_refused(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "q.jsonl"
    with path.open("wb") as file:
        file.truncate(10 * 2**30)  # a hole: takes no room on the disk
    with pytest.raises(DataError, match="line 1 is longer than 64 MiB"), json_lines(path) as lines:
        next(lines)
    whole = path.rename(tmp_path / "q.json")
    assert main(["data", "check", str(whole)]) == 2
    assert "is larger than 1,024 MiB" in capsys.readouterr().err


def test_the_first_records_are_read_without_the_others(tmp_path: Path) -> None:
    """A line that is not reached cannot be read, so a broken one there proves it."""
    path = tmp_path / "r.jsonl"
    old = json.dumps({"input": "民法 a b c d", "output": "b", "meta": {}}, ensure_ascii=False)
    path.write_text("\n".join([old, old, "{broken"]), encoding="utf-8")
    assert len(load_records(path, 1).records) == 1
    assert len(load_records(path, 2).records) == 2
    with pytest.raises(DataError, match="line 3"):
        load_records(path)
    reading = {"source": "statute", "article_id": "x/1", "title": "民法", "text": "第一条"}
    path.write_text(json.dumps(reading) + "\n{broken", encoding="utf-8")
    with pytest.raises(DataError):
        read_readings(path)


def test_lines_are_read_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "big.jsonl"
    with path.open("w", encoding="utf-8") as file:
        file.writelines('{"text": "' + "あ" * 1000 + '"}\n' for _ in range(20_000))
    assert path.stat().st_size > 50 * MIB
    tracemalloc.start()
    with json_lines(path) as lines:
        assert next(lines)[0] == 1
        assert sum(1 for _ in lines) == 19_999
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * MIB
