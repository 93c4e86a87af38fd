"""The page's part about quiet years: false alarms a year, and how soon a change is seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from scipy.stats import chi2

from honesty.quiet_traffic import FEATURES, World, quiet
from honesty.quiet_years import WEEK, alarms

MOST = 1.0
"""False alarms a model and year, as the upper end of a 95 % interval."""
YEARS = 20
USUAL = World(name="days move by 0.1 deviations")
PROMISED = (
    USUAL,
    World(name="days do not move", restless=0.0),
    World(name="days move by 0.1, a test set of 1,000 rows", test_rows=1_000),
)
SHIFTS = (0.5, 1.0, 1.5)
CHANGES = 8
_BEFORE, _AFTER = 6 * WEEK, WEEK


@dataclass(frozen=True)
class Years:
    """What quiet years of one world made: alarms of each of them."""

    world: World
    alarms: tuple[int, ...]
    names: Counter[str]


def interval(count: int, years: float) -> tuple[float, float]:
    """The two-sided 95 % interval of a Poisson rate (Garwood 1936)."""
    low = float(chi2.ppf(0.025, 2 * count)) / 2 if count else 0.0
    return low / years, float(chi2.ppf(0.975, 2 * (count + 1))) / 2 / years


def year(seed: int, world: World) -> list[str]:
    """What alarms in one year of hourly looks; a column counts each time that it begins."""
    return [name for _, name in alarms(quiet(seed, world))]


def seen_after(seed: int, shift: float) -> int | None:
    """Hours until a feature that moved at a random hour is reported; None: not within a week."""
    since = _BEFORE + int(np.random.default_rng(seed).integers(WEEK))
    traffic = quiet(seed, USUAL, hours=since + _AFTER, shift=shift, since=since)
    found = [at - since for at, name in alarms(traffic) if name == "f1" and at > since]
    return min(found, default=None)


def quiet_years(pool: ProcessPoolExecutor, world: World, years: int) -> Years:
    """Simulate so many years of one world."""
    found = list(pool.map(year, range(years), repeat(world)))
    return Years(world, tuple(map(len, found)), Counter(name for each in found for name in each))


def fault(years: Years) -> str | None:
    """What is promised and not shown."""
    total, count = sum(years.alarms), len(years.alarms)
    high = interval(total, count)[1]
    if high > MOST:
        return f"quiet years, {years.world.name}: at most {high:.2f} a year"
    return None


def section(pool: ProcessPoolExecutor, scale: float) -> tuple[str, list[str]]:
    """The Markdown of this part, and promises that it does not show to be kept."""
    years = [quiet_years(pool, world, max(2, round(scale * YEARS))) for world in PROMISED]
    changes = max(4, round(scale * CHANGES))
    seen = {shift: list(pool.map(seen_after, range(changes), repeat(shift))) for shift in SHIFTS}
    lines = [_SAID, *map(_row, years), "", _READ, "", *_delays(seen, changes)]
    return "\n".join(lines), [each for each in map(fault, years) if each]


def _row(years: Years) -> str:
    total, count = sum(years.alarms), len(years.alarms)
    low, high = interval(total, count)
    return (
        f"| {years.world.name} | {count} | {total} | {max(years.alarms)} | "
        f"{total / count:.2f} [{low:.2f}, {high:.2f}] | at most {MOST:g} |"
    )


def _delays(seen: dict[float, list[int | None]], changes: int) -> Sequence[str]:
    rows = []
    for shift, hours in seen.items():
        known = [each for each in hours if each is not None]
        middle = f"{np.median(known):.0f}" if len(known) > changes / 2 else "more than a week"
        rows.append(f"| {shift:g} | {len(known)} of {changes} | {middle} |")
    return [_CHANGES, *rows]


_SAID = (
    f"Hourly looks for a year at {FEATURES} features, the score, the prediction, the label and the "
    "number of predictions, each judged by the code that judges real looks. 20 features are "
    "normal, 4 log-normal, 6 categories of 12 values; each follows the hour and the weekend by up "
    "to 0.8 deviations; 44 to 396 rows an hour on a weekday. A year is quiet: but for the seasons "
    "only chance moves a day (or a week). Every column counts, each time that its alarm begins. In "
    "brackets: the 95 % interval of a Poisson rate (Garwood).\n\n"
    "| world | years | false alarms | most in a year | a model and year | promised |\n"
    "|---|---:|---:|---:|---:|---:|"
).rstrip()
_READ = (
    "Not simulated at this size, and not promised: ten times the rows, days that move by more than "
    "0.1, and weeks that differ from each other. Against the reference, a week that is far from it "
    "is reported whether or not weeks always are; `drift` in assay.yaml sets how far a column may "
    "move."
)
_CHANGES = (
    "And it does see changes: one feature moves at a random hour of the seventh week, where days "
    "move by 0.1.\n\n"
    "| moved by, in deviations | found within a week | hours until then, the median |\n"
    "|---:|---:|---:|"
)
