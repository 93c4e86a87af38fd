"""Two clocks: the time of day for records and expiry, running time for everything that is awaited.

Bakes, deadlines and heartbeats are counted in running time, so that a clock that jumps moves none
of them. Only expiry, freeze windows and the day's count of rollbacks ask what time it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, kw_only=True)
class Clock:
    """``wall`` is UTC; ``running`` is seconds that never go back."""

    wall: Callable[[], datetime] = lambda: datetime.now(UTC)
    running: Callable[[], float] = time.monotonic

    def moment(self) -> str:
        """The time of day, as records have it."""
        return moment_of(self.wall())


def moment_of(at: datetime) -> str:
    """Return a time as records have it: UTC, ISO 8601, milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def time_of(moment: str) -> datetime:
    """Read a time; without a zone it is UTC. Raises ValueError where it is none."""
    found = datetime.fromisoformat(moment)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
