"""Article files: what is written is read back, the earlier form too, and what is wrong is named."""

from __future__ import annotations

import gzip
import json
import lzma
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawqa.errors import DataError
from lawqa.statutes.articles import (
    LAW_PARTS,
    Article,
    Paragraph,
    article_line,
    corpus_sha256,
    read_articles,
    write_articles,
)
from lawqa.statutes.corpus_stats import count_articles

pytestmark = pytest.mark.every_python

ARTICLE = Article(
    id="999AC0000000001/main/2_2",
    law_id="999AC0000000001",
    law_title="試験法",
    law_num="令和九年法律第一号",
    revision="20270401_509AC0000000002",
    part="main",
    article="2_2",
    caption="（目的）",
    paragraphs=(Paragraph(1, "第一項\n一 甲\n二 乙"), Paragraph(None, "付記")),
    headings=("第一章　総則",),
)
ROW = ARTICLE.to_row()
EARLIER = {key: ROW[key] for key in list(ROW)[1:9]}

texts = st.text(st.characters(exclude_categories=["Cs"]))
articles = st.builds(
    Article,
    id=texts,
    law_id=texts.filter(bool),
    law_title=texts,
    law_num=texts,
    revision=texts,
    part=st.sampled_from(LAW_PARTS),
    article=st.none() | texts,
    caption=texts,
    paragraphs=st.lists(st.builds(Paragraph, st.none() | st.integers(), texts)).map(tuple),
    amend_law_num=st.none() | texts,
    headings=st.lists(texts).map(tuple),
)


def lines_file(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.slow
@given(st.lists(articles, min_size=1, unique_by=lambda article: article.id))
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, written: list[Article]
) -> None:
    path = tmp_path_factory.mktemp("articles") / "articles.jsonl"
    write_articles(path, written)
    assert list(read_articles(path)) == written


def test_a_line_has_the_documented_keys_in_order_and_one_line_feed() -> None:
    line = article_line(ARTICLE)
    assert list(json.loads(line)) == [
        *("id", "law_id", "law_title", "law_num", "revision", "part", "article", "caption"),
        *("paragraphs", "amend_law_num", "headings"),
    ]
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert "試験法" in line


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress)])
def test_packed_files_are_read(tmp_path: Path, suffix: str, pack: Any) -> None:
    path = tmp_path / f"articles.jsonl{suffix}"
    path.write_bytes(pack(article_line(ARTICLE).encode()))
    assert list(read_articles(path)) == [ARTICLE]


def test_a_byte_order_mark_and_blank_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "articles.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + article_line(ARTICLE).encode() + b"\n  \r\n")
    assert list(read_articles(path)) == [ARTICLE]


def test_the_earlier_form_gets_ids_by_position_in_its_law(tmp_path: Path) -> None:
    other = {**EARLIER, "law_id": "999AC0000000002"}
    path = lines_file(tmp_path / "articles.jsonl", EARLIER, other, EARLIER, other, EARLIER)
    assert [article.id for article in read_articles(path)] == [
        "999AC0000000001/00000",
        "999AC0000000002/00000",
        "999AC0000000001/00001",
        "999AC0000000002/00001",
        "999AC0000000001/00002",
    ]


def test_the_earlier_form_may_have_no_number_revision_and_part(tmp_path: Path) -> None:
    row = {"law_id": "x", "law_title": "y", "article": None, "caption": "", "paragraphs": []}
    (article,) = read_articles(lines_file(tmp_path / "articles.jsonl", row))
    assert article == Article("x/00000", "x", "y", "", "", "main", None, "", ())


def test_the_earlier_form_loses_the_repeated_paragraph_number(tmp_path: Path) -> None:
    told = [
        (1, "甲"),
        (2, "２　乙"),
        (12, "１２　丙"),
        (3, "４　丁"),
        (None, "２　戊"),
        (2, "２己"),
    ]
    row = {**EARLIER, "paragraphs": [{"num": num, "text": text} for num, text in told]}
    (article,) = read_articles(lines_file(tmp_path / "articles.jsonl", row))
    texts = [paragraph.text for paragraph in article.paragraphs]
    assert texts == ["甲", "乙", "丙", "４　丁", "２　戊", "２己"]


def test_the_new_form_keeps_a_number_that_the_text_shows(tmp_path: Path) -> None:
    row = {**ROW, "paragraphs": [{"num": 2, "text": "２　乙"}]}
    (article,) = read_articles(lines_file(tmp_path / "articles.jsonl", row))
    assert article.paragraphs == (Paragraph(2, "２　乙"),)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([], "is not an object but list"),
        ({**ROW, "law_id": ""}, "field law_id: is empty"),
        ({**ROW, "law_title": None}, "field law_title: is missing"),
        ({**ROW, "article": 5}, "field article: expected text, found int"),
        ({**ROW, "id": None}, "field id: is missing"),
        ({**ROW, "part": "body"}, "field part: is 'body'"),
        ({**ROW, "headings": "第一章"}, "field headings"),
        ({**ROW, "headings": [1]}, "field headings"),
        ({**ROW, "paragraphs": None}, "field paragraphs: expected a list"),
        ({**ROW, "paragraphs": ["甲"]}, "field paragraphs: expected objects"),
        ({**ROW, "paragraphs": [{"num": 1}]}, "text is not text"),
        ({**ROW, "paragraphs": [{"num": True, "text": ""}]}, "num is True"),
        ({**ROW, "paragraphs": [{"num": "1", "text": ""}]}, "num is '1'"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, row: Any, message: str) -> None:
    path = lines_file(tmp_path / "articles.jsonl", {**ROW, "id": "other"}, row)
    with pytest.raises(DataError) as caught:
        list(read_articles(path))
    assert "line 2: " in caught.value.message
    assert message in caught.value.message


def test_an_id_that_comes_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 2: id '999AC0000000001/main/2_2' comes a second"):
        list(read_articles(lines_file(tmp_path / "articles.jsonl", ROW, ROW)))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b"", "holds no article"),
        ("a.jsonl", b"\n\n", "holds no article"),
        ("a.jsonl", b'{"id": ', "broken JSON at line 1, column 8"),
        ("a.jsonl", b'{"id": "\xff"}', "is not UTF-8"),
        ("a.jsonl", b"[" * 100_000, "nested too deeply"),
        ("a.jsonl", b'{"n":' + b"9" * 5000 + b"}", "line 1"),
        ("a.jsonl.gz", b"no gzip", "cannot be read"),
        ("a.jsonl.gz", gzip.compress(b"[]" * 999, mtime=0)[:20], "cannot be read"),
        ("a.jsonl.xz", b"no xz", "cannot be read"),
        ("a.jsonl.xz", lzma.compress(b"[]" * 999)[:-20], "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_data_error(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        list(read_articles(path))


@pytest.mark.parametrize("name", ["articles.jsonl", "articles.jsonl.xz", "articles.jsonl.gz"])
def test_a_pipe_that_nobody_writes_to_is_refused_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(DataError, match="is a pipe or a device, expected a file"):
        list(read_articles(tmp_path / name))
    with pytest.raises(DataError, match="is a pipe or a device, expected a file"):
        corpus_sha256(tmp_path / name)


def test_a_missing_file_and_a_directory_are_data_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        list(read_articles(tmp_path / "none.jsonl"))
    with pytest.raises(DataError, match="cannot be read"):
        list(read_articles(tmp_path))


def test_the_checksum_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "articles.jsonl"
    path.write_bytes(b"")
    assert corpus_sha256(path).startswith("e3b0c44298fc1c14")


def test_counts() -> None:
    amended = Article(
        "b", "B", "乙法", "", "", "suppl", "1", "", (Paragraph(1, "削除"),), "令和八年法律第二号"
    )
    bare = Article("c", "B", "乙法", "", "20200401_0", "appdx", None, "別表", ())
    stats = count_articles([ARTICLE, amended, bare])
    assert (stats.laws, stats.amending_laws, stats.deleted, stats.empty) == (2, 1, 1, 1)
    assert vars(stats.total) == {"articles": 3, "paragraphs": 3, "characters": 15}
    assert vars(stats.by_part["main"]) == {"articles": 1, "paragraphs": 2, "characters": 13}
    assert vars(stats.by_part["preamble"]) == {"articles": 0, "paragraphs": 0, "characters": 0}
    assert stats.revisions == ("20200401", "20270401")
    assert (stats.longest_id, stats.longest_characters) == (ARTICLE.id, 13)
