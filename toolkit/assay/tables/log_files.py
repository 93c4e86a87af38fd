"""Which files of logs and labels can be read: each by itself, or with many of its like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from assay.errors import AssayError
from assay.tables.live_log import TARGETS_LOG, is_targets_log, microseconds
from assay.tables.parts import Since, merge_parts
from assay.tables.source import Table, open_tables
from assay.tables.sql import identifier


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What to read, and one sentence for each file that cannot be read."""

    files: tuple[Path, ...]
    unreadable: tuple[str, ...]


def check_files(
    files: Sequence[Path],
    needed: Sequence[str],
    folder: Path,
    *,
    since: tuple[str, int] | None,
    deep: bool,
    hold: Callable[[Path], Path | None] = lambda path: path,
) -> Checked:
    """Open each file; many small ones of one schema as one, of which a copy is in `folder`.

    `since`: leave out those whose time column ends before, in µs.

    One with its columns and no rows is no fault: many writers leave a part where nothing came.
    `deep` reads every value of the needed columns, which finds damage behind an intact footer.
    `hold` gives what is read in a file's place while it grows; None: no row of it is whole yet.
    """
    good: list[Path] = []
    bad: list[str] = []
    read: dict[Path, Path] = {}
    for path in files:
        try:
            held = hold(path)
        except AssayError as error:
            bad.append(f"{path.as_posix()}: {error.message.rstrip('.')}")
        else:
            read |= {held: path} if held is not None else {}
    newer = None if since is None else Since(time=partial(_time, named=since[0]), least=since[1])
    merged = merge_parts(list(read), folder, since=newer)
    stands = {path: (path,) for path in merged.alone} | dict(merged.copies)
    for path, parts in stands.items():
        try:
            why, wanted = _examined(path, needed, newer, deep=deep)
        except AssayError as error:
            why, wanted = error.message.rstrip("."), False
        if why is not None:
            bad.extend(f"{read[part].as_posix()}: {why}" for part in parts)
        elif wanted:
            good.append(path)
    return Checked(files=tuple(good), unreadable=tuple(bad))


def _time(table: Table, named: str) -> str:
    return microseconds(table, "time" if is_targets_log(table) else named)


def _examined(
    path: Path, needed: Sequence[str], since: Since | None, *, deep: bool
) -> tuple[str | None, bool]:
    """Why a file cannot be read, None where it can; and whether anything of it is wanted."""
    with open_tables({"one": path}, compared=(), rowless=True) as engine:
        table = engine.tables["one"]
        why = _unfit(table, needed, ours=is_targets_log(table))
        if why is not None or table.rows == 0:
            return why, False
        if since is not None:
            (last,) = engine.row(f"SELECT max({since.time(table)}) FROM one")
            if last is not None and last < since.least:
                return None, False
        if deep:
            listed = ", ".join(identifier(each.name) for each in table.columns)
            engine.row(f"SELECT bit_xor(hash({listed})) FROM one")
    return None, True


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
