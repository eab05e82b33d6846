"""Dev questions of a training: read, checked for leaks, and asked as `lawqa evaluate` asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lawqa.digests import hashed_while_read
from lawqa.errors import ConfigError, DataError
from lawqa.files import JsonObject
from lawqa.pipelines.corpus.leaks import leaks_of_training
from lawqa.pipelines.evaluation.results import result_of
from lawqa.pipelines.training.dev_generation import (
    FEW,
    DevCost,
    DevGeneration,
    draw_dev_questions,
    planned_cost,
    require_one_way,
)
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
from lawqa.questions import Question, read_questions
from lawqa.records import FOREIGN_SPECS, TrainingRecord, holds_records, load_records
from lawqa.runs.manifest import question_entries
from lawqa.settings import Hyperparameters, ModelSettings
from lawqa.training.dev_answer import DevAnswer

if TYPE_CHECKING:
    from lawqa.backends.hf.backend import HFBackend
    from lawqa.models.load import LoadedModel

_SHOWN = 3


@dataclass(frozen=True)
class PutAs:
    """How dev questions are put, where the caller decides that and not what the records say."""

    spec: PromptSpec
    """The prompt spec of all of them."""
    retrieved_of: Callable[[Question], str] | None = None
    """The retrieved context of a question, for the condition `rag`."""


@dataclass(frozen=True)
class DevQuestions:
    """The questions whose accuracy decides which step of a training is kept."""

    path: Path
    questions: tuple[Question, ...]
    """In file order, in the order of choices to show."""
    prompts: tuple[Prompt, ...]
    """One for each."""
    token_budget: int
    """Padded tokens of one batch; 0 for the backend's own choice."""
    sha256: str = ""
    """Of the file, taken when it was read."""
    generation: DevGeneration | None = None
    """How texts are written where the records reason; None where the next token is the answer."""
    in_file: int = 0
    """How many the file holds, of which these were drawn; 0 for just these."""
    cost: DevCost | None = None
    """What scoring by text costs at most; None until it was planned, and where letters are scored."""

    @property
    def expected(self) -> int:
        """How many answers one scoring gives."""
        return len(self.prompts) * (self.generation.settings.repeats if self.generation else 1)

    @property
    def specs(self) -> str:
        """Their prompt specs, for messages."""
        return ", ".join(sorted({prompt.spec.id for prompt in self.prompts}))

    def describe(self) -> JsonObject:
        """Return what a manifest keeps of them."""
        return {
            "path": str(self.path),
            "sha256": self.sha256,
            "prompt_specs": self.specs,
            "answer_by": "generate" if self.generation else "logits",
            "in_file": self.in_file or len(self.questions),
            "generation": self.generation.to_json() if self.generation else None,
            "cost": asdict(self.cost) if self.cost else None,
            "questions": question_entries(self.questions),
        }

    def planned(self, loaded: LoadedModel, scorings: int) -> DevQuestions:
        """Return these questions with the cost of scoring them by text, measured on a few short texts.

        Args:
            loaded: with the model that will be trained, and its adapter.
            scorings: how often they are asked.
        """
        if self.generation is None:
            return self
        backend, settings = self._backend(loaded), self.generation.settings
        return replace(self, cost=planned_cost(backend, self.prompts, settings, scorings))

    def require_scorable(self, tokenizer: ChatTokenizer) -> None:
        """Make sure that a label, or the text before it, can follow the prompts, before the first step.

        Raises:
            ConfigError: the chat template gives no text, or ends it inside an open think block.
        """
        first = self.prompts[0]
        text = render(first.messages, tokenizer, thinking=first.spec.thinking)
        if self.generation is None:
            require_outside(
                prompt_thought(text),
                "leave --dev-file out: its answers are scored on the next token",
            )

    def __call__(self, loaded: LoadedModel, process: int, processes: int) -> Iterator[DevAnswer]:
        """Yield the answers of one process's share, as `lawqa.training.dev.DevScorer` wants it."""
        asked = {prompt.key: prompt for prompt in self.prompts[process::processes]}
        questions = {question.key: question for question in self.questions}
        backend, prompts = self._backend(loaded), list(asked.values())
        if self.generation is None:
            for scored in backend.score_choices(prompts):
                spec = asked[scored.key].spec
                yield DevAnswer(result_of(questions[scored.key], spec, "logits", scored).scored())
            return
        for text in backend.generate(prompts, self.generation.settings):
            spec = asked[text.key].spec
            result = result_of(questions[text.key], spec, "generate", text)
            yield DevAnswer(result.scored(), result.completion_tokens or 0, bool(result.hit_limit))

    def _backend(self, loaded: LoadedModel) -> HFBackend:
        from lawqa.backends.hf.backend import DEFAULT_TOKEN_BUDGET, HFBackend

        return HFBackend(
            loaded,
            self.token_budget or DEFAULT_TOKEN_BUDGET,
            path="plain" if loaded.sharded else "fast",
        )


def load_dev(
    path: Path,
    trained_on: Sequence[Path],
    records: Sequence[TrainingRecord],
    condition: Condition | None,
    training: Hyperparameters,
    model: ModelSettings,
    put_as: PutAs | None = None,
) -> DevQuestions:
    """Read dev questions, or records of them, and make sure that training gives none of them away.

    Args:
        path: questions, which are put as the training records are; or records, which say it themselves.
        trained_on: the files of what is trained on, the training file first.
        records: their records; none where texts are read.
        condition: how questions are put where the training records do not say so, or say several.
        training: how many are asked, and how texts are written where the records reason.
        model: what is trained.
        put_as: how questions are put whatever the training records say; None for as these are.

    Raises:
        DataError: a dev question, or one of its group, is trained on; or the file cannot be read.
        ConfigError: the prompt spec is not clear, or settings or records do not fit it.
    """
    with hashed_while_read(path) as sha256:
        put = (
            _from_records(path, records)
            if holds_records(path)
            else _from_questions(path, put_as or PutAs(_spec(records, condition)))
        )
    writes = require_one_way([prompt for _, prompt in put])
    if not writes:
        refuse_settings_of_texts(training, put[0][1].spec)
    in_file = len(put)
    put = draw_dev_questions(put, training.dev_questions or (FEW if writes else None))
    questions, prompts = zip(*put, strict=True)
    generation = None
    if writes:
        generation = DevGeneration.of(
            prompts,
            model,
            samples=training.dev_samples or 1,
            max_new_tokens=training.dev_max_new_tokens,
            seed=training.seed,
        )
    dev = DevQuestions(path, questions, prompts, training.token_budget, sha256, generation, in_file)
    if len({question.key for question in questions}) < len(questions):
        raise DataError(f"{path}: holds a question twice in one order", "keep one of them")
    _refuse_leaks(dev, trained_on)
    return dev


def refuse_settings_of_texts(training: Hyperparameters, spec: PromptSpec) -> None:
    """Make sure that nothing is said of texts where dev questions are answered by one letter.

    Raises:
        ConfigError: something is.
    """
    given = [
        f"--{name.replace('_', '-')} {value}"
        for name in ("dev_samples", "dev_max_new_tokens")
        if (value := getattr(training, name)) is not None
    ]
    if given:
        raise ConfigError(
            f"{', '.join(given)}: dev questions are put as {spec.id}, whose answer is the next token: "
            "no text is written",
            "leave it out; or train on records that reason (lawqa distill), or give a --dev-file of them",
        )


def _from_questions(path: Path, put_as: PutAs) -> list[tuple[Question, Prompt]]:
    retrieved_of = put_as.retrieved_of or (lambda _: "")
    return [
        (question, build_prompt(question, put_as.spec, retrieved=retrieved_of(question)))
        for question in read_questions(path)
    ]


def _spec(records: Sequence[TrainingRecord], condition: Condition | None) -> PromptSpec:
    known = {r.prompt_spec for r in records if r.prompt_spec not in FOREIGN_SPECS}
    specs = [PromptSpec.from_id(spec_id) for spec_id in sorted(known)]
    if condition is not None:
        named = [spec for spec in specs if spec.condition == condition]
        put_so = {replace(spec, condition=condition) for spec in specs}
        specs = (
            named or sorted(put_so, key=lambda spec: spec.id) or [PromptSpec("direct", condition)]
        )
    if len(specs) != 1:
        ids = ", ".join(spec.id for spec in specs) or "none"
        raise ConfigError(
            f"--dev-file: the prompt specs of the training records are: {ids}; which are the dev questions "
            "to be put in?",
            "--dev-condition closed, or gold; or give a --dev-file made by lawqa records",
        )
    if specs[0].condition == "rag":
        raise ConfigError(
            "--dev-file: the condition is rag, and questions alone hold nothing retrieved",
            "lawqa records --condition rag  makes a --dev-file with what is retrieved for each",
        )
    return specs[0]


def _from_records(path: Path, trained: Sequence[TrainingRecord]) -> list[tuple[Question, Prompt]]:
    known = {r.prompt_spec for r in trained} - FOREIGN_SPECS
    learns_to_reason = not known or any(PromptSpec.from_id(name).reasons for name in known)
    put = []
    for record in load_records(path).records:
        if record.origin is None or record.prompt_spec in FOREIGN_SPECS:
            raise DataError(
                f"{path}: {record.key} does not say which question it was made of",
                "lawqa records  makes records that do; or give the questions themselves",
            )
        spec = PromptSpec.from_id(record.prompt_spec)
        if spec.reasons and not learns_to_reason:
            raise ConfigError(
                f"--dev-file: {record.key} is put as {spec.id} and answered after reasoning, and the "
                f"training records are {', '.join(sorted(known))}: they teach the letter alone",
                "lawqa records --mode direct  makes a --dev-file of letters",
            )
        prompt = build_prompt(record.origin, spec, retrieved=record.retrieved)
        put.append((record.origin, prompt))
    return put


def _refuse_leaks(dev: DevQuestions, trained_on: Sequence[Path]) -> None:
    leaks = leaks_of_training(trained_on, dev.questions)
    given_away = list(dict.fromkeys(leak.test for leak in leaks))
    if given_away:
        shown = ", ".join(given_away[:_SHOWN]) + (", …" if len(given_away) > _SHOWN else "")
        raise DataError(
            f"--dev-file: {len(given_away)} of {len(dev.questions)} dev questions are trained on, or share "
            f"context or article with one that is: {shown} ({leaks[0].train}: {leaks[0].reasons[0]})",
            f"lawqa split --input {trained_on[0]} --dev-size 0.2  makes parts that share nothing",
        )
