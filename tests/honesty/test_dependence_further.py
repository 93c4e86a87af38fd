"""Label sets, calibration error and gaps between groups on rows that depend on each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from assay.stats.calibration import designed_calibration_error_difference
from assay.stats.design import Design, designed_difference
from assay.stats.estimate import Contrast, Estimate
from assay.stats.fairness_design import designed_gap_difference
from assay.stats.group_rates import Members
from assay.stats.influence import Influence
from assay.stats.label_sets import label_sets_influences
from honesty.dependence import Tally, together

pytestmark = [pytest.mark.honesty, pytest.mark.usefixtures("without_p_values")]

RUNS = 60
REPEATS = [
    pytest.param(1, id="quick"),
    pytest.param(25, id="long", marks=[pytest.mark.heavy, pytest.mark.timeout(3600)]),
]
ROWS = 20
"""Of a cluster."""
ALONE = pytest.param(0.0, marks=pytest.mark.heavy)
"""The share of a row that its cluster decides, where that is nothing."""
LARGE = 20_000
"""Clusters whose difference stands for the truth."""
CELLS = 91
"""Of this file, for Bonferroni's correction."""
Judged = Callable[[Design], Mapping[str, Estimate]]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Drawn:
    """One test set: what each metric says of it under a design."""

    cluster: Codes
    judged: Judged


Draw = Callable[[np.random.Generator, int], Drawn]


def check(
    name: str, draw: Draw, truths: Mapping[str, float], clusters: int, runs: int
) -> dict[str, tuple[Tally, Tally]]:
    """Judge test sets with the cluster declared and without; coverage where it is declared."""
    rng = np.random.default_rng(91)
    tallies = {metric: (Tally(), Tally()) for metric in truths}
    for _ in range(runs):
        drawn = draw(rng, clusters)
        rows = drawn.cluster.size
        every = (Design(rows=rows, cluster=drawn.cluster), Design(rows=rows))
        for place, design in enumerate(every):
            for metric, found in drawn.judged(design).items():
                tallies[metric][place].add(found, truths[metric])
    for metric, (declared, undeclared) in tallies.items():
        print(
            f"{metric}, {name}, {clusters} clusters: declared {declared.shown()}; "
            f"not {undeclared.shown()}"
        )
        if len(declared.widths) > runs // 2:
            assert declared.holds(0.935, cells=CELLS)
    return tallies


def judge(found: tuple[Influence, Influence] | None, design: Design) -> Estimate:
    assert found is not None
    base, head = (side.value or 0.0 for side in found)
    contrast = Contrast(n=design.rows, base=base, head=head, lowest=0.0, highest=1.0)
    return designed_difference(*found, design, contrast)


SHARES = np.array([0.5, 0.3, 0.2, 0.1])
NAMES = np.array(list("abcd"))
SETS = (("f1", "micro"), ("f1", "macro"), ("recall", "macro"))


def marks(
    rng: np.random.Generator, clusters: int, shared: float, changed: float
) -> tuple[NDArray[np.bool_], ...]:
    """True labels, the base's and the head's: whole clusters are easy or hard for both."""
    true = together(rng, clusters, ROWS, shared, 4) < ndtri(SHARES)
    hard = together(rng, clusters, ROWS, shared, 4)
    other = np.sqrt(0.5) * hard + np.sqrt(0.5) * together(rng, clusters, ROWS, shared, 4)
    wrong = ndtri(0.3 * SHARES)
    anew = np.repeat(rng.random((clusters, 1)) < changed, ROWS, axis=0)
    base = true ^ (hard < wrong)
    return true, base, np.where(anew, true ^ (other < wrong + 0.05), base)


def over_labels(metric: str, average: str, true: np.ndarray, said: np.ndarray) -> float:
    axis = 0 if average == "macro" else None
    hits, positive, predicted = (x.sum(axis=axis) for x in (true & said, true, said))
    below = {"precision": predicted, "recall": positive, "f1": (positive + predicted) / 2}
    return float(np.mean(hits / below[metric]))


@pytest.mark.parametrize("times", REPEATS)
@pytest.mark.parametrize("changed", [0.2, 1.0])
@pytest.mark.parametrize("shared", [ALONE, 0.4])
def test_label_sets(shared: float, changed: float, times: int) -> None:
    def draw(rng: np.random.Generator, clusters: int) -> Drawn:
        sides = marks(rng, clusters, shared, changed)
        true, base, head = ([NAMES[row].tolist() for row in side] for side in sides)

        weights = np.ones(len(true))
        every = {
            f"{metric}_{average}": label_sets_influences(
                (true, base, head), weights, metric=metric, average=average
            )
            for metric, average in SETS
        }

        def judged(design: Design) -> dict[str, Estimate]:
            return {name: judge(found, design) for name, found in every.items()}

        return Drawn(np.repeat(np.arange(clusters), ROWS), judged)

    true, base, head = marks(np.random.default_rng(92), LARGE, shared, changed)
    truths = {
        f"{metric}_{average}": over_labels(metric, average, true, head)
        - over_labels(metric, average, true, base)
        for metric, average in SETS
    }
    for clusters in (15, 60):
        name = f"{shared} of a row is its cluster's, {changed} changed"
        tallies = check(name, draw, truths, clusters, RUNS * times)
        if shared:
            assert not tallies["f1_macro"][1].holds(0.9, cells=1)


@pytest.mark.parametrize("times", REPEATS)
@pytest.mark.parametrize("slopes", [(1.0, 1.0), (1.0, 2.0), (2.0, 1.0), (2.0, 4.0)])
@pytest.mark.parametrize("shared", [ALONE, 0.6])
def test_calibration_error(shared: float, slopes: tuple[float, float], times: int) -> None:
    """A slope of 1 is calibrated, though a cluster's rows are positive together."""

    def draw(rng: np.random.Generator, clusters: int) -> Drawn:
        signal = -0.5 + 1.5 * together(rng, clusters, ROWS, shared / 2, 1)[:, 0]
        chance = 1 / (1 + np.exp(-signal))
        label = ndtr(together(rng, clusters, ROWS, shared, 1)[:, 0]) < chance
        noise = (0.0, 0.2 * together(rng, clusters, ROWS, shared, 1)[:, 0])
        base, head = (
            1 / (1 + np.exp(-slope * signal - each))
            for slope, each in zip(slopes, noise, strict=True)
        )

        def judged(design: Design) -> dict[str, Estimate]:
            found = designed_calibration_error_difference(
                (base, label), (head, label), design, n=design.rows
            )
            return {"calibration_error": found}

        return Drawn(np.repeat(np.arange(clusters), ROWS), judged)

    large = draw(np.random.default_rng(93), LARGE)
    truth = large.judged(Design(rows=large.cluster.size))["calibration_error"].difference
    for clusters in (15, 60):
        name = f"{shared} of a row is its cluster's, slopes {slopes[0]} and {slopes[1]}"
        tallies = check(name, draw, {"calibration_error": truth or 0.0}, clusters, RUNS * times)
        if shared and slopes == (1.0, 2.0) and clusters == 15:
            assert not tallies["calibration_error"][1].holds(0.9, cells=1)


GAPS = {
    "a gap kept": ([0.5, 0.7], [0.5, 0.7]),
    "a gap halved": ([0.5, 0.7], [0.5, 0.6]),
    "three groups apart": ([0.3, 0.5, 0.7], [0.3, 0.5, 0.65]),
    "rare positives": ([0.05, 0.15], [0.05, 0.12]),
}


@pytest.mark.parametrize("times", REPEATS)
@pytest.mark.parametrize("spanning", [True, False], ids=["rows of groups", "clusters of groups"])
@pytest.mark.parametrize("shared", [ALONE, 0.3, 0.7])
@pytest.mark.parametrize("name", GAPS)
def test_gaps(name: str, shared: float, spanning: bool, times: int) -> None:
    """Groups are of rows, so that a cluster has several, or of whole clusters."""
    base, head = (np.array(side) for side in GAPS[name])

    def draw(rng: np.random.Generator, clusters: int) -> Drawn:
        cluster = np.repeat(np.arange(clusters), ROWS)
        of_row = rng.integers(0, base.size, cluster.size)
        group = of_row if spanning else cluster % base.size
        first, second = together(rng, clusters, ROWS, shared, 2).T
        other = np.sqrt(0.9) * first + np.sqrt(0.1) * second
        members = Members(
            names=[str(place) for place in range(base.size)],
            group=group,
            base=first < ndtri(base)[group],
            head=other < ndtri(head)[group],
        )

        def judged(design: Design) -> dict[str, Estimate]:
            return {"gap": designed_gap_difference(members, design, n=design.rows)}

        return Drawn(cluster, judged)

    truth = {"gap": float(np.ptp(base) - np.ptp(head))}
    for clusters in (40, 150):
        case = f"{name}, {shared} of a row is its cluster's, {'' if spanning else 'not '}across"
        tallies = check(case, draw, truth, clusters, RUNS * times)
        if shared == 0.7 and not spanning and clusters == 150:
            assert not tallies["gap"][1].holds(0.9, cells=1)


@dataclass(frozen=True)
class Weighed:
    """Rows of which some kinds are drawn too rarely, and what each metric says of them."""

    weights: NDArray[np.float64]
    judged: Judged

    @classmethod
    def draw(cls, rng: np.random.Generator, rows: int, *, rarely: bool) -> Weighed:
        """Rows of the rare kind are four in five, or drawn four times too rarely."""
        rare = rng.random(rows) < (0.5 if rarely else 0.8)
        weights = np.where(rare, 4.0, 1.0) * rng.choice([0.5, 1.5], rows)
        signal = rng.normal(np.where(rare, -0.5, 0.5), 1.5)
        chance = rng.random((3, rows))
        label = chance[0] < 1 / (1 + np.exp(-signal))
        slopes = (1.5, np.where(rare, 2.5, 1.1))
        sides = [1 / (1 + np.exp(-slope * signal)) for slope in slopes]
        group = (chance[1] < np.where(rare, 0.3, 0.7)).astype(np.int64)
        said = [chance[2] < 0.4 + by * group for by in (0.2, np.where(rare, 0.35, 0.05))]
        members = Members(names=["0", "1"], group=group, base=said[0], head=said[1])
        wrong = [chance[2] < share for share in (0.2, np.where(rare, 0.26, 0.12))]
        sets = [
            [["a"] if each else [] for each in side]
            for side in (label, *(label ^ each for each in wrong))
        ]

        def judged(design: Design) -> dict[str, Estimate]:
            found = label_sets_influences(
                (sets[0], sets[1], sets[2]), design.weight, metric="f1", average="micro"
            )
            return {
                "calibration_error": designed_calibration_error_difference(
                    (sides[0], label), (sides[1], label), design, n=rows
                ),
                "gap": designed_gap_difference(members, design, n=rows),
                "f1_micro": judge(found, design),
            }

        return cls(weights, judged)


@pytest.mark.parametrize("times", REPEATS)
def test_weights(times: int) -> None:
    rng, rows = np.random.default_rng(94), 1000
    large = Weighed.draw(rng, 400_000, rarely=False).judged(Design(rows=400_000))
    truths = {name: found.difference or 0.0 for name, found in large.items()}
    tallies = {name: (Tally(), Tally()) for name in truths}
    for _ in range(RUNS * times):
        drawn = Weighed.draw(rng, rows, rarely=True)
        for place, design in enumerate(
            (Design(rows=rows, weights=drawn.weights), Design(rows=rows))
        ):
            for name, found in drawn.judged(design).items():
                tallies[name][place].add(found, truths[name])
    for name, (used, ignored) in tallies.items():
        print(f"{name}, weights: used {used.shown()}; ignored {ignored.shown()}")
        assert used.holds(0.935, cells=CELLS)
        if name != "calibration_error":
            assert not ignored.holds(0.9, cells=1)
