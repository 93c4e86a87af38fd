"""Intervals for sums of independent contributions, corrected for their skewness.

Hall (1992), "On the removal of skewness by transformation", J. R. Stat. Soc. B 54: with T the
studentised statistic and ρ its skewness over √n, g(T) = T + ρ·(T²/3 + 1/6) + ρ²·T³/27 is
standard normal to second order, monotone, and has a closed inverse.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scipy.special import ndtr, stdtrit

from assay.stats.estimate import Contrast, Estimate, from_standard_error, quantile
from assay.stats.moments import JointMoments, Linear

LARGEST_SKEW = 0.3
"""Skewness over √n beyond which the transformation no longer repairs the interval."""
FEWEST_CHANGED = 50
"""Changes that carry the variance, below which they say too little of how large one can be."""
FEWEST_ROWS = 30
"""Rows below which three moments say too little about a distribution."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Independent contributions from one sample (all rows, or the rows of one class).

    The contribution of a row is Σ coefficients[k]·variable[k]; only its spread matters here.
    """

    moments: JointMoments
    coefficients: Sequence[float]
    floor: float = 0.0
    """The least mean square of a change while few rows changed, besides that of `_square`."""
    share: float = 1.0
    """The part's share of all units, where they were drawn in strata: its part of z²."""

    def variance(self, z: float, share: float = 1.0) -> float:
        """Squared standard error of the mean contribution.

        z² pseudo-rows (times `share`) are added, half of them in favour of each side, as large
        as the changes that carry the variance. On a 0/1 score this is the rule for accuracy.
        """
        rows = self.moments.n
        line = self.moments.linear(self.coefficients)
        pseudo = z**2 * share * self.share
        squares = line.variance * rows * rows / max(1, rows - 1) + pseudo * self._square()
        return squares / (rows + pseudo) ** 2

    def _square(self) -> float:
        """Mean square of a pseudo-row: of two independent draws, at least, where few changed.

        That is 2·variance for values around a centre. Where a few rows carry the variance, what
        they carry is (third / variance)² (at most fourth / variance, by Cauchy and Schwarz), and
        a change is about as large as one of those, or as none.
        """
        # A row's placement also moves where only other rows' scores changed: both must be many.
        many = min(self.moments.changed, self.moments.changes_that_count())
        if many < min(FEWEST_CHANGED, self.moments.n):
            square = max(self.moments.square_of_changes(), self.floor, self._draws())
        else:
            square = self.moments.lean_of_changes()
        # Σ c·(base, head − base) weighs the base's value by c₀ − c₁ and the head's by c₁.
        by_base, by_head = self.coefficients[0] - self.coefficients[1], self.coefficients[1]
        return square * abs(by_base * by_head)

    def _draws(self) -> float:
        """Mean square of the difference between two values of a side, the larger side's."""
        squares = [0.0]
        for side in self.sides():
            if side.variance > 0:
                squares += [2 * side.variance, (side.third / side.variance) ** 2 / 2]
        return max(squares)

    def sides(self) -> tuple[Linear, Linear]:
        """The base's and the head's own values."""
        nothing = [0.0] * (len(self.moments.shifts) - 2)
        return self.moments.linear([1.0, 0.0, *nothing]), self.moments.linear([1.0, 1.0, *nothing])

    def third(self) -> float:
        """Third cumulant of the mean contribution."""
        return self.moments.linear(self.coefficients).third / self.moments.n**2


def hall(quantile_of_g: float, skew: float) -> float:
    """The studentised value T with g(T) = `quantile_of_g`, for ρ = `skew`."""
    if abs(skew) < 1e-7:
        return quantile_of_g - skew * (quantile_of_g**2 / 3 + 1 / 6)
    return 3 / skew * (math.cbrt(1 + skew * (quantile_of_g - skew / 6)) - 1)


def studentised(
    contrast: Contrast,
    parts: Sequence[Part],
    confidence: float,
    *,
    bounded: bool = False,
    fewest: int = FEWEST_ROWS,
) -> Estimate:
    """Judge a difference that is, to first order, a sum of independent mean contributions.

    Student's t with Welch and Satterthwaite's degrees of freedom in place of the normal.
    `bounded`: no row's contribution can be far larger than those already seen. `fewest`: rows, or
    units that stand for several, below which nothing is judged.
    """
    rows = sum(part.moments.n for part in parts)
    if rows < fewest:
        return contrast.refused("too few rows", rows_to_judge=fewest)

    def error(z: float) -> float:
        return math.sqrt(sum(part.variance(z) for part in parts))

    spread = error(quantile(confidence))
    if spread == 0:
        return contrast.refused("no row tells the models apart")
    third = sum(part.third() for part in parts)
    skew = third / spread**3
    tail = max(abs(skew), 0.0 if bounded else _tail(parts, third, quantile(confidence)))
    if tail > LARGEST_SKEW:
        wanted = math.ceil(contrast.n * (tail / LARGEST_SKEW) ** 2)
        return contrast.refused("heavy tails", rows_to_judge=wanted)
    freedom = degrees_of_freedom(parts, quantile(confidence))
    return from_standard_error(
        contrast, error, confidence, ends=_ends(contrast.difference, error, skew, freedom)
    )


def _tail(parts: Sequence[Part], third: float, z: float) -> float:
    """Skewness over √n of what can have outliers: the changes, and the sides' own values."""
    variance = sum(part.variance(z, 1 - part.moments.changed / part.moments.n) for part in parts)
    # Where every row changed by the same amount there is nothing to be skewed.
    tails = [abs(third) / math.sqrt(variance) ** 3] if variance > 0 else [0.0]
    for part in parts:
        for side in part.sides():
            if side.variance > 0:
                tails.append(abs(side.third) / math.sqrt(side.variance) ** 3 / math.sqrt(side.n))
    return max(tails)


def _ends(
    difference: float, error: Callable[[float], float], skew: float, freedom: float
) -> Callable[[float], tuple[float, float]]:
    def ends(z: float) -> tuple[float, float]:
        spread = error(z)
        reach = -float(stdtrit(freedom, ndtr(-z)))
        low = difference - spread * hall(reach, skew)
        high = difference - spread * hall(-reach, skew)
        return low, high

    return ends


def degrees_of_freedom(parts: Sequence[Part], z: float) -> float:
    """Those of the sum of the parts' variances (Satterthwaite 1946, Biometrics Bull. 2)."""
    variances = [part.variance(z) for part in parts]
    below = sum(
        variance**2 / max(1, part.moments.n - 1)
        for variance, part in zip(variances, parts, strict=True)
    )
    return sum(variances) ** 2 / below
