"""From labels to claims: outcomes, accuracy, alarms; in `comparisons`, how runs differ.

Knows labels only, never texts or files. NumPy and SciPy are imported when a statistic is asked for.
"""

from lawqa.scoring.accuracy import Accuracy, Interval, accuracy_of, wilson
from lawqa.scoring.calibration import Calibration, CalibrationBin, calibration_of
from lawqa.scoring.collapse import Collapse, collapse_alarm
from lawqa.scoring.ensemble import Ensemble, ensemble_of
from lawqa.scoring.final_answer import (
    FinalAnswer,
    FinalSummary,
    final_answers,
    rule_of,
    summarise_final,
)
from lawqa.scoring.floors import Floors, floors_of
from lawqa.scoring.label_mass import LOW_MASS, LabelMass, label_mass_of
from lawqa.scoring.outcomes import OUTCOMES, Outcome, ScoredAnswer, order_name, outcome_of
from lawqa.scoring.permutations import (
    AveragedAnswer,
    PermutationSummary,
    average_over_orders,
    summarise_permutations,
)
from lawqa.scoring.prior import Prior, PriorEffect, fit_prior, prior_effect, without_prior
from lawqa.scoring.summary import Summary, summarise
from lawqa.scoring.ties import likeliest_label, with_tie_drawn
from lawqa.scoring.votes_curve import VotesPoint, votes_curve
from lawqa.scoring.voting import Majority, VoteSummary, majority, summarise_votes

__all__ = [
    "LOW_MASS",
    "OUTCOMES",
    "Accuracy",
    "AveragedAnswer",
    "Calibration",
    "CalibrationBin",
    "Collapse",
    "Ensemble",
    "FinalAnswer",
    "FinalSummary",
    "Floors",
    "Interval",
    "LabelMass",
    "Majority",
    "Outcome",
    "PermutationSummary",
    "Prior",
    "PriorEffect",
    "ScoredAnswer",
    "Summary",
    "VoteSummary",
    "VotesPoint",
    "accuracy_of",
    "average_over_orders",
    "calibration_of",
    "collapse_alarm",
    "ensemble_of",
    "final_answers",
    "fit_prior",
    "floors_of",
    "label_mass_of",
    "likeliest_label",
    "majority",
    "order_name",
    "outcome_of",
    "prior_effect",
    "rule_of",
    "summarise",
    "summarise_final",
    "summarise_permutations",
    "summarise_votes",
    "votes_curve",
    "wilson",
    "with_tie_drawn",
    "without_prior",
]
