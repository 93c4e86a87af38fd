"""The records of watching: a reference profile, and what one look at production found."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import Field

from assay.config import Severity
from assay.config.types import ModelName
from assay.evidence.base import Document, Part
from assay.evidence.delivery import Moment
from assay.evidence.stages import Effect, Histogram
from assay.evidence.verdict import Outcome, Rule


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

    labelled: int = Field(description="Predictions that have one label that is not contradicted.")
    delay_median: float | None = Field(default=None, description="Seconds after the prediction.")
    delay_90: float | None = Field(default=None, description="Seconds; 90 % came within.")
    provisional: bool = Field(description="Whether labels are still expected: it decides nothing.")
    selection: str | None = Field(
        default=None, description="How the labelled predictions differ from those without a label."
    )


class Quality(Part):
    """One metric of one window and slice, on the labels that are there."""

    metric: str
    slice: str = "all"
    value: float | None = None
    interval: tuple[float, float] | None = Field(
        default=None, description="For this window alone; looked at again and again, it fails."
    )
    estimated: bool = Field(default=False, description="Without labels, from confidence (CBPE).")
    n: int = Field(description="Labelled predictions; of an estimate, all.")
    reason: str | None = Field(default=None, description="Why there is no value, or no interval.")


class Retrospect(Part):
    """How earlier estimates of one metric compare with what the labels showed since."""

    metric: str
    windows: int = Field(description="Mature windows whose labelled predictions were estimated.")
    held: int = Field(description="Those whose interval held the realised value.")
    error: float = Field(description="Mean absolute error of the estimates.")
    constant: float | None = Field(
        default=None, description="The same of saying the reference's value each time."
    )

    def sentence(self) -> str:
        """Say it for a person."""
        plain = "" if self.constant is None else f", against {self.constant:.3g} by the reference"
        return (
            f"of {self.windows:,} earlier windows the interval held {self.held:,}; "
            f"the mean error was {self.error:.3g}{plain}"
        )


class NewValue(Part):
    """A category that the reference has not."""

    LONGEST: ClassVar[int] = 40

    value: str = Field(description="At most 60 characters.")
    rows: int = Field(description="At least so many: of windows in which it stood in five or more.")

    @property
    def name(self) -> str:
        """The value for a sentence, quoted and cut."""
        cut = len(self.value) > self.LONGEST
        return repr(self.value[: self.LONGEST]) + ("…" if cut else "")


class Drift(Part):
    """How far one column moved, or all features together, and what that likely costs."""

    ALL: ClassVar[str] = "all features together"
    """The column's name where the role is `features`: told apart by a classifier."""

    column: str
    role: str
    effects: tuple[Effect, ...]
    against: Literal["reference", "same hours", "baseline"] = "reference"
    moved: bool
    p_adjusted: float | None = None
    cost: float | None = Field(
        default=None,
        description="Estimated loss of accuracy, or gain in mean absolute error, by this column's "
        "move alone, if quality within its cells stays what it was; without an interval.",
    )
    histogram: Histogram | None = None
    interval: tuple[float, float] | None = Field(
        default=None, description="Of the only effect, 95 %, where it is an estimate."
    )
    leading: tuple[str, ...] = Field(
        default=(),
        description="Of all features together: those that tell the rows apart most, the first the "
        "most.",
    )
    new: tuple[NewValue, ...] = Field(
        default=(),
        description="The most frequent categories that the reference has not, at most five.",
    )


class Window(Part):
    """The predictions of one window, whenever their labels came."""

    start: Moment
    end: Moment
    complete: bool = Field(description="Whether its end had passed.")
    predictions: int = Field(description="Of versions that delivery knows, where it knows any.")
    versions: dict[str, int] = Field(default_factory=dict, description="Predictions of each.")
    unknown: int = Field(
        default=0,
        description="Predictions of versions that neither a journal nor the registry knows: they "
        "are in `versions` and count nowhere else.",
    )
    coverage: Coverage | None = None
    quality: tuple[Quality, ...] = ()


class LabelFeed(Part):
    """What has become of all labels so far; a prediction counts once, with its latest label."""

    known: int = Field(description="Predictions' ids with a label.")
    new: int = Field(description="Entries that this look saw first.")
    corrected: int = Field(description="Ids whose label was replaced by a later one.")
    contradictory: int = Field(description="Ids with two labels at one time: not counted.")
    duplicates: int = Field(description="Rows of the source that repeat another one.")
    orphans: int = Field(
        description="Ids of no prediction: never logged, or too old when the label came."
    )
    ahead: int = Field(default=0, description="Labels dated later than this look: not used yet.")


class ProblemKind(StrEnum):
    """What can be wrong."""

    QUALITY = "quality"
    DRIFT = "drift"
    SCHEMA = "schema"
    VOLUME = "volume"
    LABELS = "labels"
    HEARTBEAT = "heartbeat"
    CLOCK = "clock"
    VERSION = "version"


class Problem(Part):
    """One thing that somebody should know; a model has one of each kind and subject at a time."""

    kind: ProblemKind
    subject: str = Field(description="What it is about: a metric, a column, a feed.")
    severity: Severity
    sentence: str = Field(description="For a person, with the number that decided.")
    step: str = Field(default="", description="What to do first about it.")
    command: str = Field(default="", description="What the step leads to, where it is a command.")
    since: Moment = Field(description="The first of the looks in a row that found it.")

    @property
    def key(self) -> str:
        """The same problem has the same key at every look."""
        return f"{self.kind}:{self.subject}"


class Heartbeat(Part):
    """When something last showed that it lives: silence is a finding."""

    name: str = Field(description="log, labels, monitor, controller TARGET or journal TARGET.")
    last: Moment | None
    silent_after: float = Field(description="Seconds.")
    silent: bool


class Look(Document):
    """One look at a model in production."""

    SCHEMA: ClassVar[str] = "assay/monitor/1"
    FILE: ClassVar[str] = "monitor.json"

    model: ModelName
    at: Moment
    version: str | None = Field(description="The one that answered most in the newest windows.")
    windows: tuple[Window, ...] = Field(description="Oldest first; the newest may be incomplete.")
    labels: LabelFeed | None = None
    unreadable: tuple[str, ...] = Field(default=(), description="Files that were not read, why.")
    rules: tuple[Rule, ...] = Field(
        default=(),
        description="Each judged metric of `version`, head, against its reference, base. The "
        "interval holds at all looks together.",
    )
    drift: tuple[Drift, ...] = Field(default=(), description="Largest estimated cost first.")
    retrospects: tuple[Retrospect, ...] = Field(
        default=(), description="How right estimates without labels were, by metric."
    )
    notes: tuple[str, ...] = Field(default=(), description="What was not measured yet, and why.")
    heartbeats: tuple[Heartbeat, ...] = ()
    problems: tuple[Problem, ...] = ()
    state: Outcome = Field(description="fail: a problem that blocks; warn: any other.")
    sentence: str = Field(description="What a person must know first.")

    @property
    def end(self) -> Moment:
        """Up to when predictions were complete: the end of the newest complete window."""
        return next((each.end for each in reversed(self.windows) if each.complete), self.at)
