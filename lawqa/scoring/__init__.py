"""From labels to claims: outcomes, accuracy, alarms and paired comparisons.

Knows labels only, never texts or files. NumPy and SciPy are imported when a statistic is asked for.
"""

from lawqa.scoring.accuracy import Accuracy, Interval, accuracy_of, wilson
from lawqa.scoring.calibration import Calibration, CalibrationBin, calibration_of
from lawqa.scoring.collapse import Collapse, collapse_alarm
from lawqa.scoring.comparisons.comparison import PairedComparison, PairedTest
from lawqa.scoring.comparisons.gold_text import GoldTextPart, by_gold_text
from lawqa.scoring.comparisons.multiple import (
    Judged,
    compared_answers,
    difference_line,
    holm,
    judge_by_holm,
    p_labelled,
    power_sentence,
    significance_sentence,
    significance_text,
    verdict,
)
from lawqa.scoring.comparisons.newcombe import newcombe_independent, newcombe_paired
from lawqa.scoring.comparisons.paired import compare, compare_repeats
from lawqa.scoring.comparisons.planning import Design, detectable_difference, final_discordance
from lawqa.scoring.comparisons.power import (
    mcnemar_power,
    minimum_detectable_difference,
    questions_needed,
)
from lawqa.scoring.comparisons.seed_spread import Spread, training_spread
from lawqa.scoring.comparisons.sign_flip import Threshold, sign_flip_bar, sign_flip_p
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
    "Design",
    "Ensemble",
    "FinalAnswer",
    "FinalSummary",
    "Floors",
    "GoldTextPart",
    "Interval",
    "Judged",
    "LabelMass",
    "Majority",
    "Outcome",
    "PairedComparison",
    "PairedTest",
    "PermutationSummary",
    "Prior",
    "PriorEffect",
    "ScoredAnswer",
    "Spread",
    "Summary",
    "Threshold",
    "VoteSummary",
    "VotesPoint",
    "accuracy_of",
    "average_over_orders",
    "by_gold_text",
    "calibration_of",
    "collapse_alarm",
    "compare",
    "compare_repeats",
    "compared_answers",
    "detectable_difference",
    "difference_line",
    "ensemble_of",
    "final_answers",
    "final_discordance",
    "fit_prior",
    "floors_of",
    "holm",
    "judge_by_holm",
    "label_mass_of",
    "likeliest_label",
    "majority",
    "mcnemar_power",
    "minimum_detectable_difference",
    "newcombe_independent",
    "newcombe_paired",
    "order_name",
    "outcome_of",
    "p_labelled",
    "power_sentence",
    "prior_effect",
    "questions_needed",
    "rule_of",
    "sign_flip_bar",
    "sign_flip_p",
    "significance_sentence",
    "significance_text",
    "summarise",
    "summarise_final",
    "summarise_permutations",
    "summarise_votes",
    "training_spread",
    "verdict",
    "votes_curve",
    "wilson",
    "with_tie_drawn",
    "without_prior",
]
