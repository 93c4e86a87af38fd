"""``comparison.json``: the measured differences, before any rule looks at them."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from assay.config import Task
from assay.evidence.base import Document, Part
from assay.evidence.ledger import Digest, Time


class Rows(Part):
    """How the two sides' rows joined."""

    joined: int
    base_only: int = 0
    head_only: int = 0
    base_only_examples: tuple[str, ...] = ()
    head_only_examples: tuple[str, ...] = ()
    repeated_ids: int = 0
    joined_by: str = Field(default="id", description="'id', or 'position' where neither has ids.")
    labels_changed: int = Field(default=0, description="Joined rows whose label differs.")


class SeedValues(Part):
    """The metric of each training seed, in the seeds' order, and where the error comes from."""

    base: tuple[float, ...]
    head: tuple[float, ...]
    test_error: float = Field(description="Standard error from the test rows.")
    training_error: float | None = Field(
        default=None, description="From the training; None with one seed on a side: not measured."
    )


class TrainingSeeds(Part):
    """The training seeds of each side; none where its file has no seed column."""

    base: tuple[str, ...] = ()
    head: tuple[str, ...] = ()


class Measurement(Part):
    """One metric on one slice: base against head, oriented so that positive is better."""

    metric: str
    slice: str = Field(default="all", description="'all', or 'column=value'.")
    higher_is_better: bool = True
    base: float | None = None
    head: float | None = None
    difference: float | None = Field(
        default=None, description="Oriented, and against base_weight times the base."
    )
    base_weight: float = 1.0
    interval: tuple[float, float] | None = None
    p_worse: float | None = None
    n: int = 0
    clusters: int | None = Field(
        default=None, description="Independent units, where columns.entity is declared."
    )
    effective_n: float | None = Field(
        default=None, description="Kish's effective number of rows, where rows are weighted."
    )
    detectable: float | None = None
    rows_needed: int | None = Field(
        default=None, description="Rows at which equal models would come out no-worse (80 %)."
    )
    row_variance: float | None = Field(
        default=None,
        description="Of one row's contribution: the squared standard error times the rows.",
    )
    extra_variance: float = Field(
        default=0.0,
        description="What smoothing adds to the squared standard error, times the rows squared.",
    )
    regime: str | None = Field(default=None, description="Why the engine cannot judge this.")
    undefined: str | None = Field(default=None, description="Why there is no number.")
    seeds: SeedValues | None = Field(
        default=None, description="Over all rows, where there are several training seeds."
    )
    has_interval: bool = Field(
        default=True, description="False for scalars of metric files: they carry none."
    )


class CorrectedInterval(Part):
    """A gate's interval at the confidence that counts every decision on the test set."""

    metric: str
    base_weight: float = 1.0
    interval: tuple[float, float]


class Reuse(Part):
    """How often this test set has decided, this comparison included (docs/statistics.md)."""

    test_set: Digest | None = Field(
        default=None, description="SHA-256 of the rows' ids and labels, whatever their order."
    )
    decisions: int | None = Field(
        default=None, ge=1, description="Distinct heads decided about: k."
    )
    since: Time | None = Field(default=None, description="When the first decision was made, UTC.")
    missing: str | None = Field(default=None, description="Why the decisions are not known.")
    confidence: float | None = Field(default=None, description="1 − α/k.")
    corrected: tuple[CorrectedInterval, ...] = Field(
        default=(), description="Over all rows, of each metric with a gate."
    )


class SliceSearch(Part):
    """The slice that got worst among all that were searched, corrected for the search."""

    metric: str | None = None
    depth: int
    min_rows: int
    reason: str | None = Field(default=None, description="Why no slice could be judged.")
    searched: int = Field(default=0, description="Slices with enough rows, whatever came out.")
    unjudged: int = Field(default=0, description="Those of them without an interval.")
    beyond: int = Field(
        default=0, description="Slices with enough rows beyond the most that are searched."
    )
    confidence: float | None = Field(
        default=None,
        description="Of each interval, so that all of them together have the comparison's.",
    )
    worst: Measurement | None = Field(
        default=None,
        description="The largest loss beyond chance, or where there is none the smallest p_worse.",
    )
    others: tuple[Measurement, ...] = Field(
        default=(), description="Other slices that are worse beyond chance, the worst first."
    )
    others_worse: int = Field(default=0, description="How many of those there are.")


class Drawn(Part):
    """How the rows were drawn, as far as columns say so."""

    columns: dict[str, str] = Field(description="Role to column: entity, stratum, weight.")
    clusters: int | None = None
    strata: int | None = None
    effective_n: float | None = Field(default=None, description="Kish's, over all rows.")


class GroupRate(Part):
    """The rate of one group that a gap over groups is made of."""

    metric: str
    group: str = Field(description="'column=value'.")
    n: int = Field(description="Rows that the rate is a share of.")
    base: float
    head: float
    interval: tuple[float, float] = Field(description="Wilson's, of the head's rate.")
    judged: bool = Field(description="Whether it takes part in the gap: it has rows enough.")


class Curve(Part):
    """Points of a curve for one side, by its kind.

    roc: false and true positive rate; pr: recall and precision; calibration: predicted and
    observed; scores: the middle of a bin and its share of the rows. ``n`` are rows of a bin.
    """

    kind: str
    side: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    n: tuple[int, ...] = ()


class FlippedRow(Part):
    """A row that one side gets right and the other wrong."""

    id: str
    label: str
    base: str
    head: str
    base_score: float | None = Field(default=None, description="Of the positive class.")
    head_score: float | None = None


class Details(Part):
    """What the report draws; never read by the verdict."""

    classes: tuple[str, ...] = ()
    confusion_base: tuple[tuple[int, ...], ...] = ()
    confusion_head: tuple[tuple[int, ...], ...] = ()
    curves: tuple[Curve, ...] = ()
    both_right: int | None = None
    base_only_right: int | None = None
    head_only_right: int | None = None
    neither_right: int | None = None
    flipped_examples: tuple[str, ...] = Field(
        default=(), description="Ids right on the base and wrong on the head, at most ten."
    )
    lost: tuple[FlippedRow, ...] = Field(
        default=(), description="Rows right on the base and wrong on the head, at most 50."
    )
    won: tuple[FlippedRow, ...] = Field(
        default=(), description="Rows wrong on the base and right on the head, at most 50."
    )


class Comparison(Document):
    """The comparison of one model's head with its base on the same test rows."""

    SCHEMA: ClassVar[str] = "assay/comparison/1"
    FILE: ClassVar[str] = "comparison.json"

    model: str
    task: Task | None = None
    positive: str | None = None
    confidence: float = 0.95
    not_measured: str | None = Field(
        default=None, description="Why nothing could be compared at all."
    )
    rows: Rows | None = None
    columns: dict[str, str] = Field(
        default_factory=dict, description="Role to column: id, label, prediction, score."
    )
    identical_model: bool = False
    identical_predictions: bool = False
    test_set_changed: bool = False
    measurements: tuple[Measurement, ...] = ()
    small_slices: dict[str, int] = Field(
        default_factory=dict, description="Slices below min_slice_rows, with their rows."
    )
    reuse: Reuse | None = Field(
        default=None, description="None where the model's rules ask for no ledger."
    )
    seeds: TrainingSeeds | None = Field(
        default=None, description="Where the predictions name the training seed."
    )
    worst_slice: SliceSearch | None = Field(
        default=None, description="None where nothing was searched."
    )
    drawn: Drawn | None = Field(
        default=None, description="Where rows are clustered, stratified or weighted."
    )
    groups: tuple[GroupRate, ...] = ()
    details: Details = Field(default_factory=Details)
    notes: tuple[str, ...] = ()
