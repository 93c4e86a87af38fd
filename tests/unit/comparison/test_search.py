"""The search for the worst slice, from two files to the comparison and the verdict."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.config import Cross, Gate, Severity, Slice, WorstSlice
from assay.evidence import SliceSearch, State
from assay.stats.cells import PairedCells
from assay.stats.classification import compare_cells
from assay.verdict import decide_comparison
from support.compared import compared as compared_as

GATES = {"accuracy": Gate(margin=0.01)}
ROWS = 4000
PLAN_AND_AGE = (Slice(column="plan"), Slice(column="age", bins=(30.0, 60.0)))
compared = partial(compared_as, gates=GATES, slices=PLAN_AND_AGE)


def sides(*, hurt: bool = True, rows: int = ROWS) -> tuple[dict[str, Any], dict[str, Any]]:
    """Equally good models; with `hurt` worse where the plan is a and the age 30 to 60."""
    random = np.random.default_rng(41)
    label = random.integers(0, 2, rows)
    plan, age = np.array(list("abcd"))[random.integers(0, 4, rows)], random.integers(18, 90, rows)
    bad = (plan == "a") & (age >= 30) & (age < 60) & hurt
    base = random.random(rows) < 0.85
    changed = random.random(rows) < np.where(bad, 0.2, 0.05)
    won = np.where(bad, 0.05, 0.7 if hurt else 0.5)
    head = np.where(changed, random.random(rows) < won, base)
    base = np.where(changed, ~head, base)
    shared = {"id": np.arange(rows), "y_true": label, "plan": plan, "age": age}
    answers = (np.where(right, label, 1 - label) for right in (base, head))
    left, right = ({**shared, "y_pred": answer} for answer in answers)
    return left, right


def searched(folder: Path, pair: Any, **asked: Any) -> SliceSearch:
    found = compared(folder, *pair, **asked).worst_slice
    assert found is not None
    return found


def test_the_worst_is_found_in_a_crossing_that_nobody_declared(tmp_path: Path) -> None:
    base, head = sides()
    found = compared(tmp_path, base, head)
    search = found.worst_slice
    assert search is not None
    assert (search.metric, search.searched) == ("accuracy", 4 + 3 + 12)
    assert search.confidence == pytest.approx(1 - 0.05 / 19)
    worst = search.worst
    assert worst is not None
    assert worst.slice == "plan=a & age=30 to below 60"
    assert "plan=a & age=30 to below 60" not in {each.slice for each in found.measurements}
    assert "plan=a" in {each.slice for each in search.others}
    mask = (base["plan"] == "a") & (base["age"] >= 30) & (base["age"] < 60)
    cells = PairedCells.from_rows(
        base["y_true"][mask], base["y_pred"][mask], head["y_pred"][mask], classes=2
    )
    alone = compare_cells(cells, "accuracy", confidence=1 - 0.05 / 19)
    assert alone.interval is not None
    assert worst.interval == pytest.approx((alone.interval.low, alone.interval.high))
    assert worst.p_worse == pytest.approx(alone.p_worse)


def test_a_worst_slice_warns_unless_it_is_told_to_block(tmp_path: Path) -> None:
    found = compared(tmp_path, *sides())
    for severity, state in (("warn", "warn"), ("block", "fail")):
        verdict = decide_comparison(found, gates=GATES, worst_slice=Severity(severity))
        (rule,) = (rule for rule in verdict.rules if rule.searched is not None)
        assert (rule.state, rule.severity, rule.searched) == (State.WORSE, severity, 19)
        assert rule.p_adjusted == pytest.approx(19 * (rule.p_worse or 0.0))
        assert verdict.state == state
    verdict = decide_comparison(found, gates=GATES, worst_slice=Severity.OFF)
    assert not [rule for rule in verdict.rules if rule.searched is not None]


def test_the_sentence_says_that_slices_were_searched(tmp_path: Path) -> None:
    base, head = sides()
    found = compared(tmp_path, base, head, slices=(Slice(column="age", bins=3),))
    bare = found.model_copy(
        update={"measurements": tuple(m for m in found.measurements if m.slice == "all")}
    )
    assert bare.worst_slice is not None
    verdict = decide_comparison(bare, gates=GATES)
    (rule,) = (rule for rule in verdict.rules if rule.searched is not None)
    assert f"in {rule.slice} (the worst of 3 slices searched) is worse" in verdict.sentence
    assert "(95 % interval" in verdict.sentence
    assert "all slices counted" in verdict.sentence


def test_equal_models_have_a_worst_slice_that_does_nothing(tmp_path: Path) -> None:
    found = compared(tmp_path, *sides(hurt=False))
    assert found.worst_slice is not None
    assert found.worst_slice.others_worse == 0
    verdict = decide_comparison(found, gates=GATES)
    (rule,) = (rule for rule in verdict.rules if rule.searched is not None)
    assert (rule.state, rule.severity) in {
        (State.INCONCLUSIVE, Severity.OFF), (State.NO_WORSE, Severity.OFF),
    }  # fmt: skip


def test_the_search_leaves_the_other_corrections_alone(tmp_path: Path) -> None:
    found = compared(tmp_path, *sides())
    without = found.model_copy(update={"worst_slice": None})
    rules = [rule for rule in decide_comparison(found, gates=GATES).rules if not rule.searched]
    assert [rule.p_adjusted for rule in rules] == [
        rule.p_adjusted for rule in decide_comparison(without, gates=GATES).rules
    ]


def test_rows_alone_decide_which_slices_are_searched(tmp_path: Path) -> None:
    base, head = sides()
    # One plan lies within one region, so that the two have a crossing with the same rows.
    region = np.where(base["plan"] == "a", "north", "south")
    constant = np.full(ROWS, "x")
    pair = tuple({**side, "region": region, "constant": constant} for side in (base, head))
    slices = tuple(Slice(column=name) for name in ("plan", "region", "constant"))
    search = searched(tmp_path, pair, slices=slices)
    # Four plans and two regions: north has plan a's rows, which are searched once each.
    assert search.searched == 4 + 2
    assert searched(tmp_path, pair, slices=slices[1:]).searched == 2
    large = WorstSlice(min_rows=1000)
    assert searched(tmp_path, pair, slices=slices[:1], worst_slice=large).searched == 2


def test_depth_metric_and_rows_are_configured(tmp_path: Path) -> None:
    pair = sides()
    assert searched(tmp_path, pair, worst_slice=WorstSlice(depth=1)).searched == 7
    declared = (*PLAN_AND_AGE, Cross(cross=("plan", "age")))
    shallow = WorstSlice(depth=1, metric="f1")
    search = searched(tmp_path, pair, slices=declared, worst_slice=shallow)
    assert (search.searched, search.metric) == (19, "f1")
    assert compared(tmp_path, *pair, slices=()).worst_slice is None
    off = WorstSlice(severity=Severity.OFF)
    assert compared(tmp_path, *pair, worst_slice=off).worst_slice is None


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"worst_slice": WorstSlice(metric="roc_auc")}, "no probabilities on both sides"),
        ({"worst_slice": WorstSlice(min_rows=3000)}, "no slice has at least 3,000 rows"),
        ({"gates": {}, "report": ("roc_auc",)}, "no metric here is quick"),
    ],
)
def test_a_search_that_finds_nothing_to_judge_says_why(
    tmp_path: Path, asked: Any, words: str
) -> None:
    search = searched(tmp_path, sides(), **asked)
    assert search.worst is None
    assert words in (search.reason or "")


def test_an_identical_model_is_not_searched(tmp_path: Path) -> None:
    base, _ = sides()
    found = compared(tmp_path, base, base, base_model="d", head_model="d")
    assert found.worst_slice is None
    copy = searched(tmp_path, (base, base))
    assert copy.worst is not None
    assert copy.others_worse == 0


def test_regression_and_scores_are_searched_by_their_first_mean(tmp_path: Path) -> None:
    base, _ = sides()
    random = np.random.default_rng(42)
    error = np.where(base["plan"] == "b", 0.4, 0.0)
    pair = tuple(
        {"id": base["id"], "plan": base["plan"], "grade": random.normal(size=ROWS) - loss}
        for loss in (0.0, error)
    )
    search = searched(
        tmp_path, pair, gates={"mean:grade": Gate(margin=0.1)}, slices=(Slice(column="plan"),),
    )  # fmt: skip
    assert (search.metric, search.worst.slice) == ("mean:grade", "plan=b")  # type: ignore[union-attr]


def test_a_gap_between_groups_is_not_searched(tmp_path: Path) -> None:
    """It compares all rows' groups: in a slice it would be the same number again."""
    gap = "demographic_parity:plan"
    gates = {gap: Gate(margin=0.1), "accuracy": Gate(margin=0.01)}
    assert searched(tmp_path, sides(), gates=gates).metric == "accuracy"
    named = searched(tmp_path, sides(), gates=gates, worst_slice=WorstSlice(metric=gap))
    assert named.reason == f"{gap} compares groups, and has no value in a slice"
