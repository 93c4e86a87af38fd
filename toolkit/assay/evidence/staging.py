"""``smoke.json`` and ``staging.json``: what a served version showed before it may go on."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from assay.config.types import ModelName
from assay.evidence.base import Document, Part
from assay.evidence.ledger import Digest
from assay.evidence.stages import StageState
from assay.evidence.verdict import Outcome

SmokeName = Literal["version", "example", "signature", "offline"]


class SmokeCheck(Part):
    """One question put to a served version."""

    name: SmokeName
    state: StageState
    sentence: str = Field(description="What was asked, and what came of it.")
    count: int = Field(default=0, ge=0, description="Answers, or rows, that were looked at.")
    wrong: int = Field(default=0, ge=0, description="Of those.")
    largest: float | None = Field(
        default=None, description="Largest difference between a served and an offline number."
    )
    examples: tuple[str, ...] = Field(default=(), description="Up to five: row ids, or columns.")


class SmokeTest(Document):
    """Whether a served version is the one that was judged, and behaves like it."""

    SCHEMA: ClassVar[str] = "assay/smoke/1"
    FILE: ClassVar[str] = "smoke.json"

    model: ModelName
    artifact_digest: Digest
    address: str
    tolerance: float
    state: StageState
    checks: tuple[SmokeCheck, ...]


class StagingPart(Part):
    """One part of staging; ``left-out`` was not asked for, and the sentence says why."""

    name: Literal["smoke", "tests", "load"]
    state: Literal["passed", "warned", "failed", "not-measured", "left-out"]
    sentence: str


class StagingReport(Document):
    """All parts together; ``inputs`` names the documents that they left."""

    SCHEMA: ClassVar[str] = "assay/staging/1"
    FILE: ClassVar[str] = "staging.json"

    model: ModelName
    target: str | None = None
    artifact_digest: Digest
    serving_digest: Digest | None = Field(
        default=None, description="Of the version that the load test compared with."
    )
    state: Outcome
    parts: tuple[StagingPart, ...]


def outcome_of(parts: tuple[StagingPart, ...]) -> Outcome:
    """A part that failed or was not measured fails; one that was left out on purpose does not."""
    states = {part.state for part in parts}
    if states & {"failed", "not-measured"} or states == {"left-out"} or not parts:
        return Outcome.FAIL
    return Outcome.WARN if "warned" in states else Outcome.PASS
