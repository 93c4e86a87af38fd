"""The ways in which the joined rows are divided: by a slice column, or by two at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assay.config import Cross, Slice
from assay.errors import InputError
from assay.tables.predictions_slices import AND, FEW_VALUES, MOST_VALUES, Sliced, left_out
from assay.tables.source import Engine

ROWS = "paired_rows"
"""The table below ``paired`` where there are crossings."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """One way to divide the rows; ``key`` is the column of ``paired`` with each row's slice.

    A row whose slice is not counted has NULL there. A crossing's code is the first column's code
    times the number of the second's values, plus the second's code.
    """

    key: str
    columns: tuple[Sliced, ...]
    codes: tuple[int, ...]
    """The slices that are counted, ascending."""
    notes: tuple[str, ...] = ()

    def name(self, code: int) -> str:
        """The slice's name: 'plan=a', or 'plan=a & age=30 to below 60'."""
        names = []
        for sliced in reversed(self.columns):
            code, place = divmod(code, len(sliced.names))
            names.append(sliced.names[place])
        return AND.join(reversed(names))


def columns_of(slices: Sequence[Slice | Cross]) -> tuple[Slice, ...]:
    """The columns to slice by, each once: those that are listed, then those that are crossed.

    Raises InputError where a column is listed in two ways.
    """
    listed = tuple(dict.fromkeys(asked for asked in slices if isinstance(asked, Slice)))
    names = [asked.column for asked in listed]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(
            f"the column {twice[:100]!r} is sliced in two ways.",
            remedy="Name it once, with the finest bins that are wanted.",
        )
    crossed = dict.fromkeys(
        name
        for asked in slices
        if isinstance(asked, Cross)
        for name in asked.cross
        if name not in names
    )
    return (*listed, *(Slice(column=name) for name in crossed))


def singles(slices: Sequence[Slice | Cross], sliced: Sequence[Sliced]) -> tuple[Group, ...]:
    """The listed columns' groups; ``sliced`` are the columns of :func:`columns_of`, resolved."""
    listed = {asked.column for asked in slices if isinstance(asked, Slice)}
    return tuple(
        Group(key=f"s{place}", columns=(each,), codes=tuple(range(len(each.names))))
        for place, each in enumerate(sliced)
        if each.asked.column in listed
    )


def crossings(
    engine: Engine,
    slices: Sequence[Slice | Cross],
    sliced: Sequence[Sliced],
    *,
    least: int,
) -> tuple[Group, ...]:
    """Make the view ``paired`` over ROWS with a column for each crossing, and return their groups.

    Every pair with ``least`` joined rows counts, and the most frequent others up to FEW_VALUES.
    """
    places = {each.asked.column: place for place, each in enumerate(sliced)}
    pairs = dict.fromkeys(
        (places[asked.cross[0]], places[asked.cross[1]])
        for asked in slices
        if isinstance(asked, Cross)
    )
    groups = []
    selected, joins = [f"{ROWS}.*"], [f"FROM {ROWS}"]
    for number, (first, second) in enumerate(pairs):
        width = len(sliced[second].names)
        code = f"CAST(s{first} AS BIGINT) * {width} + s{second}"
        kept, distinct = _kept(engine, code, least)
        key = f"x{number}"
        if distinct > len(kept):
            listed = ", ".join(f"({each})" for each in kept)
            joins.append(
                f"LEFT JOIN (VALUES {listed}) AS {key}_kept(code) ON {key}_kept.code = {code}"
            )
            code = f"{key}_kept.code"
        selected.append(f"{code} AS {key}")
        columns = (sliced[first], sliced[second])
        name = AND.join(each.asked.column for each in columns)
        notes = (left_out(name, distinct, len(kept)),) if distinct > len(kept) else ()
        groups.append(Group(key=key, columns=columns, codes=kept, notes=notes))
    engine.run(f"CREATE TEMP VIEW paired AS SELECT {', '.join(selected)} {' '.join(joins)}")
    return tuple(groups)


def _kept(engine: Engine, code: str, least: int) -> tuple[tuple[int, ...], int]:
    """The codes that are counted, ascending, and how many occur."""
    rows = engine.rows(
        f"SELECT code, n, count(*) OVER () FROM (SELECT {code} AS code, count(*) AS n FROM {ROWS} "
        f"GROUP BY code) WHERE code IS NOT NULL ORDER BY n DESC, code LIMIT {MOST_VALUES}"
    )
    kept = [row[0] for place, row in enumerate(rows) if place < FEW_VALUES or row[1] >= least]
    return tuple(sorted(kept)), rows[0][2] if rows else 0


def in_order_of(slices: Sequence[Slice | Cross], groups: Sequence[Group]) -> tuple[Group, ...]:
    """The groups in the order in which their slices were asked for."""
    found: Mapping[tuple[str, ...], Group] = {
        tuple(each.asked.column for each in group.columns): group for group in groups
    }
    keys = (
        asked.cross if isinstance(asked, Cross) else (asked.column,)
        for asked in dict.fromkeys(slices)
    )
    return tuple(found[key] for key in dict.fromkeys(keys))
