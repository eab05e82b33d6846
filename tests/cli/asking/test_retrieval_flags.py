"""The flags of retrieved contexts: whether they were given, and what they mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from lawqa.cli.asking.retrieval_flags import RetrievalFlags
from lawqa.errors import ConfigError


def test_flags_without_a_retrieved_context_are_named() -> None:
    flags = RetrievalFlags(index=Path("index"), follow=False)
    assert flags.config(("closed", "gold"), None) is None
    assert flags.unused(None) == ["--index, --no-follow unused: no prompt has a retrieved context"]
    assert RetrievalFlags().unused(None) == []


def test_one_condition_rag_makes_them_count() -> None:
    flags = RetrievalFlags(index=Path("index"), top_k=3)
    config = flags.config(("gold", "rag"), "model")
    assert config is not None
    assert (config.top_k, config.tokenizer) == (3, "model")
    assert flags.unused(config) == []
    with pytest.raises(ConfigError, match="needs --index DIR"):
        RetrievalFlags(top_k=3).config(("rag",), None)
