"""The search for the slice that a change harms most."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from assay.config.gates import Severity
from assay.config.types import MetricName, Strict, Whole


class WorstSlice(Strict):
    """Which slices are searched for the worst, by which metric, and what finding one does."""

    metric: MetricName | None = Field(
        default=None,
        description="Default: the first gate that comes from counts or sums, else the task's "
        "first usual metric.",
    )
    depth: Literal[1, 2] = Field(
        default=2, description="1: the slices of each column; 2: every crossing of two as well."
    )
    min_rows: Whole = Field(
        default=100, ge=30, description="Smaller slices are not searched, however they look."
    )
    severity: Severity = Field(
        default=Severity.WARN,
        description="What a worst slice that is worse beyond chance does; off: no search.",
    )
