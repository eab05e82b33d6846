"""`lawqa statutes`: what it writes and says, and that an interrupted parse ends as an undisturbed one."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import tyro

from lawqa.cli.console import console_messages
from lawqa.cli.law.statutes import Statutes
from lawqa.errors import ConfigError, DataError
from lawqa.pipelines.corpus.statutes import ParseConfig, parse_statutes
from lawqa.pipelines.corpus.statutes_journal import Done, Journal
from lawqa.statutes.articles import corpus_sha256, read_articles

TODAY = date(2025, 7, 1)


def run(*arguments: str | Path) -> int:
    command: Statutes = tyro.cli(Statutes, args=list(map(str, arguments)))
    with console_messages([]):
        return command.run()


def law(title: str, articles: int = 3) -> bytes:
    text = "".join(
        f'<Article Num="{n}"><ArticleTitle>第{n}条</ArticleTitle><Paragraph Num="1"><ParagraphNum/>'
        f"<ParagraphSentence><Sentence>{title}の{n}</Sentence></ParagraphSentence></Paragraph></Article>"
        for n in range(1, articles + 1)
    )
    return (
        f"<Law><LawNum>令和九年法律第一号</LawNum><LawBody><LawTitle>{title}</LawTitle>"
        f"<MainProvision>{text}</MainProvision></LawBody></Law>"
    ).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Forty laws, each in two revisions, one of them of the future; three files are broken."""
    path = tmp_path / "laws"
    for number in range(40):
        for revision in ("20200401_0", "20300401_1"):
            name = f"{number:03d}AC0000000001_{revision}"
            (path / name).mkdir(parents=True)
            content = law(f"法{number}{revision}", articles=1 + number % 7)
            broken = content[:-30] if number % 15 == 4 else content
            (path / name / f"{name}.xml").write_bytes(broken)
    return path


@pytest.fixture
def archive(folder: Path) -> Path:
    path = folder.parent / "laws.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for file in sorted(folder.rglob("*.xml"), reverse=True):
            zipped.write(file, file.relative_to(folder))
    return path


@pytest.fixture
def undisturbed(folder: Path, tmp_path: Path) -> bytes:
    output = tmp_path / "undisturbed.jsonl"
    parse_statutes(ParseConfig(folder, output, workers=1), today=TODAY)
    return output.read_bytes()


def test_parse_writes_articles_lists_what_failed_and_returns_3(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "articles.jsonl"
    assert run("parse", folder, "--output", output, "--as-of", "2025-07-01", "--workers", "1") == 3
    said = capsys.readouterr()
    assert said.out == f"wrote 137 articles of 37 laws as of 2025-07-01 to {output}\n"
    first, *listed = said.err.splitlines()
    assert first == "3 files could not be read, left out:"
    assert [line.split(":")[0].strip() for line in listed] == [
        f"{name}/{name}.xml"
        for name in (f"{number:03d}AC0000000001_20200401_0" for number in (4, 19, 34))
    ]
    assert all("not well-formed" in line for line in listed)
    articles = list(read_articles(output))
    assert len(articles) == 137
    assert {article.revision for article in articles} == {"20200401_0"}
    assert [article.law_id for article in articles] == sorted(
        article.law_id for article in articles
    )


def test_the_manifest_says_what_was_read(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "articles.jsonl"
    (folder / "900AC0000000001_20300101_0.xml").write_bytes(law("未来法"))
    result = parse_statutes(ParseConfig(folder, output, workers=1), today=TODAY)
    manifest = json.loads((tmp_path / "articles.jsonl.manifest.json").read_text(encoding="utf-8"))
    assert manifest == {
        "schema_version": 1,
        "input": str(folder),
        "as_of": "2025-07-01",
        "laws": 37,
        "articles": 137,
        "sha256": corpus_sha256(output),
        "failures": [{"path": f.path, "message": f.message} for f in result.failures],
        "laws_not_yet_in_force": ["900AC0000000001"],
    }
    assert sorted(path.name for path in tmp_path.glob("articles*")) == [
        *("articles.jsonl", "articles.jsonl.manifest.json"),
    ]


def test_laws_of_the_future_are_named(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("parse", folder, "--output", tmp_path / "a.jsonl", "--as-of", "2019-12-31") == 0
    said = capsys.readouterr()
    assert said.out.startswith("wrote 0 articles of 0 laws as of 2019-12-31")
    assert "note: 40 laws are not in force on 2019-12-31, left out: 000AC" in said.err
    assert said.err.rstrip().endswith("…")


def test_a_later_day_takes_the_later_revision(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "articles.jsonl"
    config = ParseConfig(folder, output, as_of="2030-04-01", workers=1)
    assert parse_statutes(config, today=TODAY).as_of == "2030-04-01"
    assert {article.revision for article in read_articles(output)} == {"20300401_1"}


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_folder_and_zip_give_the_same_file_with_any_number_of_workers(
    archive: Path, undisturbed: bytes, workers: int
) -> None:
    output = archive.parent / "articles.jsonl"
    result = parse_statutes(ParseConfig(archive, output, workers=workers), today=TODAY)
    assert output.read_bytes() == undisturbed
    assert (result.laws, result.articles, len(result.failures)) == (37, 137, 3)


def test_members_that_lead_out_of_the_archive_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "laws.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("A_20200101_0.xml", law("甲法"))
        zipped.writestr("../B_20200101_0.xml", law("乙法"))
    result = parse_statutes(ParseConfig(path, tmp_path / "a.jsonl"), today=TODAY)
    assert result.laws == 1
    assert [failure.path for failure in result.failures] == ["../B_20200101_0.xml"]


def test_one_xml_file_is_parsed(tmp_path: Path) -> None:
    (tmp_path / "甲法.xml").write_bytes(law("甲法"))
    parse_statutes(ParseConfig(tmp_path / "甲法.xml", tmp_path / "a.jsonl"), today=TODAY)
    assert [article.id for article in read_articles(tmp_path / "a.jsonl")] == [
        *("甲法/main/1", "甲法/main/2", "甲法/main/3"),
    ]


# ---------------------------------------------------------------- interrupted and resumed


KILLED = """
import os, sys
from datetime import date
from pathlib import Path
from lawqa.pipelines.corpus import statutes_journal
from lawqa.pipelines.corpus.statutes import ParseConfig, parse_statutes

append, left = statutes_journal.Journal.append, [int(sys.argv[4])]

def append_and_die(journal, done):
    if left[0] or sys.argv[5] == "after":
        append(journal, done)
    if not left[0]:
        os.kill(os.getpid(), 9)
    left[0] -= 1

statutes_journal.Journal.append = append_and_die
config = ParseConfig(Path(sys.argv[1]), Path(sys.argv[2]), workers=int(sys.argv[3]))
parse_statutes(config, today=date(2025, 7, 1))
"""


def killed(source: Path, output: Path, workers: int, laws: int, moment: str) -> None:
    """Run a parse that is killed when N laws are written, before or after the next is noted.

    It returns when nobody holds the pipe any more: a worker left behind would time out here.
    """
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", KILLED, *map(str, (source, output, workers, laws, moment))],
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == -9, done.stderr.decode()
    assert not output.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("workers", "laws", "moment"),
    [(1, 0, "before"), (1, 6, "after"), (2, 11, "before"), (2, 38, "after")],
)
def test_a_killed_parse_that_is_resumed_gives_the_same_file(
    archive: Path, undisturbed: bytes, workers: int, laws: int, moment: str
) -> None:
    output = archive.parent / "articles.jsonl"
    killed(archive, output, workers, laws, moment)
    with pytest.raises(ConfigError, match="an interrupted parse lies beside it"):
        parse_statutes(ParseConfig(archive, output), today=TODAY)
    tomorrow = date(2033, 1, 1)  # the day of the interrupted parse counts
    result = parse_statutes(ParseConfig(archive, output, resume=True, workers=1), today=tomorrow)
    assert output.read_bytes() == undisturbed
    assert (result.as_of, result.laws, result.articles) == ("2025-07-01", 37, 137)
    assert [failure.path[:3] for failure in result.failures] == ["004", "019", "034"]


class StoppedError(Exception):
    """Stands for whatever ends a parse."""


@pytest.fixture
def interrupted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Path]:
    """Starts a parse that stops after twenty laws; gives its output."""

    def start() -> Path:
        output = folder.parent / "articles.jsonl"
        append, noted = Journal.append, []

        def until_stopped(journal: Journal, done: Done) -> None:
            if len(noted) == 20:
                raise StoppedError
            noted.append(done)
            append(journal, done)

        with monkeypatch.context() as patch:
            patch.setattr(Journal, "append", until_stopped)
            with pytest.raises(StoppedError):
                parse_statutes(ParseConfig(folder, output, workers=1), today=TODAY)
        return output

    return start


@pytest.mark.slow
def test_files_cut_off_anywhere_resume_to_the_same_file(
    folder: Path, undisturbed: bytes, interrupted: Callable[[], Path]
) -> None:
    seeded = random.Random(3)  # noqa: S311 - a test needs no secret
    for _ in range(12):
        output = interrupted()
        partial, journal = (output.with_name(f"{output.name}.{n}") for n in ("partial", "journal"))
        header = journal.read_bytes().index(b"\n") + 1
        for path, least in ((partial, 0), (journal, header)):
            content = path.read_bytes()
            path.write_bytes(content[: seeded.randrange(least, len(content) + 1)])
        parse_statutes(ParseConfig(folder, output, resume=True, workers=1), today=TODAY)
        assert output.read_bytes() == undisturbed
        output.unlink()


@pytest.mark.slow
def test_resume_refuses_other_files_and_another_day(
    folder: Path, interrupted: Callable[[], Path]
) -> None:
    output = interrupted()
    with pytest.raises(
        ConfigError, match="--as-of is 2024-01-01, but the interrupted parse is as of"
    ):
        run("parse", folder, "--output", output, "--resume", "--as-of", "2024-01-01")
    (folder / "000AC0000000009_20200101_0.xml").write_bytes(law("新法"))
    with pytest.raises(ConfigError, match="read other files"):
        run("parse", folder, "--output", output, "--resume")
    assert run("parse", folder, "--output", output, "--fresh", "--as-of", "2025-07-01") == 3
    assert len(list(read_articles(output))) == 140


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"[]\n", b'{"schema_version": 0}\n', b'{"schema_version": 1}\n']
)
def test_a_foreign_journal_is_refused(
    folder: Path, interrupted: Callable[[], Path], content: bytes
) -> None:
    output = interrupted()
    output.with_name(f"{output.name}.journal").write_bytes(content)
    with pytest.raises(DataError, match="is not a journal"):
        run("parse", folder, "--output", output, "--resume")


def test_resume_without_an_interrupted_parse_starts_one(
    folder: Path, tmp_path: Path, undisturbed: bytes
) -> None:
    output = tmp_path / "articles.jsonl"
    parse_statutes(ParseConfig(folder, output, resume=True, workers=1), today=TODAY)
    assert output.read_bytes() == undisturbed


# ---------------------------------------------------------------- mistakes


@pytest.mark.slow
def test_an_existing_file_is_kept_unless_fresh(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "articles.jsonl"
    output.write_text("mine", encoding="utf-8")
    for more in ([], ["--resume"]):
        with pytest.raises(ConfigError, match="exists already"):
            run("parse", folder, "--output", output, *more)
    assert output.read_text(encoding="utf-8") == "mine"
    run("parse", folder, "--output", output, "--fresh")
    assert output.stat().st_size > 1000


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--resume", "--fresh"], "contradict each other"),
        (["--workers", "0"], "--workers is 0"),
        (["--as-of", "yesterday"], "expected a day such as 2025-06-01"),
        (["--as-of", "2025-02-30"], "expected a day such as 2025-06-01"),
    ],
)
def test_wrong_options(folder: Path, tmp_path: Path, more: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        run("parse", folder, "--output", tmp_path / "a.jsonl", *more)
    assert list(tmp_path.glob("a.jsonl*")) == []


def test_inputs_and_outputs_that_are_not_there(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no such file"):
        run("parse", tmp_path / "none", "--output", tmp_path / "a.jsonl")
    with pytest.raises(ConfigError, match="holds no XML file"):
        run("parse", tmp_path / "empty", "--output", tmp_path / "a.jsonl")
    with pytest.raises(ConfigError, match="expected a file in a directory that exists"):
        run("parse", folder, "--output", tmp_path / "none" / "a.jsonl")
    with pytest.raises(ConfigError, match="expected a file in a directory that exists"):
        run("parse", folder, "--output", tmp_path)


# ---------------------------------------------------------------- stats


def test_stats(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "articles.jsonl"
    parse_statutes(ParseConfig(folder, output, workers=1), today=TODAY)
    capsys.readouterr()
    assert run("stats", output) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{output}: 137 articles of 37 laws"
    characters = sum(len(article.paragraphs[0].text) for article in read_articles(output))
    assert lines[2].split() == ["part", "articles", "paragraphs", "characters"]
    assert ["main", "137", "137", f"{characters:,}"] in [line.split() for line in lines]
    assert "revisions in force from 20200401 to 20200401" in lines
    assert lines[-1] == f"sha256 {corpus_sha256(output)}"


def test_stats_of_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        run("stats", tmp_path / "none.jsonl")
