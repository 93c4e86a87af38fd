"""Quality before the labels are there, and how right such estimates were afterwards. Pure.

An estimate never blocks: it sees drift in what is asked, and is blind to drift in what is true.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from assay.evidence.monitoring import Quality, Reference, Retrospect
from assay.stats.confidence_based import ESTIMATED, Calibration, estimate
from assay.tables.live_columns import ScoredBin, WindowCounts

FEWEST_LABELS = 30
"""Labels from which a window's estimate is scored."""


@dataclass(frozen=True, kw_only=True)
class ScoredCounts:
    """By bin of the score: its mean, and the rows predicted positive and negative.

    ``unscored`` rows have no finite score or no prediction.
    """

    scores: tuple[float, ...]
    positives: tuple[int, ...]
    negatives: tuple[int, ...]
    unscored: int


def of_windows(
    reference: Reference,
    found: Mapping[int, WindowCounts],
    *,
    confidence: float,
    mature: int,
) -> tuple[dict[int, tuple[Quality, ...]], tuple[Retrospect, ...], str | None]:
    """Each window's estimates; how right those of mature windows were; and why there are none.

    A window is scored on its labelled predictions alone, estimate and truth: what is missing says
    nothing about how right an estimate is.
    """
    scored = {number: one for number, one in found.items() if one.scored}
    newest = scored[max(scored)] if scored else None
    reason = _refused(reference, _all_rows(newest) if newest is not None else None)
    if reason is not None:
        return {}, (), f"Quality without labels is not estimated: {reason}."
    estimates = {
        number: estimated(reference, _all_rows(one), metrics=ESTIMATED, confidence=confidence)
        for number, one in scored.items()
    }
    pairs: list[tuple[Quality, Quality]] = []
    for number, one in scored.items():
        rows = _labelled_rows(one.scored)
        if number > mature or sum(rows.positives) + sum(rows.negatives) < FEWEST_LABELS:
            continue
        guesses = estimated(reference, rows, metrics=ESTIMATED, confidence=confidence)
        pairs += zip(guesses, _realised(one.scored), strict=True)
    told = [retrospect(reference, metric, pairs) for metric in ESTIMATED]
    return estimates, tuple(one for one in told if one is not None), None


def _all_rows(window: WindowCounts) -> ScoredCounts:
    bins = window.scored
    return ScoredCounts(
        scores=tuple(one.total / (one.positives + one.negatives) for one in bins),
        positives=tuple(one.positives for one in bins),
        negatives=tuple(one.negatives for one in bins),
        unscored=window.unscored,
    )


def _labelled_rows(bins: Sequence[ScoredBin]) -> ScoredCounts:
    there = [one for one in bins if one.labelled_positives + one.labelled_negatives]
    return ScoredCounts(
        scores=tuple(
            one.labelled_total / (one.labelled_positives + one.labelled_negatives) for one in there
        ),
        positives=tuple(one.labelled_positives for one in there),
        negatives=tuple(one.labelled_negatives for one in there),
        unscored=0,
    )


def _realised(bins: Sequence[ScoredBin]) -> tuple[Quality, ...]:
    """What the labels showed on the same rows, in the order of the estimated metrics."""
    said, hits, missed, n = (
        sum(getattr(one, name) for one in bins)
        for name in ("labelled_positives", "hits", "misses", "labelled_negatives")
    )
    n += said
    parts = {
        "accuracy": (hits + n - said - missed, n),
        "precision": (hits, said),
        "recall": (hits, hits + missed),
        "f1": (2 * hits, said + hits + missed),
    }
    return tuple(
        Quality(metric=metric, value=right / rows if rows else None, n=n)
        for metric, (right, rows) in ((metric, parts[metric]) for metric in ESTIMATED)
    )


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
