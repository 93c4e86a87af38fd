"""Which files of logs and labels can be read: each is opened by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.errors import AssayError
from assay.tables.live_log import TARGETS_LOG, is_targets_log, microseconds
from assay.tables.source import Table, open_tables
from assay.tables.sql import identifier


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The files with rows that can be read, and one sentence for each that cannot."""

    files: tuple[Path, ...]
    unreadable: tuple[str, ...]


def check_files(
    files: Sequence[Path],
    needed: Sequence[str],
    *,
    since: tuple[str, int] | None,
    deep: bool,
    hold: Callable[[Path], Path | None] = lambda path: path,
) -> Checked:
    """Open each file by itself. `since`: leave out those whose time column ends before, in µs.

    One with its columns and no rows is no fault: many writers leave a part where nothing came.
    `deep` reads every value of the needed columns, which finds damage behind an intact footer.
    `hold` gives what is read in a file's place while it grows; None: no row of it is whole yet.
    """
    good, bad = [], []
    for path in files:
        try:
            held = hold(path)
            if held is None:
                continue
            with open_tables({"one": held}, compared=(), rowless=True) as engine:
                table = engine.tables["one"]
                ours = is_targets_log(table)
                why = _unfit(table, needed, ours=ours)
                if why is not None:
                    bad.append(f"{path.as_posix()}: {why}")
                    continue
                if table.rows == 0:
                    continue
                if since is not None:
                    column = "time" if ours else since[0]
                    (last,) = engine.row(f"SELECT max({microseconds(table, column)}) FROM one")
                    if last is not None and last < since[1]:
                        continue
                if deep:
                    listed = ", ".join(identifier(each.name) for each in table.columns)
                    engine.row(f"SELECT bit_xor(hash({listed})) FROM one")
        except AssayError as error:
            bad.append(f"{path.as_posix()}: {error.message.rstrip('.')}")
        else:
            good.append(held)
    return Checked(files=tuple(good), unreadable=tuple(bad))


def _unfit(table: Table, needed: Sequence[str], *, ours: bool) -> str | None:
    """Why a file cannot be read by its columns; None: it can."""
    kinds = {each.name: each.kind for each in table.columns}
    if ours:
        if table.rows == 0:
            return None  # Without a row, CSV's columns are all text.
        other = [name for name, kind in TARGETS_LOG.items() if kinds[name] not in kind]
        return f"column {other[0]!r} is not of the prediction log's type" if other else None
    absent = [name for name in needed if name not in kinds]
    return f"it has no column {', '.join(map(repr, absent))}" if absent else None
