"""Rows to look at, and points of curves to draw: what a page shows and no verdict reads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assay.tables.predictions import Pairs
from assay.tables.predictions_join import LONGEST_ID


@dataclass(frozen=True, kw_only=True)
class Example:
    """A joined row; label and predictions are class numbers, scores the positive class's."""

    id: str
    label: int
    base: int
    head: int
    base_score: float | None
    head_score: float | None


def flipped_rows(pairs: Pairs, most: int) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """Return rows that only the base has right and only the head, the first by their ids' text.

    One scan, that keeps no more than ``most`` rows of each.
    """
    scored = pairs.task == "binary" and pairs.has_scores
    scores = "base_p, head_p" if scored else "NULL, NULL"
    taken = f"arg_min(row(name, label, base, head, {scores}), name, {most})"
    parts = pairs.parts.rows(
        f"SELECT {taken} FILTER (WHERE base = label), {taken} FILTER (WHERE head = label) "
        "FROM (SELECT CAST(id AS VARCHAR) AS name, * FROM paired WHERE base <> head)"
    )
    lost, won = (
        sorted(map(_values, (row for ((*found,),) in parts for row in found[place] or ())))[:most]
        for place in (0, 1)
    )
    return tuple(map(_example, lost)), tuple(map(_example, won))


def _values(row: Sequence[Any] | dict[str, Any]) -> list[Any]:
    return list(row.values()) if isinstance(row, dict) else list(row)


def _example(values: Sequence[Any]) -> Example:
    return Example(
        id=values[0][:LONGEST_ID],
        label=int(values[1]),
        base=int(values[2]),
        head=int(values[3]),
        base_score=_finite(values[4]),
        head_score=_finite(values[5]),
    )


def _finite(score: float | None) -> float | None:
    # Probabilities that are not numbers are said elsewhere; evidence holds none.
    return None if score is None or not math.isfinite(score) else round(float(score), 6)


def class_rows(pairs: Pairs) -> tuple[int, int]:
    """Return how many rows of a binary comparison are negative and positive."""
    row = pairs.engine.row(
        "SELECT count(*) FILTER (WHERE label = 0), count(*) FILTER (WHERE label = 1) FROM paired"
    )
    return int(row[0]), int(row[1])
