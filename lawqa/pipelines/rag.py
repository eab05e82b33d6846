"""Retrieved contexts for questions: index -> articles -> context within its limit, with its sources.

Only a question's text and its choices are searched for. The right answer is never looked at, and the data
set's own context only afterwards, to tell whether an article that it quotes was retrieved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from lawqa.bars import Bar
from lawqa.errors import ConfigError
from lawqa.pipelines.index import RetrieverConfig, open_retriever
from lawqa.pipelines.index_files import read_index_manifest
from lawqa.questions import Question, fingerprint
from lawqa.retrieval.context import CONTEXT_MAKER, Context, Count, Source, build_context
from lawqa.retrieval.evaluation import gold_positions
from lawqa.retrieval.passages import reach
from lawqa.retrieval.retriever import Retriever

DEFAULT_TOP_K = 5
DEFAULT_MAX_CONTEXT_TOKENS = 2048
_KEPT_COUNTS = 50_000


@dataclass(frozen=True)
class RagConfig:
    """Where contexts come from, and how long they are."""

    retriever: RetrieverConfig
    """Which index is searched, and how."""
    top_k: int = DEFAULT_TOP_K
    """How many of the best articles a context is made of; passages of those after them may join (see
    `retrieval.passages.reach`)."""
    max_context_tokens: int = DEFAULT_MAX_CONTEXT_TOKENS
    """The most tokens of one context, headings included."""
    tokenizer: str | None = None
    """The model whose tokenizer counts them; None where there is none: then characters are counted."""
    revision: str | None = None
    """That model's revision."""

    def to_json(self) -> dict[str, Any]:
        """The settings in plain JSON types."""
        settings = asdict(self)
        settings["retriever"]["index"] = str(self.retriever.index)
        # Contexts made before there were passages have no such entry: another setting to resume and compare.
        return {**settings, "context": CONTEXT_MAKER}


@dataclass(frozen=True)
class RetrievedContext:
    """The context of one question and where it comes from."""

    text: str
    """What goes into the prompt."""
    sources: tuple[Source, ...]
    """The articles in it, best first."""
    size: int
    """Its length, in the unit of the limit."""
    gold_retrieved: bool | None
    """Whether an article that the question's own context quotes is among them; None where it quotes none."""

    def to_row(self) -> dict[str, Any]:
        """What a stored result says of its context."""
        return {
            "retrieved_docs_count": len(self.sources),
            "retrieved_articles": [asdict(source) for source in self.sources],
            "retrieved_size": self.size,
            "gold_retrieved": self.gold_retrieved,
        }


@dataclass(frozen=True)
class Retrieval:
    """The contexts of a set of questions."""

    contexts: Mapping[str, RetrievedContext]
    """By `questions.fingerprint`, which all orders of one question share."""
    manifest: Mapping[str, Any]
    """What they were made with: hashes of index and corpus, parameters of index, search and context."""

    def of(self, question: Question) -> RetrievedContext:
        """The context of a question."""
        return self.contexts[fingerprint(question)]

    def text(self, question: Question) -> str:
        """The context of a question as it goes into the prompt."""
        return self.of(question).text


def retrieve_contexts(
    config: RagConfig, questions: Sequence[Question], *, quiet: bool = False
) -> Retrieval:
    """Find the articles for each question and set them as a context.

    Every order of a question's choices gets the same context.

    Args:
        config: which index, and how.
        questions: the questions.
        quiet: no progress.

    Raises:
        ConfigError: an option is out of range, there is no whole index, or nothing is found for a question.
        DataError: a file of the index is missing or differs from what was built.
        LawqaError: the tokenizer or a ranking model cannot be loaded.
    """
    _check(config)
    manifest = read_index_manifest(config.retriever.index)
    retriever = open_retriever(config.retriever)
    count = token_counter(config.tokenizer, config.revision)
    contexts: dict[str, RetrievedContext] = {}
    with Bar("retrieving contexts", "questions", len(questions), quiet=quiet) as bar:
        for question in bar.over(questions):
            mark = fingerprint(question)
            if mark not in contexts:
                contexts[mark] = _context(config, retriever, question, count)
    made_with = {
        **config.to_json(),
        "counted_in": "tokens" if config.tokenizer else "characters",
        "index_sha256": manifest["index_sha256"],
        "index_parameters": manifest["parameters"],
        "corpus": manifest["corpus"],
    }
    return Retrieval(contexts, made_with)


def _context(
    config: RagConfig, retriever: Retriever, question: Question, count: Count
) -> RetrievedContext:
    hits = retriever.retrieve(question, reach(config.top_k))
    context: Context = build_context(
        hits, limit=config.max_context_tokens, count=count, top_k=config.top_k
    )
    if not context.sources:
        why = "nothing in the index resembles it" if not hits else "no article fits the context"
        raise ConfigError(
            f"{question.key}: no context can be retrieved: {why}",
            "--max-context-tokens with a higher number" if hits else "index more statutes",
        )
    used = {source.id for source in context.sources}
    gold = gold_positions(question, retriever.index)
    shown = {hit.position for hit in hits if hit.article.id in used}
    found = None if gold is None else not shown.isdisjoint(gold)
    return RetrievedContext(context.text, context.sources, context.size, found)


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
    """What a context's length is counted by: a model's tokenizer; characters where there is none.

    Raises:
        LawqaError: the tokenizer cannot be loaded.
    """
    if model is None:
        return len
    from lawqa.backends.hf import require_packages

    require_packages(quantised=False)
    from lawqa.backends.hf.pretrained import load_tokenizer

    tokenizer = load_tokenizer(model, revision)
    # The same lines of statutes come in the contexts of many questions.
    return lru_cache(_KEPT_COUNTS)(
        lambda text: len(tokenizer.encode(text, add_special_tokens=False))
    )
