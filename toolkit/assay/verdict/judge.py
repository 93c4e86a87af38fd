"""What an interval shows about a difference. Nothing here knows of models, files or rules."""

from __future__ import annotations

import math

from assay.evidence import State

Ends = tuple[float, float]


def judge(interval: Ends, *, margin: float | None, must_improve: bool = False) -> State:
    """Name what the interval of an oriented difference shows (see docs/statistics.md).

    `margin` is the largest loss that counts as no worse; None where nobody has named one, and
    with `must_improve` it is 0, so that nothing between `better` and `worse` is left but doubt.
    """
    low, high = interval
    if low > 0:
        return State.BETTER
    if not must_improve and margin is not None and low > -margin:
        return State.NO_WORSE
    return State.WORSE if high < 0 else State.INCONCLUSIVE


def judge_relative(interval: Ends, contrast: Ends) -> State:
    """Name what a relative margin shows.

    `interval` is that of head − base, `contrast` that of head − (1 − r)·base (of (1 + r)·base −
    head where less is better): above 0, the loss is smaller than the margin.
    """
    if interval[0] > 0:
        return State.BETTER
    if contrast[0] > 0:
        return State.NO_WORSE
    return State.WORSE if interval[1] < 0 else State.INCONCLUSIVE


def judge_scalar(base: float, difference: float, *, tolerance: float, relative: float) -> State:
    """Name what a single number without an interval shows: within the tolerance, or beyond it."""
    allowed = tolerance + relative * abs(base)
    # Decimal fractions: 0.85 − 0.84 is a hair more than 0.01.
    rounding = 8 * math.ulp(max(abs(base), abs(base) + abs(difference)))
    return State.NO_WORSE if difference >= -allowed - rounding else State.WORSE


def flags_of(state: State, interval: Ends, *, margin: float | None, beyond: bool) -> list[str]:
    """Name what stands beside the state: a loss that the margin forgives, or one beyond it.

    `beyond`: the interval of a relative margin's contrast lies below 0.
    """
    high = interval[1]
    flags = []
    if state is State.NO_WORSE and high < 0:
        flags.append("small_loss")
    if beyond or (margin is not None and margin > 0 and high < -margin):
        flags.append("exceeds_margin")
    return flags
