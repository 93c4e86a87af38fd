"""What the report draws: confusion matrices, curves, and who was right where."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from assay.comparison.measure import Sample, classified
from assay.config import Task
from assay.evidence import Curve, Details, FlippedRow
from assay.stats.cells import PairedCells
from assay.tables.predictions import Pairs
from assay.tables.predictions_counts import (
    ALL,
    calibration,
    joint_cells,
    roc_points,
)
from assay.tables.predictions_examples import flipped_rows, pr_points, score_shares
from assay.tables.predictions_ranked import ranked, ranked_pr_points, ranked_roc_points

MOST_CLASSES = 20
ROC_POINTS = 60
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
    lost = _flipped(pairs, right="base")
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
        lost=lost,
        won=_flipped(pairs, right="head"),
    )


def _flipped(pairs: Pairs, *, right: str) -> tuple[FlippedRow, ...]:
    names = [name[:LONGEST_NAME] for name in pairs.inferred.classes]
    return tuple(
        FlippedRow(
            id=row.id,
            label=names[row.label],
            base=names[row.base],
            head=names[row.head],
            base_score=row.base_score,
            head_score=row.head_score,
        )
        for row in flipped_rows(pairs, right=right, most=MOST_EXAMPLES)
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
    curves = []
    rows = sample.ranked or ranked(replace(pairs, slices=()))
    for side in ("base", "head"):
        x, y = (
            ranked_roc_points(rows, side, ROC_POINTS)
            if rows
            else roc_points(pairs, side, ROC_POINTS)
        )
        if x:
            curves.append(Curve(kind="roc", side=side, x=_rounded(x), y=_rounded(y)))
        x, y = (
            ranked_pr_points(rows, side, ROC_POINTS) if rows else pr_points(pairs, side, ROC_POINTS)
        )
        if x:
            curves.append(Curve(kind="pr", side=side, x=_rounded(x), y=_rounded(y)))
        if "outside" not in pairs.broken:
            predicted, observed, n = calibration(pairs, side, BINS)
            curves.append(
                Curve(
                    kind="calibration", side=side, x=_rounded(predicted), y=_rounded(observed), n=n
                )
            )
            middles, shares, n = score_shares(pairs, side, SCORE_BINS)
            curves.append(
                Curve(kind="scores", side=side, x=_rounded(middles), y=_rounded(shares), n=n)
            )
    return tuple(curves)


def _rounded(values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(round(value, _DIGITS) for value in values)
