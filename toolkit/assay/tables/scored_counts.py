"""Predictions by bin of their score: what performance without labels is estimated from."""

from __future__ import annotations

from dataclasses import dataclass

from assay.tables.column_counts import Layout, as_text, columns_of, finite
from assay.tables.source import Engine
from assay.tables.sql import literal


@dataclass(frozen=True, kw_only=True)
class ScoredCounts:
    """By bin of the score: its mean, and the rows predicted positive and negative.

    ``unscored`` rows have no finite score or no prediction.
    """

    scores: tuple[float, ...]
    positives: tuple[int, ...]
    negatives: tuple[int, ...]
    unscored: int


def count_scored(
    engine: Engine, source: str, *, score: Layout, prediction: str, positive: str, where: str = ""
) -> ScoredCounts | None:
    """Count in one scan; None where ``source`` lacks the score or the prediction."""
    known = {column.name: column for column in columns_of(engine, source)}
    if score.name not in known or prediction not in known:
        return None
    value, guess = finite(known[score.name]), as_text(known[prediction])
    steps = "".join(
        f" WHEN s <= {literal(edge)} THEN {place}" for place, edge in enumerate(score.edges)
    )
    condition = f"WHERE {where}" if where else ""
    found = engine.rows(
        f"SELECT CASE WHEN s IS NULL OR g IS NULL THEN -1{steps} ELSE {len(score.edges)} END AS b, "
        f"avg(s), count_if(g = {literal(positive)}), count(*) "
        f"FROM (SELECT {value} AS s, {guess} AS g FROM {source} {condition}) GROUP BY b ORDER BY b"
    )
    binned = [row for row in found if row[0] >= 0]
    return ScoredCounts(
        scores=tuple(float(row[1]) for row in binned),
        positives=tuple(int(row[2]) for row in binned),
        negatives=tuple(int(row[3] - row[2]) for row in binned),
        unscored=sum(int(row[3]) for row in found if row[0] < 0),
    )
