"""Retrieval indexes: built from an article file, opened with their manifest."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from lawqa.bars import Bar
from lawqa.errors import ConfigError, DataError, Interrupted
from lawqa.files import JsonObject
from lawqa.pipelines.corpus.indexes.audit import IndexAudit, reasons_text, refuse
from lawqa.pipelines.corpus.indexes.files import index_being_built
from lawqa.pipelines.corpus.indexes.manifest import (
    AuditRecord,
    DenseModel,
    IndexLeak,
    IndexManifest,
    files_in,
    index_sha256,
)
from lawqa.pipelines.corpus.indexes.retriever_config import RetrieverConfig
from lawqa.questions import read_question_file
from lawqa.retrieval.bm25 import Bm25Parameters, require_bm25s
from lawqa.retrieval.dense import (
    CrossEncoderReranker,
    EmbeddingRanker,
    Reranker,
    SentenceEncoder,
    write_embeddings,
)
from lawqa.retrieval.documents.reading import document_paths, documents_sha256, read_documents
from lawqa.retrieval.index import StatuteIndex
from lawqa.retrieval.indexing import write_index
from lawqa.retrieval.retriever import Retriever
from lawqa.runs.environment import describe_environment
from lawqa.runs.manifest import now
from lawqa.settings import IndexSettings, QuietSettings
from lawqa.statutes.articles import Article, corpus_sha256, count_articles_in, read_articles
from lawqa.statutes.validity import RevisionCount


@dataclass(frozen=True, kw_only=True)
class IndexConfig(IndexSettings, QuietSettings):
    """What to index, and where to."""

    @property
    def parameters(self) -> Bm25Parameters:
        """How words are weighed."""
        return Bm25Parameters(k1=self.k1, b=self.b)

    def sources(self) -> list[Path]:
        """Return what is indexed.

        Raises:
            ConfigError: nothing.
        """
        paths = [path for path in (self.articles, self.documents) if path is not None]
        if not paths:
            raise ConfigError(
                "nothing to index", "--articles ARTICLES.jsonl, --documents DIR, or both"
            )
        return paths

    def read(self) -> Iterator[Article]:
        """Yield the articles, then the sections of the documents."""
        if self.articles is not None:
            yield from read_articles(self.articles)
        if self.documents is not None:
            yield from read_documents(self.documents)

    def total(self) -> int:
        """Return how many there are."""
        articles = count_articles_in(self.articles) if self.articles else 0
        return articles + (sum(1 for _ in read_documents(self.documents)) if self.documents else 0)


def build_index(config: IndexConfig, say: Callable[[str], object] = str) -> IndexManifest:
    """Index an article file; the directory gets all of it at the end, or nothing.

    Args:
        config: what is indexed, and where to.
        say: receives what is being done, once nothing that was given is wrong.

    Returns:
        The manifest.

    Raises:
        ConfigError: the directory holds an index and `fresh` is not given, or holds something else.
        DataError: the article file or a document cannot be read, or a line is broken; or one of them gives
            away questions that are audited.
        MissingExtraError: bm25s, or for a dense index sentence-transformers, is not installed.
        Interrupted: Ctrl-C.
    """
    try:
        return _built(config, say)
    except KeyboardInterrupt:
        left = f"{config.output_dir} is as it was before; the same command starts over"
        raise Interrupted(signal.SIGINT, left) from None


def _built(config: IndexConfig, say: Callable[[str], object]) -> IndexManifest:
    require_bm25s()
    encoder = None if config.dense is None else SentenceEncoder(config.dense)
    for source in config.sources():
        if config.output_dir.resolve() in (source.resolve(), *source.resolve().parents):
            raise ConfigError(
                f"{source}: lies in the index's own directory, which --fresh would empty",
                "keep the articles elsewhere",
            )
    started, corpus, revisions = now(), _corpus(config), RevisionCount()
    audit = _audit(config)
    with index_being_built(config.output_dir, fresh=config.fresh) as directory:
        say(f"indexing {' and '.join(map(str, config.sources()))} …")
        total = config.total()  # seconds, of a build that takes minutes
        with Bar("indexing", "articles", total, quiet=config.quiet) as bar:
            articles = _counting(bar.over(config.read()), revisions)
            counts = write_index(articles, directory, config.parameters, quiet=config.quiet)
        dense = None
        if encoder is not None and config.dense is not None:
            with Bar("embedding", "articles", counts.articles, quiet=config.quiet) as bar:
                articles = bar.over(config.read())
                dimension = write_embeddings(directory, articles, encoder)
            dense = DenseModel(config.dense, dimension)
        files = files_in(directory)
        manifest = IndexManifest(
            corpus=corpus,
            parameters={
                "method": "bm25 (lucene)",
                **asdict(config.parameters),
                "tokens": "character bigrams",
                "unit": "paragraph with its article's header",
            },
            dense=dense,
            counts=counts,
            revisions=revisions.counted(),
            audit=audit,
            index_sha256=index_sha256(files),
            files=files,
            environment={**describe_environment(), "bm25s": version("bm25s")},
            started=started,
            ended=now(),
        )
        manifest.write(directory)
    return manifest


def open_retriever(config: RetrieverConfig) -> Retriever:
    """Open an index for searching, when every file of it is as it was built.

    Raises:
        ConfigError: there is no whole index, or it was not built with this embedding model.
        DataError: a file of it is missing or differs from what was built.
        MissingExtraError: a model is asked for and sentence-transformers is not installed.
    """
    manifest = IndexManifest.read(config.index)
    manifest.verify(config.index)
    index = StatuteIndex(config.index)
    dense = None
    if config.dense is not None:
        built_with = manifest.dense.model if manifest.dense else None
        if built_with != config.dense:
            built = f"with {built_with}" if built_with else "without embeddings"
            raise ConfigError(
                f"{config.index}: was built {built}, not with {config.dense}",
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
        rerank_depth=config.rerank_depth,
    )


def _audit(config: IndexConfig) -> AuditRecord | None:
    """Return what the manifest says of the audit; None where no questions are named.

    Raises:
        DataError: something gives questions away, and that is not allowed.
    """
    if config.audit is None:
        return None
    file = read_question_file(config.audit)
    with Bar("auditing", "articles", config.total(), quiet=config.quiet) as bar:
        leaks = list(IndexAudit(file.questions).whole(iter(bar.over(config.read()))))
    if leaks and not config.allow_leak:
        raise refuse(leaks)
    return AuditRecord(
        str(config.audit), file.sha256, len(file.questions),
        tuple(IndexLeak(leak.train, leak.test, reasons_text(leak)) for leak in leaks),
    )  # fmt: skip


def _counting(articles: Iterable[Article], revisions: RevisionCount) -> Iterator[Article]:
    """Yield the articles, their revisions counted on the way."""
    for article in articles:
        revisions.add(article.revision)
        yield article


def _corpus(config: IndexConfig) -> JsonObject:
    """Return what the manifest says of the article file and the documents."""
    path, documents = config.articles, config.documents
    if documents is None:
        assert path is not None  # noqa: S101 - one of them is given
        return _file(path)
    of_documents = {"path": str(documents), "sha256": documents_sha256(documents)}
    of_documents["documents"] = str(len(document_paths(documents)))
    if path is None:
        return of_documents
    both = _file(path)
    # One hash of both: other documents beside the same articles are another corpus.
    digest = hashlib.sha256(f"{both['sha256']}\n{of_documents['sha256']}\n".encode()).hexdigest()
    return {**both, "sha256": digest, "articles_sha256": both["sha256"], "documents": of_documents}


def _file(path: Path) -> JsonObject:
    """Return what the manifest says of an article file."""
    try:
        return {"path": str(path), "sha256": corpus_sha256(path), "size": path.stat().st_size}
    except FileNotFoundError:
        raise DataError(
            f"{path}: no such file", "lawqa statutes parse  writes articles from e-Gov's XML"
        ) from None
    except OSError as problem:
        raise DataError(f"{path}: cannot be read: {problem.strerror}") from None
