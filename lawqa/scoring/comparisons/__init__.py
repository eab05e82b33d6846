"""Two or more runs on the same questions: do they differ, by how much, and what could have been seen."""

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

__all__ = [
    "Design",
    "GoldTextPart",
    "Judged",
    "PairedComparison",
    "PairedTest",
    "Spread",
    "Threshold",
    "by_gold_text",
    "compare",
    "compare_repeats",
    "compared_answers",
    "detectable_difference",
    "difference_line",
    "final_discordance",
    "holm",
    "judge_by_holm",
    "mcnemar_power",
    "minimum_detectable_difference",
    "newcombe_independent",
    "newcombe_paired",
    "p_labelled",
    "power_sentence",
    "questions_needed",
    "sign_flip_bar",
    "sign_flip_p",
    "significance_sentence",
    "significance_text",
    "training_spread",
    "verdict",
]
