"""The search for the slice that got worst, corrected for every slice that is looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from assay.comparison.ask import Asked
from assay.comparison.by_rows import needs_rows
from assay.comparison.measure import Level, estimate, gather
from assay.config import Metric, Needs, Severity, WorstSlice
from assay.evidence import Measurement, SliceSearch
from assay.stats.estimate import Estimate
from assay.stats.multiplicity import corrected_confidence
from assay.stats.worst import worst_of
from assay.tables.predictions import Pairs
from assay.tables.predictions_counts import ALL, slice_rows
from assay.tables.predictions_groups import Extent, Group

Shown = Callable[[Metric, str, Estimate], Measurement]
MOST_SEARCHED = 10_000
"""Slices of one search, those with most rows."""
MOST_OTHERS = 20
"""Further slices that are worse beyond chance and are listed."""


def extent_of(asked: Asked) -> Extent:
    """Which slices are counted, for the claims and for the search."""
    rules = asked.worst_slice
    if not asked.slices or rules.severity is Severity.OFF:
        return Extent(least=asked.min_slice_rows)
    return Extent(least=min(asked.min_slice_rows, rules.min_rows), depth=rules.depth)


def worst_slice(
    pairs: Pairs,
    metrics: tuple[Metric, ...],
    asked: Asked,
    shown: Shown,
) -> SliceSearch | None:
    """Search every slice and crossing with enough rows; None where no search is asked for.

    Which slices are searched depends on their rows alone; every interval is corrected for all of
    them (stats.worst).
    """
    rules = asked.worst_slice
    if not pairs.searched:
        return None
    part = SliceSearch(depth=rules.depth, min_rows=rules.min_rows)
    metric = _metric(pairs, rules, metrics, asked)
    if metric is None:
        reason = "no metric here is quick to count in every slice: name one for the search"
        if any(found.name == rules.metric for found in metrics):
            reason = f"{rules.metric} compares groups, and has no value in a slice"
        return part.model_copy(update={"reason": reason})
    part = part.model_copy(update={"metric": metric.name})
    divided = replace(pairs, slices=pairs.searched)
    every = _searched(divided, rules)
    names = every[:MOST_SEARCHED]
    part = part.model_copy(update={"beyond": len(every) - len(names)})
    if not names:
        reason = f"no slice has at least {rules.min_rows:,} rows"
        return part.model_copy(update={"reason": reason})
    sample = gather(divided, (metric,), identical=False)
    confidence = corrected_confidence(asked.confidence, len(names))
    found = {name: estimate(sample, metric, name, Level(confidence=confidence)) for name in names}
    return part.model_copy(update=_found(found, metric, confidence, shown))


def _found(
    found: Mapping[str, Estimate], metric: Metric, confidence: float, shown: Shown
) -> dict[str, Any]:
    judged = sum(each.interval is not None for each in found.values())
    worst = worst_of(found, confidence)
    return {
        "reason": None if judged else _why_none(found.values()),
        "searched": len(found),
        "unjudged": len(found) - judged,
        "confidence": confidence,
        "worst": shown(metric, worst.first, found[worst.first]) if worst.first else None,
        "others": tuple(
            shown(metric, name, found[name]) for name in worst.worse[1 : 1 + MOST_OTHERS]
        ),
        "others_worse": max(0, len(worst.worse) - 1),
    }


def _why_none(found: Iterable[Estimate]) -> str:
    """The most frequent reason for which no slice could be judged."""
    reasons = Counter(each.regime or each.undefined or "there is no interval" for each in found)
    return min(reasons, key=lambda reason: (-reasons[reason], reason))


def _metric(
    pairs: Pairs, rules: WorstSlice, metrics: tuple[Metric, ...], asked: Asked
) -> Metric | None:
    """The metric to search by: the one named, or the first that gates and is quick to count.

    One that needs every row of every slice is searched only where it is named, and one that
    compares groups never: it is about all rows.
    """
    sliced = [metric for metric in metrics if metric.needs is not Needs.GROUPS]
    if rules.metric is not None:
        return next((metric for metric in sliced if metric.name == rules.metric), None)
    quick = [
        metric for metric in sliced if metric.name != "roc_auc" and not needs_rows(pairs, metric)
    ]
    gated = [metric for metric in quick if metric.name in asked.gates]
    return next(iter([*gated, *quick]), None)


def _searched(pairs: Pairs, rules: WorstSlice) -> list[str]:
    """The slices with enough rows, each set of rows once, those with most rows first."""
    rows = slice_rows(pairs)
    whole = rows[ALL]
    same = {
        group.name(code)
        for group in pairs.slices
        if len(group.columns) > 1
        for code in group.codes
        if _is_its_part(group, code, rows)
    }
    kept = [
        name
        for name, n in rows.items()
        if name != ALL and rules.min_rows <= n < whole and name not in same
    ]
    return sorted(kept, key=lambda name: (-rows[name], name))


def _is_its_part(group: Group, code: int, rows: dict[str, int]) -> bool:
    """Whether a crossing has the very rows of one of the two slices that it crosses."""
    n = rows.get(group.name(code), 0)
    return any(rows.get(part) == n for part in group.parts(code))
