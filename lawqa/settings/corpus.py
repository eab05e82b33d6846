"""What is made of statutes and questions: articles, indexes, splits, records, generated questions."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lawqa.settings.accepted import Settings
from lawqa.settings.declared import (
    GIVEN,
    PLACE,
    RESULT,
    SPEED,
    by_content,
    declaration,
    named,
    only_with,
)
from lawqa.settings.evaluation import DEFAULT_DATA, AnswererSettings, AskedSettings, RunSettings
from lawqa.settings.model import DEFAULT_MODEL, ModelSettings
from lawqa.settings.retrieval import IndexMeasureSettings, RetrievalSettings
from lawqa.settings.training_run import AdapterOutputs
from lawqa.settings.values import Permutations

Scheme = Literal["holdout", "kfold", "lab-final"]
"""How questions are divided."""

LawPart = Literal["main", "suppl", "appdx", "preamble"]
"""A part of a law: 本則, 附則, 別表 and forms, 前文."""

QuestionTypeName = Literal[
    "cloze", "altered", "which",
    "reading", "judged", "counted", "listed", "excepted", "penalised", "defined",
    "referred", "applied",
]  # fmt: skip
"""A type of generated question; `reading` stands for all that string matching does not solve."""


@dataclass(frozen=True)
class ParseSettings(Settings):
    """Which statutes become articles."""

    input: Path = field(metadata=by_content(RESULT))
    """e-Gov's bulk download: the zip itself or its unpacked folder; or one XML file."""
    output: Path = field(metadata=declaration(RunSettings, "output"))
    """The JSONL file to write."""
    as_of: str | None = field(default=None, metadata=declaration(RetrievalSettings, "as_of"))
    """Read the revisions in force on this day, such as 2025-06-01. Without it: today."""
    workers: int | None = field(default=None, metadata=SPEED)
    """Processes. Without it: one a CPU."""
    resume: bool = field(default=False, metadata=declaration(RunSettings, "resume"))
    """Resume an interrupted parse."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Replace an earlier file or an interrupted parse."""


@dataclass(frozen=True, kw_only=True)
class IndexSettings(Settings):
    """What is indexed, and how its words are weighed."""

    output_dir: Path = field(metadata=declaration(AdapterOutputs, "output_dir"))
    """The index directory."""
    articles: Path | None = field(default=None, metadata=by_content(RESULT))
    """Articles from `lawqa statutes parse`, or of the earlier form; also .gz or .xz."""
    documents: Path | None = field(default=None, metadata=by_content(RESULT))
    """A directory of guidelines, notices and the like: .md, .txt, .html, .pdf (extra documents)."""
    audit: Path | None = field(default=None, metadata=by_content(PLACE))
    """Questions that nothing indexed may give away: refused are passages that print one, and documents that
    are copies of their contexts."""
    allow_leak: bool = field(default=False, metadata=declaration(RunSettings, "allow_leak"))
    """Index such passages all the same; the index says so."""
    k1: float = field(default=0.9, metadata=RESULT)
    """BM25: how soon a repeated word stops counting."""
    b: float = field(default=0.4, metadata=RESULT)
    """BM25: how much long paragraphs are discounted, 0 to 1."""
    dense: str | None = field(default=None, metadata=RESULT)
    """Also store embeddings of this sentence-transformers model, for --dense in a search."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Replace an earlier index."""


@dataclass(frozen=True)
class SplitSettings(Settings):
    """Which questions are divided, and how."""

    input: Path = field(metadata=by_content(RESULT))
    """The questions: lawqa_jp JSON, or JSONL."""
    output_dir: Path = field(metadata=declaration(AdapterOutputs, "output_dir"))
    """Where the parts and split.json go."""
    scheme: Scheme = field(default="holdout", metadata=RESULT)
    """holdout: train, dev and test; kfold: every question is a test question once; lab-final: the lab's
    own 100 / 40 split, which leaks, kept to compare with its figures."""
    folds: int | None = field(default=None, metadata=RESULT)
    """Of kfold: how many. Default 5."""
    test_size: float | None = field(default=None, metadata=RESULT)
    """Of holdout: questions to measure on, a share below 1 or a count. Default 0.3."""
    dev_size: float | None = field(default=None, metadata=RESULT)
    """Questions to choose settings by, a share of all below 1 or a count. Without it: no dev part."""
    seed: int | None = field(default=None, metadata=declaration(AnswererSettings, "seed"))
    """Decides which groups come where. Default 0; the lab's split has its own."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Replace an earlier split in the output directory."""


@dataclass(frozen=True)
class StatuteQuestionSettings(Settings):
    """Which questions are made of statutes, and what is kept out of them."""

    articles: Path = field(metadata=declaration(IndexSettings, "articles"))
    """Article JSONL, such as `lawqa statutes parse` writes; also .gz or .xz."""
    output: Path = field(metadata=declaration(RunSettings, "output"))
    """The question file to write, in lawqa_jp's schema."""
    exclude_articles_of: Path | None = field(default=None, metadata=by_content(RESULT))
    """Questions that are evaluated on: nothing of the articles they cite is used, nor anything near them."""
    exclude: tuple[Path, ...] = field(default=(), metadata=by_content(RESULT))
    """Question files of which no duplicate may be made."""
    types: tuple[QuestionTypeName, ...] = field(
        default=("cloze", "altered", "which"), metadata=RESULT
    )
    """cloze: the missing words; altered: the true statement among altered ones; which: the provision that
    says it. String matching solves these three. `reading` means all that it does not solve:
    judged: the right or the wrong one of four statements in other words; counted: how many of four are
    right; listed: what a list holds; excepted: the exception to a rule; penalised: the penalty for a
    breach; defined: what holds for somebody described by a definition; referred: who must ask for what a rule
    speaks of by a reference to another; applied: what holds where a provision applies another mutatis
    mutandis (準用)."""
    limit: int | None = field(default=None, metadata=RESULT)
    """At most N, a multiple of four; questions that need reading are then made of some laws, at random. A
    quarter of those that need reading asks for the wrong choice, where judged or counted are among them."""
    seed: int = field(default=0, metadata=declaration(AnswererSettings, "seed"))
    """Decides wrong answers, wordings, order, and what a limit keeps."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Replace an earlier file."""


@dataclass(frozen=True)
class ReadingSettings(Settings):
    """Which articles are written to be read."""

    articles: Path = field(metadata=declaration(StatuteQuestionSettings, "articles"))
    """Article JSONL, such as `lawqa statutes parse` writes; also .gz or .xz."""
    output: Path = field(metadata=declaration(RunSettings, "output"))
    """The JSONL file to write."""
    parts: tuple[LawPart, ...] = field(default=("main",), metadata=RESULT)
    """Which parts of the laws: 本則, 附則, 別表 and forms, 前文."""
    exclude_articles_of: Path | None = field(
        default=None, metadata=declaration(StatuteQuestionSettings, "exclude_articles_of")
    )
    """Questions that are evaluated on: the articles they cite are not read."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Replace an earlier file."""


@dataclass(frozen=True, kw_only=True)
class RecordFileSettings(Settings):
    """Which questions become training records, and how their prompts are made."""

    data: Path = field(
        default=DEFAULT_DATA,
        metadata=named(declaration(IndexMeasureSettings, "questions"), evaluate="--lawqa-path"),
    )
    """The questions: lawqa_jp JSON, or JSONL."""
    output_path: Path = field(metadata=PLACE)
    """The JSONL file to write."""
    mix: str | None = field(default=None, metadata=RESULT)
    """Several conditions by ratio, such as closed=1,gold=2, instead of --condition."""
    permutations: Permutations = field(
        default=1, metadata=declaration(AskedSettings, "permutations")
    )
    """Write each question in N orders of its choices."""
    samples: int | None = field(default=None, metadata=declaration(AskedSettings, "samples"))
    """Use only the first N questions."""
    seed: int = field(
        default=0, metadata=only_with(RESULT, mix=GIVEN, distractors=GIVEN, without_gold=GIVEN)
    )
    """Decides which question gets which condition of --mix, and what --distractors and --without-gold do."""
    model_name: str = field(
        default=DEFAULT_MODEL,
        metadata=only_with(declaration(ModelSettings, "model_name"), index=GIVEN),
    )
    """The model whose tokenizer counts --max-context-tokens; used for retrieved contexts only."""
    revision: str | None = field(
        default=None, metadata=only_with(declaration(ModelSettings, "revision"), index=GIVEN)
    )
    """Its revision."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Replace an earlier file."""
