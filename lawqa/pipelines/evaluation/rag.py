"""Retrieved contexts for questions: index -> articles -> context within its limit, with its sources.

Only a question's text and its choices are searched for. The right answer is never looked at, and the data
set's own context only afterwards, to tell whether an article that it quotes was retrieved.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from functools import lru_cache

from lawqa.bars import Bar
from lawqa.errors import ConfigError, DataError
from lawqa.files import JsonObject
from lawqa.pipelines.corpus.indexes.audit import IndexAudit, leak_note
from lawqa.pipelines.corpus.indexes.building import RetrieverConfig, open_retriever
from lawqa.pipelines.corpus.indexes.manifest import IndexManifest
from lawqa.pipelines.corpus.raft import RaftConfig, depth, questions_without_gold, raft_context
from lawqa.questions import Question, fingerprint
from lawqa.retrieval.context import CONTEXT_MAKER, Context, build_context
from lawqa.retrieval.evaluation import gold_positions
from lawqa.retrieval.hits import Hit
from lawqa.retrieval.index import StatuteIndex
from lawqa.retrieval.packing import Count
from lawqa.retrieval.pages import QuotedArticle
from lawqa.retrieval.passages import reach
from lawqa.retrieval.ranking.settings import SearchSettings
from lawqa.retrieval.retriever import Retriever
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
from lawqa.splits import Leak
from lawqa.statutes.days import day_of
from lawqa.statutes.validity import not_known_in_force

DEFAULT_TOP_K = 5
DEFAULT_MAX_CONTEXT_TOKENS = 2048
_KEPT_COUNTS = 50_000

logger = logging.getLogger(__name__)


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


def retrieve_contexts(
    config: RagConfig,
    questions: Sequence[Question],
    *,
    quiet: bool = False,
    allow_leak: bool | None = None,
) -> Retrieval:
    """Find the articles for each question and set them as a context.

    Every order of a question's choices gets the same context.

    Args:
        config: which index, and how.
        questions: the questions.
        quiet: no progress.
        allow_leak: whether contexts may give their questions away, which is noted then; None where no flag
            of the caller allows it.

    Raises:
        ConfigError: an option is out of range, there is no whole index, or nothing is found for a question.
        DataError: a file of the index is missing or differs from what was built; the index gives questions
            away, and that is not allowed; or, with `as_of_strict`, an article shown is not known to be the
            law of that day.
        LawqaError: the tokenizer or a ranking model cannot be loaded.
    """
    _check(config)
    manifest = IndexManifest.read(config.retriever.index)
    retriever = open_retriever(config.retriever)
    count = token_counter(config.tokenizer, config.revision)
    raft = config.raft or RaftConfig()
    contexts: dict[str, RetrievedContext] = {}
    golds = {fingerprint(q): gold_positions(q, retriever.index) for q in questions}
    bare = questions_without_gold([q for q in questions if golds[fingerprint(q)]], raft)
    with Bar("retrieving contexts", "questions", len(questions), quiet=quiet) as bar:
        for question in bar.over(questions):
            mark = fingerprint(question)
            if mark not in contexts:
                make = _Maker(config, retriever, count, golds[mark])
                contexts[mark] = make.context(question, leave_out=mark in bare)
    _check_validity(config, contexts.values())
    leaks = _leaks(retriever.index, questions, contexts)
    notes = (leak_note(leaks, len(contexts), allow_leak=allow_leak),) if leaks else ()
    made_with = {
        **config.to_json(),
        "counted_in": "tokens" if config.tokenizer else "characters",
        "index_sha256": manifest.index_sha256,
        "index_parameters": manifest.parameters,
        "corpus": manifest.corpus,
        "audited": manifest.audit is not None,
    }
    if config.raft is not None:
        made_with["questions_without_gold"] = sorted(
            q.id for q in questions if fingerprint(q) in bare
        )
    return Retrieval(contexts, made_with, notes)


def _leaks(
    index: StatuteIndex, questions: Sequence[Question], contexts: Mapping[str, RetrievedContext]
) -> list[Leak]:
    """Return one leak of each question whose context gives it away."""
    audit = IndexAudit(questions, index)
    once = {fingerprint(question): question for question in questions}
    leaks = (
        audit.shown(
            question, contexts[mark].text, (source.law_id for source in contexts[mark].sources)
        )
        for mark, question in once.items()
    )
    return [leak for leak in leaks if leak is not None]


@dataclass(frozen=True)
class _Maker:
    """Makes the context of one question."""

    config: RagConfig
    retriever: Retriever
    count: Count
    gold: frozenset[int] | None

    def context(self, question: Question, *, leave_out: bool) -> RetrievedContext:
        config = self.config
        deep = depth(config.top_k) if config.raft else reach(config.top_k)
        hits = self.retriever.retrieve(question, deep)
        context = self._text(hits, question, leave_out=leave_out)
        if not context.sources:
            why = "nothing in the index resembles it" if not hits else "no article fits the context"
            raise ConfigError(
                f"{question.key}: no context can be retrieved: {why}",
                "--max-context-tokens with a higher number" if hits else "index more statutes",
            )
        used = {source.id for source in context.sources}
        shown = {hit.position for hit in hits if hit.article.id in used}
        holds_gold = None if self.gold is None else not shown.isdisjoint(self.gold)
        return RetrievedContext(context.text, context.sources, context.size, holds_gold)

    def _text(self, hits: Sequence[Hit], question: Question, *, leave_out: bool) -> Context:
        config, limit = self.config, self.config.max_context_tokens
        if config.raft is None:
            return build_context(hits, limit=limit, count=self.count, top_k=config.top_k)
        return raft_context(
            hits, self.gold or frozenset(), question, config.raft,
            leave_out=leave_out, limit=limit, count=self.count, top_k=config.top_k,
        )  # fmt: skip


def _check_validity(config: RagConfig, contexts: Iterable[RetrievedContext]) -> None:
    """Say or refuse what is not known to be the law of the day that is asked about."""
    if config.as_of is None:
        return
    shown = {source.id: source for context in contexts for source in context.sources}
    said = not_known_in_force(shown.values(), config.as_of)
    if said and config.as_of_strict:
        raise DataError(
            "\n".join(["--as-of-strict:", *said]),
            "lawqa statutes parse --as-of DAY  writes the articles of a day; index those",
        )
    for sentence in said:
        logger.warning("note: %s", sentence)


def _check(config: RagConfig) -> None:
    problems = [
        f"{flag} is {value}, expected 1 or more"
        for flag, value in (
            ("--top-k", config.top_k),
            ("--max-context-tokens", config.max_context_tokens),
        )
        if value < 1
    ]
    if problems:
        raise ConfigError("\n".join(problems))


def token_counter(model: str | None, revision: str | None = None) -> Count:
    """Return what a context's length is counted by: a model's tokenizer; characters where there is none.

    Raises:
        LawqaError: the tokenizer cannot be loaded.
    """
    if model is None:
        return len
    from lawqa.models import require_packages

    require_packages(quantised=False)
    from lawqa.models.pretrained import load_tokenizer

    tokenizer = load_tokenizer(model, revision)
    # The same lines of statutes come in the contexts of many questions.
    return lru_cache(_KEPT_COUNTS)(
        lambda text: len(tokenizer.encode(text, add_special_tokens=False))
    )
