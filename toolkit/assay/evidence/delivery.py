"""The records of delivery: what is wanted (intents), what was decided, and what was observed.

Intents are written by workflows on ``assay/desired``, decisions and observations by controllers
on ``assay/journal``. Each decision names the digest of the one before it: a chain.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from assay.config import Strategy
from assay.config.delivery import TargetName
from assay.config.types import ModelName
from assay.evidence.base import Document, Part
from assay.evidence.ledger import Digest

ImageReference = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._:/-]{0,254}@sha256:[0-9a-f]{64}$")
]
"""registry/name@sha256:… of a container image."""
Moment = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$")]
"""UTC, ISO 8601."""

IntentKind = Literal["deploy", "rollback", "pause", "resume", "abort", "advance", "clear"]


class Intent(Document):
    """What a person or a workflow wants of one target; it counts once its signature is verified.

    ``clear`` lifts the bar that a rollback put on a digest.
    """

    SCHEMA: ClassVar[str] = "assay/intent/1"
    FILE: ClassVar[str] = "intent.json"

    id: str = Field(pattern=r"^[0-9a-f]{32}$", description="Random; one that was seen is not new.")
    generation: int = Field(ge=1, description="Of the target: one more than the last intent's.")
    kind: IntentKind
    model: ModelName
    target: TargetName
    repository: str = Field(description="Whose intent it is: owner/name.")
    artifact_digest: Digest | None = Field(default=None, description="Of the bundle.")
    strategy: Strategy | None = Field(default=None, description="deploy: how traffic moves.")
    based_on: Digest | None = Field(
        default=None, description="The target's last decision when this was written; None: none."
    )
    author: str = Field(description="Who asked.")
    approver: str | None = Field(default=None, description="Who agreed; not the author.")
    image: ImageReference | None = Field(
        default=None, description="deploy: the version's container image, by digest."
    )
    issued: Moment
    expires: Moment
    pull_request: int | None = Field(default=None, description="That shipped it, to tell it there.")
    reason: str | None = None
    ticket: str | None = Field(default=None, description="With a reason: breaks the glass.")


class PushedImage(Document):
    """The container image of one version, as a registry has it."""

    SCHEMA: ClassVar[str] = "assay/image/1"
    FILE: ClassVar[str] = "image.json"

    model: ModelName
    artifact_digest: Digest = Field(description="Of the bundle in it.")
    reference: ImageReference = Field(description="By digest: what was pushed, and nothing else.")
    tag: str = Field(description="The tag it was pushed by: the artifact digest.")
    base: str = Field(description="What it builds on, by digest.")


class Weight(Part):
    """One version's share of the traffic, in ten-thousandths."""

    artifact_digest: Digest
    share: int = Field(ge=0, le=10_000)


class Cause(StrEnum):
    """Why a decision was made."""

    INTENT = "intent"
    VERDICT = "verdict"
    GUARD = "guard"
    BAKED = "baked"
    DEADLINE = "deadline"
    LOST = "lost"
    RECOVERY = "recovery"
    DRILL = "drill"
    HAND = "hand"


class DecisionKind(StrEnum):
    """What was decided."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    STEPPED = "stepped"
    PROMOTED = "promoted"
    CONCLUDED = "concluded"
    ROLLED_BACK = "rolled-back"
    HELD = "held"
    RESUMED = "resumed"
    CLEARED = "cleared"
    STARTED = "started"
    REPAIRED = "repaired"


class Decision(Document):
    """One link of a target's chain: what the controller decided, on whose word or what evidence."""

    SCHEMA: ClassVar[str] = "assay/decision/1"
    FILE: ClassVar[str] = "decision.json"

    target: TargetName
    model: ModelName
    epoch: int = Field(ge=1, description="Of the controller: one more at each start.")
    seq: int = Field(ge=1, description="Place in the target's chain.")
    previous_digest: Digest | None = Field(description="Of the link before; None for the first.")
    kind: DecisionKind
    cause: Cause
    sentence: str = Field(description="For a person: what, and the number that decided.")
    intent: str | None = Field(default=None, description="The intent's id.")
    artifact_digest: Digest | None = Field(default=None, description="The version it is about.")
    image: ImageReference | None = Field(
        default=None, description="accepted: the version's container image, as its intent says."
    )
    generation: int = Field(ge=0, description="Of the route that it asks for.")
    weights: tuple[Weight, ...] = ()
    barred: tuple[Digest, ...] = Field(default=(), description="Digests barred after it.")
    evidence_digest: Digest | None = None
    by: str = Field(description="Who: a login, or controller, watchdog.")
    wall_time: Moment
    elapsed: float = Field(ge=0, description="Seconds of running time since the rollout began.")


class Observed(Document):
    """What a controller saw: the applied route, and the health of what serves."""

    SCHEMA: ClassVar[str] = "assay/observed/1"
    FILE: ClassVar[str] = "observed.json"

    target: TargetName
    model: ModelName
    epoch: int = Field(ge=1)
    seq: int = Field(ge=0, description="Of the last decision.")
    applied_generation: int
    acknowledged: bool = Field(description="Whether the router runs that generation.")
    weights: tuple[Weight, ...]
    health: dict[Digest, bool]
    wall_time: Moment
