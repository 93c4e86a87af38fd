"""Columns, task, join and slices of two prediction files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.config import Columns, Slice
from assay.tables.predictions_groups import Extent
from support.paired import paired, refusal, two
from support.predictions import binary


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_one_content_in_any_format_gives_one_result(tmp_path: Path, suffix: str) -> None:
    found = paired(tmp_path, binary(200), suffix)
    assert (found["task"], found["classes"], found["positive"]) == ("binary", ("0", "1"), "1")
    base, head = binary(200)
    assert found["right"] == int((head["y_pred"] == base["y_true"]).sum())


@pytest.mark.parametrize(
    ("columns", "task", "positive"),
    [
        ({"y_true": [0, 1, 1], "y_pred": [0, 1, 0]}, "binary", "1"),
        ({"LABEL": [0.0, 1.0, 1.0], "Prediction": [0, 1, 0]}, "binary", "1"),
        ({"target": [True, False, True], "pred": [1, 0, 1]}, "binary", "1"),
        ({"target": [True, False, True], "pred": ["True", "False", "True"]}, "binary", "true"),
        ({"label": ["no", "yes", "no"], "score": [0.1, 0.8, 0.3]}, "binary", "yes"),
        ({"label": ["ham", "spam", "ham"], "y_pred": ["ham", "ham", "spam"]}, "binary", "spam"),
        ({"label": [-1, 1, 1], "y_pred": [1, 1, -1]}, "binary", "1"),
        ({"y_true": [0, 1, 1], "y_pred": [0.2, 0.7, 0.9]}, "binary", "1"),
        ({"label": ["a", "b", "c"], "y_pred": ["a", "b", "b"]}, "multiclass", None),
        ({"label": [3, 1, 2], "y_pred": [3, 3, 2]}, "multiclass", None),
        ({"y_true": [0.5, 1.5, 2.0], "y_pred": [1, 2, 3]}, "regression", None),
        ({"y_true": [5, 6, 7], "y_pred": [5.5, 6.1, 7.2]}, "regression", None),
        ({"grade": [4, 5, 3]}, "score", None),
        ({"score": [0.4, 0.5, 0.3], "note": ["x", "y", "z"]}, "score", None),
        ({"label": ["A", "B", "A"], "p_A": [0.9, 0.4, 0.7], "p_B": [0.1, 0.6, 0.3]},
         "binary", "B"),
        ({"label": [0, 1, 0], "y_pred": [0, 1, 1], "p_value": [9, 8, 7], "p_x": [1, 2, 3]},
         "binary", "1"),
    ],
)  # fmt: skip
def test_the_task_is_inferred(
    tmp_path: Path, columns: dict[str, Any], task: str, positive: str | None
) -> None:
    found = paired(tmp_path, two(id=[1, 2, 3], **columns), means=None)
    assert (found["task"], found["positive"]) == (task, positive)


def test_named_columns_win_over_usual_ones(tmp_path: Path) -> None:
    columns = {"id": [1, 1, 1], "key": ["a", "b", "c"], "y_true": [9, 9, 9], "truth": [0, 1, 1],
               "guess": [0, 1, 0], "good": [0, 0, 1]}  # fmt: skip
    names = Columns(id="key", label="truth", prediction="guess", positive=0)
    found = paired(tmp_path, two(**columns), names=names)
    assert (found["right"], found["positive"]) == (2, "0")


def test_the_positive_class_may_be_written_as_the_file_does(tmp_path: Path) -> None:
    columns = {"id": [1, 2], "label": [True, False], "prediction": [True, True]}
    assert paired(tmp_path, two(**columns), names=Columns(positive="False"))["positive"] == "false"
    assert paired(tmp_path, two(**columns), names=Columns(positive=True))["positive"] == "true"


def test_the_largest_of_many_values_are_listed(tmp_path: Path) -> None:
    rows = 300
    columns = {"id": np.arange(rows), "y_true": np.arange(rows) % 2, "y_pred": np.zeros(rows, int),
               "city": [f"c{i % 150}" for i in range(rows)]}  # fmt: skip
    found = paired(tmp_path, two(**columns), slices=(Slice(column="city"),), extent=Extent(least=3))
    assert len(found["slices"]) == 101
    assert "'city' has 150 values; the 100" in found["notes"]
    assert "others are not measured" in found["notes"]
    extent = Extent(least=2, depth=1)
    found = paired(tmp_path, two(**columns), slices=(Slice(column="city"),), extent=extent)
    assert "others are searched for the worst" in found["notes"]


def test_missing_slice_values_are_a_slice_of_their_own(tmp_path: Path) -> None:
    base = {"id": [1, 2, 3, 4], "y_true": [0, 1, 1, 0], "y_pred": [0, 1, 1, 1],
            "place": ["x", None, "missing", None],
            "age": [1.0, None, float("nan"), 50.0]}  # fmt: skip
    slices = (Slice(column="place"), Slice(column="age", bins=(18.0, 40.0)))
    found = paired(tmp_path, (base, base), slices=slices)["slices"]
    assert found == {
        "all": 4, "place=missing": 2, "place='missing'": 1, "place=x": 1,
        "age=below 18": 1, "age=40 and above": 1, "age=missing": 2,
    }  # fmt: skip


def test_a_slice_column_may_lie_in_either_file_and_the_heads_wins(tmp_path: Path) -> None:
    base, head = binary(100)
    del head["region"], base["age"]
    slices = (Slice(column="region"), Slice(column="age", bins=(40.0,)))
    found = paired(tmp_path, (base, head), slices=slices)
    north = int((base["region"] == "north").sum())
    assert found["slices"]["region=north"] == north
    head["region"] = np.where(np.arange(100) < 7, "east", base["region"])
    found = paired(tmp_path, (base, head), slices=slices)
    assert found["slices"]["region=east"] == 7
    assert "'region' differs between base and head in 7 rows" in found["notes"]


def test_rows_on_one_side_only_are_counted(tmp_path: Path) -> None:
    base, head = binary(50)
    base = {name: values[:45] for name, values in base.items()}
    head = {name: values[3:] for name, values in head.items()}
    joined = paired(tmp_path, (base, head))["joined"]
    assert (joined.rows, joined.base_only, joined.head_only) == (42, 3, 5)
    assert joined.base_only_examples == ("0", "1", "2")
    assert joined.head_only_examples == ("45", "46", "47", "48", "49")


def test_ids_and_labels_of_other_types_are_matched_and_noted(tmp_path: Path) -> None:
    base, head = binary(80)
    base = {**base, "id": base["id"].astype(str), "y_true": base["y_true"].astype(str)}
    head = {**head, "y_true": head["y_true"].astype(float)}
    found = paired(tmp_path, (base, head))
    assert (found["joined"].rows, found["changed"]) == (80, 0)
    assert "The id is text on the base and integer on the head" in found["notes"]
    assert "The label is text on the base and float on the head" in found["notes"]


def test_changed_labels_are_counted(tmp_path: Path) -> None:
    base, head = binary(80)
    base = {**base, "y_true": np.where(np.arange(80) < 4, 1 - base["y_true"], base["y_true"])}
    assert paired(tmp_path, (base, head))["changed"] == 4


def test_labels_of_another_target_are_refused(tmp_path: Path) -> None:
    base, head = binary(80)
    recoded = {**head, "y_true": np.where(head["y_true"] == 1, "yes", "no"),
               "y_pred": np.where(head["y_pred"] == 1, "yes", "no")}  # fmt: skip
    assert "80 of 80 joined rows have another label" in refusal(tmp_path, (base, recoded))
    half = {**base, "y_true": np.where(np.arange(80) < 40, 1 - base["y_true"], base["y_true"])}
    assert paired(tmp_path, (half, head))["changed"] == 40


def test_measured_labels_may_be_rounded_and_not_rescaled(tmp_path: Path) -> None:
    price = np.exp(np.random.default_rng(5).normal(3, 1, 80))
    head = {"id": np.arange(80), "y_true": price, "y_pred": price + 1}
    base = {**head, "y_true": price.astype(np.float32)}
    assert paired(tmp_path, (base, head))["changed"] == 0
    assert paired(tmp_path, ({**head, "y_true": price.round(1)}, head))["changed"] == 80
    assert "another label on the base" in refusal(
        tmp_path, ({**head, "y_true": np.log(price)}, head)
    )


def test_without_ids_rows_join_by_position_where_labels_agree(tmp_path: Path) -> None:
    base, head = binary(80)
    del base["id"], head["id"]
    found = paired(tmp_path, (base, head))
    assert (found["joined"].by, found["joined"].rows) == ("position", 80)
    assert found["right"] == int((head["y_pred"] == base["y_true"]).sum())
    other = {**base, "y_true": 1 - base["y_true"]}
    assert "80 of 80 rows at the same position" in refusal(tmp_path, (other, head))
    short = {name: values[:70] for name, values in base.items()}
    assert "the base has 70 rows where the head has 80" in refusal(tmp_path, (short, head))


def test_identical_predictions_are_seen(tmp_path: Path) -> None:
    base, head = binary(80)
    assert paired(tmp_path, (base, base))["identical"]
    assert not paired(tmp_path, (base, head))["identical"]


def test_hostile_names_are_columns_like_any_other(tmp_path: Path) -> None:
    id_, label, guess, slice_ = 'i"d', "y'); DROP TABLE base; --", "p\nq", "${{ x }} <b>"
    columns = {id_: [1, 2, 3], label: [0, 1, 1], guess: [0, 1, 0], slice_: ["'", '"', "\n;"]}
    found = paired(
        tmp_path,
        two(**columns),
        names=Columns(id=id_, label=label, prediction=guess),
        slices=(Slice(column=slice_),),
    )
    assert found["right"] == 2
    assert found["slices"][f"{slice_}='"] == 1
