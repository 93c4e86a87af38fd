"""What the page draws: PR curves against scikit-learn, score shares, and rows that flipped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve

from assay.comparison import Asked, compare
from assay.evidence import Curve, Details
from support.predictions import binary, multiclass, write_predictions


@pytest.fixture
def compared(tmp_path: Path) -> tuple[Details, dict[str, np.ndarray], dict[str, np.ndarray]]:
    base, head = binary(rows=3000)
    files = [
        write_predictions(tmp_path / f"{name}.parquet", side)
        for name, side in (("base", base), ("head", head))
    ]
    return compare(*files, Asked(model="m")).details, base, head


def curve(details: Details, kind: str, side: str) -> Curve:
    return next(c for c in details.curves if (c.kind, c.side) == (kind, side))


def test_every_pr_point_lies_on_scikit_learns_curve(
    compared: tuple[Details, dict[str, np.ndarray], dict[str, np.ndarray]],
) -> None:
    details, base, head = compared
    for side, columns in (("base", base), ("head", head)):
        precision, recall, _ = precision_recall_curve(columns["y_true"], columns["y_score"])
        exact = {
            (round(float(r), 6), round(float(p), 6)) for r, p in zip(recall, precision, strict=True)
        }
        found = curve(details, "pr", side)
        assert 20 < len(found.x) <= 60
        assert set(zip(found.x, found.y, strict=True)) <= exact
        assert found.x[-1] == 1


def test_score_shares_count_every_row(
    compared: tuple[Details, dict[str, np.ndarray], dict[str, np.ndarray]],
) -> None:
    details, base, _ = compared
    found = curve(details, "scores", "base")
    counts, _ = np.histogram(base["y_score"], bins=np.linspace(0, 1, 21))
    assert sum(found.n) == 3000
    assert abs(np.array(found.n) - counts).max() <= 20  # a score on an edge is in the upper bin
    assert abs(sum(found.y) - 1) < 1e-4


def test_flipped_rows_are_right_on_one_side_only(
    compared: tuple[Details, dict[str, np.ndarray], dict[str, np.ndarray]],
) -> None:
    details, base, head = compared
    by_id = {str(row): place for place, row in enumerate(base["id"])}
    assert len(details.lost) == len(details.won) == 50
    for rows, right, wrong in ((details.lost, base, head), (details.won, head, base)):
        for row in rows:
            place = by_id[row.id]
            assert right["y_pred"][place] == right["y_true"][place] == int(row.label)
            assert wrong["y_pred"][place] != wrong["y_true"][place]
            assert row.base_score == pytest.approx(base["y_score"][place])
            assert row.head_score == pytest.approx(head["y_score"][place])


def test_flipped_rows_of_many_classes_carry_names(tmp_path: Path) -> None:
    base, head = multiclass()
    files = [
        write_predictions(tmp_path / f"{name}.parquet", side)
        for name, side in (("base", base), ("head", head))
    ]
    details = compare(*files, Asked(model="m")).details
    assert {row.label for row in (*details.lost, *details.won)} <= {"cat", "dog", "owl"}
    assert all(row.label == row.base != row.head for row in details.lost)
    assert all(row.label == row.head != row.base for row in details.won)
