"""``retrain.json``: whether a model is trained anew, why, and what may come of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from assay.config.types import ModelName, RelativePath
from assay.evidence.base import Document, Part
from assay.evidence.delivery import Moment
from assay.evidence.ledger import Digest

Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}(?:[0-9a-f]{24})?$")]


class TriggerKind(StrEnum):
    """What can start a retraining."""

    MANUAL = "manual"
    DISPATCH = "repository-dispatch"
    NEW_DATA = "new-data"
    AGE = "age"
    QUALITY = "quality"
    DRIFT = "drift"


class Trigger(Part):
    """One reason for a retraining."""

    kind: TriggerKind
    sentence: str = Field(description="For a person, with the number that decided.")


class Retraining(Document):
    """The decision about one model at one time, and the bounds of what is proposed."""

    SCHEMA: ClassVar[str] = "assay/retrain/1"
    FILE: ClassVar[str] = "retrain.json"

    id: str = Field(pattern=r"^[a-z0-9-]{1,64}$", description="The same for each try of a run.")
    model: ModelName
    at: Moment
    due: bool = Field(description="Whether it is trained now.")
    triggers: tuple[Trigger, ...] = ()
    held: str | None = Field(default=None, description="Why it waits although something asks.")
    not_measured: tuple[str, ...] = Field(
        default=(), description="Triggers that are asked for and could not be looked at."
    )
    until: Moment = Field(description="When the reservation ends by itself.")
    base: Commit | None = Field(default=None, description="What is trained, and proposed upon.")
    base_branch: str | None = None
    branch: str = Field(description="Where it is proposed.")
    paths: tuple[RelativePath, ...] = Field(description="What a proposal may change.")
    rows: int | None = Field(default=None, description="Rows of the source of new data.")
    look: Digest | None = Field(default=None, description="Of the monitor.json that was read.")
    run: int | None = None
