"""How a model that passed the gate gets to production: targets, strategies, trust."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from assay.config.clusters import GitOpsTarget, KubernetesTarget
from assay.config.gates import Severity
from assay.config.types import (
    MetricName,
    Number,
    RelativePath,
    Share,
    Strict,
    Switch,
    Text,
    Whole,
)

DAY = 86_400
TargetName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


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
        default=0.01, description="Errors of the new version beyond the serving one's: a margin."
    )
    latency_ms: Number = Field(default=500, gt=0, description="A request slower than this is slow.")
    slow_share: Share = Field(
        default=0.05, description="Slow requests beyond the serving version's: a margin."
    )
    sample_ratio: Switch = Field(
        default=True, description="Hold where the split of units is not the one that was asked for."
    )
    requests: Whole = Field(
        default=100, ge=1, description="Requests of the new version before a guard may speak."
    )


class OnlineMetric(Strict):
    """A pre-registered quality metric, judged as labels arrive."""

    metric: MetricName = Field(default="accuracy", description="A mean of one value per unit.")
    margin: Number = Field(gt=0, description="What may be lost.")
    planned: Whole = Field(
        default=2_000,
        ge=20,
        description="Labelled units of both versions that the interval is tuned for.",
    )
    severity: Severity = Field(
        default=Severity.BLOCK,
        description="block: a promotion waits for better or no-worse; warn: only worse counts.",
    )


class Strategy(Strict):
    """How traffic moves to a new version."""

    kind: Literal["canary", "blue-green", "shadow", "ab", "bandit"] = Field(
        default="canary", description="See docs/delivery.md."
    )
    steps: tuple[Step, ...] = Field(
        default=(Step(weight=0.01), Step(weight=0.1), Step(weight=0.5)),
        min_length=1,
        description="canary: the steps before all of it. ab and bandit: the first one's weight, "
        "bake and requests. shadow: the share that is mirrored. blue-green: the bake after.",
    )
    deadline: Number = Field(
        default=DAY,
        gt=0,
        le=90 * DAY,
        description="Seconds of running time after which what is still inconclusive goes back.",
    )
    guards: Guards = Field(default_factory=Guards, description="What takes it back at once.")
    quality: OnlineMetric | None = Field(
        default=None, description="Judged as labels arrive; none: guards alone decide."
    )
    confidence: Number = Field(default=0.95, ge=0.5, lt=1, description="Over all looks together.")
    floor: Share = Field(
        default=0.1, gt=0, lt=0.5, description="bandit: the least share that any version gets."
    )
    agreement: Share = Field(
        default=0.0, description="shadow: the least share of equal predictions; 0 asks for none."
    )

    @model_validator(mode="after")
    def _ascending(self) -> Strategy:
        weights = [step.weight for step in self.steps]
        if self.kind == "canary" and any(b <= a for a, b in pairwise(weights)):
            raise ValueError("steps: each weight must be above the one before")
        return self


class PredictionLog(Strict):
    """What the scoring server writes down of its answers, for monitoring."""

    share: Share = Field(default=1.0, description="Share of the requests that are logged, by id.")
    queue: Whole = Field(
        default=10_000, ge=1, description="Answers that wait to be written; more are counted, lost."
    )
    seconds: Number = Field(default=10, gt=0, description="A file is closed after so many.")
    inputs: Switch = Field(default=True, description="Log the features too, not only the answers.")


class Serving(Strict):
    """How a version is served."""

    server: Literal["mlflow", "mlserver"] = Field(
        default="mlflow", description="`mlserver` speaks the Open Inference Protocol (V2)."
    )
    workers: Whole = Field(default=1, ge=1, le=64, description="Processes of one version.")
    start_seconds: Number = Field(default=120, gt=0, description="To answer its health check.")
    drain_seconds: Number = Field(default=30, ge=0, description="For requests in flight.")
    request_seconds: Number = Field(default=15, gt=0, description="A request's longest time.")
    unit_header: Text = Field(
        default="x-assay-unit", description="Who is asking: the unit that sticks to one version."
    )
    log: PredictionLog = Field(default_factory=PredictionLog, description="The prediction log.")


class ModelDelivery(Strict):
    """A model's way to production."""

    targets: tuple[TargetName, ...] = Field(
        default=("staging", "production"), min_length=1, description="In this order."
    )
    strategy: Strategy = Field(
        default_factory=Strategy,
        description="For the last target; those before it take all at once.",
    )
    serving: Serving = Field(default_factory=Serving, description="How it is served.")
    registered_name: Text | None = Field(
        default=None, description="In the MLflow registry. Default: the model's name."
    )


class LocalTarget(Strict):
    """Envoy and scoring servers as processes of the controller's host."""

    kind: Literal["local"] = "local"
    host: Text = Field(default="127.0.0.1", description="Where the router listens.")
    port: Whole = Field(default=8080, ge=0, le=65_535, description="0: any free one.")


class DockerTarget(Strict):
    """The same with scoring servers in containers, through the Docker Engine API."""

    kind: Literal["docker"]
    host: Text = Field(default="127.0.0.1", description="Where the router listens.")
    port: Whole = Field(default=8080, ge=0, le=65_535, description="0: any free one.")
    image: Text = Field(description="The image with the model's environment, by digest.")


Target = Annotated[
    LocalTarget | DockerTarget | KubernetesTarget | GitOpsTarget, Field(discriminator="kind")
]


class Keyless(Strict):
    """Who may have signed without a key (Sigstore), all of it together."""

    issuer: Text = Field(
        default="https://token.actions.githubusercontent.com", description="Of the identity token."
    )
    workflow: Text = Field(description="The reusable workflow that signs, with its ref.")
    repository: Text = Field(description="Whose model it is: owner/name.")
    ref: Text = Field(default="refs/heads/main", description="The ref that was delivered.")


class Trust(Strict):
    """Whose signatures count. Without any, nothing is deployed."""

    keys: tuple[RelativePath, ...] = Field(
        default=(), description="Public keys (PEM, ECDSA P-256) in this repository."
    )
    keyless: Keyless | None = Field(default=None, description="Signed by GitHub's identity.")


class Freeze(Strict):
    """A time in which nothing is promoted; rollbacks stay allowed."""

    start: Text = Field(alias="from", description="UTC, ISO 8601: 2026-12-20T00:00Z.")
    end: Text = Field(alias="to", description="UTC, ISO 8601.")
    reason: Text = Field(description="What a refusal says.")


class Delivery(Strict):
    """Where models are delivered, and whose word counts there."""

    targets: dict[TargetName, Target] = Field(min_length=1, description="By name.")
    trust: Trust = Field(default_factory=Trust, description="Whose signatures count.")
    freeze: tuple[Freeze, ...] = Field(default=(), description="When nothing is promoted.")
    lost_after: Number = Field(
        default=60,
        gt=0,
        description="Seconds without a sign of the controller after which its watchdog goes back.",
    )
    when_lost: Literal["rollback", "hold"] = Field(
        default="rollback", description="What the watchdog does with a rollout in flight."
    )
    rollbacks_per_day: Whole = Field(
        default=2, ge=1, description="Automatic ones of a target; then it holds, and says so."
    )
    state_repository: Text | None = Field(
        default=None,
        description="Address of the repository with the branches assay/desired and assay/journal. "
        "Default: this one.",
    )
