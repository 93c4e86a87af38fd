"""What decides: gates, scalars, slices, and the columns they are computed from."""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from assay.config.types import ColumnName, Number, RelativePath, Strict, Switch, Text, Whole


class Severity(StrEnum):
    """What a finding does: ``block`` fails the gate, ``warn`` is shown, ``off`` is skipped."""

    BLOCK = "block"
    WARN = "warn"
    OFF = "off"


_ONE_MARGIN: dict[str, Any] = {
    "oneOf": [
        {
            "required": ["margin"],
            "properties": {
                "margin": {"type": "number", "exclusiveMinimum": 0},
                "relative_margin": {"type": "null"},
                "must_improve": {"const": False},
            },
        },
        {
            "required": ["relative_margin"],
            "properties": {
                "margin": {"type": "null"},
                "relative_margin": {"type": "number"},
                "must_improve": {"const": False},
            },
        },
        {
            "required": ["must_improve"],
            "properties": {
                "margin": {"enum": [0, None]},
                "relative_margin": {"type": "null"},
                "must_improve": {"const": True},
            },
        },
    ]
}


class Gate(Strict):
    """How one metric is judged: the loss that is still acceptable, and what a loss does."""

    model_config = ConfigDict(json_schema_extra=_ONE_MARGIN)

    margin: Number | None = Field(
        default=None,
        ge=0,
        description="The largest loss, in the metric's own unit, that still counts as no worse.",
    )
    relative_margin: Number | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="The same as a share of the base's value: 0.02 accepts 98 % of it.",
    )
    must_improve: Switch = Field(
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
    higher_is_better: Switch = Field(
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


_ONE_TOLERANCE: dict[str, Any] = {
    "not": {
        "required": ["tolerance", "relative_tolerance"],
        "properties": {
            "tolerance": {"type": "number"},
            "relative_tolerance": {"type": "number"},
        },
    }
}


class Scalar(Strict):
    """A number in a metrics file of the pipeline; compared without an interval, and marked so."""

    model_config = ConfigDict(json_schema_extra=_ONE_TOLERANCE)

    file: RelativePath = Field(description="A JSON, YAML or TOML file, relative to the model.")
    key: Text = Field(description="Dotted path to the number in the file.")
    higher_is_better: Switch = Field(default=True, description="The direction of the number.")
    tolerance: Number | None = Field(default=None, ge=0, description="Acceptable loss, absolute.")
    relative_tolerance: Number | None = Field(
        default=None, ge=0, lt=1, description="Acceptable loss as a share of the base's value."
    )
    severity: Severity = Field(default=Severity.WARN, description="What a larger loss does.")

    @model_validator(mode="after")
    def _one_tolerance(self) -> Scalar:
        if self.tolerance is not None and self.relative_tolerance is not None:
            raise ValueError("give tolerance or relative_tolerance, not both")
        return self


MOST_BINS = 100
BinCount = Annotated[Whole, Field(ge=2, le=MOST_BINS)]
BinEdges = Annotated[tuple[Number, ...], Field(min_length=1, max_length=MOST_BINS - 1)]


class Slice(Strict):
    """A column to slice by: each value of it, or each bin of a number."""

    column: ColumnName = Field(description="A column of the predictions file.")
    bins: BinCount | BinEdges | None = Field(
        default=None,
        description="Inner edges, ascending: [18, 40] makes 3 bins; or how many bins with about "
        "as many rows each: 4 makes quartiles.",
    )

    @model_validator(mode="after")
    def _ascending(self) -> Slice:
        if isinstance(self.bins, tuple) and any(b <= a for a, b in pairwise(self.bins)):
            raise ValueError("the bins must ascend")
        return self


class Cross(Strict):
    """Two columns to slice by at once: each pair of a slice of the one and one of the other."""

    cross: tuple[ColumnName, ColumnName] = Field(
        description="Two columns; the bins of those that are listed under `slices` hold here too.",
        json_schema_extra={"uniqueItems": True},
    )

    @model_validator(mode="after")
    def _two_columns(self) -> Cross:
        if self.cross[0] == self.cross[1]:
            raise ValueError("a column cannot be crossed with itself")
        return self


def _slice_of(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


def _kind_of(value: Any) -> str:
    crossed = isinstance(value, Cross) or (isinstance(value, dict) and "cross" in value)
    return "[cross]" if crossed else "[column]"


SliceEntry = Annotated[
    Annotated[Slice, Tag("[column]")] | Annotated[Cross, Tag("[cross]")],
    Discriminator(_kind_of),
    BeforeValidator(_slice_of, json_schema_input_type=ColumnName | Slice | Cross),
]
"""A slice, or only its column's name, or the crossing of two."""


class Columns(Strict):
    """Names in the predictions file; what is not named is recognised by its usual name."""

    id: ColumnName | None = Field(default=None, description="Joins base and head rows.")
    label: ColumnName | None = Field(default=None, description="The true value.")
    prediction: ColumnName | None = Field(default=None, description="The predicted value.")
    score: ColumnName | None = Field(
        default=None,
        description="Probability of the positive class; of a ranking, what orders the items.",
    )
    scores: dict[str, ColumnName] | None = Field(
        default=None, description="Probability columns by class, for multiclass."
    )
    query: ColumnName | None = Field(
        default=None, description="The query that an item belongs to, for ranking."
    )
    delimiter: Text | None = Field(
        default=None,
        description="What separates the labels of one row, for multilabel predictions in text.",
    )
    positive: str | int | bool | None = Field(
        default=None, description="The positive class of a binary task."
    )
    entity: ColumnName | None = Field(
        default=None,
        description="Rows with one value belong together and are not independent: the patient, "
        "user or session.",
    )
    stratum: ColumnName | None = Field(
        default=None, description="The stratum a row was sampled from."
    )
    weight: ColumnName | None = Field(
        default=None, description="How much a row counts: a number from 0 up."
    )
    seed: ColumnName | None = Field(
        default=None,
        description="Which training a row's prediction is from, where each side was trained "
        "several times: one row for each id and seed.",
    )
