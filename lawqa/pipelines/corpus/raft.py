"""Retrieved contexts to train on: with distractors, and for a share of the questions without the gold text.

Zhang et al. 2024, "RAFT: Adapting Language Model to Domain Specific RAG": a model learns to answer from the
part of a context that matters if some passages in it do not, and to rely on itself where none does.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from lawqa.pipelines.corpus.raft_config import RaftConfig
from lawqa.questions import Question, fingerprint
from lawqa.retrieval.context import Context, build_context
from lawqa.retrieval.hits import Hit
from lawqa.retrieval.packing import Count
from lawqa.retrieval.passages import reach

_DEEPER = 20
"""How many articles beyond those that a context is made of are searched for distractors."""


def questions_without_gold(questions: Sequence[Question], config: RaftConfig) -> frozenset[str]:
    """Return the fingerprints of the questions whose contexts lack their gold articles.

    Every order of a question's choices shares its fate. The share is met as closely as whole questions allow.

    Args:
        questions: those that have gold articles.
        config: the share, and the seed.
    """
    marks = sorted({fingerprint(question) for question in questions})
    random.Random(f"raft {config.seed}").shuffle(marks)  # noqa: S311 - repeatable, not secret
    return frozenset(marks[: round(config.without_gold * len(marks))])


def depth(top_k: int) -> int:
    """Return how many articles have to be found for a context of the first `top_k`."""
    return reach(top_k) + _DEEPER


def raft_context(
    hits: Sequence[Hit],
    gold: frozenset[int],
    question: Question,
    config: RaftConfig,
    *,
    leave_out: bool,
    limit: int,
    count: Count,
    top_k: int,
) -> Context:
    """Return a context with distractors among what was found.

    Args:
        hits: the first `depth` articles, best first.
        gold: positions of the question's gold articles, which are never distractors.
        question: whose context it is.
        config: how many distractors.
        leave_out: whether the gold articles are left out.
        limit: the greatest length of the context; distractors get their part of it.
        count: what the length is measured by.
        top_k: of how many articles the context is made.
    """
    found = [hit for hit in hits if not (leave_out and hit.position in gold)]
    kept, rest = found[: reach(top_k)], found[reach(top_k) :]
    others = [hit for hit in rest if hit.position not in gold][: config.distractors]
    if not others:
        return build_context(kept, limit=limit, count=count, top_k=top_k)
    room = max(1, limit * len(others) // (len(others) + top_k))
    added = build_context(
        [replace(hit, rank=n, strength=1.0) for n, hit in enumerate(others, start=1)],
        limit=room,
        count=count,
    )
    left = limit - added.size - count("\n")
    if not added.sources or left < 1:
        return build_context(kept, limit=limit, count=count, top_k=top_k)
    own = build_context(kept, limit=left, count=count, top_k=top_k)
    both = [own, added]
    drawn = random.Random(f"raft {config.seed} {fingerprint(question)}")  # noqa: S311 - not secret
    drawn.shuffle(both)
    text = "\n".join(part.text for part in both if part.text)
    return Context(text, tuple(s for part in both for s in part.sources), count(text))
