"""What the stages that run the consumer's code leave behind: tests, data checks, training."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import Field

from assay.config.types import RelativePath
from assay.evidence.base import Document, Part

Side = Literal["head", "base", "anchor", "code-only", "data-only"]
"""Whose model: code-only is the head's code on the base's data, data-only the other way round."""


class StageState(StrEnum):
    """How a stage ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_MEASURED = "not-measured"


class TestFailure(Part):
    """One failed test and where it is; ``file`` is relative to the repository's root."""

    __test__: ClassVar[bool] = False  # pytest takes a class of this name for tests

    name: str
    file: str | None = None
    line: int | None = None
    message: str = ""


class TestRun(Document):
    """The consumer's own test suite."""

    __test__: ClassVar[bool] = False  # pytest takes a class of this name for tests

    SCHEMA: ClassVar[str] = "assay/tests/1"
    FILE: ClassVar[str] = "tests.json"

    model: str
    state: StageState
    reason: str | None = None
    command: str
    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    seconds: float = 0.0
    failures: tuple[TestFailure, ...] = ()


class Effect(Part):
    """An effect size, by its name: psi, jensen_shannon, wasserstein_sd, classifier_auc, share."""

    name: str
    value: float
    threshold: float | None = None


class Histogram(Part):
    """Rows of two files over the same cells: bins of a number, or values of a category."""

    cells: tuple[str, ...]
    reference: tuple[int, ...]
    current: tuple[int, ...]


class Finding(Part):
    """One thing a data check found, or could not look at."""

    check: str = Field(description="Name of the check; its severity comes from the rules.")
    source: Literal["assay", "deepchecks"] = "assay"
    state: Literal["failed", "not-run"] = "failed"
    dataset: str = Field(description="train, test, train/test, or base/head train.")
    columns: tuple[str, ...] = ()
    count: int | None = None
    share: float | None = None
    rows: tuple[str, ...] = Field(default=(), description="Up to five example row ids.")
    message: str
    effects: tuple[Effect, ...] = ()
    p_value: float | None = None
    p_adjusted: float | None = None
    histogram: Histogram | None = Field(
        default=None, description="Of a column that drifted, at most 20 cells."
    )


class Dataset(Part):
    """A data file that was read: its size and digest."""

    name: str
    file: str
    rows: int
    columns: int
    sha256: str


class DataReport(Document):
    """All data checks of one model."""

    SCHEMA: ClassVar[str] = "assay/data/1"
    FILE: ClassVar[str] = "data.json"

    model: str
    state: StageState = Field(description="not-measured where the data could not be read.")
    reason: str | None = None
    datasets: tuple[Dataset, ...] = ()
    checks: tuple[str, ...] = Field(default=(), description="Every check that ran.")
    findings: tuple[Finding, ...] = ()
    schema_source: Literal["declared", "inferred", "none"] = "none"
    schema_changed: bool = False
    seconds: float = 0.0


class Lineage(Part):
    """What a training run was made from and where."""

    commit: str | None = None
    tree: str | None = None
    dirty: bool = False
    dvc: dict[str, str] = Field(
        default_factory=dict,
        description="Digest by 'kind:path' from dvc.lock; kind is data, params, code or out.",
    )
    params: dict[str, str] = Field(default_factory=dict, description="Parameter values as text.")
    environment_kind: str = "none"
    environment_digest: str | None = None
    python: str | None = None
    seed: int | None = None
    host: str | None = None
    platform: str | None = None


class Prediction(Part):
    """The predictions file kept in the evidence folder, beside the document that names it."""

    file: RelativePath
    sha256: str
    bytes: int


class BaseSource(StrEnum):
    """Where the base's predictions came from."""

    DVC_OUTPUTS = "dvc-outputs"
    EARLIER_EVIDENCE = "earlier-evidence"
    RERUN = "rerun"
    FILE = "file"
    NONE = "none"


class Experiment(Part):
    """One experiment of a selection: what it was given, and its number on validation data."""

    name: str
    params: dict[str, str] = Field(default_factory=dict)
    commit: str | None = Field(default=None, description="DVC's own, that holds its files.")
    value: float | None = None
    reason: str | None = Field(default=None, description="Why it has no number.")
    reused: bool = Field(default=False, description="It was there from an earlier try.")
    tracking: str | None = Field(default=None, description="MLflow run, or why there is none.")


class ModelSelection(Part):
    """Which experiment was taken, by which number on validation data, out of which."""

    metric: str = Field(description="Metrics file and key, as file:key.")
    direction: Literal["maximize", "minimize"]
    data: Literal["validation"] = "validation"
    chosen: str
    experiments: tuple[Experiment, ...]


class OrchestratedRun(Part):
    """The run of a server that trained the model, and what it says of itself."""

    orchestrator: Literal["airflow", "kubeflow"]
    server: str
    run: str
    attached: bool = Field(description="It was there already: an earlier try had submitted it.")
    commit: str | None = Field(default=None, description="The code it trained, by its own word.")
    data: dict[str, str] = Field(
        default_factory=dict, description="Digests of its data by path, by its own word."
    )
    outputs: str | None = Field(default=None, description="Where its files were fetched from.")


class Training(Document):
    """One side's model: how it came to be, and its predictions."""

    SCHEMA: ClassVar[str] = "assay/training/1"
    FILE: ClassVar[str] = "training.json"

    model: str
    side: Side
    state: StageState
    reason: str | None = Field(
        default=None, description="Why it has not passed, or what to know of one that has."
    )
    tried: tuple[str, ...] = Field(
        default=(), description="Each way to the predictions that did not work, and why."
    )
    command: str | None = None
    cache_hit: bool = False
    seconds: float = 0.0
    started: str | None = Field(default=None, description="UTC, ISO 8601.")
    source: BaseSource | None = Field(default=None, description="Not for the head.")
    source_detail: str | None = None
    source_age_seconds: float | None = None
    lineage: Lineage = Field(default_factory=Lineage)
    predictions: Prediction | None = None
    model_digest: str | None = None
    test_set_digest: str | None = Field(
        default=None, description="Of the test data file, to say when the test set changed."
    )
    scalars: dict[str, float] = Field(default_factory=dict)
    missing_scalars: dict[str, str] = Field(default_factory=dict, description="Name to reason.")
    selection: ModelSelection | None = Field(
        default=None, description="Where experiments competed for it."
    )
    orchestrated: OrchestratedRun | None = Field(
        default=None, description="Where a server trained it."
    )
    tracking: str | None = Field(default=None, description="MLflow run, or why there is none.")
