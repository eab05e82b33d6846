"""Guidelines and notices: sections are found, quoted and cited by title and heading."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from lawqa.cli import main
from lawqa.errors import DataError, MissingExtraError
from lawqa.retrieval.documents.reading import read_document, read_documents
from lawqa.statutes.articles import Article

MARKDOWN = """# 試験品の取引に関する監督指針

前書き。

## Ⅱ-1 基本的な考え方

試験品を扱う者は、顧客の属性に照らして説明する。

詳しくは別に示す。

## Ⅱ-2 苦情

### Ⅱ-2-1 体制

苦情の窓口を設ける。

```
# 見出しではない
```
"""
TEXT = """試験品の取扱いについて（通知）

第１章　総則
１－１　目的
この通知は、試験品の取扱いを定める。
１－２　定義
１-２ で定めるものは、次のとおりとする。
問３　窓口はいつ開くか。
答　平日の九時に開く。
第二章　雑則
附則として定める。
"""
HTML = """<html><head><title>庁の頁</title><style>p{color:red}</style></head><body><nav>目次</nav>
<h1>試験品Ｑ＆Ａ</h1><p>はじめに &amp; 前書き。</p>
<h2>問1 返品できますか</h2><p>できます。<br>七日以内です。</p>
<table><tr><th>区分</th><td>期間</td></tr></table><script>var x = 1;</script></body></html>"""


def sections(directory: Path, name: str, content: str, encoding: str = "utf-8") -> list[Article]:
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(content, encoding=encoding)
    return list(read_documents(directory))


def shown(found: list[Article]) -> list[tuple[str, list[str]]]:
    return [(one.caption, [paragraph.text for paragraph in one.paragraphs]) for one in found]


def test_markdown(tmp_path: Path) -> None:
    found = sections(tmp_path, "a.md", MARKDOWN)
    assert {one.law_title for one in found} == {"試験品の取引に関する監督指針"}
    assert shown(found) == [
        ("", ["前書き。"]),
        (
            "Ⅱ-1 基本的な考え方",
            ["試験品を扱う者は、顧客の属性に照らして説明する。", "詳しくは別に示す。"],
        ),
        ("Ⅱ-2-1 体制", ["苦情の窓口を設ける。", "```\n# 見出しではない\n```"]),
    ]
    assert found[-1].headings == ("Ⅱ-2 苦情",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_numbered_lines_of_a_text_are_headings(tmp_path: Path, encoding: str) -> None:
    found = sections(tmp_path, "通知.txt", TEXT, encoding)
    assert shown(found) == [
        ("", ["試験品の取扱いについて（通知）"]),
        ("１－１　目的", ["この通知は、試験品の取扱いを定める。"]),
        ("１－２　定義", ["１-２ で定めるものは、次のとおりとする。"]),
        ("問３　窓口はいつ開くか。", ["答　平日の九時に開く。"]),
        ("第二章　雑則", ["附則として定める。"]),
    ]
    assert found[3].headings == ("第１章　総則", "１－２　定義")
    assert found[0].law_title == "通知"


@pytest.mark.parametrize(
    ("name", "title", "before", "after"),
    [
        ("guide.md", "# 監督指針\n\n", "", "\n"),
        ("guide.md", "", "", "\n"),
        ("guide.html", "<h1>監督指針</h1>", "<p>", "</p>"),
    ],
)
def test_numbered_lines_are_headings_where_only_the_title_is_marked(
    tmp_path: Path, name: str, title: str, before: str, after: str
) -> None:
    lines = [
        "第1章 総則",
        "趣旨を述べる。",
        "Ⅱ-1 体制",
        "体制を設ける。",
        "1-2 窓口",
        "窓口を置く。",
        "問3 期間は。",
        "三十日。",
    ]
    (tmp_path / name).write_text(
        title + "".join(f"{before}{line}{after}" for line in lines), encoding="utf-8"
    )
    sections = list(read_documents(tmp_path))
    assert [section.caption for section in sections] == lines[::2]
    assert {section.law_title for section in sections} == {"監督指針" if title else "guide"}


def test_html(tmp_path: Path) -> None:
    found = sections(tmp_path, "a.html", HTML)
    assert {one.law_title for one in found} == {"試験品Ｑ＆Ａ"}
    assert ("問1 返品できますか", ["できます。\n七日以内です。", "区分 | 期間"]) in shown(found)
    assert not any(
        "var x" in text or "color" in text for _, texts in shown(found) for text in texts
    )


LETTER = "# 通知\n\n届出を受理した日から七日以内に、その旨をインターネットで公表するものとする。\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932", "euc_jp", "iso2022_jp"]
)
def test_japanese_is_read_in_every_usual_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.md").write_bytes(LETTER.encode(encoding))
    (section,) = read_documents(tmp_path)
    assert section.law_title == "通知"
    assert section.paragraphs[0].text == LETTER.split("\n")[2]


@pytest.mark.parametrize("encoding", ["Shift_JIS", "EUC-JP"])
def test_a_page_is_read_in_the_encoding_that_it_names(tmp_path: Path, encoding: str) -> None:
    page = f'<html><head><meta charset="{encoding}"></head><body><h1>通知</h1><p>届出受理</p></body></html>'
    (tmp_path / "a.html").write_bytes(page.encode(encoding))
    (section,) = read_documents(tmp_path)
    assert (section.law_title, section.paragraphs[0].text) == ("通知", "届出受理")


def test_a_heading_that_is_not_closed_ends_at_the_next_paragraph(tmp_path: Path) -> None:
    page = "<h1>指針<p>前書き<h2>目的<p>目的を定める。<ul><li>一<li>二</ul>"
    assert shown(sections(tmp_path, "a.html", page)) == [
        ("", ["前書き"]), ("目的", ["目的を定める。\n一\n二"]),
    ]  # fmt: skip


def test_links_give_each_document_once_and_a_link_to_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "z.md").write_text(LETTER, encoding="utf-8")
    (tmp_path / "a.md").symlink_to("z.md")
    (tmp_path / "loop").symlink_to(".")
    assert [section.id for section in read_documents(tmp_path)] == ["document:z.md/0000"]
    (tmp_path / "dead.md").symlink_to("nothing.md")
    with pytest.raises(DataError, match=r"dead\.md: is a link to nothing"):
        list(read_documents(tmp_path))


def test_files_of_other_kinds_and_hidden_ones_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(b"PK")
    (tmp_path / ".b.md").write_text("# 隠れた\n文", encoding="utf-8")
    with pytest.raises(DataError, match="holds no document"):
        list(read_documents(tmp_path))
    with pytest.raises(DataError, match="no such directory"):
        list(read_documents(tmp_path / "none"))


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"", "holds no text"), (b"\x80\x00\xff", "is no text in UTF-8"), (b"a\x00b", "is no text")],
)
def test_a_document_without_readable_text_is_named(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(DataError, match=f"a.txt: {problem}"):
        list(read_documents(tmp_path))


def pdf(text: str) -> bytes:
    """A page with a text layer of ASCII, or with none."""
    stream = f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET".encode() if text else b"0 0 m 9 9 l S"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]  # fmt: skip
    out, offsets = b"%PDF-1.4\n", []
    for n, content in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (n, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"xref\n0 6\n0000000000 65535 f \n" + table
    return out + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % out.index(b"xref\n0 6")


def test_a_pdf_gives_its_text_layer_and_a_scan_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf("guideline text"))
    if find_spec("pypdf") is None:
        with pytest.raises(MissingExtraError, match="pypdf is not installed"):
            read_document(tmp_path / "a.pdf")
        return
    assert "guideline text" in read_document(tmp_path / "a.pdf")[0].text
    (tmp_path / "scan.pdf").write_bytes(pdf(""))
    with pytest.raises(DataError, match=r"scan\.pdf: has no text layer"):
        read_document(tmp_path / "scan.pdf")
    (tmp_path / "broken.pdf").write_bytes(b"no PDF at all")
    with pytest.raises(DataError, match=r"broken\.pdf: cannot be read as a PDF"):
        read_document(tmp_path / "broken.pdf")


def test_documents_are_found_and_cited_with_and_without_articles(
    tmp_path: Path, statutes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")
    documents = tmp_path / "documents"
    sections(documents, "a.md", MARKDOWN)
    for flags in ([], ["--articles", str(statutes)]):
        index = str(tmp_path / f"index{len(flags)}")
        build = ["index", "build", "--documents", str(documents), "--output-dir", index, "--quiet"]
        assert main([*build, *flags]) == 0
        capsys.readouterr()
        assert (
            main(["index", "search", "苦情の窓口", "--index", index, "--top-k", "1", "--json"]) == 0
        )
        (found,) = json.loads(capsys.readouterr().out)["results"]
        assert (found["law_title"], found["caption"]) == (
            "試験品の取引に関する監督指針",
            "Ⅱ-2-1 体制",
        )
    assert main(["index", "search", "苦情の窓口", "--index", index, "--top-k", "1"]) == 0
    assert "試験品の取引に関する監督指針 Ⅱ-2-1 体制  [" in capsys.readouterr().out


def test_nothing_to_index_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["index", "build", "--output-dir", str(tmp_path / "index")]) == 2
    assert "--articles ARTICLES.jsonl, --documents DIR, or both" in capsys.readouterr().err
