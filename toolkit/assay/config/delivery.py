"""How a model that passed the gate gets to production: targets, strategies, trust."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from assay.config.clusters import GitOpsTarget, KubernetesTarget
from assay.config.staging import Staging
from assay.config.strategy import Guards, Step, Strategy
from assay.config.types import (
    Number,
    RelativePath,
    Share,
    Strict,
    Switch,
    Text,
    Whole,
)

_AT_ONCE_SECONDS = 3_600.0
TargetName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


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


class ImageParts(Strict):
    """What a version's container image is made of, beside the version."""

    base: Text = Field(description="An image with Python and pip, by digest: `name@sha256:…`.")
    lock: RelativePath = Field(
        description="A requirements file with hashes that holds what model and server import."
    )


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
    staging: Staging = Field(
        default_factory=Staging, description="What `assay stage` asks of a served version."
    )
    image: ImageParts | None = Field(
        default=None, description="For `assay image`; with it deliver.yml can push images."
    )
    registered_name: Text | None = Field(
        default=None, description="In the MLflow registry. Default: the model's name."
    )

    @model_validator(mode="after")
    def _logged_where_judged(self) -> ModelDelivery:
        if self.serving.log.share == 0 and (self.strategy.quality or self.strategy.agreement):
            raise ValueError(
                "serving.log.share: 0 logs nothing, and strategy.quality and strategy.agreement "
                "are counted from that log"
            )
        return self

    def strategy_at(self, target: str) -> Strategy:
        """Return how traffic moves at a target: on those before the last, all at once."""
        if target == self.targets[-1]:
            return self.strategy
        return Strategy(
            kind="blue-green",
            steps=(Step(weight=1, bake=0, requests=0),),
            deadline=_AT_ONCE_SECONDS,
            guards=Guards(requests=0, sample_ratio=False),
        )


class LocalTarget(Strict):
    """Envoy and scoring servers as processes of the controller's host."""

    kind: Literal["local"] = "local"
    host: Text = Field(default="127.0.0.1", description="Where the router listens.")
    port: Whole = Field(default=8080, ge=0, le=65_535, description="0: any free one.")
    metrics_port: Whole = Field(
        default=0, ge=0, le=65_535, description="Envoy's statistics, on loopback. 0: nowhere."
    )
    python: Text | None = Field(
        default=None,
        description="An interpreter on the host that serves every model. "
        "Default: one built for each from its requirements.txt.",
    )


class DockerTarget(Strict):
    """The same with scoring servers in containers, through the Docker Engine API."""

    kind: Literal["docker"]
    host: Text = Field(default="127.0.0.1", description="Where the router listens.")
    port: Whole = Field(default=8080, ge=0, le=65_535, description="0: any free one.")
    metrics_port: Whole = Field(
        default=0, ge=0, le=65_535, description="Envoy's statistics, on loopback. 0: nowhere."
    )
    image: Text = Field(description="The image with the model's environment, by digest.")
    python: Text = Field(default="python3", description="Its interpreter.")
    network: Text = Field(
        default="bridge",
        description="Of the containers; with `host` they share the host's and listen on loopback.",
    )


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
    trusted_root: RelativePath | None = Field(
        default=None,
        description="Sigstore's root of trust as a file here. Default: the one that came with "
        "Assay's lock; neither asks a network.",
    )


class Trust(Strict):
    """Whose signatures count. Without any, nothing is deployed."""

    keys: tuple[RelativePath, ...] = Field(
        default=(), description="Public keys (PEM, ECDSA P-256) in this repository."
    )
    keyless: Keyless | None = Field(default=None, description="Signed by GitHub's identity.")

    @property
    def files(self) -> tuple[str, ...]:
        """Everything that a verification reads beside the configuration, relative to it."""
        root = self.keyless.trusted_root if self.keyless else None
        return self.keys if root is None else (*self.keys, root)


class Freeze(Strict):
    """A time in which nothing is promoted; rollbacks stay allowed."""

    start: Text = Field(alias="from", description="UTC, ISO 8601: 2026-12-20T00:00Z.")
    end: Text = Field(alias="to", description="UTC, ISO 8601.")
    reason: Text = Field(description="What a refusal says.")


class Retention(Strict):
    """What a controller keeps on its host; it removes what is beyond (docs/delivery.md)."""

    releases: Whole = Field(
        default=5,
        ge=1,
        description="Bundles of so many versions that served last, and of so many that are barred. "
        "What serves, served before, runs, or is on its way stays besides.",
    )
    log_days: Number | None = Field(
        default=90,
        gt=0,
        description="Prediction log of a local or docker target: older files go. null: none do.",
    )
    log_gigabytes: Number | None = Field(
        default=20,
        gt=0,
        description="Of that log in all: beyond, its oldest files go. null: however much there is.",
    )


class Delivery(Strict):
    """Where models are delivered, and whose word counts there."""

    targets: dict[TargetName, Target] = Field(min_length=1, description="By name.")
    trust: Trust = Field(default_factory=Trust, description="Whose signatures count.")
    approval: tuple[TargetName, ...] = Field(
        default=(),
        description="Targets where nothing is deployed before a person who is not the change's "
        "author agreed: as a reviewer of a GitHub environment, or by a dispatch of rollout.yml.",
    )
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
    retention: Retention = Field(
        default_factory=Retention, description="What a controller keeps on its host."
    )
    state_repository: Text | None = Field(
        default=None,
        description="Address of the repository with the branches assay/desired and assay/journal. "
        "Default: this one.",
    )

    @model_validator(mode="after")
    def _approval_of_targets(self) -> Delivery:
        for name in self.approval:
            if name not in self.targets:
                raise ValueError(f"approval: delivery.targets has no {name}")
        return self
