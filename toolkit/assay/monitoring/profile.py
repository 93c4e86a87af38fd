"""The reference profile of a version: what its rows, scores and mistakes were like, without rows.

Counts by cell of every feature, of the prediction, the score and the label, the quality within
each cell, and the rates by score that calibrate later estimates.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

from assay.config import Columns, Task
from assay.errors import InputError, Location
from assay.evidence.base import file_digest
from assay.evidence.monitoring import ColumnReference, Reference
from assay.tables.column_counts import (
    ColumnCounts,
    Layout,
    count_columns,
    mean_by_cell,
)
from assay.tables.layouts import categories, lay_out
from assay.tables.reference_rows import (
    KEY,
    LABEL,
    PREDICTION,
    SCORE,
    ReferenceRows,
    join_reference,
)
from assay.tables.source import Column, Engine, open_tables
from assay.tables.sql import identifier, literal

Role = Literal["feature", "prediction", "score", "label"]
_ROLES: dict[str, Role] = {PREDICTION: "prediction", SCORE: "score", LABEL: "label"}
_MOST_CLASSES = 50


def make_reference(
    *,
    model: str,
    predictions: Path,
    data: Path | None,
    columns: Columns,
    data_id: str | None = None,
    task: Task | None = None,
    ignore: Collection[str] = (),
) -> Reference:
    """Profile the rows that a version was evaluated on; `data` are their features, by id.

    Without `data` the features are the columns of the predictions file that play no role. Raises
    InputError where the files do not fit together or hold nothing to profile.
    """
    files = {"predictions": predictions} | ({"data": data} if data is not None else {})
    with open_tables(files) as engine:
        rows = join_reference(engine, columns, data_id=data_id, ignore=ignore)
        regression = _is_regression(engine, rows, task)
        layouts = _layouts(engine, rows, regression=regression)
        if not layouts:
            raise InputError(
                "there is no column to profile.",
                where=Location(file=predictions.as_posix()),
                remedy="Name data.test in assay.yaml, or write features beside the predictions.",
            )
        positive = _positive(engine, rows, columns, regression=regression)
        return Reference(
            model=model,
            inputs={name: file_digest(path) for name, path in files.items()},
            columns=_profiles(engine, rows, layouts, regression=regression),
            quality=_quality(engine, rows, positive, regression=regression),
            positive=positive,
            calibration=_calibration(engine, rows, layouts, positive),
        )


def layouts(reference: Reference, names: Mapping[str, str] | None = None) -> tuple[Layout, ...]:
    """Where the cells of a reference lie; `names` are the logged names of other roles."""
    logged = names or {}
    return tuple(
        Layout(
            name=logged.get(column.role, column.name) if column.role != "feature" else column.name,
            number=column.kind == "number",
            edges=column.edges,
            values=column.values,
            whole=column.kind == "category" and column.counts[-1] == 0,
        )
        for column in reference.columns
    )


def _is_regression(engine: Engine, rows: ReferenceRows, task: Task | None) -> bool:
    if task is not None:
        return task is Task.REGRESSION
    label = rows.label or rows.prediction
    if label is None or label.kind != "float":
        return False
    value = identifier(label.name)
    distinct, broken = engine.row(
        f"SELECT approx_count_distinct({value}), count_if({value} <> trunc({value})) "  # noqa: S608
        f"FROM {rows.source}"
    )
    return bool(broken) or distinct > _MOST_CLASSES


def _layouts(
    engine: Engine, rows: ReferenceRows, *, regression: bool
) -> dict[str, tuple[Column, Layout]]:
    numbers = [rows.score, *((rows.prediction, rows.label) if regression else ())]
    classes = () if regression else (rows.prediction, rows.label)
    wide = [*rows.features, *(column for column in numbers if column is not None)]
    laid = {
        layout.name: layout
        for layout in lay_out(engine, rows.source, wide, rows=rows.rows, key=identifier(KEY))
    }
    for column in classes:
        if column is not None:
            laid[column.name] = categories(engine, rows.source, column)
    known = {column.name: column for column in (*wide, *(c for c in classes if c is not None))}
    return {name: (known[name], layout) for name, layout in laid.items()}


def _profiles(
    engine: Engine,
    rows: ReferenceRows,
    laid: Mapping[str, tuple[Column, Layout]],
    *,
    regression: bool,
) -> tuple[ColumnReference, ...]:
    counted = count_columns(engine, rows.source, [layout for _, layout in laid.values()])
    value = (f"-{rows.error}" if rows.error else None) if regression else rows.right
    profiles = []
    for name, (column, layout) in laid.items():
        role = _ROLES.get(name, "feature")
        means = mean_by_cell(engine, rows.source, layout, value) if value else {}
        cells = len(counted[name].counts) + 1
        quality = tuple(means[cell][1] if cell in means else None for cell in range(cells))
        profiles.append(
            _profile(
                layout,
                counted[name],
                name=rows.names.get(name, name),
                role=role,
                kind=_kind(column, layout),
                quality=quality if value else (),
            )
        )
    return tuple(profiles)


def _kind(column: Column, layout: Layout) -> Literal["number", "category", "boolean"]:
    if layout.number:
        return "number"
    return "boolean" if column.kind == "boolean" else "category"


def _profile(
    layout: Layout,
    counts: ColumnCounts,
    *,
    name: str,
    role: Role,
    kind: Literal["number", "category", "boolean"],
    quality: tuple[float | None, ...],
) -> ColumnReference:
    return ColumnReference(
        name=name,
        role=role,
        kind=kind,
        rows=counts.rows,
        missing=counts.missing,
        edges=layout.edges,
        values=layout.values,
        counts=counts.counts,
        mean=counts.mean,
        deviation=counts.deviation,
        low=counts.low,
        high=counts.high,
        quality=quality,
    )


def _positive(
    engine: Engine, rows: ReferenceRows, columns: Columns, *, regression: bool
) -> str | None:
    """The class that the score is of; None where the labels are not two."""
    if regression or rows.score is None or rows.truth is None:
        return None
    if columns.positive is not None:
        word = str(columns.positive)
        return word if not isinstance(columns.positive, bool) else str(int(columns.positive))
    found = engine.rows(
        f"SELECT DISTINCT {rows.truth} AS v FROM {rows.source} "  # noqa: S608
        "WHERE v IS NOT NULL ORDER BY v LIMIT 3"
    )
    if len(found) != 2:
        return None
    # 1 of 0 and 1, true of false and true, yes of no and yes: the later in order.
    return str(found[1][0])


def _quality(
    engine: Engine, rows: ReferenceRows, positive: str | None, *, regression: bool
) -> dict[str, float]:
    if regression:
        if rows.error is None:
            return {}
        found = engine.row(
            f"SELECT avg(e), sqrt(avg(e * e)) FROM (SELECT {rows.error} AS e FROM {rows.source})"  # noqa: S608
        )
        names: tuple[str, ...] = ("mae", "rmse")
        return {n: float(v) for n, v in zip(names, found, strict=True) if v is not None}
    if rows.right is None:
        return {}
    (accuracy,) = engine.row(f"SELECT avg({rows.right}) FROM {rows.source}")  # noqa: S608
    found_quality = {} if accuracy is None else {"accuracy": float(accuracy)}
    if positive is None:
        return found_quality
    word = literal(positive)
    hits, labels, guesses = engine.row(
        f"SELECT count_if({rows.truth} = {word} AND {rows.guess} = {word}), "  # noqa: S608
        f"count_if({rows.truth} = {word}), "
        f"count_if({rows.guess} = {word} AND {rows.truth} IS NOT NULL) FROM {rows.source}"
    )
    if guesses:
        found_quality["precision"] = hits / guesses
    if labels:
        found_quality["recall"] = hits / labels
    if labels + guesses:
        found_quality["f1"] = 2 * hits / (labels + guesses)
    return found_quality


def _calibration(
    engine: Engine,
    rows: ReferenceRows,
    laid: Mapping[str, tuple[Column, Layout]],
    positive: str | None,
) -> tuple[tuple[float, float, int], ...]:
    """By cell of the score: its mean, the rate of positives, and the rows; 0 rows: (0, 0, 0)."""
    if positive is None or rows.score is None or SCORE not in laid:
        return ()
    layout = laid[SCORE][1]
    hit = f"CAST({rows.truth} = {literal(positive)} AS DOUBLE)"
    rates = mean_by_cell(engine, rows.source, layout, hit)
    scores = mean_by_cell(engine, rows.source, layout, f"CAST({identifier(SCORE)} AS DOUBLE)")
    return tuple(
        (scores[cell][1], rates[cell][1], rates[cell][0]) if cell in rates else (0.0, 0.0, 0)
        for cell in range(len(layout.edges) + 1)
    )
