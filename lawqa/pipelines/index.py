"""Retrieval indexes on disk: built from an article file, opened with their manifest, evaluated.

manifest.json tells what the index is made of: corpus, parameters, counts and hashes. Its `status` is
`running` until every other file is written.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lawqa.errors import ConfigError, DataError
from lawqa.questions import file_sha256, read_questions
from lawqa.retrieval.articles import corpus_sha256, read_articles
from lawqa.retrieval.bm25 import Bm25Parameters
from lawqa.retrieval.dense import (
    CrossEncoderReranker,
    EmbeddingRanker,
    Reranker,
    SentenceEncoder,
    write_embeddings,
)
from lawqa.retrieval.evaluation import evaluate_retrieval, summarise
from lawqa.retrieval.index import StatuteIndex
from lawqa.retrieval.indexing import write_index
from lawqa.retrieval.retriever import Retriever, SearchSettings
from lawqa.runs import (
    MANIFEST,
    SCHEMA_VERSION,
    describe_environment,
    now,
    read_manifest,
    write_json,
)

_NOT_HASHED = ("manifest.json", "articles.bin")
"""Compressed text may differ by a byte between versions of zlib; the corpus has a hash of its own."""


@dataclass(frozen=True)
class IndexConfig:
    """What to index, and where to."""

    articles: Path
    """Articles as JSONL, also .gz or .xz."""
    output_dir: Path
    """The index directory."""
    parameters: Bm25Parameters = field(default_factory=Bm25Parameters)
    """How words are weighed."""
    dense: str | None = None
    """An embedding model whose vectors are stored too; None for none."""
    fresh: bool = False
    """Replace an earlier index."""


@dataclass(frozen=True)
class RetrieverConfig:
    """Which index to search, and how."""

    index: Path
    """The index directory."""
    settings: SearchSettings = field(default_factory=SearchSettings)
    """How articles are ranked."""
    dense: str | None = None
    """The embedding model whose ranking is fused in; the one the index was built with. None for none."""
    reranker_model: str | None = None
    """The cross-encoder that reorders the first articles; None for none."""
    rerank_top_n: int = 20
    """How many it reorders."""


def build_index(config: IndexConfig) -> dict[str, Any]:
    """Index an article file.

    Returns:
        The manifest.

    Raises:
        ConfigError: the directory holds an index and `fresh` is not given, or holds something else.
        DataError: the article file cannot be read, or a line is broken.
        MissingExtraError: bm25s, or for a dense index sentence-transformers, is not installed.
    """
    directory = config.output_dir
    _check_free(directory, fresh=config.fresh)
    encoder = None if config.dense is None else SentenceEncoder(config.dense)
    corpus = {
        "path": str(config.articles),
        "sha256": _corpus_hash(config.articles),
        "size": config.articles.stat().st_size,
    }
    manifest: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "kind": "index",
        "status": "running",
        "started": now(),
        "corpus": corpus,
        "parameters": {
            "method": "bm25 (lucene)",
            **asdict(config.parameters),
            "tokens": "character bigrams",
            "unit": "paragraph with its article's header",
        },
        "dense": None,
        "environment": {**describe_environment(), "bm25s": version("bm25s")},
    }
    _clear(directory)
    write_json(directory / MANIFEST, manifest)
    counts = write_index(read_articles(config.articles), directory, config.parameters)
    if encoder is not None:
        dimension = write_embeddings(directory, read_articles(config.articles), encoder)
        manifest["dense"] = {"model": config.dense, "dimension": dimension}
    manifest.update(
        status="done", ended=now(), counts=asdict(counts), index_sha256=index_sha256(directory)
    )
    write_json(directory / MANIFEST, manifest)
    return manifest


def read_index_manifest(directory: Path) -> dict[str, Any]:
    """The manifest of an index.

    Raises:
        ConfigError: there is no whole index in this directory.
        DataError: its manifest is broken or of another layout.
    """
    hint = f"lawqa index build --articles ARTICLES.jsonl --output-dir {directory}  builds one"
    if not (directory / MANIFEST).is_file():
        raise ConfigError(f"{directory}: holds no index", hint)
    manifest = read_manifest(directory)
    if manifest.get("kind") != "index":
        raise ConfigError(f"{directory}: holds no index but a {manifest.get('kind')} run", hint)
    if manifest.get("status") != "done":
        raise ConfigError(f"{directory}: the index was not finished", f"{hint} (with --fresh)")
    return manifest


def open_retriever(config: RetrieverConfig) -> Retriever:
    """Open an index for searching.

    Raises:
        ConfigError: there is no whole index, or it was not built with this embedding model.
        DataError: a file of it is missing or broken.
        MissingExtraError: a model is asked for and sentence-transformers is not installed.
    """
    manifest = read_index_manifest(config.index)
    index = StatuteIndex(config.index)
    dense = None
    if config.dense is not None:
        built_with = (manifest["dense"] or {}).get("model")
        if built_with != config.dense:
            found = f"with {built_with}" if built_with else "without embeddings"
            raise ConfigError(
                f"{config.index}: was built {found}, not with {config.dense}",
                f"lawqa index build … --dense {config.dense} --fresh",
            )
        dense = EmbeddingRanker(config.index, SentenceEncoder(config.dense), index.id_rank)
    reranker: Reranker | None = None
    if config.reranker_model is not None:
        reranker = CrossEncoderReranker(config.reranker_model)
    return Retriever(
        index,
        config.settings,
        dense=dense,
        reranker=reranker,
        rerank_top_n=config.rerank_top_n,
    )


def evaluate_index(config: RetrieverConfig, questions: Path) -> dict[str, Any]:
    """How well an index finds the gold articles of questions, as JSON (see `evaluation.summarise`).

    Raises:
        DataError: the questions cannot be read, or none of them has a gold article.
        ConfigError: as `open_retriever`.
    """
    retriever = open_retriever(config)
    asked = read_questions(questions)
    results = evaluate_retrieval(
        asked,
        retriever.index,
        lambda question, depth: (
            retriever.rank(question.text, question.choices, depth=depth).positions
        ),
    )
    manifest = read_index_manifest(config.index)
    return {
        "schema_version": SCHEMA_VERSION,
        **summarise(results, len(asked)),
        "index": {"path": str(config.index), "sha256": manifest["index_sha256"]},
        "corpus": manifest["corpus"],
        "questions": {"path": str(questions), "sha256": file_sha256(questions)},
        "settings": {
            **asdict(config.settings),
            "dense": config.dense,
            "reranker_model": config.reranker_model,
        },
    }


def index_sha256(directory: Path) -> str:
    """One hash of all that decides what is found: the same corpus and parameters give the same."""
    digest = hashlib.sha256()
    for path in sorted(directory.iterdir()):
        if path.name not in _NOT_HASHED:
            digest.update(f"{path.name}\x00{corpus_sha256(path)}\n".encode())
    return digest.hexdigest()


def _check_free(directory: Path, *, fresh: bool) -> None:
    if directory.exists() and not directory.is_dir():
        raise ConfigError(f"{directory}: is a file, expected a directory for the index")
    if not directory.exists() or not any(directory.iterdir()):
        return
    if not (directory / MANIFEST).is_file() or _kind(directory) != "index":
        raise ConfigError(
            f"{directory}: is not empty and holds no index", "name a directory of its own"
        )
    if not fresh:
        raise ConfigError(
            f"{directory}: already holds an index",
            "--fresh replaces it; or name another directory",
        )


def _kind(directory: Path) -> object:
    try:
        return read_manifest(directory).get("kind")
    except DataError:
        return None


def _clear(directory: Path) -> None:
    """Make the directory, without the files of an earlier index; whoever has it open keeps them."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path in directory.iterdir():
            path.unlink()
    except OSError as problem:
        raise ConfigError(f"{directory}: cannot be written: {problem.strerror}") from None


def _corpus_hash(path: Path) -> str:
    try:
        return corpus_sha256(path)
    except FileNotFoundError:
        raise DataError(
            f"{path}: no such file", "lawqa statutes parse  writes articles from e-Gov's XML"
        ) from None
    except OSError as problem:
        raise DataError(f"{path}: cannot be read: {problem.strerror}") from None
