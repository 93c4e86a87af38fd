"""Write docs/honesty/rollouts.md: how often rollouts err, and what they cost.

Run from the repository: .venv/bin/python tests/honesty/rollouts_page.py --processes 2
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import beta

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "toolkit")]

from assay.evidence import DecisionKind  # noqa: E402
from honesty.rollouts import (  # noqa: E402
    ERRORS,
    GOOD,
    REQUESTS,
    RIGHT,
    SLOW,
    WORSE,
    Ended,
    Judged,
    Version,
    fixed_horizon,
    peeking,
    simulate,
    strategy,
)

PAGE = ROOT / "docs/honesty/rollouts.md"
RUNS = 2_000
MOST_BACK, MOST_PROMOTED = 0.05, 0.02
KINDS = ("canary", "ab", "bandit", "shadow", "blue-green")
BUSY = Version(errors=0.02, slow=0.10)


@dataclass(frozen=True)
class Case:
    """A new version over a serving one, and what is promised of it."""

    name: str
    new: Version
    margin: float
    serving: Version = GOOD
    promised: str = ""
    """back, promoted, or nothing."""


CASES = (
    Case("identical", GOOD, 0.03, promised="back"),
    Case("identical, 2 % errors, 10 % slow", BUSY, 0.03, serving=BUSY, promised="back"),
    Case("3 points worse, by exactly the margin", WORSE, 0.03, promised="promoted"),
    Case("identical", GOOD, 0.02, promised="back"),
    Case("3 points worse", WORSE, 0.02, promised="promoted"),
    Case("10 points worse", Version(right=RIGHT - 0.1), 0.02, promised="promoted"),
    Case("fails 3 points more often", Version(errors=ERRORS + 0.03), 0.02, promised="promoted"),
)
REFERENCES = (("one test at a fixed size", fixed_horizon), ("peeking at a fixed interval", peeking))
JUDGED_ALONE = tuple(case for case in CASES if case.new.errors == ERRORS)


def upper(events: int, runs: int) -> float:
    """The upper end of Clopper and Pearson's one-sided 95 % interval."""
    return 1.0 if events >= runs else float(beta.ppf(0.95, events + 1, runs - events))


def run(kind: str, case: Case, runs: int = RUNS) -> list[Ended]:
    """The rollouts of one row."""
    how = strategy(kind, case.margin)
    return simulate(how, case.new, runs, seed=CASES.index(case), serving=case.serving)


def went_back(ended: Sequence[Ended]) -> int:
    """Rollouts that were taken back, for whatever cause."""
    return sum(each.kind is DecisionKind.ROLLED_BACK for each in ended)


def faults(kind: str, case: Case, ended: Sequence[Ended]) -> list[str]:
    """Promises that this many runs do not show to be kept: the upper bound is beyond them."""
    back, runs = went_back(ended), len(ended)
    found = []
    if case.promised == "back" and upper(back, runs) > MOST_BACK:
        found.append(f"{kind}, {case.name}, margin {case.margin}: {back} of {runs} went back")
    if case.promised == "promoted" and upper(runs - back, runs) > MOST_PROMOTED:
        found.append(f"{kind}, {case.name}, margin {case.margin}: {runs - back} were promoted")
    return found


def _share(events: int, runs: int) -> str:
    return f"{100 * events / runs:.2f} % (≤ {100 * upper(events, runs):.2f} %)"


def _row(kind: str, case: Case, ended: Sequence[Ended]) -> str:
    back, runs = went_back(ended), len(ended)
    labels = np.median([each.labels for each in ended])
    requests = "none" if kind == "shadow" else f"{np.mean([e.requests for e in ended]):,.0f}"
    return (
        f"| {kind} | {case.name} | {case.margin:g} | {_share(back, runs)} | "
        f"{_share(runs - back, runs)} | {labels:,.0f} | {requests} |"
    )


def _judged(name: str, case: Case, found: Judged) -> str:
    runs = found.promoted + found.back
    return (
        f"| {name} | {case.name} | {case.margin:g} | {_share(found.back, runs)} | "
        f"{_share(found.promoted, runs)} | {found.labels:,.0f} | {found.labels / 2:,.0f} |"
    )


_MADE = (
    "Made by `.venv/bin/python tests/honesty/rollouts_page.py`. The serving version is right on "
    f"{100 * RIGHT:g} %, fails {100 * ERRORS:g} % and is slow on {100 * SLOW:g} % of the requests, "
    f"unless said otherwise; every {REQUESTS} requests there is a look, and all are labelled at "
    "once. Confidence 95 %. Canary: 5, 20, 50 %; A/B and bandit begin at 50 %, a shadow mirrors "
    "half; blue-green has 50,000 labelled requests of the time before. In brackets: the upper end "
    "of Clopper and Pearson's one-sided 95 % interval. Promised: of identical versions at most "
    f"{100 * MOST_BACK:g} % go back, of worse ones at most {100 * MOST_PROMOTED:g} % are promoted "
    "(a shadow concludes)."
)
_READ = (
    "*Labels*: of both versions at the decision, the median (in the last rows the mean). *Its "
    "requests*: how many the new version answered until the decision, the mean; for a bad version "
    "those are what it cost. The last rows judge the same versions at an even split without a "
    "confidence sequence: one 95 % interval at the size that shows an identical version to be no "
    f"worse with 90 % power, and the same interval looked at every {REQUESTS} labels until it says "
    "something."
)
_COSTS = (
    "Peeking is cheaper than everything else, and wrong too often: it stops at the first look "
    "that chance favours. A bandit shows a bad version least, and needs the most labels to say so: "
    "what it does not show, it does not learn about."
)


def page(rows: Sequence[str], broken: Sequence[str], runs: int) -> str:
    """The Markdown page."""
    lines = [
        "# How often do rollouts err, and what do they cost?",
        "",
        f"{runs:,} rollouts a row, each decided by the code that decides real ones.",
        "",
        _MADE,
        "",
        f"**Promises whose upper bound is beyond them: {'; '.join(broken) or 'none'}.**",
        "",
        "| strategy | the new version | margin | went back | promoted | labels | its requests |",
        "|---|---|---:|---:|---:|---:|---:|",
        *rows,
        "",
        _READ,
        "",
        _COSTS,
        "",
    ]
    return "\n".join(lines)


def main() -> int:
    """Simulate every row, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--runs", type=int, default=RUNS)
    given = parser.parse_args()
    asked = [(kind, case, given.runs) for case in CASES for kind in KINDS]
    with ProcessPoolExecutor(given.processes) as pool:
        found = list(pool.map(run, *zip(*asked, strict=True)))
    rows, broken = [], []
    for (kind, case, _), ended in zip(asked, found, strict=True):
        rows.append(_row(kind, case, ended))
        broken += faults(kind, case, ended)
    for name, judge in REFERENCES:
        for case in JUDGED_ALONE:
            rows.append(_judged(name, case, judge(case.new, case.margin, given.runs, seed=1)))
    PAGE.write_text(page(rows, broken, given.runs), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))
    return len(broken)


if __name__ == "__main__":
    sys.exit(main())
