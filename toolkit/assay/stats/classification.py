"""Paired classification metrics from joint counts of (label, base prediction, head prediction).

The difference comes from the raw counts. Its standard error is the delta method's,
s² = Σ x̃ᵢ·gᵢ², at counts to which z²/2 discordant rows were added in each direction ("base only
right", "head only right"), so that a sample without discordant rows still admits its ignorance.
Adding pseudo-rows to a paired table goes back to Agresti and Min (2005, Statistics in Medicine
24) and Bonett and Price (2012, J. Educ. Behav. Stat. 37); docs/statistics.md has the details.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from assay.stats.cells import Outcomes, PairedCells
from assay.stats.confusion import Confusion, Gradient, Vector, averaged, matthews
from assay.stats.estimate import (
    FEWEST_ROWS,
    RELATIVE_TO_NOTHING,
    Contrast,
    Estimate,
    from_standard_error,
    quantile,
    undefined,
)
from assay.stats.shares import share_difference

METRICS = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "mcc")
AVERAGES = ("binary", "macro", "micro", "weighted")
AVERAGED = frozenset({"precision", "recall", "f1"})
"""The metrics that an average applies to."""
FEWEST_POSITIVES = 20
"""Positives, and predicted positives on each side, below which precision, F1 and MCC are not
judged: the ratio's error is then neither small nor normal."""

FEW_CLASSES = 10
"""Classes up to which the pseudo-rows, shared among them, make up for thin ones."""
FEWEST_PER_CLASS = 20
"""Rows of the middle class below which an average over more classes is not judged: each class's
own value is then too coarse, and their errors no longer small beside those of the average."""


@dataclass(frozen=True, kw_only=True)
class _Ask:
    confidence: float
    base_weight: float
    identical: bool


def compare_cells(
    cells: PairedCells,
    metric: str,
    *,
    average: str = "binary",
    positive: int | None = None,
    confidence: float = 0.95,
    base_weight: float = 1.0,
    identical: bool = False,
) -> Estimate:
    """Compare head with base on one classification metric (one of METRICS).

    `average` (one of AVERAGES) and `positive`, the class number that "binary" needs, concern
    precision, recall and F1 alone; "micro" of any of them is accuracy. Macro and weighted
    averages run over the classes that occur among the labels, and count a class that a side
    never predicts as 0. `identical`: the two models are one and the same.
    """
    if metric not in METRICS or average not in AVERAGES:
        raise ValueError(f"unknown metric or average: {metric!r}, {average!r}")
    quantile(confidence)  # refuses a level that is none, however few the rows
    ask = _Ask(confidence=confidence, base_weight=base_weight, identical=identical)
    if cells.n == 0:
        return undefined(0, "no rows", base_weight=base_weight)
    # The share of rows that are right goes by several names.
    right = metric == "accuracy" or (metric in AVERAGED and average == "micro")
    if right or (metric == "recall" and average == "weighted"):
        return _share_right(cells.n, cells.outcomes(), ask)
    if metric in AVERAGED and average == "binary":
        if positive is None:
            raise ValueError("a binary metric needs the positive class")
        pair = cells.one_vs_rest(positive)
        if metric == "recall":
            return _share_right(cells.n, pair.outcomes(1), ask)
        return _smoothed(_Task.of_one_class(pair, metric), ask)
    if (cells.sides[0].labels > 0).sum() < 2:
        return undefined(cells.n, "only one class among the labels", base_weight=base_weight)
    matthews_asked = metric == "mcc"
    task = _Task.matthews(cells) if matthews_asked else _Task.over_classes(cells, metric, average)
    return _smoothed(task, ask)


def _share_right(n: int, outcomes: Outcomes, ask: _Ask) -> Estimate:
    return share_difference(
        outcomes,
        n=n,
        confidence=ask.confidence,
        base_weight=ask.base_weight,
        identical=ask.identical,
    )


@dataclass(frozen=True, kw_only=True)
class _Task:
    """A score of a side's confusion matrix, and what its standard error must know."""

    cells: PairedCells
    score: Callable[[Confusion], tuple[float | None, Gradient]]
    present: Vector
    """1.0 for the classes that receive pseudo-rows, shape (K,)."""
    fewest: float = math.inf
    """The smallest count that a ratio of one class stands on."""
    shared: float = 1.0
    """How many classes share the z²/2 pseudo-rows of a direction."""
    thin: float = math.inf
    """Rows of the middle class, where an average runs over more than a few."""
    lowest: float = 0.0
    nothing: str = ""
    """What is missing where the score is 0/0."""

    @classmethod
    def of_one_class(cls, pair: PairedCells, metric: str) -> _Task:
        """Precision or F1 of class 1 among two."""

        def score(side: Confusion) -> tuple[float | None, Gradient]:
            value, gradient = averaged(metric, side, np.array([0.0, 1.0]))
            below = side.predicted[1] + (side.labels[1] if metric == "f1" else 0)
            return (value if below > 0 else None), gradient

        base, head = pair.sides
        return cls(
            cells=pair,
            score=score,
            present=np.ones(2),
            fewest=min(base.labels[1], base.predicted[1], head.predicted[1]),
            nothing="nothing is predicted positive",
        )

    @classmethod
    def matthews(cls, cells: PairedCells) -> _Task:
        """Matthews correlation over all classes."""
        base, head = cells.sides
        present = (base.labels > 0).astype(np.float64)
        margins = (base.labels, base.predicted, head.predicted)
        return cls(
            cells=cells,
            score=matthews,
            present=present,
            fewest=min(cells.n - float(margin.max()) for margin in margins),
            shared=max(1.0, float(present.sum()) / 2),
            lowest=-1.0,
            nothing="only one class is predicted",
        )

    @classmethod
    def over_classes(cls, cells: PairedCells, metric: str, average: str) -> _Task:
        """Balanced accuracy, or the macro or weighted mean of a per-class metric."""
        present = (cells.sides[0].labels > 0).astype(np.float64)
        name = "recall" if metric == "balanced_accuracy" else metric
        by_label = average == "weighted" and metric in AVERAGED
        weights = None if by_label else present / present.sum()
        return cls(
            cells=cells,
            score=lambda side: averaged(name, side, weights),
            present=present,
            shared=float(present.sum()),
            thin=_rows_of_the_middle_class(cells.sides[0].labels),
        )


def _rows_of_the_middle_class(labels: Vector) -> float:
    """The median number of rows of the classes that occur; infinite where they are few."""
    occurring = labels[labels > 0]
    return float(np.median(occurring)) if occurring.size > FEW_CLASSES else math.inf


def _smoothed(task: _Task, ask: _Ask) -> Estimate:
    cells = task.cells
    (base, _), (head, _) = (task.score(side) for side in cells.sides)
    if base is None or head is None:
        reason = f"0/0: {task.nothing}"
        return undefined(cells.n, reason, base=base, head=head, base_weight=ask.base_weight)
    contrast = Contrast(
        n=cells.n,
        base=base,
        head=head,
        base_weight=ask.base_weight,
        lowest=task.lowest,
        highest=1.0,
    )
    if ask.identical:
        return contrast.identical(ask.confidence)
    if contrast.relative_to_nothing():
        return contrast.refused(RELATIVE_TO_NOTHING)
    if cells.n < FEWEST_ROWS:
        return contrast.refused("too few rows", rows_to_judge=FEWEST_ROWS)
    if task.fewest < FEWEST_POSITIVES:
        rows = math.ceil(cells.n * FEWEST_POSITIVES / task.fewest) if task.fewest else None
        return contrast.refused("too few positives", rows_to_judge=rows)
    if task.thin < FEWEST_PER_CLASS:
        rows = math.ceil(cells.n * FEWEST_PER_CLASS / task.thin)
        return contrast.refused("too few rows in most classes", rows_to_judge=rows)
    return from_standard_error(
        contrast, lambda z: _standard_error(task, z, ask.base_weight), ask.confidence
    )


def _standard_error(task: _Task, z: float, base_weight: float) -> float:
    """√Σ x̃ᵢ·gᵢ² over the cells and the pseudo-rows spread among them.

    Each present label gets `extra` rows per direction: the side that is right predicts the
    label, the side that is wrong each of the other present classes alike.
    """
    cells, present = task.cells, task.present
    extra = z**2 / 2 / task.shared
    base, head = (
        task.score(
            Confusion(
                hits=side.hits + extra * present,
                labels=side.labels + 2 * extra * present,
                predicted=side.predicted + 2 * extra * present,
            )
        )[1]
        for side in cells.sides
    )
    slope = head.at(cells.label, cells.head) - base_weight * base.at(cells.label, cells.base)
    variance = float(cells.count @ slope**2)
    for right, wrong, weight_right, weight_wrong in (
        (head, base, 1.0, base_weight),
        (base, head, base_weight, 1.0),
    ):
        lead = weight_right * (right.hit + right.label + right.predicted)
        lead = lead - weight_wrong * wrong.label
        others = weight_wrong * wrong.predicted * present
        ways = present.sum() - 1
        mean = (others.sum() - others) / ways
        square = ((others**2).sum() - others**2) / ways
        variance += extra * float(present @ (lead**2 - 2 * lead * mean + square))
    return math.sqrt(max(0.0, variance))
