"""Several predictions files cut down to the rows whose ids all of them have."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.tables.source import open_tables
from assay.tables.sql import identifier


@dataclass(frozen=True, kw_only=True)
class CommonRows:
    """The cut files, in the order of the given ones, and the rows that each of those lost."""

    files: tuple[Path, ...]
    rows: int
    left_out: tuple[int, ...]


def write_common_rows(files: Sequence[Path], ids: Sequence[str], folder: Path) -> CommonRows:
    """Write each file's rows whose id all others have, as CSV, into ``folder``.

    ``ids`` names each file's id column. Ids are compared as text. Raises InputError where a file
    cannot be read.
    """
    names = [f"corner{place}" for place in range(len(files))]
    with open_tables(dict(zip(names, files, strict=True))) as engine:
        keys = [
            f"SELECT CAST({identifier(column)} AS VARCHAR) FROM {engine.tables[name].name}"
            for name, column in zip(names, ids, strict=True)
        ]
        engine.run(
            f"CREATE TEMP TABLE common_ids AS SELECT * FROM ({' INTERSECT '.join(keys)}) t(id)"
        )
        written, left_out = [], []
        for name, column in zip(names, ids, strict=True):
            table = engine.tables[name]
            key = f"CAST({identifier(column)} AS VARCHAR)"
            rows = engine.rows(
                f"SELECT * FROM {table.name} WHERE {key} IN (SELECT id FROM common_ids)"
            )
            target = folder / f"{name}.csv"
            with target.open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream)
                writer.writerow([found.name for found in table.columns])
                writer.writerows(rows)
            written.append(target)
            left_out.append(table.rows - len(rows))
        (many,) = engine.row("SELECT count(*) FROM common_ids")
    return CommonRows(files=tuple(written), rows=int(many), left_out=tuple(left_out))
