"""What is carried home: everything but weights, whole or refused."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest

from lawqa.cli import main

pytestmark = pytest.mark.every_python

KEPT = {
    "runs/base/summary.json": b"{}",
    "runs/base/results.jsonl": b"{}\n" * 5,
    "logs/学習ログ_rag.md": "判定".encode(),
    "steps/train.log": b"",
    "adapters/rag/manifest.json": b"{}",
}
LEFT = (
    "adapters/rag/checkpoints/checkpoint-1/trainer_state.json",
    "adapters/rag/checkpoints/checkpoint-1/optimizer.pt",
    "runs/base/.lock",
    "runs/base/lawqa.lock",
)
WEIGHTS = "adapters/rag/adapter_model.safetensors"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, content in (KEPT | dict.fromkeys((*LEFT, WEIGHTS), b"x" * 1000)).items():
        path = tmp_path / "results" / "heart01" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return Path("results/heart01")


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def pack(*more: str) -> int:
    return main(["runs", "pack", "results/heart01", "--output", "home.tar.gz", *more])


def unpack(*more: str) -> int:
    return main(["runs", "unpack", "home.tar.gz", "--output-dir", "there", *more])


def test_everything_comes_home_but_weights_checkpoints_and_locks(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (work / "link").symlink_to("/etc/hostname")
    assert pack() == 0
    out = capsys.readouterr().out
    assert re.search(
        r"packed 5 files of results/heart01 in home.tar.gz \([\d.]+ (bytes|kB)\); left out: 6", out
    )
    assert unpack() == 0
    assert capsys.readouterr().out == "unpacked 5 files; every checksum agrees\n"
    assert files_of(Path("there/results/heart01")) == KEPT
    assert list(Path("there").iterdir()) == [Path("there/results")]
    # What is there already and the same is no hindrance; what differs is.
    assert unpack() == 0
    (Path("there") / work / "logs/学習ログ_rag.md").write_text("mine", encoding="utf-8")
    assert unpack() == 2
    assert "is there already and differs\nhint: --fresh replaces it" in capsys.readouterr().err
    assert (Path("there") / work / "logs/学習ログ_rag.md").read_text("utf-8") == "mine"
    assert unpack("--fresh") == 0
    assert files_of(Path("there/results/heart01")) == KEPT


def test_adapters_come_only_when_asked_for(work: Path) -> None:
    assert pack("--with-adapters") == 0
    assert unpack() == 0
    assert sorted(files_of(Path("there") / work)) == sorted([*KEPT, WEIGHTS])


def test_the_sums_are_those_that_sha256sum_reads(work: Path) -> None:
    assert pack() == 0
    with tarfile.open("home.tar.gz") as tar:
        member = tar.extractfile("SHA256SUMS")
        assert member is not None
        sums = member.read().decode()
    assert f"{sha256(b'{}').hexdigest()}  {work}/runs/base/summary.json\n" in sums
    program = shutil.which("sha256sum")
    if program is not None:
        subprocess.run(  # noqa: S603 - our own words
            [program, "--check", "--quiet"], input=sums, text=True, check=True
        )


def test_a_cut_off_or_changed_archive_writes_nothing(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert work.is_dir()
    assert pack() == 0
    whole = Path("home.tar.gz").read_bytes()
    for size in (0, 1, len(whole) // 3, len(whole) // 2):
        Path("home.tar.gz").write_bytes(whole[:size])
        assert unpack() == 2, size
        assert "home.tar.gz" in capsys.readouterr().err
        assert not list(Path("there").iterdir())
    for at in range(0, len(whole), 97):
        damaged = bytearray(whole)
        damaged[at] ^= 1
        Path("home.tar.gz").write_bytes(damaged)
        code = unpack()
        if code == 0:  # a bit of the header that says nothing, such as gzip's time
            assert files_of(Path("there/results/heart01")) == KEPT
            shutil.rmtree("there/results")
        else:
            assert code == 2
            assert not list(Path("there").iterdir())
            assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../outside", "/outside", "a/../../outside", "a/./b", "folder"])
def test_a_hostile_archive_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    sums = f"{sha256(b'x').hexdigest()}  {name}\n".encode()
    with tarfile.open("home.tar.gz", "w:gz") as tar:
        for member, content in ((name, b"x"), ("SHA256SUMS", sums)):
            info = tarfile.TarInfo(member)
            info.size = len(content)
            if member == "folder":
                info.type, info.linkname = tarfile.SYMTYPE, "/etc"
            tar.addfile(info, io.BytesIO(content))
    assert unpack() == 2
    assert "is not a file below the folder" in capsys.readouterr().err
    assert not (tmp_path / "outside").exists()
    assert not list(Path("there").iterdir())


def test_a_link_below_the_folder_is_not_followed(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert work.is_dir()
    assert pack() == 0
    (tmp_path / "elsewhere").mkdir()
    Path("there").mkdir()
    Path("there/results").symlink_to(tmp_path / "elsewhere")
    assert unpack("--fresh") == 2
    assert "is a link, or lies behind one" in capsys.readouterr().err
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pack", "nowhere"], "nowhere: no such folder"),
        (["pack", "empty"], "empty: holds nothing to pack"),
        (["pack", "."], "is not below"),
        (["pack", "/"], "is not below"),
        (["pack", "results", "--output", "results/a.tar.gz"], "is in the folder that is packed"),
        (["unpack", "nothing.tar.gz"], "nothing.tar.gz: no such file"),
        (["unpack", "results/heart01/runs/base/results.jsonl"], "cannot be read as an archive"),
    ],
)
def test_mistakes_are_named(
    arguments: list[str], said: str, work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert work.is_dir()
    Path("empty").mkdir()
    assert main(["runs", *arguments]) == 2
    assert said in capsys.readouterr().err
