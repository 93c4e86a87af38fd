"""The reference profile: counts without rows, quality by cell, refusals that say what to do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from assay.cli.edge import run
from assay.config import Columns
from assay.errors import InputError
from assay.evidence.monitoring import ColumnReference, Reference
from assay.monitoring.profile import layouts, make_reference
from support.data_files import write_parquet

ROWS = 2_000


def made(folder: Path, *, regression: bool = False) -> Reference:
    rng = np.random.default_rng(7)
    age, plan = (
        rng.normal(40, 10, ROWS),
        rng.choice(["free", "basic", "gold"], ROWS, p=[0.5, 0.3, 0.2]),
    )
    score = 1 / (1 + np.exp(-(age - 40) / 5))
    label = (rng.random(ROWS) < score).astype(int)
    guess = (score > 0.5).astype(int)
    if regression:
        label, guess = age * 2, age * 2 + rng.normal(0, 1, ROWS)
    ids = [f"r{n}" for n in range(ROWS)]
    ages = [None if n % 10 == 0 else float(value) for n, value in enumerate(age)]
    data = write_parquet(
        folder / "test.parquet", {"id": ids, "age": ages, "plan": plan.tolist(), "name": ids}
    )
    predictions = write_parquet(
        folder / "predictions.parquet",
        {
            "id": ids[::-1],
            "label": label[::-1].tolist(),
            "prediction": guess[::-1].tolist(),
            "score": score[::-1].tolist(),
        },
    )
    columns = Columns() if not regression else Columns(score="score")
    return make_reference(model="m", predictions=predictions, data=data, columns=columns)


def column(reference: Reference, name: str) -> ColumnReference:
    return next(each for each in reference.columns if each.name == name)


def test_counts_quality_and_calibration(tmp_path: Path) -> None:
    reference = made(tmp_path)
    assert {each.name: each.role for each in reference.columns} == {
        "age": "feature", "plan": "feature", "score": "score",
        "prediction": "prediction", "label": "label",
    }  # fmt: skip
    age = column(reference, "age")
    assert age.missing == ROWS // 10
    assert sum(age.counts) + age.missing == ROWS
    assert age.counts[0] == age.counts[-1] == 0
    assert all(80 < count < 100 for count in age.counts[4:-4])
    plan = column(reference, "plan")
    assert plan.values == ("free", "basic", "gold")
    assert plan.counts[-1] == 0
    accuracy = reference.quality["accuracy"]
    cells = [(*plan.counts, plan.missing), plan.quality]
    mean = sum(n * q for n, q in zip(*cells, strict=True) if q is not None) / ROWS
    assert mean == pytest.approx(accuracy)
    assert reference.positive == "1"
    assert sum(rows for *_, rows in reference.calibration) == ROWS
    assert all(abs(score - rate) < 0.2 for score, rate, rows in reference.calibration if rows)


def test_no_row_and_no_name_of_a_row_is_in_it(tmp_path: Path) -> None:
    text = made(tmp_path).to_json()
    assert "r17" not in text
    assert json.loads(text)["schema"] == "assay/reference/1"


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    assert made(tmp_path).to_json() == made(tmp_path).to_json()


def test_regression(tmp_path: Path) -> None:
    reference = made(tmp_path, regression=True)
    assert reference.quality["mae"] == pytest.approx(0.8, abs=0.05)
    assert column(reference, "label").kind == "number"
    assert all(-1.5 < (q or 0) <= 0 for q in column(reference, "age").quality)
    assert reference.calibration == ()


def test_layouts_take_the_logged_names(tmp_path: Path) -> None:
    names = {each.name for each in layouts(made(tmp_path), {"prediction": "answer"})}
    assert "answer" in names
    assert "prediction" not in names


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"id": ["x", "y"], "age": [1, 2]}, "no row of the data has a prediction"),
        ({"key": ["a", "b"], "age": [1, 2]}, "no column 'id'"),
        ({"id": ["a", "a"], "age": [1, 2]}, "an id that another row has too"),
    ],
)
def test_files_that_do_not_fit(tmp_path: Path, data: dict[str, list[object]], words: str) -> None:
    predictions = write_parquet(tmp_path / "p.parquet", {"id": ["a", "b"], "prediction": [0, 1]})
    with pytest.raises(InputError, match=words):
        make_reference(
            model="m",
            predictions=predictions,
            data=write_parquet(tmp_path / "d.parquet", data),
            columns=Columns(),
        )


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(tmp_path)
    (tmp_path / "assay.yaml").write_text(
        "version: 1\nmodels:\n  m:\n    predictions: predictions.parquet\n"
        "    gates: {accuracy: {margin: 0.01}}\n    data: {test: test.parquet, ignore: [name]}\n"
    )
    arguments = ["reference", "--config", str(tmp_path / "assay.yaml")]
    assert run([*arguments, "--evidence", str(tmp_path / "e")]) == 0
    assert "2,000 rows, 2 features, accuracy 0." in capsys.readouterr().out
    assert Reference.read(tmp_path / "e" / "m").model == "m"
    assert run([*arguments, "--data", str(tmp_path / "none.csv")]) == 2
