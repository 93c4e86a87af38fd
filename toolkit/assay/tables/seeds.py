"""Several training seeds in one predictions file: which there are, and the rows of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from assay.errors import InputError, Location
from assay.tables.predictions_columns import canonical
from assay.tables.source import Engine, Table, open_tables
from assay.tables.sql import identifier, literal

MOST_SEEDS = 50


@dataclass(frozen=True, kw_only=True)
class Seeds:
    """The seeds of both sides by name, ascending; None where a side has no seed column."""

    base: tuple[str, ...] | None
    head: tuple[str, ...] | None


def seeds_of(base: Path, head: Path, column: str) -> Seeds:
    """Read which seeds each side has in ``column``.

    Raises InputError where neither side has the column, where a seed is missing or holds nested
    values, where seeds of a side have different numbers of rows, and for more than MOST_SEEDS.
    """
    with open_tables({"base": base, "head": head}) as engine:
        sides = [_seeds(engine, engine.tables[name], column) for name in ("base", "head")]
        if sides == [None, None]:
            listed = ", ".join(repr(c.name[:60]) for c in engine.tables["head"].columns[:20])
            raise InputError(
                f"there is no column {column[:100]!r} that names the training seed.",
                where=Location(file=head.as_posix()),
                remedy=f"The file has: {listed}.",
            )
    return Seeds(base=sides[0], head=sides[1])


@contextmanager
def open_seeds(
    files: Mapping[str, Path], column: str, seeds: Mapping[str, str | None]
) -> Iterator[Engine]:
    """Open each file as ``open_tables`` does, with the rows of one seed alone (None: all rows).

    The seed's column is left out, so that it is no score of any row.
    """
    with open_tables({f"whole_{name}": path for name, path in files.items()}) as engine:
        for name in files:
            whole = engine.tables.pop(f"whole_{name}")
            engine.tables[name] = _of_seed(engine, whole, name, column, seeds[name])
        yield engine


def _of_seed(engine: Engine, whole: Table, name: str, column: str, seed: str | None) -> Table:
    chosen = "*" if seed is None else f"* EXCLUDE ({identifier(column)})"
    rows = "" if seed is None else f" WHERE {_text(column)} = {literal(seed)}"
    engine.run(
        f"CREATE TEMP VIEW {identifier(name)} AS SELECT {chosen} "
        f"FROM {identifier(whole.name)}{rows}"
    )
    (count,) = engine.row(f"SELECT count(*) FROM {identifier(name)}")
    columns = tuple(each for each in whole.columns if seed is None or each.name != column)
    return replace(whole, name=name, columns=columns, rows=count)


def _text(column: str) -> str:
    return f"CAST({identifier(column)} AS VARCHAR)"


def _seeds(engine: Engine, table: Table, name: str) -> tuple[str, ...] | None:
    column = table.column(name)
    if column is None:
        return None
    where = table.where
    if column.kind == "other":
        raise InputError(f"the seed column {name!r} holds {column.type} values.", where=where)
    text = canonical(column, identifier(name), truth_as_number=False)
    rows = engine.rows(
        f"SELECT {_text(name)} AS seed, count(*) AS n, "
        f"count(*) FILTER (WHERE {text} IS NULL) FROM {identifier(table.name)} GROUP BY 1 "
        f"ORDER BY 1 LIMIT {MOST_SEEDS + 1}"
    )
    if any(missing for _, _, missing in rows):
        raise InputError(f"the seed column {name!r} is empty in some rows.", where=where)
    if len(rows) > MOST_SEEDS:
        raise InputError(
            f"the column {name!r} has more than {MOST_SEEDS} values, too many for training seeds.",
            where=where,
            remedy="Name the column that says which training run a row's prediction is from.",
        )
    if len({n for _, n, _ in rows}) > 1:
        shown = ", ".join(f"{seed[:40]!r} has {n:,}" for seed, n, _ in rows[:5])
        raise InputError(
            f"the seeds have different numbers of rows: {shown}.",
            where=where,
            remedy="Let every seed predict the same test rows.",
        )
    return tuple(sorted((seed for seed, _, _ in rows), key=_by_number))


def _by_number(seed: str) -> tuple[float, str]:
    try:
        return float(seed), seed
    except ValueError:
        return float("inf"), seed
