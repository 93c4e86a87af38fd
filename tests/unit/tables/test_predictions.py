"""Columns, task, join and slices of two prediction files; and everything that is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.config import Columns, Slice
from assay.errors import InputError
from assay.tables.predictions import pair
from assay.tables.predictions_counts import joint_cells, slice_rows
from assay.tables.predictions_groups import Extent
from assay.tables.source import open_tables
from support.predictions import binary, multiclass, write_predictions

Sides = tuple[dict[str, Any], dict[str, Any]]


def paired(
    tmp_path: Path, sides: Sides, suffix: str = ".parquet", **options: Any
) -> dict[str, Any]:
    """Facts of the joined rows, collected while the engine is open."""
    files = {
        name: write_predictions(tmp_path / f"{name}{suffix}", columns)
        for name, columns in zip(("base", "head"), sides, strict=True)
    }
    asked = {"names": Columns(), "task": None, **options}
    with open_tables(files) as engine:
        found = pair(engine, **asked)
        cells = joint_cells(found)["all"] if found.inferred.classes else None
        return {
            "task": found.task,
            "classes": found.inferred.classes,
            "positive": found.inferred.positive,
            "joined": found.joined,
            "changed": found.labels_changed,
            "identical": found.identical,
            "notes": " ".join(found.notes),
            "broken": found.broken,
            "unanswered": found.unanswered,
            "slices": slice_rows(found),
            "right": None if cells is None else int(cells.count[cells.label == cells.head].sum()),
            "means": found.means,
        }


def refusal(tmp_path: Path, sides: Sides, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        paired(tmp_path, sides, **options)
    return str(caught.value)


def two(**columns: Any) -> Sides:
    """The same columns on both sides."""
    return dict(columns), dict(columns)


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


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        ([0.5, None, 0.1, 0.2], "missing", "1 rows of the head"),
        ([0.5, float("nan"), 0.1, 0.2], "missing", "missing, infinite or no number"),
        ([0.5, float("inf"), 0.1, 0.2], "missing", "missing, infinite or no number"),
        ([0.5, 1.2, -0.1, 0.2], "outside", "2 rows of the head have probabilities outside 0 to 1"),
    ],
)
def test_unusable_probabilities_are_named(
    tmp_path: Path, values: list[Any], kind: str, words: str
) -> None:
    base = {"id": [1, 2, 3, 4], "y_true": [0, 1, 0, 1], "y_pred": [0, 1, 1, 1],
            "y_score": [0.1, 0.9, 0.4, 0.6]}  # fmt: skip
    found = paired(tmp_path, (base, {**base, "y_score": values}))
    assert words in found["broken"][kind]
    assert found["unanswered"] is None


def test_scores_that_are_no_probabilities_answer_nothing(tmp_path: Path) -> None:
    base = {"id": [1, 2, 3, 4], "y_true": [0, 1, 0, 1], "y_score": [-3.0, 2.0, 0.4, 1.6]}
    assert "no prediction column" in str(paired(tmp_path, (base, base))["unanswered"])


def test_class_probabilities_that_do_not_add_up_are_named(tmp_path: Path) -> None:
    base, head = multiclass(60)
    head["proba_cat"] = np.where(np.arange(60) < 5, 0.9999, head["proba_cat"])
    assert "5 rows of the head" in paired(tmp_path, (base, head))["broken"]["sum"]
    del head["proba_owl"]
    assert "missing" in paired(tmp_path, (base, head))["broken"]["missing"]


LABELS = {"id": [1, 2, 3], "y_true": [0, 1, 1], "y_pred": [0, 1, 0]}
NUMBERS = {"id": [1, 2, 3], "y_true": [0.5, 1.5, 2.5], "y_pred": [0.4, 1.6, 2.5]}
REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], str]] = {
    "repeated ids": (LABELS, {**LABELS, "id": [1, 1, 2]}, {}, "'1' (2 times)"),
    "missing id": (LABELS, {**LABELS, "id": [1, None, 2]}, {}, "empty in 1 of 3 rows"),
    "NaN id": (NUMBERS, {**NUMBERS, "id": [1.0, float("nan"), 2.0]}, {}, "empty in 1 of 3 rows"),
    "id on one side": (
        LABELS, {k: v for k, v in LABELS.items() if k != "id"}, {}, "there is no id column, while",
    ),
    "no common id": (LABELS, {**LABELS, "id": ["a", "b", "c"]}, {}, "no id in common"),
    "missing label": (LABELS, {**LABELS, "y_true": [0, None, 1]}, {}, "label is missing in 1"),
    "missing prediction": (LABELS, {**LABELS, "y_pred": [0, 1, None]}, {}, "(ids '3')"),
    "NaN prediction": (NUMBERS, {**NUMBERS, "y_pred": [0.4, float("nan"), 1]}, {}, "infinite"),
    "infinite prediction": (NUMBERS, {**NUMBERS, "y_pred": [0.4, float("inf"), 1]}, {}, "ids '2'"),
    "text prediction": (
        NUMBERS, {**NUMBERS, "y_pred": ["0.4", "x", "1"]}, {"task": "regression"}, "no number",
    ),
    "no prediction": (
        LABELS, {"id": [1, 2, 3], "y_true": [0, 1, 1]}, {}, "no prediction column was recognised",
    ),
    "no label": (LABELS, LABELS, {"names": Columns(label="truth")}, "no column 'truth'"),
    "case of a name": (LABELS, LABELS, {"names": Columns(label="Y_TRUE")}, "Did you mean 'y_true'"),
    "task without label": ({"id": [1], "a": [1]}, {"id": [1], "a": [1]}, {"task": "binary"},
                           "no label column"),
    "three classes": (
        LABELS, {**LABELS, "y_pred": [0, 1, 2]}, {"task": "binary"}, "there are 3 classes",
    ),
    "wrong positive": (LABELS, LABELS, {"names": Columns(positive="yes")}, "positive class 'yes'"),
    "one class": (
        {**LABELS, "y_true": ["a"] * 3, "y_pred": ["a"] * 3},
        {**LABELS, "y_true": ["a"] * 3, "y_pred": ["a"] * 3}, {}, "one class only",
    ),
    "texts": (
        {**LABELS, "y_pred": ["x" * 2000, "1", "0"]}, LABELS, {}, "over 1,000 characters",
    ),
    "nested label": (
        {**LABELS, "y_true": [[0], [1], [1]]}, {**LABELS, "y_true": [[0], [1], [1]]}, {},
        "not sets of labels",
    ),
    "labels all missing": (
        {**LABELS, "y_true": [None] * 3}, {**LABELS, "y_true": [None] * 3}, {"task": "multiclass"},
        "label is missing in 3",
    ),
    "unknown slice": (LABELS, LABELS, {"slices": (Slice(column="x"),)}, "no column 'x' to slice"),
    "bins of text": (
        {**LABELS, "t": ["a", "b", "c"]}, {**LABELS, "t": ["a", "b", "c"]},
        {"slices": (Slice(column="t", bins=(1.0,)),)}, "which have no bins",
    ),
    "two slicings": (
        LABELS, LABELS, {"slices": (Slice(column="id"), Slice(column="id", bins=(2.0,)))},
        "in two ways",
    ),
    "reserved name": ({**LABELS, "Assay key": [1, 2, 3]}, LABELS, {}, "reserved"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_compared_is_refused(tmp_path: Path, case: str) -> None:
    base, head, options, words = REFUSED[case]
    assert words in refusal(tmp_path, (base, head), **options)


def test_a_measured_number_needs_bins(tmp_path: Path) -> None:
    base, head = binary(200)
    message = refusal(tmp_path, (base, head), slices=(Slice(column="age"),))
    assert "200 different numbers" in message
    assert "--slice 'age:18,40'" in message


def test_more_than_a_hundred_thousand_labels_are_no_classes(tmp_path: Path) -> None:
    rows = 100_001
    columns = {"id": np.arange(rows), "label": [f"x{i}" for i in range(rows)]}
    columns["y_pred"] = columns["label"]
    assert "--task regression" in refusal(tmp_path, two(**columns))


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
