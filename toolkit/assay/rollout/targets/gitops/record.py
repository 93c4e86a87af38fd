"""The file ``assay.json`` beside the manifests: what they were rendered from, to be read back."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from assay.errors import IntegrityError, Location
from assay.rollout.target import Route
from assay.rollout.targets.manifests import read_route, written
from assay.state import Written

MARKER = "assay.json"
SCHEMA = "assay/gitops/1"


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is on the branch. ``since`` is the commit before the rollout that is under way."""

    route: Route | None = None
    versions: tuple[str, ...] = ()
    images: dict[str, str] = field(default_factory=dict)
    """The image of a version by digest, where one was pushed."""
    since: str | None = None
    sums: dict[str, str] = field(default_factory=dict)
    """SHA-256 of every file that Assay wrote, by its path."""

    def to_bytes(self) -> bytes:
        """Return the file's content."""
        facts = {
            "schema": SCHEMA,
            "note": "Written by Assay with the manifests beside it; see docs/kubernetes.md.",
            "route": json.loads(written(self.route)) if self.route else None,
            "versions": list(self.versions),
            **({"images": self.images} if self.images else {}),
            "since": self.since,
            "files": self.sums,
        }
        return (json.dumps(facts, indent=2, sort_keys=True) + "\n").encode()


def read_record(found: Written, where: str) -> Record:
    """Return what the folder was rendered from; an empty one for a folder that is not there yet.

    Raises IntegrityError where the file is damaged or another version's.
    """
    content = found.files.get(MARKER)
    if content is None:
        return Record()
    try:
        return _parsed(json.loads(content))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise IntegrityError(
            f"this does not hold {SCHEMA}: it was changed by hand or by another version.",
            where=Location(file=f"{where}/{MARKER}"),
            remedy="Revert the commit that changed it; nothing was written.",
        ) from error


def _parsed(facts: dict[str, Any]) -> Record:
    if facts["schema"] != SCHEMA:
        raise ValueError(facts["schema"])
    route = read_route(json.dumps(facts["route"]))
    if route is None and facts["route"] is not None:
        raise ValueError("this is no route")
    return Record(
        route=route,
        versions=tuple(str(each) for each in facts["versions"]),
        images={str(one): str(image) for one, image in facts.get("images", {}).items()},
        since=str(facts["since"]) if facts["since"] else None,
        sums={str(path): str(digest) for path, digest in facts["files"].items()},
    )


def changed_by_others(found: Written, record: Record) -> list[str]:
    """Return the paths whose content is not what Assay wrote."""
    now = {
        path: hashlib.sha256(data).hexdigest()
        for path, data in found.files.items()
        if path != MARKER
    }
    paths = set(now) | set(record.sums)
    return sorted(path for path in paths if now.get(path) != record.sums.get(path))
