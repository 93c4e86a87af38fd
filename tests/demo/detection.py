"""How soon a change is found, at what cost in false alarms; and beside it a naive threshold. Pure.

The naive one looks once a week at the labels that came in that week, and alarms where their
accuracy is more than the margin below what was promised.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from assay.evidence import Look
from assay.evidence.monitoring import ProblemKind
from demo.month import CHANGE, LATE, START

WEEK = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Found:
    """When a change was found, if it was; ``alarms`` of ``chances`` were before the change.

    ``labels`` is how many predictions made after the change had their label by then.
    """

    how: str
    at: datetime | None
    labels: int
    alarms: int
    chances: int

    @property
    def hours(self) -> float | None:
        """From the change until it was found."""
        return None if self.at is None else (self.at - CHANGE) / timedelta(hours=1)


def moment(look: Look) -> datetime:
    """When a look was taken."""
    return datetime.fromisoformat(look.at)


def first_of(looks: Sequence[Look], kind: ProblemKind) -> Look | None:
    """The first look after the change that found a problem of this kind."""
    for look in looks:
        if moment(look) > CHANGE and any(one.kind is kind for one in look.problems):
            return look
    return None


def found_by_looks(looks: Sequence[Look], kind: ProblemKind, asked: pd.DataFrame) -> Found:
    """When looks found the change; any problem before it is a false alarm."""
    first = first_of(looks, kind)
    at = None if first is None else moment(first)
    before = [look for look in looks if moment(look) <= CHANGE]
    return Found(
        how=f"assay, {kind.value}",
        at=at,
        labels=known_since(asked, at),
        alarms=sum(bool(look.problems) for look in before),
        chances=len(before),
    )


def known_since(asked: pd.DataFrame, at: datetime | None) -> int:
    """How many predictions made after the change have their label at a time."""
    if at is None:
        return 0
    return int(((asked["time"] >= CHANGE) & (asked["known"] < at)).sum())


def weekly_threshold(
    asked: pd.DataFrame, right: pd.Series, *, promised: float, margin: float, until: datetime
) -> Found:
    """When the naive threshold finds the change; ``right`` says which answers were, by row."""
    looked = list(_weeks(asked, right, until))
    alarms = [at for at, accuracy in looked if accuracy < promised - margin]
    first = next((at for at in alarms if at > CHANGE), None)
    return Found(
        how="weekly threshold",
        at=first,
        labels=known_since(asked, first),
        alarms=sum(at <= CHANGE for at in alarms),
        chances=sum(at <= CHANGE for at, _ in looked),
    )


def _weeks(
    asked: pd.DataFrame, right: pd.Series, until: datetime
) -> Iterator[tuple[datetime, float]]:
    end = START + WEEK
    while end <= until:
        came = (asked["known"] >= end - WEEK) & (asked["known"] < end)
        if came.any():
            yield end, float(right[came].mean())
        end += WEEK


def table(found: Sequence[tuple[str, Found]]) -> str:
    """The findings of each world, for a terminal."""
    lines = [f"{'world':<15} {'found by':<18} {'delay':>7} {'labels':>7}  alarms before the change"]
    for world, one in found:
        delay = "never" if one.hours is None else f"{one.hours:.0f} h"
        lines.append(
            f"{world:<15} {one.how:<18} {delay:>7} {one.labels:>7,}  "
            f"{one.alarms} in {one.chances} looks"
        )
    first, last = (seconds // 3600 for seconds in LATE)
    lines.append(f"Labels come {first} to {last} h late, which is in every delay but drift's.")
    return "\n".join(lines)
