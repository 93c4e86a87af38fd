"""Precision, recall and F1 over the labels of sets: micro and macro averages.

Each label is judged against its absence, as in one-against-rest. A side's value for a label is a
ratio of sums over rows, num/den (F1: 2·hits / (true + predicted)), and a row moves it by

    IF = (num_i − value·den_i) / (den / n),

summed over the row's labels, because the labels of one row are not independent: the unit is the
row. The macro average takes the mean of the labels' influences. Where rows are weighted, every sum
is a weighted one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.stats.estimate import RELATIVE_TO_NOTHING, Contrast, Estimate, undefined
from assay.stats.influence import Influence, Vector, effective_n
from assay.stats.moments import JointMoments
from assay.stats.studentised import Part, studentised

FEWEST_POSITIVES = 20
Sets = Sequence[Any] | NDArray[Any]
"""One sorted list of labels for each row."""
_WEIGHTS = {"precision": (1.0, 0.0, 1.0), "recall": (1.0, 1.0, 0.0), "f1": (2.0, 1.0, 1.0)}
"""Of hits above, and of true and predicted labels below the line."""


@dataclass(frozen=True, kw_only=True)
class _Marks:
    """Every (row, label) that is true or predicted on a side: arrays of one length."""

    rows: int
    labels: int
    row: NDArray[np.int64]
    label: NDArray[np.int64]
    weight: Vector
    """That of its row."""
    true: Vector
    base: Vector
    head: Vector

    @classmethod
    def of(cls, *sets: Sets, weights: Vector | None = None) -> _Marks:
        """From the true sets, the base's and the head's, each of one list per row."""
        rows = len(sets[0])
        sizes = [np.array([len(each) for each in side], dtype=np.int64) for side in sets]
        flat = [np.array([v for each in side for v in each], dtype=object) for side in sets]
        names, codes = np.unique(np.concatenate(flat).astype(str), return_inverse=True)
        row = np.concatenate([np.repeat(np.arange(rows), size) for size in sizes])
        side = np.repeat(np.arange(3), [size.sum() for size in sizes])
        width = max(1, names.size)
        keys, place = np.unique(row * width + codes, return_inverse=True)
        marks = np.zeros((3, keys.size))
        marks[side, place] = 1.0
        return cls(
            rows=rows,
            labels=names.size,
            row=keys // width,
            label=keys % width,
            weight=np.ones(keys.size) if weights is None else weights[keys // width],
            true=marks[0],
            base=marks[1],
            head=marks[2],
        )


def label_sets_difference(
    sets: tuple[Sets, Sets, Sets],
    *,
    metric: str,
    average: str,
    confidence: float = 0.95,
    base_weight: float = 1.0,
    identical: bool = False,
) -> Estimate:
    """Compare `metric` (precision, recall, f1) with `average` micro or macro over labels.

    `sets` are the true ones, the base's and the head's, of one list of labels per row. The macro
    average runs over the labels that are true somewhere, and counts one that is never predicted
    as 0, as scikit-learn does by default.
    """
    marks = _Marks.of(*sets)
    n = marks.rows
    positives = np.bincount(marks.label, weights=marks.true, minlength=marks.labels)
    if not positives.any():
        return undefined(n, "no row has a label", base_weight=base_weight)
    sides = [_influence(marks, side, metric, average) for side in (marks.base, marks.head)]
    if sides[0] is None or sides[1] is None:
        return undefined(n, "0/0: no label is predicted", base_weight=base_weight)
    (on_base, influence_base), (on_head, influence_head) = sides[0], sides[1]
    contrast = Contrast(
        n=n, base=on_base, head=on_head, base_weight=base_weight, lowest=0.0, highest=1.0
    )
    if identical:
        return contrast.identical(confidence)
    if contrast.relative_to_nothing():
        return contrast.refused(RELATIVE_TO_NOTHING)
    fewest = float(np.median(positives[positives > 0]))
    if average == "micro":
        fewest = min(float(side.sum()) for side in (marks.true, marks.base, marks.head))
    if fewest < FEWEST_POSITIVES:
        wanted = math.ceil(n * FEWEST_POSITIVES / fewest) if fewest else None
        few = "too few positives" if average == "micro" else "too few rows with most labels"
        return contrast.refused(few, rows_to_judge=wanted)
    changed = np.unique(marks.row[marks.base != marks.head]).size
    moments = replace(JointMoments.from_sides(influence_base, influence_head), changed=changed)
    part = Part(moments=moments, coefficients=(1 - base_weight, 1.0))
    return studentised(contrast, [part], confidence)


def _influence(
    marks: _Marks, predicted: Vector, metric: str, average: str
) -> tuple[float, Vector] | None:
    """A side's value, and n·∂value/∂wᵢ of every row, shape (n,); None for 0/0."""
    hit, of_true, of_predicted = _WEIGHTS[metric]
    above = hit * marks.true * predicted
    below = of_true * marks.true + of_predicted * predicted
    if average == "micro":
        total = float((marks.weight * below).sum())
        if total == 0:
            return None
        value = float((marks.weight * above).sum()) / total
        share = (above - value * below) / (total / marks.rows)
        return value, _by_row(marks, share)
    totals, hits, positives = (_by_label(marks, each) for each in (below, above, marks.true))
    occurs = positives > 0
    values = np.divide(hits, totals, out=np.zeros_like(hits), where=totals > 0)
    scale = np.divide(marks.rows, totals, out=np.zeros_like(hits), where=occurs & (totals > 0))
    share = (above - values[marks.label] * below) * (scale / occurs.sum())[marks.label]
    return float(values[occurs].mean()), _by_row(marks, share)


def _by_label(marks: _Marks, each: Vector) -> Vector:
    sums = np.bincount(marks.label, weights=marks.weight * each, minlength=marks.labels)
    return sums.astype(np.float64)


def _by_row(marks: _Marks, share: Vector) -> Vector:
    return np.bincount(marks.row, weights=share, minlength=marks.rows).astype(np.float64)


def label_sets_influences(
    sets: tuple[Sets, Sets, Sets], weights: Vector, *, metric: str, average: str
) -> tuple[Influence, Influence] | None:
    """The influences of weighted rows on both sides' values (stats.influence).

    Arguments are those of :func:`label_sets_difference`. None where no row has a label; a value is
    None where its side predicts no label and the metric is then 0/0.
    """
    marks = _Marks.of(*sets, weights=weights)
    if not _by_label(marks, marks.true).any():
        return None

    def of(predicted: Vector) -> Influence:
        found = _influence(marks, predicted, metric, average)
        if found is None:
            return Influence(value=None, rows=np.zeros(marks.rows))
        few = "positives" if average == "micro" else "rows with most labels"
        stands_on = _marks_that_count(marks, predicted, average)
        rows = found[1] / marks.rows
        return Influence(value=found[0], rows=rows, few=few, stands_on=stands_on)

    return of(marks.base), of(marks.head)


def _marks_that_count(marks: _Marks, predicted: Vector, average: str) -> float:
    """True or predicted labels, the fewer, or the rows with the middle label, by weight (Kish)."""
    if average == "micro":
        return min(effective_n(marks.weight[side > 0]) for side in (marks.true, predicted))
    sums = _by_label(marks, marks.true)
    squares = _by_label(marks, marks.weight * marks.true)
    return float(np.median(sums[sums > 0] ** 2 / squares[sums > 0]))
