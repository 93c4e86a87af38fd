"""What tests of orchestrators ask of a repository whose model trains elsewhere."""

from __future__ import annotations

import re
import subprocess
from abc import ABC, abstractmethod

from assay.evidence import OrchestratedRun, StageState, Training
from support.airflow_site import ROOT
from support.repositories import Sandbox


class Orchestrated(ABC):
    """A repository ``sandbox`` of the model ``churn``; ``secret`` is what no log may show."""

    sandbox: Sandbox
    secret: str

    @abstractmethod
    def start(self) -> subprocess.Popen[str]:
        """Start `assay train`, its output piped."""

    def documented(self, sign: str) -> str:
        """The program of docs/orchestrators.md that has ``sign`` in it, for this repository."""
        page = (ROOT / "docs" / "orchestrators.md").read_text()
        blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
        (code,) = [block for block in blocks if sign in block]
        mine: str = code.replace("https://github.com/octo/churn.git", str(self.sandbox.root))
        assert mine != code
        return mine

    def train(self) -> tuple[int, str]:
        """Run `assay train`; return its exit code and all that it said."""
        process = self.start()
        shown, told = process.communicate(timeout=900)
        assert self.secret not in shown + told
        return process.returncode, shown + told

    def trained(self) -> Training:
        """What the last training left."""
        return Training.read(self.sandbox.root / ".assay/evidence/churn")

    def run(self) -> OrchestratedRun:
        """The run that made the model."""
        made = self.trained()
        assert made.state is StageState.PASSED, made.reason
        assert made.orchestrated is not None
        return made.orchestrated
