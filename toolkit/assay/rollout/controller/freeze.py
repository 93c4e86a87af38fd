"""Freeze windows: when nothing is promoted. Rollbacks are never held back by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from assay.config.delivery import Freeze
from assay.errors import InputError
from assay.rollout.controller.clock import time_of


def freezing(windows: Sequence[Freeze]) -> Callable[[datetime], str | None]:
    """Return what says why nothing may be promoted at a time, or None.

    Raises InputError for a window whose times are none, or that ends before it begins.
    """
    known = [(_time(one.start), _time(one.end), one) for one in windows]
    for start, end, one in known:
        if end <= start:
            raise InputError(
                f"delivery.freeze: the window from {one.start} to {one.end} is never.",
                remedy="Write the earlier time under `from`.",
            )

    def frozen(now: datetime) -> str | None:
        found = next((one for start, end, one in known if start <= now < end), None)
        return None if found is None else f"frozen until {found.end}: {found.reason}"

    return frozen


def _time(text: str) -> datetime:
    try:
        return time_of(text)
    except ValueError:
        raise InputError(
            f"delivery.freeze: {text[:60]!r} is no time.",
            remedy="Write it as 2026-12-20T00:00Z (UTC).",
        ) from None
