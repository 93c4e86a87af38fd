"""What ``assay.yaml`` says, as frozen typed objects.

The JSON Schema in docs/assay.schema.json and the reference page are generated from these
classes: a field's description here is what an editor shows.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from assay.config.anchor import Anchor
from assay.config.clusters import Cluster, GitOpsTarget
from assay.config.delivery import Delivery, ModelDelivery, Target
from assay.config.families import family_of, metric_named
from assay.config.gates import Columns, Gate, Scalar, Severity, SliceEntry
from assay.config.metrics import Task
from assay.config.monitoring import Monitoring
from assay.config.retraining import Retrain
from assay.config.search import WorstSlice
from assay.config.stages import Data, Environment, Tests, Tracking, Train
from assay.config.types import MetricName, ModelName, Number, RelativePath, Strict, Switch, Whole


class Model(Strict):
    """One model: where it lives, how it is made, and what decides whether it may ship."""

    path: RelativePath = Field(default=".", description="The model's folder.")
    paths: tuple[RelativePath, ...] | None = Field(
        default=None,
        min_length=1,
        description="Globs from the repository's root; a change there touches this model. "
        "Default: everything under `path`.",
    )
    task: Task | None = Field(default=None, description="Default: inferred from the predictions.")
    predictions: RelativePath = Field(
        description="Predictions on the test rows, below `path`: Parquet, CSV or JSON lines."
    )
    columns: Columns = Field(default_factory=Columns, description="Names in the predictions file.")
    artifact: RelativePath | None = Field(
        default=None, description="The model file or folder; equal digests mean an identical model."
    )
    environment: Environment | Literal["auto", "none"] = Field(
        default="auto",
        description="`auto` looks for uv.lock, requirements.txt, pyproject.toml, environment.yml, "
        "in this order; `none` uses the Python on PATH.",
    )
    tests: Tests | None = Field(
        default_factory=Tests, description="Default: pytest; null: the model has none."
    )
    train: Train = Field(default_factory=Train, description="How the model is made.")
    data: Data | None = Field(default=None, description="Data checks.")
    gates: dict[MetricName, Gate] = Field(
        min_length=1, description="The metrics that decide, by name."
    )
    report: tuple[MetricName, ...] | None = Field(
        default=None, description="Further metrics to show. Default: the usual ones of the task."
    )
    scalars: dict[str, Scalar] = Field(
        default_factory=dict, description="Numbers from the pipeline's metric files, by a name."
    )
    slices: tuple[SliceEntry, ...] = Field(
        default=(), description="Columns to slice by, and crossings of two."
    )
    worst_slice: WorstSlice = Field(
        default_factory=WorstSlice,
        description="The search for the slice that got worst, over the columns under `slices` "
        "and their crossings.",
    )
    confidence: Number = Field(
        default=0.95,
        ge=0.5,
        lt=1,
        description="Two-sided; each claim is one-sided at half of the rest.",
    )
    min_slice_rows: Whole = Field(
        default=50, ge=1, description="Smaller slices are counted, not judged."
    )
    ledger: Switch = Field(
        default=False,
        description="Count the decisions made on this model's test set, and warn where it is worn; "
        "the workflow ledger.yml writes them down (docs/owners.md).",
    )
    anchor: Anchor | None = Field(
        default=None,
        description="Also compare with a fixed version, so that losses within the margin cannot "
        "add up unseen.",
    )
    attribution: Switch = Field(
        default=False,
        description="Where a pull request changes code and data, make the model with each of them "
        "alone as well, and say how much came from which: up to two more trainings.",
    )
    engine: Literal["duckdb", "spark"] = Field(
        default="duckdb",
        description="What joins and counts the predictions. For `spark` the gate's workflow takes "
        "an environment with PySpark by itself, elsewhere ASSAY_ENVIRONMENT=spark does; either "
        "way Java 17 or later is the machine's.",
    )
    tracking: Tracking = Field(default_factory=Tracking, description="MLflow.")
    delivery: ModelDelivery | None = Field(
        default=None, description="How it gets to production; none: the gate alone."
    )
    monitoring: Monitoring | None = Field(
        default=None, description="How it is watched in production; none: not at all."
    )
    retrain: Retrain | None = Field(
        default=None, description="What starts a retraining; none: people do (docs/retraining.md)."
    )

    @model_validator(mode="after")
    def _one_direction(self) -> Model:
        for name, gate in self.gates.items():
            family = family_of(name)
            if not gate.higher_is_better and not (family and family.directed):
                raise ValueError(
                    f"gates.{name}: the direction of a built-in metric is known; "
                    "higher_is_better is for mean:COLUMN alone"
                )
        return self

    @model_validator(mode="after")
    def _delivered_by_its_files(self) -> Model:
        if self.delivery is not None and self.artifact is None:
            raise ValueError(
                "delivery: what is delivered is the folder under `artifact`, and it names none"
            )
        return self

    @model_validator(mode="after")
    def _margins_that_can_fail(self) -> Model:
        for name, gate in self.gates.items():
            span = metric_named(name).span
            if gate.margin is not None and span is not None and gate.margin >= span:
                raise ValueError(
                    f"gates.{name}: a margin of {gate.margin:g} lets every {name} pass; "
                    "0.01 is one point of it"
                )
        return self

    @model_validator(mode="after")
    def _anchor_of_gates(self) -> Model:
        for name, margin in (self.anchor.margins if self.anchor else {}).items():
            if name not in self.gates:
                raise ValueError(f"anchor.margins.{name}: no gate is on {name}")
            span = metric_named(name).span
            if span is not None and margin >= span:
                raise ValueError(f"anchor.margins.{name}: {margin:g} lets every {name} pass")
        return self

    @model_validator(mode="after")
    def _chosen_apart_from_the_gate(self) -> Model:
        if self.train.selection is None:
            return self
        metric = self.train.selection.metric
        where = "train.selection.metric"
        if metric.file in {self.predictions, self.data and self.data.test}:
            raise ValueError(
                f"{where}: {metric.file} is what the gate judges by; a model that it chose would "
                "be judged by the rows it was chosen on. Name a metrics file of validation data"
            )
        for name, scalar in self.scalars.items():
            judged = scalar.severity is not Severity.OFF
            if judged and (scalar.file, scalar.key) == (metric.file, metric.key):
                raise ValueError(
                    f"{where}: scalars.{name} compares the same number at the gate, where a "
                    f"chosen one is always too good. Write severity: off under scalars.{name}"
                )
        return self

    @property
    def touch_patterns(self) -> tuple[str, ...]:
        """The globs whose change touches this model."""
        if self.paths is not None:
            return self.paths
        return ("**",) if self.path == "." else (f"{self.path.rstrip('/')}/**",)


class Publisher(StrEnum):
    """Who writes the comment."""

    CML = "cml"
    GITHUB = "github"
    FILE = "file"


class Comment(Strict):
    """The pull-request comment."""

    publisher: Publisher = Field(
        default=Publisher.CML, description="cml, falling back to github; github; or file (none)."
    )
    title: str = Field(
        default="assay",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        examples=["assay-fraud"],
        description="Tells this configuration's comment from others on the same pull request.",
    )
    history: Whole = Field(
        default=20, ge=0, le=100, description="Older verdicts kept, one line each."
    )


class Override(Strict):
    """Accepting a failing verdict by a label; off unless a label is named."""

    label: str = Field(min_length=1, max_length=50, description="The label that accepts.")
    permission: Literal["write", "maintain", "admin"] = Field(
        default="write", description="The least permission of whoever set it."
    )


def _is_whole(value: object) -> object:
    if type(value) is not int:
        raise ValueError("1")
    return value


Version = Annotated[Literal[1], BeforeValidator(_is_whole)]


class Config(Strict):
    """The whole of ``assay.yaml``."""

    version: Version = Field(description="The version of this format.")
    models: dict[ModelName, Model] = Field(
        min_length=1,
        description="The models, by name.",
        json_schema_extra={"additionalProperties": False},
    )
    comment: Comment = Field(default_factory=Comment, description="The pull-request comment.")
    check_run: Switch = Field(
        default=False, description="Also write a check run (the job itself is the check)."
    )
    override: Override | None = Field(
        default=None, description="Accept a failing verdict by a label."
    )
    delivery: Delivery | None = Field(default=None, description="Where models are delivered.")

    @model_validator(mode="after")
    def _known_targets(self) -> Config:
        known = self.delivery.targets if self.delivery else {}
        for name, model in self.models.items():
            for target in model.delivery.targets if model.delivery else ():
                if target not in known:
                    raise ValueError(
                        f"models.{name}.delivery.targets: delivery.targets has no {target}"
                    )
            if model.delivery:
                _check_last(name, model.delivery, known[model.delivery.targets[-1]])
        return self


def _check_last(name: str, way: ModelDelivery, last: Target) -> None:
    """Refuse a strategy that the last target could never carry through."""
    if isinstance(last, GitOpsTarget) and not last.observe:
        raise ValueError(
            f"models.{name}.delivery.targets: the last one is gitops with observe: false, so no "
            "guard would ever have a count and nothing could be promoted; write observe: true"
        )
    if isinstance(last, Cluster) and way.strategy.kind in {"ab", "bandit"}:
        raise ValueError(
            f"models.{name}.delivery.strategy.kind: {way.strategy.kind} keeps a unit with its "
            "version, which a Gateway API route has no standard way to do; write canary, "
            "blue-green or shadow, or deliver to a local target"
        )
    if isinstance(last, Cluster):
        _check_unlabelled(f"models.{name}.delivery.strategy", way, last.kind)


def _check_unlabelled(place: str, way: ModelDelivery, kind: str) -> None:
    """Refuse what is judged from a prediction log where the controller has none."""
    asked = {"quality": way.strategy.quality is not None, "agreement": way.strategy.agreement > 0}
    for key in (key for key, given in asked.items() if given):
        raise ValueError(
            f"{place}.{key}: it is counted from the prediction log of a local or docker target, "
            f"and on {kind} there is none, so it could never be judged; leave it out"
        )
