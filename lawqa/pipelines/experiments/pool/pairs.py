"""Pairs of a right and a wrong sample of one prompt, made of a pool."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from lawqa.augment.reasoning import Checked, SampleFilter, verdict_of
from lawqa.augment.reasoning.selection import is_hard
from lawqa.choices import LABELS
from lawqa.digests import sha256_of
from lawqa.errors import DataError
from lawqa.files import JsonObject, write_json
from lawqa.pipelines.experiments.pool.files import PoolFiles
from lawqa.pipelines.experiments.pool.selecting import SOURCE, PoolContent, read_pool
from lawqa.prompting import PromptSpec
from lawqa.records import Pair, TrainingRecord, make_record, write_pairs
from lawqa.runs.directory import claim_output
from lawqa.settings import FromPoolSettings, PairSettings, part_of, plain
from lawqa.settings.ranges import require_in_range
from lawqa.thinking import THINK

_SCHEMA_VERSION = 1
_HELP = "lawqa pool pairs --help  explains every option"
_OF_WRONG: tuple[SampleFilter, ...] = ("whole", "answered", "reasoned")
"""What a wrong sample must be, so that what is unlearnt is its answer and not how it ends."""


@dataclass(frozen=True, kw_only=True)
class PoolPairsConfig(PairSettings, FromPoolSettings):
    """Which pool pairs are made of, by which rules, and where they go."""


@dataclass(frozen=True)
class Pairing:
    """Pairs, and what became of the samples."""

    spec: PromptSpec
    pairs: tuple[Pair, ...]
    right: int
    """Samples that are right and pass every filter."""
    verdicts: dict[str, int]
    """How many samples met which filter first; `kept` are those that pass all."""
    wrong: int
    """Samples that commit to a wrong choice after reasoning, and end by themselves."""
    questions: int
    """How many questions the pool has samples of."""
    one_sided: int
    """Of how many there are right ones or wrong ones, and no prompt has both."""

    @property
    def paired(self) -> int:
        """How many questions have a pair."""
        return len({pair.right.question_id for pair in self.pairs})

    @property
    def labels(self) -> dict[str, int]:
        """How many right answers have each label."""
        gold = Counter(pair.right.origin.gold for pair in self.pairs if pair.right.origin)
        return {label: gold[label] for label in LABELS}

    @property
    def lengths(self) -> tuple[int, int]:
        """Mean characters of the right and of the wrong answers; (0, 0) without pairs."""
        count = max(len(self.pairs), 1)
        sides = ([p.right.answer for p in self.pairs], [p.wrong.answer for p in self.pairs])
        right, wrong = (round(sum(map(len, side)) / count) for side in sides)
        return right, wrong

    def to_json(self) -> JsonObject:
        """Return all counts."""
        right, wrong = self.lengths
        return {
            "prompt_spec": self.spec.id,
            "pairs": len(self.pairs),
            "samples": {"right": self.right, "wrong": self.wrong, "verdicts": self.verdicts},
            "questions": self.questions,
            "questions_with_pairs": self.paired,
            "questions_one_sided": self.one_sided,
            "labels": self.labels,
            "mean_characters": {"right": right, "wrong": wrong},
        }


def pairing_path(pairs: Path) -> Path:
    """Return where the counts are, beside the pairs."""
    return pairs.with_name(f"{pairs.stem}.pairing.json")


def pairs_from_pool(config: PoolPairsConfig) -> Pairing:
    """Make pairs of a pool, and write them with the counts beside them; the pool stays as it is.

    Raises:
        ConfigError: an option is out of range, or the file to write is there already.
        DataError: the pool lacks a part, a part is damaged, or it holds nothing that can be paired.
    """
    files = PoolFiles(config.pool)
    sources = (files.samples, files.asked, files.provenance)
    claim_output(config.output_path, "--output-path", fresh=config.fresh, sources=sources)
    require_in_range(config, _HELP)
    rules = part_of(PairSettings, config)
    pairing = paired(read_pool(files), rules)
    if not pairing.pairs:
        raise DataError(
            f"{config.pool}: no prompt has both a right sample that passes the filters ({pairing.right}) and "
            f"a wrong one ({pairing.wrong})",
            "more --samples-per-question, or harder questions",
        )
    content = {
        "schema_version": _SCHEMA_VERSION,
        "pool": {"path": str(files.samples), "sha256": sha256_of(files.samples)},
        "settings": plain(rules),
        **pairing.to_json(),
    }
    write_json(pairing_path(config.output_path), content)
    write_pairs(config.output_path, pairing.pairs)
    return pairing


def paired(pool: PoolContent, rules: PairSettings) -> Pairing:
    """Pair the samples of a pool, those of hard questions first; nothing is written.

    Only samples of one prompt are paired: the question in one order of its choices. Of all pairings those of
    the most alike lengths are taken first, and no sample is taken twice: a preference for one length would be
    learnt before one for what is right (Park et al. 2024, arXiv:2403.19159).

    Args:
        pool: its samples, checked.
        rules: how many, and which filters are left out.
    """
    verdicts = Counter(verdict_of(one, rules.without) for one in pool.checked)
    prompts: dict[str, dict[str, tuple[list[Checked], list[Checked]]]] = defaultdict(dict)
    groups: dict[str, list[Checked]] = defaultdict(list)
    for one in pool.checked:
        question = one.sample.question
        groups[question.id].append(one)
        right, wrong = prompts[question.id].setdefault(question.key, ([], []))
        if verdict_of(one, rules.without) == "kept":
            right.append(one)
        elif _is_wrong(one):
            wrong.append(one)
    hard = {name for name, group in groups.items() if is_hard(group)}
    names = sorted(groups, key=lambda name: name not in hard)
    pairs, one_sided = [], 0
    for name in names:
        found = [_alike(right, wrong) for right, wrong in prompts[name].values()]
        # In turn from every order of the choices.
        dealt = [pair for turn in zip_longest(*found) for pair in turn if pair is not None]
        one_sided += not dealt and any(right or wrong for right, wrong in prompts[name].values())
        pairs += dealt[: rules.pairs_per_question]
    records = [Pair(_record(right, pool), _record(wrong, pool)) for right, wrong in pairs]
    return Pairing(
        pool.spec,
        tuple(records[: rules.limit]),
        right=verdicts["kept"],
        verdicts={str(name): count for name, count in verdicts.items()},
        wrong=sum(map(_is_wrong, pool.checked)),
        questions=len(groups),
        one_sided=one_sided,
    )


def _is_wrong(one: Checked) -> bool:
    return one.checks.get("right") is False and all(one.checks.get(name) for name in _OF_WRONG)


def _alike(right: Sequence[Checked], wrong: Sequence[Checked]) -> list[tuple[Checked, Checked]]:
    """Return pairs of samples, each taken once, those of the most alike lengths first."""
    every = [(one, other) for one in right for other in wrong]
    every.sort(key=lambda pair: abs(len(pair[0].sample.text) - len(pair[1].sample.text)))
    taken: set[int] = set()
    chosen = []
    for one, other in every:
        if taken.isdisjoint((id(one), id(other))):
            taken |= {id(one), id(other)}
            chosen.append((one, other))
    return chosen


def _record(one: Checked, pool: PoolContent) -> TrainingRecord:
    """Return a sample as it was written: a made-up form of its answer would be what is preferred."""
    question = one.sample.question
    opened = THINK.opening if one.sample.in_thought else ""
    record = make_record(
        question,
        pool.spec,
        reasoning=one.reasoning,
        source=SOURCE,
        retrieved=pool.asked[question.key].retrieved,
    )
    return replace(record, answer=f"{opened}{one.sample.text}")
