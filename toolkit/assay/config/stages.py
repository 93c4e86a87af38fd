"""How a model is checked and made: its data, environment, tests, training and tracking."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from assay.config.gates import Severity
from assay.config.orchestrators import Airflow, Kubeflow
from assay.config.selection import Selection
from assay.config.types import (
    ColumnName,
    Number,
    RelativePath,
    Strict,
    Switch,
    Text,
    Whole,
    exactly_one,
)

MONTH = 30 * 86_400
"""Seconds; a timeout beyond it is none."""


class Deepchecks(Strict):
    """The optional deepchecks suites, run in an environment of their own."""

    suites: tuple[Literal["data_integrity", "train_test_validation"], ...] = Field(
        default=("data_integrity", "train_test_validation"), description="Which suites to run."
    )
    severity: Severity = Field(default=Severity.WARN, description="What a failed condition does.")
    checks: dict[str, Severity] = Field(
        default_factory=dict, description="Severity by deepchecks' check name."
    )
    max_rows: Whole = Field(
        default=100_000, ge=100, description="Rows handed to deepchecks, sampled with the seed."
    )


def _deepchecks_of(value: Any) -> Any:
    if isinstance(value, bool):
        return {} if value else None
    return value


DeepchecksSwitch = Annotated[
    Deepchecks | None,
    BeforeValidator(_deepchecks_of, json_schema_input_type=Deepchecks | bool | None),
]
"""deepchecks' settings; ``true`` takes the default ones, ``false`` none."""


class DataRule(Strict):
    """A condition every row must meet, as an SQL expression over its columns."""

    name: Text = Field(max_length=100, description="What a finding is called.")
    expression: Text = Field(description="True for a good row; NULL counts as broken.")
    severity: Severity = Field(default=Severity.BLOCK, description="What a broken row does.")


class Data(Strict):
    """The data files the checks read, and how severe each check is."""

    train: RelativePath | None = Field(
        default=None, description="Training rows, a file below `path`."
    )
    test: RelativePath | None = Field(
        default=None, description="The rows the gate evaluates on, likewise."
    )
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
    max_psi: Number = Field(default=0.2, gt=0, description="Drift above this PSI is a finding.")
    deepchecks: DeepchecksSwitch = Field(
        default=None, description="Also run deepchecks: true, or its settings."
    )


_KINDS = ("requirements", "uv", "pyproject", "conda", "dockerfile", "image")
_SWITCHED = ("uv", "pyproject")


class Environment(Strict):
    """Where the consumer's tests and training run; exactly one kind."""

    model_config = ConfigDict(
        json_schema_extra=exactly_one(
            named=tuple(kind for kind in _KINDS if kind not in _SWITCHED), switched=_SWITCHED
        )
    )

    requirements: RelativePath | None = Field(
        default=None, description="A pip requirements file, best one with hashes."
    )
    uv: Switch = Field(default=False, description="`uv sync --locked` from uv.lock.")
    pyproject: Switch = Field(default=False, description="Install the project of pyproject.toml.")
    conda: RelativePath | None = Field(default=None, description="An environment.yml.")
    dockerfile: RelativePath | None = Field(
        default=None, description="Build this image and run inside it."
    )
    image: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}$",
        examples=["python:3.12-slim"],
        description="Run inside this image.",
    )
    python: str | None = Field(
        default=None,
        pattern=r"^3\.[0-9]{1,2}(\.[0-9]{1,2})?$",
        examples=["3.12"],
        description="The version of Python.",
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Environment:
        if sum(bool(getattr(self, kind)) for kind in _KINDS) != 1:
            raise ValueError(f"give exactly one of {', '.join(_KINDS[:-1])} and {_KINDS[-1]}")
        return self


class Tests(Strict):
    """The consumer's own test suite."""

    command: Text = Field(
        default="python -m pytest",
        description="Run in the consumer's environment; pytest is given --junit-xml.",
    )
    severity: Severity = Field(default=Severity.BLOCK, description="What a failed test does.")
    timeout: Number = Field(default=3600, gt=0, le=MONTH, description="Seconds.")


class Train(Strict):
    """How the model is made."""

    orchestrator: Literal["local"] | Annotated[Airflow | Kubeflow, Field(discriminator="kind")] = (
        Field(
            default="local",
            description="Where the training runs: `local`, in this job, or on a server "
            "(docs/orchestrators.md).",
        )
    )
    command: Text | None = Field(
        default=None,
        description="Default: `dvc repro` where the model has a dvc.yaml.",
    )
    pull: Switch = Field(
        default=True, description="Fetch DVC data and the run cache from the remote first."
    )
    seed: Whole | None = Field(
        default=None,
        ge=0,
        lt=2**32,
        description="Exported as ASSAY_SEED and PYTHONHASHSEED, kept in the lineage.",
    )
    timeout: Number = Field(default=6 * 3600, gt=0, le=MONTH, description="Seconds.")
    selection: Selection | None = Field(
        default=None,
        description="Run experiments by DVC's queue and take the best one; none: the pipeline "
        "makes one model.",
    )

    @model_validator(mode="after")
    def _search_by_dvc(self) -> Train:
        if self.selection and self.command:
            raise ValueError(
                "selection: experiments are DVC's and run its pipeline; leave command out"
            )
        if self.selection and self.orchestrator != "local":
            raise ValueError(
                "selection: experiments run in this job; what a server trains, it selects itself"
            )
        return self


class Tracking(Strict):
    """MLflow tracking of each run."""

    experiment: Text | None = Field(default=None, description="Default: the model's name.")
    enabled: Switch = Field(
        default=True, description="Track runs at MLFLOW_TRACKING_URI or locally."
    )
