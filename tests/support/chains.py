"""Chains of decisions, as lines, for the tests of the journal."""

from __future__ import annotations

from assay.state import Link, canonical_line, link_of


def decision_line(previous: Link | None, *, epoch: int = 1, **facts: object) -> bytes:
    """Return the line that follows ``previous``."""
    return canonical_line(
        {
            "kind": "stepped",
            **facts,
            "epoch": epoch,
            "seq": 1 if previous is None else previous.seq + 1,
            "previous_digest": None if previous is None else previous.digest,
        }
    )


def chain(length: int, *, epoch: int = 1, note: str = "") -> tuple[Link, ...]:
    """Return a whole chain of ``length``; another ``note`` makes it another chain."""
    links: list[Link] = []
    for _ in range(length):
        last = links[-1] if links else None
        links.append(link_of(decision_line(last, epoch=epoch, note=note), last))
    return tuple(links)
