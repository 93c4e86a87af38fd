"""Drift out of counts against scipy on the rows themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from assay.checks.cells import (
    Cells,
    describe,
    effects,
    from_bins,
    from_categories,
    histogram,
    p_value,
)
from assay.checks.drift import drifted
from assay.checks.side import Side
from assay.evidence import Finding
from assay.tables.histograms import Bins, Categories
from assay.tables.profile import profile
from assay.tables.rows import numbered
from assay.tables.source import open_tables
from support.data_files import write_parquet


def moved(folder: Path, before: NDArray[Any], after: NDArray[Any]) -> Finding | None:
    files = {
        "train": write_parquet(folder / "a.parquet", {"x": before}),
        "test": write_parquet(folder / "b.parquet", {"x": after}),
    }
    with open_tables(files) as engine:
        sides = []
        for name in files:
            rows = numbered(engine, name)
            sides.append(Side(name=name, rows=rows, profiles=profile(rows)))
        found = drifted(*sides, check="drift-train-test", dataset="train/test", max_psi=0.1)
    return found[0] if found else None


@pytest.mark.parametrize("scale", [1.0, 1e-300, 1e300])
def test_a_shift_is_as_large_as_scipy_says(tmp_path: Path, scale: float) -> None:
    random = np.random.default_rng(1)
    before, after = random.normal(size=4000), random.normal(0.6, 1.5, size=2500)
    found = moved(tmp_path, before * scale, after * scale)
    assert found is not None
    sizes = {effect.name: effect.value for effect in found.effects}
    exact = stats.wasserstein_distance(before, after) / before.std()
    assert sizes["wasserstein_sd"] == pytest.approx(exact, rel=0.05)
    edges = np.quantile(before, np.arange(1, 10) / 10, method="inverted_cdf")
    counts = [
        np.bincount(np.searchsorted(edges, values, side="left"), minlength=10)
        for values in (before, after)
    ]
    p, q = (count / count.sum() for count in counts)
    assert sizes["psi"] == pytest.approx(float(((q - p) * np.log(q / p)).sum()), rel=1e-5)
    assert found.p_value == pytest.approx(stats.chi2_contingency(counts).pvalue, rel=1e-5)


def test_a_unit_that_changed_is_seen_far_outside_the_reference(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    before, after = random.gamma(2, size=3000), random.gamma(2, size=3000) * 1000
    found = moved(tmp_path, before, after)
    assert found is not None
    exact = stats.wasserstein_distance(before, after) / before.std()
    sizes = {effect.name: effect.value for effect in found.effects}
    assert sizes["wasserstein_sd"] == pytest.approx(exact, rel=0.05)


def test_the_same_distribution_is_no_finding(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    assert moved(tmp_path, random.normal(size=4000), random.normal(size=2500)) is None


COUNTS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=12)


@settings(deadline=None)
@given(COUNTS)
def test_cells_lose_no_row_and_identical_counts_do_not_move(pairs: list[tuple[int, int]]) -> None:
    before, after = [b for b, _ in pairs], [a for _, a in pairs]
    values = tuple(float(index) for index in range(len(pairs)))
    counted = Categories(values=values, reference=tuple(before), current=tuple(after))
    cells = from_categories(counted, numbers=True).with_missing(2, 3)
    assert (sum(cells.reference), sum(cells.current)) == (sum(before) + 2, sum(after) + 3)
    assert 0 <= p_value(cells) <= 1
    assert effects(cells, 0.2)[0].value >= 0
    assert describe(cells)
    same = Cells(names=cells.names, reference=cells.reference, current=cells.reference)
    assert all(effect.value == pytest.approx(0, abs=1e-6) for effect in effects(same, 0.2))
    assert p_value(same) == pytest.approx(1)


def test_bins_between_deciles_keep_every_row() -> None:
    bins = Bins(
        edges=(0.0, 1.0, 1.5, 3.0),
        deciles=(1.0, 3.0),
        low=-2.0,
        high=9.0,
        reference=(4, 6, 3, 7, 10),
        current=(1, 1, 1, 1, 26),
    )
    cells = from_bins(bins)
    assert cells.names == ("−2 … 1", "1 … 3", "3 … 9")
    assert cells.reference == (10, 10, 10)
    assert cells.current == (2, 2, 26)
    assert cells.ladder is not None
    assert cells.ladder.values == (-1.0, 0.5, 1.25, 2.25, 6.0)
    days = from_bins(
        Bins(
            edges=(0.0,), deciles=(0.0,), low=-86400.0, high=1e18, reference=(1, 1), current=(1, 1)
        ),
        times=True,
    )
    assert days.names[0] == "1969-12-31 … 1970-01-01"
    assert days.names[1].startswith("1970-01-01 … 1")


def test_constant_and_lopsided_times(tmp_path: Path) -> None:
    day, other = np.datetime64("2024-05-01"), np.datetime64("2024-06-01")
    before = np.array([day] * 500)
    assert moved(tmp_path, before, before[:200]) is None
    mixed = np.where(np.arange(400) % 4 == 0, day, other)
    found = moved(tmp_path, np.array([day] * 300 + [other] * 100), mixed)
    assert found is not None
    assert "2024-05-01 … 2024-05-01 went from 75.0 % to 25.0 % of the rows" in found.message


def test_a_drifted_column_carries_its_histogram(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    found = moved(tmp_path, random.normal(0, 1, 4000), random.normal(1, 1, 3000))
    assert found is not None
    assert found.histogram is not None
    assert (sum(found.histogram.reference), sum(found.histogram.current)) == (4000, 3000)
    assert len(found.histogram.cells) == 10


def test_a_histogram_of_many_cells_puts_the_smallest_together() -> None:
    names = tuple(f"value {place:02}" for place in range(50))
    cells = Cells(names=names, reference=tuple(range(50)), current=(1,) * 50)
    shown = histogram(cells)
    assert len(shown.cells) == 20
    assert shown.cells[-1] == "31 others"
    assert (sum(shown.reference), sum(shown.current)) == (sum(range(50)), 50)
    assert shown.cells[:-1] == names[31:]
