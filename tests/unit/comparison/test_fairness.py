"""Gaps between groups at the comparison's door."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.comparison import Asked
from assay.config import Columns as Roles
from assay.config import Gate, Slice, Task
from assay.errors import InputError
from assay.evidence import State
from assay.report.fairness import group_rates
from assay.verdict import decide_comparison
from support.compared import compared, measured
from support.predictions import binary, multiclass

PARITY, OPPORTUNITY = "demographic_parity:region", "equal_opportunity:region"


def test_gaps_are_those_of_the_rows(tmp_path: Path) -> None:
    base, head = binary(2000)
    found = compared(tmp_path, base, head, Asked(report=(PARITY, OPPORTUNITY)))
    north, label = base["region"] == "north", base["y_true"] == 1
    for side, name in ((base, "base"), (head, "head")):
        said = side["y_pred"]
        parity = abs(said[north].mean() - said[~north].mean())
        opportunity = abs(said[north & label].mean() - said[~north & label].mean())
        assert getattr(measured(found, PARITY), name) == pytest.approx(parity)
        assert getattr(measured(found, OPPORTUNITY), name) == pytest.approx(opportunity)
    # The column was counted for the gap alone: nobody asked for its slices.
    assert {m.slice for m in found.measurements} == {"all"}
    assert [(rate.metric, rate.group) for rate in found.groups] == [
        (PARITY, "region=north"),
        (PARITY, "region=south"),
        (OPPORTUNITY, "region=north"),
        (OPPORTUNITY, "region=south"),
    ]
    assert "region=south" in group_rates(found)


def test_a_gate_on_a_gap_blocks_a_head_that_widens_it(tmp_path: Path) -> None:
    base, _ = binary(4000)
    head = dict(base)
    rng = np.random.default_rng(5)
    flipped = (base["region"] == "south") & (base["y_pred"] == 1) & (rng.random(4000) < 0.3)
    head["y_pred"] = np.where(flipped, 0, base["y_pred"])
    gates = {OPPORTUNITY: Gate(margin=0.02)}
    verdict = decide_comparison(compared(tmp_path, base, head, Asked(gates=gates)), gates=gates)
    assert verdict.rules[0].state is State.WORSE
    assert "the gap of true positive rates over region is worse" in verdict.sentence.lower()
    assert verdict.rules[0].higher_is_better is False


def test_bins_that_are_listed_make_the_groups(tmp_path: Path) -> None:
    base, head = binary(1500)
    asked = Asked(
        report=("demographic_parity:age",), slices=(Slice(column="age", bins=(40.0, 55.0)),)
    )
    found = compared(tmp_path, base, head, asked)
    assert {rate.group for rate in found.groups} == {
        "age=below 40",
        "age=40 to below 55",
        "age=55 and above",
    }
    assert not any(
        m.metric.startswith("demographic") and m.slice != "all" for m in found.measurements
    )


def test_small_groups_and_missing_values_are_shown_and_take_no_part(tmp_path: Path) -> None:
    base, head = binary(1000)
    region = base["region"].astype(object)
    region[:10] = "tiny"
    region[10:110] = None
    base["region"] = head["region"] = region
    found = compared(tmp_path, base, head, Asked(report=(PARITY,)))
    judged = {rate.group: rate.judged for rate in found.groups}
    assert judged == {
        "region=north": True,
        "region=south": True,
        "region=missing": False,
        "region=tiny": False,
    }
    assert "left out of the gap" in group_rates(found)


def test_one_group_is_not_measured(tmp_path: Path) -> None:
    base, head = binary(500)
    base["region"] = head["region"] = np.full(500, "north")
    found = compared(tmp_path, base, head, Asked(gates={PARITY: Gate(margin=0.1)}))
    assert measured(found, PARITY).undefined == "fewer than two groups have 30 rows"
    verdict = decide_comparison(found, gates={PARITY: Gate(margin=0.1)})
    assert verdict.rules[0].state is State.NOT_MEASURED
    assert verdict.state.value == "fail"


def test_a_column_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    base, head = binary(100)
    with pytest.raises(InputError, match="no column 'sex'"):
        compared(tmp_path, base, head, Asked(report=("demographic_parity:sex",)))


def test_other_tasks_have_no_gap(tmp_path: Path) -> None:
    base, head = multiclass(300)
    base["g"] = head["g"] = np.repeat(["a", "b"], 150)
    found = compared(tmp_path, base, head, Asked(report=("demographic_parity:g", "accuracy")))
    assert "not defined for the task multiclass" in (
        measured(found, "demographic_parity:g").undefined or ""
    )
    assert found.task is Task.MULTICLASS
    assert found.groups == ()


def drawn(rows: int = 2000) -> tuple[dict[str, Any], dict[str, Any]]:
    """Weighted rows of 80 patients, of whom most have rows in both regions."""
    base, head = binary(rows)
    rng = np.random.default_rng(12)
    more = {"patient": np.arange(rows) % 80, "w": np.round(rng.gamma(2.0, 1.0, rows), 3)}
    more["w"][:30] = 0
    return {**base, **more}, {**head, **more}


DRAWN = Roles(entity="patient", weight="w")


def test_gaps_of_weighted_and_clustered_rows_are_judged(tmp_path: Path) -> None:
    base, head = drawn()
    gates = {PARITY: Gate(relative_margin=0.2)}
    asked = Asked(gates=gates, report=(OPPORTUNITY, "accuracy"), columns=DRAWN)
    found = compared(tmp_path, base, head, asked)
    north, label = base["region"] == "north", base["y_true"] == 1
    for side, name in ((base, "base"), (head, "head")):
        for metric, counted in ((PARITY, label | True), (OPPORTUNITY, label)):
            rates = [
                np.average(side["y_pred"][rows], weights=base["w"][rows])
                for rows in (north & counted, ~north & counted)
            ]
            here = measured(found, metric)
            assert getattr(here, name) == pytest.approx(abs(rates[0] - rates[1]), rel=1e-9)
            assert here.interval is not None
            assert here.clusters == 80
            kish = base["w"].sum() ** 2 / (base["w"] ** 2).sum()
            assert here.effective_n == pytest.approx(kish, abs=0.1)
            shown = [rate for rate in found.groups if rate.metric == metric]
            assert [getattr(rate, name) for rate in shown] == pytest.approx(rates)
            assert all(rate.interval[0] < rate.head < rate.interval[1] for rate in shown)
    relative = next(m for m in found.measurements if m.metric == PARITY and m.base_weight != 1)
    assert relative.difference == pytest.approx(1.2 * (relative.base or 0) - (relative.head or 0))
    assert {m.slice for m in found.measurements} == {"all"}


def test_the_order_of_drawn_rows_has_no_effect_and_the_gap_is_on_every_slice_of_others(
    tmp_path: Path,
) -> None:
    base, head = drawn()
    asked = Asked(
        report=(PARITY, "calibration_error"),
        columns=DRAWN,
        slices=(Slice(column="age", bins=(45.0,)),),
    )
    order = np.random.default_rng(4).permutation(2000)
    (tmp_path / "moved").mkdir()
    there = compared(tmp_path, base, head, asked)
    moved = {name: values[order] for name, values in head.items()}
    back = compared(tmp_path / "moved", base, moved, asked)
    assert there.measurements == back.measurements
    assert there.groups == back.groups
    sliced = {m.slice for m in there.measurements if m.metric == "calibration_error"}
    assert sliced == {"all", "age=below 45", "age=45 and above"}


def test_groups_that_are_left_out_are_shown_where_rows_are_drawn(tmp_path: Path) -> None:
    base, head = drawn()
    region = base["region"].astype(object)
    region[100:110] = "tiny"
    region[110:210] = None
    base["region"] = head["region"] = region
    found = compared(tmp_path, base, head, Asked(report=(PARITY,), columns=DRAWN))
    assert {rate.group: rate.judged for rate in found.groups} == {
        "region=north": True,
        "region=south": True,
        "region=missing": False,
        "region=tiny": False,
    }
    base["region"] = head["region"] = np.full(2000, "north")
    (tmp_path / "one").mkdir()
    alone = compared(tmp_path / "one", base, head, Asked(report=(PARITY,), columns=DRAWN))
    assert measured(alone, PARITY).undefined == "fewer than two groups have 30 effective rows"
