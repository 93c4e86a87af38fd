"""The thresholds of drift mean one shift of a normal column, by the bins that columns have."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from assay.config.monitoring import DriftRule
from assay.evidence.monitoring import ColumnReference
from assay.monitoring.cells import effects_of, to_cells
from assay.stats.drift import jensen_shannon_distance, psi
from assay.tables.column_counts import ColumnCounts
from assay.tables.layouts import _LEVELS

PAGE = Path(__file__).resolve().parents[3] / "docs/monitoring.md"
ROWS = 10**8
"""So many that a cell's count is its share."""
LARGEST = 3.9
"""What the largest of some 10,000 rows is like."""
EDGES = (-LARGEST, *norm.ppf(_LEVELS), LARGEST)


def counted(shift: float) -> ColumnCounts:
    """A normal column whose mean is so many deviations from the reference's."""
    ends = np.array([-math.inf, *EDGES, math.inf])
    counts = np.round(ROWS * np.diff(norm.cdf(ends - shift))).astype(int)
    return ColumnCounts(
        rows=int(counts.sum()), missing=0, counts=tuple(counts.tolist()), mean=shift, deviation=1.0
    )


def effects(shift: float) -> dict[str, float]:
    first = counted(0.0)
    column = ColumnReference(
        name="x", role="feature", kind="number", rows=first.rows, missing=0, edges=EDGES,
        counts=first.counts, mean=0.0, deviation=1.0, low=EDGES[0], high=EDGES[-1],
    )  # fmt: skip
    cells = to_cells(column, first, counted(shift))
    assert cells is not None
    return {each.name: each.value for each in effects_of(cells, DriftRule())}


def written() -> Iterator[tuple[float, dict[str, float]]]:
    """The rows of the page's table: a shift, and what it is of each."""
    number = r"([\d.]+)"
    row = rf"^\| {number}[^|]*\| {number} \| {number} \| {number} \|$"
    for found in re.findall(row, PAGE.read_text(encoding="utf-8"), re.MULTILINE):
        shift, *thresholds = map(float, found)
        yield shift, dict(zip(("psi", "jensen_shannon", "wasserstein_sd"), thresholds, strict=True))


@pytest.mark.parametrize(("shift", "thresholds"), [*written()])
def test_thresholds_that_are_written_together_mean_one_shift(
    shift: float, thresholds: dict[str, float]
) -> None:
    for name, threshold in thresholds.items():
        met = brentq(lambda at, name=name, least=threshold: effects(at)[name] - least, 0.05, 2.0)
        assert met == pytest.approx(shift, rel=0.04), name


@pytest.mark.parametrize(("place", "share"), [(0, 0.30), (1, 0.40)])
def test_a_class_of_a_fifth_counts_from_a_share_on(place: int, share: float) -> None:
    shift, thresholds = list(written())[place]
    assert shift == (0.23, 0.46)[place]
    for measure, name in ((psi, "psi"), (jensen_shannon_distance, "jensen_shannon")):
        met = brentq(
            lambda q, of=measure, least=thresholds[name]: of([0.8, 0.2], [1 - q, q]) - least,
            0.2,
            0.9,
        )
        assert met == pytest.approx(share, abs=0.01), name


def test_the_defaults_are_those_of_the_index() -> None:
    rule = DriftRule()
    usual = {
        "psi": rule.psi, "jensen_shannon": rule.jensen_shannon, "wasserstein_sd": rule.wasserstein
    }  # fmt: skip
    assert (0.46, usual) in written()
    assert rule.psi == 0.2
    assert 8 * math.log(2) * rule.jensen_shannon**2 == pytest.approx(rule.psi, rel=0.01)
