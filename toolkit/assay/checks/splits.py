"""Checks of train against test: the same columns, no row in both, no class only in one."""

from __future__ import annotations

from assay.checks.side import Side, found, found_rows
from assay.errors import InputError
from assay.evidence import Finding
from assay.tables.repeats import absent, shared

BOTH = "train/test"


def same_columns(train: Side, test: Side) -> list[Finding]:
    """Columns that one of the two files lacks, or whose kinds differ."""
    findings = []
    for here, there in ((train, test), (test, train)):
        for name in here.profiles:
            if name not in there.profiles:
                message = f"The column is in {here.name}, not in {there.name}."
                findings.append(
                    found("train-test-columns", BOTH, (name,), message, rows=there.rows.count)
                )
    for name, profile in train.profiles.items():
        other = test.profiles.get(name)
        if other is None or other.missing == other.rows or profile.missing == profile.rows:
            continue
        kinds = {profile.kind, other.kind}
        if len(kinds) > 1 and kinds != {"integer", "float"}:
            message = f"The column is {profile.kind} in train and {other.kind} in test."
            findings.append(
                found("train-test-columns", BOTH, (name,), message, rows=test.rows.count)
            )
    return findings


def unseen_classes(train: Side, test: Side, label: str) -> list[Finding]:
    """Test rows whose class no training row has."""
    hits = absent(test.rows, train.rows, label)
    if not hits.count:
        return []
    phrase = "in test have a class that no training row has"
    return [found_rows(test, "label-unseen", (label,), hits, phrase, dataset=BOTH)]


def leaked_keys(train: Side, test: Side, columns: tuple[str, ...], check: str) -> list[Finding]:
    """Test rows whose ``columns`` together are those of a training row; NULL matches nothing.

    Raises InputError where a file lacks one of the columns.
    """
    for side in (train, test):
        for name in columns:
            if side.rows.table.column(name) is None:
                raise InputError(
                    f"there is no column {name!r}, which the data checks need to look for leakage.",
                    where=side.rows.table.where,
                    remedy="Name another column, or add this one to the file.",
                )
    hits = shared(test.rows, train.rows, columns, nulls=False)
    if not hits.count:
        return []
    what = "id" if check == "leakage-ids" else "key"
    phrase = f"in test have the {what} of a training row"
    return [found_rows(test, check, columns, hits, phrase, dataset=BOTH)]


def leaked_rows(train: Side, test: Side, id_column: str | None) -> list[Finding]:
    """Test rows that equal a training row in every column they share but the id."""
    columns = [name for name in test.profiles if name in train.profiles and name != id_column]
    if not columns:
        return []
    hits = shared(test.rows, train.rows, columns)
    if not hits.count:
        return []
    but = f" in every column but {id_column!r}" if test.has(id_column) else ""
    phrase = f"in test equal a training row{but}"
    return [found_rows(test, "leakage-rows", (), hits, phrase, dataset=BOTH)]
