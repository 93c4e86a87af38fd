"""What was answered, as the one table ``predictions`` that rows for labelling are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from assay.tables.live_log import ANSWERED, answer_of, is_targets_log
from assay.tables.source import Column, Engine, Table
from assay.tables.sql import identifier

PREDICTIONS = "predictions"
_ISO = "'%Y-%m-%dT%H:%M:%S.%fZ'"


def lay_out(
    engine: Engine, names: Sequence[str], source: Path, *, prediction: str, score: str | None
) -> None:
    """Make ``predictions`` of the opened tables called `names`, which messages call `source`.

    Of the delivery target's log the answer stands under `prediction` and its probability under
    `score`, whether it is one value, an object or a list of probabilities; `input` stays JSON.
    """
    parts = [_part(engine.tables[name], prediction, score) for name in names]
    engine.run(f"CREATE TEMP VIEW {PREDICTIONS} AS {' UNION ALL BY NAME '.join(parts)}")
    columns = tuple(
        Column(name=row[0], type=row[1]) for row in engine.rows(f"DESCRIBE {PREDICTIONS}")
    )
    (rows,) = engine.row(f"SELECT count(*) FROM {PREDICTIONS}")
    first = engine.tables[names[0]]
    engine.tables[PREDICTIONS] = replace(
        first, name=PREDICTIONS, path=source, columns=columns, rows=int(rows)
    )


def _part(table: Table, prediction: str, score: str | None) -> str:
    """SQL for one table's rows; a time with a zone is text, since no row can be read with one."""
    zoned = [identifier(one.name) for one in table.columns if one.type.startswith("TIMESTAMP WITH")]
    replaced = ", ".join(f"strftime({one}, {_ISO}) AS {one}" for one in zoned)
    if not is_targets_log(table):
        return f"SELECT * {f'REPLACE ({replaced})' if zoned else ''} FROM {identifier(table.name)}"
    answer, probability = answer_of(prediction, score)
    at = next((f"strftime({one}, {_ISO})" for one in zoned if one == identifier("time")), "time")
    given = ", input" if table.column("input") else ""
    scored = f", {probability} AS {identifier(score)}" if score else ""
    return (
        f"SELECT request_id, row, {at} AS time, version{given}, "
        f"{answer} AS {identifier(prediction)}{scored} FROM {identifier(table.name)} "
        f"WHERE {ANSWERED}"
    )
