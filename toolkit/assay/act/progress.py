"""One line for each step and job that ended, for a person who waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WIDTH = 60


def progress(entry: Mapping[str, Any]) -> str | None:
    """What one of act's log objects says to someone who waits; None for most of them.

    Give it to ``Settings.watch`` inside a function that prints.
    """
    job = str(entry.get("job", "")).rstrip()
    if "jobResult" in entry:
        return f"{job}: {entry['jobResult']}"
    ids = list(entry.get("stepID") or [])
    if "stepResult" not in entry or entry.get("stage") != "Main" or len(ids) != 1:
        return None
    name = (str(entry.get("step", "")).strip().splitlines() or [""])[0]
    short = name if len(name) <= WIDTH else name[: WIDTH - 1] + "…"
    seconds = float(entry.get("executionTime", 0)) / 1e9
    return f"{job} › {short}: {entry['stepResult']} ({seconds:.1f} s)"
