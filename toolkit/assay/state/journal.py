"""A target's journal: decisions, one canonical JSON line each, every line naming the one before.

The digest of a line is the SHA-256 of its bytes without the newline. Line n says ``seq`` n,
``previous_digest`` of line n-1, and an ``epoch`` that is never below the one before: a line that
was altered, left out or put elsewhere breaks the chain.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.errors import IntegrityError, Location
from assay.state.disk import write_at

LINES_PER_FILE = 500
MAX_LINE_BYTES = 8_000
"""So that a file of the branch stays below what a reader takes."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """One decision of a chain, as its line says it."""

    facts: Mapping[str, Any] = field(repr=False)
    line: bytes = field(repr=False)
    seq: int
    digest: str


def canonical_line(facts: Mapping[str, Any]) -> bytes:
    """Return the one line that ``facts`` are, with its newline.

    Raises ValueError where it would be longer than a reader takes.
    """
    text = json.dumps(
        facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    line = text.encode(errors="replace") + b"\n"
    if len(line) > MAX_LINE_BYTES:
        raise ValueError(f"a decision has at most {MAX_LINE_BYTES:,} bytes")
    return line


def link_of(line: bytes, previous: Link | None) -> Link:
    """Read the line that follows ``previous`` (None: the first); raises ValueError saying why not.

    ``line`` ends with its newline.
    """
    facts = _facts_of(line)
    if facts is None:
        raise ValueError("it is not a decision in canonical form")
    seq, before, epoch = facts.get("seq"), facts.get("previous_digest"), facts.get("epoch")
    wanted = 1 if previous is None else previous.seq + 1
    if type(seq) is not int or seq != wanted:
        raise ValueError(f"it says to be number {str(seq)[:20]}, and number {wanted} follows here")
    if before != (None if previous is None else previous.digest):
        raise ValueError("it does not name the digest of the line before it")
    least = 1 if previous is None else previous.facts["epoch"]
    if type(epoch) is not int or epoch < least:
        raise ValueError(f"its epoch is below {least}, that of the line before it")
    digest = hashlib.sha256(line.rstrip(b"\n")).hexdigest()
    return Link(facts=facts, line=line, seq=seq, digest=digest)


def _facts_of(line: bytes) -> dict[str, Any] | None:
    try:
        facts = json.loads(line)
        return facts if isinstance(facts, dict) and canonical_line(facts) == line else None
    except (ValueError, RecursionError):
        return None


def chain_in(content: bytes, *, file: str, after: Link | None = None) -> tuple[Link, ...]:
    """Read a chain, or its continuation; raises IntegrityError naming the line that breaks it."""
    if content and not content.endswith(b"\n"):
        raise _broken(file, content.count(b"\n") + 1, "it is cut off")
    links = []
    for number, line in enumerate(content.splitlines(keepends=True), start=1):
        try:
            after = link_of(line, after)
        except ValueError as error:
            raise _broken(file, number, str(error)) from None
        links.append(after)
    return tuple(links)


def _broken(file: str, number: int, why: str) -> IntegrityError:
    return IntegrityError(
        f"the chain of decisions breaks here: {why}.",
        where=Location(file=file, line=number),
        remedy="Somebody altered the journal or it is damaged: compare it with the controller's "
        "own copy and with the branch's history before anything is promoted (docs/faults.md).",
    )


class Journal:
    """The chain on this host: read and verified once, appended to line by line.

    A line that was half written when the process or the machine died is cut off again.
    """

    def __init__(self, path: Path, *, sync: Callable[[int], None] = os.fsync) -> None:
        self._path = path
        self._sync = sync
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        self._links = list(chain_in(whole, file=path.name))
        self._unwritten = 0
        if len(whole) < len(content):
            os.truncate(path, len(whole))
        self._size = len(whole)

    @property
    def links(self) -> tuple[Link, ...]:
        """Every decision, oldest first."""
        return tuple(self._links)

    @property
    def last(self) -> Link | None:
        """The newest decision."""
        return self._links[-1] if self._links else None

    @property
    def unwritten(self) -> int:
        """How many of the newest decisions the disk did not take yet."""
        return self._unwritten

    def append(self, line: bytes) -> Link:
        """Add the line that follows; one that stands there already is not added again.

        Where the disk does not take it, it is kept in memory and written with the next one: the
        write-ahead log holds it too. Raises IntegrityError for a line that does not follow.
        """
        if self._links and self._links[-1].line == line:
            return self._links[-1]
        try:
            made = link_of(line, self.last)
        except ValueError as error:
            raise _broken(self._path.name, len(self._links) + 1, str(error)) from None
        self._links.append(made)
        self._unwritten += 1
        self.flush()
        return made

    def adopt(self, links: Iterable[Link]) -> None:
        """Begin with the chain that the branch holds, where this host has none."""
        if self._links:
            raise ValueError("this host has a chain of its own")
        for link in links:
            self._links.append(link)
            self._unwritten += 1
        self.flush()

    def flush(self) -> bool:
        """Write what the disk did not take before; say whether all of it is written."""
        if not self._unwritten:
            return True
        data = b"".join(link.line for link in self._links[-self._unwritten :])
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                os.ftruncate(handle, self._size)
                write_at(handle, data, self._size)
                self._sync(handle)
            finally:
                os.close(handle)
        except OSError:
            return False
        self._size += len(data)
        self._unwritten = 0
        return True


def common_start(ours: Iterable[Link], theirs: Iterable[Link]) -> bool:
    """Say whether ``theirs`` is how ``ours`` begins, or all of it."""
    known = {link.seq: link.digest for link in ours}
    return all(known.get(link.seq) == link.digest for link in theirs)
