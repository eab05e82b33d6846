"""Write what is made of statutes: question files with their provenance, and reading records."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from lawqa._version import __version__
from lawqa.amounts import counted
from lawqa.augment.citing import cited_articles
from lawqa.augment.question_types import QUESTION_TYPES, READING_TYPES, QuestionType
from lawqa.augment.reading import reading_records, write_readings
from lawqa.augment.statutes import GeneratedQuestion, StatuteQuestions, make_statute_questions
from lawqa.bars import Bar
from lawqa.errors import ConfigError
from lawqa.files import JsonObject, write_json
from lawqa.pipelines.corpus.records_provenance import provenance_path
from lawqa.questions import Question, file_sha256, fingerprint, read_questions, write_questions
from lawqa.settings import QuietSettings, ReadingSettings, StatuteQuestionSettings
from lawqa.splits import find_leaks
from lawqa.statutes.article_names import ArticleName
from lawqa.statutes.articles import (
    Article,
    corpus_sha256,
    count_articles_in,
    read_articles,
)

SCHEMA_VERSION = 1
"""The layout of the provenance file."""

_DUPLICATES = ("id", "question", "question and answer", "near question", "question text")
"""What makes a generated question a duplicate of one that is only to be left out itself."""


@dataclass(frozen=True)
class StatutesConfig(StatuteQuestionSettings, QuietSettings):
    """What to make questions of, and what to keep out."""

    @property
    def question_types(self) -> tuple[QuestionType, ...]:
        """The types, with `reading` replaced by those it stands for."""
        listed = (READING_TYPES if name == "reading" else (name,) for name in self.types)
        return tuple(dict.fromkeys(chain.from_iterable(listed)))


@dataclass(frozen=True)
class StatutesResult:
    """What was written."""

    made: StatuteQuestions
    """The questions and what was left out."""
    provenance: Path
    """The file beside the questions that says where each comes from."""
    notes: tuple[str, ...]
    """What a user should know, a sentence each."""


@dataclass(frozen=True)
class ReadingConfig(ReadingSettings, QuietSettings):
    """What to read."""


def write_statute_questions(config: StatutesConfig) -> StatutesResult:
    """Make questions of statutes and write them with their provenance.

    Raises:
        DataError: an input cannot be read.
        ConfigError: options make no sense, an output exists already, or nothing could be made.
    """
    _check_output(config)
    evaluated = _questions([config.exclude_articles_of] if config.exclude_articles_of else [])
    others = _questions(config.exclude)
    with _reading_bar(config) as bar:
        articles = list(bar.over(read_articles(config.articles)))
    cited = cited_articles(evaluated, [article.law_title for article in articles])
    made = make_statute_questions(
        articles,
        types=config.question_types,
        seed=config.seed,
        limit=config.limit,
        excluded=cited,
        audit=_audit(evaluated, others),
        quiet=config.quiet,
    )
    if not made.questions:
        raise ConfigError(
            f"{config.articles}: no question could be made of it",
            "four-choice questions need main provisions of some length; "
            f"left out: {made.articles_left_out | made.questions_left_out}",
        )
    provenance = provenance_path(config.output)
    _replace(
        config.output, lambda path: write_questions(path, (g.question for g in made.questions))
    )
    write_json(provenance, _provenance(config, made, cited))
    return StatutesResult(made, provenance, tuple(_notes(cited, articles)))


def write_reading(config: ReadingConfig) -> int:
    """Write the articles of a file as reading records; returns how many.

    Raises:
        DataError: an input cannot be read.
        ConfigError: the output exists already, or no article is left.
    """
    _check_free([config.output], [config.articles, config.exclude_articles_of], fresh=config.fresh)
    evaluated = _questions([config.exclude_articles_of] if config.exclude_articles_of else [])
    # Read twice rather than held: all statutes' articles are more than a small machine's memory.
    titles = sorted({a.law_title for a in read_articles(config.articles)}) if evaluated else []
    cited = set(cited_articles(evaluated, titles))
    with _reading_bar(config) as bar:
        articles = bar.over(read_articles(config.articles))
        used = (a for a in articles if a.part != "main" or _name(a) not in cited)
        records = list(reading_records(used, parts=config.parts))
    if not records:
        raise ConfigError(f"{config.articles}: holds no article of {' '.join(config.parts)}")
    _replace(config.output, lambda path: write_readings(path, records))
    return len(records)


def _reading_bar(config: StatutesConfig | ReadingConfig) -> Bar:
    total = count_articles_in(config.articles)
    return Bar("reading", "articles", total, quiet=config.quiet)


def _questions(paths: Iterable[Path]) -> tuple[Question, ...]:
    return tuple(question for path in paths for question in read_questions(path))


def _name(article: Article) -> ArticleName:
    return ArticleName("".join(article.law_title.split()), article.article or "")


def _audit(
    evaluated: Sequence[Question], others: Sequence[Question]
) -> Callable[[Sequence[Question]], Mapping[str, str]]:
    def verdicts(made: Sequence[Question]) -> dict[str, str]:
        names = {question.key: question.id for question in made}
        reasons: dict[str, str] = {}
        for leak in find_leaks(made, evaluated) if evaluated else ():
            reason = f"too near to an evaluated question: {leak.reasons[0].kind}"
            reasons.setdefault(names[leak.train], reason)
        for leak in find_leaks(made, others) if others else ():
            if any(reason.kind in _DUPLICATES for reason in leak.reasons):
                reasons.setdefault(names[leak.train], "duplicate of a question to exclude")
        return reasons

    return verdicts


def _notes(cited: Sequence[ArticleName], articles: Sequence[Article]) -> Iterable[str]:
    known = {_name(article) for article in articles if article.part == "main"}
    unknown = [c for c in cited if c not in known]
    if unknown:
        shown = "、".join(f"{c.law_title} {c.article}" for c in unknown[:5])
        more = " …" if len(unknown) > 5 else ""
        named = counted(len(unknown), "cited article is", "cited articles are")
        yield f"{named} not in the article file: {shown}{more}"


def _provenance(
    config: StatutesConfig, made: StatuteQuestions, cited: Sequence[ArticleName]
) -> JsonObject:
    counts: dict[str, Counter[str]] = {"source": Counter(), "law": Counter(), "label": Counter()}
    for generated in made.questions:
        counts["source"][generated.source] += 1
        counts["law"][generated.question.id.split("_")[1]] += 1
        counts["label"][generated.question.gold] += 1
    evaluated = config.exclude_articles_of
    return {
        "schema_version": SCHEMA_VERSION,
        "lawqa": __version__,
        "seed": config.seed,
        "types": list(config.question_types),
        "limit": config.limit,
        "articles": {"path": str(config.articles), "sha256": corpus_sha256(config.articles)},
        "exclude_articles_of": _file(evaluated) if evaluated else None,
        "exclude": [_file(path) for path in config.exclude],
        "excluded_articles": [[c.law_title, c.article] for c in cited],
        "output": {"path": str(config.output), "sha256": file_sha256(config.output)},
        "counts": {name: dict(sorted(counter.items())) for name, counter in counts.items()},
        "articles_left_out": made.articles_left_out,
        "questions_left_out": made.questions_left_out,
        "questions": [_entry(generated) for generated in made.questions],
    }


def _entry(generated: GeneratedQuestion) -> JsonObject:
    return {
        "id": generated.question.id,
        "fingerprint": fingerprint(generated.question),
        "source": generated.source,
        "kind": generated.kind,
        "articles": list(generated.articles),
        "facts": list(generated.facts),
    }


def _file(path: Path) -> dict[str, str]:
    return {"path": str(path), "sha256": file_sha256(path)}


def _check_output(config: StatutesConfig) -> None:
    if config.output.suffix != ".json":
        raise ConfigError(f"{config.output}: lawqa_jp's question files are JSON", "name it *.json")
    if not config.types:
        raise ConfigError("--types: names no type", f"known: {', '.join(QUESTION_TYPES)}")
    inputs = [config.articles, config.exclude_articles_of, *config.exclude]
    _check_free([config.output, provenance_path(config.output)], inputs, fresh=config.fresh)


def _check_free(outputs: Sequence[Path], inputs: Sequence[Path | None], *, fresh: bool) -> None:
    """Refuse to overwrite an input or, without --fresh, any other file."""
    for output in outputs:
        if any(path is not None and path.resolve() == output.resolve() for path in inputs):
            raise ConfigError(
                f"{output}: is an input, and would be overwritten", "name another --output"
            )
        if output.is_dir():
            raise ConfigError(f"{output}: is a directory, expected a file to write")
        if output.exists() and not fresh:
            raise ConfigError(f"{output}: exists already", "--fresh replaces it")


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file beside its place and move it there, so that it is always whole."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            staged = Path(folder) / path.name
            write(staged)
            staged.replace(path)
    except OSError as problem:
        raise ConfigError(f"{path}: cannot be written: {problem.strerror}") from None
