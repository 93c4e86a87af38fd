"""Brings intents here, and the bundles that they name, in a thread of its own.

Git and the registry may be slow or away: the loop only ever takes what has arrived. An intent
whose bundle cannot be fetched now waits, and later ones do not wait for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assay.errors import AssayError, OutsideError
from assay.evidence import Intent
from assay.rollout.controller.clock import Clock
from assay.rollout.controller.intake import Rejected, Rules, checked
from assay.rollout.controller.logs import Log
from assay.rollout.controller.store import Handled
from assay.state import Signed

Fetch = Callable[[str], Path]
"""Brings the bundle of a digest here, verifies it, and returns its folder.

Raises OutsideError where it cannot be had now, another AssayError where it must not be served."""
MOST_AT_ONCE = 50
"""Intents taken at a time: whoever can write the branch may not fill this host."""


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """One intent, verified as far as it goes without the chain; or why it does not count."""

    generation: int
    intent: Intent | None = None
    refusal: str | None = None


class Inbox:
    """Polls; :meth:`take` empties it. Only its own thread calls :meth:`poll`."""

    def __init__(
        self,
        read: Callable[[int], tuple[Signed, ...]],
        fetch: Fetch,
        rules: Rules,
        *,
        handled: Handled,
        clock: Clock,
        log: Log,
        keep: Callable[[Intent], object] = lambda _: None,
    ) -> None:
        self._read, self._fetch, self._rules, self._keep = read, fetch, rules, keep
        self._clock, self._log = clock, log
        self._done = handled
        self._lock = threading.Lock()
        self._arrived: list[Arrived] = []
        self._wanted: set[str] = set()
        self.folders: dict[str, Path] = {}
        """Verified bundles that lie here, by digest."""

    def take(self) -> tuple[Arrived, ...]:
        """Return what arrived since the last call, oldest first."""
        with self._lock:
            taken, self._arrived = tuple(self._arrived), []
        return taken

    def has_mail(self) -> bool:
        """Whether anything arrived."""
        with self._lock:
            return bool(self._arrived)

    def want(self, digest: str) -> Path | None:
        """Return the folder of a verified bundle; where there is none yet, fetch it at the next."""
        found = self.folders.get(digest)
        if found is None:
            self._wanted.add(digest)
        return found

    @property
    def wanted(self) -> frozenset[str]:
        """The versions whose bundles are fetched at the next poll."""
        return frozenset(self._wanted)

    def forget(self, digest: str) -> None:
        """Know no folder of a bundle any more: it is about to go."""
        self.folders.pop(digest, None)

    def poll(self) -> None:
        """Fetch once. Raises OutsideError where the branch or a bundle cannot be had now."""
        failed: OutsideError | None = None
        for digest in sorted(self._wanted):
            failed = self._fetched(digest) or failed
        for signed in self._read(self._done.upto)[:MOST_AT_ONCE]:
            if signed.generation in self._done:
                continue
            try:
                arrived = self._examined(signed)
            except OutsideError as error:
                failed = error
                continue
            with self._lock:
                self._arrived.append(arrived)
            self._done = self._done.also(signed.generation)
        if failed is not None:
            raise failed

    def _examined(self, signed: Signed) -> Arrived:
        try:
            intent = checked(signed, self._rules, self._clock.wall())
        except Rejected as error:
            return Arrived(generation=signed.generation, refusal=str(error))
        self._keep(intent)
        digest = intent.artifact_digest
        if intent.kind in ("deploy", "rollback") and digest is not None:
            try:
                self._bring(digest)
            except OutsideError:
                raise
            except AssayError as error:
                why = f"its bundle is refused: {str(error)[:600].rstrip('.')}"
                return Arrived(generation=signed.generation, intent=intent, refusal=why)
        return Arrived(generation=signed.generation, intent=intent)

    def _fetched(self, digest: str) -> OutsideError | None:
        try:
            self._bring(digest)
        except OutsideError as error:
            return error
        except AssayError as error:
            self._log.alert("a bundle is refused", digest=digest, reason=str(error)[:500])
        self._wanted.discard(digest)
        return None

    def _bring(self, digest: str) -> None:
        if digest not in self.folders:
            self.folders[digest] = self._fetch(digest)
