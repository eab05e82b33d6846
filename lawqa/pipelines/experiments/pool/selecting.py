"""Records made of a pool: what passes the filters, as often as wanted and without a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from lawqa.augment.reasoning import (
    Checked,
    JudgedSample,
    Sample,
    SelectionRules,
    check,
    select,
)
from lawqa.augment.reasoning.selection import filter_counts, is_hard, with_agreement
from lawqa.choices import LABELS
from lawqa.digests import sha256_of
from lawqa.errors import ConfigError, DataError
from lawqa.files import JsonObject, write_json
from lawqa.pipelines.experiments.pool.config import PoolManifest
from lawqa.pipelines.experiments.pool.files import (
    PooledPrompt,
    PoolFiles,
    PoolRow,
    read_asked,
    read_rows,
)
from lawqa.prompting import PromptSpec, build_prompt
from lawqa.questions import fingerprint
from lawqa.records import TrainingRecord, make_record, write_records
from lawqa.runs.directory import claim_output
from lawqa.settings import FromPoolSettings, SelectSettings, part_of, plain
from lawqa.settings.ranges import require_in_range

SOURCE = "distill"
"""What records made of a model's own answers say that they are made from."""

_SCHEMA_VERSION = 1
_HELP = "lawqa pool select --help  explains every option"


@dataclass(frozen=True, kw_only=True)
class PoolSelectConfig(SelectSettings, FromPoolSettings):
    """Which pool records are made of, by which rules, and where they go."""


@dataclass(frozen=True)
class Selection:
    """Records, and what became of every sample."""

    spec: PromptSpec
    records: tuple[TrainingRecord, ...]
    judged: tuple[JudgedSample, ...]
    """All samples, in the order of the pool."""

    @property
    def verdicts(self) -> dict[str, int]:
        """How many samples met which end."""
        return dict(Counter(one.verdict for one in self.judged))

    @property
    def filters(self) -> dict[str, tuple[int, int, int]]:
        """By filter how many samples pass it, fail it, and have nothing that it could check."""
        return {str(name): counts for name, counts in filter_counts(self.judged).items()}

    @property
    def labels(self) -> dict[str, int]:
        """How many records have each label."""
        gold = Counter(record.origin.gold for record in self.records if record.origin)
        return {label: gold[label] for label in LABELS}

    @property
    def acceptance(self) -> dict[str, float]:
        """The share of right answers among all samples, by law."""
        asked, right = Counter[str](), Counter[str]()
        for one in self.judged:
            asked[one.sample.question.law] += 1
            right[one.sample.question.law] += one.checked.checks.get("right") is True
        return {law: round(right[law] / count, 4) for law, count in asked.items()}

    @property
    def questions(self) -> int:
        """How many questions the pool has samples of."""
        return len({one.sample.question.id for one in self.judged})

    @property
    def covered(self) -> int:
        """How many of them have a record."""
        return len({record.question_id for record in self.records})

    @property
    def hard(self) -> int:
        """Of how many the model gets one sample to half of its samples right."""
        groups: dict[str, list[JudgedSample]] = {}
        for one in self.judged:
            groups.setdefault(one.sample.question.id, []).append(one)
        return sum(is_hard([one.checked for one in group]) for group in groups.values())

    def to_json(self) -> JsonObject:
        """Return all counts."""
        names = ("passed", "failed", "not_checked")
        return {
            "prompt_spec": self.spec.id,
            "verdicts": self.verdicts,
            "filters": {
                name: dict(zip(names, counts, strict=True)) for name, counts in self.filters.items()
            },
            "labels": self.labels,
            "records": len(self.records),
            "questions": self.questions,
            "questions_with_records": self.covered,
            "hard_questions": self.hard,
            "acceptance_by_law": self.acceptance,
        }


def selection_path(records: Path) -> Path:
    """Return where the counts of a selection are, beside its records."""
    return records.with_name(f"{records.stem}.selection.json")


def select_from_pool(config: PoolSelectConfig) -> Selection:
    """Make records of a pool, and write them with the counts beside them; the pool stays as it is.

    Raises:
        ConfigError: an option is out of range, or the file to write is there already.
        DataError: the pool lacks a part, or a part is damaged.
    """
    files = PoolFiles(config.pool)
    sources = (files.samples, files.asked, files.provenance)
    claim_output(config.output_path, "--output-path", fresh=config.fresh, sources=sources)
    rules = part_of(SelectSettings, config)
    check_rules(rules)
    selection = selected(files, rules)
    write_selection(config.output_path, selection, files, rules)
    return selection


def check_rules(rules: SelectSettings) -> None:
    """Make sure that the rules of a selection can be meant.

    Raises:
        ConfigError: a number is out of its range, or the quantiles are not a range.
    """
    require_in_range(rules, _HELP)
    low, high = rules.length_quantiles
    if low >= high:
        raise ConfigError(
            f"--length-quantiles is {low} {high}, expected the lower one first",
            "--length-quantiles 0 1  leaves no length out",
        )


def selected(
    files: PoolFiles, rules: SelectSettings, only: Collection[str] | None = None
) -> Selection:
    """Select from a pool; nothing is written.

    Args:
        files: the pool.
        rules: what is taken.
        only: fingerprints of the questions to select from; None for all.

    Raises:
        DataError: the pool lacks a part, a part is damaged, or its prompts are worded otherwise today.
    """
    spec, asked, samples, contexts = _read(files, only)
    judged = select(samples, spec, contexts, _rules(rules))
    records = tuple(
        make_record(
            one.sample.question,
            spec,
            reasoning=one.checked.reasoning,
            source=SOURCE,
            retrieved=asked[one.sample.question.key].retrieved,
        )
        for one in judged
        if one.verdict == "kept"
    )
    return Selection(spec, records, judged)


@dataclass(frozen=True)
class PoolContent:
    """A pool as it is read: every sample with what the filters say of it."""

    spec: PromptSpec
    asked: Mapping[str, PooledPrompt]
    """The prompts by their keys."""
    checked: tuple[Checked, ...]
    """In the order of the questions."""


def read_pool(files: PoolFiles) -> PoolContent:
    """Read a pool, and ask the filters of all its samples.

    Raises:
        DataError: the pool lacks a part, a part is damaged, or its prompts are worded otherwise today.
    """
    spec, asked, samples, contexts = _read(files, None)
    checked = [check(one, spec, contexts.get(one.question.id, "")) for one in samples]
    return PoolContent(spec, asked, tuple(with_agreement(checked)))


def _read(
    files: PoolFiles, only: Collection[str] | None
) -> tuple[PromptSpec, dict[str, PooledPrompt], list[Sample], dict[str, str]]:
    """Return the spec, the prompts, the samples of the questions that are wanted, and contexts
    by question.
    """
    spec = _manifest(files).spec
    asked = read_asked(files.asked)
    rows = read_rows(files.samples)
    for key, _ in rows:
        if key not in asked:
            raise DataError(
                f"{files.samples}: holds a sample of {key}, which {files.asked.name} does not",
                "the two belong to different pools: copy both again",
            )
    _require_same_words(files, asked, spec)
    wanted = {
        key for key, one in asked.items() if only is None or fingerprint(one.question) in only
    }
    samples = [
        row.sample(asked[row.key].question) for row in _in_order(rows, asked) if row.key in wanted
    ]
    contexts = {
        one.question.id: one.retrieved or (one.question.context if spec.condition == "gold" else "")
        for one in asked.values()
    }
    return spec, asked, samples, contexts


def write_selection(
    path: Path, selection: Selection, files: PoolFiles, rules: SelectSettings
) -> None:
    """Write records and counts; the records last, so that where they are the counts are theirs."""
    content = {
        "schema_version": _SCHEMA_VERSION,
        "pool": {"path": str(files.samples), "sha256": sha256_of(files.samples)},
        "settings": plain(rules),
        **selection.to_json(),
    }
    write_json(selection_path(path), content)
    write_records(path, selection.records)


def _manifest(files: PoolFiles) -> PoolManifest:
    for path in (files.samples, files.provenance):
        if not path.is_file():
            raise DataError(
                f"{path}: no such file",
                "lawqa pool sample --pool FILE  writes a pool; its parts are copied together",
            )
    return PoolManifest.read(files.provenance)


def _require_same_words(
    files: PoolFiles, asked: Mapping[str, PooledPrompt], spec: PromptSpec
) -> None:
    """Require that what is learnt is what was asked: the prompts of today are those of the pool."""
    for key, one in asked.items():
        if build_prompt(one.question, spec, retrieved=one.retrieved).messages != one.messages:
            raise DataError(
                f"{files.asked}: the prompt of {key} is worded otherwise than {spec.id} is today",
                "use the version of lawqa that sampled the pool; --fresh samples it again",
            )


def _in_order(
    rows: Mapping[tuple[str, int], PoolRow], asked: Mapping[str, PooledPrompt]
) -> list[PoolRow]:
    """Return samples in the order of the questions, also of a pool that is still being drawn."""
    places = {key: place for place, key in enumerate(asked)}
    return [rows[key] for key in sorted(rows, key=lambda key: (places[key[0]], key[1]))]


def _rules(rules: SelectSettings) -> SelectionRules:
    return SelectionRules(
        keep=rules.keep,
        limit=rules.limit,
        skipped=rules.without,
        quantiles=rules.length_quantiles,
        even_labels=rules.even_labels,
    )
