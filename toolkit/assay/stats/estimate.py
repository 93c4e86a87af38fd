"""The result of one paired comparison, and what every engine needs to build it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy.special import ndtr, ndtri

POWER = 0.8
"""The power at which detectable differences and needed rows are stated."""

_LARGEST_Z = 12.0
"""Inverted p-values end here, at about 1e-33: far below any corrected level."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A two-sided confidence interval for an oriented difference: positive, the head is better."""

    low: float
    high: float
    confidence: float


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """One paired comparison, oriented so that positive means the head is better.

    `difference` is head − base_weight·base, times −1 where less is better. Exactly one of
    `interval`, `regime` and `undefined` is set.
    """

    n: int
    """Rows that entered."""
    base: float | None = None
    """The metric of the base, in its own direction."""
    head: float | None = None
    """The metric of the head, in its own direction."""
    difference: float | None = None
    interval: Interval | None = None
    regime: str | None = None
    """Why the engine cannot judge what it measured, for example "too few positives"."""
    undefined: str | None = None
    """Why the metric has no value on a side, for example "only one class among the labels"."""
    p_worse: float | None = None
    """One-sided p-value against "the head is not worse" (difference >= 0)."""
    detectable: float | None = None
    """The smallest true difference found with 80 % power by as many rows as these."""
    base_weight: float = 1.0
    identical: bool = False
    """Both sides are the same model, so the difference is known without sampling error."""
    row_variance: float | None = None
    """Variance of one row's contribution: the squared standard error is row_variance / n."""
    extra_variance: float = 0.0
    """What the smoothing adds to the squared standard error, times n²."""
    clusters: int | None = None
    """Independent units, where rows come in clusters."""
    effective_n: float | None = None
    """Kish's effective number of rows, where rows are weighted."""
    rows_to_judge: int | None = None
    """With a regime: about how many rows would leave it, where that can be said."""


def quantile(confidence: float) -> float:
    """The standard normal quantile of a two-sided confidence level."""
    if not 0.5 <= confidence < 1:
        raise ValueError(f"confidence must be at least 0.5 and below 1, not {confidence}")
    return float(ndtri(0.5 + confidence / 2))


def detectable_difference(standard_error: float, *, confidence: float = 0.95) -> float:
    """The smallest true difference that an interval tells from 0 with the power ``POWER``."""
    return (quantile(confidence) + float(ndtri(POWER))) * standard_error


def relative_weight(margin: float, *, greater_is_better: bool) -> float:
    """The base's weight that turns a relative margin into one contrast judged against 0.

    Greater is better: head − (1 − margin)·base. Less is better: (1 + margin)·base − head.
    """
    return 1 - margin if greater_is_better else 1 + margin


def undefined(
    n: int,
    reason: str,
    *,
    base: float | None = None,
    head: float | None = None,
    base_weight: float = 1.0,
) -> Estimate:
    """An estimate without a value on at least one side."""
    return Estimate(n=n, base=base, head=head, undefined=reason, base_weight=base_weight)


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """The measured values of one metric on both sides, before any statement about error."""

    n: int
    base: float
    head: float
    base_weight: float = 1.0
    greater_is_better: bool = True
    lowest: float = -math.inf
    """The metric's smallest possible value."""
    highest: float = math.inf
    """The metric's largest possible value."""

    @property
    def sign(self) -> float:
        """+1 where more is better, −1 where less is."""
        return 1.0 if self.greater_is_better else -1.0

    @property
    def difference(self) -> float:
        """The oriented difference, positive where the head is better."""
        # `+ 0.0` turns −0.0 into 0.0, which reads better in a report.
        return self.sign * (self.head - self.base_weight * self.base) + 0.0

    def clip(self, low: float, high: float, confidence: float) -> Interval:
        """The interval, kept within what the contrast can possibly be."""
        ends = (
            self.sign * (self.lowest - self.base_weight * self.highest),
            self.sign * (self.highest - self.base_weight * self.lowest),
        )
        bottom, top = min(ends), max(ends)
        return Interval(low=max(low, bottom), high=min(high, top), confidence=confidence)

    def refused(self, regime: str, *, rows_to_judge: int | None = None) -> Estimate:
        """The values, with the reason why they are not judged."""
        return Estimate(
            n=self.n,
            base=self.base,
            head=self.head,
            difference=self.difference,
            base_weight=self.base_weight,
            regime=regime,
            rows_to_judge=rows_to_judge,
        )

    def identical(self, confidence: float) -> Estimate:
        """Both sides are one model: no error, whatever the sample."""
        difference = self.difference
        return Estimate(
            n=self.n,
            base=self.base,
            head=self.head,
            difference=difference,
            base_weight=self.base_weight,
            identical=True,
            p_worse=1.0,
            detectable=0.0,
            row_variance=0.0,
            interval=Interval(low=difference, high=difference, confidence=confidence),
        )

    def relative_to_nothing(self) -> bool:
        """Whether a relative margin is asked of a base that is not positive."""
        return self.base_weight != 1 and self.base <= 0


RELATIVE_TO_NOTHING = "a relative margin needs a base above 0"
FEWEST_ROWS = 30
"""Shares of fewer rows are not judged: below, three rows that all changed one way would be
`better`, which McNemar's exact test gives by chance one time in eight."""


def from_standard_error(
    contrast: Contrast,
    standard_error: Callable[[float], float],
    confidence: float,
    *,
    ends: Callable[[float], tuple[float, float]] | None = None,
    p_worse: float | None = None,
) -> Estimate:
    """difference ± z·standard_error(z), for an error that may depend on z through smoothing.

    `standard_error(0)` must be the error without smoothing. `ends(z)` replaces the symmetric
    interval where a better one is known. Without `p_worse` it is found by inverting the
    interval: the level at which its upper end touches 0.
    """
    z = quantile(confidence)
    error = standard_error(z)
    raw = standard_error(0.0)
    difference = contrast.difference

    def symmetric(at: float) -> tuple[float, float]:
        reach = at * standard_error(at)
        return difference - reach, difference + reach

    ends = ends or symmetric
    low, high = ends(z)
    return Estimate(
        n=contrast.n,
        base=contrast.base,
        head=contrast.head,
        difference=difference,
        base_weight=contrast.base_weight,
        interval=contrast.clip(low, high, confidence),
        p_worse=inverted_p(ends) if p_worse is None else p_worse,
        detectable=detectable_difference(error, confidence=confidence),
        row_variance=contrast.n * raw**2,
        extra_variance=max(0.0, (error**2 - raw**2) * contrast.n**2),
    )


def inverted_p(ends: Callable[[float], tuple[float, float]]) -> float:
    """One-sided p of "worse": the level at which the interval's upper end reaches 0.

    `ends(z)` are the interval's ends at the normal quantile z, both the same at z = 0.
    """
    centre = ends(0.0)[1]
    if centre == 0:
        return 0.5
    end = 1 if centre < 0 else 0
    tail = float(ndtr(-_root(lambda z: ends(z)[end], centre)))
    return tail if centre < 0 else 1 - tail


def _root(f: Callable[[float], float], start: float) -> float:
    """Where f, which is `start` at 0, changes sign; at most _LARGEST_Z (the Illinois method)."""
    low, at_low = 0.0, start
    high, at_high = _LARGEST_Z, f(_LARGEST_Z)
    if (at_high < 0) == (at_low < 0):
        return high
    kept_low = kept_high = False
    while high - low > 1e-9:
        middle = high - at_high * (high - low) / (at_high - at_low)
        value = f(middle)
        if abs(value) <= 1e-12 * abs(start):
            return middle
        if (value < 0) == (at_high < 0):
            # Twice on one side: halving the other end's value keeps it from staying for ever.
            at_low = at_low / 2 if kept_low else at_low
            high, at_high, kept_low, kept_high = middle, value, True, False
        else:
            at_high = at_high / 2 if kept_high else at_high
            low, at_low, kept_low, kept_high = middle, value, False, True
    return (low + high) / 2
