"""Predictions of several training seeds in one file, from two files to the comparison."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.config import Columns, Gate, Slice
from assay.errors import InputError
from support.compared import compared as compared_as
from support.compared import measured as of

ROWS = 400
SEEDS = Columns(seed="run")
compared = partial(compared_as, columns=SEEDS, report=("accuracy",))


def trained(seeds: list[Any], *, gain: float = 0.0, noise: float = 0.1, of: int = 1) -> Any:
    """One row for each id and seed of a model whose score is the label's, blurred."""
    shared, own = np.random.default_rng(7), np.random.default_rng(of)
    label = shared.integers(0, 2, ROWS)
    blur = shared.normal(size=ROWS)
    plan = np.array(list("ab"))[shared.integers(0, 2, ROWS)]
    parts = []
    for _ in seeds:
        value = (label - 0.5) * (2 + gain) + blur + own.normal(0, noise) + own.normal(0, 0.3, ROWS)
        parts.append(1 / (1 + np.exp(-value)))
    score = np.concatenate(parts)
    times = len(seeds)
    return {
        "id": np.tile(np.arange(ROWS), times), "run": np.repeat(seeds, ROWS),
        "y_true": np.tile(label, times), "y_pred": (score > 0.5).astype(int), "y_score": score,
        "plan": np.tile(plan, times),
    }  # fmt: skip


def of_seed(columns: Any, seed: Any) -> Any:
    mask = columns["run"] == seed
    return {name: values[mask] for name, values in columns.items() if name != "run"}


def test_values_are_means_over_seeds_and_each_is_shown(tmp_path: Path) -> None:
    base, head = trained([3, 1, 2]), trained([10, 9, 11, 12], gain=0.2, of=2)
    metrics = ("accuracy", "roc_auc", "log_loss")
    found = compared(tmp_path, base, head, report=metrics, slices=(Slice(column="plan"),))
    assert found.seeds is not None
    assert (found.seeds.base, found.seeds.head) == (("1", "2", "3"), ("9", "10", "11", "12"))
    pairs = [
        compared(tmp_path, of_seed(base, b), of_seed(head, h), columns=Columns(), report=metrics)
        for b, h in ((1, 9), (2, 10), (3, 11), (1, 12))
    ]
    for metric in metrics:
        measured = of(found, metric)
        alone = [of(each, metric) for each in pairs]
        assert measured.seeds is not None
        assert measured.seeds.base == pytest.approx([each.base for each in alone[:3]])
        assert measured.seeds.head == pytest.approx([each.head for each in alone])
        assert measured.base == pytest.approx(np.mean(measured.seeds.base))
        assert measured.head == pytest.approx(np.mean(measured.seeds.head))
        assert measured.seeds.training_error is not None
        assert measured.interval is not None
    assert of(found, "accuracy", "plan=a").seeds is None
    assert of(found, "accuracy", "plan=a").interval is not None
    assert any("training noise is in the intervals" in note for note in found.notes)
    assert found.worst_slice is None


def test_training_noise_widens_the_interval(tmp_path: Path) -> None:
    widths = []
    for noise in (0.0, 1.5):
        sides = [trained([1, 2, 3], noise=noise, of=number) for number in (3, 4)]
        low, high = of(compared(tmp_path, *sides), "accuracy").interval or (0.0, 0.0)
        widths.append(high - low)
    assert widths[1] > 2 * widths[0]


def test_with_one_seed_on_a_side_training_noise_is_not_measured(tmp_path: Path) -> None:
    found = compared(tmp_path, trained([1]), trained([1, 2, 3], of=2))
    measured = of(found, "accuracy")
    assert measured.seeds is not None
    assert measured.seeds.training_error is None
    assert measured.interval is not None
    assert any("training noise is not measured" in note for note in found.notes)
    # A file without the column has one seed too.
    bare = {name: values for name, values in trained([1]).items() if name != "run"}
    again = compared(tmp_path, bare, trained([1, 2, 3], of=2))
    assert of(again, "accuracy").interval == measured.interval
    assert again.seeds is not None
    assert again.seeds.base == ()


def test_two_seeds_are_inconclusive(tmp_path: Path) -> None:
    found = compared(tmp_path, trained([1, 2]), trained([1, 2, 3], of=2))
    assert "too few seeds" in (of(found, "accuracy").regime or "")


def test_swapping_the_sides_mirrors_the_interval(tmp_path: Path) -> None:
    base, head = trained([1, 2, 3]), trained([1, 2, 3, 4], gain=0.3, of=2)
    forth, back = (
        of(compared(tmp_path, *each, report=("f1",)), "f1") for each in ((base, head), (head, base))
    )
    assert forth.interval is not None
    assert back.interval is not None
    assert forth.interval == pytest.approx((-back.interval[1], -back.interval[0]))


def test_neither_the_order_of_rows_nor_the_format_matters(tmp_path: Path) -> None:
    base, head = trained([1, 2, 3]), trained(["a", "b", "c"], of=2)
    one = compared(tmp_path, base, head).model_copy(update={"inputs": {}})
    order = np.random.default_rng(5).permutation(3 * ROWS)
    base, head = ({name: v[order] for name, v in side.items()} for side in (base, head))
    two = compared(tmp_path, base, head, suffix=".csv").model_copy(update={"inputs": {}})
    for left, right in zip(one.measurements, two.measurements, strict=True):
        assert left.interval == pytest.approx(right.interval, abs=1e-9)


def test_a_relative_margin_has_its_contrast(tmp_path: Path) -> None:
    sides = trained([1, 2, 3]), trained([1, 2, 3], gain=0.2, of=2)
    found = compared(tmp_path, *sides, gates={"accuracy": Gate(relative_margin=0.1)})
    plain, contrast = (m for m in found.measurements if (m.metric, m.slice) == ("accuracy", "all"))
    assert contrast.base_weight == pytest.approx(0.9)
    assert contrast.difference == pytest.approx((plain.head or 0) - 0.9 * (plain.base or 0))
    assert contrast.interval is not None


def test_what_one_seed_has_no_value_of_has_none(tmp_path: Path) -> None:
    base, head = trained([1, 2, 3]), trained([1, 2, 3], of=2)
    head["y_pred"] = np.where(head["run"] == 2, 0, head["y_pred"])
    measured = of(compared(tmp_path, base, head, report=("precision",)), "precision")
    assert measured.undefined is not None
    assert measured.undefined.startswith("in one of the seeds: 0/0")


REFUSED: dict[str, tuple[Any, str]] = {
    "no such column": ({"columns": Columns(seed="epoch")}, "no column 'epoch' that names"),
    "an id": ({"columns": Columns(seed="id")}, "more than 50 values"),
    "no seed column at all": ({"columns": Columns()}, "name its column in"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_seed_columns_are_refused(tmp_path: Path, case: str) -> None:
    asked, words = REFUSED[case]
    with pytest.raises(InputError) as caught:
        compared(tmp_path, trained([1, 2, 3]), trained([1, 2, 3], of=2), **asked)
    assert words in str(caught.value)


def test_seeds_of_different_rows_are_refused(tmp_path: Path) -> None:
    base = trained([1, 2, 3])
    short = {name: values[:-1] for name, values in base.items()}
    with pytest.raises(InputError, match="different numbers of rows"):
        compared(tmp_path, base, short)
    holes = {**base, "run": np.where(np.arange(3 * ROWS) < 5, np.nan, base["run"])}
    with pytest.raises(InputError, match="empty in some rows"):
        compared(tmp_path, base, holes)
