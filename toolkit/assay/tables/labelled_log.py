"""Labels that come late, joined to what was predicted: sums by version and generation.

The prediction log (``assay/predictions/1``) has one row for each scored row; the labels are any
readable file with ``request_id`` (and ``row``, where requests hold several) or ``unit``, and with
``label`` or the column that is the metric. A key that stands there twice counts once, with its last
``time`` where there is one, and not at all where it is contradictory and has no time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assay.config.families import MEAN_PREFIX, ONLINE, QUANTILE_PREFIX
from assay.errors import InputError, Location
from assay.tables.parts import merge_parts
from assay.tables.source import Engine, open_tables, scratch_folder
from assay.tables.sql import identifier, literal

_LABELS = "labels"


@dataclass(frozen=True, kw_only=True)
class LabelSums:
    """Sums of one value per unit: n, the mean, Σ(value − mean)², and values other than usual."""

    n: int
    mean: float
    squares: float
    events: int


@dataclass(frozen=True, kw_only=True)
class LabelledLog:
    """What the labels say, by generation and version, and by generation of mirrored requests."""

    arms: dict[tuple[int, str], LabelSums]
    paired: dict[int, LabelSums]
    """New − serving, on the same request."""
    agreement: dict[int, tuple[int, int]]
    """Equal predictions, and requests that both answered."""


def read_labelled_log(
    log: Sequence[Path],
    labels: Path | None,
    *,
    metric: str | None,
    generations: Collection[int],
    by_unit: bool,
) -> LabelledLog:
    """Join and sum. `by_unit`: a unit's requests are one value, their mean.

    Raises InputError where the labels have not the columns that are needed, or the metric is none
    that can be measured so (`assay.config.families.ONLINE`).
    """
    value = value_of(metric) if metric is not None else None
    if not log or not generations:
        return LabelledLog(arms={}, paired={}, agreement={})
    with scratch_folder() as folder, _opened(log, labels if value else None, folder) as engine:
        _make_log(engine, [name for name in engine.tables if name != _LABELS], generations)
        agreement = _agreement(engine)
        if value is None or labels is None or metric is None:
            return LabelledLog(arms={}, paired={}, agreement=agreement)
        _make_values(engine, labels, metric, value)
        usual = 1 if metric == "accuracy" else 0
        return LabelledLog(
            arms=_arms(engine, usual, by_unit=by_unit), paired=_paired(engine), agreement=agreement
        )


@contextmanager
def _opened(log: Sequence[Path], labels: Path | None, folder: Path) -> Iterator[Engine]:
    merged = merge_parts(log, folder)
    files = {f"log{place}": path for place, path in enumerate([*merged.copies, *merged.alone])}
    with open_tables(files if labels is None else {**files, _LABELS: labels}) as engine:
        yield engine


def value_of(metric: str) -> str:
    """The value of one row in SQL, from `predicted` and `label`, both text.

    Raises InputError for a metric that is none of `assay.config.families.ONLINE`.
    """
    number = "TRY_CAST(predicted AS DOUBLE)", "TRY_CAST(label AS DOUBLE)"
    apart = f"({number[1]} - {number[0]})"
    if metric == "accuracy":
        return f"coalesce({number[0]} = {number[1]}, predicted = label)::INTEGER::DOUBLE"
    if metric == "mae":
        return f"abs{apart}"
    if metric.startswith(QUANTILE_PREFIX):
        level = float(metric.removeprefix(QUANTILE_PREFIX))
        return f"greatest({level} * {apart}, ({level} - 1) * {apart})"
    if metric.startswith(MEAN_PREFIX):
        return number[1]
    raise InputError(
        f"{metric} cannot be measured from the prediction log.",
        remedy=f"Name one of {', '.join(ONLINE)} as the strategy's quality metric.",
    )


def _make_log(engine: Engine, names: Sequence[str], generations: Collection[int]) -> None:
    """The answers of these generations; a prediction is the output, or its member of that name.

    A list of numbers holds a probability for each class: it predicts the place of the largest, from
    0 on.
    """
    wanted = ", ".join(str(int(each)) for each in sorted(generations))
    parts = " UNION ALL ".join(
        "SELECT request_id, row, unit, version, generation, mirrored, output "
        f"FROM {identifier(name)} WHERE generation IN ({wanted})"
        for name in names
    )
    engine.run(
        "CREATE TEMP TABLE answers AS SELECT request_id, row, unit, version, generation, mirrored, "
        "CASE json_type(output) WHEN 'OBJECT' THEN json_extract_string(output, '$.prediction') "
        "WHEN 'ARRAY' THEN CASE WHEN NOT contains(output, '\"') AND NOT contains(output, 'null') "
        "THEN CAST(list_position(listed, list_max(listed)) - 1 AS VARCHAR) END "
        "ELSE json_extract_string(output, '$') END AS predicted "
        "FROM (SELECT *, TRY_CAST(output AS DOUBLE[]) AS listed "
        f"FROM ({parts}) WHERE json_valid(output))"
    )


def _make_values(engine: Engine, labels: Path, metric: str, value: str) -> None:
    table = engine.tables[_LABELS]
    column = metric.removeprefix(MEAN_PREFIX) if metric.startswith(MEAN_PREFIX) else "label"
    names = {each.name for each in table.columns}
    keys = ["request_id"] if "request_id" in names else ["unit"]
    if "request_id" in keys and "row" in names:
        keys.append("row")
    missing = [each for each in (keys[0], column) if each not in names]
    if missing:
        raise InputError(
            f"the labels have no column {' and no '.join(repr(each) for each in missing)}.",
            where=Location(file=labels.as_posix()),
            remedy=f"Write request_id (or unit) and {column!r}; row as well, where a request holds "
            "several.",
        )
    listed = ", ".join(f"CAST({identifier(key)} AS VARCHAR) AS {identifier(key)}" for key in keys)
    text = f"CAST({identifier(column)} AS VARCHAR)"
    one = (
        f"arg_max({text}, {identifier('time')})"
        if "time" in names
        else f"CASE WHEN count(DISTINCT {text}) = 1 THEN any_value({text}) END"
    )
    places = ", ".join(str(place + 1) for place in range(len(keys)))
    engine.run(
        f"CREATE TEMP TABLE truth AS SELECT {listed}, {one} AS label FROM {_LABELS} "
        f"WHERE {identifier(column)} IS NOT NULL "
        f"AND NOT coalesce(isnan(TRY_CAST({identifier(column)} AS DOUBLE)), false) "
        f"GROUP BY {places}"
    )
    joined = " AND ".join(f"CAST(a.{identifier(k)} AS VARCHAR) = t.{identifier(k)}" for k in keys)
    engine.run(
        "CREATE TEMP TABLE valued AS SELECT *, "
        f"{value} AS value FROM (SELECT a.*, t.label FROM answers a JOIN truth t ON {joined})"
    )


def _arms(engine: Engine, usual: int, *, by_unit: bool) -> dict[tuple[int, str], LabelSums]:
    unit = "coalesce(unit, request_id)" if by_unit else "request_id || '/' || row"
    found = engine.rows(
        "SELECT generation, version, count(*), avg(value), coalesce(var_pop(value), 0) * count(*), "
        f"count(*) FILTER (value <> {literal(usual)}) FROM (SELECT generation, version, "
        f"{unit} AS unit, avg(value) AS value FROM valued "
        "WHERE NOT coalesce(mirrored, false) AND isfinite(value) GROUP BY ALL) "
        "GROUP BY ALL ORDER BY ALL"
    )
    return {(int(row[0]), str(row[1])): _sums(row[2:]) for row in found}


_BOTH = (
    "FROM {table} a JOIN {table} b USING (generation, request_id, row) "
    "WHERE NOT coalesce(a.mirrored, false) AND b.mirrored"
)


def _paired(engine: Engine) -> dict[int, LabelSums]:
    found = engine.rows(
        "SELECT generation, count(*), avg(apart), coalesce(var_pop(apart), 0) * count(*), "
        "count(*) FILTER (apart <> 0) FROM (SELECT generation, b.value - a.value AS apart "
        f"{_BOTH.format(table='valued')}) WHERE isfinite(apart) GROUP BY ALL ORDER BY ALL"
    )
    return {int(row[0]): _sums(row[1:]) for row in found}


def _agreement(engine: Engine) -> dict[int, tuple[int, int]]:
    equal = (
        "coalesce(TRY_CAST(a.predicted AS DOUBLE) = TRY_CAST(b.predicted AS DOUBLE), "
        "a.predicted = b.predicted)"
    )
    found = engine.rows(
        f"SELECT generation, count(*) FILTER ({equal}), count(*) {_BOTH.format(table='answers')} "
        "GROUP BY ALL ORDER BY ALL"
    )
    return {int(row[0]): (int(row[1]), int(row[2])) for row in found}


def _sums(row: Sequence[float]) -> LabelSums:
    n, mean, squares, events = row
    return LabelSums(n=int(n), mean=float(mean), squares=float(squares), events=int(events))
