"""What the rungs of the ladder reached: settings chosen on one half of the questions, judged on the other."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lawqa.errors import DataError
from lawqa.files import JsonObject, read_json, write_json, write_text
from lawqa.pipelines.comparing.report import ReportConfig, make_report
from lawqa.pipelines.experiments.ladder.halves import Halves, halves_of
from lawqa.pipelines.experiments.ladder.rungs import Rung
from lawqa.pipelines.experiments.ladder.wordings import WordingTrial
from lawqa.questions import Question
from lawqa.report.page.html import report_html
from lawqa.runs.directory import SUMMARY
from lawqa.runs.manifest import Manifest
from lawqa.runs.result import Result
from lawqa.runs.result_log import read_results
from lawqa.runs.text_figures import NO_TEXTS, TextCounts, TextFigures
from lawqa.scoring import (
    Accuracy,
    FinalAnswer,
    PriorEffect,
    ScoredAnswer,
    accuracy_of,
    final_answers,
    prior_effect,
)
from lawqa.scoring.comparisons import PairedComparison, compare
from lawqa.settings import LadderWay

_SIMPLEST: tuple[LadderWay, ...] = ("orders", "direct", "cot", "thinking")

LADDER = "ladder.json"
REPORT = "report.html"


@dataclass(frozen=True)
class RungResult:
    """What a rung reached; accuracies are of final answers, one a question."""

    rung: Rung
    run_dir: Path
    whole: Accuracy
    """On all questions."""
    tuning: Accuracy | None
    """On the half that settings are chosen on; None where the questions cannot be divided."""
    judged: Accuracy | None
    """On the other half."""
    seconds: float
    """How long the asking took."""
    notes: tuple[str, ...]
    """What a reader must know first, alarms among it."""
    answers: int
    """How many answers were asked for."""
    failed: int
    """How many of them the backend failed to give."""
    texts: TextFigures | None = None
    """Their tokens, and what limits cost; None where one letter was asked for."""


@dataclass(frozen=True)
class Choice:
    """The rung that is best on the tuning half, judged on the other."""

    condition: str
    """Among the rungs of this condition; `any` for all of them."""
    name: str
    tuning: Accuracy
    judged: Accuracy
    baseline: str
    """The rung that asks for one letter in the same condition, over orders where that was asked."""
    comparison: PairedComparison | None
    """The choice against this baseline on the judged half; None where it is the baseline itself, or where the
    choice in its own condition says it."""


@dataclass(frozen=True)
class LadderResult:
    """The ladder as far as it was asked."""

    run_dir: Path
    rungs: tuple[RungResult, ...]
    """The finished rungs in the ladder's sequence."""
    choices: tuple[Choice, ...]
    priors: tuple[tuple[str, PriorEffect], ...]
    """By rung what its direct answers on the judged half are without the prior of the letters."""
    wordings: tuple[WordingTrial, ...]
    """Other wordings than the first, on the tuning half and, where one was chosen, on the other."""
    left_out: tuple[str, ...]
    """Rungs that cannot be asked, with the reason."""
    unfinished: tuple[str, ...]
    """Rungs that the time budget did not reach, with what is known of each."""
    halves: Halves | None
    report: Path | None
    """The page; None where no rung is finished."""


def ladder_result(
    run_dir: Path,
    finished: Sequence[tuple[Rung, Path]],
    questions: Sequence[Question],
    *,
    seed: int,
    prior_correction: bool,
    trials: Sequence[WordingTrial] = (),
    left_out: Sequence[str] = (),
    unfinished: Sequence[str] = (),
) -> LadderResult:
    """Read the finished rungs, choose on one half, judge on the other, and write table and report.

    Args:
        run_dir: the ladder's directory.
        finished: rungs with their run directories.
        questions: all that was asked.
        seed: of the halves.
        prior_correction: whether direct answers are also shown without the prior of the letters.
        trials: other wordings, as the tuning half knows them.
        left_out: sentences on rungs that cannot be asked.
        unfinished: rungs that were not reached, with what is known of each.
    """
    halves = halves_of(questions, seed)
    rungs, answers = [], {}
    for rung, path in finished:
        results = list(read_results(path).results.values())
        answers[rung.name] = [result.scored() for result in results]
        texts = _texts(results, answers[rung.name])
        rungs.append(_rung_result(rung, path, answers[rung.name], texts, halves))
    choices = tuple(_choices(rungs, answers, halves)) if halves else ()
    priors = tuple(_priors(rungs, answers, halves)) if halves and prior_correction else ()
    wordings = tuple(_judged(trial, answers, halves) for trial in trials) if halves else ()
    report = _report(run_dir, [one.run_dir for one in rungs]) if rungs else None
    result = LadderResult(
        run_dir,
        tuple(rungs),
        choices,
        priors,
        wordings,
        tuple(left_out),
        tuple(unfinished),
        halves,
        report,
    )
    if rungs:
        write_json(run_dir / LADDER, _json(result, seed))
    return result


def _texts(results: Sequence[Result], answers: Sequence[ScoredAnswer]) -> TextFigures | None:
    counts = TextCounts()
    for result, answer in zip(results, answers, strict=True):
        counts.add(result, answer)
    return counts.figures()


def _rung_result(
    rung: Rung,
    path: Path,
    answers: Sequence[ScoredAnswer],
    texts: TextFigures | None,
    halves: Halves | None,
) -> RungResult:
    manifest, finals = Manifest.read_evaluation(path), final_answers(answers)
    notes = read_json(path / SUMMARY)["notes"]
    return RungResult(
        rung,
        path,
        _accuracy(finals),
        _accuracy(finals, halves.tuning) if halves else None,
        _accuracy(finals, halves.judged) if halves else None,
        float(manifest.figures["seconds"]),
        tuple(map(str, notes)),
        len(answers),
        sum(answer.outcome == "failed" for answer in answers),
        texts,
    )


def _accuracy(finals: Sequence[FinalAnswer], among: Collection[str] | None = None) -> Accuracy:
    return accuracy_of(
        [final.as_scored() for final in finals if among is None or final.question_id in among]
    )


def _choices(
    rungs: Sequence[RungResult], answers: dict[str, list[ScoredAnswer]], halves: Halves
) -> list[Choice]:
    conditions = dict.fromkeys(str(one.rung.condition) for one in rungs)
    groups = [(name, [one for one in rungs if one.rung.condition == name]) for name in conditions]
    if len(groups) > 1:
        groups.append(("any", list(rungs)))
    choices = [_choice(name, group, answers, halves) for name, group in groups if len(group) > 1]
    # What is best of all is best in its condition too: one comparison, not two.
    known = {choice.name for choice in choices[:-1]}
    return [
        replace(one, comparison=None) if one.condition == "any" and one.name in known else one
        for one in choices
    ]


def _choice(
    condition: str,
    rungs: Sequence[RungResult],
    answers: dict[str, list[ScoredAnswer]],
    halves: Halves,
) -> Choice:
    # Of equals the simplest; the mean over orders, in which a liking for a letter cancels, before one order.
    ranked = sorted(rungs, key=lambda one: _SIMPLEST.index(one.rung.way))
    best = max(ranked, key=lambda one: one.tuning.correct if one.tuning else -1)
    same = [one for one in rungs if one.rung.condition == best.rung.condition]
    baseline = next((one for one in same if one.rung.way == "orders"), same[0])
    comparison = None
    if best is not baseline:
        comparison = compare(
            *(
                [a for a in answers[one.rung.name] if a.question_id in halves.judged]
                for one in (baseline, best)
            )
        )
    if best.tuning is None or best.judged is None:
        raise DataError("the questions have no halves to choose on")
    return Choice(
        condition, best.rung.name, best.tuning, best.judged, baseline.rung.name, comparison
    )


def _judged(
    trial: WordingTrial, answers: dict[str, list[ScoredAnswer]], halves: Halves
) -> WordingTrial:
    """Return the trial with what its wording is worth on the other half, where it was chosen
    and asked there.
    """
    known = [answers.get(name) for name in (trial.rung.first.name, trial.rung.name)]
    if not trial.chosen or None in known:
        return trial
    first, other = ([a for a in of or [] if a.question_id in halves.judged] for of in known)
    return replace(trial, judged=compare(first, other))


def _priors(
    rungs: Sequence[RungResult], answers: dict[str, list[ScoredAnswer]], halves: Halves
) -> list[tuple[str, PriorEffect]]:
    """Return what direct answers on the judged half are without the prior that the tuning half shows."""
    effects = []
    for one in rungs:
        fitted = answers.get(replace(one.rung, way="orders").name)
        if one.rung.writes or fitted is None:
            continue
        judged = [a for a in answers[one.rung.name] if a.question_id in halves.judged]
        fitting = [a for a in fitted if a.question_id in halves.tuning]
        effects.append((one.rung.name, prior_effect(judged, [(halves.judged, fitting)])))
    return effects


def _report(run_dir: Path, runs: Sequence[Path]) -> Path:
    page = report_html(make_report(ReportConfig(tuple(runs), title=run_dir.resolve().name)), None)
    write_text(run_dir / REPORT, page)
    return run_dir / REPORT


def _json(result: LadderResult, seed: int) -> JsonObject:
    halves = result.halves
    return {
        "schema_version": 1,
        "seed": seed,
        "halves": {
            "tuning": sorted(halves.tuning),
            "judged": sorted(halves.judged),
        }
        if halves
        else None,
        "rungs": [
            {
                "name": one.rung.name,
                "run": one.run_dir.name,
                "accuracy": asdict(one.whole),
                "tuning": asdict(one.tuning) if one.tuning else None,
                "judged": asdict(one.judged) if one.judged else None,
                "seconds": one.seconds,
                "notes": list(one.notes),
                "answers": one.answers,
                "failed": one.failed,
                **(one.texts.record() if one.texts else NO_TEXTS),
            }
            for one in result.rungs
        ],
        "choices": [
            {
                "condition": choice.condition,
                "rung": choice.name,
                "tuning": asdict(choice.tuning),
                "judged": asdict(choice.judged),
                "baseline": choice.baseline,
                "against_baseline": choice.comparison.to_json() if choice.comparison else None,
            }
            for choice in result.choices
        ],
        "wordings": [trial.to_json() for trial in result.wordings],
        "priors": {name: effect.to_json() for name, effect in result.priors},
        "left_out": list(result.left_out),
        "unfinished": list(result.unfinished),
    }
