"""Gaps between groups of rows that are clustered, stratified or weighted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import recall_score

from assay.stats import group_rates as groups_of_rows
from assay.stats.cells import Outcomes
from assay.stats.design import Design
from assay.stats.estimate import Estimate
from assay.stats.fairness import gap_difference, group_rates
from assay.stats.fairness_design import designed_gap_difference, designed_group_rates
from assay.stats.group_rates import Members
from support.estimates import ends

RNG = np.random.default_rng(91)
N, CLUSTERS = 900, 90
CLUSTER = RNG.integers(0, CLUSTERS, N)
STRATUM = CLUSTER % 3
GROUP = RNG.choice(3, N, p=[0.5, 0.3, 0.2])
WEIGHTS = RNG.gamma(2.0, 1.0, N)
CHANCE = np.array([0.7, 0.5, 0.25])[GROUP] + RNG.normal(0, 0.1, CLUSTERS)[CLUSTER]
BASE = RNG.random(N) < CHANCE
HEAD = np.where(RNG.random(N) < 0.3, RNG.random(N) < CHANCE - 0.05, BASE)
ALL = np.arange(N)


def members(rows: Any = ALL, names: str = "abc") -> Members:
    return Members(names=list(names), group=GROUP[rows], base=BASE[rows], head=HEAD[rows])


def judged(design: Design, rows: Any = ALL, **options: Any) -> Estimate:
    return designed_gap_difference(members(rows), design, n=design.rows, **options)


def swapped(design: Design) -> Estimate:
    turned = Members(names=list("abc"), group=GROUP, base=HEAD, head=BASE)
    return designed_gap_difference(turned, design, n=N)


def rates(side: np.ndarray, weights: np.ndarray, rows: Any = ALL) -> list[float]:
    return [
        float(np.average(side[rows][GROUP[rows] == g], weights=weights[rows][GROUP[rows] == g]))
        for g in range(3)
    ]


def test_weighted_rates_are_scikit_learns() -> None:
    """The recall of a group, where only positives count."""
    label = RNG.random(N) < 0.6
    counted = Members(names=list("abc"), group=np.where(label, GROUP, -1), base=BASE, head=HEAD)
    found = designed_group_rates(counted, Design(rows=N, weights=WEIGHTS))
    assert [rate.group for rate in found] == ["a", "b", "c"]
    for place, rate in enumerate(found):
        rows = place == GROUP
        assert rate.n == np.count_nonzero(rows & label)
        for side, value in ((BASE, rate.base), (HEAD, rate.head)):
            oracle = recall_score(label[rows], side[rows], sample_weight=WEIGHTS[rows])
            assert value == pytest.approx(oracle, rel=1e-12)
        assert rate.interval[0] < rate.head < rate.interval[1]
    gap = designed_gap_difference(counted, Design(rows=N, weights=WEIGHTS), n=N)
    assert gap.head == pytest.approx(np.ptp([rate.head for rate in found]))


def test_errors_are_those_of_the_jackknife_over_clusters_that_span_groups() -> None:
    found = judged(Design(rows=N, cluster=CLUSTER, weights=WEIGHTS))
    without = []
    for code in range(CLUSTERS):
        kept = np.flatnonzero(code != CLUSTER)
        gaps = [np.ptp(rates(side, WEIGHTS, kept)) for side in (BASE, HEAD)]
        without.append(gaps[0] - gaps[1])
    ratio = (CLUSTERS - 1) / CLUSTERS
    jackknife = math.sqrt(ratio * float(((np.array(without) - np.mean(without)) ** 2).sum()))
    assert found.row_variance is not None
    assert math.sqrt(found.row_variance / N) == pytest.approx(jackknife, rel=0.05)


@pytest.mark.parametrize("block", [1, 40, 1 << 21])
def test_covariances_are_those_of_the_clusters_sums(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By hand: every cluster's sum in each stratum, for the contrast of the clear extremes."""
    monkeypatch.setattr(groups_of_rows, "_BLOCK", block)
    found = judged(Design(rows=N, cluster=CLUSTER, stratum=STRATUM, weights=WEIGHTS))
    contributions = np.zeros(N)
    for side, sign in ((HEAD, 1.0), (BASE, -1.0)):
        own = rates(side, WEIGHTS)
        for place, by in ((0, 1.0), (2, -1.0)):
            rows = place == GROUP
            share = WEIGHTS[rows] / WEIGHTS[rows].sum()
            contributions[rows] += sign * by * share * (side[rows] - own[place])
    sums = np.bincount(CLUSTER, weights=contributions, minlength=CLUSTERS)
    within = [sums[np.arange(CLUSTERS) % 3 == code] for code in range(3)]
    variance = sum(each.size * each.var(ddof=1) for each in within)
    assert found.row_variance is not None
    # Groups of few clusters have a little more: the smallest is in all but a few of the 90.
    assert found.row_variance / N == pytest.approx(variance, rel=0.005)


def outcomes(place: int) -> Outcomes:
    base, head = BASE[place == GROUP], HEAD[place == GROUP]
    return Outcomes(
        both=int((base & head).sum()),
        base_only=int((base & ~head).sum()),
        head_only=int((~base & head).sum()),
        neither=int((~base & ~head).sum()),
    )


@pytest.mark.parametrize("base_weight", [1.0, 1.1])
def test_equal_weights_and_clusters_of_one_row_are_no_design(base_weight: float) -> None:
    """Within 0.5 % of the width: n / (n − 1), which counts leave out."""
    groups = {name: outcomes(place) for place, name in enumerate("abc")}
    plain = gap_difference(groups, n=N, base_weight=base_weight)
    low, high = ends(plain)
    every = (
        Design(rows=N, weights=np.ones(N)),
        Design(rows=N, cluster=np.arange(N)),
        Design(rows=N, cluster=np.arange(N), stratum=np.zeros(N, np.int64), weights=np.ones(N)),
    )
    for design in every:
        found = judged(design, base_weight=base_weight)
        assert (found.base, found.head) == pytest.approx((plain.base, plain.head), rel=1e-12)
        assert ends(found) == pytest.approx((low, high), abs=0.005 * (high - low))
        assert found.p_worse == pytest.approx(plain.p_worse, abs=0.005)
        for ours, theirs in zip(
            designed_group_rates(members(), design), group_rates(groups), strict=True
        ):
            assert ours.interval == pytest.approx(theirs.interval, abs=0.002)


def test_repeating_every_row_changes_nothing_once_declared() -> None:
    """Four copies of each row in one cluster tell no more than the row."""
    rows = np.repeat(ALL, 4)
    copies = judged(Design(rows=4 * N, cluster=rows), rows)
    assert ends(copies) == pytest.approx(ends(judged(Design(rows=N))))


def test_clusters_with_rows_of_several_groups_narrow_a_gap() -> None:
    """What moves a cluster's rows moves both groups' rates alike."""
    shared = RNG.random(60) < 0.5
    cluster = np.repeat(np.arange(60), 20)
    group = np.tile(np.arange(2), 600)
    other = np.where(RNG.random(1200) < 0.7, shared[cluster], RNG.random(1200) < 0.5)
    base = np.where(RNG.random(1200) < 0.7, shared[cluster], RNG.random(1200) < 0.5)
    both = Members(names=["a", "b"], group=group, base=base, head=other)
    spanning = designed_gap_difference(both, Design(rows=1200, cluster=cluster), n=1200)
    # The same rows with each cluster cut in two by group.
    alone = designed_gap_difference(both, Design(rows=1200, cluster=2 * cluster + group), n=1200)
    assert spanning.row_variance is not None
    assert alone.row_variance is not None
    assert spanning.row_variance < 0.8 * alone.row_variance


def test_the_order_of_the_rows_and_of_the_groups_has_no_effect() -> None:
    order = np.random.default_rng(6).permutation(N)
    design = Design(rows=N, cluster=CLUSTER, stratum=STRATUM, weights=WEIGHTS)
    there = judged(design)
    moved = Design(rows=N, cluster=CLUSTER[order], stratum=STRATUM[order], weights=WEIGHTS[order])
    assert ends(judged(moved, order)) == pytest.approx(ends(there), abs=1e-10)
    turned = Members(names=list("cba"), group=2 - GROUP, base=BASE, head=HEAD)
    again = designed_gap_difference(turned, design, n=N)
    assert ends(again) == pytest.approx(ends(there), abs=1e-10)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.booleans(), st.integers(20, 300))
def test_swapping_the_sides_mirrors_the_interval(seed: int, strata: bool, clusters: int) -> None:
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, clusters, N)
    design = Design(
        rows=N,
        cluster=cluster,
        stratum=cluster % 4 if strata else None,
        weights=rng.gamma(3.0, 1.0, N),
    )
    there, back = judged(design), swapped(design)
    assert there.regime == back.regime
    if there.interval is not None and back.interval is not None:
        assert there.interval.low == pytest.approx(-back.interval.high, abs=1e-9)
        assert there.difference == pytest.approx(-(back.difference or 0.0))


def test_strata_take_out_what_lies_between_them() -> None:
    stratum = np.repeat(np.arange(2), 500)
    group = np.tile(np.arange(2), 500)
    base = group == 0
    sides = Members(names=["a", "b"], group=group, base=base, head=base & (stratum == 0))
    plain = designed_gap_difference(sides, Design(rows=1000), n=1000)
    drawn = designed_gap_difference(sides, Design(rows=1000, stratum=stratum), n=1000)
    assert plain.interval is not None
    assert drawn.interval is not None
    # What is left is that a stratum may have drawn more or fewer rows of the group.
    assert drawn.row_variance == pytest.approx((plain.row_variance or 0) / 2, rel=0.01)
    # Matched pairs: one row of each group in each stratum.
    pairs = designed_gap_difference(
        members(ALL[GROUP < 2][:200]), Design(rows=200, stratum=np.arange(200) // 2), n=200
    )
    assert pairs.interval is not None


def test_small_groups_take_no_part_and_are_shown() -> None:
    group = GROUP.copy()
    group[np.flatnonzero(group == 2)[:29]] = 3
    design = Design(rows=N, cluster=CLUSTER)
    every = Members(names=list("abcde"), group=group, base=BASE, head=HEAD)
    three = Members(names=list("abc"), group=np.where(group == 3, -1, group), base=BASE, head=HEAD)
    assert designed_gap_difference(every, design, n=N) == designed_gap_difference(
        three, design, n=N
    )
    shown = {rate.group: rate.judged for rate in designed_group_rates(every, design)}
    assert shown == {"a": True, "b": True, "c": True, "d": False}


def test_what_cannot_be_judged_says_why() -> None:
    light = Design(rows=N, weights=np.where(GROUP == 0, 1.0, np.where(ALL % 50 == 0, 1.0, 1e-9)))
    assert judged(light).undefined == "fewer than two groups have 30 effective rows"
    nobody = Members(names=["a"], group=np.full(N, -1), base=BASE, head=HEAD)
    nothing = designed_gap_difference(nobody, Design(rows=N), n=N)
    assert nothing.undefined == "fewer than two groups have 30 rows"
    assert designed_group_rates(nobody, Design(rows=N)) == []
    assert judged(Design(rows=N, cluster=ALL % 9)).regime == "too few clusters"
    few = np.where(GROUP == 2, ALL % 9, 9 + ALL % 80)
    found = judged(Design(rows=N, cluster=few))
    assert found.regime == "too few clusters in a group"
    assert found.rows_to_judge == 1000
    alike = np.where(HEAD, ALL % 12, 12 + ALL % 12)
    assert judged(Design(rows=N, cluster=alike)).regime == "too few independent rows in a group"
    assert (
        ends(judged(Design(rows=N, cluster=CLUSTER), identical=True))
        == (pytest.approx(judged(Design(rows=N)).difference),) * 2
    )


def test_groups_that_all_predict_alike_count_by_their_clusters() -> None:
    """No row differs, so nothing says that a cluster's rows do not go together."""
    same = Members(
        names=["a", "b"],
        group=np.tile(np.arange(2), 450),
        base=np.zeros(N, np.bool_),
        head=np.zeros(N, np.bool_),
    )
    rows = designed_gap_difference(same, Design(rows=N), n=N)
    clustered = designed_gap_difference(same, Design(rows=N, cluster=ALL // 20), n=N)
    assert ends(clustered)[1] > 5 * ends(rows)[1]
