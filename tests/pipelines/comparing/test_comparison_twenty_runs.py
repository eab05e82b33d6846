"""Twenty runs made by hand, and everything `lawqa compare` says of them computed again by other code.

The other code is below: it imports nothing of lawqa, reads the same files, and uses fractions, SciPy and
statsmodels. Plain runs, votes with ties, orders, orders by samples, seeds, a dead head, retrieval.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import random
from collections import Counter, defaultdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main

pytestmark = pytest.mark.slow

QUESTIONS = [(f"法_問題番号{i:02}", "abcd"[(i * i + i // 3) % 4]) for i in range(36)]
ROTATIONS = [[(i + shift) % 4 for i in range(4)] for shift in range(4)]


# --- runs made by hand


def row(question: str, gold: str, answer: str | None, number: int, **fields: Any) -> dict[str, Any]:
    """A stored result; labels are given by the original order."""
    shown = ROTATIONS[number]
    there = {label: "abcd"[shown.index("abcd".index(label))] for label in "abcd"}
    probabilities = fields.pop("probabilities", None)
    predicted = there[answer] if answer else None
    return {
        "question": f"{question} はどれか。",
        "choices": "\n".join(
            f"{'abcd'[k]} {question} の {'甲乙丙丁'[source]}" for k, source in enumerate(shown)
        ),
        "correct_answer": there[gold], "predicted_answer": predicted,
        "is_correct": predicted == there[gold], "response": predicted or "わかりません。",
        "retrieved_docs_count": 0, "file_name": question, "references": [], "schema_version": 1,
        "order": number + 1, "repeat": 0, "permutation": shown, "law": "法",
        "prompt_spec": "direct-closed-v1", "answer_by": "logits" if probabilities else "generate",
        "outcome": "unparsed" if answer is None else "correct" if answer == gold else "wrong",
        "status": "unanswered" if answer is None else "answered", "rule": "sole-label", "span": None,
        "label_logprobs": [math.log(probabilities[source]) for source in shown] if probabilities else None,
        "label_mass": None, "hit_limit": False, "stopped": "end", "thinking_closed": False,
        "completion_tokens": 1, "prompt": "", "prompt_tokens": 1, "seconds": 0.0, "error": None,
        "forced_answer": None, "forced_logprobs": None, "forced_label_mass": None, "forced_after": None,
        "forced_error": None, **fields,
    }  # fmt: skip


def write(name: str, rows: list[dict[str, Any]], seed: int = 0, adapter: str = "") -> None:
    repeats = 1 + max(r["repeat"] for r in rows)
    manifest = {
        "kind": "evaluate", "schema_version": 1, "status": "done", "notes": [], "seed": seed,
        "config": {"ensemble": repeats, "answer_by": rows[0]["answer_by"], "seed": seed},
        "model": {"name": "toy"}, "prompt_specs": {}, "questions": [], "argv": ["lawqa", "evaluate"],
        "data": {"questions": len(rows) // repeats}, "figures": {},
        "adapter": {"path": adapter, "weights_sha256": None, "manifest": {}} if adapter else None,
        "retrieval": None, "environment": {}, "started": "2026-11-28T00:00:00+00:00", "ended": None,
    }  # fmt: skip
    Path(name).mkdir()
    Path(name, "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    lines = [json.dumps(r, ensure_ascii=False) for r in rows]
    Path(name, "results.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def guess(rng: random.Random, gold: str, skill: float) -> str:
    return gold if rng.random() < skill else rng.choice("abcd")


def spread_out(rng: random.Random, gold: str, skill: float) -> list[float]:
    weights = [rng.uniform(0.2, 1) * (1 + 3 * skill * (label == gold)) for label in "abcd"]
    return [w / sum(weights) for w in weights]


def likeliest(probabilities: list[float]) -> str:
    return "abcd"[probabilities.index(max(probabilities))]


def write_all(rng: random.Random) -> None:
    """p1-p4 plain, v1-v4 votes, o1-o3 orders, x1-x2 orders by samples, s0-s2 seeds, dead, r1-r3 retrieval."""
    for k, skill in enumerate((0.3, 0.4, 0.6, 0.9), start=1):
        write(f"p{k}", [row(q, g, guess(rng, g, skill), 0) for q, g in QUESTIONS])
    for k, samples in enumerate((2, 4, 4, 7), start=1):
        write(f"v{k}", [
            row(q, g, None if rng.random() < 0.1 else guess(rng, g, 0.2 * k), 0, repeat=n)
            for q, g in QUESTIONS for n in range(samples)
        ])  # fmt: skip
    for k in (1, 2, 3):
        rows = []
        for (q, g), number in itertools.product(QUESTIONS, range(4)):
            known = spread_out(rng, g, 0.3 * k)
            scored = {"probabilities": known} if k < 3 else {}
            rows.append(row(q, g, likeliest(known), number, **scored))
        write(f"o{k}", rows)
    for k in (1, 2):
        write(f"x{k}", [
            row(q, g, guess(rng, g, 0.3 * k), number, repeat=n)
            for q, g in QUESTIONS for number in range(4) for n in range(2)
        ])  # fmt: skip
    for seed in range(3):
        rows = [row(q, g, guess(rng, g, 0.55 + 0.1 * seed), 0) for q, g in QUESTIONS]
        write(f"s{seed}", rows, seed=seed, adapter=f"adapters/ft/seed{seed}")
    write("dead", [row(q, g, "a", 0, probabilities=[0.25] * 4) for q, g in QUESTIONS])
    for k in (1, 2, 3):
        write(f"r{k}", [
            row(q, g, guess(rng, g, 0.8 if hit else 0.2 * k), 0, gold_retrieved=hit)
            for q, g in QUESTIONS for hit in [rng.random() < 0.5 + 0.1 * k]
        ])  # fmt: skip


# --- the same figures by other code


def original(r: dict[str, Any], label: str | None) -> str | None:
    return None if label is None else "abcd"[r["permutation"]["abcd".index(label)]]


def pick(level: list[str], question: str) -> str:
    number = int.from_bytes(hashlib.sha256(question.encode()).digest()[:8], "big")
    return sorted(level)[number % len(level)]


def finals(name: str) -> dict[str, tuple[bool, Fraction, bool]]:
    """For each question: right, expected under shared ties, whether it was a tie."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in Path(name, "results.jsonl").read_text(encoding="utf-8").splitlines():
        r = json.loads(line)
        groups[r["file_name"]].append(r)
    found = {}
    for question, rows in groups.items():
        gold = original(rows[0], rows[0]["correct_answer"])
        score: dict[str, Any] = Counter()
        orders = Counter(r["order"] for r in rows)
        for r in rows:
            weight = Fraction(1, len(orders) * orders[r["order"]])
            if r["label_logprobs"]:
                for position, logprob in enumerate(r["label_logprobs"]):
                    score["abcd"[r["permutation"][position]]] += float(weight) * math.exp(logprob)
            elif r["predicted_answer"]:
                score[original(r, r["predicted_answer"])] += weight
        if not score:
            found[question] = (False, Fraction(0), False)
            continue
        level = [label for label in score if abs(score[label] - max(score.values())) < 1e-9]
        answer = level[0] if len(level) == 1 else pick(level, question)
        found[question] = (answer == gold, Fraction(gold in level, len(level)), len(level) > 1)
    return found


def flips(gains: list[int]) -> Fraction:
    """Two-sided exact sign-flip p-value, by counting all sums."""
    ways = Counter({0: 1})
    for gain in gains:
        moved: Counter[int] = Counter()
        for total, count in ways.items():
            moved[total + gain] += count
            moved[total - gain] += count
        ways = moved
    extreme = sum(count for total, count in ways.items() if abs(total) >= abs(sum(gains)))
    return Fraction(extreme, sum(ways.values()))


def newcombe(won: int, lost: int, both: int, neither: int, alpha: float) -> tuple[float, float]:
    from statsmodels.stats.proportion import proportion_confint

    n = won + lost + both + neither
    low1, high1 = proportion_confint(both + won, n, alpha, method="wilson")
    low2, high2 = proportion_confint(both + lost, n, alpha, method="wilson")
    p1, p2, top = (both + won) / n, (both + lost) / n, both * neither - won * lost
    bottom = math.sqrt((both + won) * (lost + neither) * (both + lost) * (won + neither))
    phi = (max(0.0, top - n / 2) if top > 0 else top) / bottom if bottom else 0.0

    def away(a: float, b: float) -> float:
        return math.sqrt(a * a - 2 * phi * a * b + b * b)

    return p1 - p2 - away(p1 - low1, high2 - p2), p1 - p2 + away(high1 - p1, p2 - low2)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `lawqa compare --json` says of all of them against p1, and the other code's tables."""
    import contextlib
    import io
    import os

    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("twenty"))
    try:
        write_all(random.Random(20))  # noqa: S311 - a simulation
        names = sorted(path.name for path in Path().iterdir())
        assert len(names) == 20
        out, plain = io.StringIO(), io.StringIO()
        others = [name for name in names if name != "p1"]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            assert main(["compare", "p1", *others, "--json"]) == 0
        with contextlib.redirect_stdout(plain):
            assert main(["compare", "p1", *others]) == 0
        return {"said": json.loads(out.getvalue()), "text": plain.getvalue(),
                "finals": {name: finals(name) for name in names}}  # fmt: skip
    finally:
        os.chdir(before)


def sides(content: dict[str, Any]) -> dict[str, list[str]]:
    return {name: name.split("+") for name in content["said"]["comparisons"]}


def test_seeds_are_one_of_the_comparisons(content: dict[str, Any]) -> None:
    assert len(content["said"]["comparisons"]) == 17
    assert sides(content)["s0+s1+s2"] == ["s0", "s1", "s2"]


def test_accuracies_and_ties_agree(content: dict[str, Any]) -> None:
    ties = 0
    for name, found in content["finals"].items():
        said = content["said"]["runs"][name]["final"]
        assert said["accuracy"]["correct"] == sum(right for right, _, _ in found.values()), name
        assert said["ties"] == sum(tie for _, _, tie in found.values()), name
        expected = sum((share for _, share, _ in found.values()), Fraction(0)) / len(found)
        assert said["expected"] == pytest.approx(float(expected)), name
        ties += said["ties"] if name.startswith(("v", "x", "o3")) else 0
    assert ties > 30, "the votes have ties to be broken"
    assert content["said"]["runs"]["dead"]["final"]["ties"] == 36


def test_differences_counts_and_p_values_agree(content: dict[str, Any]) -> None:
    base = content["finals"]["p1"]
    for name, side in sides(content).items():
        said = content["said"]["comparisons"][name]
        runs = [content["finals"][one] for one in side]
        gains = [sum(run[q][0] - base[q][0] for run in runs) for q in base]
        assert said["difference"] == pytest.approx(sum(gains) / (len(side) * len(base))), name
        pairs = Counter((base[q][0], run[q][0]) for run in runs for q in base)
        counts = [said[key] for key in ("both", "only_base", "only_other", "neither")]
        assert counts == [
            pairs[True, True],
            pairs[True, False],
            pairs[False, True],
            pairs[False, False],
        ]
        exact = float(flips([gain for gain in gains if gain]))
        if len(side) == 1:
            assert said["p_value"] == pytest.approx(exact), name
            assert said["test"] == "exact McNemar"
        else:
            assert said["p_value"] >= exact - 1e-12


def test_holm_and_the_intervals_agree(content: dict[str, Any]) -> None:
    from statsmodels.stats.multitest import multipletests

    said = content["said"]["comparisons"]
    adjusted = multipletests([one["p_value"] for one in said.values()], method="holm")[1]
    for (name, one), p in zip(said.items(), adjusted, strict=True):
        assert one["p_value_holm"] == pytest.approx(p), name
        assert one["significant"] == (p <= 0.05), name
        assert (one["interval"]["low"] <= 0 <= one["interval"]["high"]) == (p > 0.05), name
        raw = one["interval_raw"]
        assert (raw["low"] <= 0 <= raw["high"]) == (one["p_value"] > 0.05), name
        if one["test"] == "exact McNemar":
            cells = [one[key] for key in ("only_other", "only_base", "both", "neither")]
            low, high = newcombe(*cells, alpha=0.05)
            # A bound that the exact test contradicts is moved to the far side of 0; no other is.
            moved = one["p_value"] > 0.05 and not low <= 0 <= high
            if not moved:
                assert (raw["low"], raw["high"]) == pytest.approx((low, high)), name


def test_the_retrieval_runs_are_split_by_the_gold_text(content: dict[str, Any]) -> None:
    for name in ("r1", "r2", "r3"):
        parts = content["said"]["comparisons"][name]["gold_text"]
        assert [part["in_other"] for part in parts] == [True, False]
        assert sum(part["questions"] for part in parts) == 36
        for part in parts:
            assert part["comparison"]["difference"] == pytest.approx(
                part["other"]["value"] - part["base"]["value"]
            )
    assert content["said"]["comparisons"]["p2"]["gold_text"] == []


def test_the_text_begins_with_the_differences(content: dict[str, Any]) -> None:
    lines = content["text"].splitlines()
    first = next(iter(content["said"]["comparisons"]))
    difference = content["said"]["comparisons"][first]["difference"]
    assert lines[0].startswith(f"{first} - p1: {100 * difference:+.1f} points, ")
    said = [line for line in lines if " - p1: " in line and not line.startswith(("!", " "))]
    assert len(said) == 17
    assert "−" not in content["text"], "signs are ASCII"
    assert "by the vote of 7" in content["text"].replace("v4 by", "by")
    assert "! SAMPLING DIFFERS: v2 is judged by the vote of 4, p1 by single answers" in lines
