"""Paired comparison of rows that are not independent draws of equal weight.

The difference is linearised: row i contributes cᵢ = wᵢ·(head's influence − base's). Rows of one
cluster are summed first, so that whatever dependence they have is in the sum (Liang and Zeger
1986, Biometrika 73; the sandwich variance of survey statistics). The clusters, or the rows where
no cluster is declared, are then the units, and their sums are judged as a mean of independent
contributions is: pseudo-units, Hall's transformation and Student's t included (stats.studentised).
With strata each stratum is a sample of its own, and Welch and Satterthwaite join their degrees of
freedom.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from assay.stats.estimate import (
    FEWEST_ROWS,
    RELATIVE_TO_NOTHING,
    Contrast,
    Estimate,
)
from assay.stats.influence import Influence, Vector
from assay.stats.moments import JointMoments
from assay.stats.studentised import Part, studentised

FEWEST_CLUSTERS = 10
"""Clusters below which the variance between them says too little about itself."""
FEWEST_POSITIVES = 20
Codes = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Design:
    """How the rows were drawn: arrays of shape (n,), each None where it is not declared.

    `cluster` and `stratum` are codes from 0 and `weights` are not negative. A cluster lies in one
    stratum.
    """

    rows: int
    cluster: Codes | None = None
    stratum: Codes | None = None
    weights: Vector | None = None

    @property
    def weight(self) -> Vector:
        """The weights, 1 where none are declared."""
        return np.ones(self.rows) if self.weights is None else self.weights

    @property
    def units(self) -> int:
        """Independent units: clusters, or rows."""
        return self.rows if self.cluster is None else int(np.unique(self.cluster).size)


def effective_n(weights: Vector) -> float:
    """Kish's (1965) effective number of rows, (Σw)² / Σw²; 0 where nothing weighs."""
    squares = float(weights @ weights)
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def design_effect(influence: Vector, design: Design) -> float:
    """How many rows of these clusters tell as much as one independent row; at least 1.

    The variance of the clusters' sums of one side's contributions over that of the rows alone
    (Kish 1965, Survey Sampling).
    """
    contributions = design.weight * influence
    alone = float(contributions @ contributions)
    if design.cluster is None or alone == 0:
        return 1.0
    sums = np.bincount(_ranked(design.cluster), weights=contributions)
    return max(1.0, float(sums @ sums) / alone)


def designed_difference(
    base: Influence,
    head: Influence,
    design: Design,
    contrast: Contrast,
    *,
    confidence: float = 0.95,
    identical: bool = False,
) -> Estimate:
    """Judge a contrast of two sides' values, from their influences on the same n rows.

    Estimates outside what can be judged name their regime: "too few clusters", "too few rows",
    "too few positives", "heavy tails".
    """
    if identical:
        return contrast.identical(confidence)
    if contrast.relative_to_nothing():
        return contrast.refused(RELATIVE_TO_NOTHING)
    regime, wanted = _regime(base, head, design)
    if regime is not None:
        return contrast.refused(regime, rows_to_judge=wanted)
    bounded = math.isfinite(contrast.lowest) and math.isfinite(contrast.highest)
    # head − w·base is (1 − w)·base + (head − base).
    coefficients = (contrast.sign * (1 - contrast.base_weight), contrast.sign)
    parts = [
        Part(moments=moments, coefficients=coefficients, share=share)
        for moments, share in _strata(base, head, design)
    ]
    return studentised(contrast, parts, confidence, bounded=bounded, fewest=FEWEST_CLUSTERS)


def _regime(base: Influence, head: Influence, design: Design) -> tuple[str | None, int | None]:
    if not (np.isfinite(base.rows).all() and np.isfinite(head.rows).all()):
        return "a side without any error", None
    if design.cluster is not None and design.units < FEWEST_CLUSTERS:
        return "too few clusters", math.ceil(design.rows * FEWEST_CLUSTERS / design.units)
    rows = effective_n(design.weight)
    if rows < FEWEST_ROWS:
        return "too few rows", math.ceil(design.rows * FEWEST_ROWS / max(rows, 1.0))
    independent = rows / max(design_effect(side.rows, design) for side in (base, head))
    if independent < FEWEST_ROWS:
        scale = FEWEST_ROWS / max(independent, 1.0)
        return "too few independent rows", math.ceil(design.rows * scale)
    for side in (base, head):
        if side.stands_on is None:
            continue
        found = effective_n(design.weight[side.stands_on])
        if found < FEWEST_POSITIVES:
            wanted = math.ceil(design.rows * FEWEST_POSITIVES / found) if found else None
            return f"too few {side.few}", wanted
    return None, None


def _strata(
    base: Influence, head: Influence, design: Design
) -> Iterator[tuple[JointMoments, float]]:
    """Moments of the units' sums, one for each stratum, and its share of the units.

    A unit's sum is multiplied by the stratum's number of units, so that their mean is what the
    stratum contributes.
    """
    weight = design.weight
    unit = np.arange(design.rows) if design.cluster is None else _ranked(design.cluster)
    size = int(unit.max()) + 1
    on_base = np.bincount(unit, weights=weight * base.rows, minlength=size)
    change = np.bincount(unit, weights=weight * (head.rows - base.rows), minlength=size)
    stratum = np.zeros(size, dtype=np.int64)
    if design.stratum is not None:
        stratum[unit] = _ranked(design.stratum)
    stratum = _collapsed(stratum)
    for code in np.unique(stratum):
        members = stratum == code
        count = int(members.sum())
        moments = JointMoments.from_columns(count * on_base[members], count * change[members])
        yield replace(moments, changed=_carrying(count * change[members])), count / size


def _carrying(changes: Vector) -> int:
    """How many units carry the variance of the changes, (Σd²)² / Σd⁴.

    Where these are few, a cluster that turns over as a whole may not have been drawn yet: then
    the size of a pseudo-unit comes from how far the base's own units lie apart.
    """
    fourth = float((changes**4).sum())
    return int(float((changes**2).sum()) ** 2 / fourth) if fourth > 0 else 0


def _collapsed(stratum: Codes) -> Codes:
    """Put the units that are alone in their stratum together, as survey software does.

    Alone they would show no variance; a single one of them goes to the largest stratum.
    """
    sizes = np.bincount(stratum)
    alone = sizes[stratum] == 1
    code = int(sizes.argmax()) if alone.sum() == 1 else sizes.size
    return np.where(alone, code, stratum)


def _ranked(codes: Codes) -> Codes:
    """The codes that occur, renumbered from 0."""
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)
