"""Asking a backend for what is missing, and forcing answers out of texts that gave none."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from lawqa.amounts import counted
from lawqa.backends.base import Backend, ChoiceScores, Failure, GenerationSettings, NeedsRoom
from lawqa.backends.label_place import answer_cue
from lawqa.bars import FILE_ONLY
from lawqa.choices import FINAL_ANSWER_CUE
from lawqa.errors import BackendError
from lawqa.made import where
from lawqa.pipelines.evaluation.job import Job
from lawqa.pipelines.evaluation.results import Answer, repeat_of
from lawqa.prompting import prompt_thought
from lawqa.runs.result import ItemKey, Result
from lawqa.runs.rows import row_problems
from lawqa.thinking import THINK, ThinkMarks, open_thought

logger = logging.getLogger(__name__)

_AT_ONCE = 2**14
"""Answers that a backend is asked for in one call: it may hold their prompts, tokenized, all at once."""

_UNCLOSED_THINK = "unclosed-think"  # what the parser calls a text that ends inside its think block
_NO_ANSWER = "the backend gave no answer"
_UNSTORABLE = "the backend's answer cannot be stored"


def ask(job: Job, backend: Backend, wanted: Sequence[ItemKey]) -> Iterator[Result]:
    """Yield the results of these answers as they come, each exactly once.

    What fails is asked again after all else, `config.retries` times; what still fails, or never came, is
    a result with the outcome `failed`.

    Raises:
        BackendError: nothing can be asked; also what fails so when it is asked again has only failed.
        RuntimeError: the backend answered what was not asked.
    """
    waiting = wanted
    if waiting and isinstance(backend, NeedsRoom):
        backend.make_room(job.prompts, _settings(job))
    failures: dict[ItemKey, Failure] = {}
    for attempt in range(job.config.retries + 1):
        earlier, failures = failures, {}
        open_ = _Open(job, waiting)
        try:
            for answer in _answers(job, backend, waiting):
                key = answer.key, repeat_of(answer)
                open_.answered(key)
                if isinstance(answer, Failure):
                    failures[key] = answer
                    continue
                result = job.result(answer)
                problems = row_problems(result.to_json())
                if problems:
                    failures[key] = Failure(
                        answer.key, f"{_UNSTORABLE}: {'; '.join(problems)}", key[1]
                    )
                else:
                    yield result
        except BackendError:
            if attempt == 0:
                raise
            logger.exception("asking again failed as a whole", extra=FILE_ONLY)
        for key in filter(open_.is_open, waiting):
            failures[key] = earlier.get(key) or Failure(key[0], _NO_ANSWER, key[1])
        waiting = where(waiting, failures.__contains__)
        if not waiting or attempt == job.config.retries:
            break
        logger.debug(
            "%s failed, asked for again (%d of %d): %s",
            counted(len(waiting), "answer"), attempt + 1, job.config.retries, failures[waiting[0]].reason,
        )  # fmt: skip
    for key in waiting:
        yield job.result(failures[key])


def force(
    job: Job, backend: Backend, results: Iterable[Result], say: Callable[[str], object]
) -> Iterator[Result]:
    """Yield results without an answer, each with what the model answers when it must.

    The label is scored after the model's own text and the answer cue, a think block that is still open
    closed before it.

    Args:
        job: what was asked.
        backend: who answers.
        results: those without an answer.
        say: prints that the backend cannot do this, where it cannot; then nothing is yielded.
    """
    waiting = list(results)
    if not waiting:
        return
    prompts = job.asked.of_keys([result.key[0] for result in waiting])
    endings = [
        forced_cue(result.response, unclosed_think=_unclosed(result), marks=_marks(result))
        for result in waiting
    ]
    texts = [result.response + after for result, after in zip(waiting, endings, strict=True)]
    # Several repeats of one prompt share its key, so one pass takes one repeat of each.
    for numbers in _one_of_each(waiting):
        by_key = {waiting[number].key[0]: number for number in numbers}
        try:
            for answer in backend.score_after(
                [prompts[n] for n in numbers], [texts[n] for n in numbers]
            ):
                number = by_key.pop(answer.key)
                yield _forced(waiting[number], endings[number], answer)
        except BackendError as problem:
            say(f"answers are not forced: {problem.message}")
            return


def forced_cue(text: str, *, unclosed_think: bool, marks: ThinkMarks = THINK) -> str:
    """Return what is put after a text, finished or cut off, so that a label must follow.

    Args:
        text: what the model wrote.
        unclosed_think: whether it ends inside a think block.
        marks: of this block.
    """
    if unclosed_think:
        # As the model itself would go on after its think block.
        return f"{marks.ending}{FINAL_ANSWER_CUE}"
    return answer_cue(text)


def _answers(job: Job, backend: Backend, wanted: Sequence[ItemKey]) -> Iterator[Answer]:
    if not wanted:
        return
    for stretch in (wanted[at : at + _AT_ONCE] for at in range(0, len(wanted), _AT_ONCE)):
        if not job.config.generates:
            yield from backend.score_choices(job.asked.of_keys([key for key, _ in stretch]))
            continue
        for (first, count), keys in _by_repeats(stretch).items():
            settings = replace(job.config.generation(), first_repeat=first, repeats=count)
            yield from backend.generate(job.asked.of_keys(keys), settings)


class _Open:
    """Which of the answers that were asked for are not there yet, a byte each."""

    def __init__(self, job: Job, wanted: Sequence[ItemKey]) -> None:
        self._places = job.asked.places
        self._each = 1 + max((repeat for _, repeat in wanted), default=0)
        self._marks = bytearray(len(self._places) * self._each)
        for key in wanted:
            self._marks[self._at(key)] = True

    def is_open(self, key: ItemKey) -> bool:
        """Return whether it was asked for and is not there."""
        known = key[0] in self._places and 0 <= key[1] < self._each
        return known and bool(self._marks[self._at(key)])

    def answered(self, key: ItemKey) -> None:
        """Mark it as there.

        Raises:
            RuntimeError: it was not asked for, or is there already.
        """
        if not self.is_open(key):
            raise RuntimeError(f"the backend answered {key}, which was not asked or known already")
        self._marks[self._at(key)] = False

    def _at(self, key: ItemKey) -> int:
        return self._places[key[0]] * self._each + key[1]


def _settings(job: Job) -> GenerationSettings:
    return job.config.generation() if job.config.generates else GenerationSettings(1)


def _by_repeats(wanted: Sequence[ItemKey]) -> dict[tuple[int, int], list[str]]:
    """Return keys of prompts by the stretches of repeats, (first, count), that are wanted of them."""
    grouped: dict[tuple[int, int], list[str]] = {}
    numbers: dict[str, list[int]] = {}
    for key, repeat in wanted:
        numbers.setdefault(key, []).append(repeat)
    for key, repeats in numbers.items():
        # Within a stretch number and position grow alike, so their difference names the stretch.
        for _, group in groupby(enumerate(sorted(repeats)), lambda pair: pair[1] - pair[0]):
            stretch = [repeat for _, repeat in group]
            grouped.setdefault((stretch[0], len(stretch)), []).append(key)
    return grouped


def _forced(result: Result, after: str, answer: ChoiceScores | Failure) -> Result:
    if isinstance(answer, Failure):
        return replace(result, forced_error=answer.reason)
    return result.with_forced(after, answer.logprobs, answer.label_mass)


def _one_of_each(results: Sequence[Result]) -> Iterator[list[int]]:
    """Return the positions of results in passes: no prompt twice in one."""
    passes: list[list[int]] = []
    met: dict[str, int] = {}
    for number, result in enumerate(results):
        prompt, _ = result.key
        turn = met.get(prompt, 0)
        met[prompt] = turn + 1
        if turn == len(passes):
            passes.append([])
        passes[turn].append(number)
    yield from passes


def _marks(result: Result) -> ThinkMarks:
    """Return the marks of the block in which the text ends: its own, else those that its prompt opened."""
    return open_thought(result.response) or prompt_thought(result.prompt or "") or THINK


def _unclosed(result: Result) -> bool:
    return result.rule == _UNCLOSED_THINK
