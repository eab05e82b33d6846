"""Retrieved contexts for questions: index -> articles -> context within its limit, with its sources.

Only a question's text and its choices are searched for. The right answer is never looked at, and the data
set's own context only afterwards, to tell whether an article that it quotes was retrieved.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lawqa.bars import Bar
from lawqa.errors import ConfigError, DataError
from lawqa.pipelines.corpus.indexes.audit import IndexAudit, leak_note
from lawqa.pipelines.corpus.indexes.building import open_retriever
from lawqa.pipelines.corpus.indexes.manifest import IndexManifest
from lawqa.pipelines.corpus.raft import depth, questions_without_gold, raft_context
from lawqa.pipelines.corpus.raft_config import RaftConfig
from lawqa.pipelines.evaluation.contexts import RagConfig, Retrieval, RetrievedContext
from lawqa.questions import Question, fingerprint
from lawqa.retrieval.context import Context, build_context
from lawqa.retrieval.evaluation import gold_positions
from lawqa.retrieval.hits import Hit
from lawqa.retrieval.index import StatuteIndex
from lawqa.retrieval.packing import Count
from lawqa.retrieval.passages import reach
from lawqa.retrieval.retriever import Retriever
from lawqa.splits import Leak
from lawqa.statutes.validity import not_known_in_force

_KEPT_COUNTS = 50_000

logger = logging.getLogger(__name__)


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
