"""The page's part about all features together: false alarms, and what only they show."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from honesty.apart import CATEGORIES, CHANGES, FEATURES, ROWS, WEEKS, WORLDS, Compared, compared
from honesty.change_part import interval, share

LOOKS = {"nothing moves": 1_000, "days move by 0.1": 200}
CHANGED = 50
_AT_ONCE = 20
_LEVELS = (0.05, 0.01)


def looks(seeds: Sequence[int], *, moves: float, less: float) -> list[Compared]:
    """Some looks, by one start of the classifier."""
    with tempfile.TemporaryDirectory(prefix="assay-honesty-") as folder:
        return compared(Path(folder), seeds, moves=moves, less=less)


def _all(
    pool: ProcessPoolExecutor, number: int, *, moves: float, less: float = 0.0
) -> list[Compared]:
    starts = [range(at, min(at + _AT_ONCE, number)) for at in range(0, number, _AT_ONCE)]
    return [
        one for some in pool.map(partial(looks, moves=moves, less=less), starts) for one in some
    ]


def faults(world: str, found: Sequence[Compared]) -> list[str]:
    """Promises that these looks, in which nothing has changed, do not show to be kept."""
    broken = []
    alarms = sum(one.moved for one in found)
    if alarms:
        broken.append(f"{world}: {alarms} of {len(found)} looks cried wolf")
    if world == "nothing moves":
        for level in _LEVELS:
            below = sum(one.p < level for one in found)
            if interval(below, len(found))[0] > level:
                broken.append(f"p below {level} in {below} of {len(found)} looks")
    return broken


def section(pool: ProcessPoolExecutor, scale: float) -> tuple[str, list[str]]:
    """The Markdown of this part, and promises that it does not show to be kept."""
    quiet = {
        world: _all(pool, max(_AT_ONCE, round(scale * LOOKS[world])), moves=moves)
        for world, moves in WORLDS.items()
    }
    number = max(_AT_ONCE, round(scale * CHANGED))
    changed = {
        (change, world): _all(pool, number, moves=moves, less=less)
        for change, less in CHANGES.items()
        for world, moves in WORLDS.items()
    }
    said = (
        f"Windows of {ROWS:,} rows against the same hours of {WEEKS} earlier weeks, {FEATURES} "
        f"normal features and {CATEGORIES} categories, compared by the code and the classifier "
        "that compare real ones. In brackets: Clopper and Pearson's 95 % interval."
    )
    rows = [_quiet(world, found) for world, found in quiet.items()]
    more = [_changed(change, world, found) for (change, world), found in changed.items()]
    broken = [fault for world, found in quiet.items() for fault in faults(world, found)]
    return "\n".join([said, "", _QUIET, *rows, "", _SEEN, "", _CHANGED, *more, "", _READ]), broken


def _quiet(world: str, found: Sequence[Compared]) -> str:
    below = [share(sum(one.p < level for one in found), len(found)) for level in _LEVELS]
    held = share(sum(one.interval[0] <= 0.5 <= one.interval[1] for one in found), len(found))
    if WORLDS[world]:
        below, held = [f"{each}, of days that differ" for each in below], "–"
    threshold = np.median([one.threshold for one in found])
    alarms = share(sum(one.moved for one in found), len(found))
    return (
        f"| {world} | {len(found):,} | {alarms} | {' | '.join(below)} | {held} | "
        f"{np.median([one.auc for one in found]):.3f} | {threshold:.2f} |"
    )


def _changed(change: str, world: str, found: Sequence[Compared]) -> str:
    seen = share(sum(one.moved for one in found), len(found))
    return f"| {change} | {world} | {seen} | {np.median([one.auc for one in found]):.3f} |"


_QUIET = (
    "| world, nothing has changed | looks | false alarms | p below 0.05 | p below 0.01 | "
    "the interval holds 0.5 | area, the median | counts from |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|"
)
_SEEN = (
    "And it does see what no column shows: the first two features, alike by 0.8 (Pearson's r), "
    "go less with each other, and each stays the normal that it was."
)
_CHANGED = "| change | world | found in one look | area, the median |\n|---|---|---:|---:|"
_READ = (
    "Promised: no false alarm in these looks, and p below 5 % and 1 % at most as often. Where "
    "every day moves every feature by itself, days are always told apart; the raised threshold "
    "keeps quiet, and what is no larger than that is not found."
)
