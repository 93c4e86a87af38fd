"""The event payload: strictly read fields of a file that strangers can influence."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.errors import InputError, Location

MAX_EVENT_BYTES = 25 * 1024 * 1024
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
_MOST_TEXT = 1000


@dataclass(frozen=True, kw_only=True)
class Payload:
    """An event's JSON object and the file it came from; fields are asked for by dotted path."""

    data: dict[str, Any]
    file: str

    def get(self, path: str) -> Any:
        """Return the value at ``path``, or None where any part of the way is missing."""
        value: Any = self.data
        for part in path.split("."):
            if not isinstance(value, dict):
                return None
            value = value.get(part)
        return value

    def has(self, path: str) -> bool:
        """Say whether something other than null is at ``path``."""
        return self.get(path) is not None

    def text(self, path: str) -> str:
        """Return a text, cut at 1,000 characters; raises InputError where there is none."""
        value = self.get(path)
        if not isinstance(value, str) or not value:
            raise self._wrong(path, "a text", value)
        return value[:_MOST_TEXT].encode(errors="replace").decode()

    def optional_text(self, path: str) -> str | None:
        """Return the text at ``path``, or None where it is missing or null."""
        return self.text(path) if self.get(path) not in (None, "") else None

    def number(self, path: str) -> int:
        """Return a positive whole number."""
        value = self.get(path)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**63:
            raise self._wrong(path, "a positive whole number", value)
        return value

    def commit(self, path: str) -> str:
        """Return a full commit id."""
        value = self.get(path)
        if not isinstance(value, str) or not _COMMIT.fullmatch(value):
            raise self._wrong(path, "a full commit id", value)
        return value

    def repository(self, path: str) -> str:
        """Return a repository's ``owner/name``."""
        value = self.get(path)
        if not isinstance(value, str) or not _REPOSITORY.fullmatch(value):
            raise self._wrong(path, "a repository's owner/name", value)
        return value

    def _wrong(self, path: str, wanted: str, found: object) -> InputError:
        kind = "nothing" if found is None else f"{type(found).__name__} {str(found)[:60]!r}"
        return InputError(
            f"the event's {path} should be {wanted}, not {kind}.",
            where=Location(file=self.file),
            remedy="GITHUB_EVENT_PATH must name the event file that the runner wrote.",
        )


def is_commit(value: str) -> bool:
    """Say whether ``value`` is a full commit id (SHA-1 or SHA-256) in lower-case hex."""
    return _COMMIT.fullmatch(value) is not None


def is_repository(value: str) -> bool:
    """Say whether ``value`` can be a repository's ``owner/name``."""
    return _REPOSITORY.fullmatch(value) is not None


def read_payload(path: Path) -> Payload:
    """Read an event file; raises InputError where it is missing, too large or no JSON object."""
    where = Location(file=path.as_posix())
    remedy = "GITHUB_EVENT_PATH must name the event file that the runner wrote."
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= MAX_EVENT_BYTES else b""
    except OSError as error:
        raise InputError(
            f"the event file cannot be read: {error.strerror}.", where=where, remedy=remedy
        ) from None
    if size > MAX_EVENT_BYTES:
        raise InputError(
            f"the event file has {size:,} bytes; GitHub writes at most {MAX_EVENT_BYTES:,}.",
            where=where,
            remedy=remedy,
        )
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        reason = str(error) or type(error).__name__
        raise InputError(
            f"the event file is not JSON ({reason[:200]}).", where=where, remedy=remedy
        ) from None
    if not isinstance(data, dict):
        raise InputError("the event file is not a JSON object.", where=where, remedy=remedy)
    return Payload(data=data, file=where.file)
