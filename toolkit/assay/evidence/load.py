"""``load.json``: a load test of two versions by turns, and what it shows."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from assay.evidence.base import Document, Part
from assay.evidence.ledger import Digest
from assay.evidence.verdict import Outcome, State

LoadName = Literal["p50", "p95", "p99", "throughput", "memory", "errors"]
Positive = Annotated[float, Field(gt=0)]


class LoadSide(Part):
    """What one version did in one round."""

    requests: int = Field(ge=1, description="That were sent.")
    errors: int = Field(ge=0, description="Of those: 5xx, resets and timeouts.")
    throughput: Positive = Field(description="Answers a second.")
    p50: Positive = Field(description="Milliseconds that half of the answers took at most.")
    p95: Positive
    p99: Positive
    memory: Positive | None = Field(
        default=None, description="Bytes that its processes had at most; None: not measured."
    )


class LoadRound(Part):
    """Both versions one right after the other, on the same host, under the same load."""

    serving: LoadSide
    new: LoadSide


class LoadMargins(Part):
    """What a new version may cost more, as a share of the serving one's; errors in absolute."""

    p50: Positive = 0.1
    p95: Positive = 0.15
    p99: Positive = 0.25
    throughput: Positive = 0.1
    memory: Positive | None = Field(default=0.2, description="None: not asked.")
    errors: float = Field(default=0.01, gt=0, le=1)


class LoadLook(Part):
    """One claim. Of a ratio, −0.1 says that the new version costs 10 % more."""

    name: LoadName
    state: State
    serving: float | None = Field(default=None, description="The rounds' geometric mean; a share.")
    new: float | None = None
    difference: float | None = Field(default=None, description="Positive: the new one is better.")
    interval: tuple[float, float] | None = None
    confidence: float
    margin: float
    reason: str | None = Field(default=None, description="Why it is not judged.")


class LoadTest(Document):
    """The rounds, and a verdict that is a pure function of them."""

    SCHEMA: ClassVar[str] = "assay/load/1"
    FILE: ClassVar[str] = "load.json"

    serving: Digest
    new: Digest
    rounds: tuple[LoadRound, ...]
    margins: LoadMargins = LoadMargins()
    confidence: float = Field(default=0.95, ge=0.5, lt=1, description="Of all claims together.")
    looks: tuple[LoadLook, ...] = ()
    state: Outcome = Outcome.FAIL
    sentence: str = ""
