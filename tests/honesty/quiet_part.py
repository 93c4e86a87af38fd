"""The page's part about quiet years: false alarms a year, and how soon a change is seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import chi2

from assay.config.monitoring import DriftRule
from honesty.quiet_screen import WEEK
from honesty.quiet_traffic import FEATURES, RULE, World, quiet
from honesty.quiet_years import alarms
from honesty.resumed import Runner
from honesty.simple_ways import WAYS, begun, seen_after

MOST = 1.0
"""False alarms a model and year, as the upper end of a 95 % interval."""
YEARS, YEARS_OTHER = 20, 10
"""Of worlds under the usual thresholds, and under others."""
STATE = Path(__file__).resolve().parents[2] / ".venv/honesty-monitoring.jsonl"
USUAL = World(name="days move by 0.1 deviations")
PROMISED = (
    USUAL,
    World(name="days do not move", restless=0.0),
    World(name="days move by 0.1, a test set of 1,000 rows", test_rows=1_000),
    World(name="days move by 0.1, ten times the rows", rows=2_200.0),
    World(name="days move by 0.1, weeks by 0.1", weeks=0.1),
)
RULES = {
    0.23: DriftRule(psi=0.05, jensen_shannon=0.095, wasserstein=0.23),
    0.69: DriftRule(psi=0.45, jensen_shannon=0.28, wasserstein=0.69, unseen=0.03),
    0.92: DriftRule(psi=0.79, jensen_shannon=0.36, wasserstein=0.92, unseen=0.03),
}
"""Other thresholds, by the shift that they mean; docs/monitoring.md says what to write."""


def _by(world: World, shift: float) -> World:
    return replace(world, name=f"{world.name}; {_RULED.format(shift)}", rule=RULES[shift])


_RULED = "`drift` of {:g}"
RESTLESS = World(name="days move by 0.2", restless=0.2)
SLOWLY = World(name="days move by 0.1, weeks by 0.1 and slowly", weeks=0.1, kept=0.8)
BEYOND = (
    RESTLESS,
    _by(RESTLESS, 0.69),
    SLOWLY,
    _by(SLOWLY, 0.69),
)
"""Worlds and thresholds that are not promised: what is found there is said."""
SHIFTS = (0.5, 1.0, 1.5)
CHANGES = 40
OURS = "`assay monitor`, a look an hour"
WATCHED = {OURS: RULE} | {
    f"the same, {_RULED.format(shift)}": rule for shift, rule in RULES.items()
}
_BEFORE, _AFTER = 6 * WEEK, 2 * WEEK


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


def years_of(world: World) -> int:
    """How many years of a world are simulated."""
    return YEARS if world.rule == RULE else YEARS_OTHER


def year(seed: int, world: World) -> dict[str, Any]:
    """What alarms in one year of hourly looks; a column counts each time that it begins."""
    traffic = quiet(seed, world)
    return {
        "alarms": alarms(traffic, rule=world.rule),
        "simple": {way.name: begun(traffic, way) for way in WAYS},
    }


def seen(seed: int, shift: float, rules: dict[str, DriftRule]) -> dict[str, int | None]:
    """Hours until a feature that moved at a random hour is reported; None: not in two weeks.

    By each of the rules, and by simpler ways.
    """
    since = _BEFORE + int(np.random.default_rng(seed).integers(WEEK))
    traffic = quiet(seed, USUAL, hours=since + _AFTER, shift=shift, since=since)
    found: dict[str, int | None] = {}
    for name, rule in rules.items():
        own = alarms(traffic, rule=rule)
        hours = [one.at - since for one in own if one.name == "f1" and one.at > since]
        found[name] = min(hours, default=None)
    (column,) = (one for one in traffic.columns if one.reference.name == "f1")
    return found | {way.name: seen_after(column, way, since) for way in WAYS}


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
    promised, beyond = (
        [quiet_years(runner, world, max(2, round(scale * years_of(world)))) for world in worlds]
        for worlds in (PROMISED, BEYOND)
    )
    changes = max(4, round(scale * CHANGES))
    found = {
        shift: runner.each(seen, [(seed, shift, WATCHED) for seed in range(changes)])
        for shift in SHIFTS
    }
    lines = [_SAID, *map(_row, promised), "", _BEYOND, *map(_row_beyond, beyond)]
    usual = [each for each in beyond if each.world.rule == RULE]
    lines += ["", _WHY, "", *_changes(found), "", *_beside([promised[0], promised[-1], *usual])]
    lines += ["", _READ]
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


def _changes(found: dict[float, list[dict[str, int | None]]]) -> Sequence[str]:
    rows = [
        f"| {name} | {' | '.join(_delay([one[name] for one in found[shift]]) for shift in found)} |"
        for name in (*WATCHED, *(way.name for way in WAYS if not way.by_test))
    ]
    return [_CHANGES, *rows]


def _keys(rule: DriftRule) -> str:
    """What assay.yaml says for a rule that is not the usual one."""
    said = rule.model_dump(exclude_defaults=True)
    return ", ".join(f"`{name}: {value:g}`" for name, value in said.items())


def _delay(hours: Sequence[int | None]) -> str:
    known = [each for each in hours if each is not None]
    middle = sorted(np.inf if each is None else each for each in hours)[len(hours) // 2]
    spoken = f"{middle:.0f} hours" if np.isfinite(middle) else "more than two weeks"
    return f"{len(known)} of {len(hours)}, {spoken}"


def _beside(years: Sequence[Years]) -> Sequence[str]:
    rows = [
        f"| | {' | '.join(each.world.name for each in years)} |",
        f"|---|{'---:|' * len(years)}",
    ]
    ours = " | ".join(f"{np.mean(each.alarms):,.1f}" for each in years)
    rows.append(f"| {OURS} | {ours} |")
    for way in WAYS:
        found = " | ".join(f"{np.mean(each.simple[way.name]):,.1f}" for each in years)
        rows.append(f"| {way.name} | {found} |")
    return [_BESIDE, *rows]


_SAID = (
    f"Hourly looks for a year at {FEATURES} features, the score, the prediction, the label and the "
    "number of predictions. A look at which an alarm begins is made by the code that makes real "
    "ones; others are passed over by arrays that a test holds to it. 20 features are "
    "normal, 4 log-normal, 6 categories of 12 values; each follows the hour and the weekend by up "
    "to 0.8 deviations; 44 to 396 rows an hour on a weekday. A year is quiet: but for the seasons "
    "only chance moves a day or a week, by so many deviations of a row. Every column counts, each "
    "time that its alarm begins. In brackets: the 95 % interval of a Poisson rate (Garwood).\n\n"
    "| world | years | false alarms | most in a year | a model and year | promised |\n"
    "|---|---:|---:|---:|---:|---:|"
)
_BEYOND = (
    "**Not promised**: worlds that move more, and other thresholds:\n\n"
    "| world | years | false alarms | against the reference | against the same hours | a model and "
    "year | at most 1 |\n|---|---:|---:|---:|---:|---:|---:|"
)
_WHY = (
    "*Days* move each by itself, and *weeks* do, too; *slowly*: a week keeps 0.8 of the one before "
    "it. The three distances under `drift` mean one shift of a normal column, 0.46 deviations if "
    "assay.yaml says nothing else; *`drift` of 0.69* is "
    f"{_keys(RULES[0.69])}, of 0.92 {_keys(RULES[0.92])}, of 0.23 {_keys(RULES[0.23])}: "
    "about what a Jensen–Shannon distance of 0.1 counts from.\n\n"
    "Against the reference no room is made for weeks that move: a week whose mean is 0.46 from the "
    "test set's is reported, a true distance each time, whether or not it is a change. Where weeks "
    "move slowly the few earlier ones that are kept would not tell: they moved along. Against the "
    "same hours there is room, and a shift fits in it; the mean of a skewed feature and the share "
    "of values beyond the test set's range grow faster than a shift. Whose columns move so writes "
    "a larger shift; the next table says what that costs."
)
_CHANGES = (
    "And it does see changes: one feature moves at a random hour of the seventh week, where days "
    f"move by 0.1. How many of {CHANGES} such changes are found within two weeks, and the median "
    "of the hours until then:\n\n"
    f"| | {' | '.join(f'by {shift:g} deviations' for shift in SHIFTS)} |\n"
    f"|---|{'---:|' * len(SHIFTS)}"
)
_BESIDE = (
    "Simpler ways beside it: false alarms a year in the same years and columns. Each of them "
    "compares the rows of a day, or of seven days, with the test set's at the end of it, a column "
    "at a time, and corrects nothing; Kolmogorov–Smirnov over the reference's bins.\n"
)
_READ = (
    "A day is unlike a test set of weeks, and a test at 5 % finds what is true and no matter. A "
    "week's index above 0.2 is a shift of the same size, looked at once a week and never beside "
    "the same hours, and so quieter; but it takes more than a week to see one."
)
