"""How often does drift cry wolf in a quiet year, and does it cry at all?"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2_contingency, ks_2samp

from assay.evidence.monitoring import Reference
from assay.monitoring.cells import confirming_p, effects_of, pooled, to_cells
from honesty.quiet_effects import Side, effects, p_values, thresholds_of
from honesty.quiet_part import MOST, OURS, RULES, USUAL, WATCHED, interval, quiet_years, seen
from honesty.quiet_screen import WEEK
from honesty.quiet_traffic import RULE, World, quiet
from honesty.quiet_years import alarms, counted
from honesty.resumed import Runner
from honesty.simple_ways import WAYS, begun, kolmogorov_smirnov

pytestmark = pytest.mark.honesty


def test_a_quiet_quarter_makes_no_alarm() -> None:
    """Every hour of 13 weeks, 30 features."""
    assert alarms(quiet(1, USUAL, hours=13 * WEEK)) == []


def test_a_change_is_seen_within_a_day() -> None:
    """One of 30 features moves by a deviation and a half."""
    hours = seen(3, 1.5, WATCHED)
    assert (hours["the same, `drift` of 0.23"] or 99) <= (hours[OURS] or 99) <= 24


@pytest.mark.timeout(900)
def test_looks_that_are_passed_over_find_nothing() -> None:
    """Where days are so restless that there are many alarms, they are the same ones."""
    world = World(name="wild", restless=0.35, weeks=0.2)
    traffic = quiet(2, world, hours=4 * WEEK + 40)
    some = traffic.columns[::4]
    reference = Reference(model="quiet", columns=tuple(each.reference for each in some))
    traffic = replace(traffic, columns=some, reference=reference)
    rule = RULES[0.23]
    found = alarms(traffic, rule=rule)
    assert len(found) > 5
    assert {against for one in found for against in one.against} == {"reference", "same hours"}
    assert found == alarms(traffic, every_look=True, rule=rule)


def test_p_values_are_the_look_s_own() -> None:
    traffic = quiet(4, USUAL, hours=3 * WEEK)
    for column in traffic.columns:
        for at in (WEEK + 3, WEEK + 15):
            before, now = counted(column, at - 30, at), counted(column, at, at + 2)
            cells = to_cells(column.reference, before, now)
            assert cells is not None
            (p,) = p_values(cells.before[None, :], cells.now[None, :])
            assert p == pytest.approx(confirming_p(cells), rel=1e-9)
    table = np.array([[30.0, 40, 50], [45, 30, 44]])
    assert p_values(table[:1], table[1:])[0] == pytest.approx(
        chi2_contingency(table, correction=False).pvalue
    )


def test_effects_of_many_are_those_of_each() -> None:
    """Of each kind of column, hours beside earlier hours of which a cell may be empty."""
    traffic = quiet(5, World(name="few rows", rows=60.0), hours=2 * WEEK)
    assert thresholds_of(RULE).keys() == {
        effect.name
        for column in traffic.columns
        if (cells := to_cells(column.reference, counted(column, 0, 9), counted(column, 9, 18)))
        for effect in effects_of(cells, RULE)
    }
    for place in (0, 1, 22, 25, 30, 31):
        column = traffic.columns[place]
        whole = Side(counts=column.counts.astype(np.float64), totals=column.totals)
        found = effects(column.reference, whole[:WEEK] + whole[1 : WEEK + 1], whole[WEEK:])
        for at in range(0, WEEK, 7):
            before = pooled([counted(column, each, each + 1) for each in (at, at + 1)])
            cells = to_cells(column.reference, before, counted(column, WEEK + at, WEEK + at + 1))
            assert cells is not None
            own = {effect.name: effect.value for effect in effects_of(cells, RULE)}
            assert own.keys() == found.keys()
            for name, value in own.items():
                assert found[name][at] == pytest.approx(value, rel=1e-5, abs=1e-9)


def test_simple_ways_are_the_usual_ones() -> None:
    """Of two months, half of whose days are nights and weekends unlike the test set's mean."""
    traffic = quiet(6, USUAL, hours=8 * WEEK)
    column = traffic.columns[0]
    whole = Side(counts=column.counts.astype(np.float64), totals=column.totals)
    before, now = whole[:24], whole[24:48]
    for at, p in enumerate(kolmogorov_smirnov(before, now)):
        first, second = before.counts[at, :-1], now.counts[at, :-1]
        values = np.arange(first.size)
        rows = [np.repeat(values, side.astype(int)) for side in (first, second)]
        assert p == pytest.approx(ks_2samp(*rows, method="asymp").pvalue, rel=0.2, abs=1e-6)
    counts = {way.name: begun(traffic, way) for way in WAYS}
    assert list(counts.values())[2] > 100


def test_runs_go_on_where_they_stopped(tmp_path: Path) -> None:
    """What is kept is not run again, and comes back as it was."""
    with ProcessPoolExecutor(1) as pool:
        runner = Runner(pool=pool, state=tmp_path / "runs.jsonl")
        assert runner.each(divmod, [(7, 2), (9, 4)]) == [[3, 1], [2, 1]]
        kept = runner.state.read_text(encoding="utf-8") if runner.state else ""
        (tmp_path / "runs.jsonl").write_text(kept.replace("[3, 1]", "[0, 0]"), encoding="utf-8")
        assert runner.each(divmod, [(7, 2), (8, 3)]) == [[0, 0], [2, 2]]


@pytest.mark.heavy
@pytest.mark.timeout(7_200)
def test_quiet_years() -> None:
    """20 years of hourly looks: at most one false alarm a year, as a bound."""
    with ProcessPoolExecutor(2) as pool:
        found = quiet_years(Runner(pool=pool), USUAL, 20)
    assert interval(sum(found.alarms), 20)[1] <= MOST
