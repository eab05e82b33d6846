"""Texts that a model draws while it is trained, judged by the parser and the filters of pools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lawqa.augment.reasoning import Sample, SampleFilter, check
from lawqa.backends.base import Completion, GenerationSettings
from lawqa.choices import ORIGINAL_ORDER, orders
from lawqa.errors import TrainingError
from lawqa.pipelines.evaluation.contexts import Retrieval
from lawqa.pipelines.evaluation.rag import retrieve_contexts
from lawqa.pipelines.evaluation.retrieving import rag_config
from lawqa.pipelines.training.prepared import TrainingSource
from lawqa.prompting import Prompt, PromptSpec, build_prompt, end_of_turn
from lawqa.questions import Question, read_questions, reordered
from lawqa.records import IGNORED, TokenizedRecord, TrainingRecord, make_record
from lawqa.settings import PolicyRun

if TYPE_CHECKING:
    from lawqa.backends.hf.backend import HFBackend
    from lawqa.models.load import LoadedModel
    from lawqa.prompting import ChatTokenizer
    from lawqa.training.objectives.policy import DrawnText

SOURCE = "policy"
"""What the records of such a training say that they are made from: its texts are drawn, and not kept."""

FORM_REWARD = 0.1
"""What a wrong text of the right form earns, so that form is learnt where no text of a group is right."""

_FORM: tuple[SampleFilter, ...] = ("whole", "answered")
_FORM_OF_REASONING: tuple[SampleFilter, ...] = (*_FORM, "reasoned", "no-loop", "japanese")
_NOT_WRITTEN = "（学習中に書かれる推論）"


def spec_of(run: PolicyRun) -> PromptSpec:
    """Return how the questions of such a training are put."""
    policy = run.policy
    return PromptSpec(policy.mode, policy.condition, policy.thinking, wording=run.prompt)


def policy_source(run: PolicyRun) -> TrainingSource:
    """Return the questions as records, in every order of their choices, for manifest, leak audit and dev
    questions; contexts are retrieved where the condition is `rag`, one for all orders of a question.

    Raises:
        DataError: the file cannot be read, or holds reordered questions where several orders are asked for;
            a context gives its question away.
        ConfigError: a question has no context for `--condition gold`, or there is no index for `rag`.
    """
    spec = spec_of(run)
    questions = read_questions(run.train_file)
    retrieval = _retrieval(run, questions)
    records = tuple(
        make_record(
            question if order == ORIGINAL_ORDER else reordered(question, order),
            spec,
            reasoning=_NOT_WRITTEN,
            source=SOURCE,
            retrieved=retrieval.text(question) if retrieval else "",
        )
        for question in questions
        for order in orders(run.policy.permutations)
    )
    if retrieval is None:
        return TrainingSource(records)
    return TrainingSource(records, warnings=retrieval.notes, retrieval=retrieval.manifest)


def _retrieval(run: PolicyRun, questions: Sequence[Question]) -> Retrieval | None:
    if run.policy.condition != "rag":
        return None
    config = rag_config(run.retrieval, run.model_name, run.revision)
    return retrieve_contexts(config, questions, quiet=run.quiet)


def longest_rows(
    records: Sequence[TrainingRecord], run: PolicyRun, tokenizer: ChatTokenizer
) -> list[TokenizedRecord]:
    """Return each prompt with the longest text that may follow it: what memory is planned and
    rehearsed for.
    """
    from lawqa.backends.hf.encoded import encode

    (end,) = tokenizer.encode(end_of_turn(tokenizer), add_special_tokens=False)
    text = [end] * run.policy.max_new_tokens
    rows = []
    for record in records:
        ids = list(encode(_prompt(record), tokenizer).ids)
        rows.append(TokenizedRecord(record.key, ids + text, [IGNORED] * len(ids) + text))
    return rows


def reward_of(sample: Sample, spec: PromptSpec) -> tuple[float, bool]:
    """Return what a text earns, and whether its answer is right.

    1 for a right answer in the right form, `FORM_REWARD` for a wrong one, nothing without the form: it ended
    by itself and commits to a choice; where it reasons, it does so in Japanese and without repeating itself.
    """
    checks = check(sample, spec).checks
    form = _FORM_OF_REASONING if spec.reasons else _FORM
    right = checks.get("right") is True
    if not all(checks.get(name) is True for name in form):
        return 0.0, right
    return (1.0 if right else FORM_REWARD), right


def _prompt(record: TrainingRecord) -> Prompt:
    spec = PromptSpec.from_id(record.prompt_spec)
    return build_prompt(_question(record), spec, retrieved=record.retrieved)


def _question(record: TrainingRecord) -> Question:
    if record.origin is None:
        raise AssertionError(f"{record.key}: was made of no question")
    return record.origin


@dataclass
class PolicyDraws:
    """Draws texts with the decode engine, whose memory is free again when they are there.

    They are drawn from the whole distribution, at temperature 1: others would not be the policy's own, and
    their gradient not that of its reward.
    """

    records: Sequence[TrainingRecord]
    """The prompts."""
    run: PolicyRun
    """How they are drawn."""
    loaded: LoadedModel
    """The model with its adapter."""
    _checked: bool = field(default=False, init=False)

    def __call__(self, numbers: Sequence[int], step: int) -> list[list[DrawnText]]:
        """See `lawqa.training.objectives.policy.Draws`.

        Raises:
            TrainingError: a prompt could not be answered.
        """
        asked = {number: self.records[number] for number in numbers}
        prompts = {number: _prompt(record) for number, record in asked.items()}
        of_key = {prompt.key: number for number, prompt in prompts.items()}
        groups: dict[int, dict[int, DrawnText]] = {number: {} for number in numbers}
        for text in self._backend().generate(list(prompts.values()), self._settings(step)):
            if not isinstance(text, Completion):
                raise TrainingError(
                    f"{text.key}: no text could be drawn: {text.reason}",
                    "lower --max-new-tokens or --samples-per-question",
                )
            number = of_key[text.key]
            groups[number][text.repeat] = self._drawn(asked[number], text)
        return [[group[repeat] for repeat in sorted(group)] for group in groups.values()]

    def _backend(self) -> HFBackend:
        from lawqa.backends.hf.backend import HFBackend

        # Its kernels are compared with transformers' once a training, not once a step.
        backend = HFBackend(self.loaded, self_check=False if self._checked else None)
        self._checked = True
        return backend

    def _settings(self, step: int) -> GenerationSettings:
        policy = self.run.policy
        return GenerationSettings(
            max_new_tokens=policy.max_new_tokens,
            temperature=1.0,
            seed=self.run.training.seed,
            repeats=policy.samples_per_question,
            # A prompt comes back in another epoch: its texts have numbers of their own in every step.
            first_repeat=step * policy.samples_per_question,
            stop_at_loops=True,
            score_labels=False,
        )

    def _drawn(self, record: TrainingRecord, text: Completion) -> DrawnText:
        from lawqa.backends.hf.encoded import encode
        from lawqa.training.objectives.policy import DrawnText

        tokenizer = self.loaded.tokenizer
        sample = Sample(
            _question(record),
            text.repeat,
            text.text,
            cut_off=text.stopped != "end",
            in_thought=text.in_thought,
        )
        reward, right = reward_of(sample, PromptSpec.from_id(record.prompt_spec))
        (end,) = tokenizer.encode(end_of_turn(tokenizer), add_special_tokens=False)
        # A text of no tokens but the end is one, too.
        ended = [end] if text.stopped == "end" or not text.token_ids else []
        ids = encode(_prompt(record), tokenizer).ids
        return DrawnText(tuple(ids), (*text.token_ids, *ended), reward, right)
