"""Both sides' scores between 0 and 1 in bins of equal width, in one scan."""

from __future__ import annotations

from dataclasses import dataclass

from assay.tables.predictions import Pairs

_SIDES = ("base", "head")
_UNIT = 2**52


@dataclass(frozen=True, kw_only=True)
class ScoreBins:
    """One side's bins from 0 to 1: rows, positive rows, and the sum of scores in units of 2⁻⁵²."""

    n: tuple[int, ...]
    hits: tuple[int, ...]
    units: tuple[int, ...]

    def calibration(
        self, bins: int
    ) -> tuple[tuple[float, ...], tuple[float, ...], tuple[int, ...]]:
        """Return the mean score, observed share and rows of ``bins`` wider bins.

        ``bins`` divides the number of these. Bins without a row are left out.
        """
        width = len(self.n) // bins
        wider = [
            tuple(sum(values[start : start + width]) for values in (self.units, self.hits, self.n))
            for start in range(0, len(self.n), width)
        ]
        found = [each for each in wider if each[2]]
        return (
            tuple(units / _UNIT / n for units, _, n in found),
            tuple(hits / n for _, hits, n in found),
            tuple(n for *_, n in found),
        )


def score_bins(pairs: Pairs, bins: int) -> dict[str, ScoreBins]:
    """Return each side's rows in ``bins`` bins; all scores lie from 0 to 1."""
    # Whole multiples of 2⁻⁵² add up to the same sum in whatever order.
    binned = ", ".join(
        f"least(CAST(floor({side}_p * {bins}) AS INTEGER), {bins - 1}) AS {side}_bin, "
        f"CAST({side}_p * {_UNIT} AS BIGINT) AS {side}_units"
        for side in _SIDES
    )
    rows = pairs.parts.added(
        "SELECT base_bin, head_bin, count(*), sum(label), sum(base_units), sum(head_units) "
        f"FROM (SELECT {binned}, label FROM paired) GROUP BY base_bin, head_bin",
        keys=2,
    )
    result = {}
    for place, side in enumerate(_SIDES):
        totals = [[0] * bins for _ in range(3)]
        for row in rows:
            for total, value in zip(totals, (row[2], row[3], row[4 + place]), strict=True):
                total[row[place]] += int(value)
        n, hits, units = map(tuple, totals)
        result[side] = ScoreBins(n=n, hits=hits, units=units)
    return result
