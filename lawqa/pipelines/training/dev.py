"""Dev questions of a training: read, checked for leaks, and asked as `lawqa evaluate` asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lawqa.digests import hashed_while_read
from lawqa.errors import ConfigError, DataError
from lawqa.files import JsonObject
from lawqa.pipelines.corpus.leaks import leaks_of_items, read_items
from lawqa.pipelines.evaluation.results import result_of
from lawqa.prompting import (
    ChatTokenizer,
    Condition,
    Prompt,
    PromptSpec,
    build_prompt,
    prompt_thought,
    render,
    require_outside,
)
from lawqa.prompts import STANDARD
from lawqa.questions import Question, read_questions
from lawqa.records import LEGACY_SPEC, TrainingRecord, holds_records, load_records
from lawqa.runs.manifest import question_entries
from lawqa.scoring import ScoredAnswer

if TYPE_CHECKING:
    from lawqa.models.load import LoadedModel

_SHOWN = 3


@dataclass(frozen=True)
class DevQuestions:
    """The questions whose accuracy decides which step of a training is kept."""

    path: Path
    """The file."""
    questions: tuple[Question, ...]
    """In file order, in the order of choices to show."""
    prompts: tuple[Prompt, ...]
    """One for each."""
    token_budget: int
    """Padded tokens of one batch; 0 for the backend's own choice."""
    sha256: str = ""
    """Of the file, taken when it was read."""

    @property
    def specs(self) -> str:
        """Their prompt specs, for messages."""
        return ", ".join(sorted({prompt.spec.id for prompt in self.prompts}))

    def describe(self) -> JsonObject:
        """What a manifest keeps of them."""
        return {
            "path": str(self.path),
            "sha256": self.sha256,
            "prompt_specs": self.specs,
            "questions": question_entries(self.questions),
        }

    def require_scorable(self, tokenizer: ChatTokenizer) -> None:
        """Make sure that a label can follow the prompts, before the first step.

        Raises:
            ConfigError: the chat template gives no text, or ends it inside an open think block.
        """
        first = self.prompts[0]
        text = render(first.messages, tokenizer, thinking=first.spec.thinking)
        require_outside(
            prompt_thought(text), "leave --dev-file out: its answers are scored on the next token"
        )

    def __call__(self, loaded: LoadedModel, process: int, processes: int) -> Iterator[ScoredAnswer]:
        """The answers of one process's share, as `lawqa.training.dev.DevScorer` wants it."""
        from lawqa.backends.hf.backend import DEFAULT_TOKEN_BUDGET, HFBackend

        asked = {prompt.key: prompt for prompt in self.prompts[process::processes]}
        questions = {question.key: question for question in self.questions}
        backend = HFBackend(
            loaded,
            self.token_budget or DEFAULT_TOKEN_BUDGET,
            path="plain" if loaded.sharded else "fast",
        )
        for answer in backend.score_choices(list(asked.values())):
            spec = asked[answer.key].spec
            yield result_of(questions[answer.key], spec, "logits", answer).scored()


def load_dev(
    path: Path,
    train_file: Path,
    records: Sequence[TrainingRecord],
    condition: Condition | None,
    token_budget: int,
) -> DevQuestions:
    """Read dev questions, or records of them, and make sure that training gives none of them away.

    Args:
        path: questions, which are put as the training records are; or records, which say it themselves.
        train_file: what is trained on.
        records: its records; none where it holds texts to read.
        condition: how questions are put where the training records do not say so, or say several.
        token_budget: padded tokens of one batch; 0 for the backend's own choice.

    Raises:
        DataError: a dev question, or one of its group, is trained on; or the file cannot be read.
        ConfigError: the prompt spec is not clear, or its answers cannot be scored by one letter.
    """
    with hashed_while_read(path) as sha256:
        held = holds_records(path)
        put = _from_records(path) if held else _from_questions(path, records, condition)
    questions, prompts = zip(*put, strict=True)
    dev = DevQuestions(path, questions, prompts, token_budget, sha256)
    for prompt in prompts:
        if prompt.spec.reasons:
            raise ConfigError(
                f"--dev-file: {prompt.spec.id} answers after reasoning, and dev accuracy is scored on the "
                "next token",
                "--dev-condition closed or gold  scores the direct answers instead",
            )
    if len({question.key for question in questions}) < len(questions):
        raise DataError(f"{path}: holds a question twice in one order", "keep one of them")
    _refuse_leaks(dev, train_file)
    return dev


def _from_questions(
    path: Path, records: Sequence[TrainingRecord], condition: Condition | None
) -> list[tuple[Question, Prompt]]:
    spec = _spec(records, condition)
    return [(question, build_prompt(question, spec)) for question in read_questions(path)]


def _spec(records: Sequence[TrainingRecord], condition: Condition | None) -> PromptSpec:
    known = {r.prompt_spec for r in records if r.prompt_spec != LEGACY_SPEC}
    specs = [PromptSpec.from_id(spec_id) for spec_id in sorted(known)]
    if condition is not None:
        named = [spec for spec in specs if spec.condition == condition and not spec.reasons]
        worded = {spec.wording for spec in specs} or {STANDARD}
        specs = named or [PromptSpec("direct", condition, wording=word) for word in sorted(worded)]
    if len(specs) != 1:
        found = ", ".join(spec.id for spec in specs) or "none"
        raise ConfigError(
            f"--dev-file: the prompt specs of the training records are: {found}; which are the dev questions "
            "to be put in?",
            "--dev-condition closed, or gold; or give a --dev-file made by lawqa records",
        )
    if specs[0].condition == "rag":
        raise ConfigError(
            "--dev-file: the condition is rag, and questions alone hold nothing retrieved",
            "lawqa records --condition rag  makes a --dev-file with what is retrieved for each",
        )
    return specs[0]


def _from_records(path: Path) -> list[tuple[Question, Prompt]]:
    put = []
    for record in load_records(path).records:
        if record.origin is None or record.prompt_spec == LEGACY_SPEC:
            raise DataError(
                f"{path}: {record.key} does not say which question it was made of",
                "lawqa records  makes records that do; or give the questions themselves",
            )
        spec = PromptSpec.from_id(record.prompt_spec)
        prompt = build_prompt(record.origin, spec, retrieved=record.retrieved)
        put.append((record.origin, prompt))
    return put


def _refuse_leaks(dev: DevQuestions, train_file: Path) -> None:
    leaks = leaks_of_items(read_items(train_file, []), dev.questions)
    given_away = list(dict.fromkeys(leak.test for leak in leaks))
    if given_away:
        shown = ", ".join(given_away[:_SHOWN]) + (", …" if len(given_away) > _SHOWN else "")
        raise DataError(
            f"--dev-file: {len(given_away)} of {len(dev.questions)} dev questions are trained on, or share "
            f"context or article with one that is: {shown} ({leaks[0].train}: {leaks[0].reasons[0]})",
            f"lawqa split --input {train_file} --dev-size 0.2  makes parts that share nothing",
        )
