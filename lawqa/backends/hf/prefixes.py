"""Sequences with common prefixes as a forest, so that what they share is computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

WORTH_SHARING = 64
"""Tokens that sharing must save: without FlashAttention a node can cost an attention call in each layer."""


@dataclass(frozen=True)
class Node:
    """A stretch of tokens that all sequences below it share."""

    start: int
    """Where it begins among the flat tokens."""
    length: int
    """Its tokens, 1 or more."""
    parent: int | None
    """The node before it; None for the start of a sequence."""
    path: tuple[int, ...]
    """The nodes before it, first to last."""


@dataclass
class Forest:
    """Flat tokens, and how they hang together."""

    tokens: list[int] = field(default_factory=list)
    """Every node's tokens, one after the other."""
    positions: list[int] = field(default_factory=list)
    """The position of each token in its sequences."""
    nodes: list[Node] = field(default_factory=list)
    """Parents come before their children."""
    leaves: list[int] = field(default_factory=list)
    """For each sequence the node that it ends with."""

    def last(self, sequence: int) -> int:
        """Return the flat index of a sequence's last token."""
        node = self.nodes[self.leaves[sequence]]
        return node.start + node.length - 1

    def spans(self, node: int) -> list[tuple[int, int]]:
        """Return (start, end) of the flat tokens from the root up to and with this node."""
        chain = [*self.nodes[node].path, node]
        return [(self.nodes[n].start, self.nodes[n].start + self.nodes[n].length) for n in chain]


def plant(sequences: Sequence[Sequence[int]], worth: int = WORTH_SHARING) -> Forest:
    """Return the forest of these sequences.

    Args:
        sequences: token ids; none empty.
        worth: a common stretch becomes a node of its own if that saves this many tokens.
    """
    order = sorted(range(len(sequences)), key=lambda i: list(sequences[i]))
    rows = [np.asarray(sequences[i], dtype=np.int64) for i in order]
    forest = Forest(leaves=[0] * len(sequences))

    def node(row: int, start: int, end: int, parent: int | None) -> int:
        path = () if parent is None else (*forest.nodes[parent].path, parent)
        forest.nodes.append(Node(len(forest.tokens), end - start, parent, path))
        forest.tokens.extend(rows[row][start:end].tolist())
        forest.positions.extend(range(start, end))
        return len(forest.nodes) - 1

    # (first row, row after the last, tokens already in nodes, the node they end with)
    waiting: list[tuple[int, int, int, int | None]] = [(0, len(rows), 0, None)]
    while waiting:
        low, high, done, parent = waiting.pop()
        if low == high:
            continue
        shared = common_length(rows[low], rows[high - 1])
        if shared == len(rows[high - 1]):  # all the same: in order, none is longer than the last
            if done < shared:
                parent = node(low, done, shared, parent)
            if parent is None:
                raise ValueError("an empty sequence")
            for row in range(low, high):
                forest.leaves[order[row]] = parent
            continue
        if (high - low - 1) * (shared - done) >= worth:
            parent, done = node(low, done, shared, parent), shared
        start = low
        for row in range(low + 1, high + 1):
            if row == high or _differ(rows[start], rows[row], shared):
                waiting.append((start, row, done, parent))
                start = row
    return forest


def common_length(one: np.ndarray, other: np.ndarray) -> int:
    """Return how many tokens two sequences have in common from the start."""
    shorter = min(len(one), len(other))
    unequal = np.flatnonzero(one[:shorter] != other[:shorter])
    return int(unequal[0]) if len(unequal) else shorter


def family_order(sequences: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """Return an order in which sequences that share much are neighbours, families with long members first.

    Returns:
        The numbers of the sequences, and for each the tokens that it adds to the one before it.
    """
    order = sorted(range(len(sequences)), key=lambda i: list(sequences[i]))
    rows = {i: np.asarray(sequences[i], dtype=np.int64) for i in order}
    families: list[list[int]] = []
    for i in order:
        if families:
            before = rows[families[-1][-1]]
            if 2 * common_length(before, rows[i]) >= min(len(before), len(rows[i])):
                families[-1].append(i)
                continue
        families.append([i])
    families.sort(key=lambda family: -max(len(rows[i]) for i in family))
    ordered = [i for family in families for i in family]
    added = [
        len(rows[i]) - (common_length(rows[ordered[n - 1]], rows[i]) if n else 0)
        for n, i in enumerate(ordered)
    ]
    return ordered, [max(1, tokens) for tokens in added]


def _differ(one: np.ndarray, other: np.ndarray, at: int) -> bool:
    if len(one) == at or len(other) == at:
        return len(one) != len(other)
    return bool(one[at] != other[at])
