"""How well an index answers short queries that people type.

    python benchmarks/queries.py --index DIR [--words sudachi]

The 60 queries and their articles are in tests/retrieval/queries; DIR should hold the statutes that they name.
Prints by kind of query how often a right article is first and among the first 3, 5 and 12, and what misses.
The table of everyday words (`retrieval.queries.everyday`) was written with these queries in view.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import defaultdict
from pathlib import Path

from lawqa.retrieval.index import StatuteIndex
from lawqa.retrieval.ranking.settings import SearchSettings
from lawqa.retrieval.retriever import Retriever

QUERIES = (
    Path(__file__).resolve().parents[1] / "tests/retrieval/queries/data/queries_of_people.jsonl"
)
CUTOFFS = (1, 3, 5, 12)


def main() -> None:
    """Search for every query and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--words", choices=["rules", "sudachi"], default="rules")
    arguments = parser.parse_args()
    retriever = Retriever(StatuteIndex(arguments.index), SearchSettings(words=arguments.words))
    ranks: dict[str, list[int | None]] = defaultdict(list)
    seconds: list[float] = []
    for line in QUERIES.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        started = time.perf_counter()
        hits = retriever.search(row["query"], top_k=max(CUTOFFS))
        seconds.append(time.perf_counter() - started)
        right = (
            hit.rank
            for hit in hits
            if hit.article.law_title == row["law_title"] and hit.article.article in row["articles"]
        )
        rank = next(right, None)
        for kind in ("all", row["kind"]):
            ranks[kind].append(rank)
        if rank is None or rank > 5:
            print(f"  {rank or 'none':>5}  {row['query']}: {row['law_title']} {row['articles']}")
    for kind, found in ranks.items():
        hits_at = [f"@{k} {sum(r is not None and r <= k for r in found)}" for k in CUTOFFS]
        mrr = statistics.mean(1 / rank if rank else 0.0 for rank in found)
        print(f"{kind:>13}  n {len(found)}  {'  '.join(hits_at)}  mrr {mrr:.3f}")
    print(f"{1000 * statistics.median(seconds):.1f} ms a query (median)")


if __name__ == "__main__":
    main()
