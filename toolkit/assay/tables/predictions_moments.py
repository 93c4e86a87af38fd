"""Joint moments of per-row values, for all rows and each slice, exact in any order of rows.

Values are turned into whole multiples of a power of two before they are added, so that the sums
do not depend on threads or on the order of rows: the same files give the same bytes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.tables.predictions import Pairs
from assay.tables.predictions_counts import (
    cells_of_slices,
    grouping_sets,
    is_counted,
    slice_name,
)
from assay.tables.predictions_parts import Parts
from assay.tables.sql import literal

Exponents = tuple[int, ...]
Basis = Callable[[int], tuple[Exponents, ...]]
"""The products that are summed, for a number of variables; see stats.moments.monomials."""

LARGEST = 1e70
"""Values beyond this have fourth powers that a DOUBLE does not hold."""
SMALLEST = 2.0**-250
"""Values spread over less than this cannot be told from equal ones in the sums."""
_BITS = 60
_LEAST_POWER = -250


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Sums of products of (variable − shift), one for each of the basis; see stats.moments."""

    n: int
    shifts: tuple[float, ...]
    sums: Mapping[Exponents, float]
    changed: int


@dataclass(frozen=True, kw_only=True)
class Variables:
    """SQL expressions over ``source``: the base's value, head − base, and any others.

    ``changed`` is the condition under which a row counts as changed; None: head − base is not 0.
    """

    expressions: tuple[str, ...]
    source: str = "paired"
    changed: str | None = None


def joint_moments(
    pairs: Pairs,
    named: Mapping[str, Variables],
    basis: Basis,
    *,
    groups: tuple[str, str] | None = None,
) -> dict[str, dict[str, Moments | None]]:
    """Return moments by name and slice, in two scans; None where a value is not finite.

    All ``named`` variables share one source. ``basis`` must hold, with every product, each
    product of lower powers. ``groups`` replaces the pairs' own grouping sets.
    """
    sources = {variables.source for variables in named.values()}
    (source,) = sources
    flat = [(name, place) for name, v in named.items() for place in range(len(v.expressions))]
    columns = {key: f"v{number}" for number, key in enumerate(flat)}
    listed = ", ".join(
        f"CAST({named[name].expressions[place]} AS DOUBLE) AS {columns[name, place]}"
        for name, place in flat
    )
    parts = pairs.parts if source == "paired" else Parts(engines=(pairs.engine,))
    selected, grouped = groups or grouping_sets(pairs)
    inner = f"(SELECT {listed}, * FROM {source})"
    bounds = _bounds(parts, inner, [columns[key] for key in flat])
    usable = [
        name
        for name, v in named.items()
        if all(bounds[columns[name, place]] is not None for place in range(len(v.expressions)))
    ]
    plans = {
        name: Plan.of(
            [(columns[name, p], bounds[columns[name, p]]) for p in _places(named, name)],
            basis,
            changed=named[name].changed,
        )
        for name in usable
    }
    sums = [expression for plan in plans.values() for expression in plan.selected()]
    keys = () if groups else cells_of_slices(pairs)
    if keys:
        # Every row is summed once, in its cell; the slices then add up cells.
        inner, sums = _summed_cells(inner, keys, sums)
    counted = "CAST(sum(n) AS BIGINT)" if keys else "count(*)"
    rows = parts.added(
        f"SELECT * FROM (SELECT {selected}, {counted} AS n"
        f"{''.join(', ' + expression for expression in sums)} FROM {inner} {grouped}) "
        "WHERE code IS NOT NULL ORDER BY place, code",
        keys=2,
    )
    result: dict[str, dict[str, Moments | None]] = {name: {} for name in named}
    for place, code, n, *found in rows:
        if not is_counted(pairs, place, code):
            continue
        key = slice_name(pairs, place, code)
        values = iter(found)
        for name in named:
            result[name][key] = plans[name].read(n, values) if name in plans else None
    return result


def _summed_cells(inner: str, keys: Sequence[str], sums: Sequence[str]) -> tuple[str, list[str]]:
    """The rows of ``inner`` summed by their slices, and what adds those sums up."""
    listed = "".join(f", {expression} AS m{place}" for place, expression in enumerate(sums))
    cells = (
        f"(SELECT {', '.join(keys)}, count(*) AS n{listed} FROM {inner} GROUP BY {', '.join(keys)})"
    )
    return cells, [f"sum(m{place})" for place in range(len(sums))]


def _places(named: Mapping[str, Variables], name: str) -> range:
    return range(len(named[name].expressions))


def _bounds(
    parts: Parts, inner: str, columns: Sequence[str]
) -> dict[str, tuple[float, float] | None]:
    asked = ", ".join(
        f"bool_and({c} IS NOT NULL AND isfinite({c})), min({c}), max({c})" for c in columns
    )
    rows = [row for (row,) in parts.rows(f"SELECT {asked} FROM {inner}")]
    result: dict[str, tuple[float, float] | None] = {}
    for place, column in enumerate(columns):
        finite, lows, highs = zip(*(row[3 * place : 3 * place + 3] for row in rows), strict=True)
        usable = all(finite)
        result[column] = usable_bounds(True, min(lows), max(highs)) if usable else None
    return result


def usable_bounds(finite: bool, low: float, high: float) -> tuple[float, float] | None:
    """The least and the greatest value, where all are finite and neither huge nor all but equal."""
    fits = finite and max(abs(low), abs(high)) < LARGEST and not 0 < high - low < SMALLEST
    return (low, high) if fits else None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How one set of variables is summed: about a centre, in multiples of 2^(−scale)."""

    columns: tuple[str, ...]
    centres: tuple[float, ...]
    scales: Mapping[Exponents, int]
    changed: str

    @classmethod
    def of(cls, bounded: Sequence[tuple[str, Any]], basis: Basis, *, changed: str | None) -> Plan:
        """The plan for columns with their least and greatest values."""
        centres = tuple(low / 2 + high / 2 for _, (low, high) in bounded)
        reach = [
            max(high - centre, centre - low)
            for centre, (_, (low, high)) in zip(centres, bounded, strict=True)
        ]
        # 2^powers[k] exceeds every |variable − centre|.
        powers = [max(_LEAST_POWER, math.frexp(each)[1]) if each > 0 else 0 for each in reach]
        scales = {
            exponents: _BITS - sum(p * e for p, e in zip(powers, exponents, strict=True))
            for exponents in basis(len(bounded))
        }
        columns = tuple(c for c, _ in bounded)
        return cls(
            columns=columns,
            centres=centres,
            scales=scales,
            changed=changed or f"{columns[1]} <> 0",
        )

    def selected(self) -> list[str]:
        """SQL for the sums, in the order of the monomials, and for the changed rows."""
        centred = [
            f"({column} - {literal(centre)})"
            for column, centre in zip(self.columns, self.centres, strict=True)
        ]
        result = []
        for exponents, scale in self.scales.items():
            factors = [c for c, power in zip(centred, exponents, strict=True) for _ in range(power)]
            # Two steps, because 2^scale itself may be beyond a DOUBLE's range.
            half = scale // 2
            product = " * ".join([literal(2.0**half), *factors, literal(2.0 ** (scale - half))])
            result.append(f"sum(CAST({product} AS BIGINT))")
        return [*result, f"count(*) FILTER (WHERE {self.changed})"]

    def multiples(self, columns: Sequence[NDArray[np.float64]]) -> Iterator[NDArray[np.int64]]:
        """What :meth:`selected` adds up, for rows in arrays: the same numbers to the last bit."""
        centred = [column - centre for column, centre in zip(columns, self.centres, strict=True)]
        for exponents, scale in self.scales.items():
            half = scale // 2
            product: Any = 2.0**half
            for factor, power in zip(centred, exponents, strict=True):
                for _ in range(power):
                    product = product * factor
            yield np.rint(product * 2.0 ** (scale - half)).astype(np.int64)

    def read(self, n: int, values: Any) -> Moments:
        """Take this plan's sums from ``values`` and move them to the exact mean."""
        raw: dict[Exponents, Fraction] = {
            exponents: Fraction(int(next(values) or 0)) / Fraction(2) ** scale
            for exponents, scale in self.scales.items()
        }
        changed = int(next(values))
        size = len(self.columns)
        raw[(0,) * size] = Fraction(n)
        shifts = [Fraction(0)] * size
        for place in range(size):
            unit = tuple(int(place == k) for k in range(size))
            # A DOUBLE near the mean, so that the shift that is stored is the one used.
            shifts[place] = Fraction(float(raw[unit] / n))
        sums = {exponents: float(_moved(raw, exponents, shifts)) for exponents in self.scales}
        centred = tuple(
            float(Fraction(centre) + shift)
            for centre, shift in zip(self.centres, shifts, strict=True)
        )
        return Moments(n=n, shifts=centred, sums=sums, changed=changed)


def _moved(
    raw: Mapping[Exponents, Fraction], exponents: Exponents, shifts: Sequence[Fraction]
) -> Fraction:
    """Σ ∏ (xₖ − shiftₖ)^eₖ by the binomial theorem."""
    total = Fraction(0)
    for lower in itertools.product(*(range(power + 1) for power in exponents)):
        term = raw[lower]
        for power, low, shift in zip(exponents, lower, shifts, strict=True):
            term *= math.comb(power, low) * (-shift) ** (power - low)
        total += term
    return total
