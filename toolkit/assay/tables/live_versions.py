"""Which logged versions delivery knows: the others are counted apart and never judged."""

from __future__ import annotations

from collections.abc import Collection

from assay.tables.source import Engine
from assay.tables.sql import literal


def is_known(known: Collection[str]) -> str:
    """SQL for an answer that may be judged: by a known version, or one that the log does not name.

    With nothing known every version may.
    """
    if not known:
        return "true"
    listed = ", ".join(literal(each) for each in sorted(known))
    return f"(version IS NULL OR version IN ({listed}))"


def read_unknown(
    engine: Engine, known: Collection[str], *, length: int
) -> dict[int, dict[str, int]]:
    """Count ``answers`` of other versions, by window (of `length` µs) and version."""
    found: dict[int, dict[str, int]] = {}
    if not known:
        return found
    for window, version, count in engine.rows(
        f"SELECT answered // {length}, version, count(*) FROM answers "
        f"WHERE NOT {is_known(known)} GROUP BY ALL ORDER BY ALL"
    ):
        found.setdefault(int(window), {})[str(version)] = int(count)
    return found
