"""Rates of the groups of a column, and how far apart they are on either side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from assay.comparison.ask import Asked
from assay.comparison.influences import Arrays
from assay.config import Metric, Needs, Slice
from assay.config.families import OPPORTUNITY
from assay.evidence import GroupRate
from assay.stats.cells import Outcomes
from assay.stats.design import Design
from assay.stats.estimate import Estimate
from assay.stats.fairness import GroupRate as Rate
from assay.stats.fairness import gap_difference, group_rates
from assay.stats.fairness_design import designed_gap_difference, designed_group_rates
from assay.stats.group_rates import Members
from assay.tables.predictions import Pairs
from assay.tables.predictions_counts import Cells
from assay.tables.predictions_groups import Group

_POSITIVE = 1


def gap(
    pairs: Pairs, cells: Mapping[str, Cells], metric: Metric, *, n: int, **options: Any
) -> Estimate:
    """Compare the sides' gaps over the groups of the metric's column; see stats.fairness."""
    group = _group_of(pairs, metric.parameter or "")
    members = {name: _outcomes(cells, name, metric) for name, known in _names(group) if known}
    return gap_difference(members, n=n, **options)


def designed_gap(
    pairs: Pairs, rows: Arrays, metric: Metric, design: Design, *, n: int, **options: Any
) -> Estimate:
    """The same of rows that were drawn as ``design`` says; see stats.fairness_design."""
    members = _members(pairs, rows, metric)
    known = dict(_names(_group_of(pairs, metric.parameter or "")))
    judged = members.of(np.array([known[name] for name in members.names], dtype=np.bool_))
    return designed_gap_difference(judged, design, n=n, **options)


def group_column(pairs: Pairs, metric: Metric) -> dict[str, str]:
    """The column of ``paired`` that holds each row's group, as name to SQL."""
    column = metric.parameter or ""
    return {_named(column): f"coalesce({_group_of(pairs, column).key}, -1)"}


def rates_of(
    pairs: Pairs, metrics: tuple[Metric, ...], rates: Callable[[Metric], list[Rate]]
) -> tuple[GroupRate, ...]:
    """Every group's rate for each metric that compares groups, also of those left out."""
    found = []
    for metric in metrics:
        if metric.needs is not Needs.GROUPS:
            continue
        names = dict(_names(_group_of(pairs, metric.parameter or "")))
        found += [
            GroupRate(
                metric=metric.name,
                group=rate.group,
                n=rate.n,
                base=rate.base,
                head=rate.head,
                interval=rate.interval,
                judged=rate.judged and names[rate.group],
            )
            for rate in rates(metric)
        ]
    return tuple(found)


def counted_rates(
    pairs: Pairs, cells: Mapping[str, Cells], metric: Metric, confidence: float
) -> list[Rate]:
    """The groups' rates from counts."""
    names = [name for name, _ in _names(_group_of(pairs, metric.parameter or ""))]
    members = {name: _outcomes(cells, name, metric) for name in names}
    return group_rates(members, confidence=confidence)


def designed_rates(
    pairs: Pairs, rows: Arrays, metric: Metric, design: Design, confidence: float
) -> list[Rate]:
    """The groups' rates from rows that were drawn as ``design`` says."""
    return designed_group_rates(_members(pairs, rows, metric), design, confidence=confidence)


def only_for_groups(pairs: Pairs, asked: Asked) -> frozenset[str]:
    """Slices that are counted for a gap alone and that nobody asked to see."""
    hidden = {
        each.column
        for each in asked.counted
        if isinstance(each, Slice) and each not in asked.slices
    }
    return frozenset(
        name
        for group in pairs.slices
        if len(group.columns) == 1 and group.columns[0].asked.column in hidden
        for name, _ in _names(group)
    )


def _group_of(pairs: Pairs, column: str) -> Group:
    return next(
        group
        for group in pairs.slices
        if len(group.columns) == 1 and group.columns[0].asked.column == column
    )


def _names(group: Group) -> Iterator[tuple[str, bool]]:
    """Each group's name, and whether its rows have a value at all."""
    sliced = group.columns[0]
    for code in group.codes:
        yield group.name(code), sliced.values[code] != ""


def _named(column: str) -> str:
    return f"group {column}"


def _members(pairs: Pairs, rows: Arrays, metric: Metric) -> Members:
    """Every row's group, of all rows or of the positives alone."""
    column = metric.parameter or ""
    group = _group_of(pairs, column)
    codes = sorted(group.codes)
    code = rows[_named(column)].astype(np.int64)
    place = np.full(max(codes) + 2, -1)
    place[codes] = np.arange(len(codes))
    found = np.where(code >= 0, place[code], -1)
    if metric.name.startswith(OPPORTUNITY):
        found = np.where(rows["label"] == _POSITIVE, found, -1)
    return Members(
        names=[group.name(each) for each in codes],
        group=found,
        base=rows["base"] == _POSITIVE,
        head=rows["head"] == _POSITIVE,
    )


def _outcomes(cells: Mapping[str, Cells], name: str, metric: Metric) -> Outcomes:
    """How many rows each side predicts as positive, of all or of the positives alone."""
    found = cells.get(name)
    if found is None:
        return Outcomes(both=0, base_only=0, head_only=0, neither=0)
    count = found.count
    if metric.name.startswith(OPPORTUNITY):
        count = np.where(found.label == _POSITIVE, count, 0)
    base, head = found.base == _POSITIVE, found.head == _POSITIVE
    return Outcomes(
        both=int(count[base & head].sum()),
        base_only=int(count[base & ~head].sum()),
        head_only=int(count[~base & head].sum()),
        neither=int(count[~base & ~head].sum()),
    )
