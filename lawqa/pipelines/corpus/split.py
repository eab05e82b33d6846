"""Split a question file into files that tell how they were made."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path

from lawqa.amounts import counted
from lawqa.errors import ConfigError
from lawqa.files import JsonObject, write_json
from lawqa.questions import Question, file_sha256, read_questions, write_questions
from lawqa.runs.manifest import question_entries
from lawqa.settings import Scheme, SplitSettings, StrPath, as_path, checks_arguments
from lawqa.splits import (
    DEFAULT_FOLDS,
    DEFAULT_TEST_SIZE,
    LAB_SEED,
    LINK_RULES,
    Group,
    Leak,
    Split,
    class_balance,
    find_groups,
    find_leaks,
    holdout,
    kfold,
    lab_final,
    size_in_questions,
)

SCHEMA_VERSION = 1
"""The layout of `split.json`."""

SPLIT_FILE = "split.json"
_PART_FILES = ("train.json", "dev.json", "test.json")


@dataclass(frozen=True)
class PartLeak:
    """A leak and the parts between which it is."""

    left: str
    """The part that is learnt from, such as `train` or `fold1/train`."""
    right: str
    """The part that is measured on."""
    leak: Leak
    """The pair."""


@dataclass(frozen=True)
class SplitResult:
    """What was written."""

    config: SplitSettings
    """What was asked for."""
    seed: int
    """The seed that was used."""
    questions: tuple[Question, ...]
    """All questions, in file order."""
    groups: tuple[Group, ...]
    parts: dict[str, tuple[Question, ...]]
    """The questions by the name of the file without its suffix, such as `fold1/train`."""
    leaks: tuple[PartLeak, ...]
    """What is on both sides; empty for every scheme but the lab's."""
    notes: tuple[str, ...]
    """What is not as asked, a sentence each."""

    @property
    def paths(self) -> dict[str, Path]:
        """The files of the parts, by the same names."""
        return {name: self.config.output_dir / f"{name}.json" for name in self.parts}


@checks_arguments
def split(
    data: StrPath,
    output_dir: StrPath,
    *,
    scheme: Scheme = "holdout",
    folds: int | None = None,
    test_size: float | None = None,
    dev_size: float | None = None,
    seed: int | None = None,
    fresh: bool = False,
) -> SplitResult:
    """Divide a question file into parts that do not give each other away, and write them.

    Example:
        >>> import lawqa
        >>> lawqa.split("selection.json", "split", scheme="random")
        Traceback (most recent call last):
        lawqa.errors.ConfigError: split: scheme is 'random', expected 'holdout', 'kfold' or 'lab-final'

    Args:
        data: the questions: lawqa_jp JSON, or JSONL.
        output_dir: where the parts and `split.json` go.
        scheme: `holdout` for train, dev and test; `kfold` for every question in one test part;
            `lab-final` for the lab's own split, which leaks.
        folds: of `kfold`: how many; None for 5.
        test_size: of `holdout`: a share below 1 or a count; None for 0.3.
        dev_size: a share of all questions below 1 or a count; None for no dev part.
        seed: decides which groups come where; None for 0, or the lab's own.
        fresh: replace an earlier split in the directory.

    Raises:
        DataError: the questions cannot be read.
        ConfigError: options contradict each other, the questions cannot be split so, or the directory is
            taken or cannot be written.
    """
    config = SplitSettings(
        as_path(data, "data"), as_path(output_dir, "output_dir"), scheme, folds, test_size, dev_size,
        seed, fresh,
    )  # fmt: skip
    return write_split(config)


def write_split(config: SplitSettings) -> SplitResult:
    """Split a file and write the parts with `split.json`; nothing is left half written.

    Raises:
        DataError: the input cannot be read.
        ConfigError: options contradict each other, the questions cannot be split so, or the directory is
            taken or cannot be written.
    """
    _check_options(config)
    _check_directory(config)
    questions = read_questions(config.input)
    groups = find_groups(questions)
    seed = LAB_SEED if config.scheme == "lab-final" else config.seed or 0
    splits = _splits(config, questions, groups, seed)
    parts = {f"{prefix}{name}": part for prefix, split in splits for name, part in _named(split)}
    leaks = tuple(leak for prefix, split in splits for leak in _audit_split(prefix, split))
    notes = tuple(_notes(config, questions, parts, leaks))
    result = SplitResult(config, seed, questions, groups, parts, leaks, notes)
    _check_targets(config, parts)
    try:
        _write(result)
    except OSError as problem:
        raise ConfigError(f"{config.output_dir}: cannot be written: {problem.strerror}") from None
    return result


def _check_options(config: SplitSettings) -> None:
    if config.folds is not None and config.scheme != "kfold":
        raise ConfigError(f"--folds says nothing to --scheme {config.scheme}", "--scheme kfold")
    if config.test_size is not None and config.scheme != "holdout":
        raise ConfigError(
            f"--test-size says nothing to --scheme {config.scheme}", "--scheme holdout"
        )
    if config.scheme == "lab-final":
        if config.dev_size is not None:
            raise ConfigError("--dev-size: the lab's split has no dev part", "--scheme holdout")
        if config.seed not in (None, LAB_SEED):
            raise ConfigError(
                f"--seed {config.seed}: the lab's split is fixed to seed {LAB_SEED}",
                "leave --seed out; or --scheme holdout",
            )


def _check_directory(config: SplitSettings) -> None:
    path = config.output_dir
    if path.exists() and not path.is_dir():
        raise ConfigError(f"{path}: is a file, expected a directory for the split")
    if (path / SPLIT_FILE).exists() and not config.fresh:
        raise ConfigError(
            f"{path}: already holds a split", "--fresh replaces it; or name another directory"
        )


def _check_targets(config: SplitSettings, parts: dict[str, tuple[Question, ...]]) -> None:
    """Refuse parts that overwrite the input or, without --fresh, any other file."""
    for name in parts:
        target = config.output_dir / f"{name}.json"
        if target.exists() and target.resolve() == config.input.resolve():
            raise ConfigError(
                f"{target}: is the input, and would be overwritten", "name another --output-dir"
            )
        if target.exists() and not config.fresh:
            raise ConfigError(f"{target}: exists already", "--fresh replaces it")


def _splits(
    config: SplitSettings, questions: Sequence[Question], groups: Sequence[Group], seed: int
) -> list[tuple[str, Split]]:
    if config.scheme == "lab-final":
        return [("", lab_final(questions))]
    dev = 0 if config.dev_size is None else _given(config.dev_size, "--dev-size")
    if config.scheme == "holdout":
        test = DEFAULT_TEST_SIZE if config.test_size is None else config.test_size
        split = holdout(questions, test_size=test, dev_size=dev, seed=seed, groups=groups)
        return [("", split)]
    folds = DEFAULT_FOLDS if config.folds is None else config.folds
    splits = kfold(questions, folds=folds, dev_size=dev, seed=seed, groups=groups)
    return [(f"fold{number}/", split) for number, split in enumerate(splits, start=1)]


def _given(size: float, flag: str) -> float:
    if size == 0:
        raise ConfigError(f"{flag} is 0", f"leave {flag} out for none")
    return size


def _named(split: Split) -> Iterator[tuple[str, tuple[Question, ...]]]:
    yield "train", split.train
    if split.dev:
        yield "dev", split.dev
    yield "test", split.test


def _audit_split(prefix: str, split: Split) -> Iterator[PartLeak]:
    for (left, one), (right, other) in combinations(_named(split), 2):
        for leak in find_leaks(one, other):
            yield PartLeak(prefix + left, prefix + right, leak)


def _notes(
    config: SplitSettings,
    questions: Sequence[Question],
    parts: dict[str, tuple[Question, ...]],
    leaks: Sequence[PartLeak],
) -> Iterator[str]:
    if config.scheme == "lab-final":
        yield (
            f"the lab's split cuts groups: {counted(len(leaks), 'pair leaks', 'pairs leak')}; "
            "its figures are only for comparison"
        )
    for name, part in parts.items():
        size = {"dev": config.dev_size, "test": config.test_size}.get(name.rpartition("/")[2])
        asked = size_in_questions(size, questions) if size else len(part)
        if asked != len(part):
            yield f"{name}: {counted(len(part), 'question')} instead of {asked}, for groups are never divided"


def _write(result: SplitResult) -> None:
    """Write everything beside its place first, so that a failure leaves the directory as it was."""
    target = result.config.output_dir
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        for name, part in result.parts.items():
            (staged / name).parent.mkdir(exist_ok=True)
            write_questions(staged / f"{name}.json", part)
        write_json(staged / SPLIT_FILE, _split_json(result, staged))
        _put_in_place(staged, target, list(result.parts))
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _put_in_place(staged: Path, target: Path, names: Sequence[str]) -> None:
    """Move all at once into a new directory, else file by file.

    `split.json` goes last, so a directory that has it is whole.
    """
    if not target.exists():
        staged.chmod(0o755)  # mkdtemp makes directories that only their owner can enter
        staged.rename(target)
        return
    if (target / SPLIT_FILE).exists():
        (target / SPLIT_FILE).unlink()
        for directory in (target, *target.glob("fold[0-9]*")):
            for file in _PART_FILES:
                (directory / file).unlink(missing_ok=True)
            if directory != target and not any(directory.iterdir()):
                directory.rmdir()
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (staged / f"{name}.json").replace(target / f"{name}.json")
    (staged / SPLIT_FILE).replace(target / SPLIT_FILE)


def _split_json(result: SplitResult, staged: Path) -> JsonObject:
    config = result.config
    return {
        "schema_version": SCHEMA_VERSION,
        "scheme": config.scheme,
        "seed": result.seed,
        "asked": {
            "folds": config.folds, "test_size": config.test_size, "dev_size": config.dev_size,
        },
        "data": {
            "path": str(config.input),
            "sha256": file_sha256(config.input),
            "questions": len(result.questions),
        },
        "rules": asdict(LINK_RULES),
        "parts": {
            name: {
                "sha256": file_sha256(staged / f"{name}.json"),
                "questions": question_entries(part),
                "balance": class_balance(part),
            }
            for name, part in result.parts.items()
        },
        "groups": [
            {
                "members": [question.key for question in group.members],
                "links": [
                    {"first": link.first, "second": link.second, **asdict(link.reason)}
                    for link in group.links
                ],
            }
            for group in result.groups
        ],
        "leaks": {
            "pairs": len(result.leaks),
            "list": [{"left": f.left, "right": f.right, **asdict(f.leak)} for f in result.leaks],
        },
    }  # fmt: skip
