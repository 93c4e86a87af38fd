"""A consumer whose rules ask for the ledger, its bare remote, and judged evidence of heads."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from assay.evidence import Ledger, Plan
from assay.gate.judge import judge, write
from assay.state import Remote, StateBranch, open_desired
from support.evidence_folders import plan, put_training, rows, rules
from support.repositories import Sandbox, git_variables

CONFIG = """\
version: 1
models:
  churn:
    predictions: p.csv
    tests: null
    ledger: true
    gates: {accuracy: {margin: 0.05}}
"""
BRANCH = "assay/desired"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A clone with a remote, and folders beside them."""

    clone: Sandbox
    bare: Path
    scratch: Path

    @classmethod
    def make(cls, folder: Path) -> Kept:
        """Make the clone on a branch, with a bare remote called origin."""
        clone = Sandbox.make(folder / "clone")
        clone.commit({"assay.yaml": CONFIG, "train.py": "1"})
        bare = clone.clone_bare(folder / "origin.git")
        clone.git("remote", "add", "origin", str(bare))
        clone.git("switch", "--quiet", "--create", "change")
        clone.commit({"train.py": "2"})
        return cls(clone=clone, bare=bare, scratch=folder)

    def git(self, *arguments: str) -> str:
        """Run git in the bare repository."""
        return self.clone.git("-C", str(self.bare), *arguments)

    def opened(self, stack: ExitStack) -> StateBranch:
        """Open the branch; it never waits between tries."""
        remote = Remote(address=str(self.bare), environment=git_variables(self.scratch))
        branch = stack.enter_context(open_desired(remote))
        return StateBranch(branch=branch.branch, sleep=lambda _: None)

    def evidence(self, name: str, *, wrong: int, made: Plan | None = None) -> Path:
        """Judge a head that is wrong on so many of 400 rows; the base is on 40."""
        folder = self.scratch / name
        made = made or plan(judged_by=rules(ledger=True))
        made.write(folder)
        Ledger().write(folder)
        put_training(folder, rows(400, wrong=40), side="base")
        put_training(folder, rows(400, wrong=wrong))
        write(folder, made, *judge(made, folder))
        return folder
