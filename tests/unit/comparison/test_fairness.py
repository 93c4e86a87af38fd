"""Gaps between groups at the comparison's door."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.comparison import Asked, compare
from assay.config import Gate, Slice, Task
from assay.errors import InputError
from assay.evidence import Comparison, Measurement, State
from assay.report.fairness import group_rates
from assay.verdict import decide_comparison
from support.predictions import Columns, binary, multiclass, write_predictions

PARITY, OPPORTUNITY = "demographic_parity:region", "equal_opportunity:region"


def compared(folder: Path, base: Columns, head: Columns, asked: Asked) -> Comparison:
    files = [
        write_predictions(folder / f"{name}.parquet", columns)
        for name, columns in (("base", base), ("head", head))
    ]
    return compare(*files, asked)


def measured(found: Comparison, metric: str) -> Measurement:
    return next(m for m in found.measurements if m.metric == metric and m.slice == "all")


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
