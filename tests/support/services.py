"""A controller's service on a fake target, with real branches on a bare repository."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from assay.evidence import Intent
from assay.packaging.keys import sign
from assay.rollout.controller.after import Hooks
from assay.rollout.controller.chain import basis
from assay.rollout.controller.clock import Clock
from assay.rollout.controller.logs import Log
from assay.rollout.controller.retention import House
from assay.rollout.controller.service import Branches, Service, Setup
from assay.rollout.step import step
from assay.state import (
    DESIRED,
    JOURNAL,
    Link,
    Remote,
    StateBranch,
    append_intent,
    open_records,
    read_chain,
)
from support.controllers import KEY, PLACE, RULES, intent_of
from support.fake_target import FakeTarget
from support.repositories import Origin, git_variables, put_hook

WHERE = (PLACE.target, PLACE.model)


@dataclass
class Hosted:
    """Services in ``folder``, one after the other; workers run when :meth:`turn` says so."""

    folder: Path
    stack: ExitStack
    target: FakeTarget
    hooks: Hooks = field(default_factory=Hooks)
    log: StringIO = field(default_factory=StringIO)
    house: House | None = None
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        origin = Origin(self.folder)
        self.git, self.bare = origin.source.git, origin.bare
        self.service = self.start()

    def branch(self, name: str) -> StateBranch:
        remote = Remote(address=str(self.bare), environment=git_variables(self.folder))
        opened = self.stack.enter_context(open_records(remote, name))
        return replace(opened, sleep=lambda _: None)

    def start(self, state: str = "state") -> Service:
        """Begin a life in a state folder."""
        branches = Branches(desired=self.branch(DESIRED), journal=self.branch(JOURNAL))
        setup = Setup(
            folder=self.folder / state,
            rules=RULES,
            target=lambda: self.target,
            step=step,
            fetch=self.fetch,
            branches=branches,
            hooks=self.hooks,
            house=self.house,
            tidying=0.0,
            clock=self.clock,
            log=Log(stream=self.log),
        )
        self.service = Service(setup)
        self.service.controller.started()
        return self.service

    def fetch(self, digest: str) -> Path:
        folder = self.folder / "bundles" / digest
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def turn(self, most: int = 30) -> None:
        """Let the workers work and the loop tick until nothing is on its way."""
        for _ in range(most):
            self.service.push()
            self.service.round()
            if self.service.controller.settled():
                break
        self.service.round()
        self.service.push()

    def send(self, kind: str = "deploy", digest: str | None = None, **facts: object) -> Intent:
        """Write a signed intent upon the newest decision of the service."""
        made: list[Intent] = []

        def make(generation: int) -> tuple[bytes, bytes]:
            known = {
                "based_on": basis(self.links),
                "issued": datetime.now(UTC),
                "id": os.urandom(16).hex(),
                **facts,
            }
            made.append(intent_of(generation, kind, digest, **known))
            content = made[-1].to_json().encode()
            return content, sign(content, KEY)

        append_intent(self.branch(DESIRED), *WHERE, make)
        return made[-1]

    def deploy(self, *digests: str) -> None:
        for digest in digests:
            self.send("deploy", digest)
            self.turn()

    @property
    def links(self) -> tuple[Link, ...]:
        return self.service.controller.store.links

    def remote_links(self) -> tuple[Link, ...]:
        return read_chain(self.branch(JOURNAL), *WHERE)

    def kinds(self) -> list[str]:
        return [link.facts["kind"] for link in self.links if link.facts["kind"] != "started"]

    @contextmanager
    def away(self) -> Iterator[None]:
        """The remote cannot be reached meanwhile."""
        moved = self.bare.rename(self.bare.with_suffix(".away"))
        try:
            yield
        finally:
            moved.rename(self.bare)

    def hook(self, name: str, script: str) -> Callable[[], object]:
        """Put a hook into the bare repository; call what is returned to take it away."""
        return put_hook(self.bare, name, script)
