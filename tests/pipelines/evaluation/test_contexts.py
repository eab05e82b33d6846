"""`lawqa.pipelines.evaluation.contexts`: what contexts are made with, before any is made."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from lawqa.errors import ConfigError
from lawqa.pipelines.evaluation.contexts import RagConfig, retrieval_differences
from lawqa.retrieval.context import CONTEXT_MAKER


def test_the_settings_are_stored_with_the_way_that_contexts_are_made() -> None:
    rag = RagConfig.from_index("index", top_k=3, as_of="2025-06-01")
    stored = rag.to_json()
    assert (stored["top_k"], stored["as_of"]) == (3, "2025-06-01")
    assert stored["retriever"]["index"] == "index"
    assert stored["context"] == CONTEXT_MAKER
    assert rag.as_of == date(2025, 6, 1)


def test_a_day_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="--as-of is 'June'"):
        RagConfig.from_index(Path("index"), as_of="June")


def test_retrieval_that_only_one_run_has_is_the_one_difference() -> None:
    stored = RagConfig.from_index("index").to_json()
    assert retrieval_differences(None, None, tokenizer_is_known=False) == {}
    assert retrieval_differences(None, stored, tokenizer_is_known=False) == {
        "the retrieval": (None, "on")
    }


def test_contexts_made_otherwise_differ_though_all_settings_are_the_same() -> None:
    stored = RagConfig.from_index("index").to_json()
    before = {**stored, "context": "passages-1", "index_sha256": "a"}
    assert retrieval_differences(
        before, {**stored, "index_sha256": "b"}, tokenizer_is_known=True
    ) == {
        "how the retrieval's contexts are made": ("passages-1", CONTEXT_MAKER),
        "the retrieval's index": ("a", "b"),
    }
