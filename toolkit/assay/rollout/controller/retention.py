"""What a controller's host keeps of versions that are over: bundles, their logs, old intents.

A bundle goes only where no state, no running process and no rollback names it, and by a rename
first: one that is half removed is none any more, and is removed whole at the next time. The journal
and its evidence stay: they are the record.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.config import Retention
from assay.evidence import DecisionKind
from assay.rollout.controller.chain import whole_weight
from assay.rollout.controller.log_retention import removing
from assay.rollout.records import State
from assay.state import Link

OLD, NEW = ".old-", ".new-"
"""Begin the names of bundles that are going, and of bundles that are coming."""
_SERVED = (DecisionKind.PROMOTED, DecisionKind.ROLLED_BACK)
_MOST_INTENTS = 500


def kept_releases(
    state: State, links: Sequence[Link], running: Collection[str], *, most: int
) -> frozenset[str]:
    """Return the versions whose bundles stay: those in use, and those to go back to.

    ``running`` are the versions that the target runs; ``most`` counts those that served last, and
    the barred ones, which a person may clear.
    """
    rollout, returning = state.rollout, state.returning
    in_use = (
        state.stable,
        state.previous,
        None if rollout is None else rollout.candidate,
        None if returning is None else returning.digest,
        *state.retiring,
        *running,
        *(() if state.route is None else state.route.weights),
    )
    served: dict[str, None] = {}
    for link in reversed(links):
        digest = whole_weight(link.facts) if link.facts["kind"] in _SERVED else None
        if digest is not None and len(served) < most:
            served[digest] = None
    named = (*in_use, *served, *state.barred[-most:])
    return frozenset(digest for digest in named if digest is not None)


@dataclass(frozen=True, kw_only=True)
class House:
    """The folders of one controller; ``target`` is that of a target on this host, else None."""

    releases: Path
    intents: Path
    target: Path | None
    limits: Retention

    def tidy_releases(
        self, needed: Callable[[], frozenset[str]], forget: Callable[[str], object]
    ) -> tuple[str, ...]:
        """Remove what no ``needed()`` version is; return the digests of the bundles that went.

        ``forget`` is told of a bundle before it goes. What is needed is asked again after it: a
        version that was asked for meanwhile stays. No bundle may be fetched while this runs.
        Raises OutsideError where something cannot be removed.
        """
        self._finish()
        gone = []
        for place in _versions(self.releases):
            if place.name in needed():
                continue
            forget(place.name)
            if place.name not in needed():
                _remove(place)
                gone.append(place.name)
        for folder in self._beside:
            for place in _versions(folder):
                if place.name.partition("-")[0] not in needed():
                    _remove(place)
        self._tidy_intents(needed())
        return tuple(gone)

    @property
    def _beside(self) -> tuple[Path, ...]:
        """What a target on this host keeps of versions: logs of processes, counts of a shadow."""
        return () if self.target is None else (self.target / "versions", self.target / "shadow")

    def _finish(self) -> None:
        """Remove what a killed process was removing, or fetching, when it ended."""
        for folder in (self.releases, *self._beside):
            with removing(folder):
                for left in (*folder.glob(f"{OLD}*"), *folder.glob(f"{NEW}*")):
                    shutil.rmtree(left)

    def _tidy_intents(self, needed: frozenset[str]) -> None:
        """The oldest copies of intents go; those of versions that stay tell who shipped them."""
        with removing(self.intents):
            files = sorted(self.intents.glob("*.json"), key=lambda one: -one.stat().st_mtime)
            for file in files[_MOST_INTENTS:]:
                if _digest_in(file) not in needed:
                    file.unlink(missing_ok=True)


def _versions(folder: Path) -> list[Path]:
    """Return the folders that are named by a digest, or by one and a number."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(one for one in found if one.is_dir() and _is_digest(one.name.partition("-")[0]))


def _is_digest(name: str) -> bool:
    return len(name) == 64 and not set(name) - set("0123456789abcdef")


def _digest_in(file: Path) -> str | None:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return str(found["artifact_digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remove(folder: Path) -> None:
    """Out of the way at once, then off the disk."""
    aside = folder.with_name(f"{OLD}{folder.name}")
    with removing(folder):
        if aside.exists():
            shutil.rmtree(aside)
        folder.rename(aside)
        shutil.rmtree(aside)
