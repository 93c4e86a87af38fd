"""What the report draws: confusion matrices, curves, and who was right where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from assay.comparison.measure import ROC_POINTS, Sample, classified
from assay.config import Task
from assay.evidence import Curve, Details, FlippedRow
from assay.stats.cells import PairedCells
from assay.tables.predictions_bands import banded
from assay.tables.predictions_bins import score_bins
from assay.tables.predictions_counts import ALL, joint_cells, roc_points
from assay.tables.predictions_examples import Example, class_rows, flipped_rows
from assay.tables.predictions_ranked import ranked, ranked_roc_points

MOST_CLASSES = 20
BINS = 10
FLIPPED = 10
MOST_EXAMPLES = 50
SCORE_BINS = 20
LONGEST_NAME = 100
_DIGITS = 6


def details_of(sample: Sample) -> Details:
    """Collect the details of a classification; empty for other tasks."""
    pairs = sample.pairs
    if not classified(pairs):
        return Details()
    if pairs.unanswered is not None:
        return Details(curves=_curves(sample))
    found = (sample.cells or joint_cells(pairs))[ALL]
    classes = pairs.inferred.classes
    cells = PairedCells.from_arrays(
        found.label, found.base, found.head, found.count, classes=len(classes)
    )
    outcomes = cells.outcomes()
    small = len(classes) <= MOST_CLASSES
    lost, won = flipped_rows(pairs, MOST_EXAMPLES)
    return Details(
        classes=tuple(name[:LONGEST_NAME] for name in classes) if small else (),
        confusion_base=_confusion(cells, cells.base) if small else (),
        confusion_head=_confusion(cells, cells.head) if small else (),
        curves=_curves(sample),
        both_right=outcomes.both,
        base_only_right=outcomes.base_only,
        head_only_right=outcomes.head_only,
        neither_right=outcomes.neither,
        flipped_examples=tuple(row.id for row in lost[:FLIPPED]),
        lost=_named(lost, classes),
        won=_named(won, classes),
    )


def _named(rows: Iterable[Example], classes: Sequence[str]) -> tuple[FlippedRow, ...]:
    names = [name[:LONGEST_NAME] for name in classes]
    return tuple(
        FlippedRow(
            id=row.id,
            label=names[row.label],
            base=names[row.base],
            head=names[row.head],
            base_score=row.base_score,
            head_score=row.head_score,
        )
        for row in rows
    )


def _confusion(cells: PairedCells, prediction: np.ndarray) -> tuple[tuple[int, ...], ...]:
    """Counts of (label, prediction), rows are labels."""
    dense = np.zeros((cells.classes, cells.classes), dtype=np.int64)
    np.add.at(dense, (cells.label, prediction), cells.count)
    return tuple(tuple(row) for row in dense.tolist())


def _curves(sample: Sample) -> tuple[Curve, ...]:
    pairs = sample.pairs
    if pairs.task != Task.BINARY or not pairs.has_scores or "missing" in pairs.broken:
        return ()
    if sample.ranked is None and sample.banded is None:
        whole = replace(pairs, slices=())
        scores = ranked(whole)
        bands = banded(whole, ROC_POINTS) if scores is None else None
        sample = replace(sample, ranked=scores, banded=bands)
    curves = []
    classes = _class_rows(sample)
    bins = {} if "outside" in pairs.broken else score_bins(pairs, SCORE_BINS)
    for side in ("base", "head"):
        x, y = _roc(sample, side)
        if x:
            curves.append(Curve(kind="roc", side=side, x=_rounded(x), y=_rounded(y)))
            curves.append(_precision(side, x, y, classes))
        if side in bins:
            predicted, observed, n = bins[side].calibration(BINS)
            curves.append(
                Curve(
                    kind="calibration", side=side, x=_rounded(predicted), y=_rounded(observed), n=n
                )
            )
            curves.append(_scores(side, bins[side].n))
    return tuple(curves)


def _class_rows(sample: Sample) -> tuple[int, int]:
    if ALL not in sample.cells:
        return class_rows(sample.pairs)
    cells = sample.cells[ALL]
    negatives, positives = (int(cells.count[cells.label == code].sum()) for code in (0, 1))
    return negatives, positives


def _precision(
    side: str, fpr: tuple[float, ...], tpr: tuple[float, ...], classes: tuple[int, int]
) -> Curve:
    """Recall and precision at the thresholds of the ROC curve, which the class sizes turn into."""
    negatives, positives = classes
    points = [
        (recall, recall * positives / (recall * positives + miss * negatives))
        for miss, recall in zip(fpr, tpr, strict=True)
        if recall
    ]
    recalls, precisions = (tuple(values) for values in zip(*points, strict=True))
    return Curve(kind="pr", side=side, x=_rounded(recalls), y=_rounded(precisions))


def _scores(side: str, counts: tuple[int, ...]) -> Curve:
    total = sum(counts) or 1
    middles = tuple((place + 0.5) / len(counts) for place in range(len(counts)))
    shares = tuple(count / total for count in counts)
    return Curve(kind="scores", side=side, x=_rounded(middles), y=_rounded(shares), n=counts)


def _roc(sample: Sample, side: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if sample.ranked is not None:
        return ranked_roc_points(sample.ranked, side, ROC_POINTS)
    if sample.banded is not None:
        return sample.banded.roc_points(side)
    return roc_points(sample.pairs, side, ROC_POINTS)


def _rounded(values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(round(value, _DIGITS) for value in values)
