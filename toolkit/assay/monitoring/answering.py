"""Which version answers now, asked of the log before the look itself: whose promise is held."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from assay.config import Logs, Monitoring
from assay.errors import InputError
from assay.monitoring.found import serving
from assay.monitoring.memory import recall
from assay.monitoring.sources import find_source
from assay.monitoring.times import microseconds_of
from assay.tables import live_log
from assay.tables.live_counts import Cell, LiveSums
from assay.tables.log_files import check_files
from assay.tables.source import open_tables, scratch_folder


def answering_version(
    model: str,
    monitoring: Monitoring,
    *,
    root: Path,
    state: Path,
    at: datetime,
    known: Collection[str] = (),
) -> str | None:
    """Return the version that the look will name; None where none is logged.

    Of the log the last two windows are read; where nothing answered in them, what earlier looks
    remember counts, and without any the whole log. ``root`` is the folder of assay.yaml; of the
    versions only those ``known`` count, or remembered as known, where there are any. Raises what
    ``find_source`` raises.
    """
    length = round(monitoring.window * 1e6)
    now = microseconds_of(at)
    before = recall(state, model, monitoring.window)
    let_in = {*known, *before.known}

    def cells(since: int) -> list[Cell]:
        files = find_source(
            monitoring.logs,
            root=root,
            cache=state / "fetched" / "logs",
            setting=f"models.{model}.monitoring.logs.source",
            since=since,
        )
        found = _cells(files, monitoring.logs, length, since=since, until=now)
        return [cell for cell in found if not let_in or cell.version in let_in]

    recent = cells((now // length - 1) * length) or [one.cell() for one in before.cells]
    return serving(recent or cells(0))


def _cells(
    files: tuple[Path, ...], logs: Logs, length: int, *, since: int, until: int
) -> tuple[Cell, ...]:
    """How many predictions each version answered, by window; times in µs."""
    columns = live_log.LogColumns(
        id=logs.id,
        row=logs.row,
        time=logs.time,
        version=logs.version,
        prediction=logs.prediction,
        score=None,
        slices=(),
    )
    needed = [each for each in (logs.id, logs.row, logs.time, logs.prediction) if each]
    with scratch_folder() as folder:
        good = check_files(files, needed, folder, since=(logs.time, since), deep=False).files
        tables = {f"log{place}": path for place, path in enumerate(good)}
        if not good:
            return ()
        try:
            with open_tables(tables) as engine:
                live_log.make_answers(engine, list(tables), columns, since=since, until=until)
                found = engine.rows(
                    f"SELECT answered // {length}, coalesce(version, ''), count(*) "  # noqa: S608
                    "FROM answers GROUP BY ALL ORDER BY ALL"
                )
        except InputError:
            # A file is damaged inside: the look itself names it, and goes on without it.
            return ()
    return tuple(
        Cell(window=int(window), version=version, predictions=int(n), sums=LiveSums())
        for window, version, n in found
    )
