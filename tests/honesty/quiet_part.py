"""The page's part about quiet years: false alarms a year, and how soon a change is seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import chi2

from honesty.quiet_screen import WEEK
from honesty.quiet_traffic import FEATURES, World, quiet
from honesty.quiet_years import alarms
from honesty.resumed import Runner
from honesty.simple_ways import WAYS, begun

MOST = 1.0
"""False alarms a model and year, as the upper end of a 95 % interval."""
YEARS = 20
STATE = Path(__file__).resolve().parents[2] / ".venv/honesty-monitoring.jsonl"
USUAL = World(name="days move by 0.1 deviations")
PROMISED = (
    USUAL,
    World(name="days do not move", restless=0.0),
    World(name="days move by 0.1, a test set of 1,000 rows", test_rows=1_000),
)
BEYOND = (
    World(name="days move by 0.1, ten times the rows", rows=2_200.0),
    World(name="days move by 0.2", restless=0.2),
    World(name="days move by 0.1, weeks by 0.1, each by itself", weeks=0.1),
    World(name="days move by 0.1, weeks by 0.1 and slowly", weeks=0.1, kept=0.8),
)
"""Worlds that are not promised: what is found there is said."""
SHIFTS = (0.5, 1.0, 1.5)
CHANGES = 8
_BEFORE, _AFTER = 6 * WEEK, WEEK


@dataclass(frozen=True)
class Years:
    """What quiet years of one world made: alarms of each of them."""

    world: World
    alarms: tuple[int, ...]
    against: Counter[str]
    """Alarms by what the column had moved against; those of both count in both."""
    simple: dict[str, tuple[int, ...]]
    """Alarms of simpler ways in the same years."""


def interval(count: int, years: float) -> tuple[float, float]:
    """The two-sided 95 % interval of a Poisson rate (Garwood 1936)."""
    low = float(chi2.ppf(0.025, 2 * count)) / 2 if count else 0.0
    return low / years, float(chi2.ppf(0.975, 2 * (count + 1))) / 2 / years


def year(seed: int, world: World) -> dict[str, Any]:
    """What alarms in one year of hourly looks; a column counts each time that it begins."""
    traffic = quiet(seed, world)
    return {"alarms": alarms(traffic), "simple": {way.name: begun(traffic, way) for way in WAYS}}


def seen_after(seed: int, shift: float) -> int | None:
    """Hours until a feature that moved at a random hour is reported; None: not within a week."""
    since = _BEFORE + int(np.random.default_rng(seed).integers(WEEK))
    traffic = quiet(seed, USUAL, hours=since + _AFTER, shift=shift, since=since)
    found = [one.at - since for one in alarms(traffic) if one.name == "f1" and one.at > since]
    return min(found, default=None)


def quiet_years(runner: Runner, world: World, years: int) -> Years:
    """Simulate so many years of one world."""
    found = runner.each(year, [(seed, world) for seed in range(years)])
    return Years(
        world=world,
        alarms=tuple(len(each["alarms"]) for each in found),
        against=Counter(one for each in found for *_, all_ in each["alarms"] for one in all_),
        simple={way.name: tuple(each["simple"][way.name] for each in found) for way in WAYS},
    )


def kept(years: Years) -> bool:
    """Whether these years show that there is at most one false alarm in each."""
    return interval(sum(years.alarms), len(years.alarms))[1] <= MOST


def fault(years: Years) -> str | None:
    """What is promised and not shown."""
    high = interval(sum(years.alarms), len(years.alarms))[1]
    return None if kept(years) else f"quiet years, {years.world.name}: at most {high:.2f} a year"


def section(pool: ProcessPoolExecutor, scale: float) -> tuple[str, list[str]]:
    """The Markdown of this part, and promises that it does not show to be kept.

    Years that an earlier run finished are in `STATE` and not simulated again: delete it when a
    formula has changed.
    """
    runner = Runner(pool=pool, state=STATE)
    count = max(2, round(scale * YEARS))
    promised, beyond = (
        [quiet_years(runner, world, count) for world in worlds] for worlds in (PROMISED, BEYOND)
    )
    changes = max(4, round(scale * CHANGES))
    seen = {
        shift: runner.each(seen_after, [(seed, shift) for seed in range(changes)])
        for shift in SHIFTS
    }
    lines = [
        _SAID,
        *map(_row, promised),
        "",
        _BEYOND,
        *map(_row_beyond, beyond),
        "",
        _WHY,
        "",
        *_beside([promised[0], *beyond]),
        "",
        *_delays(seen, changes),
    ]
    return "\n".join(lines), [each for each in map(fault, promised) if each]


def _rate(counts: Sequence[int]) -> str:
    low, high = interval(sum(counts), len(counts))
    return f"{sum(counts) / len(counts):,.2f} [{low:,.2f}, {high:,.2f}]"


def _row(years: Years) -> str:
    return (
        f"| {years.world.name} | {len(years.alarms)} | {sum(years.alarms)} | "
        f"{max(years.alarms)} | {_rate(years.alarms)} | at most {MOST:g} |"
    )


def _row_beyond(years: Years) -> str:
    return (
        f"| {years.world.name} | {len(years.alarms)} | {sum(years.alarms):,} | "
        f"{years.against['reference']:,} | {years.against['same hours']:,} | "
        f"{_rate(years.alarms)} | {'kept' if kept(years) else '**not kept**'} |"
    )


def _beside(years: Sequence[Years]) -> Sequence[str]:
    names = " | ".join(each.world.name for each in years)
    rows = [f"| | {names} |", f"|---|{'---:|' * len(years)}"]
    ours = " | ".join(f"{np.mean(each.alarms):,.2f}" for each in years)
    rows.append(f"| `assay monitor`, a look an hour | {ours} |")
    for way in WAYS:
        found = " | ".join(f"{np.mean(each.simple[way.name]):,.0f}" for each in years)
        rows.append(f"| {way.name} | {found} |")
    return [_BESIDE, *rows]


def _delays(seen: dict[float, list[int | None]], changes: int) -> Sequence[str]:
    rows = []
    for shift, hours in seen.items():
        known = [each for each in hours if each is not None]
        middle = f"{np.median(known):.0f}" if len(known) > changes / 2 else "more than a week"
        rows.append(f"| {shift:g} | {len(known)} of {changes} | {middle} |")
    return [_CHANGES, *rows]


_SAID = (
    f"Hourly looks for a year at {FEATURES} features, the score, the prediction, the label and the "
    "number of predictions. A look at which an alarm begins is made by the code that makes real "
    "ones; others are passed over by arrays that a test holds to it. 20 features are "
    "normal, 4 log-normal, 6 categories of 12 values; each follows the hour and the weekend by up "
    "to 0.8 deviations; 44 to 396 rows an hour on a weekday. A year is quiet: but for the seasons "
    "only chance moves a day (or a week). Every column counts, each time that its alarm begins. In "
    "brackets: the 95 % interval of a Poisson rate (Garwood).\n\n"
    "| world | years | false alarms | most in a year | a model and year | promised |\n"
    "|---|---:|---:|---:|---:|---:|"
)
_BEYOND = (
    "Worlds in which this is not promised, because it does not hold there:\n\n"
    "| world | years | false alarms | against the reference | against the same hours | a model and "
    "year | at most 1 |\n|---|---:|---:|---:|---:|---:|---:|"
)
_WHY = ""
_BESIDE = (
    "False alarms a year of simpler ways, in the same years and columns. Each compares the rows of "
    "a day or of seven days with the test set's at the end of it, and corrects nothing:\n"
)
_CHANGES = (
    "And it does see changes: one feature moves at a random hour of the seventh week, where days "
    "move by 0.1.\n\n"
    "| moved by, in deviations | found within a week | hours until then, the median |\n"
    "|---:|---:|---:|"
)
