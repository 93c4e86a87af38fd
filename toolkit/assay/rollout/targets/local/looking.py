"""What runs at a local target, as its files say it: for whoever asks beside the controller."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.errors import OutsideError
from assay.rollout.targets.local.files import read_json
from assay.rollout.targets.local.processes import Program
from assay.rollout.targets.local.workers import HOST

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, kw_only=True)
class Running:
    """One version's processes: the first one's own address, and what all of them hold."""

    digest: str
    address: str
    memory: Callable[[], int | None]
    bundle: Path


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The router's port, the versions that run by digest, and those that ever did."""

    port: int
    versions: dict[str, Running]
    ever: frozenset[str]


def look(folder: Path) -> Seen:
    """Read the files of a local (or docker) target's ``folder``; raises OutsideError without."""
    try:
        state = read_json(folder / "state.json")
        versions = {
            digest: _running(folder, digest, kept)
            for digest, kept in state["versions"].items()
            if kept["stopping"] is None
        }
        port = int(state["port"])
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        raise OutsideError(
            f"{folder} does not say what is served from it.",
            remedy="Name the controller's state folder with --state, or an address with --url.",
        ) from None
    ever = frozenset(place.name for place in (folder / "versions").glob("*"))
    return Seen(port=port, versions=versions, ever=ever)


def _running(folder: Path, digest: str, kept: dict[str, Any]) -> Running:
    ports = kept["ports"]
    records = [folder / "versions" / digest / f"{number}.pid" for number in range(len(ports))]
    return Running(
        digest=digest,
        address=f"http://{HOST}:{ports[0]}",
        memory=_resident(records),
        bundle=Path(kept["folder"]),
    )


def _resident(records: list[Path]) -> Callable[[], int | None]:
    """Resident bytes of all processes; None where one is no process of this host's."""

    def measure() -> int | None:
        total = 0
        for record in records:
            try:
                pid = Program(record).pid
                if pid is None:
                    return None
                statm = Path(f"/proc/{pid}/statm").read_text()
            except (OSError, ValueError):
                return None
            total += int(statm.split()[1]) * _PAGE
        return total

    return measure
