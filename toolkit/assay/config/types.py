"""The kinds of value in ``assay.yaml``; none takes text for a number, or a number for yes."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from assay.config.families import FAMILIES, ONLINE, ONLINE_SCHEMA, is_metric, is_online
from assay.config.metrics import METRICS

RELATIVE_PATH_RULE = "a relative path with forward slashes, without '..'"
MODEL_NAME_RULE = (
    "lower-case letters, digits, '.', '_' and '-', at most 63, starting with a letter or digit"
)
_RELATIVE_PATH = r"^(?!/)(?![A-Za-z]:)(?!(.*/)?\.\.(/|$))[^\\\x00-\x1f\x7f]+$"


class Strict(BaseModel):
    """A frozen object that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _relative_path(value: str) -> str:
    if not re.search(_RELATIVE_PATH, value) or value.endswith("\n"):
        raise ValueError(RELATIVE_PATH_RULE)
    return value


def _metric_name(value: str) -> str:
    if is_metric(value):
        return value
    raise ValueError(f"unknown metric {value[:60]!r}")


def _online_metric_name(value: str) -> str:
    if is_online(value):
        return value
    named = f"{', '.join(ONLINE[:-1])} or {ONLINE[-1]}"
    raise ValueError(f"{named} (what a rollout counts as labels arrive)")


Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Whole = Annotated[int, Field(strict=True)]
Switch = Annotated[bool, Field(strict=True)]
Text = Annotated[str, StringConstraints(min_length=1)]
Share = Annotated[Number, Field(ge=0, le=1)]
RelativePath = Annotated[
    str,
    AfterValidator(_relative_path),
    WithJsonSchema({"type": "string", "pattern": _RELATIVE_PATH}),
]
ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=256)]
ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
MetricName = Annotated[
    str,
    AfterValidator(_metric_name),
    WithJsonSchema(
        {
            "type": "string",
            "anyOf": [
                {"enum": list(METRICS)},
                *({"pattern": f"^{each.prefix}{each.pattern}$"} for each in FAMILIES),
            ],
        }
    ),
]
OnlineMetricName = Annotated[
    str, AfterValidator(_online_metric_name), WithJsonSchema(ONLINE_SCHEMA)
]


def exactly_one(*, named: tuple[str, ...] = (), switched: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the JSON Schema of an object in which exactly one key is given, or switched on."""
    return {
        "oneOf": [
            *({"required": [key], "properties": {key: {"type": "string"}}} for key in named),
            *({"required": [key], "properties": {key: {"const": True}}} for key in switched),
        ]
    }
