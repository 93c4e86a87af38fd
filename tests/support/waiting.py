"""Waits for what another process or thread brings about."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(
    holds: Callable[[], object], what: str = "it", *, seconds: float = 60.0, every: float = 0.05
) -> None:
    """Ask ``every`` so many seconds until something holds; AssertionError after ``seconds``."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, f"{what}: not within {seconds:g} s"
        time.sleep(every)
