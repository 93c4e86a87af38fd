"""``assay power``: the numbers it prints, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.cli.edge import run
from support.predictions import binary, multiclass, write_predictions


def planned(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    assert run(["power", *options, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_numbers_of_the_documentation(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--metric", "accuracy", "--discordant", "0.06", "--margin", "0.01")
    (found,) = planned(capsys, *options, "--rows", "1000")["planned"]
    assert found["rows_needed_unsmoothed"] == 4710
    assert found["rows_needed"] == 4749
    assert found["power"] == pytest.approx(0.239, abs=0.001)
    assert found["proposed_margin"] == pytest.approx(0.0221, abs=0.0001)
    at_needed = [point for point in found["table"] if point["rows"] == 4749]
    assert [point["margin"] for point in at_needed] == [0.005, 0.01, 0.02]
    assert at_needed[1]["power"] == pytest.approx(0.8, abs=0.005)


def test_a_proposed_margin_has_the_power_it_promises(capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = planned(capsys, "--discordant", "0.1", "--rows", "2000")["planned"]
    margin = str(found["proposed_margin"])
    (again,) = planned(capsys, "--discordant", "0.1", "--rows", "2000", "--margin", margin)[
        "planned"
    ]
    assert again["power"] == pytest.approx(0.8, abs=0.01)
    assert again["rows_needed"] == pytest.approx(2000, abs=2)


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        # (1.96 + 0.8416)² · 0.1 / 0.02² positives, and 20 times as many rows.
        (["--metric", "recall", "--discordant", "0.1", "--positives", "0.05", "--margin", "0.02"],
         39_245),
        # (1.96 + 0.8416)² · (2.5 / 0.1)².
        (["--metric", "mae", "--row-sd", "2.5", "--margin", "0.1"], 4906),
        (["--metric", "mean:grade", "--row-sd", "1", "--margin", "0.1", "--power", "0.9"], 1051),
    ],
)  # fmt: skip
def test_textbook_rows(options: list[str], rows: int, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = planned(capsys, *options)["planned"]
    assert found["rows_needed_unsmoothed"] == rows
    assert found["rows_needed"] >= rows


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    left, right = binary(900)
    return (
        str(write_predictions(tmp_path / "base.parquet", left)),
        str(write_predictions(tmp_path / "head.parquet", right)),
    )


def test_two_files_are_planned_from_their_own_rows(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = planned(capsys, *files, "--margin", "0.02")
    metrics = {each["metric"]: each for each in found["planned"]}
    assert {"accuracy", "roc_auc", "log_loss"} <= set(metrics)
    assert metrics["accuracy"]["rows"] == 900
    base, head = binary(900)
    right = [side["y_pred"] == side["y_true"] for side in (base, head)]
    change = right[1].astype(int) - right[0]
    assert metrics["accuracy"]["row_variance"] == pytest.approx(np.var(change), rel=1e-6)
    # The same from the evidence that a comparison leaves, with its own gate's margin.
    folder = str(tmp_path / "evidence")
    run(["compare", *files, "--metric", "accuracy", "--evidence", folder, "--exit-zero"])
    capsys.readouterr()
    (again,) = planned(capsys, folder, "--margin", "0.02", "--metric", "accuracy")["planned"]
    assert again == metrics["accuracy"]


def test_columns_of_any_name_are_named_as_for_a_comparison(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known, renamed = [], []
    for name, side in zip(("base", "head"), binary(500), strict=True):
        columns = {key: side[key] for key in ("id", "y_true", "y_pred")}
        known.append(str(write_predictions(tmp_path / f"{name}.parquet", columns)))
        other = dict(zip(("who", "churned", "said"), columns.values(), strict=True))
        renamed.append(str(write_predictions(tmp_path / f"{name}-renamed.parquet", other)))
    names = ("--id", "who", "--label", "churned", "--prediction", "said")
    usual = planned(capsys, *known, "--margin", "0.05")
    assert usual["planned"]
    assert planned(capsys, *renamed, *names, "--margin", "0.05") == usual


def test_the_table_is_readable(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["power", *files, "--margin", "0.02", "--metric", "accuracy"]) == 0
    out = capsys.readouterr().out
    assert "make equally good models no-worse 80" in out
    assert "at 900 rows they come out no-worse" in out
    assert "margin 0.02" in out
    assert max(map(len, out.splitlines())) <= 120


def test_what_the_rows_cannot_say_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base, _ = multiclass(300)
    path = str(write_predictions(tmp_path / "base.parquet", base))
    assert run(["power", path, path, "--metric", "accuracy", "--metric", "roc_auc"]) == 0
    out = capsys.readouterr().out
    assert "accuracy: cannot be planned: base and head do not differ on any row" in out
    assert "roc_auc: cannot be planned: roc_auc is not defined for the task multiclass" in out


REFUSED = {
    "margin of 0": (["--discordant", "0.1", "--margin", "0"], "a margin of 0 or less"),
    "negative margin": (["--discordant", "0.1", "--margin", "-1"], "a margin of 0 or less"),
    "margin of everything": (["--discordant", "0.1", "--margin", "1"], "lets every accuracy pass"),
    "no margin": (["--discordant", "0.1"], "Give a --margin, or the --rows"),
    "no discordance": (["--margin", "0.1"], "accuracy needs --discordant"),
    "more than all": (["--discordant", "1.1", "--margin", "0.1"], "at most 1, not 1.1"),
    "nothing": (["--discordant", "0", "--margin", "0.1"], "above 0 and at most 1, not 0"),
    "no number": (["--discordant", "nan", "--margin", "0.1"], "not nan"),
    "endless margin": (["--discordant", "0.1", "--margin", "inf"], "lets every accuracy pass"),
    "endless spread": (["--row-sd", "inf", "--margin", "0.1"], "finite"),
    "positives": (["--metric", "recall", "--discordant", "0.1", "--margin", "0.1"], "--positives"),
    "auc": (["--metric", "roc_auc", "--auc", "1", "--correlation", "0", "--positives", "0.1",
             "--margin", "0.1"], "auc must be at least 0.5 and below 1"),
    "no spread": (["--metric", "mae", "--margin", "0.1"], "or from two prediction files"),
    "two metrics": (["--metric", "mae", "--metric", "f1", "--margin", "0.1"], "one --metric"),
    "unknown metric": (["--metric", "acuracy", "--margin", "0.1"], "Did you mean accuracy"),
    "one file": (["BASE"], "Name two prediction files"),
    "three files": (["BASE", "BASE", "BASE"], "Name two prediction files"),
    "no such folder": (["nowhere"], "there is no comparison.json"),
    "column of no file": (["--discordant", "0.1", "--margin", "0.1", "--id", "who"],
                          "give BASE and HEAD"),
    "column of a folder": (["nowhere", "--entity", "who"], "give BASE and HEAD"),
    "column that is none": (["BASE", "BASE", "--seed-column", "x" * 300], "--seed-column"),
    "files and numbers": (["BASE", "BASE", "--discordant", "0.1"], "read from the files"),
    "certain": (["--discordant", "0.1", "--margin", "0.1", "--power", "1"], "not in the range"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_in_one_line(
    case: str, files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    options, words = REFUSED[case]
    options = [files[0] if option == "BASE" else option for option in options]
    assert run(["power", *options]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error
