"""What tests read of an estimate."""

from __future__ import annotations

from assay.stats.estimate import Estimate


def ends(found: Estimate) -> tuple[float, float]:
    """The ends of the interval, which must be there."""
    assert found.interval is not None, found
    return found.interval.low, found.interval.high
