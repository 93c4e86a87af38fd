"""Counts of logged columns and of scores by window, in the file that keeps them without rows.

The file holds for each window one row of all predictions' features, and one for each version of
what it answered and of the labels that came. Its cells are those of one reference: under another
one nothing of it is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from assay.errors import InputError, IntegrityError, Location, OutsideError
from assay.tables.column_counts import ColumnCounts, Layout, Scan, aggregates, read_counts
from assay.tables.live_features import feature_column
from assay.tables.source import Column, Engine, open_tables
from assay.tables.sql import literal

KEPT = "kept"
"""The opened table that holds what was counted before, where there is one."""
LAYOUT = "2"
"""Of the file: a key holds it, so that another layout is counted anew."""
ALL = "features"
"""The part that counts all predictions; the others are of one version each."""
OF_WINDOW = Scan(ends=False)
"""What is counted of a window: nothing reads how its numbers are spread."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is counted: layouts by the columns of ``features`` and ``judged``."""

    key: str
    """Of the reference, of the windows' length and of the file's layout."""
    features: tuple[Layout, ...]
    logged: tuple[str, ...]
    """The features' names in the log."""
    answers: tuple[Layout, ...]
    label: Layout | None
    score: Layout | None
    positive: str | None
    length: int
    coded: bool = False
    """Whether the features' texts come with dictionaries."""
    unseen: float = 1.0
    """The share of new values from which they are named."""

    def parts(self) -> Iterator[tuple[str, tuple[tuple[Layout, Column], ...]]]:
        """The layouts that share a count of rows, by its column, each with its source's column."""
        yield "feature_rows", tuple((one, feature_column(one)) for one in self.features)
        yield "answer_rows", tuple((one, _judged_column(one)) for one in self.answers)
        if self.label is not None:
            yield "label_rows", ((self.label, _judged_column(self.label)),)


@dataclass(frozen=True, kw_only=True)
class ScoredBin:
    """Predictions of one bin of the score, said positive and negative; and what was true of them.

    `total` is the sum of the scores. The right ones are among labelled predictions.
    """

    total: float
    positives: int
    negatives: int
    labelled_total: float
    labelled_positives: int
    labelled_negatives: int
    hits: int
    """Said positive, and so."""
    misses: int
    """Said negative, and positive."""


@dataclass(frozen=True, kw_only=True)
class WindowCounts:
    """One window, by the layouts' names; scores by bin, and the predictions without one."""

    columns: dict[str, ColumnCounts]
    scored: tuple[ScoredBin, ...] = ()
    unscored: int = 0


def kept_key(path: Path) -> str | None:
    """The key under which a file was counted; None where there is no such file.

    Raises IntegrityError where it is not what was written.
    """
    if not path.exists():
        return None
    try:
        with open_tables({KEPT: path}) as engine:
            keys = engine.rows(f"SELECT DISTINCT key FROM {KEPT} LIMIT 2")
            engine.row(f"SELECT bit_xor(hash(t)) FROM {KEPT} t")
    except (InputError, duckdb.BinderException) as error:
        why = error.message if isinstance(error, InputError) else "it has other columns."
        raise IntegrityError(
            f"this holds what was counted of earlier windows, and {why}",
            where=Location(file=path.as_posix()),
            remedy="Restore it, or remove it: then the logs of the last weeks are counted again.",
        ) from None
    return str(keys[0][0]) if len(keys) == 1 else None


def write_windows(engine: Engine, aside: Path, path: Path) -> None:
    """Write ``windows`` by rename; `aside` is a path that the engine was opened to write."""
    (rows,) = engine.row("SELECT count(*) FROM windows")
    if rows == 0:
        return
    engine.run(
        "COPY (SELECT * FROM windows ORDER BY number, part, served) "
        f"TO {literal(aside.as_posix())} (FORMAT parquet, COMPRESSION zstd)"
    )
    try:
        aside.replace(path)
    except OSError as error:
        raise OutsideError(
            f"what was counted of windows cannot be written: {error.strerror}."
        ) from None


def first_windows(engine: Engine, version: str) -> dict[str, int]:
    """The first window with rows, by their column: of all predictions, a version's, its labels."""
    found = engine.row(
        "SELECT min(number) FILTER (feature_rows > 0), "
        f"min(number) FILTER (served = {literal(version)} AND answer_rows > 0), "
        f"min(number) FILTER (served = {literal(version)} AND label_rows > 0) FROM windows"
    )
    names = ("feature_rows", "answer_rows", "label_rows")
    return {name: int(at) for name, at in zip(names, found, strict=True) if at is not None}


def read_windows(
    engine: Engine, asked: Asked, *, numbers: Sequence[int], version: str
) -> dict[int, WindowCounts]:
    """What was counted of these windows: all predictions' features, and what a version answered."""
    parts = tuple(asked.parts())
    names = ["number", "part", "scored", "new"]
    for rows, listed in parts:
        names += [rows, *(f"{one.name}_{at}" for one, c in listed for at in range(_width(one, c)))]
    found = engine.rows(
        f"SELECT {', '.join(names)} FROM windows WHERE number IN ({_list(numbers)}) "
        f"AND (part = {literal(ALL)} OR served = {literal(version)})"
    )
    result: dict[int, WindowCounts] = {}
    for row in found:
        values = dict(zip(names, row, strict=True))
        before = result.get(int(values["number"]), WindowCounts(columns={}))
        bins = values["scored"] or []
        result[int(values["number"])] = WindowCounts(
            columns=before.columns | _columns(parts, values, whole=values["part"] == ALL),
            scored=before.scored or tuple(_bin(one) for one in bins if one["bin"] >= 0),
            unscored=before.unscored + sum(one["n"] for one in bins if one["bin"] < 0),
        )
    return result


def _columns(
    parts: Sequence[tuple[str, tuple[tuple[Layout, Column], ...]]],
    values: Mapping[str, Any],
    *,
    whole: bool,
) -> dict[str, ColumnCounts]:
    found = {}
    for rows, listed in parts:
        if (rows == "feature_rows") is not whole or not values[rows]:
            continue
        for one, column in listed:
            own = [values[f"{one.name}_{at}"] for at in range(_width(one, column))]
            if own[0] is None:
                continue
            new = tuple(
                (each["value"], int(each["n"]))
                for each in values["new"] or ()
                if each["column"] == one.name
            )
            found[one.name] = replace(read_counts(one, int(values[rows]), own), new=new)
    return found


def _bin(found: Mapping[str, Any]) -> ScoredBin:
    return ScoredBin(
        total=float(found["total"]),
        positives=int(found["said"]),
        negatives=int(found["n"] - found["said"]),
        labelled_total=float(found["labelled_total"] or 0),
        labelled_positives=int(found["labelled_said"]),
        labelled_negatives=int(found["labelled"] - found["labelled_said"]),
        hits=int(found["hits"]),
        misses=int(found["misses"]),
    )


def _width(layout: Layout, column: Column) -> int:
    return sum(1 for _ in aggregates(layout, column, OF_WINDOW))


def _judged_column(layout: Layout) -> Column:
    kind = "DOUBLE" if layout.number and layout.name == "score" else "VARCHAR"
    return Column(name=layout.name, type=kind)


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "NULL"
