"""Rows to look at, and points of curves to draw: what a page shows and no verdict reads."""

from __future__ import annotations

from dataclasses import dataclass

from assay.tables.predictions import Pairs
from assay.tables.predictions_join import LONGEST_ID

Points = tuple[tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True, kw_only=True)
class Example:
    """A joined row; label and predictions are class numbers, scores the positive class's."""

    id: str
    label: int
    base: int
    head: int
    base_score: float | None
    head_score: float | None


def flipped_rows(pairs: Pairs, *, right: str, most: int) -> tuple[Example, ...]:
    """Return rows that only the side ``right`` ('base' or 'head') has right, by their ids' text."""
    wrong = "head" if right == "base" else "base"
    scored = pairs.task == "binary" and pairs.has_scores
    scores = "base_p, head_p" if scored else "NULL, NULL"
    rows = pairs.engine.rows(
        f"SELECT id, label, base, head, {scores} FROM paired "
        f"WHERE {right} = label AND {wrong} <> label ORDER BY id LIMIT {most}"
    )
    return tuple(
        Example(
            id=row[0][:LONGEST_ID],
            label=int(row[1]),
            base=int(row[2]),
            head=int(row[3]),
            base_score=_finite(row[4]),
            head_score=_finite(row[5]),
        )
        for row in rows
    )


def _finite(score: float | None) -> float | None:
    # Probabilities that are not numbers are said elsewhere; evidence holds none.
    return None if score is None or not abs(score) < float("inf") else round(float(score), 6)


def pr_points(pairs: Pairs, side: str, most: int) -> Points:
    """Return recall and precision of a binary side at up to ``most`` thresholds.

    A threshold is kept where recall passes another of ``most`` equal steps. Empty without a
    positive row.
    """
    rows = pairs.engine.rows(
        f"WITH counted AS (SELECT {side}_p AS p, count(*) FILTER (WHERE label = 1) AS hits, "
        "count(*) AS n FROM paired GROUP BY p), "
        "summed AS (SELECT p, sum(hits) OVER (ORDER BY p DESC) AS hit, "
        "sum(n) OVER (ORDER BY p DESC) AS taken, sum(hits) OVER () AS positives FROM counted), "
        f"stepped AS (SELECT *, hit * {most} // nullif(positives, 0) AS step FROM summed), "
        "before AS (SELECT *, lag(step, 1, 0) OVER (ORDER BY p DESC) AS step_before FROM stepped) "
        "SELECT CAST(hit AS DOUBLE) / positives, CAST(hit AS DOUBLE) / taken FROM before "
        "WHERE step <> step_before ORDER BY p DESC"
    )
    return tuple(x for x, _ in rows), tuple(y for _, y in rows)


def score_shares(
    pairs: Pairs, side: str, bins: int
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[int, ...]]:
    """Return the middles of ``bins`` equal bins of the score, their shares and their rows."""
    found = dict(
        pairs.engine.rows(
            f"SELECT least(CAST(floor({side}_p * {bins}) AS INTEGER), {bins - 1}) AS bin, count(*) "
            "FROM paired GROUP BY bin"
        )
    )
    counts = tuple(found.get(bin_, 0) for bin_ in range(bins))
    total = sum(counts) or 1
    middles = tuple((bin_ + 0.5) / bins for bin_ in range(bins))
    return middles, tuple(n / total for n in counts), counts
