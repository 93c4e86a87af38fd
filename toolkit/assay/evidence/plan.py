"""``plan.json``: what is compared with what, which models are touched, and whose rules judge."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from assay.config import Comment, Model, Override
from assay.config.types import ModelName, RelativePath
from assay.evidence.base import Document, Part


class Revision(Part):
    """A commit and its tree; evidence is matched by tree, because a squash keeps only that."""

    commit: str
    tree: str


class Change(Part):
    """What a pull request changes, by kind; ``files`` counts all of them."""

    files: int = 0
    code: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    config: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()


class PlannedAnchor(Part):
    """The fixed version that a model is also compared with; the base's rules name it."""

    name: str = Field(description="What it is called: a tag, a ref, or a commit.")
    revision: Revision | None = None
    missing: str | None = Field(default=None, description="Why there is no such version.")
    rules: Model | None = Field(
        default=None, description="The model's section there, by which it is made."
    )


class ModelPlan(Part):
    """One model's part: whether it runs, and the rules it is judged by.

    The name is that of the model's folder in the evidence, so no other text may stand there.
    """

    name: ModelName
    path: RelativePath
    touched: bool
    reason: str = Field(description="Why it is, or is not, touched.")
    removed: bool = Field(default=False, description="The head's configuration lacks it.")
    rules_from: Literal["base", "head"]
    rules: Model = Field(description="The model's section that judges: the base's.")
    proposed: Model | None = Field(
        default=None, description="The head's section, where it differs from the base's."
    )
    attribution: bool = Field(
        default=False, description="Code and data both change, and the rules want them apart."
    )
    anchor: PlannedAnchor | None = Field(
        default=None, description="None where the base's rules ask for none."
    )


class Event(Part):
    """Where the run comes from; empty fields outside GitHub."""

    name: str = "local"
    repository: str | None = None
    number: int | None = None
    title: str | None = None
    author: str | None = None
    head_repository: str | None = None
    head_branch: str | None = None
    base_branch: str | None = None
    head_sha: str | None = Field(
        default=None, description="The commit checks are reported on; not the merge commit."
    )
    run_id: int | None = None
    run_attempt: int | None = None
    run_url: str | None = None
    can_write: bool = False


class Plan(Document):
    """The plan of one run."""

    SCHEMA: ClassVar[str] = "assay/plan/1"
    FILE: ClassVar[str] = "plan.json"

    event: Event
    head: Revision
    base: Revision | None
    merge_base: str | None = None
    why_no_base: str | None = None
    config_file: str
    config_rules_from: Literal["base", "head"]
    comment: Comment
    override: Override | None = None
    check_run: bool = False
    carried: str | None = Field(
        default=None,
        description="The run that judged this very tree already; its evidence lies in `_carried`.",
    )
    change: Change = Field(default_factory=Change)
    models: tuple[ModelPlan, ...]
