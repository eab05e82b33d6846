"""The prompts of a run: names, sizes and places of all of them; each is put when it is asked."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lawqa.made import Made
from lawqa.prompting import Prompt
from lawqa.questions import Question
from lawqa.runs.question_entries import QuestionEntries, entry_of
from lawqa.runs.result import ItemKey


@dataclass(frozen=True)
class AskedPrompts:
    """Questions in every order that is asked, and how each is put."""

    questions: Sequence[Question]
    """The orders of a question follow each other."""
    prompts: Sequence[Prompt]
    """The questions as they are put, in the same sequence."""
    entries: QuestionEntries
    """What the manifest says of them."""
    sizes: Sequence[int]
    """Bytes of the messages of each prompt."""
    places: dict[str, int]
    """The place of each prompt by its key."""

    @classmethod
    def of(cls, questions: Sequence[Question], put: Callable[[Question], Prompt]) -> AskedPrompts:
        """Put every question once, so that one that cannot be put is known before anything is asked.

        Args:
            questions: the questions; each may be read from its file when it is asked for.
            put: makes the prompt of a question.

        Raises:
            LawqaError: a question cannot be put.
        """
        sizes, places = array("Q"), dict[str, int]()
        entries = QuestionEntries()
        for question in questions:
            prompt = put(question)
            places.setdefault(prompt.key, len(places))
            sizes.append(sum(len(turn.content.encode()) for turn in prompt.messages))
            entries.append(entry_of(question))
        prompts = Made(lambda place: put(questions[place]), range(len(questions)))
        return cls(questions, prompts, entries, sizes, places)

    @property
    def ids(self) -> Iterator[str]:
        """The id of each question, for each of its orders."""
        return map(self.entries.question_id, range(len(self.entries)))

    def keys(self, repeats: int) -> Sequence[ItemKey]:
        """Return what names each answer: prompt by prompt, repeat by repeat."""
        return Made(
            lambda number: (self.entries.key(number // repeats), number % repeats),
            range(len(self.questions) * repeats),
        )

    def of_keys(self, keys: Sequence[str]) -> Sequence[Prompt]:
        """Return the prompts of these keys."""
        return Made(self.prompts.__getitem__, array("Q", map(self.places.__getitem__, keys)))


def question_of(key: ItemKey) -> str:
    """Return the id of the question that an answer is to."""
    return key[0].rpartition("#")[0]
