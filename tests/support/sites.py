"""A whole delivery on one host: a repository with its remote, signed bundles, real processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from assay.act.environment import PASSED_ON
from assay.config import Strategy
from assay.evidence import Intent
from assay.packaging.build import package
from assay.packaging.keys import sign
from assay.packaging.signing import sign_with_key
from assay.rollout.controller.chain import basis
from assay.rollout.controller.talk import ask
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
from support.bundles import PRIVATE, PUBLIC, REPOSITORY, ingredients
from support.controllers import CANARY, intent_of
from support.models import probe_model
from support.repositories import Sandbox, git_variables
from support.serving import local_target

CHECKOUT = Path(__file__).parents[2]
WHERE = ("production", "churn")
PATIENCE = 90.0


def served_bundle(folder: Path, bundles: Path, answer: object, **how: object) -> str:
    """Put a signed bundle, whose model answers ``answer``, where controllers look for bundles."""
    artifact = probe_model(folder / "source", answer, **how).folder / "model"
    made = ingredients(folder, artifact=artifact)
    document = package(made.wanted(), lambda of, to: sign_with_key(of, to, PRIVATE))
    bundles.mkdir(exist_ok=True)
    made.folder.rename(bundles / document.digest())
    return document.digest()


@dataclass
class Site:
    """The repository ``clone`` with assay.yaml, its bare remote, and the state folder."""

    folder: Path
    delivery: dict[str, Any] = field(default_factory=dict)
    strategy: Strategy = CANARY
    monitoring: dict[str, Any] | None = None
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clone = Sandbox.make(self.folder / "clone")
        self.bare = self.folder / "octo" / "churn.git"
        self.state = self.folder / "s"
        self.bundles = self.folder / "bundles"
        config = {
            "version": 1,
            "delivery": {
                "targets": {"production": {"kind": "local", "port": 0, "python": sys.executable}},
                "trust": {"keys": ["signing.pub"]},
                **self.delivery,
            },
            "models": {
                "churn": {
                    "predictions": "p.csv",
                    "artifact": "model",
                    "tests": None,
                    "gates": {"accuracy": {"margin": 0.05}},
                    "delivery": {"targets": ["production"]},
                    **({"monitoring": self.monitoring} if self.monitoring else {}),
                }
            },
        }
        self.clone.commit({"assay.yaml": yaml.safe_dump(config), "signing.pub": PUBLIC})
        self.bare.parent.mkdir()
        self.clone.clone_bare(self.bare)
        self.clone.git("remote", "add", "origin", str(self.bare))

    def bundle(self, name: str, **how: object) -> str:
        return served_bundle(self.folder / name, self.bundles, name, **how)

    def start(
        self, operation: str = "run", *options: str, environ: dict[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a controller or a watchdog; its log goes to ``<operation>.log``."""
        log = (self.folder / f"{operation}.log").open("ab")
        listen = ("--listen", "off") if operation == "run" else ()
        process = subprocess.Popen(
            [
                sys.executable, "-m", "assay", "controller", operation,
                "--state", str(self.state), "--repository", REPOSITORY,
                "--bundles", str(self.bundles), "--poll", "0.3", "--interval", "0.2",
                *listen, *options,
            ],
            cwd=self.clone.root, stdout=log, stderr=log, env={**self.environ, **(environ or {})},
            start_new_session=True,
        )  # fmt: skip
        log.close()
        self.processes.append(process)
        return process

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one command of ``assay`` in the clone."""
        return subprocess.run(
            [sys.executable, "-m", "assay", *words],
            cwd=self.clone.root,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    @property
    def environ(self) -> dict[str, str]:
        return {
            **git_variables(self.folder),
            # The first controller on a machine installs Envoy.
            **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
            "PYTHONPATH": str(CHECKOUT / "toolkit"),
            "TMPDIR": os.environ.get("TMPDIR", "/tmp"),  # noqa: S108 -- the system's own
            "ASSAY_CACHE": os.environ.get("ASSAY_CACHE", str(Path(os.environ["HOME"]) / ".cache")),
        }

    def status(self) -> dict[str, Any]:
        return ask(self.state, {"do": "status"})

    def until(self, holds: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        """Wait until the status is so."""
        ends = time.monotonic() + PATIENCE
        found: dict[str, Any] = {}
        while time.monotonic() < ends:
            with contextlib.suppress(Exception):
                found = self.status()
                if holds(found):
                    return found
            time.sleep(0.05)
        log = self.folder / "run.log"
        tail = log.read_text()[-3000:] if log.exists() else ""
        raise AssertionError(f"never {what}: {json.dumps(found)}\n{tail}")

    def serves(self, digest: str) -> dict[str, Any]:
        """Wait until a version has all the traffic and nothing is on its way."""
        return self.until(
            lambda found: found["settled"] and found["weights"] == {digest: 10_000},
            f"serves {digest[:12]}",
        )

    @contextlib.contextmanager
    def branch(self, name: str) -> Iterator[StateBranch]:
        remote = Remote(address=str(self.bare), environment=git_variables(self.folder))
        with open_records(remote, name) as branch:
            yield branch

    def chain(self) -> tuple[Link, ...]:
        """The chain on the remote."""
        with self.branch(JOURNAL) as branch:
            return read_chain(branch, *WHERE)

    def send(self, kind: str = "deploy", digest: str | None = None, **facts: object) -> Intent:
        """Write a signed intent upon the newest decision on the remote."""
        made: list[Intent] = []
        based_on = facts.pop("based_on", None) or basis(self.chain())

        def make(generation: int) -> tuple[bytes, bytes]:
            strategy = self.strategy if kind == "deploy" else None
            intent = intent_of(
                generation, kind, digest,
                **{"based_on": based_on, "issued": datetime.now(UTC), "strategy": strategy,
                   "repository": REPOSITORY, "id": os.urandom(16).hex(), **facts},
            )  # fmt: skip
            made.append(intent)
            content = intent.to_json().encode()
            return content, sign(content, PRIVATE)

        with self.branch(DESIRED) as branch:
            append_intent(branch, *WHERE, make)
        return made[-1]

    def pushed(self, count: int | None = None) -> None:
        """Wait until the remote has every decision."""
        self.until(
            lambda found: (
                found["journal"]["state"] == "ok" and (count is None or found["decisions"] >= count)
            ),
            "pushed",
        )

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """kill -9 of one process, and of no other."""
        process.send_signal(signal.SIGKILL)
        process.wait()

    def close(self) -> None:
        """End what was started: controllers first, then servers and router by their own files."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        stop_target(self.state / "target")


def stop_target(folder: Path) -> None:
    """End the router and the servers that a target's folder names."""
    if folder.is_dir():
        local_target(folder).close()


@contextlib.contextmanager
def site(folder: Path, **how: Any) -> Iterator[Site]:
    """A site that is closed afterwards."""
    made = Site(folder, **how)
    with ExitStack() as stack:
        stack.callback(made.close)
        yield made
