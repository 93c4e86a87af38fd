"""``online.json``: all that an online decision was made from, so that it can be made again."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from assay.config import Strategy
from assay.evidence.base import Document, Part
from assay.evidence.delivery import Cause
from assay.evidence.ledger import Digest
from assay.evidence.verdict import State

LookName = Literal["errors", "latency", "sample-ratio", "quality", "agreement"]
MoveKind = Literal["stay", "step", "promote", "conclude", "back", "hold"]


class Served(Part):
    """What one version answered under one generation of the route."""

    requests: int = Field(default=0, ge=0)
    errors: int = Field(default=0, ge=0, description="See `assay.rollout.target.Counts`.")
    slow: int = Field(default=0, ge=0, description="Slower than the guard's objective, or failed.")
    units: int = Field(default=0, ge=0, description="Distinct units that were assigned to it.")


class ValueSums(Part):
    """n, the mean and Σ(value − mean)² of one value per unit, and the values other than usual."""

    n: int = Field(default=0, ge=0)
    mean: float = 0.0
    squares: float = Field(default=0.0, ge=0)
    events: int = Field(
        default=0,
        ge=0,
        description="Units with another value than most: errors for accuracy, else all that are "
        "not 0. Below 20 the interval has not begun to hold.",
    )


class Agreed(Part):
    """Equal predictions among the requests that both versions answered."""

    equal: int = Field(default=0, ge=0)
    compared: int = Field(default=0, ge=0)


class Labelled(Part):
    """What the labels say of the units that were assigned under one generation of the route.

    Given for the whole rollout at each step, not as what is new: late labels amend what was before.
    """

    generation: int = Field(ge=1)
    arms: dict[Digest, ValueSums] = Field(
        default_factory=dict, description="Sums of the pre-registered metric's value per unit."
    )
    paired: ValueSums | None = Field(
        default=None, description="shadow: sums of new − serving on the same request."
    )
    agreement: Agreed | None = Field(default=None, description="shadow: equal predictions.")


class Batch(Part):
    """What one generation of the route asked for, and what both versions did under it."""

    generation: int = Field(ge=1)
    share: float = Field(
        ge=0,
        le=1,
        description="Of the traffic that the new version gets (shadow: a copy).",
    )
    serving: Served = Served()
    new: Served = Served()


class Rollout(Part):
    """A version on its way, and what the strategy remembers of it."""

    candidate: Digest
    strategy: Strategy
    by: str
    intent: str | None = None
    glass: bool = Field(default=False, description="Broken: a freeze does not hold it back.")
    at: int = Field(default=-1, ge=-1, description="The step, from 0; −1 until it is ready.")
    baked: float = Field(default=0, ge=0, description="Seconds at this step since the last start.")
    elapsed: float = Field(default=0, ge=0, description="Seconds of running time in all.")
    unready: float = Field(default=0, ge=0, description="Seconds that it has not been ready.")
    paused: bool = False
    advanced: bool = Field(default=False, description="A person waived this step's waiting.")
    held: str | None = Field(default=None, description="The reason for holding that was recorded.")
    batches: tuple[Batch, ...] = Field(
        default=(), description="One for each generation of the route, the running one last."
    )


class OnlineLook(Part):
    """One claim at one look: valid at all looks together (docs/statistics.md)."""

    name: LookName
    state: State
    n: int = Field(ge=0, description="Units of both versions so far.")
    difference: float | None = Field(default=None, description="Positive: the new one is better.")
    interval: tuple[float, float] | None = None
    confidence: float
    margin: float | None = None
    p_value: float | None = Field(default=None, description="sample-ratio: at any look.")
    reason: str | None = Field(default=None, description="Why it is not judged.")


class Move(Part):
    """What the strategy makes of the looks."""

    kind: MoveKind
    cause: Cause
    sentence: str
    share: float | None = Field(default=None, description="step: the new version's next share.")


class OnlineEvidence(Document):
    """A rollout at one moment: where it was, what was counted, what it shows, what was decided.

    Looks and move are a pure function of the rest: `assay.rollout.looks.replay`.
    """

    SCHEMA: ClassVar[str] = "assay/online/1"
    FILE: ClassVar[str] = "online.json"

    serving: Digest
    rollout: Rollout
    labels: tuple[Labelled, ...] = ()
    held: str | None = Field(default=None, description="Why nothing could be promoted.")
    looks: tuple[OnlineLook, ...]
    move: Move
