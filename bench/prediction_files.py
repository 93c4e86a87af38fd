"""Prediction files for the benches: two binary models that nearly agree, of any number of rows."""

from __future__ import annotations

from pathlib import Path

import duckdb

SLICES = {"region": 5, "plan": 4, "channel": 6, "device": 5}
"""Slice columns and how many values each has: 20 slices in all."""


def write_sides(
    folder: Path, rows: int, *, slices: bool = False, shuffled: bool = False
) -> tuple[Path, Path]:
    """Write base.parquet and head.parquet; ``shuffled`` lists the head's rows in another order.

    Everything follows from the row's number, so that memory does not grow with the rows.
    """
    more = "".join(
        f", '{name}-' || (hash(id + {place + 100}) % {values}) AS {name}"
        for place, (name, values) in enumerate(SLICES.items())
        if slices
    )
    paths = []
    with duckdb.connect() as connection:
        connection.execute("SET memory_limit = '3GB'; SET preserve_insertion_order = true")
        connection.execute(f"SET temp_directory = '{folder.as_posix()}'")
        for side, seed, noise in (("base", 11, 1.2), ("head", 13, 1.1)):
            path = folder / f"{side}.parquet"
            order = " ORDER BY hash(id)" if shuffled and side == "head" else ""
            connection.execute(
                f"COPY (SELECT id, y AS y_true, CAST(s >= 0.5 AS BIGINT) AS y_pred, s AS y_score"  # noqa: S608 -- all of it stands here
                f"{more} FROM (SELECT id, y, 1 / (1 + exp(-(2 * y - 1 + {noise} * "
                f"{_normal(seed)}))) AS s FROM (SELECT range AS id, CAST(hash(range) % 1000 < 300 "
                f"AS BIGINT) AS y FROM range({rows}))){order}) TO '{path.as_posix()}'"
            )
            paths.append(path)
    return paths[0], paths[1]


def _normal(seed: int) -> str:
    """SQL for a standard normal number out of the row's id (Box and Muller)."""
    uniform = "((hash(id * {factor} + {shift}) >> 11) / 9007199254740992.0)"
    radius = uniform.format(factor=31, shift=seed)
    angle = uniform.format(factor=37, shift=seed + 60)
    return f"sqrt(-2 * ln({radius} + 1e-300)) * cos(2 * pi() * {angle})"
