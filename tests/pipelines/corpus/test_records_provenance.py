"""What is kept of retrieved contexts beside records: read for these records only, and said in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from lawqa.digests import sha256_of
from lawqa.errors import DataError
from lawqa.pipelines.corpus.records_provenance import (
    provenance_path,
    raft_text,
    retrieval_of,
    write_provenance,
)

RAFT = {
    "top_k": 5,
    "raft": {"distractors": 2, "without_gold": 0.25, "seed": 0},
    "questions_without_gold": ["民法_1"],
}


@pytest.fixture
def records(tmp_path: Path) -> Path:
    path = tmp_path / "train.jsonl"
    path.write_text("{}\n", encoding="utf-8")
    write_provenance(path, RAFT, ["direct-rag-v1"], 0)
    return path


def test_it_is_read_for_the_records_that_it_was_written_for(records: Path) -> None:
    assert retrieval_of(records, sha256_of(records)) == RAFT


def test_one_left_over_from_other_records_is_not_believed(records: Path) -> None:
    records.write_text("{}\n{}\n", encoding="utf-8")
    assert retrieval_of(records, sha256_of(records)) is None


def test_without_one_nothing_is_known(records: Path) -> None:
    provenance_path(records).unlink()
    assert retrieval_of(records, sha256_of(records)) is None


@pytest.mark.parametrize(
    "content", ["[]", "{}", '{"settings": 1}', '{"settings": {"retrieval": 3}}']
)
def test_one_of_another_form_says_nothing(records: Path, content: str) -> None:
    provenance_path(records).write_text(content, encoding="utf-8")
    assert retrieval_of(records, sha256_of(records)) is None


def test_a_torn_one_is_named(records: Path) -> None:
    provenance_path(records).write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"train\.provenance\.json"):
        retrieval_of(records, sha256_of(records))


def test_only_raft_is_worth_words() -> None:
    assert raft_text(RAFT) == (
        "retrieved contexts (--distractors 2); the gold articles are left out for 1 of the questions "
        "(--without-gold 0.25)"
    )
    assert raft_text({"raft": None}) == raft_text({}) == raft_text(None) == ""
