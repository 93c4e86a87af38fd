"""``attribution.json``: how much of a difference came from the code, and how much from the data."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from assay.evidence.base import Document, Part

Corner = Literal["base", "code-only", "data-only", "head"]
"""Base's code and data; head's code on base's data; base's code on head's data; head's both."""

EffectName = Literal[
    "total",
    "code",
    "data",
    "code at base data",
    "code at head data",
    "data at base code",
    "data at head code",
    "interaction",
]


class CornerValue(Part):
    """A metric's value in one corner, in its own direction."""

    metric: str
    corner: Corner
    value: float


class AttributedEffect(Part):
    """One effect on one metric, oriented so that positive is better."""

    metric: str
    effect: EffectName
    higher_is_better: bool = True
    difference: float | None = None
    interval: tuple[float, float] | None = None
    reason: str | None = Field(default=None, description="Why there is no number, or no interval.")


class Attribution(Document):
    """The 2×2 of base's and head's code and data, on the rows that all four predict."""

    SCHEMA: ClassVar[str] = "assay/attribution/1"
    FILE: ClassVar[str] = "attribution.json"

    model: str
    confidence: float = 0.95
    not_measured: str | None = Field(default=None, description="Why there is no attribution.")
    rows: int | None = Field(default=None, description="Test rows that all four predict.")
    left_out: dict[Corner, int] = Field(
        default_factory=dict, description="Rows of a corner that another one does not predict."
    )
    data: tuple[str, ...] = Field(default=(), description="The data that changes, by path.")
    values: tuple[CornerValue, ...] = ()
    effects: tuple[AttributedEffect, ...] = ()
