"""``ledger.json``: what each test set has decided before this run, as the plan found it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from assay.config.types import ModelName
from assay.evidence.base import Document, Part

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256, in hex."""

Time = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
"""UTC, as ISO 8601 writes it."""


class UsedTestSet(Part):
    """The decisions that one model made on one test set."""

    since: Time | None = Field(default=None, description="When the first was made, UTC.")
    heads: tuple[Digest, ...] = Field(
        default=(), description="The head predictions decided about, by digest, each once."
    )


class Ledger(Document):
    """The test-set reuse ledger before this run, of the models that the change touches."""

    SCHEMA: ClassVar[str] = "assay/ledger/1"
    FILE: ClassVar[str] = "ledger.json"

    commit: str | None = Field(
        default=None, description="The commit of the ledger's branch; None where there is none."
    )
    missing: str | None = Field(default=None, description="Why it could not be read.")
    unreadable: dict[ModelName, str] = Field(
        default_factory=dict, description="Models whose records are damaged, with what is wrong."
    )
    models: dict[ModelName, dict[Digest, UsedTestSet]] = Field(
        default_factory=dict, description="By model, then by the test set's digest."
    )

    def why_missing(self, model: str) -> str | None:
        """Say why the decisions of ``model`` are not known, or None where they are."""
        return self.missing or self.unreadable.get(model)

    def used(self, model: str, test_set: str) -> UsedTestSet:
        """Return the decisions of ``model`` on ``test_set``; one never used has none."""
        return self.models.get(model, {}).get(test_set, UsedTestSet())
