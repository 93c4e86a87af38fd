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
    found = pairs.engine.row(
        f"SELECT {taken} FILTER (WHERE base = label), {taken} FILTER (WHERE head = label) "
        "FROM (SELECT CAST(id AS VARCHAR) AS name, * FROM paired WHERE base <> head)"
    )
    lost, won = (tuple(map(_example, rows or ())) for rows in found)
    return lost, won


def _example(row: Sequence[Any] | dict[str, Any]) -> Example:
    values = list(row.values()) if isinstance(row, dict) else list(row)
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


def score_shares(pairs: Pairs, bins: int) -> dict[str, tuple[int, ...]]:
    """Return each side's rows in ``bins`` equal bins of the score, from 0 to 1, in one scan."""
    sides = ("base", "head")
    places = ", ".join(
        f"least(CAST(floor({side}_p * {bins}) AS INTEGER), {bins - 1}) AS {side}" for side in sides
    )
    counts = {side: [0] * bins for side in sides}
    for base, head, n in pairs.engine.rows(
        f"SELECT base, head, count(*) FROM (SELECT {places} FROM paired) GROUP BY base, head"
    ):
        counts["base"][base] += n
        counts["head"][head] += n
    return {side: tuple(values) for side, values in counts.items()}
