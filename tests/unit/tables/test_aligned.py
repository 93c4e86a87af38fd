"""Files that list one set of ids: in one order, ascending or not, and in different orders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.comparison import Asked, compare
from assay.config import Columns, Slice
from assay.errors import InputError
from assay.evidence import Comparison
from assay.tables import (
    predictions_bands,
    predictions_join,
    predictions_parts,
    predictions_ranked,
)
from assay.tables.predictions import pair
from assay.tables.source import open_tables
from support.predictions import binary, write_predictions


def write(folder: Path, order: Any = None, head_order: Any = None, **columns: Any) -> list[Path]:
    folder.mkdir(exist_ok=True)
    files = []
    for name, side, by in zip(("base", "head"), binary(500), (order, head_order), strict=True):
        found = {key: np.asarray(values) for key, values in (side | columns).items()}
        chosen = {key: values if by is None else values[by] for key, values in found.items()}
        files.append(write_predictions(folder / f"{name}.parquet", chosen))
    return files


def way(files: list[Path]) -> tuple[bool, bool]:
    with open_tables({"base": files[0], "head": files[1]}) as engine:
        joined = pair(engine, names=Columns(), task=None).joined
        assert joined.rows == 500
        return joined.aligned, joined.ascending


def measured(files: list[Path], **options: Any) -> Comparison:
    found = compare(*files, Asked(**options))
    return found.model_copy(update={"inputs": {}})


def test_the_way_does_not_change_the_numbers(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).permutation(500)
    ascending = write(tmp_path / "ascending")
    alike = write(tmp_path / "alike", rows, rows)
    apart = write(tmp_path / "apart", None, rows)
    assert [way(files) for files in (ascending, alike, apart)] == [
        (True, True),
        (True, False),
        (False, False),
    ]
    first = measured(ascending)
    assert measured(alike) == first
    assert measured(apart) == first


def test_a_repeated_id_is_refused_in_files_of_one_order(tmp_path: Path) -> None:
    ids = np.arange(500)
    ids[-1] = 7
    with pytest.raises(InputError, match=r"'7' \(2 times\)"):
        way(write(tmp_path, id=ids))


def test_text_ids_of_one_order_are_paired_by_place(tmp_path: Path) -> None:
    ids = np.array([f"row-{n:04}" for n in range(500)])
    assert way(write(tmp_path, id=ids)) == (True, True)


@pytest.mark.parametrize(("digits", "cores"), [(1, 2), (12, 1), (12, 2), (3, 7)])
def test_what_outgrows_memory_is_streamed_to_the_same_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digits: int, cores: int
) -> None:
    score = np.random.default_rng(1).random(500).round(digits)
    files = write(tmp_path, y_score=score)
    kept = measured(files)
    monkeypatch.setattr(predictions_parts, "cores", lambda: cores)
    monkeypatch.setattr(predictions_join, "MOST_KEPT", 10)
    monkeypatch.setattr(predictions_ranked, "MOST_ROWS", 10)
    monkeypatch.setattr(predictions_bands, "_CHUNK", 64)
    assert measured(files) == kept
    sliced = measured(files, slices=(Slice(column="y_pred"),))
    assert {m.slice for m in sliced.measurements} == {"all", "y_pred=0", "y_pred=1"}


@pytest.mark.parametrize("digits", [1, 12])
def test_many_rows_of_different_orders_are_ranked_in_bands_to_the_same_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digits: int
) -> None:
    random = np.random.default_rng(2)
    score, order = random.random(500).round(digits), random.permutation(500)
    files = write(tmp_path, None, order, y_score=score)
    sliced = {"slices": (Slice(column="y_pred"),), "report": ("accuracy",)}
    whole, parted = measured(files), measured(files, **sliced)
    monkeypatch.setattr(predictions_ranked, "MOST_ROWS", 10)
    monkeypatch.setattr(predictions_bands, "_CHUNK", 64)
    assert measured(files) == whole
    assert measured(files, **sliced) == parted


@pytest.mark.parametrize("place", [0, 249, 250, 499])
def test_an_id_is_compared_wherever_a_thread_begins_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    monkeypatch.setattr(predictions_join, "MOST_KEPT", 10)
    monkeypatch.setattr(predictions_parts, "cores", lambda: 2)
    order = np.arange(500)
    other = (place + 1) % 500
    order[[place, other]] = order[[other, place]]
    assert way(write(tmp_path / "apart", None, order)) == (False, False)
    assert way(write(tmp_path / "alike", order, order)) == (True, False)
    ids = np.arange(500)
    ids[max(place, 1)] = ids[max(place, 1) - 1]
    with pytest.raises(InputError, match=r"\(2 times\)"):
        way(write(tmp_path / "twice", id=ids))
