"""Two commands timed in turn in one run, so that a machine's noise hits both sides alike."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds of each counted run of one side, in the order in which they ran."""

    name: str
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median in seconds."""
        return statistics.median(self.seconds)

    def __str__(self) -> str:
        low, high = min(self.seconds), max(self.seconds)
        return f"{self.name}: median {self.median:.3f} s (min {low:.3f}, max {high:.3f})"


def alternate(
    sides: Mapping[str, Callable[[], object]], *, runs: int, warm_up: int = 1
) -> list[Timing]:
    """Call the sides in turn, ``warm_up`` times uncounted and ``runs`` times counted."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(warm_up + runs):
        for name, call in sides.items():
            started = time.perf_counter()
            call()
            if turn >= warm_up:
                seconds[name].append(time.perf_counter() - started)
    return [Timing(name=name, seconds=tuple(values)) for name, values in seconds.items()]


def command(
    arguments: Sequence[str], *, env: Mapping[str, str] | None = None
) -> Callable[[], None]:
    """Return a call that runs a command and fails where the command does."""

    def call() -> None:
        subprocess.run(arguments, env=env, check=True, capture_output=True)

    return call


def pair_ratios(slow: Timing, fast: Timing) -> tuple[float, float, float]:
    """Return the least, median and greatest of slow/fast, pair by pair."""
    ratios = [a / b for a, b in zip(slow.seconds, fast.seconds, strict=True)]
    return min(ratios), statistics.median(ratios), max(ratios)
