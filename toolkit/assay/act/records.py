"""What the front knows of the local GitHub beyond the emulator: tokens, pulls, runs, labels."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from assay.act.events import PullRequest
from assay.act.remote import Remote
from assay.act.result import Artifact

JOB_LOGIN = "github-actions[bot]"


class TokenKind(Enum):
    """A person's token, a job's, or the one a job of a fork or of Dependabot gets."""

    PERSON = "person"
    JOB = "job"
    READ_ONLY_JOB = "read-only job"


@dataclass(frozen=True, kw_only=True)
class Account:
    """Whom a token speaks for; ``upstream`` is the emulator's token for that login."""

    login: str
    kind: TokenKind
    upstream: str = field(repr=False)


@dataclass(kw_only=True)
class Records:
    """Shared by the harness and the front's threads; hold ``lock`` to change it.

    ``tokens`` maps a token to its account; ``runs`` a run id to the run as the API shows it;
    ``timeline`` an issue number to its events; ``permissions`` a login to its role; ``merged`` a
    merge's commit to the pull request; ``approvals`` a run id to reviews of its environments.
    """

    remote: Remote
    default_branch: str
    artifacts: Path
    tokens: dict[str, Account]
    pulls: dict[int, PullRequest] = field(default_factory=dict)
    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    timeline: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    permissions: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    checks: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    merged: dict[str, int] = field(default_factory=dict)
    approvals: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    opener: Callable[[Mapping[str, Any], str], PullRequest] | None = None
    """Opens a pull request of a branch of the remote for somebody, where the harness can."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def slug(self) -> str:
        return self.remote.slug

    def add_event(self, number: int, event: dict[str, Any]) -> None:
        """Append to an issue's timeline; ``event`` needs at least ``event`` and ``actor``."""
        with self.lock:
            known = self.timeline.setdefault(number, [])
            known.append({"id": len(known) + 1, "created_at": now(), **event})


def now() -> str:
    """The present, as GitHub writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stored_artifacts(folder: Path, run_id: int | None = None) -> list[tuple[dict[str, Any], Path]]:
    """(record, zip) of every artifact that the upload stand-in stored, by id."""
    found = []
    for record in folder.glob(f"{'*' if run_id is None else run_id}/*/*.json"):
        facts = json.loads(record.read_text(encoding="utf-8"))
        found.append((facts, record.with_suffix(".zip")))
    return sorted(found, key=lambda pair: int(pair[0]["id"]))


def artifacts_of(folder: Path, run_id: int, attempt: int) -> tuple[Artifact, ...]:
    """The artifacts of one attempt of one run."""
    return tuple(
        Artifact(
            id=facts["id"],
            name=facts["name"],
            digest=facts["digest"],
            run_attempt=facts["run_attempt"],
            archive=archive,
        )
        for facts, archive in stored_artifacts(folder, run_id)
        if facts["run_attempt"] == attempt
    )
