"""The page's part about a drop in F1: how many labels and days it takes, beside simpler ways."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from scipy.stats import beta

from honesty.changes import (
    CONFIDENCE,
    DELAY,
    LABELS,
    MARGIN,
    METHODS,
    POSITIVES,
    PROMISED,
    RULE,
    begins,
    drawn,
    found_after,
    predicted,
)
from honesty.computed_bound import TIMES, at_the_bound

RUNS = 500
DROPS = (0.03, 0.05, 0.10)
POWER = 0.9
YEAR = 365
_EARLIEST, _LATEST, _AFTER = 30, 180, 120
OURS = next(iter(METHODS))


@dataclass(frozen=True)
class Run:
    """What each way saw in one year that is quiet, or that changes."""

    false: dict[str, int]
    """Alarms that began before a change, or in a quiet year."""
    labels: dict[str, int | None]
    predicted: int
    until_midnight: int
    """Labels from the change to the end of its day: they are among those of the bound."""


def run(seed: int, drop: float) -> Run:
    """One quiet year (`drop` 0), or a drop at a random time of the first half of a year."""
    rng = np.random.default_rng([seed, round(1_000 * drop)])
    since = float(rng.uniform(_EARLIEST, _LATEST)) if drop else float(YEAR)
    days = int(since) + _AFTER if drop else YEAR
    most = predicted(since, PROMISED - drop, power=POWER) if drop else 0
    seen = drawn(rng, days=days, since=since, f1=PROMISED - drop)
    found = {name: method(seen) for name, method in METHODS.items()}
    return Run(
        false={name: begins(alarms[alarms + 1 <= since]) for name, alarms in found.items()},
        labels={name: found_after(alarms, since) for name, alarms in found.items()},
        predicted=most,
        until_midnight=round((math.ceil(since) - since) * LABELS),
    )


def interval(events: int, runs: int) -> tuple[float, float]:
    """Clopper and Pearson's two-sided 95 % interval of a share."""
    low = 0.0 if events == 0 else float(beta.ppf(0.025, events, runs - events + 1))
    high = 1.0 if events == runs else float(beta.ppf(0.975, events + 1, runs - events))
    return low, high


def share(events: int, runs: int) -> str:
    """A share with its interval, in percent."""
    low, high = interval(events, runs)
    return f"{100 * events / runs:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


def in_time(runs: Sequence[Run], *, from_midnight: bool = False) -> int:
    """How many changes ours found within the labels that its bound predicts.

    With `from_midnight` the bound goes without the rest of the day on which the change falls.
    """
    known = [
        (each.labels[OURS], each.predicted - from_midnight * each.until_midnight) for each in runs
    ]
    return sum(labels is not None and labels <= most for labels, most in known)


def faults(quiet: Sequence[Run], changed: dict[float, list[Run]]) -> list[str]:
    """Promises that these runs do not show to be kept."""
    found = []
    wrong = sum(each.false[OURS] > 0 for each in quiet)
    if interval(wrong, len(quiet))[1] > 1 - CONFIDENCE:
        found.append(f"{wrong} of {len(quiet)} quiet years were called worse")
    for drop, runs in changed.items():
        if interval(in_time(runs), len(runs))[0] < POWER:
            found.append(f"a drop of {drop:g}: {in_time(runs)} of {len(runs)} found in time")
    return found


def section(pool: ProcessPoolExecutor, scale: float) -> tuple[str, list[str]]:
    """The Markdown of this part, and promises that it does not show to be kept."""
    runs = max(20, round(scale * RUNS))
    quiet = list(pool.map(run, range(runs), repeat(0.0), chunksize=10))
    changed = {drop: list(pool.map(run, range(runs), repeat(drop), chunksize=10)) for drop in DROPS}
    lines = [_SAID, "", _BOUND]
    computed = pool.map(_computed, DROPS)
    lines += [_bound_row(*row) for row in zip(changed.items(), computed, strict=True)]
    slip = " ".join(
        f"{100 * drop:.0f} points {share(in_time(found, from_midnight=True), len(found))};"
        for drop, found in changed.items()
    )
    lines += ["", f"{_CHECKED} {slip.removesuffix(';')}. {_MIDNIGHT}", "", _BESIDE]
    lines += [_row(name, quiet, changed[DROPS[0]]) for name in METHODS]
    return "\n".join([*lines, "", _READ]), faults(quiet, changed)


def _quantiles(runs: Sequence[Run], name: str) -> tuple[str, str, str]:
    """Median and 90 % quantile of labels, and the median in days with the labels' delay."""
    known = [each.labels[name] for each in runs]
    found = np.array([np.inf if labels is None else labels for labels in known])
    middle, most = (float(np.quantile(found, q, method="inverted_cdf")) for q in (0.5, 0.9))
    never = "more than all"
    return (
        f"{middle:,.0f}" if np.isfinite(middle) else never,
        f"{most:,.0f}" if np.isfinite(most) else never,
        f"{middle / LABELS + DELAY:.0f}" if np.isfinite(middle) else never,
    )


def _computed(drop: float) -> tuple[str, str]:
    """The computed probabilities at the bound's day, and a day before, over times of a change."""
    found = np.array([at_the_bound(since, drop, power=POWER) for since in TIMES])
    least, greatest = 100 * found.min(axis=0), 100 * found.max(axis=0)
    at, before = (f"{low:.1f} to {high:.1f} %" for low, high in zip(least, greatest, strict=True))
    return at, before


def _bound_row(change: tuple[float, list[Run]], computed: tuple[str, str]) -> str:
    drop, runs = change
    middle, most, _ = _quantiles(runs, OURS)
    bound = [each.predicted for each in runs]
    return (
        f"| {100 * drop:.0f} points | {min(bound):,} to {max(bound):,} | {' | '.join(computed)} | "
        f"{share(in_time(runs), len(runs))} | at least {100 * POWER:.0f} % | {middle} | {most} |"
    )


def _row(name: str, quiet: Sequence[Run], changed: Sequence[Run]) -> str:
    years = sum(each.false[name] > 0 for each in quiet)
    rate = np.mean([each.false[name] for each in quiet])
    found = sum(each.labels[name] is not None for each in changed)
    middle, most, days = _quantiles(changed, name)
    return (
        f"| {name} | {share(years, len(quiet))} | {rate:.2f} | "
        f"{share(found, len(changed))} | {middle} | {most} | {days} |"
    )


_SAID = (
    f"{LABELS} labelled predictions a day, {100 * POSITIVES:g} % of them positive; F1 "
    f"{PROMISED:g} is promised with a margin of {MARGIN:g}, `planned` {RULE.planned:,} and "
    f"confidence {100 * CONFIDENCE:g} %; labels come after {DELAY} days. F1 falls at a random time "
    f"between day {_EARLIEST} and {_LATEST}, and is watched for {_AFTER} days more. "
    f"{RUNS:,} runs of each drop, and as many quiet years. In brackets: Clopper and Pearson's 95 % "
    "interval."
)
_BOUND = (
    "*The bound* is a number of labels, counted from the change to the end of a day: the first day "
    "after which the sequence that begins at the midnight after the change excludes the promise "
    f"with a probability of at least {100 * POWER:.0f} %, as far as can be said beforehand, with "
    "as many rows as are expected and hits at that quantile. The later the change, the more. It "
    "is computed before a run, from the drop and the time of the change alone.\n\n"
    "| F1 falls by | labels by the bound | computed: found by then | a day earlier | found within "
    "them | promised | labels, the median | labels, 90 % quantile |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|"
)
_CHECKED = (
    "*Computed*: the same probability without the code that bounds a rate and without a simulation "
    "(`tests/honesty/computed_bound.py`): the mixture of docs/statistics.md held to 1/α, added up "
    f"over the numbers of rows and hits, for changes at {len(TIMES)} times from day "
    f"{TIMES[0]:.0f} to {TIMES[-1]:.0f}. It is above {100 * POWER:.0f} % at the bound and below it "
    "a day earlier, so the bound is not generous by a day. More are found within it than computed, "
    "because a change may be found on any day until then, and by sequences that began before it or "
    "later. The labels from the change to midnight are counted on both sides: among those that a "
    "find took and among those of the bound, though that sequence does not see them. In an earlier "
    "version the bound went without them. Of these runs it would then hold:"
)
_MIDNIGHT = (
    "That was a slip in counting, and the only thing about the bound that was changed after a run: "
    "it adds the rest of a day, whatever was found."
)
_BESIDE = (
    "The same drop of 3 points by simpler ways:\n\n"
    "| | quiet years with a false alarm | false alarms a year | the drop is found | labels, the "
    "median | labels, 90 % quantile | days, the median |\n|---|---:|---:|---:|---:|---:|---:|"
)
_READ = (
    "A threshold, and a test at 5 %, are quicker because they cry wolf: whoever alarms every few "
    "weeks of a quiet year has often alarmed soon after a change, too. A test whose error is "
    "divided by the weeks of one year is honest for that year, if looked at only weekly. "
    "Days are from the change to the look that finds "
    f"it, the {DELAY} days of the labels' delay among them. Promised: at most "
    f"{100 * (1 - CONFIDENCE):g} % of the versions that keep their promise are ever called worse."
)
