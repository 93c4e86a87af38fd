"""How a model in production is watched: where its predictions and labels are, what is judged."""

from __future__ import annotations

import re
from typing import Self

from pydantic import Field, field_validator, model_validator

from assay.config.gates import Severity
from assay.config.types import (
    ColumnName,
    MetricName,
    Number,
    Share,
    Strict,
    Switch,
    Text,
    Whole,
)

DAY = 86_400
WATCHED = ("accuracy", "precision", "recall", "f1", "calibration_error", "mae", "rmse")
"""The metrics that can be measured on live labels."""
_LONGEST = 366 * DAY
_DATABASE = re.compile(r"^(sqlite|postgresql)(\+[a-z0-9_]+)?://", re.IGNORECASE)
_PASSWORD = re.compile(r"://[^/@]*:[^/@]*@")


class _Source(Strict):
    """Files, or a table of a database."""

    source: Text
    table: Text | None = None

    @property
    def in_database(self) -> bool:
        """Whether `source` is the address of a database."""
        return _DATABASE.match(self.source) is not None

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.in_database != (self.table is not None):
            raise ValueError(
                "source is the address of a database: name its table under `table`"
                if self.in_database
                else "table is of a database, and source is none: write sqlite:///FILE or "
                "postgresql://HOST/DATABASE"
            )
        if self.in_database and _PASSWORD.search(self.source):
            raise ValueError(
                "source holds a password; leave it out and set PGPASSWORD or PGPASSFILE"
            )
        return self


class Logs(_Source):
    """Where predictions are logged: the delivery target's log, or any other files."""

    source: Text = Field(
        description="A folder, a glob, or an address that fsspec knows, of Parquet, CSV or JSON "
        "lines; relative to assay.yaml. Or a database: sqlite:///FILE, or "
        "postgresql://HOST/DATABASE without a password.",
        examples=["s3://bucket/predictions/**/*.parquet"],
    )
    table: Text | None = Field(
        default=None, description="A table or view of that database: NAME, or SCHEMA.NAME."
    )
    id: ColumnName = Field(default="request_id", description="Labels join by it.")
    row: ColumnName | None = Field(
        default=None, description="The place in a request, where an id has several predictions."
    )
    time: ColumnName = Field(default="time", description="When it was answered, UTC.")
    version: ColumnName | None = Field(
        default="version", description="What answered, its artifact digest; null: not logged."
    )
    prediction: ColumnName = Field(
        default="prediction",
        description="What was answered. In the delivery target's log: that member of `output`, or "
        "`output` itself where it is one value.",
    )
    score: ColumnName | None = Field(
        default=None, description="The probability of the positive class, where it is logged."
    )


class Labels(_Source):
    """Where the truth arrives, later."""

    source: Text = Field(description="Like the logs' source.")
    table: Text | None = Field(default=None, description="Like the logs' table.")
    id: ColumnName = Field(default="request_id", description="The prediction's id.")
    row: ColumnName | None = Field(default=None, description="The prediction's place, as logged.")
    label: ColumnName = Field(default="label", description="What was true.")
    time: ColumnName | None = Field(
        default=None, description="When it became known, UTC. Default: when it was first seen."
    )
    delay: Number = Field(
        default=7 * DAY,
        ge=0,
        le=_LONGEST,
        description="Seconds after which most labels are there: younger windows are provisional "
        "and decide nothing.",
    )
    silence: Number = Field(
        default=2 * DAY, gt=0, description="Seconds without a new label that are a finding."
    )


class LiveMetric(Strict):
    """A metric that is judged on live labels, against the reference's value."""

    margin: Number = Field(gt=0, description="The loss that is still no worse.")
    reference: Number | None = Field(
        default=None,
        description="The value that was promised. Default: the head's on the gate's test set, from "
        "the evidence that --reference names.",
    )
    planned: Whole = Field(
        default=2_000,
        ge=100,
        description="About so many labels after a change it is to be found; where the sequential "
        "interval is narrowest. Fixed before the first look.",
    )
    severity: Severity = Field(default=Severity.BLOCK, description="What `worse` does.")


class Multivariate(Strict):
    """When the features together count as moved: a classifier can tell two sets of rows apart."""

    auc: Number = Field(
        default=0.6,
        gt=0.5,
        lt=1,
        description="The area under the ROC curve from which it counts; 0.5 is chance.",
    )
    baseline: Text | None = Field(
        default=None,
        description="Rows with the features' columns that the newest seven days are compared with, "
        "beside the same hours of earlier weeks: a file, a folder, a glob or an address, like the "
        "logs' source. A reference profile holds no rows.",
        examples=["data/test.parquet"],
    )


class DriftRule(Strict):
    """When a distribution counts as moved: effect sizes decide.

    The three distances mean one shift, that of the index's usual bound: a normal column's mean by
    0.46 deviations.
    """

    psi: Number = Field(
        default=0.2,
        gt=0,
        description="Population stability index, over about ten bins; it goes with the square of "
        "a shift.",
    )
    jensen_shannon: Number = Field(
        default=0.19,
        gt=0,
        le=1,
        description="Distance, base 2, over the same bins; up to one deviation about 0.4 of a "
        "shift.",
    )
    wasserstein: Number = Field(
        default=0.46, gt=0, description="In the reference's deviations: a shift is what it is."
    )
    missing: Share = Field(default=0.05, description="Change in the share without a value.")
    unseen: Share = Field(
        default=0.01, description="Share of new categories, or outside the reference's range."
    )
    ignore: tuple[ColumnName, ...] = Field(default=(), description="Features not looked at.")
    multivariate: Multivariate | None = Field(
        default=None,
        description="Also compare all features together, by a classifier; `{}` takes its defaults.",
    )


class Objectives(Strict):
    """What the service promises, for burn-rate alerts."""

    availability: Share = Field(
        default=0.999, lt=1, description="Share of requests without an error, over 30 days."
    )
    latency_ms: Number = Field(
        default=500,
        gt=0,
        description="A request slower than this is slow; a bound of the router's histogram.",
    )
    latency: Share = Field(
        default=0.99, lt=1, description="Share of requests that are not slow, over 30 days."
    )


class Alerts(Strict):
    """Who is told, and what stands in every alert."""

    owner: Text = Field(description="Who acts: a team or a person.")
    runbook: Text | None = Field(default=None, description="Address of the runbook.")
    look_every: Number = Field(
        default=3600, ge=60, description="Seconds between looks; twice that without one alerts."
    )
    issue: Switch = Field(
        default=True, description="One issue of the repository for each problem, kept up to date."
    )


class Monitoring(Strict):
    """How a model in production is watched."""

    logs: Logs = Field(description="Where predictions are.")
    labels: Labels | None = Field(default=None, description="None: quality is not measured.")
    window: Number = Field(
        default=DAY, ge=60, le=31 * DAY, description="Seconds that are shown together, from 00:00."
    )
    silence: Number = Field(
        default=2 * 3600, gt=0, description="Seconds without a prediction that are a finding."
    )
    quality: dict[MetricName, LiveMetric] = Field(
        default_factory=dict, description="What is judged on labels, by metric."
    )
    slices: tuple[ColumnName, ...] = Field(
        default=(),
        description="Logged columns to show quality by, each of their values; in the delivery "
        "target's log, members of `input`.",
    )
    drift: DriftRule = Field(
        default_factory=DriftRule, description="When a column has moved from its reference."
    )
    objectives: Objectives = Field(
        default_factory=Objectives, description="What the service promises."
    )
    alerts: Alerts | None = Field(default=None, description="None: only the page and metrics.")
    confidence: Number = Field(
        default=0.95,
        ge=0.5,
        lt=1,
        description="Of all looks and all judged metrics of a version together; of an interval "
        "that is shown, for itself.",
    )

    @field_validator("quality")
    @classmethod
    def _measurable(cls, value: dict[str, LiveMetric]) -> dict[str, LiveMetric]:
        for name in value:
            if name not in WATCHED:
                raise ValueError(f"{name} is not measured live; choose of {', '.join(WATCHED)}")
        return value
