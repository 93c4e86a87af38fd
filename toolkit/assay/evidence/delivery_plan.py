"""``delivery.json``: which judged models one commit delivers, from which run, on whose word."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from assay.config.delivery import TargetName
from assay.config.types import ModelName
from assay.evidence.base import Document, Part


class DeliveredModel(Part):
    """One model, and the artifact of the run that keeps its files."""

    name: ModelName
    run: int
    artifact: int
    targets: tuple[TargetName, ...] = Field(min_length=1)


class DeliveryPlan(Document):
    """What the jobs that register and deploy go by; made where the repository is checked out."""

    SCHEMA: ClassVar[str] = "assay/delivery-plan/1"
    FILE: ClassVar[str] = "delivery.json"

    repository: str = Field(description="owner/name.")
    commit: str = Field(description="That is delivered.")
    tree: str
    author: str = Field(description="Whose change it is: of the pull request, or who pushed.")
    pull_request: int | None = Field(default=None, description="That brought it.")
    models: tuple[DeliveredModel, ...]
