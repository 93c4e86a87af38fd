"""Training and test files of people, checked as `assay check-data` would."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from assay.checks import check_data, freeze, write_schema
from assay.config import Data
from assay.errors import AssayError
from assay.evidence import DataReport, Finding
from support.data_files import people, write_parquet

TRAIN, TEST = 600, 300
AGES = people(TRAIN)["age"]


def rules(**more: Any) -> Data:
    """Data of two files with an id and a label, and what else is asked of them."""
    given = {"train": "train.parquet", "test": "test.parquet", "id": "id", "label": "label", **more}
    return Data.model_validate(given)


def checked(
    folder: Path,
    *,
    train: dict[str, Sequence[Any]] | None = None,
    test: dict[str, Sequence[Any]] | None = None,
    data: Data | None = None,
    frozen: bool = False,
    **more: Any,
) -> DataReport:
    """Check files; with ``frozen`` against the schema of the clean ones."""
    data = data or rules()
    if frozen:
        write_parquet(folder / "train.parquet", people(TRAIN))
        write_parquet(folder / "test.parquet", people(TEST, start=TRAIN))
        (folder / "data.schema.yaml").write_text(write_schema(freeze(data, folder)))
    write_parquet(folder / "train.parquet", train or people(TRAIN))
    write_parquet(folder / "test.parquet", test or people(TEST, start=TRAIN))
    return check_data(data, folder, model="m", **more)


def replaced(values: Sequence[Any], at: dict[int, Any]) -> list[Any]:
    """The values, with others at some places."""
    return [at.get(index, value) for index, value in enumerate(values)]


def only(report: DataReport, check: str) -> Finding:
    """The one finding of a check."""
    found = [finding for finding in report.findings if finding.check == check]
    assert len(found) == 1, report.findings
    return found[0]


def names(report: DataReport) -> list[str]:
    """The check of each finding, in order."""
    return [finding.check for finding in report.findings]


def refusal(folder: Path, data: Data, **more: Any) -> AssayError:
    """The error that ends the check of these data."""
    with pytest.raises(AssayError) as caught:
        check_data(data, folder, model="m", **more)
    return caught.value
