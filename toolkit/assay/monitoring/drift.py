"""What moved in a window of production, how far, and what it likely costs. Pure.

Effect sizes decide. A p-value only confirms that an effect is no accident of few rows, and is held
to a year of hourly looks; quality alone acts (docs/statistics.md).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from assay.config.monitoring import DriftRule
from assay.evidence import Effect
from assay.evidence.monitoring import ColumnReference, Drift, NewValue, Reference
from assay.monitoring.cells import (
    Cells,
    confirming_p,
    cost_of,
    effects_of,
    histogram_of,
    pooled,
    to_cells,
)
from assay.stats.multiplicity import benjamini_hochberg
from assay.tables.column_counts import ColumnCounts

LEVEL = 0.05 / 8_760
"""An adjusted p-value below this confirms: 5 % over a year of hourly looks (a union bound)."""

FEWEST_WEEKS = 3
"""Earlier weeks from which the same hours are compared."""
TIMES = 4
"""Times what earlier weeks usually differ by is no drift."""
NAMED = 5
"""New values that a finding names."""
_SQUARED = frozenset({"psi"})
"""Effects that go with the square of a shift."""
_ANY_HOUR = frozenset({"missing", "unseen"})

Counted = Mapping[str, ColumnCounts]
Against = Literal["reference", "same hours"]


@dataclass(frozen=True, kw_only=True)
class _Compared:
    column: ColumnReference
    against: Against
    cells: Cells
    effects: tuple[Effect, ...]
    p: float


def drifted(
    reference: Reference,
    window: Counted,
    *,
    rule: DriftRule,
    week: Counted | None = None,
    days: Sequence[Sequence[Counted]] = (),
    names: Mapping[str, str] | None = None,
    young: Collection[str] = (),
) -> tuple[Drift, ...]:
    """Compare a window with the reference, and with the same hours of earlier weeks.

    `week` are the counts of the seven days that end with the window: a whole season, so that
    nights and weekends are no drift; it stands for the window against the reference. Without it
    the window does. `days` are the same hours of earlier weeks, each week by itself: first those of
    the window's own weekday, with which it is compared, then those of other weekdays. What weeks
    differ by among themselves is no drift; with less than three of the first none is found.
    `names` are the logged names of the columns with a role. Of those in `young` the week is not
    whole: only what is no matter of the hour, missing values and values never seen, is judged by
    the reference. Largest estimated cost first.
    """
    compared = []
    for column in reference.columns:
        name = (names or {}).get(column.role, column.name)
        if column.role == "feature":
            name = column.name
        if name in rule.ignore or name not in window:
            continue
        known = to_cells(
            column,
            ColumnCounts(
                rows=column.rows,
                missing=column.missing,
                counts=column.counts,
                mean=column.mean,
                deviation=column.deviation,
                low=column.low,
                high=column.high,
            ),
            (week or {}).get(name, window[name]),
        )
        compared.append(_compare(column, "reference", known, rule, young=name in young))
        weeks = [
            [counts[name] for counts in day if name in counts and counts[name].rows] for day in days
        ]
        if weeks and len(weeks[0]) >= FEWEST_WEEKS:
            before = to_cells(column, pooled(weeks[0]), window[name])
            compared.append(_compare(column, "same hours", before, rule, weeks))
    return _ranked([each for each in compared if each is not None])


def _compare(
    column: ColumnReference,
    against: Against,
    cells: Cells | None,
    rule: DriftRule,
    days: Sequence[Sequence[ColumnCounts]] = (),
    *,
    young: bool = False,
) -> _Compared | None:
    if cells is None:
        return None
    effects, p = effects_of(cells, rule), confirming_p(cells)
    if young:
        effects = tuple(
            one if one.name in _ANY_HOUR else one.model_copy(update={"threshold": None})
            for one in effects
        )
    if days and p < LEVEL and _excess(effects) > 1:
        effects = _restless(column, effects, days, rule)
    return _Compared(column=column, against=against, cells=cells, effects=effects, p=p)


def _restless(
    column: ColumnReference,
    effects: tuple[Effect, ...],
    days: Sequence[Sequence[ColumnCounts]],
    rule: DriftRule,
) -> tuple[Effect, ...]:
    """Raise each threshold by four times what a week usually differs from the others by.

    That is the root mean square over all weeks of all weekdays: of one weekday alone there are so
    few that they are often alike by chance, and an ordinary day then looks like drift.
    """
    usual: defaultdict[str, list[float]] = defaultdict(list)
    for weeks in days:
        for place, week in enumerate(weeks):
            others = [each for other, each in enumerate(weeks) if other != place]
            cells = to_cells(column, pooled(others), week) if others else None
            for effect in effects_of(cells, rule) if cells else ():
                usual[effect.name].append(effect.value)
    return tuple(_raised(effect, usual[effect.name]) for effect in effects)


def _raised(effect: Effect, usual: Sequence[float]) -> Effect:
    """Add in units of a shift: the index goes with its square, the others with itself."""
    power = 2 if effect.name in _SQUARED else 1
    room = math.sqrt(sum(value ** (2 / power) for value in usual) / max(len(usual), 1))
    threshold = ((effect.threshold or 0) ** (1 / power) + TIMES * room) ** power
    return effect.model_copy(update={"threshold": float(f"{threshold:.6g}")})


def _ranked(compared: list[_Compared]) -> tuple[Drift, ...]:
    if not compared:
        return ()
    adjusted = benjamini_hochberg([each.p for each in compared])
    found = [
        _found(each, float(p_adjusted)) for each, p_adjusted in zip(compared, adjusted, strict=True)
    ]
    return tuple(sorted(found, key=_rank))


def _found(each: _Compared, p_adjusted: float) -> Drift:
    moved = p_adjusted < LEVEL and _excess(each.effects) > 1
    return Drift(
        column=each.column.name,
        role=each.column.role,
        effects=each.effects,
        against=each.against,
        moved=moved,
        p_adjusted=float(f"{p_adjusted:.6g}"),
        cost=cost_of(each.column, each.cells),
        histogram=histogram_of(each.cells) if moved else None,
        new=_new(each) if moved else (),
    )


def _new(each: _Compared) -> tuple[NewValue, ...]:
    """The most frequent new values, where so many count."""
    counts = any(e.name == "unseen" and e.threshold and e.value > e.threshold for e in each.effects)
    named = each.cells.second.new[:NAMED] if counts else ()
    return tuple(NewValue(value=value, rows=rows) for value, rows in named)


def _excess(effects: tuple[Effect, ...]) -> float:
    """The largest effect as a multiple of its threshold."""
    return max((e.value / e.threshold for e in effects if e.threshold), default=0.0)


def _rank(drift: Drift) -> tuple[bool, float, float, str, str]:
    cost = drift.cost if drift.cost is not None else 0.0
    return (not drift.moved, -cost, -_excess(drift.effects), drift.column, drift.against)


def worst_effect(drift: Drift) -> Effect:
    """The effect that is furthest above its threshold; one of them has a threshold."""
    judged = [effect for effect in drift.effects if effect.threshold]
    return max(judged, key=lambda effect: effect.value / (effect.threshold or 1))


def sentence(drift: Drift) -> str:
    """Say for a person what moved, by the effect that is furthest above its threshold."""
    worst = worst_effect(drift)
    what = drift.column if drift.role == "features" else f"{drift.role} {drift.column!r}"
    spread = ""
    if drift.interval is not None:
        spread = f" [{drift.interval[0]:.3g}, {drift.interval[1]:.3g}]"
    cost = ""
    if drift.cost is not None:
        cost = f"; the estimated cost in quality is {drift.cost:.3g}"
    leading = f"; mostly by {', '.join(map(repr, drift.leading))}" if drift.leading else ""
    named = ", ".join(f"{one.name} {one.rows:,}" for one in drift.new)
    new = f"; new, in at least so many rows: {named}" if named else ""
    return (
        f"{what} moved against {_AGAINST[drift.against]}: {_WORDS[worst.name]} {worst.value:.3g}"
        f"{spread} (above {worst.threshold:.3g} counts){leading}{new}{cost}."
    )


_AGAINST = {
    "reference": "the reference",
    "same hours": "the same hours of earlier weeks",
    "baseline": "the baseline",
}
_WORDS = {
    "psi": "population stability index",
    "jensen_shannon": "Jensen–Shannon distance",
    "wasserstein_sd": "Wasserstein distance in deviations",
    "missing": "change in the share without a value",
    "unseen": "share of values never seen",
    "classifier_auc": "a classifier tells the rows apart with an area under the ROC curve of",
}
