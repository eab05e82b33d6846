"""The condition rag, from the command line to the files it leaves, over a small index."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lawqa.choices import permute, permute_label
from lawqa.cli import main
from lawqa.digests import sha256_of
from lawqa.errors import ConfigError, DataError
from lawqa.pipelines.corpus.indexes.building import IndexConfig, build_index
from lawqa.pipelines.corpus.indexes.retriever_config import RetrieverConfig
from lawqa.pipelines.corpus.records_provenance import retrieval_of
from lawqa.pipelines.evaluation.contexts import RagConfig
from lawqa.pipelines.evaluation.rag import retrieve_contexts
from lawqa.questions import Question, write_questions
from lawqa.records import load_records
from lawqa.statutes.articles import Article, Paragraph, write_articles

LEASE, CIVIL = "借地借家法", "民法"
TEXTS = {
    (LEASE, "3"): ("借地権の存続期間は、三十年とする。",),
    (LEASE, "9"): ("この節の規定に反する特約で借地権者に不利なものは、無効とする。",),
    (LEASE, "28"): ("建物の賃貸人による更新の拒絶の通知は、正当の事由がなければすることができない。",),
    (CIVIL, "140"): ("期間の初日は、算入しない。",),
    (CIVIL, "604"): ("賃貸借の存続期間は、五十年を超えることができない。", "更新は、することができる。"),
}  # fmt: skip


def article(law: str, number: str, texts: tuple[str, ...]) -> Article:
    numbered = tuple(Paragraph(n, text) for n, text in enumerate(texts, start=1))
    return Article(f"{law}/{number}", law, law, "", "", "main", number, "", numbered)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")
    root = tmp_path_factory.mktemp("rag")
    write_articles(root / "a.jsonl", [article(*key, texts) for key, texts in TEXTS.items()])
    build_index(IndexConfig(articles=root / "a.jsonl", output_dir=root / "index", quiet=True))
    return root / "index"


QUESTIONS = (
    Question(
        "借地借家法_1", "借地権の存続期間について、正しいものはどれですか。",
        ("二十年とする", "三十年とする", "五十年とする", "定めがない"), "b",
        f"## {LEASE}\n### 第３条\n借地権の存続期間は、三十年とする。",
    ),
    Question(
        "民法_2", "期間の初日について、正しいものはどれですか。",
        ("算入する", "算入しない", "裁判所が定める", "当事者が定める"), "b",
        "## 民法\n### 第1条\n私権は、公共の福祉に適合しなければならない。",
    ),
    Question(
        "指針_3", "更新の拒絶の通知に要るものはどれですか。",
        ("正当の事由", "手数料", "登記", "許可"), "a", "## 指針\n### （問1）\n答",
    ),
)  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_questions(tmp_path / "q.json", QUESTIONS)
    (tmp_path / "s.json").write_text('{"*": "b"}', encoding="utf-8")
    return tmp_path


def rag(index: Path, **settings: Any) -> RagConfig:
    return RagConfig(RetrieverConfig(index), **settings)


def evaluate(index: Path, *more: str) -> int:
    return main(
        ["evaluate", "--data", "q.json", "--llm-backend", "scripted", "--script", "s.json",
         "--condition", "rag", "--index", str(index), "--run-dir", "r", *more]
    )  # fmt: skip


def rows(run: Path) -> list[dict[str, Any]]:
    lines = (run / "results.jsonl").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    return sorted(found, key=lambda row: [q.id for q in QUESTIONS].index(row["file_name"]))


def test_a_retrieved_context_goes_into_the_prompt_and_its_sources_into_the_results(
    index: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(index, "--top-k", "2") == 0
    first, second, third = rows(here / "r")
    prompt = str(first["prompt"])
    assert f"【参考条文】\n## {LEASE}\n### 第3条\n{TEXTS[LEASE, '3'][0]}\n" in prompt
    assert first["retrieved_docs_count"] == len(first["retrieved_articles"]) == 2
    best = first["retrieved_articles"][0]
    assert (best["id"], best["law_title"], best["article"]) == (f"{LEASE}/3", LEASE, "3")
    assert best["complete"] is True
    assert [row["gold_retrieved"] for row in (first, second, third)] == [True, False, None]
    by_retrieval = json.loads((here / "r" / "summary.json").read_text(encoding="utf-8"))[
        "statistics"
    ]["by_retrieval"]
    assert {name: (a["correct"], a["asked"]) for name, a in by_retrieval.items()} == {
        "hit": (1, 1),
        "miss": (1, 1),
    }
    printed = capsys.readouterr().out
    assert "gold article retrieved      100.0%" in printed
    assert "gold article not retrieved  100.0%" in printed


def test_the_manifest_says_what_contexts_were_made_with(index: Path, here: Path) -> None:
    assert evaluate(index, "--top-k", "3", "--max-context-tokens", "200", "--no-follow") == 0
    made = json.loads((here / "r" / "manifest.json").read_text(encoding="utf-8"))["retrieval"]
    built = json.loads((index / "manifest.json").read_text(encoding="utf-8"))
    assert made["index_sha256"] == built["index_sha256"]
    assert made["corpus"]["sha256"] == built["corpus"]["sha256"]
    assert made["index_parameters"] == built["parameters"]
    assert (made["top_k"], made["max_context_tokens"]) == (3, 200)
    assert made["counted_in"] == "characters"  # answers from a table have no tokenizer
    assert made["retriever"]["settings"]["follow"] is False


def test_neither_the_right_answer_nor_the_own_context_nor_the_order_is_searched_for(
    index: Path,
) -> None:
    asked = QUESTIONS[0]
    order = (3, 1, 0, 2)
    first, second, third, fourth = permute(asked.choices, order)
    others = (
        replace(asked, gold="d"),
        replace(asked, context="## 民法\n### 第140条\n期間の初日は、算入しない。"),
        replace(
            asked,
            choices=(first, second, third, fourth),
            gold=permute_label(asked.gold, order),
            order=2,
            permutation=order,
        ),
    )
    config = rag(index, top_k=2)
    expected = retrieve_contexts(config, [asked]).text(asked)
    for other in others:
        assert retrieve_contexts(config, [other]).text(other) == expected


def test_the_limit_holds_and_what_is_cut_is_said(index: Path) -> None:
    asked = QUESTIONS[0]
    whole = retrieve_contexts(rag(index, top_k=3), [asked]).of(asked)
    short = retrieve_contexts(rag(index, top_k=3, max_context_tokens=30), [asked]).of(asked)
    assert whole.size == len(whole.text) > 30
    assert short.size == len(short.text) <= 30
    assert not all(source.complete for source in short.sources)


def test_a_question_that_finds_nothing_is_an_error_not_a_closed_question(index: Path) -> None:
    asked = Question("x_1", "?!", ("1", "2", "3", "4"), "a")
    with pytest.raises(ConfigError, match=r"x_1#1: no context can be retrieved"):
        retrieve_contexts(rag(index), [asked])


@pytest.mark.parametrize("option", ["top_k", "max_context_tokens"])
def test_limits_below_one_are_refused(index: Path, option: str) -> None:
    flag = "--" + option.replace("_", "-")
    with pytest.raises(ConfigError, match=f"{flag} is 0, expected 1 or more"):
        retrieve_contexts(rag(index, **{option: 0}), QUESTIONS)


def test_an_index_that_was_changed_is_not_used(index: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in index.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    raw = bytearray((copy / "laws.json").read_bytes())
    raw[raw.index("民".encode())] ^= 1
    (copy / "laws.json").write_bytes(raw)
    with pytest.raises(DataError, match=r"laws\.json differs from what was built"):
        retrieve_contexts(rag(copy), QUESTIONS)


def test_without_an_index_nothing_is_asked(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(here / "nowhere") == 2
    said = capsys.readouterr().err
    assert "nowhere: holds no index" in said
    assert "lawqa index build --articles" in said
    assert not (here / "r").exists()


def test_distilled_records_hold_the_retrieved_context(index: Path, here: Path) -> None:
    reason = "条文の文言に照らして各選択肢を検討すると、これに反しないのは一つだけである。"
    script = {"*": f"{reason}\n最終回答：b"}
    (here / "s.json").write_text(json.dumps(script, ensure_ascii=False), encoding="utf-8")
    argv = ["distill", "--data", "q.json", "--output-path", "d.jsonl", "--llm-backend", "scripted",
            "--script", "s.json", "--condition", "rag", "--index", str(index), "--top-k", "1",
            "--samples-per-question", "1", "--no-even-labels"]  # fmt: skip
    assert main(argv) == 0
    records = load_records(here / "d.jsonl").records
    assert [record.prompt_spec for record in records] == ["cot-rag-v1"] * 2
    assert records[0].retrieved == f"## {LEASE}\n### 第3条\n{TEXTS[LEASE, '3'][0]}"
    assert all(record.retrieved in record.messages[-1].content for record in records)
    provenance = json.loads((here / "d.provenance.json").read_text(encoding="utf-8"))
    assert provenance["settings"]["retrieval"]["top_k"] == 1
    assert main([*argv, "--max-context-tokens", "99"]) == 2


MakeTokenizer = Callable[..., Any]


def test_records_of_the_condition_rag_keep_their_context_and_lose_its_end_when_too_long(
    byte_tokenizer: MakeTokenizer, tmp_path: Path
) -> None:
    from lawqa.prompting import PromptSpec
    from lawqa.records import make_question_records, tokenize_record, write_records

    context = "## 民法\n### 第140条\n期間の初日は、算入しない。ただし書は略する。終わりの文である。"
    specs = [(PromptSpec(condition="rag"), 1)]
    (record,) = make_question_records(QUESTIONS[:1], specs, retrieved_of=lambda _: context)
    write_records(tmp_path / "r.jsonl", [record])
    (again,) = load_records(tmp_path / "r.jsonl").records
    assert again == record
    assert again.retrieved == context
    tokenizer = byte_tokenizer()
    length = len(tokenize_record(record, tokenizer, 100_000).input_ids)
    shorter = tokenize_record(record, tokenizer, length - 1)
    text = tokenizer.decode(shorter.input_ids)
    assert shorter.shortened
    assert "期間の初日は、算入しない。ただし書は略する。" in text
    assert "終わりの文" not in text
    assert "借地権の存続期間は、三十年とする。" not in text  # the data set's own context


def raft(index: Path, count: int, *flags: str) -> tuple[list[Any], dict[str, Any]]:
    argv = ["records", "--lawqa-path", "q.json", "--output-path", "r.jsonl", "--condition", "rag", "--fresh",
            "--index", str(index), "--top-k", "1", "--hf-model-name", "tok", *flags]  # fmt: skip
    assert main(argv) == 0
    provenance = json.loads(Path("r.provenance.json").read_text(encoding="utf-8"))
    records = list(load_records(Path("r.jsonl")).records)
    assert len(records) == count
    return records, provenance


@pytest.fixture
def tokens_are_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    """No tokenizer is at hand; a token is a character."""
    monkeypatch.setattr("lawqa.pipelines.evaluation.rag.token_counter", lambda *_: len)


@pytest.mark.usefixtures("here", "tokens_are_characters")
def test_records_without_raft_flags_are_as_retrieved(index: Path) -> None:
    records, provenance = raft(index, 3)
    assert provenance["settings"]["retrieval"]["raft"] is None
    assert provenance["settings"]["retrieval"]["context"] == "passages-2"
    assert records[0].retrieved == f"## {LEASE}\n### 第3条\n{TEXTS[LEASE, '3'][0]}"


@pytest.mark.usefixtures("here", "tokens_are_characters")
def test_records_can_lack_the_gold_text_in_a_stated_share(
    index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records, provenance = raft(index, 3, "--without-gold", "1")
    said = "(--distractors 0); the gold articles are left out for 1 of the questions (--without-gold 1.0)"
    assert said in capsys.readouterr().out
    assert (
        retrieval_of(Path("r.jsonl"), sha256_of(Path("r.jsonl")))
        == provenance["settings"]["retrieval"]
    )
    assert TEXTS[LEASE, "3"][0] not in records[0].retrieved
    assert records[0].retrieved
    made = provenance["settings"]["retrieval"]
    assert made["raft"] == {"distractors": 0, "without_gold": 1.0, "seed": 0}
    assert (
        made["questions_without_gold"]
        == ["借地借家法_1", "民法_2"][: len(made["questions_without_gold"])]
    )
    again, _ = raft(index, 3, "--without-gold", "1")
    assert again == records


@pytest.mark.usefixtures("here", "tokens_are_characters")
def test_records_can_hold_distractors_that_are_never_gold(index: Path) -> None:
    plain, _ = raft(index, 3)
    records, _ = raft(index, 3, "--distractors", "1")
    assert TEXTS[LEASE, "3"][0] in records[0].retrieved
    assert records[0].retrieved.count("### ") == plain[0].retrieved.count("### ") + 1


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--distractors", "-1"], "--distractors is -1"),
        (["--without-gold", "1.5"], "--without-gold is 1.5, expected 0 or more and at most 1"),
        (["--distractors", "2", "--condition", "closed"], "there are none"),
    ],
)
def test_raft_flags_out_of_range_are_refused(
    index: Path, flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["records", "--lawqa-path", "q.json", "--output-path", "r.jsonl"]
    if "closed" not in flags:
        argv += ["--condition", "rag", "--index", str(index)]
    assert main([*argv, *flags]) == 2
    assert message in capsys.readouterr().err


def dated(root: Path, revision: str) -> Path:
    write_articles(
        root / "dated.jsonl",
        [replace(article(*key, texts), revision=revision) for key, texts in TEXTS.items()],
    )
    build_index(IndexConfig(articles=root / "dated.jsonl", output_dir=root / "dated", quiet=True))
    return root / "dated"


@pytest.mark.parametrize(
    ("revision", "said"),
    [
        ("20250601_504AC0000000068", ""),
        ("20250602_504AC0000000068", "came into force after 2025-06-01: 借地借家法 (20250602)"),
        ("", "without a revision"),
    ],
)
def test_articles_not_known_to_be_the_law_of_the_day_are_named_or_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, revision: str, said: str
) -> None:
    from datetime import date

    config = replace(rag(dated(tmp_path, revision), top_k=1), as_of=date(2025, 6, 1))
    made = retrieve_contexts(config, QUESTIONS[:1], quiet=True)
    assert made.manifest["as_of"] == "2025-06-01"
    assert said in caplog.text
    assert bool(said) == ("note:" in caplog.text)
    strict = replace(config, as_of_strict=True)
    if said:
        with pytest.raises(DataError, match="as-of-strict"):
            retrieve_contexts(strict, QUESTIONS[:1], quiet=True)
    else:
        retrieve_contexts(strict, QUESTIONS[:1], quiet=True)


def test_a_report_says_where_a_passage_is_links_its_law_and_marks_what_is_gold() -> None:
    from lawqa.pipelines.comparing.report_gold import _marked_article
    from lawqa.report.content import ShownArticle

    shown = ("第24条の5第1項", "第24条の5第2項第3号")
    found = ShownArticle("試験法", "24_5", 1.0, False, None, passages=shown)
    marked = _marked_article(found, {("試験法", "24_5")}, {("試験法", "24_5", 2)})
    assert (marked.gold, marked.gold_passages) == (True, shown[1:])


@pytest.mark.slow
def test_the_page_of_a_rag_run_links_to_egov(here: Path) -> None:
    pytest.importorskip("matplotlib", reason="the report needs lawqa[report]")
    pytest.importorskip("jinja2")
    lease = "403AC0000000090"
    texts = {key: value for key, value in TEXTS.items() if key[0] == LEASE}
    articles = [replace(article(*key, t), law_id=lease) for key, t in texts.items()]
    write_articles(here / "a.jsonl", articles)
    build_index(IndexConfig(articles=here / "a.jsonl", output_dir=here / "index", quiet=True))
    assert evaluate(here / "index", "--samples", "1") == 0
    row = json.loads((here / "r/results.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert row["retrieved_articles"][0]["passages"] == ["第3条"]
    assert main(["report", "r", "-o", "r.html"]) == 0
    page = (here / "r.html").read_text(encoding="utf-8")
    assert f"https://laws.e-gov.go.jp/law/{lease}" in page
