"""What retrieval costs and finds: all of Japanese law, beside rank_bm25, and two ways to cut words.

    python benchmarks/retrieval.py                     # every part, on the lab's data beside the checkout
    python benchmarks/retrieval.py --parts scale       # scale, rank_bm25, tokenisers

scale       builds the index of all main provisions in a process of its own, opens it in another, and asks
            the questions: seconds, peak memory, bytes on disk, milliseconds a query.
rank_bm25   the first 20,000 articles, same tokens, same formula (Lucene's idf put into rank_bm25): seconds,
            and whether both give the same ten articles in the same order.
tokenisers  character bigrams and SudachiPy (mode C) on the 13 statutes: size, seconds, hit rates by words
            alone on the dev half.

Needs lawqa[rag]; the second part needs rank_bm25, the third sudachipy and sudachidict_core.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from lawqa.questions import Question, read_questions
from lawqa.retrieval import bm25
from lawqa.retrieval.bm25 import Bm25, Bm25Parameters, query_weights
from lawqa.retrieval.dense import article_text
from lawqa.retrieval.evaluation import evaluate_retrieval, figures
from lawqa.retrieval.index import StatuteIndex
from lawqa.retrieval.indexing import IndexCounts, write_index
from lawqa.retrieval.ranking.settings import SearchSettings
from lawqa.retrieval.retriever import Retriever
from lawqa.retrieval.tokens import tokenise
from lawqa.statutes.articles import read_articles
from lawqa.statutes.normalise import normalise

DATA = Path(__file__).resolve().parents[2] / "shared/data"
ALL_LAWS = DATA / "statutes/articles_all_laws_main.jsonl.xz"
THIRTEEN = DATA / "statutes/articles_13laws.jsonl"
QUESTIONS = DATA / "lawqa_jp/selection.json"
DEV = DATA / "statutes/gold_articles_dev.jsonl"
NEEDED = {"rank_bm25": ("rank_bm25",), "tokenisers": ("sudachipy", "sudachidict_core")}
SUBSET, COMPARED_QUERIES, TOP = 20_000, 20, 10


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parts: dict[str, Callable[[], None]] = {
        "scale": scale,
        "rank_bm25": beside_rank_bm25,
        "tokenisers": tokenisers,
    }
    parser.add_argument("--parts", nargs="+", choices=list(parts), default=list(parts))
    parser.add_argument("--stage", choices=["build", "ask"], help=argparse.SUPPRESS)
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stage:
        stage = build if arguments.stage == "build" else ask
        print(json.dumps(stage(arguments.directory)))
        return
    for part in arguments.parts:
        print(f"\n{part}")
        missing = [name for name in NEEDED.get(part, ()) if find_spec(name) is None]
        if missing:
            print(f"  skipped: {', '.join(missing)} not installed")
        else:
            parts[part]()


def scale() -> None:
    """Build, open and ask, each stage in a fresh process so that its memory is its own."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        built = in_process("build", directory)
        size = sum(path.stat().st_size for path in directory.iterdir())
        asked = in_process("ask", directory)
    print(f"  {built['articles']:,} articles, {built['units']:,} paragraphs")
    print(f"  build          {built['seconds']:8.1f} s   peak {built['peak_mb']:,.0f} MB")
    print(f"  on disk        {size / 1e6:8.1f} MB")
    print(
        f"  open           {asked['open_seconds'] * 1000:8.1f} ms  {asked['open_mb']:,.0f} MB resident"
    )
    print(f"  query, median  {asked['median_ms']:8.1f} ms  95% below {asked['p95_ms']:.1f} ms")
    print(
        f"  after {asked['queries']} queries {asked['after_mb']:,.0f} MB resident, mapped files included"
    )


def in_process(stage: str, directory: Path) -> dict[str, Any]:
    """What a stage of this script finds in a process of its own."""
    command = [sys.executable, __file__, "--stage", stage, "--directory", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def build(directory: Path) -> dict[str, Any]:
    """Index all laws; seconds and peak memory."""
    start = time.perf_counter()
    counts = write_index(read_articles(ALL_LAWS), directory)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return {
        "seconds": seconds,
        "peak_mb": peak,
        "articles": counts.articles,
        "units": counts.units,
    }


def ask(directory: Path) -> dict[str, Any]:
    """Open the index and ask every question with its choices; time and memory."""
    questions = read_questions(QUESTIONS)
    start = time.perf_counter()
    retriever = Retriever(StatuteIndex(directory))
    opened = time.perf_counter() - start
    open_mb = resident_mb()
    retriever.search(
        questions[0].text, questions[0].choices
    )  # reads the pages of common words once
    times = []
    for question in questions:
        start = time.perf_counter()
        retriever.search(question.text, question.choices, top_k=TOP)
        times.append((time.perf_counter() - start) * 1000)
    return {
        "open_seconds": opened,
        "open_mb": open_mb,
        "after_mb": resident_mb(),
        "queries": len(times),
        "median_ms": statistics.median(times),
        "p95_ms": statistics.quantiles(times, n=20)[-1],
    }


def resident_mb() -> float:
    """Memory of this process that is in RAM now."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1e3


def beside_rank_bm25() -> None:
    """The same tokens and formula in both libraries: time, and the same first ten."""
    from rank_bm25 import BM25Okapi

    class LuceneBM25(BM25Okapi):  # type: ignore[misc]  # rank_bm25 has no types
        """Okapi's term weights with Lucene's idf, which is never negative."""

        def _calc_idf(self, nd: dict[str, int]) -> None:
            for token, df in nd.items():
                self.idf[token] = math.log(1 + (self.corpus_size - df + 0.5) / (df + 0.5))

    documents = [
        normalise(article_text(article))
        for article in itertools.islice(read_articles(ALL_LAWS), SUBSET)
    ]
    parameters = Bm25Parameters(max_df=1.0)
    ours, ours_built = timed(lambda: Bm25.build(documents, parameters))
    theirs, theirs_built = timed(
        lambda: LuceneBM25(list(map(tokenise, documents)), k1=parameters.k1, b=parameters.b)
    )
    queries = [
        "\n".join([q.text, *q.choices]) for q in read_questions(QUESTIONS)[:COMPARED_QUERIES]
    ]
    ours_scores, ours_asked = timed(
        lambda: [ours.scores(query_weights([(normalise(q), 1.0)], k3=1e9)) for q in queries]
    )
    theirs_scores, theirs_asked = timed(
        lambda: [theirs.get_scores(tokenise(q)) / (parameters.k1 + 1) for q in queries]
    )
    same = sum(first(a) == first(b) for a, b in zip(ours_scores, theirs_scores, strict=True))
    n = len(queries)
    print(f"  {len(documents):,} articles      lawqa (bm25s)   rank_bm25")
    print(f"  tokens and index     {ours_built:8.1f} s   {theirs_built:8.1f} s")
    print(
        f"  a query              {ours_asked / n * 1e3:8.1f} ms  {theirs_asked / n * 1e3:8.1f} ms"
    )
    print(f"  the same first {TOP} in the same order: {same} of {n} queries")


def first(scores: Sequence[float]) -> list[int]:
    """The first documents; scores that agree to three decimals tie, and ties break by position."""
    rounded = np.round(np.asarray(scores, dtype=np.float64), 3)
    order: list[int] = np.lexsort((np.arange(len(rounded)), -rounded))[:TOP].tolist()
    return order


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What comes of it, and the seconds it took."""
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def tokenisers() -> None:
    """Words alone, all else equal: no citations, no references."""
    dev = {json.loads(line)["file_name"] for line in DEV.read_text(encoding="utf-8").splitlines()}
    questions = [question for question in read_questions(QUESTIONS) if question.id in dev]
    for name, tokens in (("character bigrams", None), ("SudachiPy, mode C", sudachi_tokens())):
        with words_cut_by(tokens), tempfile.TemporaryDirectory() as directory:
            counts, seconds = timed(partial(index_thirteen, Path(directory)))
            found = dev_figures(Path(directory), questions)
        shown = "  ".join(f"{key} {found[key]:.3f}" for key in ("hit@1", "hit@3", "hit@10", "mrr"))
        print(f"  {name:18} {counts.postings:10,} postings  {seconds:6.1f} s   {shown}")


def index_thirteen(directory: Path) -> IndexCounts:
    """Index the 13 statutes."""
    return write_index(read_articles(THIRTEEN), directory)


def dev_figures(directory: Path, questions: Sequence[Question]) -> dict[str, float | int]:
    """Hit rates by words alone."""
    settings = SearchSettings(citations=False, follow=False)
    retriever = Retriever(StatuteIndex(directory), settings)
    results = evaluate_retrieval(
        questions,
        retriever.index,
        lambda q, depth: retriever.rank(q.text, q.choices, depth=depth).positions,
    )
    return figures(results)


def sudachi_tokens() -> Callable[[str], bm25.Codes]:
    """Words by SudachiPy as token numbers: 56 bits of a hash, so no dictionary has to be kept."""
    from sudachipy import Dictionary, SplitMode

    tokenizer = Dictionary().tokenizer(mode=SplitMode.C)

    def codes(text: str) -> bm25.Codes:
        words = [
            morpheme.surface()
            for line in text.split("\n")
            for start in range(0, len(line), 10_000)  # Sudachi takes 49 kB at a time
            for morpheme in tokenizer.tokenize(line[start : start + 10_000])
            if morpheme.part_of_speech()[0] not in ("補助記号", "空白")
        ]
        digests = (hashlib.blake2b(word.encode(), digest_size=7).digest() for word in words)
        return np.array([int.from_bytes(digest, "big") for digest in digests], dtype=np.uint64)

    return codes


@contextmanager
def words_cut_by(codes: Callable[[str], bm25.Codes] | None) -> Iterator[None]:
    """Put another tokeniser into the index for a while; None leaves the bigrams."""
    with ExitStack() as patches:
        if codes is not None:
            patches.enter_context(patch.object(bm25, "bigram_codes", codes))
            patches.enter_context(patch.object(bm25, "mark_words", str))
        yield


if __name__ == "__main__":
    main()
