"""What starts a retraining of a model, and how often it may."""

from __future__ import annotations

from pydantic import Field

from assay.config.types import Number, Share, Strict, Switch, Text, Whole

DAY = 86_400
BUDGET_DAYS = 30


class NewData(Strict):
    """Rows that came in since the last training."""

    source: Text = Field(
        description="A file, a folder or a glob of Parquet, CSV or JSON lines, as the job that "
        "decides sees it; an address that fsspec knows; or dvc:PATH, what DVC tracks there on the "
        "default branch, counted in the DVC remote.",
        examples=["s3://bucket/claims/**/*.parquet", "dvc:data/claims"],
    )
    share: Share = Field(
        gt=0, description="New rows, as a share of those at the last training, that start one."
    )


class Retrain(Strict):
    """What starts a retraining, and how often it may."""

    new_data: NewData | None = Field(default=None, description="None: rows are not counted.")
    every: Number | None = Field(
        default=None, gt=0, description="Seconds since the last training that start one."
    )
    quality: Switch = Field(
        default=True, description="A live metric that blocks and is shown to be worse starts one."
    )
    drift: Number | None = Field(
        default=None,
        gt=0,
        description="The smallest estimated loss of quality by a moved column that starts one; "
        "None: drift only warns.",
    )
    cooldown: Number = Field(
        default=DAY, ge=0, description="Seconds between two; a person who asks need not wait."
    )
    budget: Whole = Field(
        default=4, ge=1, le=1000, description=f"How many in any {BUDGET_DAYS} days."
    )
