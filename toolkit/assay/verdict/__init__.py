"""Rules: evidence in, verdict out. Pure, without reading or writing anything."""

from assay.verdict.decide import Evidence, accept, decide, decide_comparison, outcome_of
from assay.verdict.judge import judge, judge_relative, judge_scalar

__all__ = [
    "Evidence",
    "accept",
    "decide",
    "decide_comparison",
    "judge",
    "judge_relative",
    "judge_scalar",
    "outcome_of",
]
