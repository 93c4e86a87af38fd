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
from assay.stats.influence import Influence, Vector, effective_n
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


@dataclass(frozen=True, kw_only=True, eq=False)
class Units:
    """The independent units behind rows: clusters, or the rows themselves.

    `unit` of shape (n,) numbers each row's unit from 0, `stratum` of shape (size,) each unit's
    stratum from 0.
    """

    size: int
    unit: Codes
    stratum: Codes

    @classmethod
    def of(cls, design: Design) -> Units:
        """The units of a design of at least one row."""
        unit = np.arange(design.rows) if design.cluster is None else _ranked(design.cluster)
        size = int(unit.max()) + 1
        stratum = np.zeros(size, dtype=np.int64)
        if design.stratum is not None:
            stratum[unit] = _ranked(design.stratum)
        return cls(size=size, unit=unit, stratum=_ranked(_collapsed(stratum)))

    @property
    def strata(self) -> int:
        """How many strata there are."""
        return int(self.stratum.max()) + 1

    def sums(self, rows: Vector) -> Vector:
        """The units' sums of a value per row, shape (size,)."""
        return np.bincount(self.unit, weights=rows, minlength=self.size).astype(np.float64)

    def variance(self, rows: Vector) -> float:
        """Variance of the sum of the rows' contributions: units are drawn within their strata."""
        sums = self.sums(rows)
        counts = np.bincount(self.stratum)
        means = np.bincount(self.stratum, weights=sums) / counts
        squares = np.bincount(self.stratum, weights=(sums - means[self.stratum]) ** 2)
        # A stratum of one unit, the only one there is, shows no variance.
        return float((squares * counts / np.maximum(counts - 1, 1)).sum())


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
    refused = too_little(base, head, design, contrast)
    if refused is not None:
        return refused
    bounded = math.isfinite(contrast.lowest) and math.isfinite(contrast.highest)
    parts = parts_of(base, head, design, contrast)
    return studentised(contrast, parts, confidence, bounded=bounded, fewest=FEWEST_CLUSTERS)


def too_little(
    base: Influence, head: Influence, design: Design, contrast: Contrast
) -> Estimate | None:
    """The values with the reason, where the rows say too little to judge the contrast."""
    if contrast.relative_to_nothing():
        return contrast.refused(RELATIVE_TO_NOTHING)
    regime, wanted = _regime(base, head, design)
    return contrast.refused(regime, rows_to_judge=wanted) if regime else None


def parts_of(base: Influence, head: Influence, design: Design, contrast: Contrast) -> list[Part]:
    """The units' contributions to the contrast, one part for each stratum."""
    # head − w·base is (1 − w)·base + (head − base).
    coefficients = (contrast.sign * (1 - contrast.base_weight), contrast.sign)
    return [
        Part(moments=moments, coefficients=coefficients, share=share)
        for moments, share in _strata(base, head, design)
    ]


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
        if side.stands_on < FEWEST_POSITIVES:
            found = side.stands_on
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
    weight, units = design.weight, Units.of(design)
    on_base = units.sums(weight * base.rows)
    change = units.sums(weight * (head.rows - base.rows))
    for code in range(units.strata):
        members = units.stratum == code
        count = int(members.sum())
        moments = JointMoments.from_columns(count * on_base[members], count * change[members])
        yield replace(moments, changed=_carrying(count * change[members])), count / units.size


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
