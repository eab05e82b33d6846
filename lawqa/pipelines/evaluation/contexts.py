"""What retrieved contexts are made with, and what came of it: settings and values; `rag` makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from lawqa.files import JsonObject
from lawqa.pipelines.corpus.indexes.retriever_config import RetrieverConfig
from lawqa.pipelines.corpus.raft_config import RaftConfig
from lawqa.questions import Question, fingerprint
from lawqa.retrieval.ranking.settings import SearchSettings
from lawqa.runs.context import RetrievedArticle, StoredContext
from lawqa.settings import (
    IndexMeasureSettings,
    ModelSettings,
    RetrievalSettings,
    Settings,
    StrPath,
    as_path,
    declaration,
    differences,
    within,
)
from lawqa.statutes.days import day_of

if TYPE_CHECKING:
    from lawqa.retrieval.pages import QuotedArticle

DEFAULT_TOP_K = 5
DEFAULT_MAX_CONTEXT_TOKENS = 2048


@dataclass(frozen=True)
class RagConfig(Settings):
    """Where contexts come from, and how long they are.

    What `lawqa.settings.RetrievalSettings` mean once defaults, the day and the reranker are resolved, and
    which tokenizer counts: that follows the model, or the server's.
    """

    retriever: RetrieverConfig = field(metadata=within(RetrieverConfig))
    """Which index is searched, and how."""
    top_k: int = field(default=DEFAULT_TOP_K, metadata=declaration(RetrievalSettings, "top_k"))
    """How many of the best articles a context is made of; passages of those after them may join (see
    `retrieval.passages.reach`)."""
    max_context_tokens: int = field(
        default=DEFAULT_MAX_CONTEXT_TOKENS,
        metadata=declaration(RetrievalSettings, "max_context_tokens"),
    )
    """The most tokens of one context, headings included."""
    tokenizer: str | None = field(
        default=None, metadata=declaration(IndexMeasureSettings, "tokenizer")
    )
    """The model whose tokenizer counts them; None where there is none: then characters are counted."""
    revision: str | None = field(default=None, metadata=declaration(ModelSettings, "revision"))
    """That model's revision."""
    as_of: date | None = field(default=None, metadata=declaration(RetrievalSettings, "as_of"))
    """The day whose law is asked about; None where nobody says."""
    as_of_strict: bool = field(
        default=False, metadata=declaration(RetrievalSettings, "as_of_strict")
    )
    """Refuse articles that are not known to be the law of that day, instead of a warning."""
    raft: RaftConfig | None = field(default=None, metadata=within(RaftConfig))
    """What contexts to train on have besides; None for contexts as they are evaluated."""

    @classmethod
    def from_index(
        cls,
        index: StrPath,
        *,
        top_k: int = DEFAULT_TOP_K,
        max_context_tokens: int = DEFAULT_MAX_CONTEXT_TOKENS,
        follow: bool = True,
        dense: str | None = None,
        tokenizer: StrPath | None = None,
        as_of: str | None = None,
        as_of_strict: bool = False,
    ) -> RagConfig:
        """Return contexts from the index of this directory, retrieved as `lawqa evaluate` does.

        Args:
            index: the directory that `lawqa index build` wrote.
            top_k: how many of the best articles a context is made of.
            max_context_tokens: the most tokens of one context.
            follow: follow references from and to the best article one step.
            dense: fuse in the ranking of the embedding model that the index was built with.
            tokenizer: the model whose tokenizer counts; None for the model that reads the context.
            as_of: the day whose law is asked about, such as 2025-06-01.
            as_of_strict: refuse articles that are not known to be the law of that day.

        Raises:
            ConfigError: the path is none, or `as_of` is no day such as 2025-06-01.
        """
        return cls(
            RetrieverConfig(as_path(index, "index"), SearchSettings(follow=follow), dense=dense),
            top_k=top_k,
            max_context_tokens=max_context_tokens,
            tokenizer=None if tokenizer is None else str(tokenizer),
            as_of=day_of(as_of),
            as_of_strict=as_of_strict,
        )

    def counted_by(self, model: str, revision: str | None) -> RagConfig:
        """Return the same contexts, counted by this model's tokenizer unless another is named."""
        return self if self.tokenizer else replace(self, tokenizer=model, revision=revision)

    def to_json(self) -> JsonObject:
        """Return the settings in plain JSON types."""
        # Most runs retrieve nothing, and a context's maker brings the whole of retrieval.
        from lawqa.retrieval.context import CONTEXT_MAKER

        settings = asdict(self)
        settings["retriever"]["index"] = str(self.retriever.index)
        settings["as_of"] = None if self.as_of is None else self.as_of.isoformat()
        # Contexts made before there were passages have no such entry: another setting to resume and compare.
        return {**settings, "context": CONTEXT_MAKER}


_CONTENTS = {
    "index_sha256": "the retrieval's index",
    "counted_in": "what the retrieval's contexts are counted in",
    "questions_without_gold": "the questions without their gold articles",
}
"""What the manifest of contexts says of what they were made of, as messages call it; old ones say less. The
index's digest is of its statutes and parameters."""


def retrieval_differences(
    before: JsonObject | None, after: JsonObject | None, *, tokenizer_is_known: bool
) -> dict[str, tuple[object, object]]:
    """Return what two retrievals do not share and decides contexts; where the index is does not.

    Args:
        before: what a manifest says of a retrieval, or the settings of one; None without retrieval.
        after: another.
        tokenizer_is_known: whether the model that counts is compared by its content elsewhere.

    Returns:
        Both values by the name that a user knows.
    """
    if before is None or after is None:
        shown = tuple(None if one is None else "on" for one in (before, after))
        return {} if shown[0] == shown[1] else {"the retrieval": (shown[0], shown[1])}
    beside = () if tokenizer_is_known else ("tokenizer", "revision")
    differing = differences(RagConfig, before, after, "evaluate", beside=beside)
    pairs = {
        name: (before[key], after[key])
        for key, name in _CONTENTS.items()
        if key in before and key in after
    }
    pairs["how the retrieval's contexts are made"] = before.get("context"), after.get("context")
    return differing | {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


@dataclass(frozen=True)
class RetrievedContext:
    """The context of one question and where it comes from."""

    text: str
    """What goes into the prompt."""
    sources: tuple[QuotedArticle, ...]
    """The articles in it, best first."""
    size: int
    """Its length, in the unit of the limit."""
    gold_retrieved: bool | None
    """Whether an article that the question's own context quotes is among them; None where it quotes none."""

    def stored(self) -> StoredContext:
        """Return what a stored result says of it."""
        articles = tuple(RetrievedArticle(**asdict(source)) for source in self.sources)
        return StoredContext(articles, self.size, self.gold_retrieved)


@dataclass(frozen=True)
class Retrieval:
    """The contexts of a set of questions."""

    contexts: Mapping[str, RetrievedContext]
    """By `questions.fingerprint`, which all orders of one question share."""
    manifest: JsonObject
    """What they were made with: hashes of index and corpus, parameters of index, search and context."""
    notes: tuple[str, ...] = ()
    """What must be read before any score with them."""

    def of(self, question: Question) -> RetrievedContext:
        """Return the context of a question."""
        return self.contexts[fingerprint(question)]

    def text(self, question: Question) -> str:
        """Return the context of a question as it goes into the prompt."""
        return self.of(question).text
