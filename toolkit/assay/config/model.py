"""What ``assay.yaml`` says, as frozen typed objects.

The JSON Schema in docs/assay.schema.json and the reference page are generated from these
classes: a field's description here is what an editor shows.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from assay.config.metrics import MEAN_PREFIX, METRICS, Task


class Strict(BaseModel):
    """A frozen object that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Severity(StrEnum):
    """What a finding does: ``block`` fails the gate, ``warn`` is shown, ``off`` is skipped."""

    BLOCK = "block"
    WARN = "warn"
    OFF = "off"


def _relative(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or "\\" in value or "\0" in value:
        raise ValueError("the path must be relative, without '..' and with forward slashes")
    return value


RelativePath = Annotated[str, StringConstraints(min_length=1), AfterValidator(_relative)]
ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=256)]
ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
Share = Annotated[float, Field(ge=0, le=1)]

MODEL_NAME_RULE = (
    "lower-case letters, digits, '.', '_' and '-', at most 63, starting with a letter or digit"
)


def _metric_name(value: str) -> str:
    if value in METRICS or (value.startswith(MEAN_PREFIX) and len(value) > len(MEAN_PREFIX)):
        return value
    raise ValueError(f"unknown metric {value!r}")


MetricName = Annotated[str, AfterValidator(_metric_name)]


class Gate(Strict):
    """How one metric is judged: the loss that is still acceptable, and what a loss does."""

    margin: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="The largest loss, in the metric's own unit, that still counts as no worse.",
    )
    relative_margin: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="The same as a share of the base's value: 0.02 accepts 98 % of it.",
    )
    must_improve: bool = Field(
        default=False,
        description="Demand `better`: the margin is 0, and an equally good model fails.",
    )
    severity: Severity = Field(
        default=Severity.BLOCK, description="What `worse` does: block, warn, or off."
    )
    inconclusive: Severity = Field(default=Severity.WARN, description="What `inconclusive` does.")
    slices: Severity = Field(
        default=Severity.WARN, description="What `worse` in one of the slices does."
    )
    higher_is_better: bool = Field(
        default=True, description="Only for mean:COLUMN: the direction of the column."
    )

    @model_validator(mode="after")
    def _one_margin(self) -> Gate:
        given = [self.margin is not None, self.relative_margin is not None, self.must_improve]
        if sum(given) != 1 and not (self.must_improve and self.margin == 0):
            raise ValueError("give exactly one of margin, relative_margin and must_improve: true")
        if self.margin == 0 and not self.must_improve:
            raise ValueError(
                "margin: 0 would fail a perfect copy of the base; "
                "write must_improve: true if that is meant"
            )
        return self


class Scalar(Strict):
    """A number in a metrics file of the pipeline; compared without an interval, and marked so."""

    file: RelativePath = Field(description="A JSON, YAML or TOML file, relative to the model.")
    key: str = Field(min_length=1, description="Dotted path to the number in the file.")
    higher_is_better: bool = Field(default=True, description="The direction of the number.")
    tolerance: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="Acceptable loss, absolute."
    )
    relative_tolerance: float | None = Field(
        default=None, ge=0, lt=1, description="Acceptable loss as a share of the base's value."
    )
    severity: Severity = Field(default=Severity.WARN, description="What a larger loss does.")

    @model_validator(mode="after")
    def _one_tolerance(self) -> Scalar:
        if self.tolerance is not None and self.relative_tolerance is not None:
            raise ValueError("give tolerance or relative_tolerance, not both")
        return self


class Slice(Strict):
    """A column to slice by: each value of it, or each bin of a number."""

    column: ColumnName = Field(description="A column of the predictions file.")
    bins: tuple[float, ...] | None = Field(
        default=None, min_length=1, description="Inner edges, ascending: [18, 40] makes 3 bins."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _ascending(self) -> Slice:
        if self.bins and any(b <= a for a, b in zip(self.bins, self.bins[1:], strict=False)):
            raise ValueError("the bins must ascend")
        return self


class Columns(Strict):
    """Names in the predictions file; what is not named is recognised by its usual name."""

    id: ColumnName | None = Field(default=None, description="Joins base and head rows.")
    label: ColumnName | None = Field(default=None, description="The true value.")
    prediction: ColumnName | None = Field(default=None, description="The predicted value.")
    score: ColumnName | None = Field(default=None, description="Probability of the positive class.")
    scores: dict[str, ColumnName] | None = Field(
        default=None, description="Probability columns by class, for multiclass."
    )
    positive: str | int | bool | None = Field(
        default=None, description="The positive class of a binary task."
    )


class Deepchecks(Strict):
    """The optional deepchecks suites, run in an environment of their own."""

    suites: tuple[Literal["data_integrity", "train_test_validation"], ...] = Field(
        default=("data_integrity", "train_test_validation"), description="Which suites to run."
    )
    severity: Severity = Field(default=Severity.WARN, description="What a failed condition does.")
    checks: dict[str, Severity] = Field(
        default_factory=dict, description="Severity by deepchecks' check name."
    )
    max_rows: int = Field(
        default=100_000, ge=100, description="Rows handed to deepchecks, sampled with the seed."
    )


class DataRule(Strict):
    """A condition every row must meet, as an SQL expression over its columns."""

    name: str = Field(min_length=1, max_length=100, description="What a finding is called.")
    expression: str = Field(min_length=1, description="True for a good row; NULL counts as broken.")
    severity: Severity = Field(default=Severity.BLOCK, description="What a broken row does.")


class Data(Strict):
    """The data files the checks read, and how severe each check is."""

    train: RelativePath | None = Field(default=None, description="Training rows.")
    test: RelativePath | None = Field(default=None, description="Rows the gate evaluates on.")
    id: ColumnName | None = Field(default=None, description="Unique row id in both files.")
    label: ColumnName | None = Field(default=None, description="The label column.")
    keys: tuple[ColumnName, ...] = Field(
        default=(), description="Columns that may not appear in both train and test together."
    )
    schema_file: RelativePath = Field(
        default="data.schema.yaml",
        alias="schema",
        description="The frozen schema (`assay check-data --freeze` writes it).",
    )
    rules: tuple[DataRule, ...] = Field(default=(), description="Cross-column conditions.")
    checks: dict[str, Severity] = Field(
        default_factory=dict, description="Severity by check name; see docs/data-checks.md."
    )
    ignore: tuple[ColumnName, ...] = Field(default=(), description="Columns no check looks at.")
    max_psi: float = Field(default=0.2, gt=0, description="Drift above this PSI is a finding.")
    deepchecks: Deepchecks | None = Field(default=None, description="Also run deepchecks.")

    @model_validator(mode="before")
    @classmethod
    def _deepchecks_switch(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("deepchecks"), bool):
            return {**value, "deepchecks": {} if value["deepchecks"] else None}
        return value


class Environment(Strict):
    """Where the consumer's tests and training run; exactly one kind."""

    requirements: RelativePath | None = Field(
        default=None, description="A pip requirements file, best one with hashes."
    )
    uv: bool = Field(default=False, description="`uv sync --locked` from uv.lock.")
    pyproject: bool = Field(default=False, description="Install the project of pyproject.toml.")
    conda: RelativePath | None = Field(default=None, description="An environment.yml.")
    dockerfile: RelativePath | None = Field(
        default=None, description="Build this image and run inside it."
    )
    image: str | None = Field(default=None, description="Run inside this image.")
    python: str | None = Field(
        default=None,
        pattern=r"^3\.\d{1,2}(\.\d{1,2})?$",
        description="Python version, such as '3.12'.",
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Environment:
        kinds = [
            self.requirements,
            self.uv,
            self.pyproject,
            self.conda,
            self.dockerfile,
            self.image,
        ]
        if sum(bool(kind) for kind in kinds) != 1:
            raise ValueError(
                "give exactly one of requirements, uv, pyproject, conda, dockerfile and image"
            )
        return self


class Tests(Strict):
    """The consumer's own test suite."""

    command: str = Field(
        default="python -m pytest",
        min_length=1,
        description="Run in the consumer's environment; pytest is given --junit-xml.",
    )
    severity: Severity = Field(default=Severity.BLOCK, description="What a failed test does.")
    timeout: float = Field(default=3600, gt=0, description="Seconds.")


class Train(Strict):
    """How the model is made."""

    command: str | None = Field(
        default=None,
        min_length=1,
        description="Default: `dvc repro` where the model has a dvc.yaml.",
    )
    pull: bool = Field(
        default=True, description="Fetch DVC data and the run cache from the remote first."
    )
    seed: int | None = Field(
        default=None, description="Exported as ASSAY_SEED and PYTHONHASHSEED, kept in the lineage."
    )
    timeout: float = Field(default=6 * 3600, gt=0, description="Seconds.")


class Tracking(Strict):
    """MLflow tracking of each run."""

    experiment: str | None = Field(default=None, description="Default: the model's name.")
    enabled: bool = Field(default=True, description="Track runs at MLFLOW_TRACKING_URI or locally.")


class Model(Strict):
    """One model: where it lives, how it is made, and what decides whether it may ship."""

    path: RelativePath = Field(default=".", description="The model's folder.")
    paths: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="Globs from the repository's root; a change there touches this model. "
        "Default: everything under `path`.",
    )
    task: Task | None = Field(default=None, description="Default: inferred from the predictions.")
    predictions: RelativePath = Field(
        description="Predictions on the test rows: Parquet, CSV or JSON lines."
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
    tests: Tests | None = Field(default_factory=Tests, description="null: the model has none.")
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
    slices: tuple[Slice, ...] = Field(default=(), description="Columns to slice by.")
    confidence: float = Field(
        default=0.95,
        ge=0.5,
        lt=1,
        description="Two-sided; each claim is one-sided at half of the rest.",
    )
    min_slice_rows: int = Field(
        default=50, ge=1, description="Smaller slices are counted, not judged."
    )
    tracking: Tracking = Field(default_factory=Tracking, description="MLflow.")

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
        description="Tells this configuration's comment from others on the same pull request.",
    )
    history: int = Field(
        default=20, ge=0, le=100, description="Older verdicts kept, one line each."
    )


class Override(Strict):
    """Accepting a failing verdict by a label; off unless a label is named."""

    label: str = Field(min_length=1, max_length=50, description="The label that accepts.")
    permission: Literal["write", "maintain", "admin"] = Field(
        default="write", description="The least permission of whoever set it."
    )


class Config(Strict):
    """The whole of ``assay.yaml``."""

    version: Literal[1] = Field(description="The version of this format.")
    models: dict[ModelName, Model] = Field(min_length=1, description="The models, by name.")
    comment: Comment = Field(default_factory=Comment, description="The pull-request comment.")
    check_run: bool = Field(
        default=False, description="Also write a check run (the job itself is the check)."
    )
    override: Override | None = Field(
        default=None, description="Accept a failing verdict by a label."
    )
