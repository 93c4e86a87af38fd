"""Placement values for the ROC AUC, by counting distinct scores rather than comparing rows."""

from __future__ import annotations

from dataclasses import dataclass

from assay.tables.predictions import Pairs
from assay.tables.predictions_moments import Basis, Moments, Variables, joint_moments

_VARIABLES = ("base_u", "head_u - base_u")


@dataclass(frozen=True, kw_only=True)
class Placements:
    """Moments of (base's placement, head's − base's), over positive and over negative rows.

    None where the slice has no row of that class.
    """

    positives: Moments | None
    negatives: Moments | None


def placement_moments(pairs: Pairs, basis: Basis) -> dict[str, Placements]:
    """Return the placements' moments for all rows and each slice.

    A positive's placement is the share of negatives below its score, a negative's the share of
    positives above; ties count half (DeLong et al. 1988; see stats.auc). A row counts as changed
    where its score differs: its placement moves whenever any row of the other class changes.
    """
    result: dict[str, Placements] = {}
    for place in range(-1, len(pairs.slices)):
        code = "-1" if place < 0 else pairs.slices[place].key
        pairs.engine.run(_placed(code))
        parts = [_of_class(pairs, place, label, basis) for label in (1, 0)]
        pairs.engine.run("DROP TABLE placed")
        for name in sorted(set(parts[0]) | set(parts[1])):
            result[name] = Placements(positives=parts[0].get(name), negatives=parts[1].get(name))
    return result


def _of_class(pairs: Pairs, place: int, label: int, basis: Basis) -> dict[str, Moments | None]:
    found = joint_moments(
        pairs,
        {
            "placement": Variables(
                expressions=_VARIABLES,
                source=f"(SELECT * FROM placed WHERE label = {label} AND base_u IS NOT NULL)",
                changed="score_differs",
            )
        },
        basis,
        groups=(f"{place} AS place, code", "GROUP BY code"),
    )
    return found["placement"]


def _placed(code: str) -> str:
    counted = ", ".join(f"{_counted(side)}, {_placement(side)}" for side in ("base", "head"))
    return (
        f"CREATE TEMP TABLE placed AS WITH rows AS (SELECT {code} AS code, label, "
        "base_p AS base_v, head_p AS head_v FROM paired WHERE "
        f"{code} IS NOT NULL), {counted} "
        "SELECT code, label, "
        "CASE label WHEN 1 THEN b.above_negatives ELSE b.below_positives END AS base_u, "
        "CASE label WHEN 1 THEN h.above_negatives ELSE h.below_positives END AS head_u, "
        "base_v <> head_v AS score_differs "
        "FROM rows JOIN base_placement AS b USING (code, base_v) "
        "JOIN head_placement AS h USING (code, head_v)"
    )


def _counted(side: str) -> str:
    return (
        f"{side}_counts AS (SELECT code, {side}_v, count(*) FILTER (WHERE label = 1) AS p, "
        f"count(*) FILTER (WHERE label = 0) AS q FROM rows GROUP BY code, {side}_v)"
    )


def _placement(side: str) -> str:
    ordered = f"(PARTITION BY code ORDER BY {side}_v ROWS UNBOUNDED PRECEDING)"
    return (
        f"{side}_placement AS (SELECT code, {side}_v, "
        f"CAST(2 * sum(q) OVER {ordered} - q AS DOUBLE) "
        "/ nullif(2 * sum(q) OVER (PARTITION BY code), 0) AS above_negatives, "
        f"1 - CAST(2 * sum(p) OVER {ordered} - p AS DOUBLE) "
        "/ nullif(2 * sum(p) OVER (PARTITION BY code), 0) AS below_positives "
        f"FROM {side}_counts)"
    )
