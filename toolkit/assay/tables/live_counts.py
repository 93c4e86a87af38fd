"""What is counted of judged predictions: sums by window, version and slice, never a row.

Reads the table ``judged`` (``live_log``, ``live_labels``). A window is numbered from 1970: its
first microsecond is number × length.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.tables.source import Engine
from assay.tables.sql import identifier, literal

BINS = 10
"""Of the score, of equal width."""
MOST_VALUES = 20
"""Of a slice's column: the most frequent ones."""


@dataclass(frozen=True, kw_only=True)
class LiveSums:
    """Sums over the labelled predictions of one window, version and slice.

    A classification has hits, wrong positives and misses where a class is the positive one; a
    regression has the sums of |e|, e² and e⁴ of its errors e; a score has, by bin, the rows, Σ(p −
    y) and Σ(p − y)².
    """

    n: int = 0
    right: int = 0
    hits: int = 0
    false_alarms: int = 0
    misses: int = 0
    errors: int = 0
    """Predictions with a numeric error, of which `apart` are not 0."""
    apart: int = 0
    absolute: float = 0.0
    squared: float = 0.0
    fourth: float = 0.0
    bins: tuple[tuple[int, float, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Where sums belong, and how many predictions there are with and without a label."""

    window: int
    version: str
    predictions: int
    sums: LiveSums


def numbers_of(engine: Engine) -> bool:
    """Whether labels are numbers rather than classes: a fraction, or more than 50 of them."""
    fraction, values, other = engine.row(
        "SELECT count(*) FILTER (contains(label, '.')), count(DISTINCT label), "
        "count(*) FILTER (TRY_CAST(label AS DOUBLE) IS NULL) FROM judged WHERE label IS NOT NULL"
    )
    return not other and bool(fraction or values > 50)


def classes_of(engine: Engine) -> tuple[str, ...]:
    """The classes among labels and predictions, sorted; at most 51."""
    found = engine.rows(
        "SELECT DISTINCT unnest([label, predicted]) AS class FROM judged "
        "WHERE label IS NOT NULL ORDER BY class LIMIT 51"
    )
    return tuple(str(name) for (name,) in found if name is not None)


def count_improbable(engine: Engine) -> int:
    """Predictions whose score is a number below 0 or above 1."""
    (rows,) = engine.row(
        "SELECT count(CASE WHEN isfinite(score) AND NOT score BETWEEN 0 AND 1 THEN 1 END) "
        "FROM judged"
    )
    return int(rows)


def count_unanswered(engine: Engine) -> int:
    """Predictions without a value, or with one that is no number where it should be."""
    (rows,) = engine.row(
        "SELECT count(CASE WHEN coalesce(predicted, 'nan') IN ('nan', 'NaN', '') THEN 1 END) "
        "FROM judged"
    )
    return int(rows)


def read_cells(
    engine: Engine, *, length: int, positive: str | None, where: str = "true"
) -> tuple[Cell, ...]:
    """Every window and version; `where` is a condition that :func:`in_slice` gives."""
    place, grouped = keys_of(
        engine,
        "judged",
        {"number": f"answered // {length}", "served": "coalesce(version, '')"},
        f"WHERE {where}",
    )
    found = engine.rows(
        f"SELECT * FROM (SELECT {place}, count(*) FROM judged WHERE {where} {grouped}) "
        f"LEFT JOIN (SELECT {place}, {_SUMS}, {_bins()} FROM ({_facts(positive)} "
        f"WHERE {where} AND label IS NOT NULL) {grouped}) USING (number, served) ORDER BY ALL"
    )
    return tuple(
        Cell(window=int(row[0]), version=str(row[1]), predictions=int(row[2]), sums=_sums(row[3:]))
        for row in found
    )


def keys_of(engine: Engine, source: str, keys: Mapping[str, str], where: str) -> tuple[str, str]:
    """SQL that selects the keys (their SQL by name) of rows, and what groups by them.

    A key that all rows share is written as it is, and nothing is grouped by it: counting without
    groups takes less than half of the time. `where` is a WHERE clause or empty.
    """
    ends = engine.row(
        f"SELECT {', '.join(f'min({sql}), max({sql})' for sql in keys.values())} "
        f"FROM {source} {where}"
    )
    selected, grouped = [], []
    for place, (name, sql) in enumerate(keys.items()):
        low, high = ends[2 * place : 2 * place + 2]
        # Without a row there is no group.
        alike = low is not None and low == high
        same = f"{low}::BIGINT" if isinstance(low, int) else literal(low)
        selected.append(f"{same if alike else sql} AS {name}")
        if not alike:
            grouped.append(name)
    return ", ".join(selected), f"GROUP BY {', '.join(grouped)}" if grouped else ""


def slice_values(engine: Engine, place: int) -> tuple[str, ...]:
    """The most frequent values of a slice's column, most frequent first."""
    column = identifier(f"slice{place}")
    found = engine.rows(
        f"SELECT {column} FROM judged WHERE {column} IS NOT NULL GROUP BY ALL "
        f"ORDER BY count(*) DESC, {column} LIMIT {MOST_VALUES}"
    )
    return tuple(str(value) for (value,) in found)


def in_slice(place: int, value: str, *, window: int, length: int) -> str:
    """The condition for one value of a slice's column, in one window."""
    column = identifier(f"slice{place}")
    return f"{column} = {literal(value)} AND answered // {length} = {window}"


def read_delays(engine: Engine, *, length: int, since: int) -> dict[int, tuple[float, float]]:
    """By window: how late half and 90 % of the labels came, in seconds; never before 0.

    Of predictions from `since` on, in µs.
    """
    found = engine.rows(
        f"SELECT answered // {length}, quantile_disc(late, 0.5), quantile_disc(late, 0.9) "
        "FROM (SELECT answered, greatest(0, came - answered) / 1e6 AS late FROM judged "
        f"WHERE label IS NOT NULL AND answered >= {since}) GROUP BY ALL ORDER BY ALL"
    )
    return {int(number): (float(median), float(ninety)) for number, median, ninety in found}


def read_labelled_shares(engine: Engine, *, window: int, length: int) -> dict[str, tuple[int, int]]:
    """By predicted class: labelled predictions, and all, in one window; the most frequent."""
    found = engine.rows(
        "SELECT predicted, count(label), count(*) FROM judged "
        f"WHERE answered // {length} = {window} AND predicted IS NOT NULL GROUP BY ALL "
        f"ORDER BY count(*) DESC, predicted LIMIT {MOST_VALUES}"
    )
    return {str(name): (int(labelled), int(rows)) for name, labelled, rows in found}


def read_early(engine: Engine, *, until: int, length: int) -> dict[str, tuple[int, int]]:
    """By class that turned out true: labels that came within the median delay, and all of them.

    Of windows up to the number `until`; the most frequent classes. Labels that all came at once
    tell nothing apart: then each of them is early.
    """
    found = engine.rows(
        "WITH waited AS (SELECT label, came - answered AS late FROM judged "
        f"WHERE label IS NOT NULL AND answered // {length} <= {until}) "
        "SELECT label, count(*) FILTER (late <= (SELECT quantile_disc(late, 0.5) FROM waited)), "
        "count(*) "
        f"FROM waited GROUP BY label ORDER BY count(*) DESC, label LIMIT {MOST_VALUES}"
    )
    return {str(name): (int(early), int(rows)) for name, early, rows in found}


_NUMBER = "TRY_CAST({} AS DOUBLE)"
# A condition within an aggregate: as its FILTER it takes several times as long.
_SUMS = (
    "count(label), count_if(label = predicted), count_if(is_true AND is_said), "
    "count_if(NOT is_true AND is_said), count_if(is_true AND NOT is_said), "
    "count(error), count_if(error <> 0), coalesce(sum(abs(error)), 0), "
    "coalesce(sum(error ** 2), 0), coalesce(sum(error ** 4), 0)"
)


def _facts(positive: str | None) -> str:
    apart = f"{_NUMBER.format('label')} - {_NUMBER.format('predicted')}"
    truth, said = "NULL::BOOLEAN", "NULL::BOOLEAN"
    if positive is not None:
        truth = f"label = {literal(positive)}"
        said = f"CASE WHEN label IS NOT NULL THEN predicted = {literal(positive)} END"
    scored = "label IS NOT NULL AND score BETWEEN 0 AND 1"
    return (
        f"SELECT *, {truth} AS is_true, {said} AS is_said, "
        f"CASE WHEN isfinite({apart}) THEN {apart} END AS error, "
        f"CASE WHEN {scored} THEN least(floor(score * {BINS})::INTEGER, {BINS - 1}) END AS bin, "
        f"score - ({truth})::INTEGER AS gap FROM judged"
    )


def _bins() -> str:
    parts = []
    for place in range(BINS):
        parts += [
            f"count_if(bin = {place} AND gap IS NOT NULL)",
            f"coalesce(sum(CASE WHEN bin = {place} THEN gap END), 0)",
            f"coalesce(sum(CASE WHEN bin = {place} THEN gap ** 2 END), 0)",
        ]
    return ", ".join(parts)


def _sums(found: tuple[float | None, ...]) -> LiveSums:
    # A window without a label has no row of sums.
    row = [each or 0 for each in found]
    counted = [int(each) for each in row[:7]]
    by_bin = row[10:]
    bins = tuple(
        (int(by_bin[at]), float(by_bin[at + 1]), float(by_bin[at + 2]))
        for at in range(0, 3 * BINS, 3)
    )
    return LiveSums(
        n=counted[0],
        right=counted[1],
        hits=counted[2],
        false_alarms=counted[3],
        misses=counted[4],
        errors=counted[5],
        apart=counted[6],
        absolute=float(row[7]),
        squared=float(row[8]),
        fourth=float(row[9]),
        bins=bins if any(n for n, _, _ in bins) else (),
    )
