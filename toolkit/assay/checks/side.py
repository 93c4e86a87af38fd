"""One data file under check, and how its findings are worded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from assay.evidence import Finding
from assay.tables.profile import ColumnProfile
from assay.tables.rows import Hits, Rows, count_where

_SHOWN = 5
_LONGEST = 60


@dataclass(frozen=True, kw_only=True)
class Side:
    """A data file, opened and profiled; ``name`` is train or test."""

    name: str
    rows: Rows
    profiles: dict[str, ColumnProfile]

    def has(self, column: str | None) -> bool:
        """Whether the file has this column and no rule ignores it."""
        return column is not None and column in self.profiles


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A condition that no row should meet; ``phrase`` goes on after 'N of M rows'."""

    check: str
    columns: tuple[str, ...]
    condition: str
    phrase: str


def run_probes(side: Side, probes: Sequence[Probe]) -> list[Finding]:
    """Count all conditions in one scan; a finding for each that some row meets."""
    hits = count_where(
        side.rows, {str(index): probe.condition for index, probe in enumerate(probes)}
    )
    return [
        found_rows(side, probe.check, probe.columns, hits[str(index)], probe.phrase)
        for index, probe in enumerate(probes)
        if hits[str(index)].count
    ]


def found_rows(
    side: Side,
    check: str,
    columns: tuple[str, ...],
    hits: Hits,
    phrase: str,
    *,
    dataset: str | None = None,
) -> Finding:
    """Word a finding about some rows of a file."""
    share = hits.count / side.rows.count
    return Finding(
        check=check,
        dataset=dataset or side.name,
        columns=columns,
        count=hits.count,
        share=share,
        rows=hits.rows,
        message=f"{hits.count:,} of {side.rows.count:,} rows ({percent(share)}) {phrase}.",
    )


def found(
    check: str, dataset: str, columns: tuple[str, ...], message: str, *, rows: int | None = None
) -> Finding:
    """Word a finding about a whole column or file; ``rows`` of it are all concerned."""
    return Finding(
        check=check,
        dataset=dataset,
        columns=columns,
        message=message,
        count=rows,
        share=None if rows is None else 1.0,
    )


def percent(share: float) -> str:
    """Write a share: 12.3 %, 0.0042 %; never 0 % or 100 % for what is not."""
    if share in (0.0, 1.0):
        return f"{share:.0%}".replace("%", " %")
    points = 100 * share
    digits = max(1, 1 - math.floor(math.log10(min(points, 100 - points)))) if points < 100 else 1
    return f"{points:.{min(digits, 12)}f} %"


def number(value: float) -> str:
    """Write a number with at most six digits that matter; whole ones in full."""
    if isinstance(value, int) or (
        math.isfinite(value) and value == int(value) and abs(value) < 1e15
    ):
        return f"{int(value):,}".replace("-", "−")
    return f"{value:.6g}".replace("-", "−")


def some(values: Sequence[object]) -> str:
    """List up to five values in quotes, and say how many more there are."""
    shown = [_quoted(value) for value in values[:_SHOWN]]
    more = len(values) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")


def _quoted(value: object) -> str:
    text = str(value)
    return repr(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")
