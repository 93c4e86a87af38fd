"""What delivery tells a monitor: signs of life of controllers, and which versions it knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

JOURNAL_SILENCE = 1_800.0
"""Seconds without a push of a controller's records; it pushes at least every 300."""


@dataclass(frozen=True, kw_only=True)
class Sign:
    """When something of a target last showed that it lives; `silent_after` in seconds."""

    name: str
    """``controller TARGET`` or ``journal TARGET``."""
    last: datetime | None
    silent_after: float
    begun: datetime | None = None
    """Since when a sign can be expected, where there was none yet; None: at any time."""


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """What is known of a model's delivery; nothing where it is delivered by other means."""

    signs: tuple[Sign, ...] = ()
    versions: frozenset[str] = frozenset()
    """Artifact digests of decisions, and digests and numbers of registered versions."""
    notes: tuple[str, ...] = ()
    """What could not be asked, and why."""


NOTHING = Delivered()
