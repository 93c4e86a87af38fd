"""The orchestrator that every consumer has: a command, or ``dvc repro``, in this job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assay.training import dvc
from assay.training.environment import ConsumerEnvironment
from assay.training.orchestrators.interface import Fetched, Order, Outcome, Run
from assay.training.process import Transcript


@dataclass(frozen=True, kw_only=True)
class Local:
    """Runs a command in the consumer's environment; it ends with whoever waits for it.

    ``command`` is told ``variables`` beside the environment's, and runs in ``folder``.
    """

    environment: ConsumerEnvironment
    command: str
    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def submit(self, order: Order) -> Run:
        """Name the run; the command starts with the wait."""
        return Run(id=order.key({}))

    def wait(self, run: Run, *, timeout: float, transcript: Transcript) -> Outcome:  # noqa: ARG002
        """Run the command, streamed; whatever is left of it at the end is stopped."""
        ended = self.environment.run(
            self.command,
            cwd=self.folder,
            timeout=timeout,
            transcript=transcript,
            extra=self.variables,
        )
        if ended.succeeded:
            return Outcome(ended=ended)
        if "dvc" in self.command.split():
            return Outcome(ended=ended, reason=dvc.failure(ended, f"`{self.command}`", timeout))
        return Outcome(ended=ended, reason=ended.why("the training command", timeout))

    def cancel(self, run: Run) -> None:
        """Nothing is left to stop: the command ended with the wait."""

    def fetch(self, run: Run, folder: Path, transcript: Transcript) -> Fetched:  # noqa: ARG002
        """Nothing is to be fetched: the outputs are in the folder."""
        return Fetched()
