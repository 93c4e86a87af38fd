"""A controller on a fake target, with signed intents, and no git: what most of its tests drive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from assay.config import Strategy
from assay.config.strategy import Step
from assay.errors import OutsideError
from assay.evidence import Intent
from assay.packaging.keys import Trusted, public_key_of, sign
from assay.rollout.controller.chain import Place, basis
from assay.rollout.controller.clock import Clock, moment_of
from assay.rollout.controller.inbox import Inbox
from assay.rollout.controller.intake import Rules
from assay.rollout.controller.logs import Log
from assay.rollout.controller.loop import Controller, Limits, Parts
from assay.rollout.controller.store import Points, Store
from assay.rollout.step import step
from assay.state import Link, Signed, take
from support.fake_target import FakeTarget

PLACE = Place(target="production", model="churn")
V1, V2, V3 = "1" * 64, "2" * 64, "3" * 64
KEY = ec.derive_private_key(7, ec.SECP256R1()).private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)
"""The same in every process of a test; worth nothing anywhere else."""
TRUSTED = Trusted(keys=(public_key_of(KEY, name="signing.pub"),))
RULES = Rules(place=PLACE, trusted=TRUSTED, repository="octo/churn")
CANARY = Strategy(
    steps=(Step(weight=0.1, bake=0, requests=100), Step(weight=0.5, bake=0, requests=100)),
    standby=0,
)


@dataclass
class Time:
    """Both clocks, moved by hand."""

    wall: datetime = datetime(2026, 11, 1, 12, tzinfo=UTC)
    running: float = 1000.0

    def clock(self) -> Clock:
        return Clock(wall=lambda: self.wall, running=lambda: self.running)

    def pass_by(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.running += seconds


def intent_of(
    generation: int, kind: str = "deploy", digest: str | None = None, **facts: object
) -> Intent:
    """An intent that counts for an hour from the time in ``issued``."""
    issued = facts.pop("issued", datetime(2026, 11, 1, 12, tzinfo=UTC))
    assert isinstance(issued, datetime)
    return Intent.model_validate(
        {
            "id": f"{generation:032x}",
            "generation": generation,
            "kind": kind,
            "model": PLACE.model,
            "target": PLACE.target,
            "repository": "octo/churn",
            "artifact_digest": digest,
            "strategy": CANARY if kind == "deploy" else None,
            "based_on": None,
            "author": "octo",
            "approver": "cat",
            "issued": moment_of(issued),
            "expires": moment_of(issued + timedelta(hours=1)),
            **facts,
        }
    )


def signed(intent: Intent, *, key: bytes = KEY, at: int | None = None) -> Signed:
    """The intent as it lies on the branch."""
    content = intent.to_json().encode()
    return Signed(generation=at or intent.generation, content=content, signature=sign(content, key))


@dataclass
class Rig:
    """One life of a controller in ``folder``; :meth:`again` is the next."""

    folder: Path
    target: FakeTarget
    rules: Rules = RULES
    limits: Limits = field(default_factory=Limits)
    time: Time = field(default_factory=Time)
    mail: list[Signed] = field(default_factory=list)
    points: Points = lambda _: None
    held: Callable[[], str | None] = lambda: None
    by: str = "controller"
    log: StringIO = field(default_factory=StringIO)

    def __post_init__(self) -> None:
        self.lock = take(self.folder / "state", role=self.by, since="now")
        self.store = Store(self.folder / "state", PLACE, points=self.points)
        clock = self.time.clock()
        log = Log(stream=self.log, clock=clock)
        self.inbox = Inbox(
            lambda after: tuple(one for one in self.mail if one.generation > after),
            self.fetch,
            self.rules,
            handled=self.store.handled,
            clock=clock,
            log=log,
        )
        self.controller = Controller(
            Parts(
                target=self.target,
                store=self.store,
                lock=self.lock,
                step=step,
                folders=self.inbox.want,
                arrived=self.inbox.take,
                limits=self.limits,
                held=self.held,
                clock=clock,
                log=log,
                points=self.points,
            ),
            by=self.by,
        )
        self.controller.started()

    def fetch(self, digest: str) -> Path:
        folder = self.folder / "bundles" / digest
        if not (self.folder / "registry-away").exists():
            folder.mkdir(parents=True, exist_ok=True)
        if not folder.is_dir():
            raise OutsideError("the registry does not answer.")
        return folder

    def poll(self) -> None:
        try:
            self.inbox.poll()
        except OutsideError as error:
            self.log.write(str(error))

    def ticks(self, count: int = 1, *, seconds: float = 1.0) -> None:
        for _ in range(count):
            self.poll()
            self.controller.tick()
            self.time.pass_by(seconds)

    def settle(self, most: int = 200) -> None:
        for _ in range(most):
            self.ticks()
            if self.controller.settled():
                return
        raise AssertionError(f"still on its way: {self.store.state}")

    def send(self, kind: str = "deploy", digest: str | None = None, **facts: object) -> Intent:
        """Put a signed intent on the branch, upon the newest decision."""
        intent = intent_of(
            len(self.mail) + 1,
            kind,
            digest,
            **{"based_on": basis(self.links), "issued": self.time.wall, **facts},
        )
        self.mail.append(signed(intent))
        return intent

    def deploy(self, *digests: str) -> None:
        """Deploy one version after the other, each until nothing is on its way."""
        for digest in digests:
            self.send("deploy", digest)
            self.settle()

    def again(self, **changes: object) -> Rig:
        """The next life, as after a kill: nothing is closed but what the kernel would close."""
        self.lock.release()
        self.store.close()
        return replace(self, log=StringIO(), **changes)  # type: ignore[arg-type]

    @property
    def links(self) -> tuple[Link, ...]:
        return self.store.links

    def kinds(self, links: Sequence[Link] | None = None) -> list[str]:
        found = self.links if links is None else links
        return [link.facts["kind"] for link in found if link.facts["kind"] != "started"]

    def sentences(self) -> list[str]:
        return [link.facts["sentence"] for link in self.links]
