"""The search for the worst slice: does it find a real one, and how often does it cry wolf?

`-s` prints each cell with the Monte Carlo interval of its share (Clopper and Pearson, 95 %).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from scipy.special import betaincinv

from assay.config import Gate, Severity
from assay.evidence import Comparison, SliceSearch, State
from assay.stats import estimate as estimates
from assay.stats.cells import PairedCells
from assay.stats.classification import compare_cells
from assay.stats.estimate import Estimate
from assay.stats.means import mean_difference
from assay.stats.moments import JointMoments
from assay.stats.multiplicity import corrected_confidence
from assay.stats.worst import Worst, worst_of
from assay.verdict import decide_comparison
from honesty.regimes import Cells
from honesty.verdicts import METRICS, measured

pytestmark = pytest.mark.honesty

REPEATS = [
    pytest.param(1, id="quick"),
    pytest.param(20, id="long", marks=[pytest.mark.heavy, pytest.mark.timeout(3600)]),
]
Draw = Callable[[np.random.Generator], Mapping[str, Estimate]]


def bounds(hits: int, of: int) -> tuple[float, float]:
    """Clopper and Pearson's 95 % interval of a share."""
    low = 0.0 if hits == 0 else float(betaincinv(hits, of - hits + 1, 0.025))
    high = 1.0 if hits == of else float(betaincinv(hits + 1, of - hits, 0.975))
    return low, high


def said(name: str, hits: int, of: int) -> tuple[float, float]:
    low, high = bounds(hits, of)
    print(f"{name}: {hits / of:.2%} [{low:.2%}, {high:.2%}] of {of:,}")
    return low, high


def accuracy(cells: PairedCells, confidence: float) -> Estimate:
    return compare_cells(cells, "accuracy", confidence=confidence)


def searched(cells: Mapping[str, PairedCells]) -> Worst:
    confidence = corrected_confidence(0.95, len(cells))
    return worst_of({name: accuracy(each, confidence) for name, each in cells.items()}, confidence)


@pytest.mark.parametrize("times", REPEATS)
@pytest.mark.parametrize(
    ("slices", "discordant", "least"),
    [(100, 0.16, 0.95), (100, 0.13, 0.95), (100, 0.10, 0.95), (20, 0.16, 0.95), (1000, 0.16, 0.85)],
)
def test_a_slice_ten_points_worse_is_found(
    slices: int, discordant: float, least: float, times: int
) -> None:
    """500 rows of the mean's own accuracy lose ten points; the other slices gain what it loses."""
    rng = np.random.default_rng(31)
    bad = Cells(n=500, shares=(0.5, 0.5), discordant=discordant, won=0.5 - 0.05 / discordant)
    # The 50 rows lost are won by the 300 rows of each of the others.
    gain = 50 / (300 * (slices - 1))
    other = Cells(n=300, shares=(0.5, 0.5), discordant=0.06, won=0.5 + gain / 0.12)
    runs = (100 if slices <= 100 else 15) * times
    found = 0
    for _ in range(runs):
        cells = {f"s={place}": each for place, each in enumerate(other.draw(rng, slices - 1))}
        cells["bad"] = next(iter(bad.draw(rng, 1)))
        worst = searched(cells)
        found += worst.first == "bad" and "bad" in worst.worse
    _, high = said(f"found among {slices}, {discordant:.0%} discordant", found, runs)
    assert high >= least


@pytest.mark.parametrize("times", REPEATS)
def test_a_crossing_ten_points_worse_is_found_among_its_parents(times: int) -> None:
    """5 × 19 values of two columns: 95 crossings and 24 columns' slices, 500 rows of each pair."""
    rng = np.random.default_rng(32)
    bad = Cells(n=500, shares=(0.5, 0.5), discordant=0.16, won=0.5 - 0.05 / 0.16)
    other = Cells(n=500, shares=(0.5, 0.5), discordant=0.06, won=0.5 + 0.1 / 94 / 0.12)
    runs, found, shown = 60 * times, 0, 0
    for _ in range(runs):
        drawn = [*bad.draw(rng, 1), *other.draw(rng, 94)]
        pairs = {(place // 19, place % 19): each for place, each in enumerate(drawn)}
        cells = {f"a={a} & b={b}": each for (a, b), each in pairs.items()}
        for name, axis, count in (("a", 0, 5), ("b", 1, 19)):
            for value in range(count):
                cells[f"{name}={value}"] = together(
                    [each for key, each in pairs.items() if key[axis] == value]
                )
        worst = searched(cells)
        found += "a=0 & b=0" in worst.worse
        shown += "a=0 & b=0" in worst.worse and worst.first == "a=0 & b=0"
    said("the crossing is worse", found, runs)
    _, high = said("and is the one shown", shown, runs)
    assert high >= 0.95


def together(parts: list[PairedCells]) -> PairedCells:
    names = ("label", "base", "head", "count")
    arrays = (np.concatenate([getattr(each, name) for each in parts]) for name in names)
    return PairedCells.from_arrays(*arrays, classes=2)


def cells_of(metric: str, world: Cells, slices: int) -> Draw:
    name, average = METRICS[metric]
    confidence = corrected_confidence(0.95, slices)

    def draw(rng: np.random.Generator) -> Mapping[str, Estimate]:
        return {
            str(place): compare_cells(
                each, name, average=average, positive=1, confidence=confidence
            )
            for place, each in enumerate(world.draw(rng, slices))
        }

    return draw


def errors_of(n: int, changed: float, slices: int) -> Draw:
    """Absolute errors, a share of them drawn anew by the head."""
    confidence = corrected_confidence(0.95, slices)

    def draw(rng: np.random.Generator) -> Mapping[str, Estimate]:
        base = np.abs(rng.normal(size=(slices, n)))
        anew = np.abs(rng.normal(size=(slices, n)))
        head = np.where(rng.random((slices, n)) < changed, anew, base)
        return {
            str(place): mean_difference(
                JointMoments.from_sides(base[place], head[place]),
                greater_is_better=False,
                lowest=0.0,
                confidence=confidence,
            )
            for place in range(slices)
        }

    return draw


def world(n: int, discordant: float) -> Cells:
    return Cells(n=n, shares=(0.5, 0.5), discordant=discordant, won=0.5)


EQUAL = {
    **{
        f"{metric}, {slices} slices of {n} rows, {discordant:.0%} discordant": (
            cells_of(metric, world(n, discordant), slices),
            slices,
        )
        for metric, slices, n, discordant in (
            ("accuracy", 20, 100, 0.06),
            ("accuracy", 100, 100, 0.2),
            ("accuracy", 100, 500, 0.06),
            ("accuracy", 1000, 100, 0.2),
            ("recall", 100, 200, 0.2),
            ("f1", 100, 100, 0.2),
            ("f1", 100, 500, 0.06),
            ("mcc", 100, 100, 0.2),
            ("balanced_accuracy", 100, 100, 0.2),
        )
    },
    **{
        f"mean error, {slices} slices of {n} rows, {changed:.0%} changed": (
            errors_of(n, changed, slices),
            slices,
        )
        for slices, n, changed in ((100, 100, 1.0), (100, 100, 0.2), (100, 500, 0.06))
    },
}


@pytest.mark.parametrize("times", REPEATS)
@pytest.mark.parametrize("case", EQUAL)
def test_equal_models_have_no_worst_slice(
    case: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One-sided 2.5 % over the whole search, for either side."""
    draw, slices = EQUAL[case]
    if not case.startswith(("accuracy", "recall")):
        # These p-values invert the interval and can only repeat what it says.
        monkeypatch.setattr(estimates, "inverted_p", lambda _: 0.0)
    rng = np.random.default_rng(33)
    confidence = corrected_confidence(0.95, slices)
    runs = max(10, 6000 // slices) * times
    alarms = sum(bool(worst_of(draw(rng), confidence).worse) for _ in range(runs))
    low, _ = said(case, alarms, runs)
    assert low <= 0.025


@pytest.mark.parametrize("times", REPEATS)
def test_equal_models_are_seldom_worse_in_a_whole_config(times: int) -> None:
    """5 metrics on all rows and 20 slices, all blocking, and the search over all of them."""
    rng = np.random.default_rng(34)
    part = Cells(n=250, shares=(0.7, 0.3), discordant=0.1, won=0.5)
    gates = {metric: Gate(margin=0.01, slices=Severity.BLOCK) for metric in METRICS}
    confidence = corrected_confidence(0.95, 20 + 9)
    runs, alarms = 30 * times, 0
    for _ in range(runs):
        crossings = {divmod(place, 5): each for place, each in enumerate(part.draw(rng, 20))}
        cells = {f"a={a} & b={b}": each for (a, b), each in crossings.items()}
        columns = {
            f"{name}={value}": together([e for key, e in crossings.items() if key[axis] == value])
            for name, axis, count in (("a", 0, 4), ("b", 1, 5))
            for value in range(count)
        }
        whole = {"all": together(list(cells.values()))}
        found = tuple(
            measured(each, metric, where)
            for where, each in {**whole, **cells}.items()
            for metric in METRICS
        )
        looked_at = {
            where: accuracy(each, confidence) for where, each in {**columns, **cells}.items()
        }
        worst = worst_of(looked_at, confidence)
        assert worst.first is not None
        shown = looked_at[worst.first]
        assert shown.interval is not None
        search = SliceSearch(
            metric="accuracy",
            depth=2,
            min_rows=100,
            searched=len(looked_at),
            confidence=confidence,
            worst=measured({**columns, **cells}[worst.first], "accuracy", worst.first).model_copy(
                update={"interval": (shown.interval.low, shown.interval.high)}
            ),
        )
        verdict = decide_comparison(
            Comparison(model="m", measurements=found, worst_slice=search), gates=gates
        )
        alarms += any(rule.state is State.WORSE for rule in verdict.rules)
    low, _ = said("any worse in the config", alarms, runs)
    assert low <= 0.05
