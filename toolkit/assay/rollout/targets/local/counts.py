"""What each version did at a route's generation, counted from the router's access log.

Every line carries the generation and the version that its request was assigned to, stamped by the
route itself: so a count never mixes two routes, however late a line is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from assay.rollout.target import Counts
from assay.rollout.targets.local.files import read_json, replace_json
from assay.rollout.targets.local.routes import SCORING
from assay.rollout.targets.local.tail import LogFiles, Mark, read_on

_UNIT_BYTES = 8


@dataclass
class Tally:
    """One version's counts at one generation; units are known by a hash of eight bytes."""

    requests: int = 0
    errors: int = 0
    slow: int = 0
    units: set[bytes] = field(default_factory=set)

    def counts(self) -> Counts:
        return Counts(
            requests=self.requests, errors=self.errors, slow=self.slow, units=len(self.units)
        )


class Ledger:
    """Counts of one log, by generation and version; kept in ``folder`` across restarts.

    A crash between two writes repeats lines, never loses or doubles them: units are written first,
    and are a set; counts and the mark up to which they go are one file.
    """

    def __init__(self, folder: Path, files: LogFiles, *, slow_ms: float) -> None:
        self.folder = folder
        self.files = files
        self.slow_ms = slow_ms
        self._mark: Mark | None = None
        self._tallies: dict[tuple[int, str], Tally] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self._load()

    def read(self, generation: int) -> dict[str, Counts]:
        """Read on, and return the counts at ``generation``; those of older ones are forgotten."""
        lines, mark = read_on(self.files, self._mark)
        fresh = self._count(line for line in lines if _generation(line) >= generation)
        for old in [key for key in self._tallies if key[0] < generation]:
            del self._tallies[old]
            self._units_file(old).unlink(missing_ok=True)
        if mark != self._mark:
            self._mark = mark
            self._save(fresh)
        return {
            version: tally.counts()
            for (found, version), tally in self._tallies.items()
            if found == generation
        }

    def _count(self, lines: Iterable[Mapping[str, Any]]) -> dict[tuple[int, str], list[bytes]]:
        """Count ``lines``; return the units that are new."""
        fresh: dict[tuple[int, str], list[bytes]] = {}
        for line in lines:
            if not is_counted(line):
                continue
            key = (_generation(line), str(line["assigned"]))
            tally = self._tallies.setdefault(key, Tally())
            tally.requests += 1
            tally.errors += is_error(line)
            tally.slow += float(line["milliseconds"]) > self.slow_ms
            if line.get("unit"):
                unit = hashlib.sha256(str(line["unit"]).encode()).digest()[:_UNIT_BYTES]
                if unit not in tally.units:
                    tally.units.add(unit)
                    fresh.setdefault(key, []).append(unit)
        return fresh

    def _units_file(self, key: tuple[int, str]) -> Path:
        return self.folder / f"units-{key[0]}-{key[1]}"

    def _save(self, fresh: Mapping[tuple[int, str], list[bytes]]) -> None:
        for key, units in fresh.items():
            with self._units_file(key).open("ab") as handle:
                handle.write(b"".join(units))
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


def is_counted(line: Mapping[str, Any]) -> bool:
    """Whether a line is a scoring request of the experiment.

    A request without a unit, where units stick, has a route of another name.
    """
    return line.get("route") == SCORING and bool(line.get("assigned"))


def is_error(line: Mapping[str, Any]) -> bool:
    """Whether the assigned version failed: a 5xx, no answer, or another version had to answer.

    A caller who hung up has status 0 without a flag of the upstream's; that is not an error (it
    may be slow).
    """
    status = int(line.get("status") or 0)
    answered = line.get("version")
    fallen_back = bool(answered) and answered != line["assigned"]
    flags = set(str(line.get("flags") or "").split(","))
    return status >= 500 or fallen_back or bool(flags & {"UF", "UC", "UT", "URX", "UH", "UO", "UR"})


def _generation(line: Mapping[str, Any]) -> int:
    found = str(line.get("generation") or "")
    return int(found) if found.isdecimal() else -1
