"""A clone in which ``assay deploy`` runs, and the remote that a controller reads."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from assay.cli.edge import run
from assay.evidence import DeliveryPlan, Intent
from assay.packaging.keys import Trusted, new_key, public_key_of
from assay.rollout.controller.chain import Place
from assay.rollout.controller.intake import Rules
from assay.state import (
    JOURNAL,
    Link,
    Remote,
    Signed,
    StateBranch,
    link_of,
    open_desired,
    open_records,
    push_chain,
    read_intents,
)
from support.chains import decision_line
from support.ledgers import Kept
from support.repositories import git_variables

CONFIG = """\
version: 1
models:
  churn:
    predictions: p.csv
    artifact: model
    tests: null
    gates: {accuracy: {margin: 0.05}}
    delivery: {targets: [staging, production]}
delivery:
  targets:
    staging: {kind: local}
    production: {kind: local, port: 8081}
  trust: {keys: [signing.pub]}
"""
V1, V2 = "1" * 64, "2" * 64
KEY, PUBLIC = new_key()


class Desk:
    """A clone in which `assay deploy` runs, and the remote's two branches."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self.root = kept.clone.root
        self.links: dict[str, list[Link]] = {}

    def deploy(self, target: str, digest: str = V1, *more: str) -> int:
        base = ["--model", "churn", "--signing-key", "key.pem", "--wait-minutes", "0"]
        version = ["--artifact-digest", digest] if digest else []
        return run(["deploy", *base, "--target", target, *version, *more])

    def remote(self) -> Remote:
        return Remote(address=str(self.kept.bare), environment=git_variables(self.kept.scratch))

    def intents(self, target: str) -> tuple[Signed, ...]:
        with open_desired(self.remote()) as branch:
            return read_intents(branch, target, "churn")

    def intent(self, target: str) -> Intent:
        found = self.intents(target)[-1]
        return Intent.parse(found.content.decode(), file="intent")

    def decide(self, target: str, kind: str, **facts: Any) -> Link:
        """Write one decision into the journal, as the target's controller would."""
        chain = self.links.setdefault(target, [])
        last = chain[-1] if chain else None
        whole = {"kind": kind, "sentence": f"It is {kind}.", "wall_time": "now", **facts}
        chain.append(link_of(decision_line(last, **whole), last))
        with ExitStack() as stack:
            branch = stack.enter_context(open_records(self.remote(), JOURNAL))
            push_chain(StateBranch(branch=branch.branch), target, "churn", chain)
        return chain[-1]

    def whose(self, author: str) -> None:
        """What the plan of the delivery says of the change."""
        DeliveryPlan(
            repository="octo/churn",
            commit="a" * 40,
            tree="b" * 40,
            author=author,
            pull_request=7,
            models=(),
        ).write(self.root)

    def rules(self, target: str, *, approval: bool = False) -> Rules:
        return Rules(
            place=Place(target=target, model="churn"),
            trusted=Trusted(keys=(public_key_of(KEY),)),
            repository="octo/churn",
            approval=approval,
        )


def desk_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Make a clone the current folder, with the variables of nobody's job."""
    kept = Kept.make(tmp_path)
    for name in ("GITHUB_EVENT_NAME", "GITHUB_OUTPUT", "RUNNER_TEMP", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in git_variables(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GITHUB_REPOSITORY", "octo/churn")
    monkeypatch.chdir(kept.clone.root)
    (kept.clone.root / "assay.yaml").write_text(CONFIG)
    (kept.clone.root / "key.pem").write_bytes(KEY)
    (kept.clone.root / "key.pem").chmod(0o600)
    made = Desk(kept)
    made.whose("octo")
    return made
