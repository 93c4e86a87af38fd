"""A test set that decides again and again: the credit of a margin.

A heuristic by the union bound, as `multiplicity.corrected_confidence` is where it counts decisions:
for heads as if they had been fixed beforehand. Those that were chosen after seeing earlier answers
can be worse off (Dwork et al. 2015, Science 349; Blum and Hardt 2015, ICML), and in practice seldom
are (Recht et al. 2019, ICML).
"""

from __future__ import annotations

import math

from scipy.special import log_ndtr

from assay.stats.estimate import detectable_difference

MOST_CREDIT = 1_000_000_000
"""A larger credit is written as this one: nobody decides that often."""


def standard_error_of(detectable: float, confidence: float) -> float:
    """The standard error behind a detectable difference (see `estimate.detectable_difference`)."""
    return detectable / detectable_difference(1.0, confidence=confidence)


def margin_credit(margin: float, standard_error: float, *, confidence: float) -> int | None:
    """How many decisions a margin affords: K = ⌊α / (2Φ(−margin / standard error))⌋.

    A head that is worse by exactly the margin looks better than the base with probability
    Φ(−margin/se). K is how many such heads can be tried before the union bound on one of them
    looking better passes α/2, the error of one claim. None without a margin or an error.
    """
    if margin <= 0 or standard_error <= 0:
        return None
    logarithm = math.log((1 - confidence) / 2) - float(log_ndtr(-margin / standard_error))
    if logarithm >= math.log(MOST_CREDIT):
        return MOST_CREDIT
    return math.floor(math.exp(logarithm))
