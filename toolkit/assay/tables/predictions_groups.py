"""The ways in which the joined rows are divided: by a slice column, or by two at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from assay.config import Cross, Slice
from assay.errors import InputError
from assay.tables.predictions_slices import AND, LISTED, MOST_VALUES, Sliced
from assay.tables.source import Engine

ROWS = "paired_rows"
"""The table below ``paired`` where there are crossings."""


MOST_DIRECT = 20_000
"""Pairs of a crossing up to which all are counted by the queries, and left out afterwards."""


@dataclass(frozen=True, kw_only=True)
class Extent:
    """Which slices are counted beside the most frequent ones, and among which is searched.

    ``least`` is the number of rows from which on every slice counts. ``depth`` is 1 where the
    columns and the crossings asked for are searched, 2 for every crossing, 0 for no search.
    """

    least: int = 1
    depth: int = 0


@dataclass(frozen=True, kw_only=True)
class Group:
    """One way to divide the rows; ``key`` is the column of ``paired`` with each row's slice.

    A crossing's code is the first column's code times the number of the second's values, plus
    the second's code.
    """

    key: str
    columns: tuple[Sliced, ...]
    codes: frozenset[int]
    """The slices that are counted."""
    listed: frozenset[int]
    """Those of them that are listed: the LISTED with most rows."""
    distinct: int
    """How many slices there are."""

    def only_listed(self) -> Group:
        """The group without what is searched alone."""
        return replace(self, codes=self.listed)

    def left_out(self, *, searched: bool) -> str | None:
        """The note on slices that are not listed."""
        if self.distinct == len(self.listed):
            return None
        name = AND.join(each.asked.column for each in self.columns)
        others = "searched for the worst where they have the rows" if searched else "not measured"
        return (
            f"{name!r} has {self.distinct:,} values; the {len(self.listed):,} with most rows are "
            f"listed, the others are {others}."
        )

    def parts(self, code: int) -> tuple[str, ...]:
        """The names of the slices, one of each column, whose common rows this slice has."""
        names = []
        for sliced in reversed(self.columns):
            code, place = divmod(code, len(sliced.names))
            names.append(sliced.names[place])
        return tuple(reversed(names))

    def name(self, code: int) -> str:
        """The slice's name: 'plan=a', or 'plan=a & age=30 to below 60'."""
        return AND.join(self.parts(code))


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


def singles(sliced: Sequence[Sliced]) -> tuple[Group, ...]:
    """The groups of single columns; ``sliced`` are those of :func:`columns_of`, resolved."""
    return tuple(
        Group(
            key=f"s{place}",
            columns=(each,),
            codes=codes,
            # Bins stand in their own order, and are few.
            listed=frozenset(range(len(each.names) if each.asked.bins else LISTED)) & codes,
            distinct=each.distinct,
        )
        for place, each in enumerate(sliced)
        for codes in (frozenset(range(len(each.names))),)
    )


def crosses_of(
    slices: Sequence[Slice | Cross], columns: Sequence[Slice], *, every: bool
) -> tuple[tuple[str, str], ...]:
    """The pairs of columns to cross: those asked for, and with ``every`` all others too."""
    asked = dict.fromkeys(each.cross for each in slices if isinstance(each, Cross))
    known = {frozenset(pair) for pair in asked}
    others = [
        pair
        for pair in combinations((each.column for each in columns), 2)
        if every and frozenset(pair) not in known
    ]
    return (*asked, *others)


def crossings(
    engine: Engine, crosses: Sequence[tuple[str, str]], sliced: Sequence[Sliced], *, least: int
) -> tuple[Group, ...]:
    """Make the view ``paired`` over ROWS with a column for each crossing, and return their groups.

    Every pair with ``least`` joined rows counts, and the most frequent others up to LISTED.
    """
    places = {each.asked.column: place for place, each in enumerate(sliced)}
    groups = []
    selected, joins = [f"{ROWS}.*"], [f"FROM {ROWS}"]
    for number, names in enumerate(crosses):
        first, second = (places[name] for name in names)
        width = len(sliced[second].names)
        code = f"CAST(s{first} AS BIGINT) * {width} + s{second}"
        kept, distinct = _kept(engine, code, least)
        key = f"x{number}"
        if distinct > MOST_DIRECT:
            listed = ", ".join(f"({each})" for each in sorted(kept))
            joins.append(
                f"LEFT JOIN (VALUES {listed}) AS {key}_kept(code) ON {key}_kept.code = {code}"
            )
            code = f"{key}_kept.code"
        selected.append(f"{code} AS {key}")
        groups.append(
            Group(
                key=key,
                columns=(sliced[first], sliced[second]),
                codes=frozenset(kept),
                listed=frozenset(kept[:LISTED]),
                distinct=distinct,
            )
        )
    engine.run(f"CREATE TEMP VIEW paired AS SELECT {', '.join(selected)} {' '.join(joins)}")
    return tuple(groups)


def _kept(engine: Engine, code: str, least: int) -> tuple[list[int], int]:
    """The codes that are counted, the most frequent first, and how many occur."""
    rows = engine.rows(
        f"SELECT code, n, count(*) OVER () FROM (SELECT {code} AS code, count(*) AS n FROM {ROWS} "
        f"GROUP BY code) WHERE code IS NOT NULL ORDER BY n DESC, code LIMIT {MOST_VALUES}"
    )
    kept = [row[0] for place, row in enumerate(rows) if place < LISTED or row[1] >= least]
    return kept, rows[0][2] if rows else 0


def in_order_of(slices: Sequence[Slice | Cross], groups: Sequence[Group]) -> tuple[Group, ...]:
    """The groups that were asked for, in that order."""
    found = {tuple(each.asked.column for each in group.columns): group for group in groups}
    keys = (asked.cross if isinstance(asked, Cross) else (asked.column,) for asked in slices)
    return tuple(found[key] for key in dict.fromkeys(keys))
