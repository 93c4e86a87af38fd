"""Which experiments compete for a model, and by which number on validation data one is chosen."""

from __future__ import annotations

import json
import math
from itertools import product
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from assay.config.types import Number, RelativePath, Strict, Text, Whole

MOST_EXPERIMENTS = 200
ParameterName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]*(:[A-Za-z0-9_][\w.-]*)?$")
]
ParameterValue = bool | int | Number | str
Parameters = dict[ParameterName, ParameterValue]


class SelectionMetric(Strict):
    """A number that each experiment writes about validation data."""

    file: RelativePath = Field(
        description="A metrics file of dvc.yaml, by a stage that reads nothing of the test set."
    )
    key: Text = Field(description="Dotted path to the number in the file.")


_EITHER: dict[str, Any] = {
    "anyOf": [
        {"required": ["experiments"], "properties": {"experiments": {"minItems": 1}}},
        {"required": ["grid"], "properties": {"grid": {"minProperties": 1}}},
    ]
}


class Selection(Strict):
    """Experiments of DVC's queue; the best on validation data goes to the gate."""

    model_config = ConfigDict(json_schema_extra=_EITHER)

    experiments: tuple[Parameters, ...] = Field(
        default=(),
        max_length=MOST_EXPERIMENTS,
        description="Parameters of each experiment, by the names `dvc exp run -S` takes.",
        examples=[[{"train.depth": 3}, {"train.depth": 5, "train.rate": 0.1}]],
    )
    grid: dict[ParameterName, Annotated[tuple[ParameterValue, ...], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="Also every combination of these values.",
        examples=[{"train.depth": [3, 5, 8], "train.rate": [0.1, 0.3]}],
    )
    metric: SelectionMetric = Field(description="What is compared.")
    direction: Literal["maximize", "minimize"] = Field(description="Which end of it is best.")
    data: Literal["validation"] = Field(
        description="What the metric was computed on. The test set judges what was chosen, so it "
        "must not choose."
    )
    jobs: Whole = Field(default=1, ge=1, le=64, description="Experiments at a time.")

    @model_validator(mode="after")
    def _bounded(self) -> Selection:
        size = math.prod(len(values) for values in self.grid.values()) if self.grid else 0
        if not 0 < len(self.experiments) + size <= MOST_EXPERIMENTS:
            raise ValueError(
                f"selection: experiments and grid name {len(self.experiments) + size} "
                f"experiments; give 1 to {MOST_EXPERIMENTS}"
            )
        return self

    @property
    def candidates(self) -> tuple[Parameters, ...]:
        """The parameters of every experiment, each once, in the order of the configuration."""
        crossed = product(*self.grid.values()) if self.grid else ()
        listed = (*self.experiments, *(dict(zip(self.grid, row, strict=True)) for row in crossed))
        return tuple({json.dumps(each, sort_keys=True): each for each in listed}.values())
