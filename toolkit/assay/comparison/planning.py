"""From a comparison, or from numbers, to a plan: rows, margins, and power for each metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assay.config import Gate
from assay.evidence import Comparison, Measurement
from assay.stats.estimate import POWER
from assay.stats.planning import Design
from assay.stats.power import exact_share_power, margin_for_rows, power_for_margin, rows_for_margin
from assay.tables.predictions_counts import ALL

_MOST_SUMMED = 400
"""Discordant rows up to which power is summed exactly; with more the normal is as good."""
USUAL_ROWS = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)


@dataclass(frozen=True, kw_only=True)
class Question:
    """One metric's design, and what is already fixed: a margin, a number of rows, or neither."""

    metric: str
    design: Design
    margin: float | None = None
    rows: int | None = None
    confidence: float = 0.95
    power: float = POWER


@dataclass(frozen=True, kw_only=True)
class Point:
    """How often equally good models come out no-worse, at one number of rows and margin."""

    rows: int
    margin: float
    power: float


@dataclass(frozen=True, kw_only=True)
class Planned:
    """The answers to a question; None where what they need was not given."""

    asked: Question
    rows_needed: int | None
    rows_needed_unsmoothed: int | None
    """By the formula without the interval's pseudo-rows, as textbooks have it."""
    power: float | None
    """At the rows and the margin given."""
    proposed_margin: float | None
    """The smallest that equal models pass with the power asked for, on the rows given."""
    table: tuple[Point, ...]


def plan(asked: Question) -> Planned:
    """Answer a question: rows for a margin, a margin for rows, or the power of both."""
    design, margin, rows = asked.design, asked.margin, asked.rows
    needed = unsmoothed = power = proposed = None
    if margin is not None:
        needed = rows_for_margin(
            design.row_variance,
            margin,
            confidence=asked.confidence,
            power=asked.power,
            extra_variance=design.extra_variance,
        )
        unsmoothed = rows_for_margin(
            design.row_variance, margin, confidence=asked.confidence, power=asked.power
        )
    if rows is not None:
        proposed = margin_for_rows(
            rows,
            design.row_variance,
            confidence=asked.confidence,
            power=asked.power,
            extra_variance=design.extra_variance,
        )
    if margin is not None and rows is not None:
        power = _power(asked, rows, margin)
    return Planned(
        asked=asked,
        rows_needed=needed,
        rows_needed_unsmoothed=unsmoothed,
        power=power,
        proposed_margin=proposed,
        table=_table(asked, needed, proposed),
    )


def _power(asked: Question, rows: int, margin: float) -> float:
    share = asked.design.discordant
    if share is not None and rows * share <= _MOST_SUMMED:
        return exact_share_power(rows, share, margin, confidence=asked.confidence)
    return power_for_margin(
        rows,
        asked.design.row_variance,
        margin,
        confidence=asked.confidence,
        extra_variance=asked.design.extra_variance,
    )


def _table(asked: Question, needed: int | None, proposed: float | None) -> tuple[Point, ...]:
    middle = asked.margin if asked.margin is not None else proposed
    margins = () if middle is None else (middle / 2, middle, 2 * middle)
    known = {each for each in (asked.rows, needed) if each is not None}
    return tuple(
        Point(rows=rows, margin=margin, power=_power(asked, rows, margin))
        for rows in sorted({*USUAL_ROWS, *known})
        for margin in margins
    )


def questions_of(
    comparison: Comparison,
    *,
    metrics: Sequence[str] = (),
    gates: Mapping[str, Gate] | None = None,
    margin: float | None = None,
    rows: int | None = None,
    power: float = POWER,
) -> tuple[list[Question], dict[str, str]]:
    """The questions that a comparison's rows answer, and why the other metrics cannot be planned.

    `metrics` narrows them down; a margin given here wins over the gates'. Without `rows` those of
    the comparison count.
    """
    questions, refused = [], {}
    for found in comparison.measurements:
        if found.slice != ALL or found.base_weight != 1 or found.metric in refused:
            continue
        if metrics and found.metric not in metrics:
            continue
        if not found.row_variance:
            refused[found.metric] = _why_not(found)
            continue
        gate = (gates or {}).get(found.metric)
        own = gate.margin if gate else None
        if gate is not None and gate.relative_margin is not None and found.base is not None:
            own = gate.relative_margin * abs(found.base)
        questions.append(
            Question(
                metric=found.metric,
                design=Design(row_variance=found.row_variance, extra_variance=found.extra_variance),
                margin=margin if margin is not None else own,
                rows=rows or found.n,
                confidence=comparison.confidence,
                power=power,
            )
        )
    return questions, refused


def _why_not(found: Measurement) -> str:
    if found.row_variance == 0:
        return "base and head do not differ on any row, which says nothing about other models"
    if found.interval is not None:
        return "an earlier version wrote this comparison: compare again"
    return found.regime or found.undefined or "there is no interval"
