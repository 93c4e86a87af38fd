"""Quality before the labels are there, and how right such estimates were afterwards. Pure.

An estimate never blocks: it sees drift in what is asked, and is blind to drift in what is true.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assay.evidence.monitoring import Quality, Reference
from assay.stats.confidence_based import ESTIMATED, Calibration, estimate
from assay.tables.scored_counts import ScoredCounts


def estimated(
    reference: Reference,
    counts: ScoredCounts | None,
    *,
    metrics: Sequence[str] = ("accuracy", "f1"),
    confidence: float = 0.95,
) -> tuple[Quality, ...]:
    """Estimate the metrics of a window; one that cannot be says why in its `reason`."""
    asked = [metric for metric in metrics if metric in ESTIMATED]
    reason = _refused(reference, counts)
    if reason is not None or counts is None:
        return tuple(Quality(metric=metric, estimated=True, n=0, reason=reason) for metric in asked)
    scores, rates, rows = zip(*reference.calibration, strict=True)
    calibration = Calibration.fitted(scores, rates, rows)
    n = sum(counts.positives) + sum(counts.negatives)
    found = []
    for metric in asked:
        value = estimate(
            metric,
            calibration,
            scores=counts.scores,
            positives=counts.positives,
            negatives=counts.negatives,
            confidence=confidence,
        )
        if value is None:
            reason = "nothing is predicted, or expected to be, positive"
            found.append(Quality(metric=metric, estimated=True, n=n, reason=reason))
            continue
        found.append(
            Quality(
                metric=metric,
                value=_rounded(value.value),
                interval=(_rounded(value.low), _rounded(value.high)),
                estimated=True,
                n=n,
                reason=_left_out(counts),
            )
        )
    return tuple(found)


def _refused(reference: Reference, counts: ScoredCounts | None) -> str | None:
    if not any(rows for *_, rows in reference.calibration):
        return "the reference has no labelled scores of two classes to calibrate by"
    if counts is None:
        return "the log has no column with the score or the prediction"
    if not counts.scores:
        return "no row of the window has a score and a prediction"
    return None


def _left_out(counts: ScoredCounts) -> str | None:
    if not counts.unscored:
        return None
    return f"{counts.unscored:,} rows without a score or a prediction are left out"


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


@dataclass(frozen=True, kw_only=True)
class Retrospect:
    """How earlier estimates of one metric compare with what the labels showed since."""

    metric: str
    windows: int
    held: int
    """Windows whose interval held the realised value."""
    error: float
    """Mean absolute error of the estimates."""
    constant: float | None
    """The same of saying the reference's value each time; None where it has none."""

    def sentence(self) -> str:
        """Say it for a person."""
        plain = "" if self.constant is None else f", against {self.constant:.3g} by the reference"
        return (
            f"of {self.windows} earlier windows the interval held {self.held}; "
            f"the mean error was {self.error:.3g}{plain}"
        )


def retrospect(
    reference: Reference, metric: str, pairs: Iterable[tuple[Quality, Quality]]
) -> Retrospect | None:
    """Score estimates by their realised values, window by window; None where there is no pair.

    The realised quality must be of the same rows: a window whose labels are only partly there
    tells nothing about the rows without one.
    """
    known = [
        (guess.value, guess.interval, truth.value)
        for guess, truth in pairs
        if guess.metric == truth.metric == metric
        and guess.value is not None
        and guess.interval is not None
        and truth.value is not None
    ]
    if not known:
        return None
    usual = reference.quality.get(metric)
    return Retrospect(
        metric=metric,
        windows=len(known),
        held=sum(low <= truth <= high for _, (low, high), truth in known),
        error=sum(abs(guess - truth) for guess, _, truth in known) / len(known),
        constant=None
        if usual is None
        else sum(abs(usual - truth) for *_, truth in known) / len(known),
    )
