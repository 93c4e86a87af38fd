"""Runs a load test: two versions by turns, in rounds, each at one fixed rate (an open loop).

A closed loop waits for each answer, so a slow server is asked less and its worst moments are
missing from the numbers. Vegeta sends at the rate whatever the answers do.
"""

from __future__ import annotations

import base64
import json
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.config.staging import Load
from assay.errors import InputError, OutsideError
from assay.evidence import LoadMargins, LoadRound, LoadSide, LoadTest
from assay.rollout.smoke.client import Client
from assay.rollout.staging import judged

_SAMPLE_SECONDS = 0.1
_WARM_UP_SECONDS = 2.0
_NANO = 1e6
"""Nanoseconds in a millisecond."""
_OK = 200


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A version under load, at an address of its own; ``memory`` is what it holds now, in bytes."""

    digest: str
    client: Client
    memory: Callable[[], int | None]


@dataclass(frozen=True, kw_only=True)
class Generator:
    """Vegeta, and the seconds that a request may take."""

    program: Path
    request_seconds: float


def load_test(
    serving: Contender,
    new: Contender,
    *,
    bodies: Sequence[bytes],
    load: Load,
    generator: Generator,
    say: Callable[[str], None] = lambda _: None,
) -> LoadTest:
    """Run the rounds and judge them; who goes first alternates.

    Raises InputError where a version refuses the rows, OutsideError where one does not answer, or
    another version answers in its place.
    """
    if not bodies:
        raise InputError(
            "there is no row to send under load.",
            remedy="Name test rows with --features, or save the model with an input example.",
        )
    for side in (serving, new):
        _probe(side, bodies)
    rounds = []
    with tempfile.TemporaryDirectory(prefix="assay-load-") as scratch:
        run = _Run(folder=Path(scratch), bodies=bodies, load=load, generator=generator)
        for side in (serving, new):
            run.attack(side, seconds=min(_WARM_UP_SECONDS, load.seconds))
        for number in range(load.rounds):
            order = (serving, new) if number % 2 == 0 else (new, serving)
            found = {side.digest: run.measured(side) for side in order}
            rounds.append(LoadRound(serving=found[serving.digest], new=found[new.digest]))
            say(_line(number, load.rounds, rounds[-1]))
    for side in (serving, new):
        _probe(side, bodies[:1])
    margins = LoadMargins(**load.margins.model_dump())
    return judged(
        LoadTest(serving=serving.digest, new=new.digest, rounds=tuple(rounds), margins=margins)
    )


def _line(number: int, rounds: int, found: LoadRound) -> str:
    return (
        f"round {number + 1} of {rounds}: p50 {found.serving.p50:.1f} ms serving, "
        f"{found.new.p50:.1f} ms new; p99 {found.serving.p99:.1f} and {found.new.p99:.1f} ms"
    )


def _probe(side: Contender, bodies: Sequence[bytes]) -> None:
    """Each row is answered by this version: a refusal is fast, and would count for nothing."""
    for body in bodies:
        reply = side.client.score(body)
        if reply.version != side.digest:
            raise OutsideError(
                f"{side.client.address} is answered by version {str(reply.version)[:12]}, not "
                f"{side.digest[:12]}.",
                remedy="Name an address where that version alone answers.",
            )
        if reply.status != _OK:
            raise InputError(
                f"version {side.digest[:12]} answers a row of the load with {reply.status}.",
                remedy="A load test needs rows that both versions take; where their signatures "
                "differ, leave it out with --parts smoke,tests.",
            )


@dataclass(frozen=True, kw_only=True)
class _Run:
    folder: Path
    bodies: Sequence[bytes]
    load: Load
    generator: Generator

    def measured(self, side: Contender) -> LoadSide:
        """One version in one round."""
        with _peak(side.memory) as peak:
            report = self.attack(side, seconds=self.load.seconds)
        return side_of(report, memory=peak())

    def attack(self, side: Contender, *, seconds: float) -> dict[str, Any]:
        """Send the rows in turn at the rate, and return Vegeta's report."""
        targets, results = self.folder / "targets", self.folder / "results"
        targets.write_text("".join(_targets(side.client.scoring, self.bodies)))
        patience = self.generator.request_seconds
        # As a whole number a minute, so that a rate below one, or between two, is no other.
        command = [
            "attack", "-format", "json", "-targets", str(targets), "-output", str(results),
            "-rate", f"{round(self.load.rate * 60)}/1m", "-duration", f"{seconds:g}s",
            "-timeout", f"{patience:g}s", "-max-body", "0", "-redirects", "-1",
        ]  # fmt: skip
        self._vegeta(command, seconds=seconds + patience + 30)
        output = self._vegeta(["report", "-type", "json", str(results)], seconds=60)
        found: dict[str, Any] = json.loads(output)
        return found

    def _vegeta(self, arguments: list[str], *, seconds: float) -> bytes:
        program = str(self.generator.program)
        try:
            done = subprocess.run(
                [program, *arguments], capture_output=True, timeout=seconds, check=True
            )
        except subprocess.TimeoutExpired:
            raise OutsideError(f"Vegeta did not end in {seconds:.0f} seconds.") from None
        except (OSError, subprocess.CalledProcessError) as error:
            said = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip()
            raise OutsideError(f"Vegeta failed: {said[-500:] or error}.") from None
        return done.stdout


def _targets(address: str, bodies: Sequence[bytes]) -> Iterator[str]:
    header = {"Content-Type": ["application/json"]}
    for body in bodies:
        encoded = base64.b64encode(body).decode()
        target = {"method": "POST", "url": address, "body": encoded, "header": header}
        yield json.dumps(target) + "\n"


def side_of(report: dict[str, Any], *, memory: int | None) -> LoadSide:
    """Read Vegeta's report: latencies in nanoseconds, answers by status, 0 for none at all.

    Whatever is not answered with 200 counts as an error: the rows are such as both versions take.
    Raises OutsideError where nothing was answered, or the report is none.
    """
    try:
        requests = int(report["requests"])
        answered = int(report["status_codes"].get(str(_OK), 0))
        latencies = report["latencies"]
        if not answered:
            raise OutsideError(
                "a version answered no request of a round.",
                remedy="Lower staging.load.rate: it is more than the version can take.",
            )
        return LoadSide(
            requests=requests,
            errors=requests - answered,
            throughput=float(report["throughput"]),
            p50=latencies["50th"] / _NANO,
            p95=latencies["95th"] / _NANO,
            p99=latencies["99th"] / _NANO,
            memory=memory,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise OutsideError(f"Vegeta's report cannot be read: {error}.") from None


@contextmanager
def _peak(memory: Callable[[], int | None]) -> Iterator[Callable[[], int | None]]:
    """Look ten times a second while the block runs; None where it once was not known."""
    seen: list[int | None] = [memory()]
    over = threading.Event()

    def look() -> None:
        while not over.wait(_SAMPLE_SECONDS):
            seen.append(memory())

    def highest() -> int | None:
        known = [each for each in seen if each is not None]
        return max(known) if len(known) == len(seen) else None

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield highest
    finally:
        over.set()
        watcher.join()
