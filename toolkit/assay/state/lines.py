"""What the files of JSON lines on ``assay/desired`` have in common: one record is one line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from assay.errors import IntegrityError, Location
from assay.state.branch import MAX_FILE_BYTES
from assay.state.desired import DESIRED

MODEL = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
"""What a model may be called in a path."""
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
"""A time as records have it: UTC, whole seconds."""


def line_of(facts: Mapping[str, object]) -> bytes:
    """Return a record as its line, without what is None."""
    kept = {name: value for name, value in facts.items() if value is not None}
    return (json.dumps(kept, sort_keys=True, separators=(",", ":")) + "\n").encode()


def lines_in(path: str, content: bytes, *, remedy: str) -> Iterator[tuple[int, bytes]]:
    """Number the lines of a file from 1.

    Raises IntegrityError for a file that is too large, or whose last line is cut off.
    """
    if len(content) > MAX_FILE_BYTES:
        raise damaged(path, None, f"the file has over {MAX_FILE_BYTES:,} bytes", remedy=remedy)
    if content and not content.endswith(b"\n"):
        number = content.count(b"\n") + 1
        raise damaged(path, number, "the last line is cut off", remedy=remedy)
    yield from enumerate(content.splitlines(), start=1)


def damaged(path: str, line: int | None, what: str, *, remedy: str) -> IntegrityError:
    """Return the error for a file, or a line of it, that cannot be read."""
    return IntegrityError(
        f"{what}.",
        where=Location(file=f"{DESIRED}:{path}", line=line),
        remedy=f"Repair it by a commit to that branch, or {remedy}",
    )
