"""Which file of a store is a law's."""

from __future__ import annotations

import itertools
import random
import zipfile
from datetime import date
from pathlib import Path

import pytest

from lawqa.errors import DataError
from lawqa.statutes.egov.files import LawFile, LawStore, choose_revisions
from lawqa.statutes.egov.law_xml import LawName


def law(body: str) -> bytes:
    """A law whose body is this; laid out with line feeds, as e-Gov's files are."""
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Law Era="Reiwa" Year="9" Num="1" LawType="Act" Lang="ja">\n  <LawNum>令和九年法律第一号</LawNum>\n'
        f'  <LawBody>\n    <LawTitle Kana="しけんほう">試験法</LawTitle>\n{body}\n  </LawBody>\n</Law>\n'
    )
    return text.encode()


# ---------------------------------------------------------------- files and revisions


def law_files(*names: str) -> list[LawFile]:
    return [LawFile(f"all/{name}.xml", 1) for name in names]


def test_a_file_name_gives_law_revision_and_date() -> None:
    file = LawFile("x/346CO0000000264_20230607_505CO0000000202.xml", 1)
    assert file.name == LawName("346CO0000000264", "20230607_505CO0000000202")
    assert file.in_force_from == "20230607"
    assert LawFile("民法.xml", 1).name == LawName("民法")
    assert LawFile("民法.xml", 1).in_force_from == ""


@pytest.mark.parametrize(
    ("as_of", "chosen"),
    [
        (date(2023, 6, 6), "A_20200401_1"),
        (date(2023, 6, 7), "A_20230607_2"),
        (date(2026, 1, 1), "A_20230607_2"),
        (date(2117, 4, 2), "A_21170401_3"),
    ],
)
def test_the_latest_revision_not_after_the_day_is_chosen(as_of: date, chosen: str) -> None:
    files = law_files("A_21170401_3", "A_20200401_1", "A_20230607_2")
    for order in itertools.permutations(files):
        assert [file.path for file in choose_revisions(order, as_of).files] == [f"all/{chosen}.xml"]


def test_laws_are_sorted_and_those_of_the_future_named() -> None:
    files = law_files("B_20200101_0", "C_20300101_0", "A_20200101_0", "D_20300101_0", "民法")
    chosen = choose_revisions(files, date(2025, 1, 1))
    assert [file.name.law_id for file in chosen.files] == ["A", "B", "民法"]
    assert chosen.later == ("C", "D")


def test_ties_go_by_amending_law_and_then_by_path() -> None:
    files = [LawFile(f"{folder}/A_20200101_{law}.xml", 1) for folder in "xyz" for law in "132"]
    seeded = random.Random(5)  # noqa: S311 - a test needs no secret
    for _ in range(50):
        seeded.shuffle(files)
        assert choose_revisions(files, date(2025, 1, 1)).files[0].path == "x/A_20200101_3.xml"


def zip_of(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_folder_and_its_zip_hold_the_same_files(tmp_path: Path) -> None:
    members = {"all/A_20200101_0/A_20200101_0.xml": b"<a/>", "all/B_20200101_0.XML": b"<b/>"}
    other = {
        "all/list.csv": b"x",
        "__MACOSX/all/._A.xml": b"x",
        "all/._B.xml": b"x",
        "pict/a.jpg": b"x",
    }
    folder = tmp_path / "folder"
    for name, content in {**members, **other}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    archive = zip_of(tmp_path / "all.zip", **members, **other)
    for path in (folder, archive):
        with LawStore(path) as store:
            files, refused = store.list()
            assert {file.path: store.read(file) for file in files} == members
            assert [file.size for file in files] == [4, 4]
            assert refused == ()


def test_members_that_lead_out_of_the_archive_are_refused(tmp_path: Path) -> None:
    evil = ["../A.xml", "a/../../B.xml", "/etc/C.xml", "..\\D.xml", "C:\\E.xml", "x/\x07.xml"]
    archive = zip_of(tmp_path / "all.zip", **dict.fromkeys([*evil, "a..b/F.xml"], b"<a/>"))
    with LawStore(archive) as store:
        files, refused = store.list()
    assert [file.path for file in files] == ["a..b/F.xml"]
    assert len(refused) == len(evil)
    assert all("refused" in failure.message for failure in refused)


def test_a_damaged_member_is_a_data_error_and_the_others_are_read(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "all.zip", **{"A.xml": b"<a/>" * 999, "B.xml": b"<b/>" * 999})
    content = bytearray(archive.read_bytes())
    start = content.index(b"A.xml") + len(b"A.xml")
    content[start : start + 8] = b"\xff" * 8
    archive.write_bytes(content)
    with LawStore(archive) as store:
        (first, second), _ = store.list()
        with pytest.raises(DataError, match="damaged"):
            store.read(first)
        assert store.read(second) == b"<b/>" * 999
        with pytest.raises(DataError, match="damaged"):
            store.read(LawFile("gone.xml", 1))
        with pytest.raises(DataError, match="at most"):
            store.read(LawFile("A.xml", 2**40))


def test_an_encrypted_member_is_a_data_error(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "all.zip", **{"A.xml": b"<a/>"})
    content = bytearray(archive.read_bytes())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(header) + flags] |= 1
    archive.write_bytes(content)
    with LawStore(archive) as store, pytest.raises(DataError, match="cannot be unpacked"):
        store.read(store.list()[0][0])


def test_what_is_neither_folder_nor_zip_nor_xml(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        LawStore(tmp_path / "none.zip")
    (tmp_path / "all.zip").write_bytes(b"no zip")
    with pytest.raises(DataError, match="not a readable zip"):
        LawStore(tmp_path / "all.zip")


def test_a_single_xml_file_is_a_store_of_one(tmp_path: Path) -> None:
    path = tmp_path / "A_20200101_0.xml"
    path.write_bytes(b"<a/>")
    with LawStore(path) as store:
        ((file,), refused) = store.list()
        assert (file, refused, store.read(file)) == (LawFile(path.name, 4), (), b"<a/>")
        path.unlink()
        with pytest.raises(DataError, match="cannot be read"):
            store.read(file)
