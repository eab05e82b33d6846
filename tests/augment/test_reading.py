from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawqa.augment.reading import (
    PackedSequence,
    ReadingRecord,
    Segment,
    pack_readings,
    read_readings,
    reading_records,
    write_readings,
)
from lawqa.errors import ConfigError, DataError
from lawqa.prompting import ChatTokenizer
from lawqa.statutes.articles import Article

END = "<|im_end|>"  # one token of the tests' tokenizer
Statute = tuple[Article, ...]


@pytest.fixture(scope="session")
def tokenizer(byte_tokenizer: Callable[..., ChatTokenizer]) -> ChatTokenizer:
    return byte_tokenizer()


def unpacked(sequences: Sequence[PackedSequence], tokenizer: ChatTokenizer) -> dict[str, str]:
    """The texts of the articles, joined again from their segments."""
    pieces: dict[str, dict[int, list[int]]] = {}
    for sequence in sequences:
        ends = [segment.start for segment in sequence.segments[1:]] + [len(sequence.input_ids)]
        for segment, end in zip(sequence.segments, ends, strict=True):
            own = pieces.setdefault(segment.article_id, {})
            assert segment.piece not in own
            own[segment.piece] = sequence.input_ids[segment.start : end]
    joined = {}
    for key, own in pieces.items():
        assert sorted(own) == list(range(len(own)))
        joined[key] = tokenizer.decode([token for i in sorted(own) for token in own[i]])
    return joined


def test_articles_become_records(statute: Statute) -> None:
    records = list(reading_records(statute))
    texts = {record.article_id.rpartition("/")[2]: record.text for record in records}
    assert texts["3_2"].startswith(
        "## 技能検定事業法\n### 第3条の2（登録の更新）\n#### 第1項\n前条の"
    )
    assert texts["3"].count("####") == 0
    assert "一の二 電気通信回線により配信する講習" in texts["2"]
    assert not {"5", "16,17"} & set(texts)
    assert {record.source for record in records} == {"reading"}


def test_every_line_of_an_article_is_there_once(statute: Statute) -> None:
    texts = {record.article_id: record.text for record in reading_records(statute)}
    for article in statute:
        for paragraph in article.paragraphs:
            if article.id in texts:
                assert texts[article.id].count(paragraph.text) == 1


def test_other_parts_when_asked(statute: Statute, make_article: Callable[..., Article]) -> None:
    more = make_article("2", "（経過措置）", ["なお従前の例による。"], part="suppl")
    ranged = make_article("3:5", "（経過措置）", ["第三条から第五条までは、なお効力を有する。"])
    records = list(reading_records([*statute, more, ranged], parts=("main", "suppl", "appdx")))
    headings = [record.text.split("\n")[1] for record in records]
    assert headings[-3:] == [
        "### 別表第一（第十条関係）",
        "### 附則第2条（経過措置）",
        "### 第3条から第5条まで（経過措置）",
    ]


def test_the_file_gives_the_records_back(statute: Statute, tmp_path: Path) -> None:
    records = tuple(reading_records(statute))
    assert write_readings(tmp_path / "r.jsonl", records) == len(records)
    assert read_readings(tmp_path / "r.jsonl") == records


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 2},
        {"source": "question"},
        {"text": 3},
        {"law": None},
        {"article_id": ...},
    ],
)
def test_what_is_no_reading_record(change: dict[str, object], tmp_path: Path) -> None:
    row = {"schema_version": 1, "source": "reading", "article_id": "a", "law": "b", "text": "c"}
    row = {key: value for key, value in {**row, **change}.items() if value is not ...}
    (tmp_path / "r.jsonl").write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(DataError, match="line 1 is not a reading record"):
        read_readings(tmp_path / "r.jsonl")


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(st.text(alphabet="甲乙。（）\na ", min_size=1, max_size=120), max_size=12),
    length=st.integers(16, 200),
)
def test_nothing_is_lost_or_doubled(
    texts: list[str], length: int, tokenizer: ChatTokenizer
) -> None:
    records = [ReadingRecord(str(number), "法", text) for number, text in enumerate(texts)]
    sequences = pack_readings(records, tokenizer, length, document_end=END)
    assert unpacked(sequences, tokenizer) == {r.article_id: r.text + END for r in records}
    for sequence in sequences:
        assert sequence.labels == sequence.input_ids
        assert len(sequence.input_ids) <= length


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(1, 62), max_size=30))
def test_what_fits_is_never_cut(sizes: list[int], tokenizer: ChatTokenizer) -> None:
    records = [ReadingRecord(str(n), "法", "x" * size) for n, size in enumerate(sizes)]
    sequences = pack_readings(records, tokenizer, 64, document_end=END)
    assert {segment.piece for s in sequences for segment in s.segments} <= {0}
    # Two half-empty sequences would have been one.
    assert sum(len(s.input_ids) <= 32 for s in sequences) <= 1


def test_a_long_article_is_cut_at_the_ends_of_sentences(tokenizer: ChatTokenizer) -> None:
    text = "一二三四五六七八。九十。\n" + "甲乙丙丁戊己庚辛壬。" * 3
    sequences = pack_readings([ReadingRecord("a", "法", text)], tokenizer, 40, document_end=END)
    pieces = sorted(
        (segment.piece, tokenizer.decode(sequence.input_ids))
        for sequence in sequences
        for segment in sequence.segments
    )
    assert [piece for _, piece in pieces] == [
        "一二三四五六七八。九十。\n",
        *["甲乙丙丁戊己庚辛壬。"] * 2,
        f"甲乙丙丁戊己庚辛壬。{END}",
    ]


def test_segments_tell_where_articles_begin(tokenizer: ChatTokenizer) -> None:
    records = [ReadingRecord("a", "法", "xxxx"), ReadingRecord("b", "法", "yy")]
    (sequence,) = pack_readings(records, tokenizer, 64, document_end=END)
    assert sequence.segments == (Segment("a", 0, 0), Segment("b", 0, 5))


def test_the_end_of_a_document_must_be_one_token(tokenizer: ChatTokenizer) -> None:
    with pytest.raises(ConfigError, match="expected one"):
        pack_readings([], tokenizer, 64)


def test_a_sequence_must_hold_a_character(tokenizer: ChatTokenizer) -> None:
    with pytest.raises(ConfigError, match="max_seq_length 8"):
        pack_readings([], tokenizer, 8, document_end=END)


@pytest.mark.slow
def test_with_qwens_tokenizer(shared_data: Path, statute: Statute) -> None:
    transformers = pytest.importorskip("transformers", reason="needs lawqa[train]")
    tokenizer = transformers.AutoTokenizer.from_pretrained(shared_data / "qwen3-tokenizer")
    records = list(reading_records(statute))
    sequences = pack_readings(records, tokenizer, 256)
    assert unpacked(sequences, tokenizer) == {
        r.article_id: f"{r.text}<|endoftext|>" for r in records
    }
