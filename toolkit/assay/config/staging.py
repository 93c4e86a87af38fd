"""What a version must show at a target before it goes to the next one."""

from __future__ import annotations

from pydantic import Field

from assay.config.types import Number, RelativePath, Strict, Text, Whole

_HOUR = 3_600


class StagingTests(Strict):
    """The consumer's tests of a served version, run in the model's environment."""

    command: Text = Field(
        description="ASSAY_URL is the address, ASSAY_VERSION the artifact digest it must answer "
        "with; pytest is given --junit-xml."
    )
    timeout: Number = Field(default=600, gt=0, le=24 * _HOUR, description="Seconds.")


class LoadLimits(Strict):
    """What a new version may cost more, as a share of the serving one's; errors in points."""

    p50: Number = Field(default=0.1, gt=0, description="Median latency.")
    p95: Number = Field(default=0.15, gt=0, description="95th percentile.")
    p99: Number = Field(default=0.25, gt=0, description="99th percentile.")
    throughput: Number = Field(default=0.1, gt=0, description="Answers a second.")
    memory: Number | None = Field(
        default=0.2,
        gt=0,
        description="Resident memory. null: not asked, as where servers are not on this host.",
    )
    errors: Number = Field(
        default=0.01, gt=0, le=1, description="More failures; 0.01 is one in 100."
    )


class Load(Strict):
    """The load test: both versions by turns, at one fixed rate (an open loop)."""

    rate: Number = Field(
        default=20,
        ge=1,
        le=100_000,
        description="Requests a second to each version: well below what it can take.",
    )
    seconds: Number = Field(
        default=10, ge=1, le=_HOUR, description="Of each version in each round."
    )
    rounds: Whole = Field(default=8, ge=5, le=200, description="What the verdict counts.")
    margins: LoadLimits = Field(default_factory=LoadLimits, description="What counts as no worse.")


class Staging(Strict):
    """`assay stage`: smoke test, integration tests, load test."""

    features: RelativePath | None = Field(
        default=None,
        description="Test rows with the columns of the model's signature and an id, below `path`. "
        "Default: `data.test`.",
    )
    rows: Whole = Field(
        default=200, ge=1, le=100_000, description="Rows whose served predictions are compared."
    )
    tolerance: Number = Field(
        default=1e-6,
        ge=0,
        lt=1,
        description="Between a served and an offline number: absolute up to 1, relative beyond.",
    )
    tests: StagingTests | None = Field(
        default=None, description="Integration tests; none: none are asked for."
    )
    load: Load | None = Field(
        default_factory=Load, description="The load test; null: none is asked for."
    )
