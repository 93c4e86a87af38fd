"""What the controller needs of a place where models serve; each kind of target implements it.

Every method is idempotent and returns at once, so that a controller that was killed at any line
does the same again after its start; what came of it is seen by `observe` alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

WHOLE = 10_000
"""Shares of traffic are ten-thousandths of it."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """A verified bundle on this host that can be served."""

    digest: str
    folder: Path
    image: str | None = None
    """Its container image by digest, where one was pushed."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """Where requests go. A target runs the highest generation that it was given.

    ``weights`` maps digests to ten-thousandths that add up to 10,000; ``stable`` is the version
    that answers where another one fails. With ``sticky`` a unit stays with its version; requests
    without a unit are the stable version's then, or with ``anonymous`` each is a unit of its own.
    """

    generation: int
    weights: dict[str, int]
    stable: str
    mirror: tuple[str, int] | None = None
    sticky: bool = False
    anonymous: bool = False
    decision: str = field(default="", compare=False)
    """The digest of the decision that asks for it, where a target writes that down."""
    reason: str = field(default="", compare=False)
    """That decision's sentence."""

    def __post_init__(self) -> None:
        if sum(self.weights.values()) != WHOLE or min(self.weights.values()) < 0:
            raise ValueError(f"weights must be 0 or more and add up to {WHOLE:,}")


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What one version did since its route's generation was first applied: cumulative."""

    requests: int = 0
    errors: int = 0
    """Answers of 5xx, resets and timeouts, and requests that the stable version had to answer."""
    slow: int = 0
    """Answers that took longer than the guard's objective, errors among them."""
    units: int = 0
    """Distinct units that were assigned to it."""


@dataclass(frozen=True, kw_only=True)
class Backend:
    """One version that runs, or should."""

    ready: bool
    active: int = 0
    """Requests in flight."""
    restarts: int = 0
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What is so now. ``applied`` is the generation that the router acknowledged, 0 for none."""

    applied: int
    weights: dict[str, int]
    backends: dict[str, Backend]
    counts: dict[str, Counts] = field(default_factory=dict)
    """By version, at the applied generation."""
    mirror_counts: Counts | None = None
    mirror_dropped: int = 0
    """Requests beyond the mirror's cap: answered, and not mirrored."""
    router: bool = True
    """Whether the router answers."""
    accepted: int = 0
    """The generation that was taken on, where the router says later, or never, that it runs it."""
    detail: str = ""
    """What is known of the route in words: who took it on, who acknowledged it, what is missing."""


class Target(Protocol):
    """A place where versions serve. Raises OutsideError where it cannot be reached."""

    def start(self, release: Release) -> None:
        """Begin to run a version beside those that run."""

    def stop(self, digest: str) -> None:
        """Let a version without traffic finish what it has in flight, then end it."""

    def prepare(self, route: Route) -> None:
        """Render a route that is not asked for yet: the way back, which must not fail for want of
        disk space. A later one of the same generation takes its place."""

    def route(self, route: Route) -> None:
        """Ask for a route; one of an older generation than the applied one is refused."""

    def observe(self) -> Observation:
        """Say what is so, and see to it that what should run does."""
