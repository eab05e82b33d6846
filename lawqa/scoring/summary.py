"""A run in numbers: accuracy with everything that must travel with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from lawqa.choices import LABELS, Label
from lawqa.errors import DataError
from lawqa.scoring.accuracy import Accuracy, accuracy_by, accuracy_of
from lawqa.scoring.collapse import Collapse, collapse_alarm
from lawqa.scoring.final_answer import FinalSummary, summarise_final
from lawqa.scoring.floors import Floors, floors_of
from lawqa.scoring.outcomes import OUTCOMES, Outcome, ScoredAnswer, order_name, require_each_once
from lawqa.settings import By
from lawqa.shown import Shown


@dataclass(frozen=True)
class Summary(Shown):
    """The numbers of one run: its final answers, and every prompt."""

    final: FinalSummary
    """The final answers, one a question; what the run is judged by."""

    n: int
    """Prompts asked, whatever became of them."""

    questions: int
    """Different questions among them."""

    accuracy: Accuracy
    """Correct answers among all prompts asked."""

    outcomes: Mapping[Outcome, int]
    """Prompts by outcome; they sum to n."""

    predicted: Mapping[Label, int]
    """Predicted labels as displayed; prompts without one are in no bar."""

    gold: Mapping[Label, int]
    """Right labels as displayed; they sum to n."""

    floors: Floors
    """What takes no knowledge."""

    by_law: Mapping[str, Accuracy]
    """By law, sorted; the empty name holds questions whose law is not known."""

    by_context: Mapping[str, Accuracy]
    """`context` and `no_context`, those that occur."""

    by_retrieval: Mapping[str, Accuracy]
    """`hit` and `miss` of the gold article, where retrieval was done; else empty."""

    by_order: Mapping[str, Accuracy]
    """By choice order, named by the original labels in the sequence shown (`abcd`)."""

    soft: int
    """Predicted labels that the text only called likely or chose under protest; they count like others."""

    collapse: Collapse | None
    """The label on which predictions pile up; None where there is no alarm."""

    def to_json(self) -> dict[str, object]:
        """Return this summary in plain JSON types; the file around it carries the schema version."""
        record = asdict(self)
        record["final"]["votes"] = list(record["final"]["votes"])
        if self.collapse is not None:
            record["collapse"]["sentence"] = self.collapse.sentence
        return record


def summarise(
    answers: Sequence[ScoredAnswer],
    *,
    choice_lengths: Mapping[str, Sequence[int]] | None = None,
    by: By = "own",
) -> Summary:
    """Return the numbers of one run; the sequence of the answers does not matter.

    Args:
        answers: every prompt asked.
        choice_lengths: for each question id the lengths of its four choices, in characters, in the
            original order; for the longest-choice floor.
        by: how the prompts of a question become its final answer; `prompts` means `own` here.

    Raises:
        DataError: nothing was asked, a prompt occurs twice, a question's lengths are missing, or the orders
            of a question disagree on its gold choice.
    """
    if not answers:
        raise DataError("the run holds no answers, so there is nothing to summarise")
    require_each_once(answers)
    outcomes = Counter(answer.outcome for answer in answers)
    predicted = Counter(answer.predicted for answer in answers)
    gold = Counter(answer.gold for answer in answers)
    return Summary(
        final=summarise_final(answers, "own" if by == "prompts" else by),
        n=len(answers),
        questions=len({answer.question_id for answer in answers}),
        accuracy=accuracy_of(answers),
        outcomes={outcome: outcomes[outcome] for outcome in OUTCOMES},
        predicted={label: predicted[label] for label in LABELS},
        gold={label: gold[label] for label in LABELS},
        floors=floors_of(answers, choice_lengths),
        by_law=accuracy_by(answers, lambda a: a.law),
        by_context=accuracy_by(answers, lambda a: "context" if a.has_context else "no_context"),
        by_retrieval=accuracy_by(
            [a for a in answers if a.gold_retrieved is not None],
            lambda a: "hit" if a.gold_retrieved else "miss",
        ),
        by_order=accuracy_by(answers, lambda a: order_name(a.order)),
        soft=sum(answer.soft for answer in answers),
        collapse=collapse_alarm(answers),
    )
