"""Training records as a file, made of a question file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from lawqa.augment.question_types import source_of
from lawqa.errors import ConfigError
from lawqa.pipelines.corpus.records_provenance import raft_text, write_provenance
from lawqa.pipelines.evaluation.contexts import RagConfig
from lawqa.pipelines.evaluation.rag import retrieve_contexts
from lawqa.prompting import Condition, Mode, PromptSpec
from lawqa.prompts import STANDARD, wording_of
from lawqa.questions import read_questions
from lawqa.records import make_question_records as records_of
from lawqa.records import write_records
from lawqa.runs.directory import claim_output
from lawqa.settings import Permutations, StrPath, as_path, checks_arguments


@dataclass(frozen=True)
class MadeRecords:
    """A file of training records."""

    path: Path
    """The file, which `train` takes."""
    counts: Mapping[str, int]
    """How many records it holds, by prompt spec."""
    retrieved: str = ""
    """How retrieved contexts differ from those that are evaluated: distractors, gold articles left out; empty
    where they do not."""

    @property
    def total(self) -> int:
        """How many records it holds."""
        return sum(self.counts.values())


@checks_arguments
def make_records(
    data: StrPath,
    output: StrPath,
    *,
    mode: Mode = "direct",
    condition: Condition | None = None,
    mix: Mapping[Condition, int] | None = None,
    few_shot: bool = False,
    prompt: str = STANDARD,
    permutations: Permutations = 1,
    samples: int | None = None,
    seed: int = 0,
    rag: RagConfig | None = None,
    fresh: bool = False,
    quiet: bool = True,
) -> MadeRecords:
    """Write training records made of a question file, with the prompts that evaluation uses.

    Example:
        >>> import lawqa
        >>> lawqa.make_records("train.json", "train.jsonl", mode="essay")
        Traceback (most recent call last):
        lawqa.errors.ConfigError: make_records: mode is 'essay', expected 'direct' or 'cot'

    Args:
        data: the questions: lawqa_jp JSON, or JSONL.
        output: the JSONL file to write; with retrieved contexts, a `.provenance.json` goes beside it.
        mode: `direct` for one letter. Records of `cot` need real reasoning, which `lawqa distill` samples.
        condition: which context comes before a question; None for `closed`.
        mix: several conditions with their weights from 1 to 99, instead of `condition`.
        few_shot: put two solved questions before each question.
        prompt: the wording's id.
        permutations: the number of orders of the choices that each question is written in.
        samples: use only the first N questions; None for all.
        seed: decides which question gets which condition of `mix`.
        rag: where contexts are retrieved, for the condition `rag`; it names the tokenizer of the model that
            will be trained.
        fresh: replace an earlier file.
        quiet: no progress bar.

    Raises:
        ConfigError: arguments contradict each other, or the file is there already.
        DataError: the questions cannot be read.
    """
    source, target = as_path(data, "data"), as_path(output, "output")
    weights = _weights(condition, mix)
    if "rag" in weights and rag is None:
        raise ConfigError("the condition rag needs an index", "--index DIR")
    if rag is not None and rag.tokenizer is None:
        raise ConfigError(
            "rag names no tokenizer, and contexts would be cut by characters, unlike those of an evaluation",
            "RagConfig.from_index(INDEX, tokenizer=MODEL), with the model that will be trained",
        )
    if samples is not None and samples < 1:
        raise ConfigError(f"--samples is {samples}, expected 1 or more")
    wording = wording_of(prompt).id
    specs = [
        (PromptSpec(mode, name, few_shot=few_shot, wording=wording), weight)
        for name, weight in weights.items()
    ]
    questions = read_questions(source)[:samples]
    used = rag if "rag" in weights else None
    retrieval = retrieve_contexts(used, questions, quiet=quiet) if used else None
    records = records_of(
        questions,
        specs,
        permutations=permutations,
        seed=seed,
        source_of=source_of,
        retrieved_of=retrieval.text if retrieval else None,
    )
    claim_output(target, "--output-path", fresh=fresh, sources=(source,))
    write_records(target, records)
    counts = Counter(record.prompt_spec for record in records)
    if retrieval is not None:
        write_provenance(target, retrieval.manifest, counts, seed)
        return MadeRecords(target, dict(counts), raft_text(retrieval.manifest))
    return MadeRecords(target, dict(counts))


def _weights(
    condition: Condition | None, mix: Mapping[Condition, int] | None
) -> dict[Condition, int]:
    """Return the conditions with their weights."""
    if mix is None:
        return {condition or "closed": 1}
    if condition is not None:
        raise ConfigError("--mix and --condition contradict each other", "leave one of them out")
    if not mix:
        raise ConfigError("mix is empty", "for example {'closed': 1, 'gold': 2}")
    for name, weight in mix.items():
        if name not in get_args(Condition):
            known = ", ".join(get_args(Condition))
            raise ConfigError(
                f"mix names {name!r}, expected {known}", "for example {'closed': 1, 'gold': 2}"
            )
        if isinstance(weight, bool) or not isinstance(weight, int) or not 1 <= weight <= 99:
            raise ConfigError(
                f"mix[{name!r}] is {weight!r}, expected a whole number from 1 to 99",
                "for example {'closed': 1, 'gold': 2}",
            )
    return dict(mix)
