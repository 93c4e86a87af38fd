"""Drift of one look: the newest complete window and its week against the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assay.config.monitoring import DriftRule
from assay.evidence import Drift, Reference
from assay.monitoring.drift import drifted
from assay.monitoring.profile import layouts
from assay.tables.column_counts import ColumnCounts, count_columns
from assay.tables.live_log import LogColumns, make_features
from assay.tables.source import Engine

WEEK = 7 * 86_400 * 1_000_000
"""In µs: whole weeks, so that nights and weekends are no drift."""
_ROLES = {"prediction": "predicted", "score": "score"}


def moved(
    engine: Engine,
    names: Sequence[str],
    columns: LogColumns,
    reference: Reference,
    rule: DriftRule,
    *,
    end: int,
    length: int,
) -> tuple[Drift, ...]:
    """Compare what was logged up to `end`, in µs; nothing where the window has no row."""
    features = [each.name for each in reference.columns if each.role == "feature"]
    make_features(engine, names, columns, features)
    logged = {name: f"feature{place}" for place, name in enumerate(features)}
    found = layouts(reference, _ROLES)
    asked = [replace(each, name=logged.get(each.name, each.name)) for each in found]
    back = {renamed.name: each.name for renamed, each in zip(asked, found, strict=True)}

    def counts(since: int) -> dict[str, ColumnCounts]:
        where = f"answered >= {since} AND answered < {end}"
        listed = count_columns(engine, "features", asked, where=where)
        return _logged({back[name]: one for name, one in listed.items()}, features)

    window = counts(end - length)
    return drifted(reference, window, week=counts(end - WEEK), rule=rule, names=_ROLES)


def _logged(counts: dict[str, ColumnCounts], features: Sequence[str]) -> dict[str, ColumnCounts]:
    """Leave out what is not logged: a feature that alone is missing everywhere has drifted.

    Where no feature has any value, the log holds answers alone.
    """
    absent = {name for name, one in counts.items() if one.rows == one.missing}
    if not absent.issuperset(name for name in features if name in counts):
        absent.difference_update(features)
    return {name: one for name, one in counts.items() if name not in absent}
