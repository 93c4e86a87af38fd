"""How traffic moves to a new version: the strategies, their guards, and what they wait for."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

from pydantic import Field, model_validator

from assay.config.families import metric_named
from assay.config.gates import Severity
from assay.config.metrics import Metric
from assay.config.types import Number, OnlineMetricName, Share, Strict, Switch, Whole

DAY = 86_400


class Step(Strict):
    """One step of a canary: how much traffic, and what it takes to leave it."""

    weight: Share = Field(gt=0, description="Share of the traffic that the new version gets.")
    bake: Number = Field(
        default=300,
        ge=0,
        le=30 * DAY,
        description="Seconds of running time at this step, at least; a restart begins them again.",
    )
    requests: Whole = Field(
        default=200, ge=0, description="Requests that the new version has answered here, at least."
    )


class Guards(Strict):
    """What takes a version back without waiting for labels."""

    error_rate: Share = Field(
        default=0.01,
        gt=0,
        description="Errors of the new version beyond the serving one's: a margin.",
    )
    latency_ms: Number = Field(default=500, gt=0, description="A request slower than this is slow.")
    slow_share: Share = Field(
        default=0.05,
        gt=0,
        description="Slow requests beyond the serving version's: a margin.",
    )
    sample_ratio: Switch = Field(
        default=True, description="Hold where the split of units is not the one that was asked for."
    )
    requests: Whole = Field(
        default=100,
        ge=0,
        description="Requests of the new version before a guard may speak. 0: a promotion waits "
        "for no guard, as on a target without traffic; one that shows worse still takes it back.",
    )


class OnlineMetric(Strict):
    """A pre-registered quality metric, judged as labels arrive."""

    metric: OnlineMetricName = Field(
        default="accuracy",
        description="A mean of one value per unit, counted from the prediction log and labels: "
        "accuracy, mae, quantile_loss:Q or mean:COLUMN of the labels.",
    )
    margin: Number | None = Field(default=None, gt=0, description="What may be lost.")
    must_improve: Switch = Field(
        default=False, description="Promote only what is `better`; takes no margin."
    )
    higher_is_better: Switch = Field(
        default=True, description="Only for mean:COLUMN: the direction of the column."
    )
    planned: Whole = Field(
        default=2_000,
        ge=20,
        description="Labelled units of both versions, at an even split, that the interval is "
        "tuned for: narrowest there, valid everywhere.",
    )
    severity: Severity = Field(
        default=Severity.BLOCK,
        description="block: a promotion waits for better or no-worse; warn: only worse counts.",
    )

    @model_validator(mode="after")
    def _one_margin(self) -> OnlineMetric:
        if self.must_improve == (self.margin is not None):
            raise ValueError("give exactly one of margin and must_improve: true")
        if self.severity is Severity.OFF:
            raise ValueError("severity: off judges nothing; leave out `quality` instead")
        return self

    @property
    def measured(self) -> Metric:
        """The metric with its direction."""
        return metric_named(self.metric, higher_is_better=self.higher_is_better)


_CANARY = (Step(weight=0.01), Step(weight=0.1), Step(weight=0.5))
_ONE_STEP: dict[str, Step] = {
    "blue-green": Step(weight=1.0),
    "shadow": Step(weight=0.1),
    "ab": Step(weight=0.5),
    "bandit": Step(weight=0.5),
}


def _default_steps(data: dict[str, Any]) -> tuple[Step, ...]:
    kind = data.get("kind", "canary")
    return (_ONE_STEP[kind],) if kind in _ONE_STEP else _CANARY


class Strategy(Strict):
    """How traffic moves to a new version (docs/rollouts.md)."""

    kind: Literal["canary", "blue-green", "shadow", "ab", "bandit"] = Field(
        default="canary", description="What each promises is in docs/rollouts.md."
    )
    steps: tuple[Step, ...] = Field(
        default_factory=_default_steps,
        min_length=1,
        description="canary: the steps before all of it (default: 1 %, 10 %, 50 %). The others "
        "have one: ab: the share, bake and requests; bandit: the first batch's share, and bake and "
        "requests of each; shadow: the share that is mirrored; blue-green: the bake after.",
    )
    deadline: Number = Field(
        default=DAY,
        gt=0,
        le=90 * DAY,
        description="Seconds of running time after which what is still inconclusive goes back.",
    )
    guards: Guards = Field(default_factory=Guards, description="What takes it back at once.")
    quality: OnlineMetric | None = Field(
        default=None,
        description="Judged as labels arrive; none: guards alone decide. ab and bandit need one.",
    )
    confidence: Number = Field(
        default=0.95,
        ge=0.5,
        lt=1,
        description="Over all looks, guards and the metric together: an identical version goes "
        "back by mistake at most in the rest.",
    )
    floor: Share = Field(
        default=0.1, gt=0, lt=0.5, description="bandit: the least share that any version gets."
    )
    agreement: Share = Field(
        default=0.0,
        lt=1,
        description="shadow: the least share of equal predictions; 0 asks for none.",
    )
    standby: Number = Field(
        default=600,
        ge=0,
        le=30 * DAY,
        description="Seconds that the version before stays ready after a promotion.",
    )

    @model_validator(mode="after")
    def _steps_of_kind(self) -> Strategy:
        weights = [step.weight for step in self.steps]
        if self.kind != "canary" and len(weights) > 1:
            raise ValueError(f"steps: {self.kind} has one")
        if any(b <= a for a, b in pairwise(weights)):
            raise ValueError("steps: each weight must be above the one before")
        if self.kind in {"canary", "ab", "bandit"} and weights[-1] >= 1:
            raise ValueError(
                f"steps: a weight of 1 leaves nothing to compare with; {self.kind} takes all the "
                "traffic when it is promoted"
            )
        if self.kind == "blue-green" and weights != [1]:
            raise ValueError("steps: blue-green switches the whole traffic: weight: 1")
        return self

    @model_validator(mode="after")
    def _metric_of_kind(self) -> Strategy:
        if self.kind in {"ab", "bandit"} and self.quality is None:
            raise ValueError(f"quality: {self.kind} compares versions by a metric: name one")
        if self.kind == "bandit" and not self.floor <= self.steps[0].weight <= 1 - self.floor:
            raise ValueError("steps: the first share must leave each version the floor")
        if self.agreement and self.kind != "shadow":
            raise ValueError("agreement: only a shadow answers the same requests")
        return self
