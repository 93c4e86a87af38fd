"""What runs at a local target, as its files say it: for whoever asks beside the controller."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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
    state = read_json(folder / "state.json")
    if not isinstance(state, dict) or not state.get("port"):
        raise OutsideError(
            f"nothing was ever served from {folder}.",
            remedy="Name the controller's state folder with --state, or an address with --url.",
        )
    found = {
        digest: Running(
            digest=digest,
            address=f"http://{HOST}:{kept['ports'][0]}",
            memory=_resident(
                [
                    folder / "versions" / digest / f"{number}.pid"
                    for number in range(len(kept["ports"]))
                ]
            ),
            bundle=Path(kept["folder"]),
        )
        for digest, kept in state.get("versions", {}).items()
        if kept.get("stopping") is None
    }
    ever = frozenset(place.name for place in (folder / "versions").glob("*"))
    return Seen(port=int(state["port"]), versions=found, ever=ever)


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
