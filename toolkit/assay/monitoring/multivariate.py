"""Whether the features moved together: can a classifier tell rows of now from rows of before?

It sees what no column shows by itself, such as two features that were alike and are no longer.
The newest window is held against the same hours of earlier weeks, and the newest seven days against
a baseline, where one is named. How far apart decides; p only confirms (docs/statistics.md).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assay.config.monitoring import Multivariate
from assay.environments import NotRunError, Tool
from assay.evidence import Effect
from assay.evidence.monitoring import Drift
from assay.monitoring.columns import When
from assay.monitoring.drift import FEWEST_WEEKS, LEVEL, TIMES
from assay.monitoring.seasons import spans_of
from assay.monitoring.told_apart import FEWEST, Comparison, Told, tell_apart
from assay.stats.two_sample import auc_of, shift_of
from assay.tables.column_counts import Layout
from assay.tables.feature_rows import FeatureRows, sample_features
from assay.tables.live_features import BASELINE
from assay.tables.source import Engine

MOST = 20_000
"""Rows of a side that the classifier sees: of four weeks a quarter each."""
_LEADING = 3
NOT_MEASURED = "Drift of all features together"


@dataclass(frozen=True, kw_only=True)
class Features:
    """What is compared: the layouts by the columns of ``features``, and their names in the log."""

    layouts: tuple[Layout, ...]
    names: tuple[str, ...]

    def without(self, left_out: Collection[str]) -> Features:
        """The same without the features of these names."""
        kept = [
            pair for pair in zip(self.layouts, self.names, strict=True) if pair[1] not in left_out
        ]
        return Features(layouts=tuple(one for one, _ in kept), names=tuple(n for _, n in kept))

    def categories(self) -> NDArray[np.bool_]:
        """Which of them are codes of categories."""
        return np.array([not one.number for one in self.layouts])


@dataclass(frozen=True, kw_only=True)
class Together:
    """What was found, and what could not be looked at."""

    drift: tuple[Drift, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Asked:
    against: Literal["same hours", "baseline"]
    comparison: Comparison
    features: Features
    weeks: tuple[FeatureRows, ...] = ()
    """The same hours of earlier weeks, each by itself."""


def together(
    engine: Engine,
    features: Features,
    rule: Multivariate,
    *,
    when: When,
    begun: int | None,
    baseline: Collection[str] | None,
    tool: Tool | None,
) -> Together:
    """Compare the newest windows of the view ``features``; `begun` is the log's first window.

    `baseline` are the names of the features that the view ``baseline`` has; None: there is none.
    """
    if tool is None:
        return _not_measured("no environment was given for its classifier")
    if not features.names or begun is None:
        return _not_measured("the log holds none of the reference's features")
    asked, notes = [], []
    for found in (
        _same_hours(engine, features, when),
        _baseline(engine, features, rule, when, begun=begun, known=baseline),
    ):
        if isinstance(found, str):
            notes.append(found)
        elif found is not None:
            asked.append(found)
    try:
        drift = _compared(tool, asked, rule)
    except NotRunError as why:
        return _not_measured(str(why), *notes)
    return Together(drift=drift, notes=tuple(notes))


def _not_measured(why: str, *notes: str) -> Together:
    return Together(notes=(f"{NOT_MEASURED} was not measured: {why}.", *notes))


def _same_hours(engine: Engine, features: Features, when: When) -> _Asked | str | None:
    spans = spans_of(when.newest, length=when.length)
    if not spans.earlier:
        return None  # The look says so of every comparison with the same hours.
    most = MOST // len(spans.earlier)
    sampled = [_sampled(engine, features, at, at, when, most=most) for at in spans.earlier]
    weeks = [rows for rows in sampled if rows.keys.size]
    if len(weeks) < FEWEST_WEEKS:
        return (
            f"{NOT_MEASURED} against the same hours of earlier weeks is judged from {FEWEST_WEEKS} "
            f"such weeks on; the log holds rows of {len(weeks)}."
        )
    now = _sampled(engine, features, spans.window, spans.window, when, most=MOST)
    comparison = Comparison(before=_pooled(weeks), now=now)
    if not comparison.enough:
        return _too_few("the same hours of earlier weeks", comparison)
    return _Asked(
        against="same hours", comparison=comparison, features=features, weeks=tuple(weeks)
    )


def _baseline(
    engine: Engine,
    features: Features,
    rule: Multivariate,
    when: When,
    *,
    begun: int,
    known: Collection[str] | None,
) -> _Asked | str | None:
    if rule.baseline is None:
        return None
    if known is None:
        return f"{NOT_MEASURED} against the baseline: {rule.baseline!r} holds no rows."
    spans = spans_of(when.newest, length=when.length)
    if begun > spans.week[0]:
        return f"{NOT_MEASURED} against the baseline is judged once the log has a whole week."
    absent = [name for name in features.names if name not in known]
    if absent:
        listed = ", ".join(map(repr, absent[:_LEADING]))
        more = f" and {len(absent) - _LEADING} more" if len(absent) > _LEADING else ""
        return (
            f"{NOT_MEASURED} against the baseline: {rule.baseline!r} has no column {listed}{more}. "
            "Add them, or name them under drift.ignore."
        )
    comparison = Comparison(
        before=sample_features(engine, BASELINE, features.layouts, where="true", most=MOST),
        now=_sampled(engine, features, spans.week[0], spans.week[-1], when, most=MOST),
    )
    if not comparison.enough:
        return _too_few("the baseline", comparison)
    return _Asked(against="baseline", comparison=comparison, features=features)


def _too_few(against: str, comparison: Comparison) -> str:
    rows = [side.keys.size for side in (comparison.before, comparison.now)]
    return (
        f"{NOT_MEASURED} against {against} is judged from {FEWEST} rows of each side on; there are "
        f"{rows[0]:,} of before and {rows[1]:,} of now."
    )


def _sampled(
    engine: Engine, features: Features, first: int, last: int, when: When, *, most: int
) -> FeatureRows:
    where = f"answered >= {first * when.length} AND answered < {(last + 1) * when.length}"
    return sample_features(engine, "features", features.layouts, where=where, most=most)


def _pooled(sides: Sequence[FeatureRows]) -> FeatureRows:
    return FeatureRows(
        values=np.concatenate([side.values for side in sides]),
        keys=np.concatenate([side.keys for side in sides]),
    )


def _compared(tool: Tool, asked: Sequence[_Asked], rule: Multivariate) -> tuple[Drift, ...]:
    if not asked:
        return ()
    categories = asked[0].features.categories()
    told = tell_apart(tool, [one.comparison for one in asked], categories)
    found = []
    for one, answer in zip(asked, told, strict=True):
        p = min(1.0, answer.found.p * len(asked))
        threshold, importance = rule.auc, answer.importance
        if p < LEVEL and answer.found.auc > threshold:
            again = _closely(tool, one, categories)
            threshold, importance = raised(threshold, again[1:]), again[0].importance
        found.append(_drift(one, answer, threshold, importance, p))
    return tuple(found)


def _closely(tool: Tool, one: _Asked, categories: NDArray[np.bool_]) -> tuple[Told, ...]:
    """By which features the rows are told apart, and how well each earlier week is."""
    usual = [
        Comparison(before=_pooled([other for other in one.weeks if other is not week]), now=week)
        for week in one.weeks
    ]
    known = [each for each in usual if each.enough]
    return tell_apart(tool, [replace(one.comparison, importance=True), *known], categories)


def raised(threshold: float, usual: Sequence[Told]) -> float:
    """By four times what an earlier week is usually told apart from the others by, in shifts."""
    shifts = [max(0.0, shift_of(each.found.auc)) for each in usual]
    room = math.sqrt(sum(value**2 for value in shifts) / max(len(shifts), 1))
    return float(f"{auc_of(shift_of(threshold) + TIMES * room):.6g}")


def _drift(
    one: _Asked, answer: Told, threshold: float, importance: NDArray[np.float64], p: float
) -> Drift:
    low, high = answer.found.interval
    moved = p < LEVEL and answer.found.auc > threshold
    ranked = np.argsort(-importance, kind="stable")[:_LEADING]
    leading = tuple(one.features.names[at] for at in ranked if importance[at] > 0)
    return Drift(
        column=Drift.ALL,
        role="features",
        effects=(
            Effect(
                name="classifier_auc",
                value=float(f"{answer.found.auc:.6g}"),
                threshold=threshold,
            ),
        ),
        interval=(float(f"{low:.6g}"), float(f"{high:.6g}")),
        against=one.against,
        moved=moved,
        p_adjusted=float(f"{p:.6g}"),
        leading=leading if moved else (),
    )
