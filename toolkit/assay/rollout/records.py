"""What the pure step takes and gives: orders, label sums, a state, and actions.

The state is small and frozen, and its JSON is what the write-ahead log keeps: handed back after a
kill, the step goes on from it. Nothing here knows the time of day; durations are running seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from assay.config import Strategy
from assay.evidence import Cause, DecisionKind, Digest, OnlineEvidence, Part, Rollout
from assay.rollout.target import Route

OrderKind = Literal["deploy", "rollback", "pause", "resume", "abort", "advance", "clear", "lost"]


class Order(Part):
    """What a person, a workflow or the watchdog wants, verified by the controller, given once.

    ``lost`` is the watchdog's: nobody has watched the rollout for too long. Its ``cause``, and that
    of a drill or of a person at the host, stands in the decision.
    """

    kind: OrderKind
    by: str = Field(description="Who: a login, or watchdog.")
    digest: Digest | None = Field(
        default=None,
        description="deploy, clear: this version; rollback: to this one, None for the previous.",
    )
    strategy: Strategy | None = Field(default=None, description="deploy: how traffic moves.")
    image: str | None = Field(default=None, description="deploy: the version's image, by digest.")
    intent: str | None = Field(default=None, description="The intent's id.")
    cause: Cause = Cause.INTENT
    glass: bool = Field(default=False, description="Broken: a freeze does not hold it back.")
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Desired:
    """What is wanted now, beyond the rollout that the state carries."""

    orders: tuple[Order, ...] = ()
    """Verified, neither stale nor expired, oldest first. Each is given once: it is in the state."""
    held: str | None = None
    """Why nothing may be promoted now (a freeze window, a journal that diverged); None: it may."""
    rollbacks_left: int = 2
    """Automatic ones that today still has; at 0 no rollout is begun."""
    start_seconds: float = 120
    """How long a version may take to answer its health check."""


class RoutePart(Part):
    """A route, as the state keeps it; see `assay.rollout.target.Route`."""

    generation: int = Field(ge=1)
    weights: dict[Digest, int]
    stable: Digest
    mirror: tuple[Digest, int] | None = None
    sticky: bool = False
    anonymous: bool = False

    def route(self) -> Route:
        """What a target is asked for."""
        return Route(
            generation=self.generation,
            weights=dict(self.weights),
            stable=self.stable,
            mirror=self.mirror,
            sticky=self.sticky,
            anonymous=self.anonymous,
        )


class Return(Part):
    """A version that takes all traffic as soon as it is ready: a rollback by hand."""

    digest: Digest
    by: str
    intent: str | None = None
    cause: Cause = Cause.INTENT
    reason: str | None = None
    unready: float = Field(default=0, ge=0)


class State(Part):
    """All that the step remembers of a target's model."""

    generation: int = Field(default=0, ge=0, description="Of the last route that was asked for.")
    stable: Digest | None = Field(default=None, description="The serving version.")
    previous: Digest | None = Field(default=None, description="That served before it.")
    route: RoutePart | None = None
    rollout: Rollout | None = None
    returning: Return | None = None
    barred: tuple[Digest, ...] = Field(
        default=(), description="Taken back; not deployed again until a person clears them."
    )
    standby: float = Field(
        default=0, ge=0, description="Seconds that the previous version still is kept ready."
    )
    retiring: tuple[Digest, ...] = Field(
        default=(), description="Without traffic, ended once the route is acknowledged."
    )


@dataclass(frozen=True, kw_only=True)
class Start:
    """Run this version beside those that run; idempotent."""

    digest: Digest


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Drain and end this version; idempotent."""

    digest: Digest


@dataclass(frozen=True, kw_only=True)
class Apply:
    """Ask the target for a route. ``back`` is the way back, rendered before it is applied.

    Repeated until the target acknowledges the generation.
    """

    route: Route
    back: Route | None = None


@dataclass(frozen=True, kw_only=True)
class Record:
    """A decision for the journal; the controller adds epoch, seq, digests, time."""

    kind: DecisionKind
    cause: Cause
    sentence: str
    artifact_digest: Digest | None
    generation: int
    weights: dict[Digest, int]
    barred: tuple[Digest, ...]
    elapsed: float
    by: str = "controller"
    intent: str | None = None
    image: str | None = None
    evidence: OnlineEvidence | None = None
    """Its digest is the decision's ``evidence_digest``; the document is kept beside the journal."""


@dataclass(frozen=True, kw_only=True)
class Alert:
    """Somebody should look; said once for each reason."""

    sentence: str


Action = Start | Stop | Apply | Record | Alert


def restarted(state: State) -> State:
    """The state after a start of the controller: what was baked is baked again."""
    if state.rollout is None:
        return state
    rollout = state.rollout.model_copy(update={"baked": 0.0, "unready": 0.0})
    return state.model_copy(update={"rollout": rollout})
