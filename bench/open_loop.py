"""An open-loop load: Vegeta sends at a fixed rate whatever the answers do, and keeps every one.

A closed loop waits for each answer, so a slow server is asked less, and its worst moments are
missing from the numbers.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from assay.act.tools import Toolbox

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One request: when it was sent (seconds since 1970), how long it took, what came of it."""

    sent: float
    seconds: float
    status: int
    version: str | None


def vegeta() -> Path:
    """The pinned Vegeta, built once with Go into the user's cache."""
    return Toolbox.of(ROOT, os.environ, print).vegeta()


@dataclass(frozen=True, kw_only=True)
class Attack:
    """A load that runs; its results are complete when the block that made it ends."""

    process: subprocess.Popen[bytes]
    results: Path

    def shots(self) -> list[Shot]:
        """Every request, in the order of its answer."""
        encoded = subprocess.run(
            [str(vegeta()), "encode", "-to", "json", str(self.results)],
            capture_output=True, check=True,
        ).stdout  # fmt: skip
        found = map(json.loads, encoded.splitlines())
        return [_shot(result) for result in found if "no targets" not in result["error"]]


@contextmanager
def attack(
    folder: Path, url: str, body: bytes, *, rate: float, count: int, name: str = "attack"
) -> Iterator[Attack]:
    """Send ``count`` requests at ``rate`` a second, each of another unit; ends with the block."""
    targets, results = folder / f"{name}.targets", folder / f"{name}.results"
    with targets.open("w") as handle:
        handle.writelines(_targets(url, body, count))
    seconds = count / rate
    command = [
        str(vegeta()), "attack", "-format", "json", "-lazy", "-targets", str(targets),
        "-rate", f"{round(rate * 60)}/1m", "-duration", f"{seconds + 5:.0f}s", "-timeout", "30s",
        "-max-body", "0", "-output", str(results),
    ]  # fmt: skip
    process = subprocess.Popen(command)
    try:
        yield Attack(process=process, results=results)
        process.wait(timeout=seconds + 120)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def fire(folder: Path, url: str, body: bytes, *, rate: float, count: int) -> list[Shot]:
    """Send a load, wait for its end, and return what came of it."""
    with attack(folder, url, body, rate=rate, count=count, name="fire") as running:
        pass
    return running.shots()


def _targets(url: str, body: bytes, count: int) -> Iterable[str]:
    encoded = base64.b64encode(body).decode()
    for number in range(count):
        header = {"Content-Type": ["application/json"], "X-Assay-Unit": [f"user-{number % 20_000}"]}
        target = {"method": "POST", "url": url, "body": encoded, "header": header}
        yield json.dumps(target) + "\n"


def _shot(result: dict[str, object]) -> Shot:
    headers = result.get("headers") or {}
    assert isinstance(headers, dict)
    found = headers.get("X-Assay-Version") or [None]
    stamp = datetime.fromisoformat(_microseconds(str(result["timestamp"])))
    return Shot(
        sent=stamp.timestamp(),
        seconds=float(str(result["latency"])) / 1e9,
        status=int(str(result["code"])),
        version=found[0],
    )


def _microseconds(stamp: str) -> str:
    """Python reads six digits behind the second; Go writes nine, or fewer."""
    head, _, tail = stamp.partition(".")
    if not tail:
        return stamp
    digits = "".join(character for character in tail[:9] if character.isdecimal())
    zone = tail[len(digits) :]
    return f"{head}.{digits[:6].ljust(6, '0')}{zone.lstrip('0123456789')}"
