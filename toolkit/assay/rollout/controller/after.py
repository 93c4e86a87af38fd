"""What follows a decision once it is recorded: MLflow's aliases, the pull request, the manifest.

None of it is on the way of the traffic. Aliases are a projection: set from the state as it is, and
again from time to time, so that what somebody moved by hand is put right. Each decision is told
once or, after a kill in between, twice; never not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.rollout.controller.heartbeat import sign
from assay.rollout.controller.logs import Log
from assay.rollout.controller.store import Store
from assay.state import Link

CURSOR = "told"
REPAIR_SECONDS = 600.0


@dataclass(frozen=True, kw_only=True)
class Versions:
    """Which version stands where, by artifact digest."""

    stable: str | None
    previous: str | None
    candidate: str | None


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """What the command line wires: each raises OutsideError where it must be tried again."""

    project: Callable[[Versions], Sequence[str]] | None = None
    """Sets the aliases, and returns what was not as it should be, each in a sentence."""
    tell: Callable[[Link], object] | None = None


def versions_of(store: Store) -> Versions:
    """Return which version stands where, now."""
    state = store.state
    candidate = None if state.rollout is None else state.rollout.candidate
    return Versions(stable=state.stable, previous=state.previous, candidate=candidate)


class Projection:
    """Sets the aliases where the state changed, and every ten minutes."""

    def __init__(
        self,
        store: Store,
        project: Callable[[Versions], Sequence[str]],
        running: Callable[[], float],
        log: Log,
    ) -> None:
        self._store, self._project, self._running, self._log = store, project, running, log
        self._done: tuple[Versions, float] | None = None

    def work(self) -> None:
        """Do it, if it is due."""
        now, versions = self._running(), versions_of(self._store)
        if self._done is not None:
            done, at = self._done
            if done == versions and now - at < REPAIR_SECONDS:
                return
        for sentence in self._project(versions):
            self._log.info("an alias was set", difference=sentence)
        self._done = (versions, now)


class Telling:
    """Tells each decision of the chain, in order; remembers how far it came."""

    def __init__(self, store: Store, folder: Path, tell: Callable[[Link], object]) -> None:
        self._store, self._path, self._tell = store, folder / CURSOR, tell
        try:
            self._seq = int(self._path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            self._seq = 0

    def skip(self) -> None:
        """Count all that stands there as told: a chain that another host's controller told."""
        self._seq = len(self._store.links)
        sign(self._path, str(self._seq))

    def work(self) -> None:
        """Tell what was not told yet; raises what the first that failed raised."""
        for link in self._store.links[self._seq :]:
            self._tell(link)
            self._seq = link.seq
            sign(self._path, str(self._seq))
