"""How a model in production is watched: its logs and labels, what is judged, who is told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from assay.config.gates import Severity, SliceEntry
from assay.config.types import ColumnName, MetricName, Number, Share, Strict, Switch, Text, Whole

DAY = 86_400
_LONGEST = 366 * DAY


class Logs(Strict):
    """Where predictions are logged: files of the delivery target, a bucket, or a table."""

    source: Text = Field(
        description="A folder, a glob or an fsspec URL of Parquet, CSV or JSON lines; or "
        "sql:QUERY-FILE with `database`.",
        examples=["s3://bucket/predictions/**/*.parquet"],
    )
    database: Text | None = Field(
        default=None,
        description="For sql: the environment variable that holds the database's address.",
    )
    id: ColumnName = Field(default="request_id", description="Unique; labels join by it.")
    time: ColumnName = Field(default="time", description="When it was answered, UTC.")
    version: ColumnName = Field(default="version", description="The artifact digest.")
    prediction: ColumnName = Field(default="prediction", description="What was answered.")
    score: ColumnName | None = Field(
        default=None, description="Probability of the positive class, where it was logged."
    )


class Labels(Strict):
    """Where the truth arrives, later."""

    source: Text = Field(description="Like the logs' source.")
    database: Text | None = Field(default=None, description="Like the logs' database.")
    id: ColumnName = Field(default="request_id", description="The prediction's id.")
    label: ColumnName = Field(default="label", description="What was true.")
    time: ColumnName | None = Field(
        default=None, description="When it became known, UTC. Default: when it was first seen."
    )
    delay: Number = Field(
        default=7 * DAY,
        gt=0,
        le=_LONGEST,
        description="Seconds after which most labels are there; younger windows are provisional.",
    )
    silence: Number = Field(
        default=2 * DAY, gt=0, description="Seconds without any label that are a finding."
    )


class LiveMetric(Strict):
    """A metric that is judged on live labels, against the reference's value."""

    margin: Number = Field(gt=0, description="What may be lost.")
    severity: Severity = Field(default=Severity.BLOCK, description="block: an alert that pages.")


class DriftRule(Strict):
    """When a distribution counts as moved: effect sizes decide."""

    psi: Number = Field(default=0.2, gt=0, description="Population stability index.")
    jensen_shannon: Number = Field(default=0.1, gt=0, le=1, description="Distance, base 2.")
    wasserstein: Number = Field(default=0.25, gt=0, description="In the reference's deviations.")
    missing: Share = Field(default=0.05, description="Change in the share without a value.")
    unseen: Share = Field(
        default=0.01, description="Share of new categories, or outside the reference's range."
    )
    weeks: Whole = Field(
        default=4,
        ge=0,
        le=52,
        description="Also compare with the same hours of so many earlier weeks; 0: never.",
    )
    ignore: tuple[ColumnName, ...] = Field(default=(), description="Features not looked at.")
    classifier: Switch = Field(
        default=False, description="Also a classifier two-sample test over all features."
    )


class Objectives(Strict):
    """What the service promises, for burn-rate alerts."""

    availability: Share = Field(default=0.999, description="Share of requests without an error.")
    latency_ms: Number = Field(default=500, gt=0, description="A request slower than this is slow.")
    latency: Share = Field(default=0.99, description="Share of requests that are not slow.")


class Alerts(Strict):
    """Who is told, and what stands in every alert."""

    owner: Text = Field(description="Who acts: a team or a person.")
    runbook: Text | None = Field(default=None, description="Address of the runbook.")
    issue: Switch = Field(default=True, description="One issue for each problem, kept up to date.")
    webhook: Text | None = Field(
        default=None, description="The environment variable that holds the webhook's address."
    )


class Retrain(Strict):
    """What starts a retraining, and how often it may."""

    new_data: Share | None = Field(
        default=None, description="New rows since the last training, as a share of its rows."
    )
    every: Number | None = Field(default=None, gt=0, description="Seconds since the last one.")
    quality: Switch = Field(default=True, description="A live metric that is shown to be worse.")
    drift: Switch = Field(
        default=False, description="Drift with an estimated cost in quality above the margin."
    )
    cooldown: Number = Field(default=DAY, ge=0, description="Seconds between two.")
    budget: Whole = Field(default=4, ge=1, description="In any 30 days.")


class Monitoring(Strict):
    """How a model in production is watched."""

    logs: Logs = Field(description="Where predictions are.")
    labels: Labels | None = Field(default=None, description="None: quality is estimated alone.")
    window: Number = Field(
        default=DAY, ge=3600, le=31 * DAY, description="Seconds that are judged together."
    )
    silence: Number = Field(
        default=2 * 3600, gt=0, description="Seconds without a prediction that are a finding."
    )
    quality: dict[MetricName, LiveMetric] = Field(
        default_factory=dict, description="What is judged on labels, by metric."
    )
    slices: tuple[SliceEntry, ...] = Field(default=(), description="Logged columns to slice by.")
    drift: DriftRule = Field(default_factory=DriftRule, description="When something has moved.")
    objectives: Objectives = Field(default_factory=Objectives, description="For burn rates.")
    alerts: Alerts = Field(description="Who is told.")
    retrain: Retrain | None = Field(default=None, description="None: people start it.")
    confidence: Number = Field(default=0.95, ge=0.5, lt=1, description="Over all looks together.")
    place: Literal["workflow", "controller"] = Field(
        default="workflow", description="What runs it: a schedule, or the controller."
    )
