"""What an orchestrator does: take an order once, wait with its log, stop, hand over what it made.

An order has a key, and the same order always the same one: whoever submits it again, after a
kill or a lost answer, gets the run that is there already.
"""

from __future__ import annotations

import hashlib
import json
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from assay.errors import AssayError
from assay.training.process import Ended, Transcript


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be trained: a model's folder ``path`` at a commit, by a command, with a seed."""

    model: str
    commit: str | None
    path: str
    command: str | None
    seed: int | None = None

    def facts(self) -> dict[str, Any]:
        """Return the order as an orchestrator is told it."""
        return {
            "model": self.model,
            "commit": self.commit,
            "path": self.path,
            "command": self.command,
            "seed": self.seed,
        }

    def key(self, settings: Mapping[str, Any]) -> str:
        """Return what names this order under an orchestrator's settings: 20 hex digits."""
        text = json.dumps([self.facts(), dict(settings)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:20]


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run that was submitted; ``attached`` where it was there before."""

    id: str
    attached: bool = False


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended; ``reason`` says why it made nothing, and is None after a success."""

    ended: Ended
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What was fetched of a run: ``lock`` where its dvc.lock came along.

    ``facts`` are what it says it was made from, for the evidence.
    """

    lock: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)


class Orchestrator(Protocol):
    """Runs orders somewhere. Every method raises OutsideError where it cannot be reached."""

    def submit(self, order: Order) -> Run:
        """Start ``order``, or find the run of it that waits, runs or has succeeded."""

    def wait(self, run: Run, *, timeout: float, transcript: Transcript) -> Outcome:
        """Show the log of ``run`` as it comes, until it has ended or ``timeout`` seconds passed.

        The exit code of what ended is None after the timeout.
        """

    def cancel(self, run: Run) -> None:
        """Stop ``run``; what has ended already stays as it is."""

    def fetch(self, run: Run, folder: Path, transcript: Transcript) -> Fetched:
        """Put the outputs of ``run`` into the model's ``folder``.

        Raises OutsideError where they are missing, and IntegrityError where they are another's.
        """


@dataclass(frozen=True, kw_only=True)
class Carried:
    """An order that was carried out, or was not."""

    run: Run
    outcome: Outcome
    fetched: Fetched

    @property
    def reason(self) -> str | None:
        """Why there is nothing to judge, or None."""
        return self.outcome.reason


def carry_out(
    orchestrator: Orchestrator,
    order: Order,
    *,
    folder: Path,
    timeout: float,
    transcript: Transcript,
) -> Carried:
    """Submit, wait and fetch; a timeout, Ctrl-C or SIGTERM stops the run.

    A server that stops answering leaves its run alone: the next try attaches to it. Raises
    OutsideError for that, and KeyboardInterrupt after a signal.
    """
    with heeding_signals():
        run = orchestrator.submit(order)
        try:
            outcome = orchestrator.wait(run, timeout=timeout, transcript=transcript)
        except KeyboardInterrupt:
            transcript.say("Stopped from outside: the run is cancelled.")
            with suppress(AssayError):
                orchestrator.cancel(run)
            raise
        if outcome.ended.code is None:
            orchestrator.cancel(run)
        if outcome.reason is not None:
            return Carried(run=run, outcome=outcome, fetched=Fetched())
        return Carried(
            run=run, outcome=outcome, fetched=orchestrator.fetch(run, folder, transcript)
        )


@contextmanager
def heeding_signals() -> Iterator[None]:
    """Turn SIGTERM into KeyboardInterrupt, so that a stopped job stops what it started.

    A runner that cancels a job sends SIGINT, then SIGTERM. Only the main thread can say so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
