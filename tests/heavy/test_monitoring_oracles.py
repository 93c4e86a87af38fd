"""Drift distances and estimates without labels, beside NannyML and Evidently on the same rows.

Each runs in its own locked environment. Where they bin numbers in another way than the monitor,
our functions get the counts over their bins: the numbers are compared, not the choice of bins.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2

from assay.config import Columns
from assay.evidence.monitoring import Reference
from assay.monitoring.estimate import ScoredCounts, estimated
from assay.monitoring.profile import make_reference
from assay.monitoring.told_apart import Comparison, tell_apart
from assay.stats.drift import (
    chi_square_p,
    jensen_shannon_distance,
    psi,
    wasserstein,
    wasserstein_sd,
)
from assay.tables.feature_rows import FeatureRows
from support.classifiers import classifier
from support.data_files import write_parquet

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(1_800)]

ROOT = Path(__file__).resolve().parents[2]
ROWS, NOW = 8_000, 5_000
VALUES = tuple("abcdefgh")
Rows = dict[str, NDArray[Any]]


def drawn(rng: np.random.Generator, rows: int, shift: float) -> Rows:
    """A number, a category, and a score of 19 values with its prediction and its label."""
    number = rng.normal(shift, 1, rows)
    weights = np.arange(1, 9) + 6 * shift * np.arange(8)[::-1]
    chance = np.round(1 / (1 + np.exp(-2 * number)), 1) * 0.9 + 0.05
    return {
        "number": number,
        "category": rng.choice(VALUES, rows, p=weights / weights.sum()),
        "score": np.round(chance**2, 4),
        "prediction": (chance > 0.5).astype(int),
        "label": (rng.random(rows) < chance).astype(int),
    }


@pytest.fixture(scope="module")
def rows() -> tuple[Rows, Rows]:
    rng = np.random.default_rng(23)
    return drawn(rng, ROWS, 0.0), drawn(rng, NOW, 0.4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, rows: tuple[Rows, Rows]) -> Path:
    made = tmp_path_factory.mktemp("oracles")
    for name, side in zip(("reference", "window"), rows, strict=True):
        write_parquet(made / f"{name}.parquet", side)
    return made


def said_by(package: str, folder: Path) -> dict[str, float]:
    """Its numbers; neither tells its makers of the run."""
    script = Path(__file__).parent / f"{package}_numbers.py"
    install = ["run", "--no-project", "--quiet", "--python", sys.executable]
    install += ["--with-requirements", str(ROOT / f"requirements/{package}.txt")]
    answer = subprocess.run(
        [str(ROOT / "toolkit/bin/uv"), *install, "python", "-W", "ignore", str(script), folder],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1"},
    )
    numbers: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return numbers


def counts_of(values: NDArray[Any], cells: Iterable[Any]) -> NDArray[np.int64]:
    return np.array([(values == cell).sum() for cell in cells])


def distinct(before: NDArray[Any], now: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """All values of both sides, and how often each has them."""
    places, owner = np.unique(np.concatenate([before, now]), return_inverse=True)
    sides = (owner[: before.size], owner[before.size :])
    return places, *(np.bincount(side, minlength=places.size) for side in sides)


def test_nannyml_s_drift_is_ours(folder: Path, rows: tuple[Rows, Rows]) -> None:
    said = said_by("nannyml", folder)
    before, now = (counts_of(side["category"], VALUES) for side in rows)
    assert jensen_shannon_distance(before, now) == pytest.approx(said["category:jensen_shannon"])
    p = float(chi2.sf(said["category:chi2"], len(VALUES) - 1))
    assert chi_square_p(before, now) == pytest.approx(p, rel=1e-6)
    first, second = (side["number"] for side in rows)
    places, *sides = distinct(first, second)
    assert wasserstein(places, *sides) == pytest.approx(said["number:wasserstein"])
    edges = np.histogram_bin_edges(first, bins="doane")
    inside = [np.histogram(side, bins=edges)[0] for side in (first, second)]
    binned = [
        [*each, side.size - each.sum()] for each, side in zip(inside, rows_of(rows), strict=True)
    ]
    assert jensen_shannon_distance(*binned) == pytest.approx(said["number:jensen_shannon"])


def rows_of(rows: tuple[Rows, Rows]) -> list[NDArray[Any]]:
    return [side["number"] for side in rows]


def test_nannyml_s_domain_classifier_tells_as_much_apart(
    folder: Path, rows: tuple[Rows, Rows], tmp_path: Path
) -> None:
    """Other trees, of LightGBM, five times cross-fitted: within 0.02."""
    said = said_by("nannyml", folder)
    sides = []
    for first, side in zip((0, ROWS), rows, strict=True):
        codes = np.searchsorted(np.array(VALUES), side["category"]).astype(float)
        keys = np.random.default_rng(first).integers(0, 2**63, codes.size, np.uint64)
        values = np.column_stack([side["number"], codes, side["score"]])
        sides.append(FeatureRows(values=values, keys=keys))
    (told,) = tell_apart(
        classifier(tmp_path / "cache", uv=str(ROOT / "toolkit/bin/uv")),
        [Comparison(before=sides[0], now=sides[1])],
        np.array([False, True, False]),
    )
    assert told.found.auc == pytest.approx(said["together"], abs=0.02)
    assert told.found.interval[0] < said["together"] < told.found.interval[1] + 0.01


def test_nannyml_s_estimates_are_ours(
    folder: Path, rows: tuple[Rows, Rows], tmp_path: Path
) -> None:
    """Within 0.003: half a row is added to each of our cells, and theirs are not told apart."""
    said = said_by("nannyml", folder)
    before, now = rows
    reference: Reference = make_reference(
        model="m",
        predictions=write_parquet(
            tmp_path / "p.parquet",
            {name: before[name] for name in ("score", "prediction", "label")},
        ),
        data=None,
        columns=Columns(positive=1),
    )
    scores = np.unique(now["score"])
    guessed = [counts_of(now["score"][now["prediction"] == side], scores) for side in (1, 0)]
    metrics = ("accuracy", "precision", "recall", "f1")
    found = estimated(
        reference,
        ScoredCounts(
            scores=tuple(scores.tolist()),
            positives=tuple(guessed[0].tolist()),
            negatives=tuple(guessed[1].tolist()),
            unscored=0,
        ),
        metrics=metrics,
    )
    for quality in found:
        assert quality.value == pytest.approx(said[f"estimate:{quality.metric}"], abs=0.003)


def test_evidently_s_drift_is_ours(folder: Path, rows: tuple[Rows, Rows]) -> None:
    said = said_by("evidently", folder)
    before, now = (counts_of(side["category"], VALUES) for side in rows)
    assert psi(before, now) == pytest.approx(said["category:psi"])
    nats = math.sqrt(math.log(2))
    ours = jensen_shannon_distance(before, now) * nats
    assert ours == pytest.approx(said["category:jensenshannon"])
    first, second = rows_of(rows)
    assert wasserstein_sd(*distinct(first, second)) == pytest.approx(said["number:wasserstein"])
    edges = np.histogram_bin_edges(np.concatenate([first, second]), bins="sturges")
    binned = [np.histogram(side, bins=edges)[0] for side in (first, second)]
    ours = jensen_shannon_distance(*binned) * nats
    assert ours == pytest.approx(said["number:jensenshannon"])
    # An empty bin is 0.0001 of the rows there, and half a row here: other bins are compared.
    filled = [np.where(side == 0, 0.0001 * side.sum(), side) for side in binned]
    shares = [side / binned[place].sum() for place, side in enumerate(filled)]
    theirs = float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())
    assert theirs == pytest.approx(said["number:psi"])
    both = (binned[0] > 0) & (binned[1] > 0)
    assert psi(binned[0][both], binned[1][both]) == pytest.approx(theirs, abs=0.05)
