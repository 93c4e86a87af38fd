"""How much one row will vary, said before there is any row: what a test set is planned with.

Each design has the variance of one row's contribution to the difference between two equally good
models, and what the interval's smoothing adds to it; stats.power does the rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtri, owens_t

from assay.stats.estimate import quantile


@dataclass(frozen=True, kw_only=True)
class Design:
    """The squared standard error on n rows is row_variance/n + extra_variance/n²."""

    row_variance: float
    extra_variance: float
    discordant: float | None = None
    """For the share of all rows: what the exact power is summed from."""


def of_share(discordant: float, *, share: float = 1.0, confidence: float = 0.95) -> Design:
    """Accuracy, or recall: the share of rows that one side alone gets right.

    `discordant` is that share, of the positives for recall; `share` then says how many of the
    rows are positive. z² pseudo-rows smooth the interval (stats.cells.Outcomes). Raises
    ValueError for what is no share.
    """
    _check(0 < discordant <= 1, "discordant", "a share above 0 and at most 1", discordant)
    _check(0 < share <= 1, "the share of positives", "above 0 and at most 1", share)
    smoothing = quantile(confidence) ** 2 * (1 - 2 * discordant)
    return Design(
        row_variance=discordant / share,
        extra_variance=max(0.0, smoothing) / share**2,
        discordant=discordant if share == 1 else None,
    )


def of_mean(deviation: float, *, confidence: float = 0.95) -> Design:
    """The mean of a per-row value; `deviation` is that of head − base over the rows.

    The pseudo-rows are as large as the changes that carry the variance (stats.studentised),
    three times the variance for a normal change. Raises ValueError unless above 0.
    """
    _check(0 < deviation < 1e150, "the standard deviation", "above 0 and finite", deviation)
    variance = deviation**2
    return Design(row_variance=variance, extra_variance=quantile(confidence) ** 2 * variance)


def of_auc(auc: float, *, correlation: float, positives: float, confidence: float = 0.95) -> Design:
    """ROC AUC of two equally good models; `correlation` is that of their scores within a class.

    Scores are taken as normal within each class. A positive's placement is then Φ of a normal
    value, so the mean product of two models' placements is a bivariate normal probability at
    h = Φ⁻¹(auc) with half the correlation, which is Φ(h) − 2·T(h, √((1 − r)/(1 + r))) by Owen
    (1956, Ann. Math. Statist. 27). DeLong's variance sums both classes. Raises ValueError for
    values that neither can have.
    """
    _check(0.5 <= auc < 1, "auc", "at least 0.5 and below 1", auc)
    _check(0 <= correlation < 1, "the correlation", "at least 0 and below 1", correlation)
    _check(0 < positives < 1, "the share of positives", "above 0 and below 1", positives)
    h = float(ndtri(auc))
    spread = 4 * (owens_t(h, _slope(correlation / 2)) - owens_t(h, _slope(0.5)))
    variance = float(spread) * (1 / positives + 1 / (1 - positives))
    smoothing = float(spread) * (1 / positives**2 + 1 / (1 - positives) ** 2)
    return Design(row_variance=variance, extra_variance=quantile(confidence) ** 2 * smoothing)


def _slope(correlation: float) -> float:
    return math.sqrt((1 - correlation) / (1 + correlation))


def _check(holds: bool, name: str, wanted: str, found: float) -> None:
    if not holds:
        raise ValueError(f"{name} must be {wanted}, not {found:g}")
