"""What a delivery's run keeps of a version: ``bundle.json``, known by its SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from assay.errors import IntegrityError, OutsideError
from assay.github.archive import Limits, read_archive
from assay.github.client import Client

DOCUMENT = "bundle.json"
LIMITS = Limits(packed=8 * 1024**2, unpacked=32 * 1024**2, files=10)
_MOST_CANDIDATES = 50


def release_artifact(model: str) -> str:
    """Return the name under which a delivery's run keeps a model's ``bundle.json``."""
    return f"assay-release-{model}"


def find_release(client: Client, model: str, digest: str) -> str | None:
    """Return the text of the ``bundle.json`` whose SHA-256 is ``digest``; None: none is kept.

    Any run may upload an artifact of that name: only the digest says that one is meant. Raises
    OutsideError where GitHub cannot be asked.
    """
    listed = client.get(
        "actions/artifacts", name=release_artifact(model), per_page=_MOST_CANDIDATES
    )
    artifacts = listed.get("artifacts") if isinstance(listed, dict) else None
    if not isinstance(artifacts, list):
        raise OutsideError("GitHub's list of artifacts is none.")
    for number in _candidates(artifacts):
        data = client.download(f"actions/artifacts/{number}/zip", most=LIMITS.packed)
        found = _document(data, f"artifact {number}")
        if found is not None and hashlib.sha256(found).hexdigest() == digest:
            return found.decode()
    return None


def _candidates(artifacts: list[Any]) -> Iterator[int]:
    """The ids of those that this repository's own code uploaded, newest first."""
    for one in sorted(artifacts, key=lambda one: str(one.get("created_at")), reverse=True):
        run = one.get("workflow_run") or {}
        own = run.get("head_repository_id") == run.get("repository_id")
        if own and not one.get("expired") and isinstance(one.get("id"), int):
            yield one["id"]


def _document(data: bytes, name: str) -> bytes | None:
    """The ``bundle.json`` of an archive; None where it has none, or is none itself."""
    try:
        found = dict(
            read_archive(data, name=name, limits=LIMITS, wanted=lambda path: path == DOCUMENT)
        )
    except IntegrityError:
        return None
    return found.get(DOCUMENT)
