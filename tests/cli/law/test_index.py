"""`lawqa index`: what it writes, says and refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import tyro

from lawqa.cli import main
from lawqa.cli.law.index import Index
from lawqa.errors import ConfigError, DataError, MissingExtraError
from lawqa.pipelines.corpus.indexes.files import index_being_built
from lawqa.pipelines.corpus.indexes.manifest import INDEX_FORMAT, IndexManifest
from lawqa.questions import Question, write_questions
from lawqa.statutes.articles import corpus_sha256

ACT, HOUSE = "試験品取引法", "家屋の賃貸借に関する法律"


def row(law: str, number: str, *texts: str, caption: str = "") -> dict[str, Any]:
    """A line of the earlier form."""
    return {
        "law_id": {ACT: "901AC01", HOUSE: "904AC01"}[law],
        "law_title": law,
        "article": number,
        "caption": caption,
        "paragraphs": [{"num": n, "text": text} for n, text in enumerate(texts, start=1)],
    }


ROWS = [
    row(
        ACT, "5", "公開買取りの期間を公告する。", "公告は、三十日前までにする。", caption="（公告）"
    ),
    row(ACT, "24", "買取報告書を提出する。"),
    row(HOUSE, "4", "家屋の賃借人は、家屋を転貸することができない。", caption="（転貸）"),
]


def run(*arguments: str | Path) -> int:
    command: Index = tyro.cli(Index, args=list(map(str, arguments)))
    return command.run()


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    path = tmp_path / "articles.jsonl"
    lines = [json.dumps(one, ensure_ascii=False) for one in ROWS]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def built(articles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")
    directory = tmp_path / "index"
    assert run("build", "--articles", articles, "--output-dir", directory) == 0
    said = capsys.readouterr()
    assert said.out == f"indexed 3 articles of 2 laws (4 paragraphs) in {directory}\n"
    return directory


def test_the_manifest_says_what_the_index_is_made_of(built: Path, articles: Path) -> None:
    manifest = json.loads((built / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["schema_version"] == 1
    assert (manifest["kind"], manifest["index_format"]) == ("index", INDEX_FORMAT)
    assert manifest["corpus"]["sha256"] == corpus_sha256(articles)
    assert manifest["parameters"] == {
        "method": "bm25 (lucene)",
        "k1": 0.9,
        "b": 0.4,
        "max_df": 0.15,
        "tokens": "character bigrams",
        "unit": "paragraph with its article's header",
    }
    counts = manifest["counts"]
    assert (counts["laws"], counts["articles"], counts["units"]) == (2, 3, 4)
    written = {path.name: path.stat().st_size for path in built.iterdir()}
    assert {name: entry["size"] for name, entry in manifest["files"].items()} == {
        name: size for name, size in written.items() if name != "manifest.json"
    }


def index_hash(directory: Path) -> str:
    return IndexManifest.read(directory).index_sha256


def test_the_same_corpus_gives_the_same_index(built: Path, articles: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    run("build", "--articles", articles, "--output-dir", again)
    assert index_hash(again) == index_hash(built)
    run("build", "--articles", articles, "--output-dir", again, "--k1", "1.5", "--fresh")
    assert index_hash(again) != index_hash(built)


def test_search_tells_what_was_found_and_why(
    built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("search", "試験品取引法第５条の公告の期間", "--index", built, "--top-k", "1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("1. 試験品取引法 第5条（公告）  [")
    assert lines[1] == "   citation: 試験品取引法第5条"
    assert lines[2].startswith("   terms: ")
    assert "   | 公開買取りの期間を公告する。" in lines


def test_search_writes_json(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("search", "家屋の転貸", "--index", built, "--json") == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["schema_version"], content["query"]) == (1, "家屋の転貸")
    best = content["results"][0]
    assert best["rank"] == 1
    assert best["law_title"] == HOUSE
    assert best["article"] == "4"
    assert best["paragraphs"] == [{"num": 1, "text": ROWS[2]["paragraphs"][0]["text"]}]
    assert [why["kind"] for why in best["why"]] == ["terms"]


def test_search_takes_choices(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query = ("search", "次のうち正しいものはどれか", "--index", built, "--json")
    run(*query, "--choices", "家屋の転貸はできる", "家屋の賃借人")
    assert json.loads(capsys.readouterr().out)["results"][0]["law_title"] == HOUSE


def test_nothing_found_is_said(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("search", "猫", "--index", built, "--no-follow") == 0
    assert capsys.readouterr().out == "nothing found\n"


def test_an_article_that_is_asked_for_and_not_there_is_named(
    built: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert run("search", f"{ACT}第5条", "--index", built) == 0
    assert "not in this index" not in caplog.text
    assert run("search", f"{ACT}第99条", "--index", built) == 0
    assert f"note: {ACT}第99条 is not in this index" in caplog.text


def test_info_shows_the_manifest(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("info", "--index", built) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"{built}: 3 articles of 2 laws\n")
    assert IndexManifest.read(built).index_sha256 in text
    assert run("info", "--index", built, "--json") == 0
    assert json.loads(capsys.readouterr().out) == IndexManifest.read(built).to_json()


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "questions.json"
    choices = ("家屋の転貸", "ろ", "は", "に")
    write_questions(
        path,
        [
            Question(
                "借家_第1章_選択式_関連法令_問題番号1",
                "正しいものは",
                choices,
                "a",
                f"## {HOUSE}\n### 第４条\n本文",
            ),
            Question(
                "取引_第1章_選択式_根拠条文_問題番号2",
                "家屋",
                choices,
                "a",
                f"## {ACT}\n### 第24条\n本文",
            ),
            Question(
                "取引_指針_選択式_関連法令_問題番号3", "指針", choices, "a", "## 指針\n### （問1）"
            ),
        ],
    )
    return path


def test_eval_writes_the_figures_as_json(
    built: Path, questions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("eval", "--index", built, "--questions", questions, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["schema_version"] == 1
    assert summary["overall"]["n"] == 2
    assert summary["overall"]["hit@1"] == 0.5
    assert {"hit@3", "hit@5", "hit@10", "recall@10", "mrr"} <= set(summary["overall"])
    assert set(summary["by_law"]) == {"借家", "取引"}
    assert set(summary["by_reference_type"]) == {"関連法令", "根拠条文"}
    assert summary["without_gold"] == 1
    (miss,) = summary["misses"]
    assert miss["id"] == "取引_第1章_選択式_根拠条文_問題番号2"
    assert summary["index"]["sha256"] == index_hash(built)


def test_eval_is_readable(built: Path, questions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("eval", "--index", built, "--questions", questions) == 0
    text = capsys.readouterr().out
    assert "hit@3" in text
    assert "1 question whose context quotes no statute" in text
    assert f"{ACT}第24条" in text


def test_eval_measures_how_much_of_the_gold_text_reaches_a_context(
    built: Path, questions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("eval", "--index", built, "--questions", questions, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["gold_text"]) == ["1024", "2048", "3072", "4096"]
    at = found["gold_text"]["2048"]
    assert set(at) == {"gold_text_mean", "gold_text_090", "questions", "tokens_median"}
    assert at["questions"] == found["overall"]["n"]
    assert found["counted_in"].startswith("tokens estimated from characters")
    for figures in found["by_law"].values():
        assert figures["gold_text"]["2048"]["questions"] == figures["n"]
    assert all(miss["why"] for miss in found["gold_text_misses"]["questions"])


@pytest.mark.slow
def test_eval_without_its_tokenizer_estimates_and_says_so(
    built: Path,
    questions: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    flags = ("--questions", questions, "--json", "--budgets", "60", "120", "--top-k", "2")
    assert run("eval", "--index", built, *flags, "--tokenizer", tmp_path / "none") == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["gold_text"]) == ["60", "120"]
    assert found["gold_text"]["60"]["tokens_median"] <= 60
    assert found["counted_in"].startswith("tokens estimated from characters")
    assert "estimated from characters" in caplog.text


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--budgets", "0"), "--budgets: 0, expected 1 or more"),
        (("--top-k", "0"), "--top-k is 0, expected 1 or more"),
    ],
)
def test_eval_refuses_limits_that_hold_nothing(
    built: Path,
    questions: Path,
    flags: tuple[str, ...],
    message: str,
) -> None:
    with pytest.raises(ConfigError, match=message):
        run("eval", "--index", built, "--questions", questions, *flags)


def test_a_long_build_tells_how_far_it_is_in_each_of_its_parts(
    articles: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")
    with articles.open("a", encoding="utf-8") as file:
        for number in range(30, 40):
            one = row(ACT, str(number), "第五条の公告をした者は、第二十四条により提出する。")
            file.write(json.dumps(one, ensure_ascii=False) + "\n")
    monkeypatch.setattr("lawqa.bars.LINE_SECONDS", 0.0)  # as if each article took a minute
    build = ["index", "build", "--articles", str(articles), "--output-dir", str(tmp_path / "i")]
    assert main(build) == 0
    err = capsys.readouterr().err
    assert re.search(r"^indexing: 1 of 13 articles, .+, \d+ s left$", err, re.MULTILINE)
    assert re.search(r"^linking: 10 of 10 paragraphs, .+, 0 s left$", err, re.MULTILINE)
    assert main([*build, "--fresh", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_ctrl_c_leaves_what_was_there_and_says_how_to_go_on(
    built: Path,
    articles: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = index_hash(built)

    def press(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lawqa.pipelines.corpus.indexes.building.write_index", press)
    build = ["index", "build", "--articles", str(articles), "--fresh", "--output-dir", str(built)]
    assert main(build) == 130
    said = capsys.readouterr().err
    assert f"interrupted: {built} is as it was before; the same command starts over" in said
    assert index_hash(built) == before


def test_a_question_file_is_no_article_file(
    questions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")
    wrong = ["index", "build", "--articles", str(questions), "--output-dir", str(tmp_path / "i")]
    assert main(wrong) == 2
    assert "one article a line, as lawqa statutes parse writes them" in capsys.readouterr().err


def test_an_index_is_not_replaced_unasked(built: Path, articles: Path) -> None:
    with pytest.raises(ConfigError, match="already holds an index"):
        run("build", "--articles", articles, "--output-dir", built)
    assert run("build", "--articles", articles, "--output-dir", built, "--fresh") == 0


@pytest.mark.parametrize("content", [None, {"schema_version": 1, "kind": "train"}])
def test_a_directory_that_holds_something_else_is_never_replaced(
    articles: Path, tmp_path: Path, content: dict[str, Any] | None
) -> None:
    directory = tmp_path / "thesis"
    directory.mkdir()
    (directory / "thesis.txt").write_text("years of work", encoding="utf-8")
    if content is not None:
        (directory / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ConfigError, match="holds no index"):
        run("build", "--articles", articles, "--output-dir", directory, "--fresh")
    assert (directory / "thesis.txt").exists()


def test_an_index_of_another_format_is_refused_with_the_command_that_makes_it_anew(
    built: Path,
) -> None:
    manifest = IndexManifest.read(built).to_json()
    (built / "manifest.json").write_text(json.dumps({**manifest, "index_format": 99}))
    with pytest.raises(ConfigError, match="has format 99, this version of lawqa reads") as caught:
        run("search", "家屋", "--index", built)
    assert f"lawqa index build --articles ARTICLES.jsonl --output-dir {built}" in caught.value.hint
    assert "--fresh" in caught.value.hint


def test_a_failed_build_leaves_nothing_and_spares_the_earlier_index(
    built: Path, articles: Path
) -> None:
    before = IndexManifest.read(built)
    broken = articles.with_name("broken.jsonl")
    broken.write_text(articles.read_text(encoding="utf-8") + "{\n", encoding="utf-8")
    with pytest.raises(DataError, match="broken JSON at line 4"):
        run("build", "--articles", broken, "--output-dir", built, "--fresh")
    assert IndexManifest.read(built) == before
    assert {path.name for path in built.parent.iterdir()} == {
        "articles.jsonl", "broken.jsonl", "index"
    }  # fmt: skip


def test_what_a_killed_build_left_behind_is_no_index_and_is_cleared(
    articles: Path, tmp_path: Path
) -> None:
    pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")
    left = tmp_path / ".new.building"
    left.mkdir()
    (left / "tokens.npy").write_bytes(b"half")
    with pytest.raises(ConfigError, match="holds no index"):
        run("info", "--index", left)
    assert run("build", "--articles", articles, "--output-dir", tmp_path / "new") == 0
    assert not left.exists()
    assert run("info", "--index", tmp_path / "new") == 0


def test_an_index_may_be_built_where_one_stands(
    articles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert run("build", "--articles", articles, "--output-dir", ".") == 0
    assert run("info", "--index", tmp_path / "empty") == 0


def test_an_index_that_cannot_be_put_in_its_place_is_kept_and_named(
    articles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")

    def refuse(self: Path, target: Path) -> Path:
        raise OSError(16, "Device or resource busy", str(self), None, str(target))

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(ConfigError, match=r"Device or resource busy; it is whole in .*\.building"):
        run("build", "--articles", articles, "--output-dir", tmp_path / "index")
    assert run("info", "--index", tmp_path / ".index.building", "--verify") == 0


def test_two_builds_in_one_place_do_not_mix(articles: Path, tmp_path: Path) -> None:
    pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")
    target = tmp_path / "index"
    with (
        index_being_built(target, fresh=False),
        pytest.raises(ConfigError, match="another process is building"),
    ):
        run("build", "--articles", articles, "--output-dir", target)


@pytest.mark.parametrize("name", ["laws.json", "tokens.npy", "keys.npy"])
def test_an_index_that_lacks_a_file_is_not_searched(built: Path, name: str) -> None:
    whole = (built / name).read_bytes()
    (built / name).unlink()
    with pytest.raises(DataError, match=f"not whole: {name} is missing"):
        run("search", "家屋", "--index", built)
    (built / name).write_bytes(whole[:-1])
    with pytest.raises(DataError, match=f"not whole: {name} has {len(whole) - 1:,} bytes"):
        run("search", "家屋", "--index", built)


def test_a_changed_byte_is_found_by_info_verify(
    built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("info", "--index", built, "--verify") == 0
    assert "verified    every file is as it was built" in capsys.readouterr().out
    path = built / "data.csc.index.npy"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"data\.csc\.index\.npy differs from what was built"):
        run("info", "--index", built, "--verify")


def test_a_file_is_no_index_and_is_not_offered_as_the_place_of_one(tmp_path: Path) -> None:
    file = tmp_path / "articles.jsonl"
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(
        ConfigError, match="is a file, expected the directory of an index"
    ) as caught:
        run("info", "--index", file)
    assert str(file) not in (caught.value.hint or "")


def test_without_an_index_the_command_that_builds_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no index") as caught:
        run("search", "家屋", "--index", tmp_path)
    assert "lawqa index build" in caught.value.hint


def test_a_broken_article_file_is_named(tmp_path: Path) -> None:
    pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")
    path = tmp_path / "broken.jsonl"
    path.write_text('{"law_id": "x"}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"broken\.jsonl: line 1"):
        run("build", "--articles", path, "--output-dir", tmp_path / "index")
    with pytest.raises(DataError, match="no such file"):
        run("build", "--articles", tmp_path / "none.jsonl", "--output-dir", tmp_path / "other")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("search", ""), "nothing to look for"),
        (("search", "家屋", "--top-k", "0"), "--top-k is 0"),
        (
            ("search", "家屋", "--use-reranker", "--reranker-model", "m", "--rerank-top-n", "6"),
            "--rerank-top-n is 6, expected 1 to 5",
        ),
        (("search", "家屋", "--use-reranker"), "--reranker-model"),
        (("search", "家屋", "--dense", "some/model"), "without embeddings"),
    ],
)
def test_mistakes_are_said(built: Path, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        run(*arguments, "--index", built)


def test_dense_needs_its_library(
    articles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match="sentence-transformers"):
        run("build", "--articles", articles, "--output-dir", tmp_path / "index", "--dense", "m")
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize("name", ["data.csc.index.npy", "articles.bin", "laws.json", "links.npy"])
def test_search_and_eval_refuse_an_index_with_a_changed_byte(
    built: Path, questions: Path, name: str
) -> None:
    content = bytearray((built / name).read_bytes())
    content[-1] ^= 1
    (built / name).write_bytes(content)
    for arguments in (("search", "家屋"), ("eval", "--questions", questions)):
        with pytest.raises(DataError, match=f"{name} differs from what was built"):
            run(*arguments, "--index", built)


def test_info_shows_the_range_of_revisions(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("info", "--index", built) == 0
    assert "revisions   3 articles without one" in capsys.readouterr().out


def test_search_as_of_a_day_warns_and_strictly_refuses(
    built: Path, caplog: pytest.LogCaptureFixture
) -> None:
    flags = ("search", "家屋の転貸", "--index", built, "--as-of", "2025-06-01")
    assert run(*flags) == 0
    assert "without a revision" in caplog.text
    with pytest.raises(DataError, match="as-of-strict"):
        run(*flags, "--as-of-strict")
    with pytest.raises(ConfigError, match="expected a day such as 2025-06-01"):
        run("search", "家屋", "--index", built, "--as-of", "today")
    with pytest.raises(ConfigError, match="--as-of-strict needs --as-of"):
        run("search", "家屋", "--index", built, "--as-of-strict")
