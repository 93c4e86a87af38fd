"""The records of watching: a reference profile, and what one look at production found."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import Field

from assay.config import Severity
from assay.config.types import ModelName
from assay.evidence.base import Document, Part
from assay.evidence.delivery import Moment
from assay.evidence.ledger import Digest
from assay.evidence.stages import Effect, Histogram
from assay.evidence.verdict import Rule, State


class ColumnReference(Part):
    """One column's distribution, without its rows: counts over bins or of categories."""

    name: str
    role: Literal["feature", "prediction", "score", "label"]
    kind: Literal["number", "category", "boolean", "time"]
    rows: int
    missing: int
    edges: tuple[float, ...] = Field(
        default=(),
        description="Upper edges, ascending; number. The first lies just below the lowest value "
        "and the last is the highest, so the first and the last count are of what was never seen.",
    )
    values: tuple[str, ...] = Field(default=(), description="Most frequent first; category.")
    counts: tuple[int, ...] = Field(description="Of each bin or value; the last one: the others.")
    mean: float | None = None
    deviation: float | None = None
    low: float | None = None
    high: float | None = None
    quality: tuple[float | None, ...] = Field(
        default=(),
        description="Mean quality of each cell's rows and, last, of those without a value: the "
        "share that was predicted right, or minus the mean absolute error.",
    )


class Reference(Document):
    """What a version was like when it was made; drift and live quality are measured from it."""

    SCHEMA: ClassVar[str] = "assay/reference/1"
    FILE: ClassVar[str] = "reference.json"

    model: ModelName
    columns: tuple[ColumnReference, ...]
    quality: dict[str, float] = Field(default_factory=dict, description="On the test set.")
    positive: str | None = Field(default=None, description="The class that the score is of.")
    calibration: tuple[tuple[float, float, int], ...] = Field(
        default=(), description="Mean score, observed rate and rows of each bin of the score."
    )


class Coverage(Part):
    """Which predictions of a window have their label, and how late labels come."""

    predictions: int
    labelled: int
    corrected: int = Field(default=0, description="Labels that replaced an earlier one.")
    contradictory: int = 0
    orphans: int = Field(default=0, description="Labels without a prediction.")
    delay_median: float | None = Field(default=None, description="Seconds.")
    delay_90: float | None = Field(default=None, description="Seconds.")
    provisional: bool = Field(description="Whether later labels are still expected.")


class Quality(Part):
    """One metric of one window and slice, on the labels that are there."""

    metric: str
    slice: str = "all"
    value: float | None = None
    interval: tuple[float, float] | None = None
    estimated: bool = Field(default=False, description="Without labels, from confidence (CBPE).")
    n: int
    reason: str | None = None


class Drift(Part):
    """How far one column moved, and what that likely costs."""

    column: str
    role: str
    effects: tuple[Effect, ...]
    against: Literal["reference", "same hours"] = "reference"
    moved: bool
    p_adjusted: float | None = None
    cost: float | None = Field(default=None, description="Estimated loss of the first metric.")
    histogram: Histogram | None = None


class ProblemKind(StrEnum):
    """What can be wrong; a model has one problem of each kind and subject at a time."""

    QUALITY = "quality"
    DRIFT = "drift"
    SCHEMA = "schema"
    VOLUME = "volume"
    FRESHNESS = "freshness"
    LABELS = "labels"
    HEARTBEAT = "heartbeat"
    VERSION = "version"


class Problem(Part):
    """One thing that somebody should know."""

    kind: ProblemKind
    subject: str = Field(description="What it is about: a metric, a column, a process.")
    severity: Severity
    sentence: str = Field(description="For a person, with the number that decided.")
    since: Moment

    @property
    def key(self) -> str:
        """The same problem has the same key at every look."""
        return f"{self.kind}:{self.subject}"


class Heartbeat(Part):
    """When something last showed that it lives."""

    name: str
    last: Moment | None
    silent_after: float = Field(description="Seconds.")
    silent: bool


class Look(Document):
    """One look at a model in production: what it read, measured, judged and found."""

    SCHEMA: ClassVar[str] = "assay/monitor/1"
    FILE: ClassVar[str] = "monitor.json"

    model: ModelName
    version: Digest | None = Field(description="The one that served most of the window.")
    at: Moment
    start: Moment = Field(description="Of the window.")
    end: Moment
    predictions: int
    versions: dict[str, int] = Field(default_factory=dict, description="Predictions of each.")
    unreadable: tuple[str, ...] = Field(default=(), description="Files that were not read, why.")
    coverage: Coverage | None = None
    quality: tuple[Quality, ...] = ()
    rules: tuple[Rule, ...] = Field(default=(), description="Live metrics, judged.")
    drift: tuple[Drift, ...] = ()
    heartbeats: tuple[Heartbeat, ...] = ()
    problems: tuple[Problem, ...] = ()
    state: State = Field(description="The worst of the rules.")
