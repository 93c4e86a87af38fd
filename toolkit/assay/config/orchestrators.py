"""Orchestrators: where a model is trained, if not in the job itself."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema, model_validator

from assay.config.types import Number, RelativePath, Strict, Text

_ADDRESS = r"^(https://|http://(127\.0\.0\.1|localhost|\[::1\])(:|/|$))[^\s@?#]*$"


def _address(value: str) -> str:
    if not re.search(_ADDRESS, value):
        raise ValueError("an https:// address without a name or password in it")
    return value.rstrip("/")


Address = Annotated[
    str, AfterValidator(_address), WithJsonSchema({"type": "string", "pattern": _ADDRESS})
]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$")]
Value = bool | int | Number | str


class Remote(Strict):
    """What is the same wherever a run of a server trains the model."""

    url: Address = Field(description="The server; plain http only on this machine.")
    outputs: Text = Field(
        description="Where the run leaves its files: `dvc` (it pushed them to the DVC remote), "
        "or a folder as this job sees it, or an address DVC can read; `{run}` is the run's id.",
        examples=["dvc", "s3://bucket/training/{run}", "/mnt/training/{run}"],
    )
    poll: Number = Field(default=5, gt=0, le=600, description="Seconds between two looks.")
    patience: Number = Field(
        default=300,
        ge=0,
        le=86_400,
        description="Seconds that the server may be out of reach before the wait is given up.",
    )


class Airflow(Remote):
    """A DAG of Airflow 3, triggered over its REST API."""

    kind: Literal["airflow"]
    dag: Identifier = Field(description="The DAG's id.")
    conf: dict[Text, Value] = Field(
        default_factory=dict, description="Further entries of the run's conf, beside `assay`."
    )
    report: Identifier = Field(
        default="report",
        description="The task whose return value says which commit was trained, and on what.",
    )


class Kubeflow(Remote):
    """A pipeline for the server of Kubeflow Pipelines, compiled here by the kfp SDK."""

    kind: Literal["kubeflow"]
    pipeline: RelativePath = Field(
        description="Its Python file, or the compiled one (.yaml), relative to the model's folder; "
        "it takes `commit` and `outputs`."
    )
    arguments: dict[Identifier, Value] = Field(
        default_factory=dict, description="Further parameters of the pipeline."
    )
    experiment: Text = Field(default="assay", description="The experiment its runs are in.")
    namespace: Identifier = Field(default="kubeflow", description="Of a multi-user server.")

    @model_validator(mode="after")
    def _by_a_folder(self) -> Kubeflow:
        if self.outputs == "dvc":
            raise ValueError("outputs: name a folder or an address, where report.json is as well")
        return self
