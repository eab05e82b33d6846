"""What the flags of retrieval mean once defaults, the day and the reranker are resolved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lawqa.errors import ConfigError
from lawqa.pipelines.evaluation.contexts import DEFAULT_MAX_CONTEXT_TOKENS, DEFAULT_TOP_K
from lawqa.pipelines.evaluation.retrieving import kept_after_reranking, rag_config
from lawqa.settings import RetrievalSettings

INDEX = RetrievalSettings(index=Path("index"))


def test_what_is_not_given_has_its_default() -> None:
    config = rag_config(INDEX, "model", "main")
    assert (config.top_k, config.max_context_tokens) == (DEFAULT_TOP_K, DEFAULT_MAX_CONTEXT_TOKENS)
    assert (config.tokenizer, config.revision) == ("model", "main")
    assert config.retriever.reranker_model is None
    assert config.retriever.settings.follow


def test_a_reranker_looks_at_all_that_is_retrieved_and_keeps_some() -> None:
    settings = replace(INDEX, use_reranker=True, reranker_model="cross", top_k=8, rerank_top_n=3)
    config = rag_config(settings, None)
    assert (config.top_k, config.retriever.rerank_depth) == (3, 8)
    assert config.retriever.reranker_model == "cross"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"index": None}, "needs --index DIR"),
        ({"as_of_strict": True}, "--as-of-strict needs --as-of"),
        ({"as_of": "June"}, "June"),
        ({"use_reranker": True}, "--use-reranker needs --reranker-model"),
        (
            {"use_reranker": True, "reranker_model": "m", "top_k": 3, "rerank_top_n": 4},
            "expected 1 to 3",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        rag_config(replace(INDEX, **changed), None)


def test_a_number_to_keep_without_a_reranker_is_said_to_be_unused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert kept_after_reranking(5, 2, use=False) == 5
    assert "--rerank-top-n unused" in caplog.text
