"""Carries decisions, their evidence and the last observation to ``assay/journal``, in its thread.

Git is never on the way of a rollback: while the remote is away, everything waits on this host's
disk. Where the branch holds what this controller did not write, nothing is pushed and nothing may
be promoted, until a person has brought both together.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.errors import IntegrityError
from assay.rollout.controller.chain import Place
from assay.rollout.controller.heartbeat import sign
from assay.rollout.controller.store import EVIDENCE
from assay.state import Link, StateBranch, observed_path, push_chain

PUSHED = "pushed"
"""Touched in the state folder when the branch has all there is: a monitor reads when."""
_TRIES = 3


@dataclass(frozen=True, kw_only=True)
class Mail:
    """What there is to push."""

    links: tuple[Link, ...]
    observed: bytes
    beat: int
    """Goes up with each heartbeat: the observation alone is pushed then."""


class Outbox:
    """Keeps the newest mail; only its own thread calls :meth:`push`."""

    def __init__(self, branch: StateBranch, place: Place, folder: Path) -> None:
        self._branch, self._place, self._folder = branch, place, folder
        self._lock = threading.Lock()
        self._mail: Mail | None = None
        self._sent: tuple[int, int] = (0, -1)
        self.diverged: str | None = None
        """Why nothing may be promoted; None while the branch is as this host left it."""

    @property
    def pushed(self) -> int:
        """How many decisions the branch is known to have."""
        return self._sent[0]

    def put(self, mail: Mail) -> bool:
        """Keep the newest; say whether there is something to push."""
        with self._lock:
            self._mail = mail
        return (len(mail.links), mail.beat) != self._sent

    def push(self) -> None:
        """Push what is new. Raises what stands in the way; it is tried again."""
        with self._lock:
            mail = self._mail
        if mail is None or (len(mail.links), mail.beat) == self._sent:
            return
        target, model = self._place.target, self._place.model
        beside = {observed_path(target, model): mail.observed, **self._evidence(mail.links)}
        try:
            push_chain(self._branch, target, model, mail.links, beside=beside, tries=_TRIES)
        except IntegrityError as error:
            self.diverged = str(error)
            raise
        self.diverged = None
        self._sent = (len(mail.links), mail.beat)
        sign(self._folder / PUSHED, f"{len(mail.links)} {mail.beat}")

    def _evidence(self, links: tuple[Link, ...]) -> Mapping[str, bytes]:
        found = {}
        for link in links[self._sent[0] :]:
            digest = link.facts.get("evidence_digest")
            path = self._folder / EVIDENCE / f"{digest}.json"
            if digest is not None and path.is_file():
                name = f"evidence/{self._place.target}/{self._place.model}/{digest}.json"
                found[name] = path.read_bytes()
        return found
