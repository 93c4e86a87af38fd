"""A repository with a pipeline's dvc.lock, its bare remote, and decisions about its model."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from assay.config import Model, parse_config
from assay.evidence import Look, Retraining, Trigger, TriggerKind
from assay.git import RemoteBranch, open_branch
from assay.retraining.decide import Asked
from assay.state import Remote, StateBranch, open_desired
from support.repositories import Sandbox, git_variables

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def lock(digest: str) -> str:
    """A dvc.lock whose training made ``digest``."""
    return f"""\
schema: '2.0'
stages:
  train:
    cmd: python train.py
    outs:
    - path: model
      md5: {digest}
"""


def model(rules: str = "{}") -> Model:
    """A model with these rules of retraining, as YAML."""
    rest = f"{{predictions: p.csv, gates: {{accuracy: {{margin: 0.01}}}}, retrain: {rules}}}"
    text = f"version: 1\nmodels:\n  churn: {rest}\n"
    return parse_config(text, file="assay.yaml").models["churn"]


def asked(rules: str = "{}", /, **changes: Any) -> Asked:
    """Ask about the model churn."""
    return Asked(**{"id": "run-1", "name": "churn", "model": model(rules), **changes})


def look(**changes: Any) -> Look:
    """A look at production in which nothing is wrong."""
    facts: dict[str, Any] = {
        "model": "churn",
        "version": None,
        "at": "2026-03-01T11:00:00Z",
        "windows": [],
        "state": "pass",
        "sentence": "Nothing is wrong.",
    }
    return Look.model_validate({**facts, **changes})


def decision(**changes: Any) -> Retraining:
    """A decision that lets a training be proposed."""
    facts: dict[str, Any] = {
        "id": "run-1",
        "model": "churn",
        "at": "2026-03-01T12:00:00Z",
        "due": True,
        "triggers": (Trigger(kind=TriggerKind.AGE, sentence="it is old"),),
        "until": "2026-03-01T20:00:00Z",
        "base_branch": "main",
        "branch": "assay/retrain/churn",
        "paths": ("dvc.lock",),
    }
    return Retraining(**{**facts, **changes})


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A clone on main with a dvc.lock, and its bare remote."""

    clone: Sandbox
    bare: Path
    commit: str
    scratch: Path
    stack: ExitStack

    @classmethod
    def make(cls, folder: Path, stack: ExitStack) -> Pipeline:
        """Make both."""
        clone = Sandbox.make(folder / "clone")
        clone.commit({"train.py": "1"})
        commit = clone.commit({"dvc.lock": lock("a" * 32)})
        bare = clone.clone_bare(folder / "origin.git")
        clone.git("remote", "add", "origin", str(bare))
        return cls(clone=clone, bare=bare, commit=commit, scratch=folder, stack=stack)

    def git(self, *arguments: str) -> str:
        """Run git in the bare repository."""
        return self.clone.git("-C", str(self.bare), *arguments)

    @property
    def address(self) -> str:
        """The remote as a URL, over which git fetches as from a server."""
        return self.bare.as_uri()

    def book(self) -> StateBranch:
        """Open assay/desired; it never waits between tries."""
        remote = Remote(address=self.address, environment=git_variables(self.scratch))
        opened = self.stack.enter_context(open_desired(remote))
        return StateBranch(branch=opened.branch, sleep=lambda _: None)

    def branch(self, name: str = "assay/retrain/churn") -> RemoteBranch:
        """Open the branch that is proposed."""
        opened = open_branch(self.address, f"refs/heads/{name}", git_variables(self.scratch))
        return self.stack.enter_context(opened)
