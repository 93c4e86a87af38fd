"""How wrong intervals are on clustered rows, and how right once the cluster is declared."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.stats.design import Design, designed_difference
from assay.stats.estimate import Contrast, Estimate
from assay.stats.influence import Influence, of_classes, of_mean
from honesty.dependence import Array, Tally

pytestmark = pytest.mark.honesty

RUNS = 250
ROWS = 25
"""Of a cluster."""
ACCURACY, DISCORDANT = 0.85, 0.08
CASES = {
    "independent rows": (0.0, 0.5),
    "a third of the rows follow their cluster": (0.3, 0.5),
    "the same, and the head loses": (0.3, 0.1),
    "nearly all rows follow their cluster": (0.9, 0.5),
}


def clustered(
    rng: np.random.Generator, clusters: int, shared: float, won: float
) -> Iterator[Array]:
    """Who is right on base and head: a row copies its cluster's outcome with chance `shared`."""
    shares = [
        ACCURACY - DISCORDANT / 2,
        DISCORDANT * (1 - won),
        DISCORDANT * won,
        1 - ACCURACY - DISCORDANT / 2,
    ]
    cluster = np.repeat(np.arange(clusters), ROWS)
    common = rng.choice(4, clusters, p=shares)[cluster]
    outcome = np.where(
        rng.random(cluster.size) < shared, common, rng.choice(4, cluster.size, p=shares)
    )
    yield (outcome <= 1).astype(np.float64)
    yield np.isin(outcome, (0, 2)).astype(np.float64)


def judged(base: Influence, head: Influence, design: Design) -> Estimate:
    assert base.value is not None
    assert head.value is not None
    contrast = Contrast(n=design.rows, base=base.value, head=head.value, lowest=0.0, highest=1.0)
    return designed_difference(base, head, design, contrast)


@pytest.mark.parametrize("clusters", [12, 20, 40, 100])
@pytest.mark.parametrize("case", CASES)
def test_a_declared_cluster_makes_the_interval_right(case: str, clusters: int) -> None:
    shared, won = CASES[case]
    rng = np.random.default_rng(71)
    truth = DISCORDANT * (2 * won - 1)
    cluster = np.repeat(np.arange(clusters), ROWS)
    declared, undeclared = Tally(), Tally()
    for _ in range(RUNS):
        right = [
            of_mean(side, np.ones(side.size)) for side in clustered(rng, clusters, shared, won)
        ]
        declared.add(judged(*right, Design(rows=cluster.size, cluster=cluster)), truth)
        undeclared.add(judged(*right, Design(rows=cluster.size)), truth)
    print(f"{case}, {clusters} clusters: declared {declared.shown()}; not {undeclared.shown()}")
    if len(declared.widths) > RUNS // 2:
        assert declared.holds(0.935, cells=16)
    if shared:
        assert not undeclared.holds(0.9, cells=1)


def test_f1_on_clusters_is_covered() -> None:
    """A ratio metric: each cluster has a prevalence and a difficulty of its own."""
    rng = np.random.default_rng(72)
    clusters = 50
    cluster = np.repeat(np.arange(clusters), ROWS)

    def draw(count: int) -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
        rows = np.repeat(np.arange(count), ROWS)
        share = rng.beta(2, 4, count)[rows]
        label = (rng.random(rows.size) < share).astype(np.int64)
        hard = rng.normal(0, 0.7, count)[rows]
        noise = rng.normal(0, 1, rows.size)
        scores = [
            2 * label - 1 + hard + 0.8 * noise + s * rng.normal(0, 1, rows.size) for s in (0.8, 0.7)
        ]
        return label, [(score > 0.3).astype(np.int64) for score in scores]

    def f1(label: NDArray[np.int64], side: NDArray[np.int64]) -> Influence:
        return of_classes(
            label, side, np.ones(label.size), classes=2, metric="f1", average="binary"
        )

    label, sides = draw(40_000)
    values = [f1(label, side).value for side in sides]
    truth = values[1] - values[0]  # type: ignore[operator]
    declared, undeclared = Tally(), Tally()
    for _ in range(2 * RUNS):
        label, sides = draw(clusters)
        found = [f1(label, side) for side in sides]
        declared.add(judged(*found, Design(rows=cluster.size, cluster=cluster)), truth)
        undeclared.add(judged(*found, Design(rows=cluster.size)), truth)
    print(f"F1, {clusters} clusters: declared {declared.shown()}; not {undeclared.shown()}")
    assert declared.holds(0.935, cells=1)


@pytest.mark.parametrize("spread", [0.3, 1.0])
def test_weights_are_covered(spread: float) -> None:
    """Rows drawn with unequal chances, and weighted by their inverse."""
    rng = np.random.default_rng(73)
    tally, ignored = Tally(), Tally()
    rows = 800
    for _ in range(2 * RUNS):
        kind = rng.random(rows)
        weights = np.exp(spread * rng.normal(size=rows)) * np.where(kind < 0.5, 2.0, 0.5)
        # Rows of one half are drawn four times too rarely, and there the head loses.
        discordant = rng.random(rows) < 0.1
        won = rng.random(rows) < np.where(kind < 0.5, 0.3, 0.6)
        base = np.where(discordant, 1.0 - won, 1.0)
        head = np.where(discordant, won.astype(np.float64), 1.0)
        truth = 0.1 * (0.8 * (2 * 0.3 - 1) + 0.2 * (2 * 0.6 - 1))
        sides = [of_mean(side, weights) for side in (base, head)]
        tally.add(judged(*sides, Design(rows=rows, weights=weights)), truth)
        plain = [of_mean(side, np.ones(rows)) for side in (base, head)]
        ignored.add(judged(*plain, Design(rows=rows)), truth)
    print(f"weights, spread {spread}: used {tally.shown()}; ignored {ignored.shown()}")
    assert tally.holds(0.935, cells=2)


def test_strata_are_covered_and_narrower() -> None:
    """Four strata of 100 rows each whose means differ."""
    rng = np.random.default_rng(74)
    stratum = np.repeat(np.arange(4), 100)
    drawn, plain = Tally(), Tally()
    for _ in range(2 * RUNS):
        base = rng.normal(3, 1, 400)
        head = base + 0.4 * (stratum - 1.5) + 0.3 * rng.normal(size=400)
        sides = [of_mean(side, np.ones(400)) for side in (base, head)]
        drawn.add(judged(*sides, Design(rows=400, stratum=stratum)), 0.0)
        plain.add(judged(*sides, Design(rows=400)), 0.0)
    ratio = np.mean(drawn.widths) / np.mean(plain.widths)
    print(f"strata: declared {drawn.shown()}; not {plain.shown()}; width {ratio:.2f} of it")
    assert drawn.holds(0.935, cells=1)
    assert ratio < 0.7
