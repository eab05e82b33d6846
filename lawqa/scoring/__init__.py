"""From labels to claims: outcomes, accuracy, alarms and paired comparisons.

Knows labels only, never texts or files. NumPy and SciPy are imported when a statistic is asked for.
"""

from lawqa.scoring.accuracy import Accuracy, Interval, accuracy_of, wilson
from lawqa.scoring.calibration import Calibration, CalibrationBin, calibration_of
from lawqa.scoring.collapse import Collapse, collapse_alarm
from lawqa.scoring.floors import Floors, floors_of
from lawqa.scoring.label_mass import LOW_MASS, LabelMass, label_mass_of
from lawqa.scoring.outcomes import OUTCOMES, Outcome, ScoredAnswer, order_name, outcome_of
from lawqa.scoring.paired import PairedComparison, PairedTest, compare
from lawqa.scoring.permutations import (
    AveragedAnswer,
    PermutationSummary,
    average_over_orders,
    summarise_permutations,
)
from lawqa.scoring.power import mcnemar_power, minimum_detectable_difference
from lawqa.scoring.several import holm, which_differences_stand
from lawqa.scoring.sign_flip import sign_flip_p
from lawqa.scoring.summary import Summary, summarise
from lawqa.scoring.voting import Majority, VoteSummary, majority, summarise_votes

__all__ = [
    "LOW_MASS",
    "OUTCOMES",
    "Accuracy",
    "AveragedAnswer",
    "Calibration",
    "CalibrationBin",
    "Collapse",
    "Floors",
    "Interval",
    "LabelMass",
    "Majority",
    "Outcome",
    "PairedComparison",
    "PairedTest",
    "PermutationSummary",
    "ScoredAnswer",
    "Summary",
    "VoteSummary",
    "accuracy_of",
    "average_over_orders",
    "calibration_of",
    "collapse_alarm",
    "compare",
    "floors_of",
    "holm",
    "label_mass_of",
    "majority",
    "mcnemar_power",
    "minimum_detectable_difference",
    "order_name",
    "outcome_of",
    "sign_flip_p",
    "summarise",
    "summarise_permutations",
    "summarise_votes",
    "which_differences_stand",
    "wilson",
]
