"""Do verdicts err as rarely as docs/statistics.md promises?"""

from __future__ import annotations

import numpy as np
import pytest

from assay.config import Gate, Severity
from assay.evidence import Comparison, Measurement, State
from assay.stats.cells import PairedCells
from assay.stats.classification import compare_cells
from assay.verdict import decide_comparison, judge
from honesty.regimes import Cells

pytestmark = pytest.mark.honesty

METRICS = {
    "accuracy": ("accuracy", "binary"),
    "balanced_accuracy": ("balanced_accuracy", "binary"),
    "recall": ("recall", "binary"),
    "f1": ("f1", "binary"),
    "mcc": ("mcc", "binary"),
}


def measured(cells: PairedCells, metric: str, where: str) -> Measurement:
    name, average = METRICS[metric]
    found = compare_cells(cells, name, average=average, positive=1)
    ends = (found.interval.low, found.interval.high) if found.interval else None
    return Measurement(
        metric=metric,
        slice=where,
        base=found.base,
        head=found.head,
        difference=found.difference,
        interval=ends,
        p_worse=found.p_worse,
        n=found.n,
        regime=found.regime,
        undefined=found.undefined,
    )


def test_equal_models_are_seldom_worse_anywhere() -> None:
    """5 metrics on 20 slices, all blocking: any `worse` in at most 5 % of the runs."""
    rng = np.random.default_rng(22)
    world = Cells(n=200, shares=(0.7, 0.3), discordant=0.1, won=0.5)
    gates = {metric: Gate(margin=0.01, slices=Severity.BLOCK) for metric in METRICS}
    runs, alarms = 40, 0
    for _ in range(runs):
        slices = list(world.draw(rng, 20))
        whole = PairedCells.from_arrays(
            *(
                np.concatenate([getattr(each, name) for each in slices])
                for name in ("label", "base", "head", "count")
            ),
            classes=2,
        )
        parts = [("all", whole), *((f"s={place}", each) for place, each in enumerate(slices))]
        found = tuple(
            measured(cells, metric, where) for where, cells in parts for metric in METRICS
        )
        verdict = decide_comparison(Comparison(model="m", measurements=found), gates=gates)
        alarms += any(rule.state is State.WORSE for rule in verdict.rules)
    # 5 % of 40 runs is 2; more than 6 happen once in 300 such tests.
    assert alarms <= 6


@pytest.mark.parametrize(
    ("n", "loss", "most"),
    [(200, 0.01, 0.06), (1000, 0.01, 0.06), (10_000, 0.01, 0.06), (1000, 0.02, 0.01)],
)
def test_a_loss_as_large_as_the_margin_seldom_passes(n: int, loss: float, most: float) -> None:
    """At a margin of one point, accuracy 0.85 and 6 % discordant."""
    world = Cells(n=n, shares=(0.5, 0.5), discordant=0.06, won=0.5 - loss / 0.12)
    rng = np.random.default_rng(23)
    runs = 3000
    passed = 0
    cells = world.probabilities()
    right = np.array(
        [
            [cells[0, 0, 0] + cells[1, 1, 1]],
            [cells[0, 0, 1] + cells[1, 1, 0]],
            [cells[0, 1, 0] + cells[1, 0, 1]],
            [cells[0, 1, 1] + cells[1, 0, 0]],
        ]
    )
    for both, base_only, head_only, neither in rng.multinomial(n, right.ravel(), size=runs):
        paired = PairedCells.from_arrays(
            [1, 1, 1, 1],
            [1, 1, 0, 0],
            [1, 0, 1, 0],
            [both, base_only, head_only, neither],
            classes=2,
        )
        interval = compare_cells(paired, "accuracy").interval
        assert interval is not None
        state = judge((interval.low, interval.high), margin=0.01)
        passed += state in (State.BETTER, State.NO_WORSE)
    # Three standard errors of the simulation beyond the promise.
    assert passed / runs <= most + 3 * np.sqrt(most * (1 - most) / runs)


def test_the_rule_everybody_uses_flips_a_coin() -> None:
    """`candidate >= baseline` on equal models: why a margin and an interval are needed."""
    rng = np.random.default_rng(24)
    world = Cells(n=1000, shares=(0.5, 0.5), discordant=0.06, won=0.5)
    differences = [compare_cells(c, "accuracy").difference or 0.0 for c in world.draw(rng, 1000)]
    assert np.mean(np.array(differences) >= 0) == pytest.approx(0.52, abs=0.05)
