"""What ``assay power`` prints for one metric."""

from __future__ import annotations

from collections.abc import Iterator

from assay.cli.console import printable
from assay.comparison.planning import Planned
from assay.report.numbers import exact_percent, percent


def lines_of(found: Planned) -> Iterator[str]:
    """Yield the answers, then the table: how often equal models pass, by rows and margin."""
    asked = found.asked
    wanted = exact_percent(asked.power)
    deviation = asked.design.row_variance**0.5
    yield (
        f"{printable(asked.metric)}: one row's difference has a standard deviation of "
        f"{deviation:.4g}; intervals of {exact_percent(asked.confidence)}"
    )
    if asked.margin is not None and found.rows_needed is not None:
        textbook = (
            f" ({found.rows_needed_unsmoothed:,} without the interval's smoothing)"
            if found.rows_needed_unsmoothed not in (None, found.rows_needed)
            else ""
        )
        yield (
            f"  margin {asked.margin:.6g}: {found.rows_needed:,} rows{textbook} make equally good "
            f"models no-worse {wanted} of the time"
        )
    elif asked.margin is not None:
        yield f"  margin {asked.margin:.6g}: no number of rows gives {wanted}"
    if found.power is not None:
        yield f"  at {asked.rows:,} rows they come out no-worse {percent(found.power)} of the time"
    if found.proposed_margin is not None:
        yield (
            f"  at {asked.rows:,} rows the smallest margin with {wanted} is "
            f"{found.proposed_margin:.3g}"
        )
    margins = sorted({point.margin for point in found.table})
    yield ""
    yield "  " + f"{'rows':>9}" + "".join(f"{f'margin {each:.3g}':>18}" for each in margins)
    for rows in sorted({point.rows for point in found.table}):
        shares = {point.margin: point.power for point in found.table if point.rows == rows}
        yield "  " + f"{rows:>9,}" + "".join(f"{_share(shares[each]):>18}" for each in margins)


def _share(power: float) -> str:
    return "under 1 %" if power < 0.01 else "over 99 %" if power > 0.99 else percent(power)
