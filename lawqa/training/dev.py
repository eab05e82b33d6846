"""Dev accuracy while training: which step is the best, when to stop, and the alarm for a collapse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Protocol

from lawqa.amounts import counted
from lawqa.choices import LABELS
from lawqa.files import JsonDict
from lawqa.models.load import LoadedModel
from lawqa.scoring import accuracy_of, collapse_alarm
from lawqa.training.dev_answer import DevAnswer, voted

if TYPE_CHECKING:
    import torch


class DevScorer(Protocol):
    """Asks the dev questions just as `lawqa evaluate` asks its own."""

    @property
    def expected(self) -> int:
        """How many answers all processes give together."""

    def __call__(self, loaded: LoadedModel, process: int, processes: int) -> Iterator[DevAnswer]:
        """Return the answers of one process's share of the questions, one by one."""


@dataclass(frozen=True)
class DevResult:
    """The dev questions' answers at one step."""

    step: int
    """Optimiser steps taken; 0 before training."""
    correct: int
    """Right answers."""
    asked: int
    """Questions asked."""
    failed: int
    """Questions that could not be answered, out of memory or with NaN logits; they count as wrong."""
    answers: dict[str, int]
    """How often each label was answered."""
    collapse: str | None = None
    """The alarm in words, where answers pile up on one label."""
    collapsed_label: str | None = None
    """That label."""
    unanswered: int = 0
    """Questions whose texts named no label; they count as wrong."""
    texts: int = 0
    """Texts that were written; 0 where letters were scored."""
    cut: int = 0
    """Of them, those that ended in the limit of tokens."""
    tokens: int = 0
    """Of all of them."""
    seconds: float = field(default=0.0, compare=False)
    """What writing them took; 0 where letters were scored."""

    @property
    def accuracy(self) -> float:
        """Right answers among all asked, from 0 to 1."""
        return self.correct / self.asked

    @classmethod
    def of(cls, step: int, given: Sequence[DevAnswer], seconds: float = 0.0) -> DevResult:
        """Count the answers; the samples of a prompt are one answer by their majority."""
        answers = voted(answer.scored for answer in given)
        accuracy, alarm = accuracy_of(answers), collapse_alarm(answers)
        counted = Counter(answer.predicted for answer in answers)
        texts = [answer for answer in given if answer.tokens is not None]
        return cls(
            step=step,
            correct=accuracy.correct,
            asked=accuracy.asked,
            failed=sum(answer.outcome == "failed" for answer in answers),
            answers={label: counted[label] for label in LABELS},
            collapse=alarm.sentence if alarm else None,
            collapsed_label=alarm.label if alarm else None,
            unanswered=sum(answer.outcome in ("unparsed", "truncated") for answer in answers),
            texts=len(texts),
            cut=sum(answer.cut for answer in texts),
            tokens=sum(answer.tokens or 0 for answer in texts),
            seconds=round(seconds, 1) if texts else 0.0,
        )

    @property
    def sentence(self) -> str:
        """For the terminal."""
        answered = " ".join(f"{label} {count}" for label, count in self.answers.items())
        failed = f", {self.failed} FAILED" if self.failed else ""
        none = f", {self.unanswered} without an answer" if self.unanswered else ""
        written = f"; {self.text_sentence}, {self.seconds:.0f} s" if self.texts else ""
        return (
            f"dev accuracy {self.accuracy:.1%} "
            f"({self.correct}/{self.asked}; {answered}{none}{failed}){written}"
        )

    @property
    def text_sentence(self) -> str:
        """How the texts ended, for where some were written."""
        return (
            f"{self.cut / self.texts:.0%} of {counted(self.texts, 'text')} cut by the limit, "
            f"{self.tokens / self.texts:.0f} tokens each"
        )

    def to_json(self) -> JsonDict:
        """Return a line of the log, beside those of the loss."""
        # Time is no result: the log of a resumed training is that of one that nobody stopped.
        left_out = ("step", "seconds")
        content = {
            f"dev_{key}": value for key, value in asdict(self).items() if key not in left_out
        }
        return {"step": self.step, "dev_accuracy": self.accuracy, **content}


@dataclass
class DevWatch:
    """All scorings of the dev questions so far, the best of them, and whether to stop."""

    patience: int
    """Scorings in a row without a higher accuracy that end the training; 0 for never."""
    stop_on_collapse: bool
    """Whether a collapse ends it."""
    results: list[DevResult] = field(default_factory=list)
    """All scorings, the first before training."""
    best: DevResult | None = None
    """The first of the most accurate ones after step 0."""
    best_weights: dict[str, torch.Tensor] | None = None
    """The adapter at the best step, on the CPU."""
    waiting: bool = False
    """Whether a signal cut a scoring short; it is repeated on resuming."""

    def take(self, result: DevResult) -> bool:
        """Remember a scoring; whether it is the best so far (of equals the earlier one is)."""
        self.waiting = False
        self.results.append(result)
        if result.step == 0 or (self.best and result.correct <= self.best.correct):
            return False
        self.best = result
        return True

    def reason_to_stop(self) -> str | None:
        """Return why training should end here, in words; None to continue."""
        if not self.results or self.best is None:
            return None
        last, before = self.results[-1], self.results[0]
        known = before.collapsed_label if before.step == 0 else None
        if self.stop_on_collapse and last.collapse and last.collapsed_label != known:
            return f"collapse at step {last.step}: {last.collapse}"
        since = [result for result in self.results if result.step > self.best.step]
        if self.patience and len(since) >= self.patience:
            return (
                f"no better dev accuracy in {counted(len(since), 'scoring')} since step {self.best.step} "
                f"({self.best.accuracy:.1%})"
            )
        return None

    def to_json(self) -> JsonDict:
        """Return the form for a checkpoint; the best weights are stored apart."""
        return {
            "results": [asdict(result) for result in self.results],
            "best_step": self.best.step if self.best else None,
            "waiting": self.waiting,
        }

    def restore(self, content: JsonDict, best_weights: dict[str, torch.Tensor] | None) -> None:
        """Take over what `to_json` described."""
        self.results = [DevResult(**result) for result in content["results"]]
        self.best = next((r for r in self.results if r.step == content["best_step"]), None)
        self.best_weights = best_weights
        self.waiting = content["waiting"]
