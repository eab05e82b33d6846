"""What retrieval finds: hit rates, what each step adds, and the questions it misses.

    python benchmarks/retrieval_hits.py --index13 DIR --index-all DIR                # the dev half
    python benchmarks/retrieval_hits.py --index13 DIR --index-all DIR --all-questions

`lawqa index build` makes the two indexes: of the 13 statutes that lawqa_jp cites, and of all main provisions.
The dev half are the questions of gold_articles_dev.jsonl; every setting was tuned on them alone. The ablation
on the 13 statutes also builds new indexes, without folding numerals and with whole articles as units.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from lawqa.questions import Question, read_questions
from lawqa.report.table import Table, render_text
from lawqa.retrieval import indexing, retriever
from lawqa.retrieval.bm25 import Bm25Parameters
from lawqa.retrieval.evaluation import QuestionResult, evaluate_retrieval, figures, reference_type
from lawqa.retrieval.index import StatuteIndex
from lawqa.retrieval.indexing import write_index
from lawqa.retrieval.ranking import word_scores
from lawqa.retrieval.ranking.settings import SearchSettings
from lawqa.retrieval.retriever import Retriever
from lawqa.statutes.article_names import article_name
from lawqa.statutes.articles import Article, Paragraph, read_articles

DATA = Path(__file__).resolve().parents[2] / "shared/data"
THIRTEEN = DATA / "statutes/articles_13laws.jsonl"
QUESTIONS = DATA / "lawqa_jp/selection.json"
DEV = DATA / "statutes/gold_articles_dev.jsonl"
COLUMNS = ("n", "hit@1", "hit@3", "hit@5", "hit@10", "recall@5", "recall@10", "mrr")
WORST = 10

WORDS_ONLY = SearchSettings(choices="none", citations=False, follow=False)
STEPS = {
    "question only": WORDS_ONLY,
    "+ every choice": replace(WORDS_ONLY, choices="all"),
    "+ choices that are no citations": replace(WORDS_ONLY, choices="adaptive"),
    "+ citations looked up": replace(WORDS_ONLY, choices="adaptive", citations=True),
    "+ references followed (default)": SearchSettings(),
    "default, always first if cited": SearchSettings(citation_weight=2.0),
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--index13", type=Path, required=True)
    parser.add_argument("--index-all", type=Path, required=True)
    parser.add_argument("--all-questions", action="store_true", help="not only the dev half")
    arguments = parser.parse_args()
    dev = {json.loads(line)["file_name"] for line in DEV.read_text(encoding="utf-8").splitlines()}
    questions = [
        question
        for question in read_questions(QUESTIONS)
        if arguments.all_questions or question.id in dev
    ]
    for name, directory in (("13 statutes", arguments.index13), ("all law", arguments.index_all)):
        index = StatuteIndex(directory)
        rows = {step: asked(questions, index, settings) for step, settings in STEPS.items()}
        print(f"\n{name}: {index.n_articles:,} articles\n")
        print(table(rows))
        results = rows["+ references followed (default)"]
        print(f"\n{name}, default settings\n")
        print(table({"all": results, **groups(results)}))
        print(f"\n{name}, the worst {WORST}\n")
        print("\n".join(worst(results)))
    print("\n13 statutes, other ways to index\n")
    print(table(indexed_otherwise(questions)))


def asked(
    questions: Sequence[Question], index: StatuteIndex, settings: SearchSettings | None = None
) -> Sequence[QuestionResult]:
    """Where the gold articles of all questions are ranked."""
    searching = Retriever(index, settings)
    return evaluate_retrieval(
        questions, index, lambda question, depth: searching.rank_for(question, depth).positions
    )


def groups(results: Sequence[QuestionResult]) -> dict[str, list[QuestionResult]]:
    """The results by law and by type of reference."""
    found: dict[str, list[QuestionResult]] = {}
    for key in (lambda r: r.question.law, lambda r: reference_type(r.question)):
        for result in sorted(results, key=key):
            found.setdefault(key(result), []).append(result)
    return found


def table(rows: dict[str, Sequence[QuestionResult]]) -> str:
    """Hit rates, a row each."""
    cells: list[list[str]] = []
    for name, results in rows.items():
        found = figures(results)
        shown = [f"{found[c]:.3f}" if c != "n" else str(found[c]) for c in COLUMNS]
        cells.append([name, *shown])
    return render_text(Table(["", *COLUMNS], cells))


def worst(results: Sequence[QuestionResult]) -> Iterator[str]:
    """The questions whose gold articles rank lowest: first those whose best one does."""

    def rank(result: QuestionResult) -> tuple[int, float]:
        return -(result.best or 10**6), result.recall(5)

    for result in sorted(results, key=rank)[:WORST]:
        gold = ", ".join(
            f"{one.law_title}{article_name(one.article)} ({place or 'none'})"
            for one, place in zip(result.gold, result.ranks, strict=True)
        )
        yield f"  {result.question.id}: {gold}"


def indexed_otherwise(questions: Sequence[Question]) -> dict[str, Sequence[QuestionResult]]:
    """The default search over other indexes of the 13 statutes."""
    articles = list(read_articles(THIRTEEN))
    ways: dict[str, tuple[Sequence[Article], Bm25Parameters, bool]] = {
        "as it is": (articles, Bm25Parameters(), True),
        "widths folded only (NFKC)": (articles, Bm25Parameters(), False),
        "whole articles": ([as_one(article) for article in articles], Bm25Parameters(), True),
        "k1 1.5, b 0.75 (bm25s's own)": (articles, Bm25Parameters(k1=1.5, b=0.75), True),
        "no common bigram left out": (articles, Bm25Parameters(max_df=1), True),
    }
    rows: dict[str, Sequence[QuestionResult]] = {}
    for name, (corpus, parameters, folded) in ways.items():
        with tempfile.TemporaryDirectory() as directory, words_spelled(folded=folded):
            write_index(corpus, Path(directory), parameters)
            rows[name] = asked(questions, StatuteIndex(Path(directory)))
    return rows


def as_one(article: Article) -> Article:
    """The article with all its text in one paragraph, so that the article is the unit."""
    text = "\n".join(paragraph.text for paragraph in article.paragraphs)
    return replace(article, paragraphs=(Paragraph(1, text),) if text else ())


@contextmanager
def words_spelled(*, folded: bool) -> Iterator[None]:
    """Words are indexed and searched as they are spelled, but for widths; citations are read as ever."""
    with ExitStack() as patches:
        if not folded:
            for module in (indexing, retriever, word_scores):
                patches.enter_context(patch.object(module, "normalise", widths_folded))
        yield


def widths_folded(text: str) -> str:
    """The text with its widths folded, its numerals as they are."""
    return unicodedata.normalize("NFKC", text)


if __name__ == "__main__":
    main()
