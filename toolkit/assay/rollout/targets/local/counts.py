"""What each version did at a route's generation, counted from logs.

Every line of the router's access log carries the generation and the version that its request was
assigned to, stamped by the route itself: so a count never mixes two routes, however late a line is
read. What a shadow answered is not in it: the shadow's own request log says that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from assay.errors import OutsideError
from assay.rollout.target import Counts
from assay.rollout.targets.local.files import read_json, replace_json
from assay.rollout.targets.local.routes import ANONYMOUS, SCORING
from assay.rollout.targets.local.tail import LogFiles, Mark, read_on

_UNIT_BYTES = 8
_FAILURES = {"UF", "UC", "UT", "UH", "UO", "UR", "URX", "UPE"}
"""Envoy's response flags of a request whose upstream failed."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One request of a log that counts."""

    generation: int
    version: str
    error: bool
    milliseconds: float
    unit: str


@dataclass
class Tally:
    """One version's counts at one generation; units are known by a hash of eight bytes."""

    requests: int = 0
    errors: int = 0
    slow: int = 0
    units: set[bytes] = field(default_factory=set)

    def add(self, other: Tally) -> None:
        """Take in what another log counted of the same version."""
        self.requests += other.requests
        self.errors += other.errors
        self.slow += other.slow
        self.units |= other.units

    def counts(self) -> Counts:
        """For the guards."""
        return Counts(
            requests=self.requests, errors=self.errors, slow=self.slow, units=len(self.units)
        )


class Ledger:
    """Counts of one log, by generation and version; kept in ``folder`` across restarts.

    A crash between two writes repeats lines, never loses or doubles them: units are written first,
    and are a set; counts and the mark up to which they go are one file.
    """

    def __init__(
        self,
        folder: Path,
        files: LogFiles,
        *,
        reads: Callable[[Mapping[str, Any]], Seen | None],
        slow_ms: float,
    ) -> None:
        self.folder = folder
        self.files = files
        self.reads = reads
        self.slow_ms = slow_ms
        self._mark: Mark | None = None
        self._tallies: dict[tuple[int, str], Tally] = {}
        self._pending: dict[tuple[int, str], list[bytes]] = {}
        self.trouble = ""
        """Why the last counts could not be written down; they are right all the same."""
        folder.mkdir(parents=True, exist_ok=True)
        self._load()

    def read(self, generation: int) -> dict[str, Tally]:
        """Read on, and return each version's at ``generation``; older ones are forgotten."""
        lines, mark = read_on(self.files, self._mark)
        seen = [found for found in map(self.reads, lines) if found is not None]
        fresh = self._count(found for found in seen if found.generation >= generation)
        for old in [key for key in self._tallies if key[0] < generation]:
            del self._tallies[old]
            self._units_file(old).unlink(missing_ok=True)
        if mark != self._mark:
            self._mark = mark
            self._save(fresh)
        return {
            version: tally
            for (found, version), tally in self._tallies.items()
            if found == generation
        }

    def _count(self, seen: Iterable[Seen]) -> dict[tuple[int, str], list[bytes]]:
        """Count requests; return the units that are new."""
        fresh: dict[tuple[int, str], list[bytes]] = {}
        for found in seen:
            key = (found.generation, found.version)
            tally = self._tallies.setdefault(key, Tally())
            tally.requests += 1
            tally.errors += found.error
            tally.slow += found.milliseconds > self.slow_ms
            if found.unit:
                unit = hashlib.sha256(found.unit.encode()).digest()[:_UNIT_BYTES]
                if unit not in tally.units:
                    tally.units.add(unit)
                    fresh.setdefault(key, []).append(unit)
        return fresh

    def _units_file(self, key: tuple[int, str]) -> Path:
        return self.folder / f"units-{key[0]}-{key[1]}"

    def _save(self, fresh: Mapping[tuple[int, str], list[bytes]]) -> None:
        for key, units in fresh.items():
            self._pending.setdefault(key, []).extend(units)
        try:
            for key in list(self._pending):
                with self._units_file(key).open("ab") as handle:
                    handle.write(b"".join(self._pending[key]))
                del self._pending[key]
            self._save_tallies()
        except (OSError, OutsideError) as error:
            self.trouble = f"the counts are not kept across a restart: {error}"
        else:
            self.trouble = ""

    def _save_tallies(self) -> None:
        kept = [
            {"generation": generation, "version": version, "requests": tally.requests,
             "errors": tally.errors, "slow": tally.slow}
            for (generation, version), tally in self._tallies.items()
        ]  # fmt: skip
        mark = asdict(self._mark) if self._mark else None
        replace_json(self.folder / "counts.json", {"mark": mark, "tallies": kept})

    def _load(self) -> None:
        found = read_json(self.folder / "counts.json")
        if found is None:
            return
        self._mark = Mark(**found["mark"]) if found["mark"] else None
        for kept in found["tallies"]:
            key = (kept.pop("generation"), kept.pop("version"))
            units = self._units_file(key)
            raw = units.read_bytes() if units.exists() else b""
            whole = range(0, len(raw) - _UNIT_BYTES + 1, _UNIT_BYTES)
            self._tallies[key] = Tally(
                **kept, units={raw[start : start + _UNIT_BYTES] for start in whole}
            )


def routed(line: Mapping[str, Any]) -> Seen | None:
    """Read a line of the router's access log; None where it is no request of the experiment.

    The assigned version failed where there is a 5xx, no answer, or another version had to answer.
    A caller who hung up is no error (and may be slow). A request without a unit, where units
    stick, has a route of another name: it is a unit of its own, or not of the experiment.
    """
    assigned = line.get("assigned")
    if line.get("route") not in (SCORING, ANONYMOUS) or not assigned:
        return None
    alone = line.get("request_id") if line.get("route") == ANONYMOUS else ""
    answered = line.get("version")
    flags = set(str(line.get("flags") or "").split(","))
    return Seen(
        generation=_generation(line),
        version=str(assigned),
        error=(
            int(line.get("status") or 0) >= 500
            or (bool(answered) and answered != assigned)
            or bool(flags & _FAILURES)
        ),
        milliseconds=float(line.get("milliseconds") or 0),
        unit=str(line.get("unit") or alone or ""),
    )


def mirrored(line: Mapping[str, Any]) -> Seen | None:
    """Read a line of a scoring server's request log; None where it was no mirrored request."""
    if not line.get("mirrored") or line.get("method") != "POST":
        return None
    return Seen(
        generation=_generation(line),
        version=str(line.get("version")),
        error=int(line.get("status") or 0) >= 500 or not line.get("status"),
        milliseconds=float(line.get("milliseconds") or 0),
        unit=str(line.get("unit") or ""),
    )


def _generation(line: Mapping[str, Any]) -> int:
    found = str(line.get("generation") or "")
    return int(found) if found.isdecimal() else -1
