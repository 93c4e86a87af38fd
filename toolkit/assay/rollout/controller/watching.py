"""Looks at production, taken beside the traffic by a child process of the lowest priority.

The controller's loop never waits for one: a thread starts the child and reads what it found. A look
that hangs is ended, one that fails is tried again, and neither holds a step or a rollback.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.errors import AssayError, OutsideError
from assay.evidence import Look
from assay.rollout.controller.logs import Log
from assay.rollout.controller.worker import Worker

LOG = "monitor.log"
"""What the last child said, in the folder of looks."""
_SECONDS = 2.0
_RETRY = 600.0
_LEAST_LIMIT = 600.0
_SHOWN = 10
_LOWEST = 19
_FIRST_TO_GO = "1000"


@dataclass(frozen=True, kw_only=True)
class Looking:
    """How a look is taken, and told. `every` is in seconds."""

    command: Callable[[str | None], Sequence[str]]
    """What to run, from the digest of the version that serves, if one does."""
    folder: Path
    """Where ``MODEL/monitor.json`` is written."""
    model: str
    every: float
    tell: Sequence[str] = ()
    """What to run after a look; empty: nobody is told from here."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    telling_environ: Mapping[str, str] = field(default_factory=dict, repr=False)


class Watching:
    """Takes looks; :meth:`work` is for a thread of its own, everything else for any."""

    def __init__(
        self,
        looking: Looking,
        *,
        serving: Callable[[], str | None],
        running: Callable[[], float],
        log: Log,
    ) -> None:
        self._looking, self._serving, self._running, self._log = looking, serving, running, log
        self._due = running()
        self._untold = False
        self._failure: AssayError | None = None
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self.found: dict[str, Any] | None = self._read()
        """What `assay status` says of the last look; None before the first."""

    def work(self) -> None:
        """Take a look if it is time, and tell of it. Raises what stands in the way.

        What was looked at and not told is told again.
        """
        if self._stopped:
            return
        try:
            if self._running() >= self._due:
                self._look()
                self._untold = bool(self._looking.tell)
            elif self._failure is not None and not self._untold:
                raise self._failure
            if self._untold:
                self._run(self._looking.tell, self._looking.telling_environ)
                self._untold = False
        except AssayError as error:
            self._failure = error
            raise
        self._failure = None

    def stop(self) -> None:
        """End the child that runs, and start no other."""
        with self._lock:
            self._stopped = True
            if self._child is not None:
                _end(self._child)

    def _look(self) -> None:
        looking = self._looking
        # Also where the process is killed in between: the next life begins with a look.
        self._due = self._running() + min(looking.every, _RETRY)
        self._run(looking.command(self._serving()), looking.environ)
        self._due = self._running() + looking.every
        self.found = self._read()
        if self.found is not None and self.found["problems"]:
            self._log.warning("a look found problems", look=self.found["sentence"])

    def _run(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        limit = max(_LEAST_LIMIT, self._looking.every)
        self._looking.folder.mkdir(parents=True, exist_ok=True)
        said = self._looking.folder / LOG
        with said.open("wb") as log, self._lock:
            if self._stopped:
                return
            child = self._child = subprocess.Popen(
                list(command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                env=dict(environ), start_new_session=True,
            )  # fmt: skip
            _put_last(child.pid)
        try:
            code = child.wait(limit)
        except subprocess.TimeoutExpired:
            _end(child)
            raise OutsideError(
                f"{_name(command)} took longer than {limit:.0f} s and was ended.",
                remedy="See that its sources answer; it is tried again.",
            ) from None
        finally:
            with self._lock:
                self._child = None
        if code != 0 and not self._stopped:
            raise OutsideError(f"{_name(command)} ended with {code}: {_last_line(said)}")

    def _read(self) -> dict[str, Any] | None:
        try:
            look = Look.read(self._looking.folder / self._looking.model)
        except AssayError:
            return None
        return {
            "at": look.at,
            "state": look.state.value,
            "sentence": look.sentence,
            "problems": [
                {"key": one.key, "severity": one.severity.value, "sentence": one.sentence}
                for one in look.problems[:_SHOWN]
            ],
        }


class Looks(Worker):
    """The thread that takes looks; ending it ends the child."""

    def __init__(
        self,
        looking: Looking,
        serving: Callable[[], str | None],
        running: Callable[[], float],
        log: Log,
    ) -> None:
        self.watching = Watching(looking, serving=serving, running=running, log=log)
        super().__init__("looks", self.watching.work, seconds=_SECONDS, log=log)

    def end(self) -> None:
        """Take no other look, and end."""
        self.watching.stop()
        super().end()


def _put_last(pid: int) -> None:
    """Let everything else go first: for a processor, and when memory runs out it is what ends."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, _LOWEST)
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text(_FIRST_TO_GO, encoding="ascii")


def _end(child: subprocess.Popen[bytes]) -> None:
    """End it and what it started."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _name(command: Sequence[str]) -> str:
    return "assay notify" if "notify" in command else "assay monitor"


def _last_line(said: Path) -> str:
    with contextlib.suppress(OSError):
        lines = [line for line in said.read_text(errors="replace").splitlines() if line.strip()]
        if lines:
            return lines[-1].strip()[:300]
    return "it said nothing"
