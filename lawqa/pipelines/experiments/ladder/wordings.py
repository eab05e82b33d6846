"""Other wordings of the prompts: tried on the tuning half, and the best one asked everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lawqa.files import JsonObject
from lawqa.pipelines.experiments.ladder.halves import Halves
from lawqa.pipelines.experiments.ladder.rungs import Rung
from lawqa.pipelines.experiments.ladder.waiting import Waiting
from lawqa.runs.result_log import read_results
from lawqa.scoring import Accuracy, accuracy_of, final_answers
from lawqa.scoring.comparisons import PairedComparison


@dataclass(frozen=True)
class WordingTrial:
    """What another wording reached on the tuning half, beside the ladder's first wording."""

    rung: Rung
    """The rung in the other wording."""
    first_wording: str
    """The id of the ladder's first wording."""
    first: Accuracy
    """What that one reached on the tuning half."""
    tuning: Accuracy
    """What the other one reached there."""
    chosen: bool
    """Whether it is the best of all there, and better than the first; only then the other half is asked."""
    judged: PairedComparison | None = None
    """On the other half, against the first wording; None where that was not asked."""

    def to_json(self) -> JsonObject:
        """Return the trial in plain JSON types."""
        return {
            "rung": self.rung.first.name,
            "wording": self.rung.wording,
            "first_wording": self.first_wording,
            "tuning": asdict(self.tuning),
            "first_tuning": asdict(self.first),
            "chosen": self.chosen,
            "on_the_other_half": self.judged.to_json() if self.judged else None,
        }


def tried_wordings(
    rungs: Sequence[Waiting], left: Sequence[Waiting], halves: Halves | None
) -> tuple[WordingTrial, ...]:
    """Compare wordings on the tuning half, rung by rung.

    Args:
        rungs: all rungs.
        left: those that are not asked yet.
        halves: of the questions; None where there are none.
    """
    done = {one.rung: one for one in rungs if one.rung not in [other.rung for other in left]}
    others = [one for one in done.values() if one.part is not None and one.rung.first in done]
    if halves is None or not others:
        return ()
    reached = {
        rung: _accuracy(done[rung].job.run_dir, halves)
        for one in others
        for rung in (one.rung.first, one.rung)
    }
    trials = []
    for one in others:
        rivals = [other.rung for other in others if other.rung.first == one.rung.first]
        # Of equals the one that was named first; the ladder's first wording was named before all.
        best = max([one.rung.first, *rivals], key=lambda rung: reached[rung].correct)
        trials.append(
            WordingTrial(
                one.rung,
                done[one.rung.first].job.config.spec.wording,
                reached[one.rung.first],
                reached[one.rung],
                chosen=best == one.rung,
            )
        )
    return tuple(trials)


def chosen_wordings(trials: Sequence[WordingTrial]) -> set[Rung]:
    """Return the rungs whose other wording is better than the first."""
    return {trial.rung for trial in trials if trial.chosen}


def _accuracy(path: Path, halves: Halves) -> Accuracy:
    answers = [result.scored() for result in read_results(path).results.values()]
    tuning = [answer for answer in answers if answer.question_id in halves.tuning]
    return accuracy_of([final.as_scored() for final in final_answers(tuning)])
