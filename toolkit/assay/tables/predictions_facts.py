"""What is asked of every joined row once, in one scan: what is missing, changed, or the same."""

from __future__ import annotations

from dataclasses import dataclass

from assay.tables import predictions_task as tasks
from assay.tables.predictions_columns import Side
from assay.tables.predictions_parts import Parts
from assay.tables.predictions_task import Inferred
from assay.tables.sql import literal

CLIP = 2.0**-52
"""A probability of the true class below this counts as this in the log loss (as scikit-learn)."""
PROBABILITY_FAULTS = {
    "missing": "missing, infinite or no number",
    "outside": "outside 0 to 1",
    "sum": "not adding up to 1",
}
_SIDES = ("base", "head")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Counts of joined rows."""

    changed: int
    """Rows whose label differs between the sides."""
    missing: dict[str, int]
    """Rows without a usable label, and without a prediction on either side: by column."""
    differing: dict[int, int]
    """Rows that the other side has in another slice, by the slice column's place."""
    broken: dict[str, str]
    """Why probabilities cannot be used: by 'missing', 'outside' and 'sum'."""
    clipped: int
    """Probabilities of the true class, on either side, that the log loss clips."""
    identical: bool
    """Whether both sides predict the same on every joined row."""


def facts(parts: Parts, inferred: Inferred, *, differing: tuple[int, ...], means: int) -> Facts:
    """Ask ``paired`` for all of them; ``differing`` are the places with a column on both sides."""
    asked = {"changed": _rows_where("label_changed")}
    unusable = missing_sql(inferred)
    asked |= {f"missing {column}": _rows_where(bad) for column, bad in unusable.items()}
    asked |= {f"differing {place}": _rows_where(f"s{place}_differs") for place in differing}
    scored = all(has_scores(inferred, side) for side in (inferred.base, inferred.head))
    same = [f"base_m{place} IS NOT DISTINCT FROM head_m{place}" for place in range(means)]
    if inferred.task != tasks.SCORE:
        same.append("base = head")
    if scored:
        same.append("base_p IS NOT DISTINCT FROM head_p")
        for side in _SIDES:
            for kind in PROBABILITY_FAULTS:
                asked[f"{side} {kind}"] = _rows_where(f"{side}_{kind}")
            true = true_class_sql(inferred.task, side)
            asked[f"{side} clipped"] = _rows_where(f"{true} < {literal(CLIP)}")
    asked["unlike"] = _rows_where(f"NOT ({' AND '.join(same) or 'false'})")
    (row,) = parts.added(f"SELECT {', '.join(asked.values())} FROM paired")
    found = dict(zip(asked, row, strict=True))
    return Facts(
        changed=int(found["changed"]),
        missing={column: int(found[f"missing {column}"]) for column in unusable},
        differing={place: int(found[f"differing {place}"]) for place in differing},
        broken={
            kind: f"{found[f'{side} {kind}']:,} rows of the {side} have probabilities {words}"
            for kind, words in PROBABILITY_FAULTS.items()
            for side in _SIDES
            if scored and found[f"{side} {kind}"]
        },
        clipped=sum(int(found[f"{side} clipped"]) for side in _SIDES) if scored else 0,
        identical=not found["unlike"],
    )


def missing_sql(inferred: Inferred) -> dict[str, str]:
    """By column of ``paired``: the condition under which a row cannot be compared."""
    if inferred.task == tasks.SCORE:
        return {}
    finite = inferred.task in (tasks.REGRESSION, tasks.RANKING)
    return {
        column: f"{column} IS NULL" + (f" OR NOT isfinite({column})" if finite else "")
        for column in ("label", *_SIDES)
    }


def true_class_sql(task: str, side: str) -> str:
    """SQL for a side's probability of the true class."""
    if task == tasks.BINARY:
        return f"CASE label WHEN 1 THEN {side}_p ELSE 1 - {side}_p END"
    return f"{side}_p"


def has_scores(inferred: Inferred, side: Side) -> bool:
    """Whether a side has the probabilities that the task needs."""
    if inferred.task == tasks.BINARY:
        return side.score is not None or inferred.positive in side.scores
    return inferred.task == tasks.MULTICLASS and bool(side.scores)


def _rows_where(condition: str) -> str:
    return f"count(*) FILTER (WHERE {condition})"
