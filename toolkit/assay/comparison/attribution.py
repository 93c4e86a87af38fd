"""The 2×2 of code and data: four models on the same rows, and what each change adds."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import get_args

from assay.comparison.ask import Asked
from assay.comparison.compare import compare
from assay.config import WorstSlice
from assay.evidence import Comparison, Measurement
from assay.evidence.attribution import (
    AttributedEffect,
    Attribution,
    Corner,
    CornerValue,
    EffectName,
)
from assay.stats.contrasts import contrast_interval, contrast_variance, variance_of
from assay.stats.estimate import Interval
from assay.tables.common_rows import write_common_rows
from assay.tables.predictions_counts import ALL

CORNERS: tuple[Corner, ...] = get_args(Corner)
_EFFECTS: tuple[tuple[EffectName, tuple[float, float, float, float]], ...] = (
    ("total", (-1, 0, 0, 1)),
    ("code", (-0.5, 0.5, -0.5, 0.5)),
    ("data", (-0.5, -0.5, 0.5, 0.5)),
    ("code at base data", (-1, 1, 0, 0)),
    ("code at head data", (0, 0, -1, 1)),
    ("data at base code", (-1, 0, 1, 0)),
    ("data at head code", (0, -1, 0, 1)),
    ("interaction", (1, -1, -1, 1)),
)
"""Weights of the corners, in their order. Code and data are averages over the other's two levels
(the Shapley value of two players), so that they add up to the total."""

Pairs = Mapping[tuple[int, int], Comparison]


@dataclass(frozen=True, kw_only=True)
class _Common:
    """The six comparisons on the rows that all four corners predict."""

    pairs: Pairs
    rows: int
    left_out: Mapping[Corner, int]


class _NoAttributionError(Exception):
    """The corners cannot be laid side by side; the text says why."""


def attribute(files: Mapping[Corner, Path], asked: Asked) -> Attribution:
    """Attribute each gated metric's difference to code and data.

    ``files`` holds the predictions of all four corners. Raises InputError where they cannot be
    compared at all. The same files give the same bytes.
    """
    asked = replace(asked, report=(), slices=(), worst_slice=WorstSlice(), ledger=None)
    places = [files[corner] for corner in CORNERS]
    try:
        common = _common(places, asked)
    except _NoAttributionError as why:
        return no_attribution(asked.model, str(why))
    return Attribution(
        model=asked.model,
        confidence=asked.confidence,
        rows=common.rows,
        left_out={corner: many for corner, many in common.left_out.items() if many},
        values=tuple(_values(common.pairs, asked)),
        effects=tuple(
            _effect(common.pairs, metric, effect, weights, asked.confidence)
            for metric in asked.gates
            for effect, weights in _EFFECTS
        ),
    )


def no_attribution(model: str, reason: str) -> Attribution:
    """The attribution that could not be made, with the reason."""
    return Attribution(model=model, not_measured=reason)


def _pairs(places: Sequence[Path], asked: Asked) -> Pairs:
    return {
        (i, j): compare(places[i], places[j], asked)
        for i, j in combinations(range(len(CORNERS)), 2)
    }


def _common(places: Sequence[Path], asked: Asked) -> _Common:
    pairs = _pairs(places, asked)
    whole = [found.rows for found in pairs.values() if found.rows is not None]
    if all(rows.base_only == rows.head_only == 0 for rows in whole):
        _refuse_relabelled(pairs)
        return _Common(pairs=pairs, rows=whole[0].joined, left_out={})
    if any(rows.joined_by != "id" for rows in whole):
        raise _NoAttributionError(
            "the four corners have different numbers of test rows, and no ids to join them by"
        )
    ids = [_id_of(pairs, place) for place in range(len(CORNERS))]
    with tempfile.TemporaryDirectory(prefix="assay-corners-") as folder:
        found = write_common_rows(places, ids, Path(folder))
        if not found.rows:
            raise _NoAttributionError("no test row is predicted by all four corners")
        pairs = _pairs(found.files, asked)
    _refuse_relabelled(pairs)
    left_out = dict(zip(CORNERS, found.left_out, strict=True))
    return _Common(pairs=pairs, rows=found.rows, left_out=left_out)


def _id_of(pairs: Pairs, place: int) -> str:
    """The id column of a corner, as the comparisons it takes part in name it."""
    if place:
        return pairs[0, place].columns["id"]
    columns = pairs[0, 1].columns
    return columns.get("id of the base", columns["id"])


def _refuse_relabelled(pairs: Pairs) -> None:
    """With other labels the corners answer other questions, and do not add up."""
    most = max(found.rows.labels_changed if found.rows else 0 for found in pairs.values())
    if most:
        raise _NoAttributionError(
            f"{most:,} test rows have another label in one of the four corners"
        )


def _values(pairs: Pairs, asked: Asked) -> Iterator[CornerValue]:
    for metric in asked.gates:
        for place, corner in enumerate(CORNERS):
            pair = (place, len(CORNERS) - 1) if place == 0 else (0, place)
            measured = _measured(pairs[pair], metric)
            value = (measured.base if place == 0 else measured.head) if measured else None
            if value is not None:
                yield CornerValue(metric=metric, corner=corner, value=value)


def _measured(comparison: Comparison, metric: str) -> Measurement | None:
    return next(
        (
            found
            for found in comparison.measurements
            if (found.metric, found.slice, found.base_weight) == (metric, ALL, 1)
        ),
        None,
    )


def _effect(
    pairs: Pairs, metric: str, effect: EffectName, weights: Sequence[float], confidence: float
) -> AttributedEffect:
    """The weighted sum of the corners: its value from the base's row, its variance from all."""
    used = [place for place, weight in enumerate(weights) if weight]
    differences: dict[int, float] = {0: 0.0}
    variances: dict[tuple[int, int], float] = {}
    reason, better = None, True
    for pair, found in pairs.items():
        measured = _measured(found, metric)
        needed = pair[0] in used and pair[1] in used
        if measured is None or measured.difference is None:
            reason = reason or (measured and measured.undefined) or f"{metric} was not measured"
            continue
        better = measured.higher_is_better
        if pair[0] == 0:
            differences[pair[1]] = measured.difference
        if needed and measured.interval is None:
            reason = reason or measured.regime or "there is no interval"
        elif needed and measured.interval is not None:
            low, high = measured.interval
            variances[pair] = variance_of(Interval(low=low, high=high, confidence=confidence))
    if any(place not in differences for place in used):
        return AttributedEffect(
            metric=metric, effect=effect, higher_is_better=better, reason=reason
        )
    difference = sum(weights[place] * differences[place] for place in used)
    ends = None
    if reason is None:
        found_ends = _ends(pairs, metric, weights, used, difference, variances, confidence)
        ends = (found_ends.low, found_ends.high)
    return AttributedEffect(
        metric=metric, effect=effect, higher_is_better=better,
        difference=difference, interval=ends, reason=reason,
    )  # fmt: skip


def _ends(
    pairs: Pairs,
    metric: str,
    weights: Sequence[float],
    used: Sequence[int],
    difference: float,
    variances: Mapping[tuple[int, int], float],
    confidence: float,
) -> Interval:
    """The engine's own interval where the effect is a pair's difference, else the contrast's."""
    if len(used) == 2:
        measured = _measured(pairs[used[0], used[1]], metric)
        if measured is not None and measured.interval is not None:
            low, high = measured.interval
            return Interval(low=low, high=high, confidence=confidence)
    return contrast_interval(difference, contrast_variance(weights, variances), confidence)
